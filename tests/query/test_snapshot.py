import pytest

from kintomodel import Client
from kintomodel.errors import UnreadableResponse
from kintomodel.protocol import operations, responses
from kintomodel.protocol.objects import Body, Response
from kintomodel.query.conditions import Comparison, Or
from kintomodel.query.planning import plan
from kintomodel.query.query import Query
from kintomodel.query.scanning import Found, as_it_is, each, snapshot
from kintomodel.testing.transports import record
from tests.query.test_scanning import (
    CONFLICT,
    ORDERS,
    RECORDS,
    Writer,
    create_things,
    drive,
    page,
    thing,
)

BY_TIME = {"_sort": "last_modified", "_limit": "2"}
BY_ID = ("GET", {"_sort": "id", "_limit": "2"}, {})
GUARD = {"If-Match": '"9"'}
SECOND = ("GET", {"_token": "x"}, {})
EVERY = Query()
COUNT = ("HEAD", {}, GUARD)


def head(*names, more=None, etag='"9"'):
    headers = {"etag": etag} if etag else {}
    if more:
        headers["next-page"] = f"http://kinto/v1{RECORDS}?{more}"
    return responses.page_head(Response(200, headers, {"data": list(map(thing, names))}))


def taken(answers, query=EVERY):
    return drive(snapshot(RECORDS, query, 2, as_it_is), answers)


def test_one_page_is_one_request():
    assert taken([head("b", "a")]) == ([("GET", BY_TIME, {})], ["b", "a"])
    assert taken([head()]) == ([("GET", BY_TIME, {})], [])


def test_pages_follow_in_the_order_of_the_times_and_are_counted():
    asked, found = taken([head("c", "a", more="_token=x"), head("b"), 3])
    assert found == ["c", "a", "b"]
    assert asked == [("GET", BY_TIME, {}), SECOND, COUNT]


def test_what_is_checked_here_is_counted_all_the_same():
    condition = Comparison(("n",), "like", "x")
    asked, found = taken([head("c", "a", more="_token=x"), head("b"), 3], Query(condition))
    assert found == []
    assert [method for method, _, _ in asked] == ["GET", "GET", "HEAD"]
    assert "_sort" not in asked[2][1]


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        ([head("b", etag='"10"')], [SECOND]),
        ([head("b", more="_token=z", etag='"10"')], [SECOND]),
        ([head("b", etag=None)], [SECOND]),
        ([head("b"), CONFLICT], [SECOND, COUNT]),
        # In memory, one of two that have the same time.
        ([head("b"), 4], [SECOND, COUNT]),
        # It was moved after the page before, and before the time of the list was looked at, or after it.
        ([head("b", "c", etag='"10"')], [SECOND]),
        ([head("b", "c"), CONFLICT], [SECOND, COUNT]),
    ],
)
def test_what_was_written_or_lost_meanwhile_is_read_by_id(answers, asked):
    rest = [page("a", "b", more="_token=y"), page("c", "d")]
    assert taken([head("c", "a", more="_token=x"), *answers, *rest]) == (
        [("GET", BY_TIME, {}), *asked, BY_ID, ("GET", {**BY_ID[1], "gt_id": '"b"'}, {})],
        ["c", "a", "b", "d"],
    )


def test_without_a_time_of_the_list_all_is_read_by_id():
    first = head("c", "a", more="_token=x", etag=None)
    assert taken([first, page("a", "b")]) == ([("GET", BY_TIME, {}), BY_ID], ["c", "a", "b"])


@pytest.mark.parametrize(
    "query",
    [
        *(Query(sort=sort) for sort in ORDERS[1:]),
        Query(backwards=True),
        Query(start=1),
        Query(stop=1),
        Query(Or((Comparison(("n",), "eq", 1), Comparison(("m",), "eq", 2)))),
        Query(Comparison(("last_modified",), "gt", 5)),
        Query(Comparison(("id",), "in", ())),
    ],
)
def test_orders_parts_and_times_are_not_read_in_the_order_of_the_times(query):
    assert not plan(query.condition).is_by_time(query)


def test_what_follows_a_page_is_asked_for_before_it_is_decoded():
    events = []

    def decode():
        events.append("decoded")
        return Body({"data": [thing("a")]})

    headers = {"etag": '"9"', "next-page": "http://kinto/v1/buckets?_token=x"}
    stream = snapshot(RECORDS, Query(), 1, as_it_is)
    asked = next(stream)
    found = stream.send(asked.read(Response(200, headers, decode=decode)))
    assert isinstance(found, Found)
    assert next(stream).params == {"_token": "x"}
    assert events == []
    assert list(found.objects) == [thing("a")]
    assert events == ["decoded"]


