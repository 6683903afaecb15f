"""What others write at the same moment: on PostgreSQL it may appear late, under an earlier time."""

import threading
import time
from contextlib import contextmanager
from functools import partial

import pytest

from kintomodel.protocol import batch, operations
from kintomodel.protocol.objects import Page
from kintomodel.query.conditions import Comparison, Or
from kintomodel.query.late_writes import LONGEST_WRITE
from kintomodel.query.query import Query, Sort
from kintomodel.query.scanning import as_it_is, each, exists, scan, snapshot
from kintomodel.testing import KintoServer, postgresql
from tests.query.test_scanning import BY_N, CONFLICT, RECORDS, create_things, ids_of, page, run, scanned

EITHER = Or((Comparison(("n",), "eq", 5), Comparison(("m",), "eq", 5)))
TIME = 50_000
GUARD = {"If-Match": f'"{TIME}"'}
BY_ID = ("GET", {"_sort": "id", "_limit": "2"}, {})
RECENT = {
    "gt_last_modified": str(TIME - LONGEST_WRITE),
    "not_deleted": "true",
    "_sort": "last_modified,id",
    "_limit": "1000",
}


def lately(*names, more=None, clock=TIME, n=5):
    """A page of a list that was written a moment ago."""
    return Page(tuple({"id": name, "n": n, "last_modified": TIME} for name in names), more, TIME, clock)


def test_of_a_list_that_was_written_lately_the_recent_ones_are_looked_at_again():
    asked, found = scanned(Query(sort=BY_N), [lately("a", "b", more="_token=x"), lately("c"), 3, lately("b")])
    assert found == ["a", "b", "c"]
    assert asked[2] == ("HEAD", {}, GUARD)
    assert asked[3] == ("GET", {**RECENT, "_fields": "n,deleted"}, GUARD)


@pytest.mark.parametrize(
    ("clock", "is_settled"),
    [(TIME + LONGEST_WRITE + 1, True), (TIME + LONGEST_WRITE, False), (TIME - 1, False), (None, False)],
)
def test_writes_are_seen_by_all_after_the_longest_of_them(clock, is_settled):
    asked, _ = scanned(Query(EITHER), [lately("a", clock=clock), lately("b"), lately()])
    assert asked[2][1]["_limit"] == ("1" if is_settled else "1000")


@pytest.mark.parametrize(
    ("query", "first"),
    [
        (Query(sort=BY_N), [lately("b", "c", more="_token=x"), lately("d"), 3]),
        (Query(EITHER), [lately("b", "c"), lately("d")]),
    ],
)
def test_what_appeared_late_is_read_by_id(query, first):
    looks = [lately("b", more="_token=y"), lately("a")]
    asked, found = scanned(query, [*first, *looks, lately("a", "b", "c", "d")])
    assert sorted(found) == ["a", "b", "c", "d"]
    assert asked[-2:] == [("GET", {"_token": "y"}, GUARD), BY_ID]


@pytest.mark.parametrize("total", [1, 3])
def test_an_order_that_lacks_some_of_all_is_made_here(total):
    answers = [page("b", more="_token=x"), page("c"), total, page("a", "b", "c")]
    asked, found = scanned(Query(sort=BY_N), answers)
    assert (asked[3], sorted(found)) == (BY_ID, ["a", "b", "c"])


def test_what_was_given_before_is_known_to_the_end():
    pages = [lately("a", more="_token=x"), lately("b", "d"), lately("c", more="_token=y"), lately("e")]
    _, found = scanned(Query(EITHER), [*pages, lately("a", "b", "e")])
    assert found == ["a", "b", "c", "d", "e"]


def test_what_comes_after_a_slice_is_not_missing_in_it():
    asked, found = scanned(Query(EITHER, stop=2), [lately("a", "c"), lately("b"), lately("d", "c")])
    assert (len(asked), found) == (3, ["a", "b"])
    asked, found = scanned(
        Query(EITHER, stop=2), [lately("b", "c"), lately("d"), lately("a"), lately("a", "b")]
    )
    assert found == ["a", "b"]
    assert asked[3] == BY_ID


