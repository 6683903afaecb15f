"""Permissions of a bucket that act on everything in it."""

from typing import Any

import pytest

from kintomodel.errors import (
    BulkError,
    Conflict,
    NotFound,
    PermissionsNotVisible,
    UnreadableResponse,
    UsageError,
)
from kintomodel.resources.bucket import Bucket
from kintomodel.resources.bucket_permissions import BucketPermissions
from kintomodel.resources.client import Client
from kintomodel.resources.collection import Collection
from kintomodel.testing.transports import record as recorded
from kintomodel.transport.http import HTTPTransport
from tests.scripted_server import Answer, ScriptedServer


@pytest.fixture
def archive(bucket: Bucket) -> Collection:
    return bucket.create_collection("archive", permissions={"read": ["account:old"]})


def test_they_are_kept_for_children_to_come(bucket: Bucket):
    bucket.permissions.record_create = ["account:bob"]
    bucket.permissions.record_read += "account:zoe"
    bucket.permissions.group_write += "group:admins"
    bucket.save()
    assert bucket.data == {
        "child_permissions": {
            "record_create": ["account:bob"],
            "record_read": ["account:zoe"],
            "group_write": ["/buckets/payments/groups/admins"],
        }
    }
    collection = bucket.create_collection("new", permissions={"read": "account:own"})
    assert set(collection.permissions.record_create) == {"account:bob"}
    assert set(collection.permissions.read) == {"account:zoe", "account:own"}
    for group in (bucket.create_group("g1"), collection.create_group("g2")):
        assert set(group.permissions.write) == {"/buckets/payments/groups/admins", "account:tester"}


@pytest.mark.parametrize("way", ["create", "create in a batch", "save again", "save in a batch"])
def test_a_new_child_gets_them_however_it_is_created(client: Client, bucket: Bucket, way: str):
    bucket.update_permissions(record_read="account:bob", group_write="account:zoe")
    collection, group = bucket.collection("c"), bucket.group("g")
    both: list[Any] = [collection, group]
    with client.batch() as batch:
        for child in both:
            if way == "create":
                child.create(permissions={"read": "account:own"})
            elif way == "create in a batch":
                batch.create(child, permissions={"read": "account:own"})
            else:
                child.create(permissions={"read": "account:own"})
                child.permissions.read.discard("account:bob")
                child.permissions.write.discard("account:zoe")
                child.save().delete()
                child.save() if way == "save again" else batch.save(child)
    batch.report.raise_for_failures()
    assert set(collection.refresh().permissions.read) == {"account:bob", "account:own"}
    assert set(group.refresh().permissions.read) == {"account:own"}
    assert set(group.permissions.write) == {"account:zoe", "account:tester"}


def test_a_batch_asks_once_for_each_bucket_that_it_does_not_write(client: Client, bucket: Bucket):
    bucket.update_permissions(record_read="account:bob")
    new = client.bucket("new")
    new.permissions.record_read = "account:eve"
    with recorded(client) as sent, client.batch() as batch:
        batch.create(new)
        children = [batch.create(one.collection(name)) for one in (bucket, new) for name in "ab"]
    assert [str(one) for one in sent if one.is_read and one.path != "/"] == ["GET /buckets/payments"]
    assert [set(one.result().permissions.read) for one in children] == [{"account:bob"}] * 2 + [
        {"account:eve"}
    ] * 2


def test_where_a_batch_cannot_ask_the_child_is_not_created(client: Client, bucket: Bucket):
    broken = ScriptedServer(Answer(200, {"data": {}}))
    client.connection.batch_size()
    transport = client.connection.transport
    with broken, client.batch() as batch:
        child = batch.create(bucket.collection("c"))
        record = batch.create(bucket.collection("there").record("r"))

        class Breaking:
            """Does not know what a bucket is."""

            def send(self, operation):  # type: ignore[no-untyped-def]
                to = HTTPTransport(broken.url) if operation.path == "/buckets/payments" else transport
                return to.send(operation)

            def close(self) -> None: ...

        client.connection.transport = Breaking()
    client.connection.transport = transport
    assert isinstance(child.error, UnreadableResponse)
    assert isinstance(record.error, NotFound)
    assert not bucket.collection("c").exists()