@pytest.mark.parametrize(
    "body", [{"data": 1}, {"data": [1]}, {"data": [{}]}, {"data": [{"id": 1}]}, {}, [], None]
)
def test_a_page_that_is_none_says_what_was_asked(body):
    stream = snapshot(RECORDS, Query(), 1, as_it_is)
    found = stream.send(next(stream).read(Response(200, {}, body)))
    with pytest.raises(UnreadableResponse, match=f"^GET {RECORDS}: 200, ") as caught:
        list(found.objects)
    assert caught.value.path == RECORDS


def ids_of(client, query=EVERY, page_size=3):
    return [data["id"] for data in client.connection.stream(snapshot(RECORDS, query, page_size, as_it_is))]


def test_all_are_there_and_each_once(client):
    create_things(client, [{"id": f"t{at:02}", "n": at} for at in range(20)])
    client.connection.perform(operations.update(f"{RECORDS}/t03", {"n": -1}))
    client.connection.perform(operations.delete(f"{RECORDS}/t04"))
    with record(client) as recording:
        found = ids_of(client)
    assert found[-1] == "t03"
    assert sorted(found) == [f"t{at:02}" for at in range(20) if at != 4]
    assert [one.method for one in recording] == ["GET"] * 7 + ["HEAD"]
    assert ids_of(client, Query(Comparison(("n",), "ge", 15))) == [f"t{at:02}" for at in range(15, 20)]


def test_records_of_one_time_are_all_there(server, client):
    # PostgreSQL refuses them; in memory pages by time lose some of them.
    step = 0 if server.backend == "memory" else 1
    create_things(
        client, [{"id": f"t{at}", "last_modified": 1_700_000_000_000 + at * step} for at in range(8)]
    )
    assert sorted(ids_of(client)) == [f"t{at}" for at in range(8)]


@pytest.mark.parametrize(
    "write",
    [
        operations.update(f"{RECORDS}/t5", {"n": 7}),
        operations.update(f"{RECORDS}/t1", {"n": 7}),
        # Back in time, to where the pages are past.
        operations.replace(f"{RECORDS}/t5", {"n": 7, "last_modified": 1_700_000_000_000}),
        operations.create(f"{RECORDS}/t9", {"n": 7, "last_modified": 1_700_000_000_000}),
        operations.delete(f"{RECORDS}/t9"),
    ],
    ids=["ahead", "behind", "back in time", "created back in time", "deleted"],
)
def test_what_is_written_between_two_pages_neither_hides_nor_doubles_a_record(client, write):
    gone = [{"id": "t9"}] if write.method == "DELETE" else []
    create_things(client, [*({"id": f"t{at}", "n": at} for at in range(7)), *gone])
    found, writes = [], iter([write])

    def take(objects):
        found.extend(data["id"] for data in objects)
        for each_write in writes:
            client.connection.perform(each_write)

    # Not as a stream, which asks for the next page before it hands on one.
    client.connection.run(each(snapshot(RECORDS, EVERY, 3, as_it_is), take))
    assert sorted(set(found) - {"t9"}) == [f"t{at}" for at in range(7)]
    assert len(found) == len(set(found))
    assert ("t9" in found) is (write.method != "DELETE" and "t9" in write.path)


def test_while_others_write_a_snapshot_misses_nothing_and_gives_nothing_twice(server, client):
    names = [f"{at:03}" for at in range(400)]
    create_things(client, [{"id": name, "n": at} for at, name in enumerate(names)])
    lasting, deletable = names[:300], names[300:]
    with server.client() as another, Writer(another, lasting, deletable) as writer:
        for _ in range(4):
            before = writer.written
            found = ids_of(client, page_size=20)
            assert writer.written > before
            assert len(found) == len(set(found))
            assert set(lasting) <= set(found)


def test_of_a_list_that_may_not_be_read_those_are_there_that_may(server, client):
    create_things(client, [{"id": f"t{at}", "n": at} for at in range(9)])
    for at in range(0, 9, 2):
        client.connection.perform(operations.update(f"{RECORDS}/t{at}", {}, {"read": ["system.Everyone"]}))
    with Client(server.url) as anybody, record(anybody) as recording:
        assert ids_of(anybody, page_size=2) == [f"t{at}" for at in range(0, 9, 2)]
        assert [one.method for one in recording] == ["GET"] * 3 + ["HEAD"]