def test_for_a_slice_by_id_no_more_is_looked_at_again_than_it_has():
    asked, _ = scanned(Query(EITHER, stop=2), [lately("a", "c"), lately("b"), lately()])
    assert asked[2][1]["max_id"] == '"b"'
    asked, _ = scanned(Query(EITHER, backwards=True, stop=2), [lately("c", "a"), lately("b"), lately()])
    assert asked[2][1]["min_id"] == '"b"'


def test_whole_records_are_looked_at_again_in_pages_as_small():
    # Kinto cannot be asked for a part of them with such a name.
    query = Query(Comparison(("a-b",), "eq", 5), BY_N)
    asked, _ = scanned(query, [lately(more="_token=x"), lately(), 0, lately()])
    assert (asked[3][1]["_limit"], "_fields" in asked[3][1]) == ("2", False)


@pytest.mark.parametrize(("time", "clock", "since"), [(90_000, TIME, 40_000), (5, None, 0)])
def test_a_time_that_somebody_chose_hides_no_writes(time, clock, since):
    pages = [Page((), "_token=x", time, clock), Page((), None, time, clock), 0, page()]
    asked, _ = scanned(Query(sort=BY_N), pages)
    assert asked[3][1]["gt_last_modified"] == str(since)


def test_a_write_during_the_last_look_is_noticed():
    answers = [lately("a", more="_token=x"), lately("b"), CONFLICT, lately("a", "b", "c")]
    asked, found = scanned(Query(sort=BY_N), answers)
    assert (asked[3], found) == (BY_ID, ["a", "b", "c"])


def test_without_a_time_of_the_list_an_order_of_several_pages_is_made_here():
    first = Page(({"id": "b", "n": 1, "last_modified": 1},), "_token=x")
    asked, found = scanned(
        Query(sort=BY_N),
        [
            first,
            lately("c", n=2),
        ],
    )
    assert [one[1].get("_sort") for one in asked] == ["n,-last_modified,id", "id"]
    assert found == ["b", "c"]


def test_one_that_is_found_exists_whatever_else_is_written():
    asked, result = run(exists(RECORDS, Query(EITHER), 2), [lately(), lately("b")])
    assert (len(asked), result) == (2, True)


ONE_TIME = [
    Query(sort=BY_N),
    Query(sort=BY_N, backwards=True),
    Query(sort=(Sort(("n",), descending=True, scalars=True),)),
    Query(sort=(Sort(("last_modified",)),)),
    Query(sort=BY_N, stop=7),
    Query(Or((Comparison(("n",), "eq", 1), Comparison(("m",), "eq", 1))), BY_N),
]


@pytest.mark.parametrize("query", ONE_TIME)
def test_records_of_one_key_and_one_time_are_all_there(server, client, query):
    # PostgreSQL refuses two of one time.
    step = int(server.backend == "postgresql")
    create_things(client, [{"id": f"t{at}", "n": 1, "last_modified": 1000 + at * step} for at in range(8)])
    assert len(set(ids_of(client, query, 3))) == (query.stop or 8)


@pytest.fixture(scope="module")
def database():
    reason = postgresql.unavailable()
    if reason is not None:
        pytest.skip(reason)
    with postgresql.cluster(30) as url:
        yield url


@pytest.fixture(scope="module")
def slow(database):
    storage = {"storage_backend": "kinto.core.storage.postgresql", "storage_url": database}
    with KintoServer(settings=storage) as running:
        yield running


@pytest.fixture
def things(slow):
    slow.flush()
    with slow.client() as client:
        create_things(client, [{"id": f"t{at}", "n": at} for at in range(6)])
        client.connection.perform(operations.create("/buckets/shop/collections/others", {}))
        client.connection.perform(operations.create(OTHER, {}))
        yield client


