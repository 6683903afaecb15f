"""Collections: their records, one by one and all of them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kintomodel.errors import BadRequest, Forbidden, NotFound, UsageError, ValidationError
from kintomodel.protocol.batch import chunks
from kintomodel.resources.bucket import Bucket
from kintomodel.resources.client import Client
from kintomodel.resources.collection import Collection
from kintomodel.testing import KintoServer
from kintomodel.testing.transports import record as recorded

from ..memory import peak

PAGE = 100


def fill(client: Client, collection: Collection, count: int, **data: Any) -> None:
    for numbers in chunks(range(count), 1000):
        with client.batch() as batch:
            for number in numbers:
                batch.create(collection.record(f"r{number:05}"), {"n": number, **data})
        batch.report.raise_for_failures()


class TestMetadata:
    def test_schema_and_the_rest_are_its_data(self, bucket: Bucket):
        schema = {"type": "object", "properties": {"amount": {"type": "number"}}}
        collection = bucket.create_collection("receipts", {"schema": schema, "displayFields": ["amount"]})
        collection.data["cache_expires"] = 60
        collection.save()
        del collection.data["displayFields"]
        collection.save()
        assert bucket.get_collection("receipts").data == {"schema": schema, "cache_expires": 60}

    def test_the_schema_is_enforced_by_the_server(self, bucket: Bucket):
        schema = {"type": "object", "properties": {"amount": {"type": "number"}}}
        collection = bucket.create_collection("receipts", {"schema": schema})
        with pytest.raises(BadRequest, match="amount"):
            collection.create_record({"amount": "much"})

    def test_one_that_is_there_is_left_as_it_is_if_wanted(self, bucket: Bucket, collection: Collection):
        collection.data["title"] = "Receipts"
        collection.save()
        found = bucket.create_collection("receipts", {"title": "other"}, if_not_exists=True)
        assert found.data == {"title": "Receipts"}
        assert found.name == "receipts"

    def test_destroying_it_takes_the_records_along_whatever_was_written(
        self, bucket: Bucket, collection: Collection
    ):
        bucket.get_collection("receipts").update_permissions(read=["account:bob"])
        collection.create_record()
        collection.destroy()
        assert list(bucket.create_collection("receipts").get_all_records()) == []

    def test_permissions_given_by_name_are_sent_at_once(self, client: Client, collection: Collection):
        with recorded(client) as sent:
            collection.permissions.update(read="account:bob", record_create=["account:zoe"])
        assert [operation.body for operation in sent] == [
            {"permissions": {"read": ["account:bob"], "record:create": ["account:zoe"]}}
        ]
        assert set(collection.permissions.record_create) == {"account:zoe"}


class TestListing:
    def test_a_page_is_asked_for_when_it_is_wanted(self, client: Client, collection: Collection):
        fill(client, collection, 5)
        with recorded(client) as sent:
            records = collection.get_all_records(page_size=2)
            assert sent.operations == []
            first = [next(records), next(records)]
            assert len(sent) == 1
            rest = list(records)
        assert [record.data["n"] for record in first + rest] == [0, 1, 2, 3, 4]
        assert len(sent) == 3

    def test_one_that_is_updated_meanwhile_is_neither_lost_nor_repeated(
        self, client: Client, collection: Collection
    ):
        fill(client, collection, 5)
        found = []
        for record in collection.get_all_records(page_size=2):
            found.append(record.id)
            collection.record("r00004").update_record_permissions(read=["account:bob"])
            one = collection.get_record("r00000")
            one.data["n"] += 1
            one.save()
        assert found == [f"r0000{number}" for number in range(5)]

    def test_filters_mean_what_they_say(self, client: Client, collection: Collection):
        fill(client, collection, 5, address={"city": "Paris"})
        collection.create_record({"n": "3"}, id="text")

        def ids(**filters: Any) -> list[str]:
            return [record.id for record in collection.get_all_records(filters)]

        assert ids(n=3) == ["r00003"]
        assert ids(n__gte=3) == ["r00003", "r00004"]
        assert ids(n__lt=2, address__city="Paris") == ["r00000", "r00001"]
        assert ids(n__in=[1, "3"]) == ["r00001", "text"]
        assert ids(address__exists=False) == ["text"]
        assert collection.count_records({"n__gte": 3}) == 2
        assert collection.count_records() == 6

    def test_an_order_can_be_asked_for(self, client: Client, collection: Collection):
        fill(client, collection, 5)
        found = collection.get_all_records({"n__gt": 1}, sort="-n,id", page_size=2)
        assert [record.data["n"] for record in found] == [4, 3, 2]

    def test_many_pages_are_read_to_the_end_with_one_in_memory(
        self, client: Client, collection: Collection, server: KintoServer
    ):
        """The 25,000 of the nightly run in small."""
        if server.backend == "postgresql":
            pytest.skip("what is measured here is the client; loading takes long")
        fill(client, collection, 8 * PAGE, title="x" * 2000)
        assert_memory_of_one_page(collection, PAGE, 8 * PAGE)


class TestDeleting:
    def test_several_are_deleted_in_batches_with_a_report(self, client: Client, collection: Collection):
        fill(client, collection, 60)
        records = list(collection.get_all_records())
        records[3].update_permissions(read=["account:bob"])
        stale = collection.get_record("r00005")
        records[5].update_permissions(read=["account:bob"])
        with recorded(client) as sent:
            report = collection.delete_records([*records[:5], stale, "nope", *records[6:]])
        assert [operation.path for operation in sent.writes] == ["/batch"] * 3
        assert len(report.deleted) == 59
        assert [(outcome.object.id, outcome.status) for outcome in report.failures] == [
            ("r00005", "conflict"),
            ("nope", "missing"),
        ]
        assert [record.id for record in collection.get_all_records()] == ["r00005"]
        assert len(collection.delete_records([stale], force=True).deleted) == 1

    def test_all_that_match_are_deleted(self, client: Client, collection: Collection):
        fill(client, collection, 6)
        assert collection.delete_all({"n__gte": 4}) == 2
        assert collection.delete_all({"n__exists": True, "n__lt": 1}) == 1
        assert collection.delete_all({"id__in": []}) == 0
        assert [record.data["n"] for record in collection.get_all_records()] == [1, 2, 3]
        assert collection.delete_all() == 3
        assert collection.count_records() == 0

    def test_a_record_of_another_collection_is_refused(self, bucket: Bucket, collection: Collection):
        record = bucket.create_collection("other").create_record()
        with pytest.raises(UsageError, match="is not in"):
            collection.delete_record(record)
        with pytest.raises(UsageError, match="is not in"):
            collection.save_record(record)
        with pytest.raises(UsageError, match="expected a record or its id"):
            collection.delete_records([3])  # type: ignore[list-item]

    @pytest.mark.parametrize("verb", ["get_record", "delete_record", "update_record_permissions"])
    @pytest.mark.parametrize("id", ["", None])
    def test_without_an_id_nothing_is_asked(self, client: Client, collection: Collection, verb: str, id: Any):
        with recorded(client) as sent, pytest.raises((ValidationError, UsageError), match="id"):
            getattr(collection, verb)(id)
        assert sent.operations == []


def test_odd_names_work_everywhere(client: Client):
    for name in ("data-v1", "v1", "batch", "records", "0123", "null", "1e5", "x" * 300):
        bucket = client.create_bucket(name)
        collection = bucket.create_collection(name)
        collection.create_record({"a": 1}, id=name)
        bucket.create_group(name, "account:a")
        with client.batch() as batch:
            both = [batch.refresh(collection.record(name)), batch.refresh(bucket.collection(name))]
        assert both[0].result().data == {"a": 1}
        assert both[1].result().name == name
        assert [one.id for one in collection.get_all_records()] == [name]
        assert len(collection.delete_records([name]).deleted) == 1


def test_names_like_paths_are_refused_before_anything_is_sent(
    client: Client, bucket: Bucket, collection: Collection
):
    with recorded(client) as sent:
        for name in ("a b", "../x", "ä", "", "a/b", "a?b=1", "a#b", "-a", "%2e", "a\n", "a.b"):
            for ask in (client.bucket, bucket.collection, bucket.group, collection.record, bucket.get_group):
                with pytest.raises(ValidationError):
                    ask(name)  # type: ignore[operator]
            with pytest.raises(ValidationError):
                collection.create_record(id=name)
    assert sent.operations == []


def test_somebody_elses_records_are_forbidden(bob: Client, collection: Collection):
    collection.create_record(id="r1")
    theirs = bob.bucket("payments").collection("receipts")
    for ask in (lambda: theirs.get_record("r1"), lambda: list(theirs.get_all_records()), theirs.refresh):
        with pytest.raises(Forbidden):
            ask()
    with pytest.raises(Forbidden):
        theirs.record("r1").exists()


def test_a_missing_collection_is_said_to_be_missing(bucket: Bucket):
    with pytest.raises(NotFound, match="collection does not exist"):
        list(bucket.collection("nope").get_all_records())
    with pytest.raises(NotFound):
        bucket.get_collection("nope")


@pytest.fixture(scope="module")
def paging() -> Iterator[KintoServer]:
    """A server with small pages: the client's limits cannot make them larger."""
    plugins = "kinto.plugins.accounts"
    with KintoServer(settings={"paginate_by": 40, "includes": plugins}) as running:
        yield running