def test_adding_keeps_what_each_child_has(bucket: Bucket, collection: Collection, archive: Collection):
    bucket.permissions.record_read += "account:bob"
    bucket.save()
    assert set(archive.refresh().permissions.read) == {"account:old", "account:bob"}
    assert set(collection.refresh().permissions.read) == {"account:bob"}


def test_taking_away_takes_it_from_every_child_that_has_it(
    bucket: Bucket, collection: Collection, archive: Collection
):
    bucket.permissions.record_read.discard("account:old")
    bucket.permissions.record_read -= "account:nobody"
    bucket.save()
    assert set(archive.refresh().permissions.read) == set()


def test_assigning_replaces_it_on_every_child(bucket: Bucket, collection: Collection, archive: Collection):
    bucket.permissions.record_read = "account:new"
    bucket.save()
    assert set(archive.refresh().permissions.read) == {"account:new"}
    bucket.permissions["record_read"].clear()
    bucket.permissions["record:read"].add("account:last")
    bucket.save()
    assert set(archive.refresh().permissions.read) == {"account:last"}


def test_assigning_one_of_them_to_another_copies_it(
    bucket: Bucket, collection: Collection, archive: Collection
):
    bucket.permissions.record_read = "account:bob"
    bucket.permissions.record_create = bucket.permissions.record_read
    bucket.save()
    assert set(archive.refresh().permissions.record_create) == {"account:bob"}


def test_reading_gives_those_that_hold_it_on_every_child(
    bucket: Bucket, collection: Collection, archive: Collection
):
    collection.update_permissions(read=["account:old", "account:other"])
    read = bucket.permissions.record_read
    assert set(read) == {"account:old"}
    assert "account:old" in read
    assert 3 not in read
    assert len(read) == 1
    read += "account:new"
    assert set(read) == {"account:old", "account:new"}


def test_reading_an_empty_bucket_gives_those_that_will(bucket: Bucket):
    assert set(bucket.permissions.record_read) == set()
    bucket.update_permissions(record_read=["account:bob"])
    assert set(bucket.permissions.record_read) == {"account:bob"}


def test_all_of_it_is_one_batch_of_reads_and_one_of_writes(
    client: Client, bucket: Bucket, collection: Collection, archive: Collection
):
    client.connection.batch_size()
    bucket.permissions.record_create += "account:bob"
    bucket.permissions.read += "account:bob"
    with recorded(client) as sent:
        bucket.save()
    assert [(one.method, one.path) for one in sent] == [
        ("PATCH", "/buckets/payments"),
        ("GET", "/buckets/payments/collections"),
        ("POST", "/batch"),
        ("POST", "/batch"),
    ]
    with recorded(client) as sent:
        bucket.save()
    assert sent.operations == []


def test_what_somebody_adds_meanwhile_stays(client: Client, bucket: Bucket, archive: Collection):
    """Between the reading of a child and its write."""
    client.connection.batch_size()
    bucket.permissions.record_read += "account:bob"
    transport = client.connection.transport

    class Meddler:
        """Adds somebody just before the guarded write."""

        done = False

        def send(self, operation):  # type: ignore[no-untyped-def]
            if operation.method == "PATCH" and "archive" in operation.path and not self.done:
                self.done = True
                archive.update_permissions(read=["account:old", "account:meanwhile"])
            return transport.send(operation)

        def close(self) -> None: ...

    client.connection.transport = Meddler()
    bucket.save()
    client.connection.transport = transport
    assert set(archive.refresh().permissions.read) == {"account:old", "account:meanwhile", "account:bob"}


def test_updating_is_sent_at_once(bucket: Bucket, collection: Collection, archive: Collection):
    bucket.update_permissions(record_create=["account:bob"], read="account:zoe")
    assert set(archive.refresh().permissions.record_create) == {"account:bob"}
    assert set(bucket.refresh().permissions.read) == {"account:zoe"}
    bucket.permissions.update(group_read="account:a", record_write=[])
    assert bucket.data["child_permissions"] == {
        "record_create": ["account:bob"],
        "group_read": ["account:a"],
        "record_write": [],
    }


