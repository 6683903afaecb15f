"""Every line of the usage that the project was started for."""

import pytest

from kintomodel.errors import NotFound
from kintomodel.protocol.permissions import Everyone
from kintomodel.resources.bucket import Bucket
from kintomodel.resources.client import Client
from kintomodel.resources.collection import Collection
from kintomodel.resources.record import Record
from kintomodel.testing import KintoServer

FRIENDS = "/buckets/payments/groups/friends"


@pytest.fixture
def record(collection: Collection) -> Record:
    return collection.create_record(data={"amount": 3}, id="1234")


def test_a_bucket_is_opened_and_created_if_it_is_not_there(server: KintoServer, client: Client):
    bucket = Bucket(name="payments", server_url=server.url, auth=server.auth, create=True)
    again = Bucket(name="payments", server_url=server.url, auth=server.auth, create=True)
    assert bucket.last_modified == again.last_modified


def test_client_bucket_is_the_same_shorter(client: Client, bucket: Bucket):
    assert client.bucket("payments").refresh().last_modified == bucket.last_modified


def test_bucket_create_collection(bucket: Bucket):
    assert bucket.create_collection(name="receipts").exists()


def test_bucket_get_collection(bucket: Bucket, collection: Collection):
    assert bucket.get_collection(name="receipts").last_modified == collection.last_modified


def test_bucket_delete_collection(bucket: Bucket, collection: Collection):
    bucket.delete_collection(name="receipts")
    assert not collection.exists()


def test_collection_destroy(collection: Collection):
    collection.destroy()
    assert not collection.exists()


def test_collection_create_record_with_data_and_permissions(collection: Collection):
    record = collection.create_record(data={}, permissions={"read": ["group:friends"]}, public=False)
    assert set(record.permissions.read) == {FRIENDS}


def test_collection_create_record_for_the_public(collection: Collection):
    record = collection.create_record(data={}, permissions={"read": ["group:friends"]}, public=True)
    assert set(record.permissions.read) == {FRIENDS, Everyone}


def test_collection_get_record(collection: Collection, record: Record):
    assert collection.get_record("1234").data == {"amount": 3}


def test_collection_get_all_records(collection: Collection, record: Record):
    assert [one.id for one in collection.get_all_records()] == ["1234"]


def test_collection_save_record(collection: Collection, record: Record):
    record.data["amount"] = 4
    collection.save_record(record)
    assert collection.get_record("1234").data == {"amount": 4}


def test_collection_delete_record(collection: Collection, record: Record):
    collection.delete_record(record)
    with pytest.raises(NotFound):
        collection.get_record("1234")


def test_collection_delete_records(collection: Collection, record: Record):
    other = collection.create_record(data={})
    assert len(collection.delete_records([record, other]).deleted) == 2
    assert list(collection.get_all_records()) == []


def test_collection_update_record_permissions(collection: Collection, record: Record):
    collection.update_record_permissions(id="1234", read=["basicauth_kumar"])
    assert set(collection.get_record("1234").permissions.read) == {"basicauth_kumar"}


def test_record_update_record_permissions(collection: Collection, record: Record):
    record.update_record_permissions(read=["basicauth_kumar"])
    assert set(collection.get_record("1234").permissions.read) == {"basicauth_kumar"}


def test_record_permissions_read_plus_a_group(collection: Collection, record: Record):
    record.permissions.read += "group:friends"
    record.save()
    assert set(collection.get_record("1234").permissions.read) == {FRIENDS}


@pytest.mark.parametrize("holder", ["bucket", "collection"])
def test_create_group_on_buckets_and_collections(holder: str, bucket: Bucket, request: pytest.FixtureRequest):
    place: Bucket | Collection = request.getfixturevalue(holder)
    group = place.create_group(
        name="moderators", members=["list", "of"], permissions={"write": ["account:bob"]}
    )
    assert set(bucket.get_group("moderators").members) == {"list", "of"}
    assert "account:bob" in group.permissions.write


@pytest.mark.parametrize("holder", ["bucket", "collection"])
def test_the_members_of_a_group_on_buckets_and_collections(
    holder: str, bucket: Bucket, request: pytest.FixtureRequest
):
    place: Bucket | Collection = request.getfixturevalue(holder)
    place.create_group(name="moderators", members=["list", "of"])
    assert set(place.add_to_group(name="moderators", members=["foo"]).members) == {"list", "of", "foo"}
    assert set(place.remove_from_group(name="moderators", members=["of"]).members) == {"list", "foo"}
    assert set(place.clear_group(name="moderators").members) == set()
    place.delete_group(name="moderators")
    assert list(bucket.get_all_groups()) == []


def test_bucket_permissions_record_create(bucket: Bucket, collection: Collection):
    bucket.permissions.record_create = ["account:bob"]
    bucket.save()
    assert set(collection.refresh().permissions.record_create) == {"account:bob"}


def test_bucket_update_permissions(bucket: Bucket, collection: Collection):
    bucket.update_permissions(record_create=["list"])
    assert set(collection.refresh().permissions.record_create) == {"list"}
