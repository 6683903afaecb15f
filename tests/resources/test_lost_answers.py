"""An object of the object client knows its own write, of which the answer was lost, the next time."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import attrs
import pytest

from kintomodel.errors import Conflict, ConnectionFailed, ServerError, TransportError
from kintomodel.protocol import operations
from kintomodel.resources.batch import Batch
from kintomodel.resources.client import Client
from kintomodel.resources.record import Record
from kintomodel.transport.http import HTTPTransport
from kintomodel.transport.retry import Patience, RetryTransport

from ..cutting import INTERRUPTS, Cutting

PATH = "/buckets/payments/collections/receipts/records/r1"


@pytest.fixture
def cutting(payments: Client) -> Cutting:
    return Cutting(HTTPTransport(payments.url, ("tester", "secret")))


@pytest.fixture
def record(payments: Client, cutting: Cutting) -> Iterator[Record]:
    with Client(payments.url, transport=cutting) as client:
        collection = client.bucket("payments").collection("receipts")
        yield collection.create_record({"amount": 1, "note": "x"}, id="r1")


def break_off(cutting: Cutting, fate: Any, work: Callable[[], object]) -> None:
    cutting.fates = [fate, "cut"]
    with pytest.raises((ConnectionFailed, ServerError, KeyboardInterrupt, DeprecationWarning)):
        work()
    cutting.fates = []


def stored(payments: Client) -> dict[str, Any]:
    data = payments.connection.perform(operations.read(PATH)).data
    return {key: value for key, value in data.items() if key not in ("id", "last_modified")}


def readers(payments: Client) -> set[str]:
    return set(payments.bucket("payments").collection("receipts").get_record("r1").permissions.read)


FATES = pytest.mark.parametrize("fate", ["cut", "unsent", 502])


@FATES
def test_a_save_whose_answer_was_lost_is_no_conflict(
    payments: Client, cutting: Cutting, record: Record, fate: Any
) -> None:
    record.data["amount"] = 2
    record.permissions.read += "account:bob"
    break_off(cutting, fate, record.save)
    del record.data["note"]
    record.permissions.read += "account:zoe"
    record.save()
    assert stored(payments) == {"amount": 2}
    assert readers(payments) == {"account:bob", "account:zoe"}
    cutting.methods.clear()
    record.save()
    assert cutting.methods == []


@pytest.mark.parametrize("is_new", [False, True])
def test_a_save_that_cannot_be_looked_at_is_no_conflict_with_itself(
    payments: Client, cutting: Cutting, is_new: bool
) -> None:
    again = RetryTransport(cutting, Patience(1, first_wait=0.001))
    with Client(payments.url, transport=again) as client:
        record = client.bucket("payments").collection("receipts").record("r1", {"amount": 2})
        if not is_new:
            record.create({"amount": 1})
            record.data["amount"] = 2
        record.permissions.read += "account:bob"
        cutting.fates = ["cut", None, "unsent", "unsent"]
        with pytest.raises(TransportError, match="the first attempt got none, and may have been carried out"):
            record.save()
        assert (stored(payments)["amount"], readers(payments)) == (2, {"account:bob"})
        record.data["amount"] = 3
        record.save()
    assert (stored(payments)["amount"], readers(payments)) == (3, {"account:bob"})


@INTERRUPTS
def test_a_save_that_was_interrupted_is_no_conflict(
    payments: Client, cutting: Cutting, record: Record, fate: Any
) -> None:
    record.data["amount"] = 2
    break_off(cutting, fate, record.save)
    record.data["amount"] = 3
    record.save()
    assert stored(payments)["amount"] == 3


@FATES
def test_an_edit_that_is_taken_back_is_taken_back_there(
    payments: Client, cutting: Cutting, record: Record, fate: Any
) -> None:
    record.data["amount"], record.permissions.read = 2, ["account:bob"]  # type: ignore[assignment]
    break_off(cutting, fate, record.save)
    record.data["amount"], record.permissions.read = 1, []  # type: ignore[assignment]
    record.save()
    assert (stored(payments)["amount"], readers(payments)) == (1, set())
    cutting.methods.clear()
    record.save()
    assert cutting.methods == []


@FATES
def test_a_creation_whose_answer_was_lost_is_no_conflict(
    payments: Client, cutting: Cutting, record: Record, fate: Any
) -> None:
    record.delete()
    break_off(cutting, fate, record.save)
    record.data["amount"] = 2
    record.save()
    assert stored(payments) == {"amount": 2, "note": "x"}


def save_in_batch(record: Record) -> None:
    """With another one, as one alone is no batch."""
    other = Record(record.connection, attrs.evolve(record.path, record="other"), {})
    with Batch(record.connection) as batch:
        batch.save(other)
        saved = batch.save(record)
    saved.result()


@pytest.mark.parametrize("again", [Record.save, save_in_batch], ids=["alone", "batch"])
@pytest.mark.parametrize("is_new", [False, True])
@FATES
def test_a_save_in_a_batch_whose_answers_were_lost_is_no_conflict(
    payments: Client, cutting: Cutting, record: Record, fate: Any, is_new: bool, again: Any
) -> None:
    if is_new:
        record.delete()
    record.connection.batch_size()
    record.data["amount"] = 2
    record.permissions.read += "account:bob"
    cutting.fates = [fate, *["unsent"] * 4]
    with pytest.raises((ConnectionFailed, ServerError, TransportError)):
        save_in_batch(record)
    cutting.fates = []
    record.data["amount"] = 3
    again(record)
    assert (stored(payments)["amount"], readers(payments)) == (3, {"account:bob"})
    cutting.methods.clear()
    record.save()
    assert cutting.methods == []


@FATES
def test_an_edit_that_is_taken_back_in_a_batch_is_taken_back_there(
    payments: Client, cutting: Cutting, record: Record, fate: Any
) -> None:
    record.data["amount"] = 2
    break_off(cutting, fate, record.save)
    record.data["amount"] = 1
    save_in_batch(record)
    assert stored(payments)["amount"] == 1


@INTERRUPTS
def test_a_batch_that_was_interrupted_is_no_conflict(
    payments: Client, cutting: Cutting, record: Record, fate: Any
) -> None:
    record.connection.batch_size()
    record.data["amount"] = 2
    break_off(cutting, fate, partial(save_in_batch, record))
    record.data["amount"] = 3
    record.save()
    assert stored(payments)["amount"] == 3


def test_what_others_wrote_after_a_batch_was_lost_is_a_conflict_in_a_batch(
    payments: Client, cutting: Cutting, record: Record
) -> None:
    record.connection.batch_size()
    record.data["amount"] = 2
    cutting.fates = ["cut", *["unsent"] * 4]
    with pytest.raises(TransportError):
        save_in_batch(record)
    cutting.fates = []
    theirs = payments.bucket("payments").collection("receipts").get_record("r1")
    theirs.data["note"] = "theirs"
    theirs.save()
    with pytest.raises(Conflict):
        save_in_batch(record)
    assert stored(payments) == {"amount": 2, "note": "theirs"}


@FATES
def test_permissions_whose_answer_was_lost_are_no_conflict(
    payments: Client, cutting: Cutting, record: Record, fate: Any
) -> None:
    break_off(cutting, fate, partial(record.permissions.update, read=["account:bob"]))
    record.permissions.update(read=["account:zoe"])
    assert readers(payments) == {"account:zoe"}
    record.data["amount"] = 2
    record.save()
    assert stored(payments)["amount"] == 2


def test_what_others_wrote_after_a_lost_write_is_a_conflict(
    payments: Client, cutting: Cutting, record: Record
) -> None:
    record.data["amount"] = 2
    break_off(cutting, "cut", record.save)
    theirs = payments.bucket("payments").collection("receipts").get_record("r1")
    theirs.data["note"] = "theirs"
    theirs.save()
    for _ in range(2):
        with pytest.raises(Conflict):
            record.save()
    assert stored(payments) == {"amount": 2, "note": "theirs"}


def test_whom_others_added_after_a_lost_write_stays(
    payments: Client, cutting: Cutting, record: Record
) -> None:
    record.permissions.read += "account:bob"
    break_off(cutting, "unsent", record.save)
    theirs = payments.bucket("payments").collection("receipts").get_record("r1")
    theirs.permissions.update(read=["account:carol"])
    with pytest.raises(Conflict):
        record.save()
    assert readers(payments) == {"account:carol"}


@pytest.mark.parametrize("fates", [["unsent"], ["unsent", "cut"]], ids=["looked at", "not looked at"])
def test_a_lost_removal_of_a_writer_is_not_taken_for_done(
    payments: Client, cutting: Cutting, record: Record, fates: list[str]
) -> None:
    theirs = payments.bucket("payments").collection("receipts").get_record("r1")
    theirs.permissions.update(write=["account:bob", "account:ann"])
    record.refresh()
    record.permissions.write -= "account:bob"

    def others_write() -> str:
        theirs.permissions.update(read=["account:zoe"])
        return fates[0]

    cutting.fates = [others_write, *fates[1:]]
    with pytest.raises(ConnectionFailed):
        record.save()
    if len(fates) > 1:
        with pytest.raises(Conflict):
            record.save()
    record.refresh()
    assert set(record.permissions.write) == {"account:ann", "account:bob", "account:tester"}
    assert readers(payments) == {"account:zoe"}


@FATES
def test_whom_kinto_adds_to_a_lost_list_of_writers_is_no_conflict(
    payments: Client, cutting: Cutting, record: Record, fate: Any
) -> None:
    record.permissions.write = ["account:bob"]  # type: ignore[assignment]
    break_off(cutting, fate, record.save)
    record.data["amount"] = 2
    record.save()
    found = payments.bucket("payments").collection("receipts").get_record("r1")
    assert set(found.permissions.write) == {"account:bob", "account:tester"}
    assert found.data["amount"] == 2


def test_a_refused_write_is_not_taken_for_a_lost_one(
    payments: Client, cutting: Cutting, record: Record
) -> None:
    theirs = payments.bucket("payments").collection("receipts").get_record("r1")
    theirs.data["amount"] = 2
    theirs.save()
    record.data["amount"] = 2
    with pytest.raises(Conflict):
        record.save()
    record.data["amount"] = 1
    cutting.methods.clear()
    record.save()
    assert cutting.methods == []


def test_a_listed_object_knows_its_lost_write_without_its_permissions(
    payments: Client, cutting: Cutting, record: Record
) -> None:
    (listed,) = (
        Client(payments.url, transport=cutting).bucket("payments").collection("receipts").get_all_records()
    )
    listed.data["amount"] = 2
    break_off(cutting, "cut", listed.save)
    listed.data["note"] = "y"
    listed.save()
    assert stored(payments) == {"amount": 2, "note": "y"}


def test_a_batch_says_if_it_cannot_see_whose_write_it_met(
    payments: Client, cutting: Cutting, record: Record
) -> None:
    client = Client(payments.url, transport=cutting)
    client.connection.batch_size()  # the GET of the root
    one = client.bucket("payments").collection("receipts").get_record("r1")
    one.data["amount"] = 2
    break_off(cutting, "cut", one.save)
    one.data["amount"] = 3
    with client.batch() as batch:
        pending = batch.save(one)
        cutting.fates = [None, "cut"]
    assert isinstance(pending.error, ConnectionFailed)
    assert stored(payments)["amount"] == 2
