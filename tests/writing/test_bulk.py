"""bulk_create, bulk_save, bulk_delete: what is sent, and what the report says of each record."""

from __future__ import annotations

import _thread
import pickle
import random
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import attrs
import pytest

from kintomodel import (
    BulkError,
    Client,
    Conflict,
    ConnectionFailed,
    Model,
    UsageError,
    ValidationError,
    field,
)
from kintomodel.protocol import operations
from kintomodel.protocol.objects import Response
from kintomodel.testing import KintoServer, RecordingTransport, record
from kintomodel.transport.base import Transport
from kintomodel.transport.http import HTTPTransport


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: int = 0
    tags: list[str] = field(factory=list)


class Note(Model, bucket="payments", collection="notes"):
    text: str = ""


@pytest.fixture
def sent(payments: Client) -> Iterator[RecordingTransport]:
    payments.connection.batch_size()  # the GET of the root, once for a client
    with record(payments) as recording:
        yield recording


def receipts(number: int) -> list[Receipt]:
    return [Receipt(id=f"r{at:03}", amount=at) for at in range(number)]


def stored() -> dict[str, int]:
    return {receipt.id: receipt.amount for receipt in Receipt.objects.all()}


def sizes(sent: RecordingTransport) -> list[int]:
    """How many requests each write holds."""
    return [len(one.body["requests"]) if one.path == "/batch" else 1 for one in sent.writes]


def steal(id: str) -> None:
    """Somebody else writes it."""
    other = Receipt.objects.get(id=id)
    other.amount += 1000
    other.save()


def test_new_records_are_created_in_batches_of_the_servers_size(sent: RecordingTransport) -> None:
    several = receipts(60)
    report = Receipt.objects.bulk_create(several)
    assert sizes(sent) == [25, 25, 10]
    assert [outcome.object for outcome in report.created] == several
    assert [outcome.position for outcome in report] == list(range(60))
    assert stored() == {f"r{at:03}": at for at in range(60)}
    assert all(one.last_modified and one.changes() == {} for one in several)
    first = sent.writes[0].body["requests"][0]
    assert (first["method"], first["headers"]) == ("PUT", {"If-None-Match": "*"})


def test_only_what_changed_is_sent_and_the_rest_without_a_request(sent: RecordingTransport) -> None:
    several = receipts(60)
    Receipt.objects.bulk_create(several)
    sent.clear()
    assert len(Receipt.objects.bulk_save(several).unchanged) == 60
    assert len(sent) == 0
    for one in several[::2]:
        one.amount += 1
    report = Receipt.objects.bulk_save([*several, Receipt(id="new")])
    assert (len(report.updated), len(report.unchanged), len(report.created)) == (30, 30, 1)
    assert sizes(sent) == [25, 6]  # the batches are full, whatever lies between
    assert sent.writes[0].body["requests"][1]["body"] == {"data": {"amount": 3}}
    assert [outcome.status for outcome in report][:3] == ["updated", "unchanged", "updated"]


@pytest.mark.parametrize("verify", [False, True])
def test_a_new_record_that_is_forced_over_another_one_is_updated(payments: Client, verify: bool) -> None:
    Receipt.objects.bulk_create(receipts(2))
    several = [Receipt(id=f"r{at:03}", amount=9) for at in range(1, 4)]
    report = Receipt.objects.bulk_save(several, force=True, verify=verify)
    assert [outcome.status for outcome in report] == ["updated", "created", "created"]
    assert stored() == {"r000": 0, "r001": 9, "r002": 9, "r003": 9}


def test_records_are_deleted_in_batches_and_are_new_ones_then(sent: RecordingTransport) -> None:
    several = receipts(30)
    Receipt.objects.bulk_create(several)
    sent.clear()
    report = Receipt.objects.bulk_delete(several)
    assert (len(report.deleted), sizes(sent), stored()) == (30, [25, 5], {})
    assert several[0].last_modified is None
    assert len(Receipt.objects.bulk_save(several).created) == 30