def test_updating_a_bucket_with_unsaved_edits_is_refused(bucket: Bucket):
    bucket.data["title"] = "unsaved"
    with pytest.raises(UsageError, match="unsaved changes"):
        bucket.update_permissions(record_create=["account:bob"])


def test_updating_keeps_the_other_edits_of_children(bucket: Bucket, collection: Collection):
    bucket.permissions.record_read += "account:bob"
    bucket.update_permissions(record_create=["account:zoe"])
    bucket.save()
    assert set(collection.refresh().permissions.read) == {"account:bob"}


def test_the_same_again_costs_no_write(client: Client, bucket: Bucket, collection: Collection):
    bucket.update_permissions(record_read=["account:bob"])
    with recorded(client) as sent:
        bucket.update_permissions(record_read=["account:bob"])
    assert [one.path for one in sent.writes] in ([], ["/batch"])


def test_whole_lists_are_sent_to_children_that_do_not_show_theirs(bob: Client, bucket: Bucket):
    bucket.update_permissions(collection_create=["account:bob"])
    theirs = bob.bucket("payments").collection("theirs").create(permissions={"read": "account:x"})
    bucket.permissions.record_read = ["account:zoe"]
    bucket.save()
    assert set(theirs.refresh().permissions.read) == {"account:zoe"}


def test_children_that_do_not_show_theirs_are_reported_and_left(bob: Client, bucket: Bucket):
    """Of a collection that bob made, only he sees the permissions."""
    bucket.update_permissions(collection_create=["account:bob"])
    theirs = bob.bucket("payments").collection("theirs").create(permissions={"read": "account:x"})
    mine = bucket.create_collection("mine")
    bucket.permissions.record_read += "account:zoe"
    with pytest.raises(BulkError, match="theirs") as caught:
        bucket.save()
    assert [outcome.status for outcome in caught.value.report] == ["updated", "forbidden"]
    assert set(theirs.refresh().permissions.read) == {"account:x"}
    assert set(mine.refresh().permissions.read) == {"account:zoe"}
    assert "record_read" in bucket.permissions.child_edits
    with pytest.raises(PermissionsNotVisible):
        list(bucket.permissions.record_read)
    bob.bucket("payments").collection("theirs").delete()
    bucket.save()
    assert bucket.permissions.child_edits == {}


def test_a_stale_bucket_is_refused_before_any_child_is_touched(
    client: Client, bucket: Bucket, collection: Collection
):
    client.bucket("payments").update_permissions(read=["account:x"])
    bucket.permissions.record_read += "account:zoe"
    with pytest.raises(Conflict):
        bucket.save()
    assert set(collection.refresh().permissions.read) == set()
    bucket.refresh()
    bucket.permissions.record_read += "account:zoe"
    bucket.save()
    assert set(collection.refresh().permissions.read) == {"account:zoe"}


def test_who_can_counts_those_above(bucket: Bucket, collection: Collection):
    bucket.update_permissions(read=["account:r"], record_write=["account:w"], record_read=["account:rr"])
    permissions = bucket.permissions
    assert permissions.who_can("read") == {"account:tester", "account:r"}
    assert permissions.who_can("collection_create") == {"account:tester"}
    assert permissions.who_can("record_create") == {"account:tester", "account:w"}
    assert permissions.who_can("record_read") == {"account:tester", "account:w", "account:rr", "account:r"}


def test_unknown_names_are_refused_with_all_that_there_are(bucket: Bucket):
    with pytest.raises(
        UsageError, match=r"'record_delete' here, only read, write, collection_create, .*group_w"
    ):
        bucket.update_permissions(record_delete=["account:bob"])
    with pytest.raises(UsageError):
        _ = bucket.permissions["nope"]
    with pytest.raises(UsageError):
        bucket.permissions["nope"] = "account:bob"