def test_delete_all_goes_on_where_the_server_stops(paging: KintoServer):
    client = paging.client()
    collection = client.create_bucket("b").create_collection("c")
    fill(client, collection, 150)
    assert sum(1 for _ in collection.get_all_records()) == 150
    with recorded(client) as sent:
        assert collection.delete_all() == 150
    assert len(sent.writes) == 4
    assert collection.count_records() == 0


@pytest.mark.parametrize(
    ("count", "page_size"), [(600, 200), pytest.param(25_000, 1000, marks=pytest.mark.slow)]
)
def test_a_long_list_is_read_in_pages_and_deleted(server: KintoServer, count: int, page_size: int):
    # Without a history, which would hold each record twice more.
    settings = {"includes": "kinto.plugins.accounts", "batch_max_requests": 100}
    with KintoServer(server.backend, settings=settings) as plain:
        client = plain.client()
        collection = client.create_bucket("b").create_collection("c")
        fill(client, collection, count, title="x" * 200)
        assert_memory_of_one_page(collection, page_size, count)
        assert collection.delete_all() == count
        assert collection.count_records() == 0


def assert_memory_of_one_page(collection: Collection, page_size: int, count: int) -> None:
    def one_page() -> None:
        records = collection.get_all_records(page_size=page_size)
        for _ in range(page_size):
            next(records)

    def all_pages() -> None:
        assert sum(1 for _ in collection.get_all_records(page_size=page_size)) == count

    one_page()  # what is made once is no part of a page
    assert peak(all_pages) < 1.2 * peak(one_page)


