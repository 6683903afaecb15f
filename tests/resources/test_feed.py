"""Changes of a collection, and how they are read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from kintomodel.errors import ConnectionFailed, Forbidden, KintoError, NotFound, UsageError
from kintomodel.protocol import operations, tokens
from kintomodel.query.tombstones import Tombstone
from kintomodel.resources.bucket import Bucket
from kintomodel.resources.client import Client
from kintomodel.resources.collection import Collection
from kintomodel.resources.feed import Changes
from kintomodel.resources.record import Record
from kintomodel.testing import KintoServer, record

from ..memory import peak
from ..scripted_server import Answer, Close, ScriptedServer

LIST = "/buckets/payments/collections/receipts/records"


def ids(changes: Changes[Record]) -> list[str]:
    return [("-" if isinstance(one, Tombstone) else "") + one.id for one in changes]


def put(collection: Collection, id: str, **data: Any) -> int:
    """Store it, whatever is there; the time of it."""
    path = collection.path.record(id)
    return collection.connection.perform(operations.replace(path, data)).last_modified


def remove(collection: Collection, id: str) -> int:
    return collection.connection.perform(operations.delete(collection.path.record(id)))


def fill(collection: Collection, count: int, **data: Any) -> None:
    creations = (operations.create(f"{LIST}/r{at:05}", {"n": at, **data}) for at in range(count))
    assert not any(isinstance(result, Exception) for result in collection.connection.perform_all(creations))


def test_after_n_edits_and_deletions_there_are_n_changes(client: Client, collection: Collection):
    fill(collection, 6)
    token = collection.changes().next
    edited = [put(collection, f"r0000{at}", n=-at) for at in (4, 1)]
    deleted = remove(collection, "r00003")
    put(collection, "new")
    with record(client) as sent:
        changes = collection.changes(since=token)
        assert ids(changes) == ["r00004", "r00001", "-r00003", "new"]
        assert [one.path for one in sent] == [LIST, LIST.removesuffix("/records")]
    changes = collection.changes(since=token)
    assert [(one.id, one.data) for one in changes.upserts] == [
        ("r00004", {"n": -4}), ("r00001", {"n": -1}), ("new", {}),
    ]  # fmt: skip
    assert [one.last_modified for one in changes.upserts[:2]] == edited
    assert changes.deletions == [Tombstone("r00003", deleted)]
    assert (bool(changes), changes.is_full) == (True, False)
    assert not collection.changes(since=changes.next)


def test_a_record_that_was_updated_twice_comes_in_its_last_state(collection: Collection):
    token = collection.changes().next
    for n in range(3):
        put(collection, "a", n=n)
    remove(collection, "a")
    put(collection, "a", n=9)
    put(collection, "b")
    remove(collection, "b")
    changes = collection.changes(since=token)
    assert [(one.id, one.data) for one in changes.upserts] == [("a", {"n": 9})]
    assert [one.id for one in changes.deletions] == ["b"]


def test_what_is_asked_for_again_is_not_given_again(client: Client, collection: Collection):
    put(collection, "a")
    token = collection.changes().next
    with record(client) as sent:
        changes = collection.changes(since=token)
        assert (bool(changes), list(changes), changes.upserts, changes.deletions) == (False, [], [], [])
        assert [(one.path, list(one.headers)) for one in sent] == [(LIST, ["If-None-Match"])]
    put(collection, "b")
    assert ids(collection.changes(since=changes.next)) == ["b"]


def test_a_write_that_becomes_visible_late_is_given(collection: Collection):
    # As if it had been under way for a second when the later one was done, and read.
    later = put(collection, "later")
    token = collection.changes().next
    put(collection, "late", last_modified=later - 1000)
    changes = collection.changes(since=token)
    end = time.monotonic() + 15
    while not changes:
        assert time.monotonic() < end, "it was not found in 15 s"
        time.sleep(0.1)
        changes = collection.changes(since=changes.next, overlap=0.1)
    assert [(one.id, one.last_modified) for one in changes.upserts] == [("late", later - 1000)]
    assert not collection.changes(since=changes.next)


def test_a_late_write_is_given_though_the_time_of_the_list_is_in_the_future(collection: Collection):
    now = put(collection, "a")
    put(collection, "future", last_modified=now + 3_600_000)
    token = collection.changes().next
    put(collection, "late", last_modified=now - 1000)
    assert ids(collection.changes(since=token)) == ["late"]


def test_what_was_created_again_with_the_time_that_it_had_is_given(collection: Collection):
    time = put(collection, "a", n=1)
    token = collection.changes().next
    put(collection, "b")
    token = collection.changes(since=token).next
    remove(collection, "a")
    put(collection, "a", n=2, last_modified=time)
    assert [one.data for one in collection.changes(since=token).upserts] == [{"n": 2}]


def test_beside_other_news_it_is_given_at_once(collection: Collection):
    later = put(collection, "later")
    token = collection.changes().next
    put(collection, "late", last_modified=later - 1000)
    put(collection, "new")
    assert ids(collection.changes(since=token)) == ["late", "new"]


def test_an_idle_collection_costs_one_conditional_request(client: Client, collection: Collection):
    put(collection, "a")
    token = settled(collection)
    assert len(token) < 100
    with record(client) as sent:
        changes = collection.changes(since=token)
        assert (bool(changes), changes.is_full, changes.next) == (False, False, token)
        assert [response.status for _, response in sent.exchanges if response] == [304]
        assert len(sent) == 1


def settled(collection: Collection) -> str:
    """A token after some time without writes."""
    token = collection.changes(overlap=0.001).next
    end = time.monotonic() + 15
    while not tokens.read(token, "payments/receipts").is_settled:
        assert time.monotonic() < end, "it did not come to rest in 15 s"
        time.sleep(0.1)
        token = collection.changes(since=token, overlap=0.001).next
    return token


class TestFullReadings:
    def test_the_first_one_is_full(self, collection: Collection):
        fill(collection, 3)
        changes = collection.changes()
        assert changes.is_full
        assert ids(changes) == ["r00000", "r00001", "r00002"]

    def test_one_of_nothing_is_something_to_do(self, collection: Collection):
        changes = collection.changes()
        assert bool(changes)
        assert list(changes) == []

    @pytest.mark.parametrize("rest", [True, False])
    def test_one_that_was_deleted_and_created_again_is_read_whole(
        self, bucket: Bucket, collection: Collection, rest: bool
    ):
        put(collection, "a")
        token = settled(collection) if rest else collection.changes().next
        collection.destroy()
        with pytest.raises(NotFound):
            collection.changes(since=token)
        again = bucket.create_collection("receipts")
        changes = again.changes(since=token)
        assert (changes.is_full, list(changes)) == (True, [])
        put(again, "b")
        changes = again.changes(since=token)
        assert (changes.is_full, ids(changes)) == (True, ["b"])
        assert not again.changes(since=changes.next)

    def test_of_a_bucket_that_is_gone_there_are_no_changes(self, bucket: Bucket, collection: Collection):
        token = collection.changes().next
        bucket.delete(force=True)
        for since in (token, None):
            with pytest.raises(Forbidden):
                collection.changes(since=since)

    def test_new_metadata_lead_to_one(self, collection: Collection):
        put(collection, "a")
        token = collection.changes().next
        collection.data["title"] = "x"
        collection.save()
        assert not collection.changes(since=token)
        put(collection, "b")
        changes = collection.changes(since=token)
        assert (changes.is_full, ids(changes)) == (True, ["a", "b"])

    def test_what_is_written_meanwhile_is_given_then_or_the_next_time(self, collection: Collection):
        fill(collection, 10)
        changes = collection.changes(page_size=3)
        given = [next(iter(changes)).id]
        put(collection, "r00000", n=-1)
        remove(collection, "r00009")
        put(collection, "r000055")
        given += ids(changes)
        assert given[:3] == ["r00000", "r00001", "r00002"]
        later = collection.changes(since=changes.next, page_size=1)
        assert not later.is_full
        assert {*given, *ids(later)} >= {"r00000", "-r00009", "r000055", *(f"r0000{at}" for at in range(9))}


class TestReading:
    @pytest.fixture
    def changes(self, collection: Collection) -> Changes[Record]:
        token = collection.changes().next
        fill(collection, 5)
        return collection.changes(since=token, page_size=2)

    def test_iterating_keeps_nothing(self, changes: Changes[Record]):
        assert len(list(changes)) == 5
        assert bool(changes)
        with pytest.raises(UsageError, match="were given one by one, and none is kept"):
            list(changes)
        for ask in (lambda: changes.upserts, lambda: changes.deletions):
            with pytest.raises(UsageError, match="some of these changes were given one by one already"):
                ask()
        assert changes.next

    def test_what_is_kept_is_given_as_often_as_wanted(self, changes: Changes[Record]):
        assert len(changes.upserts) == 5
        assert bool(changes)
        assert ids(changes) == ids(changes) == [one.id for one in changes.upserts]

    def test_the_token_is_there_before_all_was_looked_at(self, client: Client, changes: Changes[Record]):
        with record(client) as sent:
            one = next(iter(changes))
            assert isinstance(one, Record)
            token = changes.next
            asked = len(sent)
            assert ids(changes) == ["r00001", "r00002", "r00003", "r00004"]
            assert changes.next == token
            assert len(sent) == asked

    def test_the_token_can_be_taken_in_the_middle(self, changes: Changes[Record]):
        given = []
        for one in changes:
            given.append(one.id)
            assert changes.next
        assert given == [f"r0000{at}" for at in range(5)]

    def test_a_reading_that_was_left_can_be_gone_on_with(self, changes: Changes[Record]):
        for _ in changes:
            break
        assert ids(changes) == ["r00001", "r00002", "r00003", "r00004"]

    def test_they_say_of_what_they_are(self, collection: Collection, changes: Changes[Record]):
        assert repr(changes) == "<Changes of /buckets/payments/collections/receipts>"
        assert repr(collection.changes()) == "<Changes of /buckets/payments/collections/receipts, all of it>"


@pytest.mark.parametrize("size", [0, -1, 1.5, None, "10"])
def test_a_page_has_at_least_one_record(collection: Collection, size: Any):
    with pytest.raises(UsageError, match="page_size is a positive number of records, got"):
        collection.changes(page_size=size)


SECONDS = [0, -1, float("nan"), float("inf"), "5", None, True]


@pytest.mark.parametrize("seconds", SECONDS)
def test_times_are_a_positive_number_of_seconds(collection: Collection, seconds: Any):
    with pytest.raises(UsageError, match="overlap is a positive number of seconds, got"):
        collection.changes(overlap=seconds)
    with pytest.raises(UsageError, match="interval is a positive number of seconds, got"):
        collection.watch(seconds)


def test_what_is_no_token_of_this_collection_is_refused(
    client: Client, bucket: Bucket, collection: Collection
):
    other = bucket.create_collection("orders").changes().next
    wrong: Any = 7
    with record(client) as sent:
        for token in ("", "abc", wrong, other):
            with pytest.raises(UsageError, match="token is"):
                collection.changes(since=token)
        assert not len(sent)


@pytest.mark.parametrize(
    ("count", "page_size", "length"),
    [(120, 10, 20_000), pytest.param(20_000, 1000, 2000, marks=pytest.mark.slow)],
)
def test_a_reading_has_two_pages_in_memory_at_most(
    collection: Collection, count: int, page_size: int, length: int
):
    fill(collection, count, title="x" * length)

    def one_page() -> None:
        changes = iter(collection.changes(page_size=page_size))
        for _ in range(page_size):
            next(changes)

    def all_pages() -> None:
        assert sum(1 for _ in collection.changes(page_size=page_size)) == count

    one_page()  # what is made once is no part of a page
    marks_of_the_last_seconds = 200 * count
    assert peak(all_pages) < 2 * peak(one_page) + marks_of_the_last_seconds


PAGE = Answer(
    body={"data": [{"id": "a", "last_modified": 1000}]},
    headers={"ETag": '"1000"', "Next-Page": "http://127.0.0.1/v1/x?_token=x"},
)
COLLECTION = Answer(body={"data": {"id": "receipts", "last_modified": 7}})


def test_after_it_broke_off_there_is_no_token():
    with (
        ScriptedServer(COLLECTION, PAGE, Close()) as server,
        Client(server.url, retries=0) as client,
    ):
        changes = client.bucket("payments").collection("receipts").changes()
        given = iter(changes)
        assert next(given).id == "a"
        with pytest.raises(ConnectionFailed):
            next(given)
        for ask in (lambda: changes.next, lambda: list(changes)):
            with pytest.raises(
                KintoError, match="reading the changes broke off: ask again with the same token"
            ):
                ask()


class TestWatching:
    INTERVAL = 0.02

    def test_it_gives_what_changes_and_nothing_else(self, client: Client, collection: Collection):
        put(collection, "a")
        watching = collection.watch(self.INTERVAL)
        first = next(watching)
        assert (first.is_full, ids(first)) == (True, ["a"])
        put(collection, "b")
        assert ids(next(watching)) == ["b"]
        remove(collection, "a")
        assert ids(next(watching)) == ["-a"]
        with record(client) as sent:
            put(collection, "a")
            sent.clear()
            changes = next(watching)
            assert [one.path for one in sent] == [LIST, LIST.removesuffix("/records")]
        assert [one.id for one in changes.upserts] == ["a"]

    def test_what_was_not_looked_at_is_kept_and_not_given_again(self, collection: Collection):
        watching = collection.watch(self.INTERVAL)
        next(watching)
        put(collection, "a")
        one = next(watching)
        put(collection, "b")
        other = next(watching)
        assert (ids(one), ids(other)) == (["a"], ["b"])

    def test_it_goes_on_from_a_token(self, collection: Collection):
        token = collection.changes().next
        put(collection, "a")
        assert ids(next(collection.watch(self.INTERVAL, since=token))) == ["a"]

    def test_while_nothing_changes_a_poll_is_one_request(self, client: Client, collection: Collection):
        token = settled(collection)
        stop = threading.Event()
        with record(client) as sent:
            waiting = threading.Thread(target=list, args=(collection.watch(0.01, since=token, stop=stop),))
            waiting.start()
            eventually(lambda: len(sent) >= 5)
            stop.set()
            waiting.join(10)
            assert not waiting.is_alive()
            assert {response.status for _, response in sent.exchanges if response} == {304}

    def test_stop_ends_it_at_once(self, client: Client, collection: Collection):
        stop = threading.Event()
        watching = collection.watch(3600, stop=stop)
        next(watching)
        threading.Timer(0.05, stop.set).start()
        started = time.monotonic()
        assert list(watching) == []
        assert time.monotonic() - started < 60
        with record(client) as sent:
            assert list(collection.watch(stop=stop)) == []
            assert not len(sent)

    def test_closing_it_ends_it(self, client: Client, collection: Collection):
        watching = collection.watch(self.INTERVAL)
        next(watching)
        with record(client) as sent:
            watching.close()
            assert list(watching) == []
            assert not len(sent)

    def test_an_error_ends_it(self, bucket: Bucket, collection: Collection):
        watching = collection.watch(self.INTERVAL)
        token = next(watching).next
        collection.destroy()
        with pytest.raises(NotFound):
            next(watching)
        assert list(watching) == []
        bucket.create_collection("receipts")
        assert next(collection.watch(self.INTERVAL, since=token)).is_full


def eventually(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < end, "it did not come about in 15 s"
        time.sleep(0.01)


def test_readers_who_are_the_first_and_meet_have_it_all_the_same(server: KintoServer, bucket: Bucket):
    """On PostgreSQL one of them is answered 500, about every second time (26.5)."""
    found: list[list[str]] = []

    def read(name: str, together: threading.Barrier) -> None:
        with server.client() as client:
            client.server_info()
            together.wait(10)
            found.append(ids(client.bucket("payments").collection(name).changes()))

    for name in (f"c{number}" for number in range(8)):
        bucket.create_collection(name)
        together = threading.Barrier(2)
        readers = [threading.Thread(target=read, args=(name, together)) for _ in range(2)]
        for one in readers:
            one.start()
        for one in readers:
            one.join(60)
    assert found == [[]] * 16


def test_those_who_may_not_read_the_collection_get_no_changes(collection: Collection, bob: Client):
    shared = collection.create_record(permissions={"read": ["account:bob"]})
    theirs = bob.bucket("payments").collection("receipts")
    assert [one.id for one in theirs.get_all_records()] == [shared.id]
    with pytest.raises(Forbidden):
        theirs.changes()