def test_mistyped_attributes_are_refused_with_all_that_there_are(bucket: Bucket, collection: Collection):
    permissions: Any = bucket.permissions
    message = "'recrod_create' here, only read, write, collection_create, .*record_create"
    with pytest.raises(AttributeError, match=message):
        permissions.recrod_create = ["account:bob"]
    with pytest.raises(AttributeError, match=message):
        permissions.recrod_create += "account:bob"
    with pytest.raises(UsageError, match=message):
        permissions.update(recrod_create=["account:bob"])
    for one in (collection.permissions, collection.record("r").permissions, bucket.group("g").permissions):
        other: Any = one
        with pytest.raises(AttributeError, match="'raed' here, only read, write"):
            other.raed = []
        with pytest.raises(UsageError, match="'raed' here, only read, write"):
            other.update(raed=[])


def test_they_cannot_be_part_of_a_batch(client: Client, bucket: Bucket):
    bucket.permissions.record_read += "account:bob"
    assert "record_read" in repr(bucket.permissions)
    with client.batch() as batch, pytest.raises(UsageError, match="save\\(\\) it by itself"):
        batch.save(bucket)


def test_without_them_a_bucket_is_saved_in_a_batch(client: Client, bucket: Bucket):
    bucket.data["title"] = "Payments"
    with client.batch() as batch:
        batch.save(bucket)
    assert bucket.refresh().data == {"title": "Payments"}


def test_they_can_be_given_when_the_bucket_is_created(client: Client):
    bucket = client.create_bucket(
        "b", {"title": "B"}, permissions={"record_create": "account:a", "read": "account:r"}
    )
    assert bucket.data == {"title": "B", "child_permissions": {"record_create": ["account:a"]}}
    assert set(bucket.create_collection("c").permissions.record_create) == {"account:a"}


def test_what_others_keep_under_that_name_is_passed_over(bucket: Bucket):
    bucket.data["child_permissions"] = {"mine": 1, "record_read": "text", "record_create": ["account:a", 3]}
    bucket.save()
    assert set(bucket.create_collection("c").permissions.record_create) == {"account:a"}
    bucket.update_permissions(group_read=["account:g"])
    assert bucket.data["child_permissions"]["mine"] == 1
    bucket.data["child_permissions"] = 3
    bucket.save()
    assert set(bucket.create_collection("d").permissions.record_create) == set()


def test_without_a_bucket_there_is_nothing_to_send_them_to():
    permissions = BucketPermissions("b", known={})
    permissions.record_read += "account:bob"
    assert set(permissions.record_read) == {"account:bob"}
    assert BucketPermissions.record_read.name == "record_read"
    with pytest.raises(UsageError, match="save it first"):
        permissions.update(record_read="account:bob")


def test_a_new_one_has_no_children_to_send_them_to(bucket: Bucket):
    bucket.delete()
    with pytest.raises(UsageError, match="unsaved changes"):
        bucket.update_permissions(record_read=["account:bob"])


def test_edits_for_children_are_stored_with_a_new_bucket(client: Client):
    bucket = client.bucket("new")
    bucket.permissions.record_read = ["account:bob"]
    bucket.permissions.read = ["account:eve"]
    bucket.create({"title": "New"})
    assert bucket.data == {"title": "New", "child_permissions": {"record_read": ["account:bob"]}}
    assert set(bucket.permissions.read) == {"account:eve"}
    assert bucket.permissions.child_edits == {}
    assert set(bucket.create_collection("c").permissions.read) == {"account:bob"}


def test_refreshing_drops_unsaved_edits_for_children(client: Client, bucket: Bucket):
    bucket.permissions.record_read += "account:bob"
    bucket.refresh().save()
    assert bucket.data == {}


def test_where_something_is_unsaved_nothing_of_an_update_is_sent(client: Client, bucket: Bucket):
    bucket.data["title"] = "x"
    with recorded(client) as sent, pytest.raises(UsageError, match="unsaved"):
        bucket.update_permissions(read="account:bob", record_create="account:bob")
    assert sent.operations == []


def test_an_update_keeps_other_unsaved_edits_for_children(client: Client, bucket: Bucket):
    bucket.permissions.record_read += "account:bob"
    bucket.update_permissions(record_create="account:bob")
    assert list(bucket.permissions.child_edits) == ["record_read"]
