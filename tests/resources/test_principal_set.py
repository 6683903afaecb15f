"""The sets of principals, as they are edited and shown."""

from kintomodel.resources.client import Client
from kintomodel.resources.collection import Collection
from kintomodel.resources.permissions import RecordPermissions
from kintomodel.testing.transports import record as recorded


def test_no_operator_splits_a_lone_principal_into_letters(collection: Collection):
    record = collection.create_record(permissions={"read": ["account:eve"]})
    record.permissions.read = record.permissions.read | "account:bob"
    record.save()
    assert set(record.permissions.read) == {"account:bob", "account:eve"}
    record.permissions.read &= "account:bob"
    record.permissions.read ^= "group:friends"
    assert set(record.permissions.read) == {"account:bob", "/buckets/payments/groups/friends"}
    assert record.permissions.read - "group:friends" == {"account:bob"}


def test_what_is_no_principal_is_in_none():
    held = RecordPermissions("shop", known={"read": ["account:bob"]}).read
    assert "" not in held
    assert " account:bob" not in held
    assert 3 not in held


def test_showing_a_set_asks_for_nothing(client: Client, bob: Client, collection: Collection):
    collection.update_permissions(read="account:bob")
    collection.create_record(id="r")
    unknown = collection.record("r")
    hidden = bob.bucket("payments").collection("receipts").get_record("r")
    with recorded(client) as sent:
        assert repr(unknown.permissions.read) == "(not loaded)"
        assert repr(client.bucket("payments").permissions.record_read) == "(not loaded)"
    assert repr(hidden.permissions.read) == "(not visible)"
    assert repr(hidden.permissions) == "<RecordPermissions (not visible) {}>"
    assert sent.operations == []