def test_each_failure_has_its_cause_and_stops_none_of_the_others(payments: Client) -> None:
    Receipt.objects.bulk_create(receipts(3))
    stale, deleted, fine = Receipt.objects.all()
    steal(stale.id)
    Receipt.objects.get(id=deleted.id).delete()
    for one in (stale, deleted, fine):
        one.amount = -1
    wrong: Any = "much"
    taken, invalid, broken = Receipt(id=fine.id), Receipt(amount=wrong), Receipt(id="a/b")
    elsewhere = Receipt.objects.using(collection="elsewhere").bulk_create([])
    report = Receipt.objects.bulk_save([stale, deleted, fine, taken, invalid, broken])
    assert [outcome.status for outcome in report] == [
        "conflict", "conflict", "updated", "conflict", "invalid", "invalid",
    ]  # fmt: skip
    assert len(elsewhere) == 0
    error = report.outcomes[0].error
    assert isinstance(error, Conflict)
    assert (error.record, error.base, error.mine, error.theirs) == (
        stale, {"amount": 0, "tags": []}, {"amount": -1, "tags": []}, {"amount": 1000, "tags": []},
    )  # fmt: skip
    gone = report.outcomes[1].error
    assert isinstance(gone, Conflict)
    assert gone.theirs is None
    assert report.outcomes[4].message.endswith("amount: expected an integer, got string 'much'")
    assert stored() == {"r000": 1000, "r002": -1}
    with pytest.raises(BulkError, match=r"^5 of 6 failed \(3 conflict, 2 invalid\)") as caught:
        report.raise_for_failures()
    assert caught.value.report is report


def test_what_cannot_be_sent_is_found_before_the_first_request_of_its_batch(sent: RecordingTransport) -> None:
    wrong: Any = None
    report = Receipt.objects.bulk_create([*receipts(3), Receipt(amount=wrong)])
    assert (len(report.created), len(report.invalid), sizes(sent)) == (3, 1, [3])


def test_deletions_that_fail_say_why(payments: Client) -> None:
    Receipt.objects.bulk_create(receipts(4))
    stale, gone, fine, twice = Receipt.objects.all()
    steal(stale.id)
    Receipt.objects.get(id=gone.id).delete()
    report = Receipt.objects.bulk_delete([stale, gone, fine, twice, twice, Receipt(id="new")])
    assert [outcome.status for outcome in report] == [
        "conflict", "missing", "deleted", "deleted", "failed", "failed",
    ]  # fmt: skip
    assert "it is not stored" in report.outcomes[5].message
    assert Receipt.objects.bulk_delete([gone], missing_ok=True).outcomes[0].status == "unchanged"
    assert Receipt.objects.bulk_delete([stale], force=True).outcomes[0].status == "deleted"
    assert stored() == {}


def test_a_record_that_comes_twice_is_planned_again_after_the_first_time(sent: RecordingTransport) -> None:
    one = Receipt(id="r1", amount=1)
    report = Receipt.objects.bulk_save([one, Receipt(id="r2"), one], workers=3)
    assert [outcome.status for outcome in report] == ["created", "created", "unchanged"]
    assert sizes(sent) == [2]
    same_id = Receipt.objects.bulk_create([Receipt(id="r3", amount=1), Receipt(id="r3", amount=1)])
    assert [outcome.status for outcome in same_id] == ["created", "conflict"]


def test_conflicts_can_be_resolved_as_by_save(payments: Client) -> None:
    Receipt.objects.bulk_create(receipts(4))
    several = list(Receipt.objects.all())
    for one in several[:3]:
        steal(one.id)
    Receipt.objects.get(id=several[3].id).delete()
    for one in several:
        one.tags.append("mine")
    merged = Receipt.objects.bulk_save(several[:2], on_conflict="merge")
    dropped = Receipt.objects.bulk_save(several[2:3], on_conflict="theirs")
    revived = Receipt.objects.bulk_save(several[3:], on_conflict="mine")
    assert [outcome.status for outcome in (*merged, *dropped, *revived)] == [
        "updated", "updated", "unchanged", "updated",
    ]  # fmt: skip
    assert [(one.amount, one.tags) for one in Receipt.objects.all()] == [
        (1000, ["mine"]), (1001, ["mine"]), (1002, []), (3, ["mine"]),
    ]  # fmt: skip
    with pytest.raises(UsageError, match="on_conflict is"):
        Receipt.objects.bulk_save([], on_conflict="ours")  # type: ignore[arg-type]


def test_what_failed_can_be_tried_again(payments: Client) -> None:
    Receipt.objects.bulk_create(receipts(3))
    several = list(Receipt.objects.all())
    steal(several[1].id)
    for one in several:
        one.amount = 7
    first = Receipt.objects.bulk_save(several)
    again = first.retry_failed()
    assert [outcome.status for outcome in again] == ["updated", "conflict", "updated"]
    several[1].refresh()
    several[1].amount = 7
    second = again.retry_failed()
    assert [outcome.status for outcome in second] == ["updated", "updated", "updated"]
    assert second.outcomes[1].object is several[1]
    assert second.retry_failed() is second
    with pytest.raises(UsageError, match="no work to be repeated"):
        pickle.loads(pickle.dumps(first)).retry_failed()