def test_a_lone_text_is_not_taken_for_the_ids_of_its_letters(collection: Collection):
    for id in "ab":
        collection.create_record(id=id)
    wrong: Any = 3
    for given in ("ab", wrong):
        with pytest.raises(UsageError, match="several records or ids"):
            collection.delete_records(given)
    assert collection.count_records() == 2


def test_where_one_id_is_none_nothing_is_deleted(collection: Collection):
    ids = [collection.create_record().id for _ in range(26)]
    with pytest.raises(ValidationError):
        collection.delete_records([*ids, "../x"])
    assert collection.count_records() == 26


def test_a_new_record_takes_the_id_in_its_data(collection: Collection):
    record = collection.record(data={"id": "abc", "n": 1}).save()
    assert (record.id, record.data) == ("abc", {"n": 1})
    assert collection.record("abc", {"id": "abc"}).id == "abc"
    assert collection.create_record({"id": "other"}).id == "other"


def test_a_schema_in_the_data_of_a_record_is_refused_whatever_it_is(client: Client, collection: Collection):
    with recorded(client) as sent:
        for schema in (7, {}, None):
            with pytest.raises(ValidationError, match="keeps the key 'schema' for itself"):
                collection.create_record({"schema": schema, "a": 1})
            with pytest.raises(ValidationError, match="'schema'"):
                collection.record(data={"schema": schema}).save()
    assert sent.operations == []


