"""save(force=True) of the object client, where a key is taken out."""

from __future__ import annotations

import pytest

from kintomodel import Client, Collection, Conflict, Record
from kintomodel.protocol.objects import Response
from kintomodel.protocol.operations import Operation
from kintomodel.testing import record as recorded
from kintomodel.transport.base import Transport

from ..waiting import waits_of


@pytest.fixture
def record(collection: Collection) -> Record:
    return collection.create_record({"title": "a", "tags": ["x"], "address": {"city": "Paris"}}, id="r1")


def test_force_takes_out_a_key_and_keeps_what_others_wrote(collection: Collection, record: Record):
    record.permissions.update(read=["account:carol", "account:dave"])
    address = record.data["address"]
    other = collection.get_record("r1")
    other.data["theirs"], other.data["title"] = 1, "theirs"
    del other.data["tags"]
    other.permissions.read -= "account:carol"
    other.save()
    del record.data["title"]
    record.data["mine"] = 2
    record.permissions.read += "account:bob"
    assert record.save(force=True) is record
    again = collection.get_record("r1")
    assert record.data == again.data == {"theirs": 1, "mine": 2, "address": {"city": "Paris"}}
    assert record.data["address"] is address
    assert set(record.permissions.read) == set(again.permissions.read) == {"account:dave", "account:bob"}


def test_force_takes_out_what_others_took_out_too(client: Client, collection: Collection, record: Record):
    other = collection.get_record("r1")
    del other.data["title"]
    other.save()
    del record.data["title"]
    with recorded(client) as sent:
        record.save(force=True)
    assert [one.method for one in sent] == ["PUT", "GET"]
    assert (record.data, record.last_modified) == (other.data, other.last_modified)


def test_force_takes_out_a_key_with_what_else_changed_if_others_did_too(
    collection: Collection, record: Record
):
    other = collection.get_record("r1")
    del other.data["title"]
    other.data["theirs"] = 1
    other.save()
    del record.data["title"]
    record.data["mine"] = 2
    record.save(force=True)
    assert collection.get_record("r1").data == {**other.data, "mine": 2}


def test_force_brings_back_nothing_that_was_deleted(collection: Collection, record: Record):
    collection.delete_record("r1")
    del record.data["title"]
    with pytest.raises(Conflict) as caught:
        record.save(force=True)
    assert caught.value.theirs is None
    assert not record.exists()


def test_force_gives_up_where_others_are_always_faster(
    client: Client, collection: Collection, record: Record
):
    waits = waits_of(client)
    overtaken = Overtaken(client.connection.transport, collection)
    slow = Client(client.url, transport=overtaken).bucket("payments").collection("receipts").get_record("r1")
    del slow.data["title"]
    with pytest.raises(Conflict):
        slow.save(force=True)
    assert (overtaken.times, len(waits)) == (6, 4)
    assert collection.get_record("r1").data["turn"] == 6


class Overtaken:
    """A way to the server on which somebody else is faster with each PUT."""

    def __init__(self, inner: Transport, collection: Collection) -> None:
        self.inner, self.collection, self.times = inner, collection, 0

    def send(self, operation: Operation[object]) -> Response:
        if operation.method == "PUT":
            self.times += 1
            other = self.collection.get_record("r1")
            other.data["turn"] = self.times
            other.save()
        return self.inner.send(operation)

    def close(self) -> None:
        self.inner.close()