def test_the_records_of_a_generator_are_forgotten_unless_they_failed(payments: Client) -> None:
    Receipt(id="r001").save()
    report = Receipt.objects.bulk_create(one for one in receipts(3))
    assert [(outcome.status, outcome.id) for outcome in report] == [
        ("created", "r000"), ("conflict", "r001"), ("created", "r002"),
    ]  # fmt: skip
    assert report.conflicts[0].object.id == "r001"
    assert str(report.created[0]) == "[0] created: r000"
    with pytest.raises(UsageError, match=r"^\[0\] created: .*outcome.id"):
        _ = report.created[0].object
    assert len(report.retry_failed().conflicts) == 1


def test_a_generator_is_read_as_it_is_wanted(sent: RecordingTransport) -> None:
    read: list[tuple[int, int]] = []

    def produce() -> Iterator[Receipt]:
        for at, one in enumerate(receipts(60)):
            read.append((at, len(sent)))
            yield one

    Receipt.objects.bulk_create(produce())
    assert read[24] == (24, 0)
    assert read[25] == (25, 1)
    assert read[59] == (59, 2)


@pytest.mark.parametrize("workers", [1, 3])
def test_what_was_done_before_a_generator_broke_is_told(payments: Client, workers: int) -> None:
    def produce() -> Iterator[Receipt]:
        yield from receipts(30)
        raise LookupError("no more rows")

    with pytest.raises(BulkError, match=r"^broken off by LookupError: no more rows; ") as caught:
        Receipt.objects.bulk_create(produce(), workers=workers)
    report = caught.value.report
    assert isinstance(caught.value.__cause__, LookupError)
    assert (len(report.created), len(report.failed), len(stored())) == (25, 5, 25)
    assert report.failed[0].message == "not sent: the work broke off before its turn"
    assert len(report.retry_failed().created) == 30


def test_without_anything_done_the_error_itself_is_raised(payments: Client) -> None:
    wrong: Any = {"amount": 1}
    with pytest.raises(UsageError, match=r"expected records of Receipt, got \{'amount': 1\} at 0"):
        Receipt.objects.bulk_create([wrong])
    with pytest.raises(BulkError, match="expected records of Receipt, got Note"):
        Receipt.objects.bulk_create([Receipt(), Note()])  # type: ignore[list-item]
    assert stored() == {}


@pytest.mark.parametrize("several", ["abc", {"a": 1}, 3, None])
def test_what_is_not_several_records_is_refused(payments: Client, several: Any) -> None:
    with pytest.raises(UsageError, match="bulk work takes several records"):
        Receipt.objects.bulk_save(several)


@pytest.mark.parametrize("workers", [0, -1, 1.5, None])
def test_workers_are_a_positive_number(payments: Client, workers: Any) -> None:
    with pytest.raises(UsageError, match="workers is a positive number"):
        Receipt.objects.bulk_save([], workers=workers)


def test_records_of_other_places_are_refused_and_new_ones_come_here(payments: Client) -> None:
    payments.bucket("payments").create_collection("other")
    here, there = Receipt.objects, Receipt.objects.using(collection="other")
    moved = Receipt(id="r1")
    assert len(there.bulk_create([moved]).created) == 1
    moved.amount = 5
    report = here.bulk_save([moved])
    assert "payments/other/r1 on" in report.failed[0].message
    assert "is not in payments/receipts" in report.failed[0].message
    assert len(here.bulk_delete([moved]).failed) == 1
    assert "bulk_save() saves it" in there.bulk_create([moved]).failed[0].message
    assert len(there.bulk_save([moved]).updated) == 1
    assert len(there.bulk_save([Receipt(id="r2")]).created) == 1
    assert (stored(), there.count()) == ({}, 2)


@pytest.mark.parametrize("workers", [1, 4])
def test_workers_have_that_many_batches_under_way_and_the_order_stays(payments: Client, workers: int) -> None:
    several = receipts(130)
    done: list[tuple[int, int | None]] = []
    report = Receipt.objects.bulk_create(several, workers=workers, progress=lambda *now: done.append(now))
    assert [outcome.object for outcome in report.created] == several
    assert done == [(25, 130), (50, 130), (75, 130), (100, 130), (125, 130), (130, 130)]
    for one in several:
        one.amount += 1
    report = Receipt.objects.bulk_save((one for one in several), workers=workers)
    assert len(report.updated) == 130
    assert stored() == {one.id: one.amount for one in several}


