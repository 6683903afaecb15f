"""Buckets: opened, created, listed, and their history."""

from datetime import datetime, timedelta, timezone

import pytest

from kintomodel.errors import Conflict, Forbidden, NotFound, Unauthorized, UsageError
from kintomodel.resources.bucket import Bucket
from kintomodel.resources.client import Client
from kintomodel.resources.collection import Collection
from kintomodel.testing import KintoServer
from kintomodel.testing.transports import record as recorded


class TestOpening:
    def test_a_missing_one_is_told_apart_from_a_hidden_one(self, server: KintoServer, bob: Client):
        bob.create_bucket("hidden")
        with pytest.raises(NotFound, match="no such bucket"):
            Bucket("nope", server.url, server.auth)
        with pytest.raises(Forbidden, match="or its bucket does not exist"):
            Bucket("hidden", server.url, server.auth)
        assert not bob.bucket("nope").exists()

    def test_asking_for_a_missing_one_does_not_create_it(self, client: Client):
        assert not client.bucket("nope").exists()
        assert list(client.buckets()) == []

    def test_opening_costs_one_get(self, client: Client, bucket: Bucket):
        with recorded(client) as sent:
            client.bucket("payments").refresh()
        assert [str(operation) for operation in sent] == ["GET /buckets/payments"]

    def test_a_hidden_one_cannot_be_created_either(self, server: KintoServer, client: Client, bob: Client):
        bob.create_bucket("hidden")
        with pytest.raises(Forbidden, match="it exists, but you may not see it"):
            Bucket("hidden", server.url, server.auth, create=True)

    def test_creating_one_that_others_shared_opens_it(self, server: KintoServer, client: Client, bob: Client):
        bob.create_bucket("shared", {"title": "Shared"}, public=True)
        bucket = Bucket("shared", server.url, server.auth, create=True)
        assert bucket.data == {"title": "Shared"}

    def test_without_credentials_it_says_so(self, server: KintoServer, bucket: Bucket):
        with pytest.raises(Unauthorized):
            Bucket("payments", server.url)


class TestDefault:
    def test_it_is_known_by_its_own_name(self, server: KintoServer, client: Client):
        bucket = client.bucket("default")
        assert bucket.name == client.me().bucket
        assert Bucket("default", server.url, server.auth).name == bucket.name

    def test_its_groups_are_written_as_kinto_knows_them(self, client: Client):
        bucket = client.bucket("default")
        record = bucket.create_collection("c").create_record(permissions={"read": "group:friends"})
        assert set(record.permissions.read) == {f"/buckets/{bucket.name}/groups/friends"}


def test_its_attributes_are_saved(client: Client, bucket: Bucket):
    one = client.bucket("payments")
    one.data["title"] = "Payments"
    one.save()
    assert bucket.refresh().data == {"title": "Payments"}


def test_its_collections_are_listed_in_the_order_of_their_names(client: Client, bucket: Bucket):
    for name in ("b", "a"):
        bucket.create_collection(name, {"title": name.upper()})
    with recorded(client) as sent:
        found = [(one.name, one.data) for one in bucket.get_all_collections()]
    assert found == [("a", {"title": "A"}), ("b", {"title": "B"})]
    assert len(sent) == 1


def test_collections_are_deleted_by_name(bucket: Bucket, collection: Collection):
    bucket.delete_collection("receipts")
    with pytest.raises(NotFound):
        bucket.delete_collection("receipts")
    bucket.delete_collection("receipts", missing_ok=True)


def test_a_deleted_one_can_be_created_again(bucket: Bucket, collection: Collection):
    bucket.permissions.record_read += "account:bob"
    bucket.save()
    bucket.delete()
    bucket.permissions.record_create += "account:zoe"
    bucket.save()
    assert bucket.permissions.child_edits == {}
    assert bucket.refresh().data == {
        "child_permissions": {"record_read": ["account:bob"], "record_create": ["account:zoe"]}
    }


class TestHistory:
    def test_it_tells_everything_newest_first(self, bucket: Bucket, collection: Collection):
        record = collection.create_record({"a": 1})
        bucket.create_group("g", "account:a")
        entries = list(bucket.history())
        assert [entry.resource_name for entry in entries] == ["group", "record", "collection", "bucket"]
        assert entries[1].uri == str(record.path)
        assert entries[1].record_id == record.id
        assert entries[1].collection_id == "receipts"
        assert entries[0].group_id == "g"
        assert dict(entries[1].permissions) == {"write": ("account:tester",)}
        assert abs(entries[0].date - datetime.now(timezone.utc)) < timedelta(minutes=5)

    def test_it_can_be_filtered(self, bucket: Bucket, collection: Collection):
        record = collection.create_record({"a": 1})
        record.data["a"] = 2
        record.save()
        all_of_them = list(bucket.history())
        assert [entry.id for entry in bucket.history(resource_name="record", action="update")] == [
            all_of_them[0].id
        ]
        assert len(list(bucket.history(collection_id="receipts"))) == 3
        assert len(list(bucket.history(uri=str(record.path), record_id=record.id))) == 2
        assert list(bucket.history(group_id="nope")) == []
        since = all_of_them[1].last_modified
        assert [entry.id for entry in bucket.history(since=since)] == [all_of_them[0].id]
        assert len(list(bucket.history(before=since))) == 2
        far = datetime(9000, 1, 1, tzinfo=timezone.utc)
        assert len(list(bucket.history(before=far))) == len(list(bucket.history()))
        assert list(bucket.history(since=far)) == []
        tomorrow = datetime.now(timezone.utc) + timedelta(hours=12)
        assert list(bucket.history(since=tomorrow)) == []

    def test_a_time_without_a_zone_is_refused(self, bucket: Bucket):
        with pytest.raises(UsageError, match="time zone"):
            list(bucket.history(since=datetime(2026, 1, 1)))

    def test_it_is_purged(self, bucket: Bucket, collection: Collection):
        collection.create_record()
        assert bucket.purge_history(resource_name="record") == 1
        assert len(list(bucket.history())) == 2
        assert bucket.purge_history(before=1) == 0
        assert bucket.purge_history() == 2
        assert list(bucket.history()) == []

    def test_it_is_purged_from_a_moment_on(self, bucket: Bucket, collection: Collection):
        collection.create_record(id="r")
        newest = next(bucket.history())
        collection.create_record(id="later")
        assert bucket.purge_history(since=newest.last_modified) == 1
        assert next(bucket.history()).record_id == "r"


def test_a_bucket_that_is_there_is_a_conflict(client: Client, bucket: Bucket):
    with pytest.raises(Conflict):
        client.create_bucket("payments")
    assert client.create_bucket("payments", if_not_exists=True).last_modified == bucket.last_modified
