"""Creating and deleting what every kind of object can do; shown on records."""

import copy
import pickle
from collections.abc import Callable

import pytest

from kintomodel.errors import (
    BulkError,
    Conflict,
    NotFound,
    UsageError,
)
from kintomodel.resources.bucket import Bucket
from kintomodel.resources.client import Client
from kintomodel.resources.collection import Collection
from kintomodel.resources.record import Record


@pytest.fixture
def record(collection: Collection) -> Record:
    return collection.create_record({"title": "a", "tags": ["x"], "address": {"city": "Paris"}}, id="r1")


class TestCreate:
    def test_an_id_that_is_taken_is_a_conflict(self, collection: Collection, record: Record):
        with pytest.raises(Conflict):
            collection.create_record({"title": "b"}, id="r1")
        assert collection.get_record("r1").data["title"] == "a"

    def test_a_conflict_shows_what_is_there_and_what_was_to_be(self, collection: Collection, record: Record):
        with pytest.raises(Conflict) as caught:
            collection.create_record({"title": "b"}, id="r1")
        assert (caught.value.base, caught.value.mine) == (None, {"title": "b"})
        assert caught.value.theirs == record.data

    def test_if_not_exists_leaves_what_is_there(self, collection: Collection, record: Record):
        found = collection.create_record({"title": "b"}, id="r1", if_not_exists=True)
        assert found.data["title"] == "a"
        assert collection.create_record({"title": "b"}, id="r2", if_not_exists=True).data == {"title": "b"}

    def test_the_data_given_is_not_tied_to_the_record(self, collection: Collection):
        template = {"tags": ["x"]}
        record = collection.create_record(template)
        record.data["tags"].append("y")
        assert template == {"tags": ["x"]}

    def test_the_id_in_the_data_counts_and_a_time_is_left_out(self, collection: Collection):
        record = collection.create_record({"id": "r7", "last_modified": 1, "a": 1})
        assert record.id == "r7"
        assert record.data == {"a": 1}
        assert record.last_modified != 1

    def test_by_saving_a_deleted_one_again(self, collection: Collection, record: Record):
        record.delete()
        assert record.data["title"] == "a"
        assert record.last_modified is None
        record.save()
        assert collection.get_record("r1").data["title"] == "a"


class TestDelete:
    def test_a_stale_one_is_refused(self, collection: Collection, record: Record):
        other = collection.get_record("r1")
        other.data["title"] = "theirs"
        other.save()
        with pytest.raises(Conflict) as caught:
            record.delete()
        assert (caught.value.theirs or {})["title"] == "theirs"
        record.delete(force=True)
        assert not other.exists()

    def test_a_missing_one_is_an_error_unless_that_is_fine(self, collection: Collection):
        with pytest.raises(NotFound):
            collection.delete_record("nope")
        collection.delete_record("nope", missing_ok=True)

    def test_one_that_was_deleted_meanwhile_is_missing_alone_and_in_a_batch(
        self, client: Client, collection: Collection, record: Record
    ):
        other, third = collection.get_record("r1"), collection.get_record("r1")
        collection.delete_record("r1")
        with pytest.raises(NotFound):
            record.delete()
        with client.batch() as batch:
            pending = [batch.delete(record), batch.refresh(other), batch.save(third)]
        assert [type(one.error) for one in pending] == [NotFound, NotFound, type(None)]
        assert [one.status for one in collection.delete_records([third])] == ["missing"]

    def test_a_missing_collection_is_never_fine(self, bucket: Bucket):
        with pytest.raises(NotFound):
            bucket.collection("nope").delete_record("r1", missing_ok=True)

    def test_one_that_was_only_named_stays_unknown(self, collection: Collection, record: Record):
        one = collection.record("r1")
        one.delete()
        with pytest.raises(NotFound):
            _ = one.data


class TestPickling:
    def test_it_keeps_what_is_known_and_neither_connection_nor_credentials(self, record: Record):
        record.permissions.read += "account:bob"
        record.data["title"] = "b"
        pickled = pickle.dumps(record)
        assert b"secret" not in pickled
        again = pickle.loads(pickled)
        assert (again.path, again.last_modified) == (record.path, record.last_modified)
        assert again.data == record.data
        assert set(again.permissions.read) == {"account:bob"}
        for ask in (again.save, again.refresh, again.exists):
            with pytest.raises(UsageError, match=r"^(PATCH|GET) .*/r1: what was pickled has no connection"):
                ask()

    def test_so_does_the_error_of_several(self, collection: Collection, record: Record):
        with pytest.raises(BulkError) as caught:
            collection.delete_records(["nope", record.id]).raise_for_failures()
        again = pickle.loads(pickle.dumps(caught.value))
        assert str(again) == str(caught.value)
        assert [outcome.status for outcome in again.report] == ["missing", "deleted"]

    @pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
    def test_a_copy_goes_on_with_its_connection(self, record: Record, copied: Callable[[Record], Record]):
        assert copied(record).refresh().data == record.data