def test_progress_is_told_where_nothing_is_sent_and_the_total_only_if_it_is_known(payments: Client) -> None:
    several = receipts(25)
    Receipt.objects.bulk_create(several)
    done: list[tuple[int, int | None]] = []
    Receipt.objects.bulk_save((one for one in several * 9), progress=lambda *now: done.append(now))
    assert done == [(100, None), (200, None), (225, None)]

    def cancel(done: int, total: int | None) -> None:
        raise TimeoutError("enough")

    with pytest.raises(BulkError, match="broken off by TimeoutError: enough") as caught:
        Receipt.objects.bulk_save(several, progress=cancel)
    assert len(caught.value.report.unchanged) == 25


def test_a_bar_shows_the_progress(payments: Client, capsys: pytest.CaptureFixture[str]) -> None:
    Receipt.objects.bulk_create(receipts(30), progress=True)
    assert "30/30" in capsys.readouterr().err
    with pytest.raises(UsageError, match="progress is a function"):
        Receipt.objects.bulk_create([], progress="bar")  # type: ignore[arg-type]


def test_a_bar_needs_the_extra(payments: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(UsageError, match=r'progress=True needs tqdm: pip install "kintomodel\[cli\]"'):
        Receipt.objects.bulk_create(receipts(1), progress=True)
    assert stored() == {}


def test_a_missing_collection_is_an_outcome_of_each(payments: Client) -> None:
    report = Note.objects.bulk_create([Note(), Note()])
    assert (len(report.missing), report.missing[0].message.endswith("create it first")) == (2, True)


def test_permissions_and_undeclared_attributes_are_saved_as_well(payments: Client) -> None:
    several = [Receipt(id=f"r{at}", permissions={"read": ["account:bob"]}) for at in range(2)]
    for one in several:
        one.extra["note"] = "x"
    Receipt.objects.bulk_create(several)
    data = payments.connection.perform(operations.read("/buckets/payments/collections/receipts/records/r1"))
    assert (data.data["note"], data.permissions and data.permissions["read"]) == ("x", ("account:bob",))
    several[0].extra.clear()
    several[0].permissions.read += "account:eve"
    assert len(Receipt.objects.bulk_save(several).updated) == 1
    found = Receipt.objects.get(id="r0")
    assert (found.extra, set(found.permissions.read)) == ({}, {"account:bob", "account:eve"})


def test_a_save_after_an_error_of_validation_needs_no_refresh(payments: Client) -> None:
    wrong: Any = "much"
    one = Receipt(id="r1", amount=wrong)
    report = Receipt.objects.bulk_save([one])
    assert isinstance(report.invalid[0].error, ValidationError)
    one.amount = 1
    assert [outcome.status for outcome in report.retry_failed()] == ["created"]


def test_a_function_that_breaks_while_it_decides_leaves_a_true_report(payments: Client) -> None:
    Receipt.objects.bulk_create(receipts(3))
    several = list(Receipt.objects.all())
    steal(several[0].id)
    for one in several:
        one.amount = 7

    def decide(conflict: Conflict) -> dict[str, Any]:
        raise ZeroDivisionError("no")

    with pytest.raises(BulkError, match="broken off by ZeroDivisionError") as caught:
        Receipt.objects.bulk_save(several, on_conflict=decide)
    statuses = [outcome.status for outcome in caught.value.report]
    assert statuses == ["failed", "updated", "updated"]
    assert stored() == {"r000": 1000, "r001": 7, "r002": 7}


@pytest.mark.parametrize("workers", [1, 2])
def test_what_the_transport_breaks_with_is_told_too(payments: Client, workers: int) -> None:
    """Such as no memory, of which nothing is known."""

    class Broken:
        def send(self, operation: Any) -> Any:
            if operation.path == "/batch":
                raise MemoryError("full")
            return payments.connection.transport.send(operation)

        def close(self) -> None:
            pass

    broken = Client(payments.url, transport=Broken())
    with pytest.raises(BulkError, match="broken off by MemoryError: full") as caught:
        Receipt.objects.using(broken).bulk_create(receipts(60), workers=workers)
    report = caught.value.report
    assert len(report.failed) == 25 * workers
    assert report.failed[0].message.startswith("it is not known what became of it")


@pytest.mark.parametrize("count", [200, pytest.param(1000, marks=pytest.mark.slow)])
def test_many_records_that_did_not_change_leave_the_collection_as_it_is(payments: Client, count: int) -> None:
    Receipt.objects.bulk_create(receipts(count))
    listing = operations.list_page("/buckets/payments/collections/receipts/records", {"_limit": "1"})
    before = payments.connection.perform(listing).last_modified
    several = list(Receipt.objects.all())
    with record(payments) as sent:
        report = Receipt.objects.bulk_save(several)
    assert (len(report.unchanged), len(sent)) == (count, 0)
    assert payments.connection.perform(listing).last_modified == before


class TakingBack:
    """In front of a server: some writes meet others, as on PostgreSQL, where what came before is taken back.

    meets: from the id of a record to whether its write does so this time.
    """

    def __init__(self, inner: Transport, meets: Callable[[str], bool]) -> None:
        self.inner, self.meets = inner, meets
        self.sizes: list[int] = []

    def send(self, operation: Any) -> Any:
        if operation.path != "/batch":
            return self.inner.send(operation)
        requests = operation.body["requests"]
        self.sizes.append(len(requests))
        ids = [request["path"].rpartition("/")[2] for request in requests]
        kept = max((at + 1 for at, id in enumerate(ids) if self.meets(id)), default=0)
        answers = [{"status": 201, "body": {"data": {"id": id, "last_modified": 1}}} for id in ids[:kept]]
        if kept:
            answers[-1] = {"status": 409, "body": {"code": 409, "errno": 122, "error": "Conflict"}}
        rest = self.inner.send(attrs.evolve(operation, body={"requests": requests[kept:]}))
        if rest.status == 200:
            rest = Response(rest.status, rest.headers, {"responses": [*answers, *rest.body["responses"]]})
        return rest

    def close(self) -> None:
        self.inner.close()


def taking_back(payments: Client, meets: Callable[[str], bool]) -> tuple[TakingBack, Any]:
    transport = TakingBack(HTTPTransport(payments.url, ("tester", "secret")), meets)  # which does not wait
    return transport, Receipt.objects.using(Client(payments.url, transport=transport))


@pytest.mark.parametrize("workers", [1, 4])
def test_what_meets_others_is_written_in_the_end_and_once(payments: Client, workers: int) -> None:
    chance, lock = random.Random(workers), threading.Lock()
    met: Counter[str] = Counter()

    def meets(id: str) -> bool:
        with lock:
            # Seldom enough to be written at last, whichever worker is first.
            does = met[id] < 2 and chance.random() < 0.15
            met[id] += does
            return does

    transport, manager = taking_back(payments, meets)
    several = receipts(150)
    report = manager.bulk_create(several, workers=workers)
    assert (len(report.created), len(transport.sizes) > 6) == (150, True)
    for one in several:
        one.amount += 1000
    met.clear()
    assert len(manager.bulk_save(several, workers=workers).updated) == 150
    assert stored() == {one.id: one.amount for one in several}
    assert {one.id: one.last_modified for one in several} == {
        one.id: one.last_modified for one in Receipt.objects.all()
    }
    met.clear()
    assert len(manager.bulk_delete(several, workers=workers).deleted) == 150
    assert stored() == {}


def test_one_that_always_meets_others_holds_up_nobody_and_can_be_retried(payments: Client) -> None:
    busy = {"r024", "r030"}
    transport, manager = taking_back(payments, busy.__contains__)
    report = manager.bulk_create(receipts(50), workers=4)
    assert (len(report.created), [one.id for one in report.conflicts]) == (48, ["r024", "r030"])
    assert stored() == {f"r{at:03}": at for at in range(50) if f"r{at:03}" not in busy}
    assert transport.sizes.count(1) >= 2
    busy.clear()
    again = report.retry_failed()
    assert (len(again.created), len(stored())) == (50, 50)


@pytest.mark.parametrize("workers", [1, 3])
def test_after_an_interrupt_the_records_know_their_own_writes(payments: Client, workers: int) -> None:
    class Interrupted:
        """Ctrl-C while the answer to a batch is waited for."""

        def send(self, operation: Any) -> Any:
            answer = payments.connection.transport.send(operation)
            if operation.path == "/batch":
                raise KeyboardInterrupt
            return answer

        def close(self) -> None:
            pass

    several = receipts(60)
    interrupted = Client(payments.url, transport=Interrupted())
    with pytest.raises(KeyboardInterrupt):
        Receipt.objects.using(interrupted).bulk_create(several, workers=workers)
    assert 0 < len(stored()) <= 60  # several batches at once may meet
    for one in several:
        one.amount += 1000
        one._state.home = None
    report = Receipt.objects.bulk_save(several)
    assert (len(report), report.failures) == (60, ())
    assert stored() == {one.id: one.amount for one in several}


def test_what_was_created_without_an_answer_is_created_when_it_is_tried_again(payments: Client) -> None:
    class Cut:
        """The first batch gets through, and nothing is heard of it, nor of what is asked then."""

        is_cut = True

        def send(self, operation: Any) -> Any:
            answer = payments.connection.transport.send(operation)
            if self.is_cut and operation.path != "/":
                raise ConnectionFailed("cut")
            return answer

        def close(self) -> None:
            pass

    transport = Cut()
    report = Receipt.objects.using(Client(payments.url, transport=transport)).bulk_create(receipts(3))
    assert (len(report.failed), len(stored())) == (3, 3)
    transport.is_cut = False
    assert len(report.retry_failed().created) == 3


@pytest.mark.parametrize("workers", [1, 2])
def test_a_transport_sees_the_context_variables_of_who_asked(payments: Client, workers: int) -> None:
    tenant: ContextVar[str] = ContextVar("tenant", default="nobody")
    seen: list[str] = []

    class Traced:
        def send(self, operation: Any) -> Any:
            seen.append(tenant.get())
            return payments.connection.transport.send(operation)

        def close(self) -> None:
            pass

    tenant.set("seven")
    traced = Client(payments.url, transport=Traced())
    Receipt.objects.using(traced).bulk_create(receipts(60), workers=workers).raise_for_failures()
    assert len(seen) >= 4
    assert set(seen) == {"seven"}


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Also where the tests were started in the background of a shell, which ignores interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_after_an_interrupt_nothing_is_written_any_more(payments: Client) -> None:
    ended = threading.Event()

    class Slow:
        def send(self, operation: Any) -> Any:
            if operation.path != "/batch":
                return payments.connection.transport.send(operation)
            threading.Event().wait(0.1)  # until it is waited for
            _thread.interrupt_main()
            threading.Event().wait(0.3)  # the time in which who does not wait would be gone
            try:
                return payments.connection.transport.send(operation)
            finally:
                ended.set()

        def close(self) -> None:
            pass

    with pytest.raises(KeyboardInterrupt):
        Receipt.objects.using(Client(payments.url, transport=Slow())).bulk_create(receipts(3), workers=2)
    assert ended.is_set()
    assert len(stored()) == 3


def test_a_server_without_batches_gets_one_request_for_each() -> None:
    with KintoServer(settings={"batch_max_requests": 1}) as server, server.client() as client:
        client.create_bucket("payments").create_collection("receipts")
        objects = Receipt.objects.using(client)
        with record(client) as sent:
            report = objects.bulk_create(receipts(3))
        assert (len(report.created), {one.path == "/batch" for one in sent.writes}) == (3, {False})
        with pytest.raises(UsageError, match="verify=True needs batches of 4 requests"):
            objects.bulk_create([Receipt()], verify=True)
        assert objects.count() == 3


def test_a_server_that_takes_smaller_batches_than_before_gets_smaller_ones() -> None:
    with KintoServer() as before, KintoServer(settings={"batch_max_requests": 10}) as now:
        with before.client() as client, now.client() as other:
            other.create_bucket("payments").create_collection("receipts")
            assert client.connection.batch_size() == 25
            client.connection.transport = other.connection.transport
            with record(client) as sent:
                report = Receipt.objects.using(client).bulk_create(receipts(30))
            assert len(report.created) == Receipt.objects.using(other).count() == 30
        assert (sizes(sent)[0], sizes(sent)[-1], max(sizes(sent)[1:])) == (25, 5, 13)


def test_a_validator_that_fails_in_a_later_batch_stops_none_of_the_others(payments: Client) -> None:
    several = receipts(80)
    wrong: Any = "much"
    several[60].amount = wrong
    report = Receipt.objects.bulk_create(one for one in several)
    assert (len(report.created), [one.position for one in report.invalid]) == (79, [60])
    assert len(stored()) == 79
