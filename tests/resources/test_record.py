"""Records: what is theirs alone."""

from kintomodel.resources.client import Client
from kintomodel.resources.collection import Collection
from kintomodel.testing.transports import record as recorded


def test_permissions_given_by_name_are_sent_at_once_and_the_others_left(
    client: Client, collection: Collection
):
    record = collection.create_record(permissions={"read": "account:bob"})
    with recorded(client) as sent:
        record.update_record_permissions(write="account:zoe")
    assert [operation.body for operation in sent] == [{"permissions": {"write": ["account:zoe"]}}]
    assert set(record.permissions.read) == {"account:bob"}


def test_its_history_tells_who_did_what(collection: Collection):
    record = collection.create_record({"a": 1})
    collection.create_record({"a": 7})
    record.data["a"] = 2
    record.save()
    record.delete()
    entries = list(record.history())
    assert [entry.action for entry in entries] == ["delete", "update", "create"]
    assert [entry.data.get("a") for entry in entries] == [None, 2, 1]
    assert {entry.user_id for entry in entries} == {"account:tester"}
    assert [entry.data["a"] for entry in record.history(action="create")] == [1]
    assert list(record.history(user_id="account:nobody")) == []