def test_two_ids_that_differ_are_refused(collection: Collection):
    for ask in (collection.record, lambda id, data: collection.create_record(data, id=id)):
        with pytest.raises(UsageError, match="'one' is given, and another one, 'two'"):
            ask("one", {"id": "two"})


def test_data_of_a_record_that_is_no_dict_is_refused(collection: Collection):
    wrong: Any = [1]
    with pytest.raises(UsageError, match="is a dict"):
        collection.create_record(wrong)


@pytest.mark.parametrize("wrong", [{"page_size": 0}, {"page_size": "3"}, {"filters": ["n"]}, {"sort": ["n"]}])
def test_what_is_no_listing_is_refused_at_the_call(collection: Collection, wrong: Any):
    with pytest.raises(UsageError, match=r"page_size=|filters are|sort is"):
        collection.get_all_records(**wrong)


@pytest.mark.parametrize("wrong", [{"action": "craete"}, {"since": "today"}])
def test_what_is_no_history_is_refused_at_the_call(bucket: Bucket, collection: Collection, wrong: Any):
    for one in (bucket, collection, collection.record("r")):
        with pytest.raises(UsageError, match=r"action is|since and"):
            one.history(**wrong)


WRONG: Any = 3
BAD_CREATIONS: list[Callable[[Bucket, Collection], object]] = [
    lambda bucket, _: bucket.create_collection("../x"),
    lambda bucket, _: bucket.create_collection("x", {"a": "\0"}),
    lambda bucket, _: bucket.create_collection("x", permissions={"raed": []}),
    lambda bucket, _: bucket.create_collection("x", permissions={"read": WRONG}),
    lambda bucket, _: bucket.create_collection("x", permissions=["read"]),  # type: ignore[arg-type]
    lambda bucket, _: bucket.create_collection("x", permissions={WRONG: []}),
    lambda bucket, _: bucket.create_group("../x"),
    lambda bucket, _: bucket.create_group("x", permissions={"read": WRONG}),
    lambda bucket, _: bucket.create_group("x", data=[1]),  # type: ignore[arg-type]
    lambda bucket, _: bucket.create_group("x", data=WRONG),
    lambda _, collection: collection.create_record({}, permissions={"read": WRONG}),
    lambda _, collection: collection.create_record({}, permissions=["read"]),  # type: ignore[arg-type]
    lambda _, collection: collection.record(data=[]),  # type: ignore[arg-type]
    lambda _, collection: collection.get_record(None),  # type: ignore[arg-type]
    lambda _, collection: collection.update_record_permissions("r"),
    lambda bucket, _: bucket.permissions.update(),
    lambda bucket, _: bucket.permissions.update(record_create=WRONG),
    lambda bucket, _: bucket.permissions.__setitem__(WRONG, []),
]


@pytest.mark.parametrize("ask", BAD_CREATIONS)
def test_bad_input_is_refused_in_one_line_before_anything_is_sent(
    client: Client, bucket: Bucket, collection: Collection, ask: Any
):
    with recorded(client) as sent, pytest.raises((UsageError, ValidationError)) as caught:
        ask(bucket, collection)
    assert str(caught.value).isprintable()
    assert sent.operations == []


@pytest.mark.parametrize(
    "arguments",
    [{"data": [1]}, {"permissions": ["read"]}, {"permissions": {"read": 3}}, {"data": {"a": "\0"}}],
)
def test_bad_input_to_a_batch_is_refused_where_it_is_given(client: Client, bucket: Bucket, arguments: Any):
    with recorded(client) as sent, client.batch() as batch, pytest.raises((UsageError, ValidationError)):
        batch.create(bucket.collection("x"), **arguments)
    assert sent.operations == []
