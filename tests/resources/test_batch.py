"""Batches of any objects."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from kintomodel import Model
from kintomodel.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    KintoError,
    NotFound,
    TransportError,
    UsageError,
)
from kintomodel.protocol.objects import Response
from kintomodel.protocol.operations import Operation
from kintomodel.protocol.permissions import Everyone
from kintomodel.resources.bucket import Bucket
from kintomodel.resources.client import Client
from kintomodel.resources.collection import Collection
from kintomodel.testing import KintoServer
from kintomodel.testing.transports import record as recorded
from kintomodel.transport.base import Transport


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: int = 0


def test_all_kinds_go_together_in_order(client: Client):
    bucket = client.bucket("new")
    collection = bucket.collection("c")
    record = collection.record("r", {"a": 1})
    with client.batch() as batch:
        batch.create(bucket, {"title": "New"})
        batch.create(collection, permissions={"record_create": "account:bob"})
        pending = batch.create(record, public=True)
        batch.create(bucket.group("g"), {"members": ["account:a"]})
    assert len(batch) == 4
    assert pending.result() is record
    assert set(record.permissions.read) == {Everyone}
    assert set(bucket.get_group("g").members) == {"account:a"}
    assert set(bucket.get_collection("c").permissions.record_create) == {"account:bob"}
    assert [outcome.status for outcome in batch.report] == ["created"] * 4


def test_a_new_child_has_what_its_bucket_wants_though_the_bucket_was_there(client: Client, bucket: Bucket):
    bucket.update_permissions(record_create=["account:bob"])
    child = client.bucket("payments").collection("c")
    with client.batch() as batch:
        there = batch.create(client.bucket("payments"))
        created = batch.create(child)
    assert isinstance(there.error, Conflict)
    assert set(created.result().permissions.record_create) == {"account:bob"}


@pytest.mark.parametrize("is_refused", [False, True])
def test_a_new_child_has_what_its_bucket_wants_once_that_is_written(
    client: Client, bucket: Bucket, is_refused: bool
):
    bucket.data["child_permissions"] = {"record_create": ["account:bob"]}
    if is_refused:
        client.bucket("payments").update_permissions(record_create=["account:zoe"])
    with recorded(client) as sent, client.batch() as batch:
        saved = batch.save(bucket)
        created = batch.create(bucket.collection("c"))
        batch.create(bucket.group("g"))
    assert isinstance(saved.error, Conflict) is is_refused
    assert set(created.result().permissions.record_create) == {"account:zoe" if is_refused else "account:bob"}
    assert [one.method for one in sent if one.path != "/"] == ["PATCH", *["GET"] * is_refused, "POST"]


def test_each_has_its_own_result_or_error(client: Client, collection: Collection):
    there = collection.create_record({"a": 1}, id="there")
    same = collection.create_record({"a": 1}, id="same")
    stale = collection.get_record("there")
    stale.data["a"] = 2
    collection.update_record_permissions("there", read=["account:x"])
    with client.batch() as batch:
        taken = batch.create(collection.record("there", {"a": 3}))
        saved = batch.save(stale)
        unchanged = batch.save(same)
        read = batch.refresh(there)
        gone = batch.delete(collection.record("nope"))
        deleted = batch.delete(collection.record("same"))
    for pending, error in ((taken, Conflict), (saved, Conflict), (gone, NotFound)):
        with pytest.raises(error):
            pending.result()
        assert isinstance(pending.error, error)
    assert unchanged.result() is same
    assert set(read.result().permissions.read) == {"account:x"}
    assert deleted.error is None
    assert isinstance(saved.error, Conflict)
    assert (saved.error.base, saved.error.mine, saved.error.theirs) == ({"a": 1}, {"a": 2}, {"a": 1})
    assert [pending.object for pending in batch if pending.error is None] == [same, there, deleted.object]
    assert [outcome.status for outcome in batch.report] == [
        "conflict", "conflict", "unchanged", "unchanged", "missing", "deleted",
    ]  # fmt: skip


def test_saving_sends_what_changed_under_guard(client: Client, collection: Collection):
    records = [collection.create_record({"a": 1}) for _ in range(2)]
    for record in records:
        record.data["a"] = 2
    since = [f'"{record.last_modified}"' for record in records]
    with recorded(client) as sent, client.batch() as batch:
        for record in records:
            batch.save(record)
    (operation,) = sent.writes
    assert [one["headers"]["If-Match"] for one in operation.body["requests"]] == since
    assert [one["body"] for one in operation.body["requests"]] == [{"data": {"a": 2}}] * 2
    assert [record.change() for record in records] == [None, None]


def test_it_keeps_to_the_size_that_the_server_takes(client: Client, collection: Collection):
    client.connection.batch_size()
    with recorded(client) as sent, client.batch() as batch:
        for number in range(60):
            batch.create(collection.record(data={"n": number}))
    assert [len(operation.body["requests"]) for operation in sent] == [25, 25, 10]
    assert collection.count_records() == 60


def test_nothing_is_sent_if_the_block_raises(client: Client, collection: Collection):
    queued = []

    def fail() -> None:
        with client.batch() as batch:
            queued.append(batch.create(collection.record(data={})))
            raise ZeroDivisionError

    with recorded(client) as sent, pytest.raises(ZeroDivisionError):
        fail()
    assert sent.operations == []
    assert "not sent: the block" in repr(queued[0])
    with pytest.raises(KintoError, match="not sent"):
        queued[0].result()


def test_a_batch_whose_block_raised_cannot_be_sent_later(client: Client, collection: Collection):
    batch = client.batch()
    batch.create(collection.record(data={}))
    with pytest.raises(ZeroDivisionError), batch:
        raise ZeroDivisionError
    with pytest.raises(UsageError, match="make another"):
        batch.send()
    assert [outcome.status for outcome in batch.report] == ["failed"]


@attrs.define
class Gate:
    """Lets pass what is asked, but for the batches after the first few."""

    inner: Transport
    after: int
    otherwise: Callable[[], Response]
    passed: int = 0

    def send(self, operation: Operation[Any]) -> Response:
        self.passed += operation.path == "/batch"
        if operation.path == "/batch" and self.passed > self.after:
            return self.otherwise()
        return self.inner.send(operation)

    def close(self) -> None:
        raise NotImplementedError


def refusing(client: Client, status: int, after: int = 0) -> Client:
    refusal = Response(status, {}, {"errno": 999, "message": "not now"})
    return Client(client.url, transport=Gate(client.connection.transport, after, lambda: refusal))


@pytest.mark.parametrize("status", [405, 429])
def test_when_the_batch_itself_is_refused_nothing_of_it_counts_as_done(
    client: Client, collection: Collection, status: int
):
    refused = refusing(client, status)
    with refused.batch() as batch:
        theirs = refused.bucket("payments").collection("receipts")
        pending = [batch.create(theirs.record(data={})) for _ in range(2)]
    assert len(batch.report.failed) == 2
    with pytest.raises(BadRequest, match="not now"):
        pending[0].result()
    assert collection.count_records() == 0


def test_deletions_done_before_a_refused_batch_are_reported(client: Client, collection: Collection):
    ids = [collection.create_record().id for _ in range(27)]
    report = refusing(client, 429, after=1).bucket("payments").collection("receipts").delete_records(ids)
    assert (len(report.deleted), len(report.failed)) == (25, 2)
    assert collection.count_records() == 2


def test_after_an_interrupt_what_was_not_sent_says_so(client: Client, collection: Collection):
    def interrupt() -> Response:
        raise KeyboardInterrupt

    mine = Client(client.url, transport=Gate(client.connection.transport, 1, interrupt))
    batch = mine.batch()
    receipts = mine.bucket("payments").collection("receipts")
    pending = [batch.create(receipts.record(data={})) for _ in range(60)]
    with pytest.raises(KeyboardInterrupt):
        batch.send()
    assert (len(batch.report.created), len(batch.report.failed)) == (25, 35)
    with pytest.raises(TransportError, match="not known"):
        pending[25].result()
    with pytest.raises(KintoError, match="not sent, because the batch broke off"):
        pending[50].result()


def test_what_is_edited_before_the_batch_is_sent_is_sent_too(client: Client, collection: Collection):
    old = collection.create_record({"a": 1})
    new = collection.record(data={"a": 1})
    with client.batch() as batch:
        batch.save(old)
        batch.save(new)
        for record in (old, new):
            record.data["a"] = 2
    assert [outcome.status for outcome in batch.report] == ["updated", "created"]
    assert [record.refresh().data for record in (old, new)] == [{"a": 2}] * 2


def test_what_becomes_unfit_before_the_batch_is_sent_is_its_own_failure(
    client: Client, collection: Collection
):
    records = [collection.create_record({"a": 1}) for _ in range(2)]
    with client.batch() as batch:
        for record in records:
            record.data["a"] = 2
            batch.save(record)
        records[0].data["a"] = float("nan")
    assert [outcome.status for outcome in batch.report] == ["invalid", "updated"]


def test_data_that_was_given_is_taken_as_it_was(client: Client, collection: Collection):
    data = {"n": 0}
    with client.batch() as batch:
        for number in range(2):
            data["n"] = number
            batch.create(collection.record(str(number)), data, {"read": (one for one in ["account:b"])})
    assert [record.data["n"] for record in collection.get_all_records()] == [0, 1]
    assert set(collection.get_record("1").permissions.read) == {"account:b"}


def test_results_are_there_after_the_block(client: Client, collection: Collection):
    with client.batch() as batch:
        pending = batch.create(collection.record("r", {}))
        with pytest.raises(UsageError, match="after that"):
            pending.result()
        with pytest.raises(UsageError, match="not sent yet"):
            _ = batch.report
    assert repr(pending) == "<Pending <Record payments/receipts/r>: done>"


def test_a_batch_is_sent_once(client: Client, collection: Collection):
    with client.batch() as batch:
        batch.create(collection.record("r", {}))
    with pytest.raises(UsageError, match="make another"):
        batch.send()
    with pytest.raises(UsageError, match="make another"):
        batch.refresh(collection)


def test_an_object_has_one_turn(client: Client, collection: Collection):
    with client.batch() as batch:
        batch.refresh(collection)
        with pytest.raises(UsageError, match="in this batch already"):
            batch.delete(collection)
    assert len(batch) == 1


def test_an_object_of_another_client_is_refused(client: Client, bob: Client, bucket: Bucket):
    with client.batch() as batch, pytest.raises(UsageError, match="of another client"):
        batch.refresh(bob.bucket("payments"))


@pytest.mark.parametrize("add", ["create", "save", "delete", "refresh"])
def test_a_record_of_a_model_is_refused(client: Client, add: str):
    wanted = r"got Receipt\(.*; records of models: objects\.bulk_save\(\)"
    with recorded(client) as sent, client.batch() as batch, pytest.raises(UsageError, match=wanted):
        getattr(batch, add)(Receipt())
    assert len(sent) == 0


def test_an_empty_one_sends_nothing(client: Client):
    with recorded(client) as sent, client.batch() as batch:
        pass
    assert sent.operations == []
    assert len(batch.report) == 0


def test_what_may_not_be_done_is_refused_alone(
    server: KintoServer, client: Client, bob: Client, collection: Collection
):
    theirs = bob.bucket("payments").collection("receipts")
    own = bob.create_bucket("own").collection("c")
    with bob.batch() as batch:
        refused = batch.create(theirs.record(data={}))
        done = batch.create(own)
    assert isinstance(refused.error, Forbidden)
    assert done.result() is own
