"""Objects that are created, deleted and created again, and those whose bucket is gone."""

from typing import Any

import pytest

from kintomodel.errors import Conflict, Forbidden, NotFound, UsageError
from kintomodel.resources.client import Client
from kintomodel.resources.collection import Collection


def test_an_object_that_was_read_is_created_again_as_it_was(collection: Collection):
    collection.create_record({"a": 1}, {"read": ["account:bob"]}, id="r")
    record = collection.get_record("r")
    collection.delete_record("r")
    assert record.create().data == {"a": 1}
    assert set(collection.get_record("r").permissions.read) == {"account:bob"}


def test_a_deleted_object_comes_back_with_its_readers(collection: Collection):
    record = collection.create_record({"a": 1}, {"read": ["account:bob"]}, id="r")
    record.delete()
    record.save()
    again = collection.get_record("r")
    assert again.data == {"a": 1}
    assert set(again.permissions.read) == {"account:bob"}


def test_given_data_replaces_what_is_known_when_it_is_created(collection: Collection):
    record = collection.create_record({"a": 1}, {"read": ["account:bob"]}, id="r")
    collection.delete_record("r")
    record.create({"b": 2})
    again = collection.get_record("r")
    assert again.data == {"b": 2}
    assert set(again.permissions.read) == set()


def test_permissions_that_were_edited_are_stored_with_a_new_object(collection: Collection):
    record = collection.record("r")
    record.permissions.read = ["account:bob"]
    record.create({"a": 1})
    assert set(collection.get_record("r").permissions.read) == {"account:bob"}


def test_an_object_cannot_be_created_under_the_id_of_another(collection: Collection):
    with pytest.raises(UsageError, match="'other'"):
        collection.record("r").create({"id": "other"})


def test_data_that_is_no_dict_is_refused(collection: Collection):
    wrong: Any = [1]
    with pytest.raises(UsageError, match="is a dict"):
        collection.record("r").create(wrong)


@pytest.fixture
def without_bucket(client: Client, collection: Collection) -> Collection:
    """A collection that was read, and whose bucket is gone."""
    client.bucket("payments").delete()
    return collection


def test_in_a_missing_bucket_nothing_is_there(client: Client, without_bucket: Collection):
    bucket = client.bucket("payments")
    bucket.delete(missing_ok=True)
    bucket.delete_collection("receipts", missing_ok=True)
    bucket.delete_group("g", missing_ok=True)
    assert not without_bucket.exists()
    assert not without_bucket.record("r").exists()
    for one in (bucket, without_bucket):
        with pytest.raises(NotFound):
            one.delete(force=True)
    with pytest.raises(NotFound, match="its collection does not exist"):
        without_bucket.delete_record("r", missing_ok=True)


def test_a_bucket_that_was_deleted_meanwhile_is_a_conflict(client: Client):
    bucket = client.create_bucket("b")
    client.bucket("b").delete()
    bucket.data["a"] = 1
    with pytest.raises(Conflict, match="deleted since") as caught:
        bucket.save()
    assert (caught.value.mine, caught.value.theirs) == ({"a": 1}, None)


def test_what_is_hidden_is_not_said_to_be_missing(client: Client, bob: Client, collection: Collection):
    theirs = bob.bucket("payments").collection("receipts")
    with pytest.raises(Forbidden):
        theirs.exists()
    with pytest.raises(Forbidden):
        theirs.delete(missing_ok=True)
