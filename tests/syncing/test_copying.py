"""copy_to(): the same records in another place."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest

from kintomodel import BulkError, Client, ConnectionFailed, Manager, Model, QuerySet, UsageError, field
from kintomodel.protocol import operations
from kintomodel.protocol.objects import Response
from kintomodel.protocol.operations import Operation
from kintomodel.testing import KintoServer, record

from ..memory import peak


class Note(Model, bucket="payments", collection="receipts"):
    text: str = ""


def put(client: Client, bucket: str, id: str, **data: Any) -> None:
    path = f"/buckets/{bucket}/collections/receipts/records/{id}"
    client.connection.perform(operations.replace(path, data))


def stored(client: Client, bucket: str) -> dict[str, Any]:
    endpoint = f"/buckets/{bucket}/collections/receipts/records"
    listed = client.connection.perform(operations.list_page(endpoint)).objects
    own = ("id", "last_modified")
    return {one["id"]: {key: one[key] for key in one if key not in own} for one in listed}


@pytest.fixture
def two(payments: Client) -> Client:
    payments.create_bucket("copies").create_collection("receipts")
    put(payments, "payments", "a", text="x", seen=1, attachment={"hash": "h"})
    put(payments, "payments", "b", text="y")
    put(payments, "copies", "b", text="old", local=1)
    put(payments, "copies", "c", text="z")
    return payments


@pytest.mark.parametrize("kind", ["name", "bucket"])
def test_to_another_bucket(two: Client, kind: str) -> None:
    report = Note.objects.copy_to("copies" if kind == "name" else two.bucket("copies"))
    assert [(one.status, one.object.id) for one in report] == [("created", "a"), ("updated", "b")]
    assert stored(two, "copies") == {
        "a": {"text": "x", "seen": 1},
        "b": {"text": "y", "local": 1},
        "c": {"text": "z"},
    }
    with record(two) as sent:
        assert len(Note.objects.copy_to("copies")) == 0
    assert not sent.writes


class Slip(Model, bucket="payments", collection="receipts"):
    text: str | None = field(default=None, omit_none=True)


def test_a_key_that_the_source_took_out_is_taken_out_of_the_copy(two: Client) -> None:
    assert len(Slip.objects.copy_to("copies")) == 2
    slip = Slip.objects.get(id="b")
    slip.text = None
    slip.save()
    assert len(Slip.objects.copy_to("copies").updated) == 1
    assert stored(two, "copies")["b"] == {"local": 1}
    assert len(Slip.objects.copy_to("copies")) == 0


def test_to_another_server(two: Client, kinto_client: Client) -> None:
    kinto_client.create_bucket("payments").create_collection("receipts")
    with record(two) as sent:
        report = Note.objects.copy_to(kinto_client)
    assert not sent.writes
    assert len(report.created) == 2
    assert stored(kinto_client, "payments") == {"a": {"text": "x", "seen": 1}, "b": {"text": "y"}}


def test_from_a_dry_run_to_a_client_that_is_in_none_is_refused(two: Client, kinto_client: Client) -> None:
    kinto_client.create_bucket("payments").create_collection("receipts")
    with two.dry_run() as kept:
        for target in (kinto_client, kinto_client.bucket("payments")):
            with pytest.raises(UsageError, match=r"for real, .* begin one of that"):
                Note.objects.copy_to(target)
        sharing = Client(two.url, transport=two.connection.transport)
        assert len(Note.objects.copy_to(sharing.bucket("copies"))) == 2
        with kinto_client.dry_run() as kept_there:
            assert len(Note.objects.copy_to(kinto_client).created) == 2
    assert (len(kept), len(kept_there), stored(kinto_client, "payments")) == (2, 2, {})
    assert set(stored(two, "copies")) == {"b", "c"}
    with pytest.raises(UsageError, match="for real"), two.dry_run():
        Note.objects.copy_to(sharing.bucket("copies"))


def test_to_something_else_is_refused(two: Client) -> None:
    with pytest.raises(UsageError, match=r"copy_to\(\) takes a client, a bucket or the name of one, got 5"):
        Note.objects.copy_to(5)  # type: ignore[arg-type]


class Backwards(Manager[Any]):
    """Of records in another order than that of their ids."""

    def all(self) -> QuerySet[Any]:
        return super().all().order_by("-text").reverse()


class OtherNote(Model, bucket="payments", collection="receipts"):
    text: str = ""
    objects = Backwards()


def test_the_order_of_a_manager_does_not_count(two: Client) -> None:
    assert len(OtherNote.objects.copy_to("copies").created) == 1
    assert len(OtherNote.objects.copy_to("copies")) == 0


class Token(Model, bucket="payments", collection="receipts"):
    token: UUID = field(factory=uuid4)
    text: str = field(default="", validator=attrs.validators.max_len(3))


def test_a_copy_lacks_what_the_source_lacks_and_nothing_is_made_up(payments: Client) -> None:
    payments.create_bucket("copies").create_collection("receipts")
    put(payments, "payments", "a", other=1)
    put(payments, "payments", "b", text="too long, but there")
    put(payments, "copies", "a", text="stale")
    assert len(Token.objects.copy_to("copies")) == 2
    assert stored(payments, "copies") == stored(payments, "payments")
    assert len(Token.objects.copy_to("copies")) == 0


def test_both_sides_are_read_along_with_each_other(payments: Client) -> None:
    """Whichever of them has more, in whatever order their ids meet."""
    payments.create_bucket("copies").create_collection("receipts")
    for number in range(0, 30, 2):
        put(payments, "payments", f"r{number:02}", text="new")
    for number in range(0, 30, 3):
        put(payments, "copies", f"r{number:02}", text="new" if number % 4 else "old")
    with record(payments) as sent:
        report = Note.objects.copy_to("copies")
    assert {one.id for one in report.created} == {f"r{n:02}" for n in range(0, 30, 2) if n % 3}
    assert {one.id for one in report.updated} == {"r00", "r12", "r24"}
    assert [one.position for one in report] == list(range(len(report)))
    assert [one.object.data for one in report] == [{}] * len(report)
    assert len([one for one in sent if one.path.endswith("/records")]) == 2
    assert all(stored(payments, "copies")[f"r{n:02}"] == {"text": "new"} for n in range(0, 30, 2))


def test_a_copy_of_many_records_takes_little_memory() -> None:
    text = "x" * 4000
    # Without the history, whose memory back end takes longer for each entry the more there are.
    settings = {"includes": "kinto.plugins.accounts", "paginate_by": 50}
    with KintoServer(settings=settings) as server, server.client() as client, client.activate():
        client.create_bucket("copies").create_collection("receipts")
        client.create_bucket("payments").create_collection("receipts")
        Note.objects.bulk_create(Note(text=text) for _ in range(1200)).raise_for_failures()
        assert peak(lambda: Note.objects.copy_to("copies").raise_for_failures()) < 1200 * len(text) / 2
        assert len(Note.objects.copy_to("copies")) == 0


class Unplugged:
    """A transport that is cut at a request that the test chooses."""

    def __init__(self, client: Client, is_last: Any) -> None:
        self.inner = client.connection.transport
        self.is_last = is_last
        self.is_cut = False
        client.connection.transport = self

    def send(self, operation: Operation[Any]) -> Response:
        self.is_cut = self.is_cut or self.is_last(operation)
        if self.is_cut:
            raise ConnectionFailed("cut")
        return self.inner.send(operation)

    def close(self) -> None:
        self.inner.close()


def many(client: Client, count: int) -> None:
    client.create_bucket("copies").create_collection("receipts")
    Note.objects.bulk_create(Note(id=f"r{n:03}", text="x") for n in range(count)).raise_for_failures()


@pytest.mark.parametrize("batches", [0, 1])
def test_a_copy_that_breaks_off_reports_what_was_done(payments: Client, batches: int) -> None:
    many(payments, 60)
    several = iter(range(batches))
    cut = Unplugged(payments, lambda operation: operation.path == "/batch" and next(several, None) is None)
    with pytest.raises(
        BulkError, match=r"copy_to\(\) broke off after .* changes: .*cut.*copy again"
    ) as caught:
        Note.objects.copy_to("copies")
    report = caught.value.report
    assert (len(report.created), len(report.failed)) == (25 * batches, 25)
    payments.connection.transport = cut.inner
    assert len(Note.objects.copy_to("copies").created) == 60 - 25 * batches


class Fragile(Model, bucket="payments", collection="receipts"):
    text: str = ""

    def after_load(self) -> None:
        if self.id == "r030":
            raise LookupError("enough")


def test_a_copy_that_a_hook_breaks_off_reports_what_was_done(payments: Client) -> None:
    many(payments, 60)
    with pytest.raises(BulkError, match=r"broke off after 25 changes: LookupError: enough; .*") as caught:
        Fragile.objects.copy_to("copies")
    assert len(caught.value.report.created) == len(stored(payments, "copies")) == 25
    assert isinstance(caught.value.__cause__, LookupError)


def test_a_copy_that_cannot_be_begun_raises_what_is_wrong(payments: Client) -> None:
    many(payments, 3)
    Unplugged(payments, lambda operation: True)
    with pytest.raises(ConnectionFailed):
        Note.objects.copy_to("copies")