OTHER = "/buckets/shop/collections/others/records/x"


@contextmanager
def under_way(slow, database, write):
    """The write has its time, and is seen by nobody until what this gives is called."""
    psycopg2 = pytest.importorskip("psycopg2")
    locks, looks = psycopg2.connect(database), psycopg2.connect(database)
    looks.autocommit = True
    with slow.client() as another:
        several = [write, operations.update(OTHER, {"n": 1})]
        thread = threading.Thread(target=lambda: another.connection.run(batch.run(several)))
        with locks.cursor() as cursor, looks.cursor() as look:
            cursor.execute("SELECT 1 FROM objects WHERE id = 'x' AND resource_name = 'record' FOR UPDATE")
            thread.start()
            is_waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            until = time.monotonic() + 20
            while look.execute(is_waiting) or look.fetchone()[0] == 0:
                assert time.monotonic() < until
                time.sleep(0.01)

        def let_go():
            locks.rollback()
            thread.join()

        try:
            yield let_go
        finally:
            let_go()
    locks.close()
    looks.close()


FIRST, OTHERS = Comparison(("n",), "le", 1), Comparison(("n",), "gt", 1)


@pytest.mark.parametrize(
    ("read", "query"),
    [
        (scan, Query(sort=BY_N)),
        (scan, Query(sort=(Sort(("n",), descending=True, scalars=True),))),
        (scan, Query(Or((FIRST, OTHERS)))),
        (scan, Query(sort=BY_N, stop=6)),
        (scan, Query()),
        (partial(snapshot, make=as_it_is), Query()),
    ],
    ids=["order", "descending order", "alternatives", "slice", "by id", "snapshot"],
)
@pytest.mark.parametrize("ahead", [0, 3_600_000])
def test_what_appears_late_between_two_pages_is_found_once(slow, database, things, read, query, ahead):
    perform, found = things.connection.perform, []
    moved = {"t0": 99} if query.sort and query.sort[0].descending else {"t5": -1}
    ((name, n),) = moved.items()
    with under_way(slow, database, operations.update(f"{RECORDS}/{name}", {"n": n})) as let_go:
        # Later, and seen at once: the list has this time when the other one appears.
        chosen = {"last_modified": int(time.time() * 1000) + ahead} if ahead else {}
        perform(operations.update(f"{RECORDS}/t3", {"n": 3, **chosen}))
        before = perform(operations.list_page(RECORDS)).last_modified

        def take(objects):
            found.extend(data["id"] for data in objects)
            let_go()

        things.connection.run(each(read(RECORDS, query, 2), take))
        assert perform(operations.list_page(RECORDS)).last_modified == before
    assert sorted(found) == [f"t{at}" for at in range(6)]
    assert perform(operations.read(f"{RECORDS}/{name}")).data["n"] == n


@pytest.mark.parametrize(
    "query",
    [Query(sort=BY_N), Query(Comparison(("n",), "ge", -5), BY_N, backwards=True), Query()],
    ids=["order", "backwards", "by id"],
)
def test_a_write_under_a_time_of_the_past_hides_no_record(client, query):
    times = [{"id": f"t{at}", "n": at, "last_modified": 1000 + at} for at in range(8)]
    create_things(client, times)
    perform, found, writes = client.connection.perform, [], []
    perform(operations.update(f"{RECORDS}/t3", {"n": 3}))
    before = perform(operations.list_page(RECORDS)).last_modified
    name, n = ("t0", 99) if query.backwards else ("t7", -1)

    def take(objects):
        found.extend(data["id"] for data in objects)
        if not writes:
            writes.append(perform(operations.update(f"{RECORDS}/{name}", {"n": n, "last_modified": 2000})))

    client.connection.run(each(scan(RECORDS, query, 3), take))
    assert perform(operations.list_page(RECORDS)).last_modified == before
    assert sorted(found) == [f"t{at}" for at in range(8)]
