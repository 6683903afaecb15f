"""What every kind of object can do; shown on records where the kind makes no difference."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kintomodel.errors import (
    Conflict,
    Forbidden,
    NotFound,
    PermissionsNotVisible,
    UnreadableResponse,
    UsageError,
    ValidationError,
)
from kintomodel.protocol import operations
from kintomodel.resources.bucket import Bucket
from kintomodel.resources.client import Client
from kintomodel.resources.collection import Collection
from kintomodel.resources.permissions import Permissions
from kintomodel.resources.record import Record
from kintomodel.resources.resource import Resource
from kintomodel.testing import KintoServer
from kintomodel.testing.transports import record as recorded


@pytest.fixture
def record(collection: Collection) -> Record:
    return collection.create_record({"title": "a", "tags": ["x"], "address": {"city": "Paris"}}, id="r1")


def body(operation: operations.Operation[object]) -> object:
    return operation.body


class TestSave:
    def test_only_what_changed_is_sent_under_guard(self, client: Client, record: Record):
        record.data["title"] = "b"
        with recorded(client) as sent:
            record.save()
        assert sent.operations == [
            operations.update(record.path, {"title": "b"}, last_modified=sent_since(sent))
        ]

    def test_an_edit_deep_inside_is_seen(self, collection: Collection, record: Record):
        record.data["address"]["city"] = "Rome"
        record.data["tags"].append("y")
        record.save()
        assert collection.get_record("r1").data == {
            "title": "a", "tags": ["x", "y"], "address": {"city": "Rome"},
        }  # fmt: skip

    def test_nothing_is_sent_if_nothing_changed(self, client: Client, record: Record):
        with recorded(client) as sent:
            record.data["title"] = "a"
            record.save()
            client.bucket("payments").collection("receipts").record("r1").save()
        assert sent.operations == []

    def test_a_nested_value_stays_the_same_object_across_saves(self, collection: Collection, record: Record):
        data, tags = record.data, record.data["tags"]
        tags.append("y")
        record.save()
        tags.append("z")
        record.save()
        assert record.data is data
        assert collection.get_record("r1").data["tags"] == ["x", "y", "z"]

    def test_a_removed_key_is_gone_and_what_is_unknown_is_kept(self, client: Client, record: Record):
        record.permissions.read += "account:bob"
        record.save()
        del record.data["title"]
        with recorded(client) as sent:
            record.save()
        assert sent.last.method == "PUT"
        assert sent.last.body == {"data": {"tags": ["x"], "address": {"city": "Paris"}}}
        assert set(record.refresh().permissions.read) == {"account:bob"}
        assert "title" not in record.data

    def test_a_removed_key_and_permissions_go_in_one_request_with_all_permissions(
        self, client: Client, record: Record
    ):
        record.update_permissions(write=["account:bob"])
        del record.data["title"]
        record.permissions.read += "account:zoe"
        with recorded(client) as sent:
            record.save()
        assert len(sent) == 1
        record.refresh()
        assert "account:bob" in record.permissions.write
        assert set(record.permissions.read) == {"account:zoe"}

    def test_data_and_permissions_go_in_one_request(self, client: Client, record: Record):
        record.data["title"] = "b"
        record.permissions.read = ["account:bob"]
        with recorded(client) as sent:
            record.save()
        assert [operation.body for operation in sent] == [
            {"data": {"title": "b"}, "permissions": {"read": ["account:bob"]}}
        ]

    def test_a_stale_save_is_refused_with_all_three_sides(self, collection: Collection, record: Record):
        other = collection.get_record("r1")
        other.data["title"] = "theirs"
        other.save()
        record.data["title"] = "mine"
        with pytest.raises(Conflict) as caught:
            record.save()
        assert (caught.value.base or {})["title"] == "a"
        assert (caught.value.mine or {})["title"] == "mine"
        assert (caught.value.theirs or {})["title"] == "theirs"
        assert record.data["title"] == "mine"

    def test_force_saves_what_changed_all_the_same(self, collection: Collection, record: Record):
        other = collection.get_record("r1")
        other.data["tags"] = []
        other.save()
        record.data["title"] = "mine"
        record.save(force=True)
        assert record.data == {"title": "mine", "tags": [], "address": {"city": "Paris"}}

    def test_what_was_deleted_meanwhile_is_a_conflict_without_their_side(
        self, collection: Collection, record: Record
    ):
        collection.delete_record("r1")
        record.data["title"] = "mine"
        with pytest.raises(Conflict, match="deleted since it was read") as caught:
            record.save()
        assert caught.value.theirs is None
        del record.data["title"]
        with pytest.raises(Conflict) as caught:
            record.save()
        assert caught.value.theirs is None

    def test_a_missing_collection_is_said_to_be_missing(self, collection: Collection, record: Record):
        collection.destroy()
        record.data["title"] = "mine"
        with pytest.raises(NotFound, match="collection does not exist"):
            record.save()

    def test_data_can_be_assigned_whole(self, collection: Collection, record: Record):
        record.data = {"title": "new"}
        record.save()
        assert collection.get_record("r1").data == {"title": "new"}

    def test_assigning_the_same_dict_keeps_it(self, record: Record):
        record.data = record.data
        assert record.data["title"] == "a"

    @pytest.mark.parametrize("key", ["id", "last_modified", "deleted", "__permissions__", "schema"])
    def test_names_that_kinto_keeps_for_itself_are_refused(self, client: Client, record: Record, key: str):
        record.data[key] = "mine"
        with recorded(client) as sent, pytest.raises(ValidationError, match=repr(key)):
            record.save()
        assert sent.operations == []

    def test_what_kinto_cannot_keep_is_refused_by_its_path(self, record: Record):
        record.data["tags"].append(float("nan"))
        with pytest.raises(ValidationError, match=r"records/r1: data.tags\[1\]"):
            record.save()

    def test_the_mark_of_the_schema_is_not_shown(self, collection: Collection):
        collection.data["schema"] = {"type": "object"}
        collection.save()
        record = collection.create_record({"a": 1, "b": 2})
        assert record.data == {"a": 1, "b": 2}
        del record.data["a"]
        assert record.save().data == {"b": 2}

    def test_a_new_record_is_created_by_saving_it(self, collection: Collection):
        record = collection.record(data={"title": "new"})
        record.permissions.read += "account:bob"
        record.save()
        assert set(collection.get_record(record.id).permissions.read) == {"account:bob"}

    @settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(
        before=st.dictionaries(st.sampled_from("abc"), st.integers() | st.lists(st.text("xyz", max_size=2))),
        after=st.dictionaries(st.sampled_from("abc"), st.integers() | st.lists(st.text("xyz", max_size=2))),
    )
    def test_whatever_changed_the_server_has_it_then(
        self, collection: Collection, before: dict[str, object], after: dict[str, object]
    ):
        small = {**before, **after}
        for data in (before, after):
            data.update({key: 0 for key, value in data.items() if isinstance(value, int)})
        record = collection.create_record(before)
        record.data = after
        record.save()
        assert collection.get_record(record.id).data == after == record.data
        assert small.keys() >= after.keys()


def sent_since(sent: object) -> int:
    header: str = sent.last.headers["If-Match"]  # type: ignore[attr-defined]
    return int(header.strip('"'))


class TestReading:
    def test_opening_by_name_sends_nothing_until_data_is_wanted(self, client: Client, record: Record):
        with recorded(client) as sent:
            one = client.bucket("payments").collection("receipts").record("r1")
            assert (one.id, one.last_modified) == ("r1", None)
            assert len(sent) == 0
            assert one.data["title"] == "a"
            assert set(one.permissions.read) == set()
            assert len(sent) == 1

    def test_permissions_of_one_that_is_only_named_cost_one_get(self, client: Client, record: Record):
        one = client.bucket("payments").collection("receipts").record("r1")
        with recorded(client) as sent:
            assert set(one.permissions.write) == {"account:tester"}
            assert one.data["title"] == "a"
        assert len(sent) == 1

    def test_refresh_drops_what_is_unsaved(self, collection: Collection, record: Record):
        record.data.update(title="b", extra=1)
        del record.data["tags"]
        record.permissions.read += "account:bob"
        record.refresh()
        assert record.data == {"title": "a", "tags": ["x"], "address": {"city": "Paris"}}
        assert record.permissions.changed() == {}

    def test_loading_the_data_keeps_edits_of_permissions(self, client: Client, record: Record):
        one = client.bucket("payments").collection("receipts").record("r1")
        one.permissions.read = ["account:bob"]
        one.data["title"] = "b"
        one.save()
        assert set(record.refresh().permissions.read) == {"account:bob"}
        assert record.data["title"] == "b"

    def test_exists_says_whether_it_is_there(self, collection: Collection, record: Record):
        assert record.exists()
        assert not collection.record("nope").exists()

    def test_reprs_name_the_object(self, bucket: Bucket, record: Record):
        assert repr(record) == "<Record payments/receipts/r1>"
        assert repr(bucket) == "<Bucket payments>"

    def test_a_record_without_id_or_data_is_none(self, collection: Collection):
        with pytest.raises(UsageError, match="expected the id of a record, or the data"):
            collection.record()


class TestPermissions:
    def test_those_of_a_listed_record_cost_one_get(
        self, client: Client, collection: Collection, record: Record
    ):
        (listed,) = collection.get_all_records()
        with recorded(client) as sent:
            assert "account:tester" in listed.permissions.write
            assert set(listed.permissions.read) == set()
        assert [str(operation) for operation in sent] == [f"GET {record.path}"]

    def test_an_edit_after_somebody_else_edited_is_refused_and_drops_nobody(
        self, collection: Collection, record: Record
    ):
        other = collection.get_record("r1")
        other.permissions.read += "account:zoe"
        other.save()
        record.permissions.read += "account:bob"
        with pytest.raises(Conflict):
            record.save()
        assert set(collection.get_record("r1").permissions.read) == {"account:zoe"}

    def test_those_that_are_hidden_can_be_replaced_but_not_edited(
        self, bob: Client, bucket: Bucket, collection: Collection, record: Record
    ):
        bucket.update_permissions(write=["account:bob"])
        theirs = bob.bucket("payments").collection("receipts").get_record("r1")
        with pytest.raises(PermissionsNotVisible):
            theirs.permissions.read += "account:zoe"
        with pytest.raises(PermissionsNotVisible):
            list(theirs.permissions.read)
        theirs.permissions.read = ["account:zoe"]
        theirs.save()
        assert set(record.refresh().permissions.read) == {"account:zoe"}

    def test_hidden_ones_are_not_wiped_by_removing_a_key(
        self, bob: Client, bucket: Bucket, collection: Collection, record: Record
    ):
        bucket.update_permissions(write=["account:bob"])
        theirs = bob.bucket("payments").collection("receipts").get_record("r1")
        theirs.permissions.read = ["account:zoe"]
        del theirs.data["title"]
        with pytest.raises(PermissionsNotVisible):
            theirs.save()
        assert set(record.refresh().permissions.write) == {"account:tester"}

    def test_updating_keeps_other_unsaved_edits(self, collection: Collection, record: Record):
        record.data["title"] = "b"
        record.permissions.read += "account:zoe"
        record.update_permissions(write=["account:bob"])
        record.save()
        stored = collection.get_record("r1")
        assert stored.data["title"] == "b"
        assert set(stored.permissions.read) == {"account:zoe"}
        assert set(stored.permissions.write) == {"account:bob", "account:tester"}

    def test_updating_with_stale_knowledge_is_refused(self, collection: Collection, record: Record):
        collection.update_record_permissions("r1", read=["account:zoe"])
        with pytest.raises(Conflict) as caught:
            record.update_permissions(read=["account:bob"])
        assert caught.value.base == caught.value.mine == caught.value.theirs == record.data

    def test_a_new_record_has_none_to_be_updated(self, collection: Collection):
        with pytest.raises(UsageError, match="save it first"):
            collection.record(data={}).update_permissions(read=["account:bob"])
        assert list(collection.record(data={}).permissions.read) == []

    def test_unknown_names_are_refused_with_those_that_there_are(self, record: Record):
        with pytest.raises(UsageError, match="'reed' here, only read, write"):
            record.update_permissions(reed=["account:bob"])

    def test_who_can_read_includes_who_can_write(self, record: Record):
        record.permissions.read += "account:bob"
        assert record.permissions.who_can("read") == {"account:tester", "account:bob"}
        assert record.permissions.who_can("write") == {"account:tester"}


def test_a_deleted_one_is_not_asked_for_again(client: Client, record: Record):
    record.delete()
    with recorded(client) as sent:
        assert list(record.permissions.read) == []
        assert record.data["title"] == "a"
    assert sent.operations == []


def test_a_kind_says_which_permissions_it_has(client: Client, record: Record):
    nothing = Resource[Permissions](client.connection, record.path)
    with pytest.raises(NotImplementedError):
        _ = nothing.permissions


def test_a_server_that_is_no_kinto_is_named_as_such(client: Client, server: KintoServer):
    other = Client(server.url + "/buckets", auth=server.auth)
    with pytest.raises((NotFound, UnreadableResponse, Forbidden)):
        other.server_info()
