import random

import pytest

from kintomodel.errors import Conflict, ServerError, UnreadableResponse, UnsupportedByServer
from kintomodel.protocol import operations
from kintomodel.protocol.objects import Page, Response
from kintomodel.query.conditions import NOTHING, And, Comparison, Not, Or
from kintomodel.query.query import Query, Sort
from kintomodel.query.scanning import Found, count, each, exists, scan
from kintomodel.testing import KintoServer
from kintomodel.testing.transports import record
from tests.playing import heard
from tests.restless_writer import RestlessWriter

RECORDS = "/buckets/shop/collections/things/records"
BY_N = (Sort(("n",), scalars=True),)
MIXED = (Sort(("n",)),)
CONFLICT = Conflict("changed", status=412, method="GET", path=RECORDS)


def thing(name, n=0, at=1):
    return {"id": name, "n": n, "last_modified": at}


def drive(stream, answers):
    """What the stream asks, and what it finds, if Kinto answers so."""
    asked, found, left = [], [], iter(answers)
    try:
        step = next(stream)
        while True:
            if isinstance(step, Found):
                found += [data["id"] for data in step.objects]
                step = next(stream)
                continue
            asked.append((step.method, dict(step.params), dict(step.headers)))
            answer = next(left)
            is_error = isinstance(answer, Exception)
            step = stream.throw(answer) if is_error else stream.send(heard(step, answer))
    except StopIteration:
        assert next(left, None) is None
        return asked, found


def scanned(query, answers, page_size=2):
    return drive(scan(RECORDS, query, page_size), answers)


def page(*names, more=None, at=9, clock=60_000):
    return Page(tuple(map(thing, names)), more, at, clock)


def test_pages_follow_in_the_order_of_the_ids():
    asked, found = scanned(Query(), [page("a", "b", more="_token=x&_limit=2"), page("c")])
    assert found == ["a", "b", "c"]
    first = {"_sort": "id", "_limit": "2"}
    assert asked == [("GET", first, {}), ("GET", {**first, "gt_id": '"b"'}, {})]


def test_pages_follow_in_the_reverse_order_of_the_ids():
    asked, found = scanned(Query(backwards=True), [page("c", "b", more="_token=x"), page("a")])
    assert found == ["c", "b", "a"]
    first = {"_sort": "-id", "_limit": "2"}
    assert asked == [("GET", first, {}), ("GET", {**first, "lt_id": '"b"'}, {})]


def test_pages_of_a_range_of_ids_stay_in_it():
    query = Query(And((Comparison(("id",), "gt", "a"), Comparison(("id",), "lt", "d"))))
    asked, _ = scanned(query, [page("b", "c", more="_token=x"), page()])
    assert [(params["gt_id"], params["lt_id"]) for _, params, _ in asked] == [('"a"', '"d"'), ('"c"', '"d"')]


def test_a_page_without_objects_is_the_last():
    assert scanned(Query(), [page("a", "b", more="_token=x"), page(more="_token=y")])[1] == ["a", "b"]


def test_filters_are_sent():
    asked, _ = scanned(Query(Comparison(("n",), "eq", 1), BY_N), [page()])
    assert asked == [("GET", {"eq_n": "1", "_sort": "n,-last_modified,id", "_limit": "2"}, {})]


def test_nothing_is_asked_where_nothing_can_match():
    assert scanned(Query(NOTHING), []) == ([], [])


def test_nothing_is_asked_for_an_empty_slice():
    assert scanned(Query(start=3, stop=3), []) == ([], [])


def test_a_slice_asks_for_no_more_than_it_needs():
    asked, found = scanned(Query(start=1, stop=3), [page("a", "b", "c", more="_token=x")], page_size=100)
    assert found == ["b", "c"]
    assert [params["_limit"] for _, params, _ in asked] == ["3"]


def test_a_slice_of_an_order_ends_with_it():
    asked, found = scanned(Query(sort=BY_N, stop=1), [page("a", more="_token=x")])
    assert found == ["a"]
    assert len(asked) == 1


def test_a_residual_is_applied_to_each_page():
    residual = Not(Comparison(("n",), "gt", 0))
    pages = [Page((thing("a", 1), thing("b", 0)), "_token=x"), Page((thing("c", 0), thing("d", 0)))]
    asked, found = scanned(Query(residual, start=1, stop=2), pages)
    assert found == ["c"]
    assert asked[0][1]["_limit"] == "2"


def test_an_order_goes_on_as_long_as_nothing_was_written():
    answers = [page("a", "b", more="_token=x"), page("c", more="_token=y", at=10), page("d"), 4]
    asked, found = scanned(Query(sort=BY_N), answers)
    assert found == ["a", "b", "c", "d"]
    guards = [headers.get("If-Match") for _, _, headers in asked]
    assert guards == [None, '"9"', '"9"', '"9"']


def test_the_last_page_of_an_order_is_believed_only_if_nothing_was_written_meanwhile():
    again = Page((thing("a", 1), thing("b", 5), thing("c", 2)))
    asked, found = scanned(Query(sort=BY_N), [page("a", more="_token=x"), page("b"), CONFLICT, again])
    assert found == ["a", "c", "b"]
    assert asked[2] == ("HEAD", {}, {"If-Match": '"9"'})
    assert asked[3] == ("GET", {"_sort": "id", "_limit": "2"}, {})


def test_an_order_of_one_page_is_one_request():
    asked, found = scanned(Query(sort=BY_N), [page("a", "b")])
    assert (len(asked), found) == (1, ["a", "b"])


def test_after_a_write_the_rest_of_an_order_is_read_by_id():
    rest = [
        Page((thing("a", 9), thing("c", 3, at=1)), "_token=z"),
        Page((thing("d", 2), thing("e", 3, at=2))),
    ]
    asked, found = scanned(Query(sort=BY_N), [page("a", "b", more="_token=x"), CONFLICT, *rest])
    assert found == ["a", "b", "d", "e", "c"]
    assert [params.get("_sort") for _, params, _ in asked] == ["n,-last_modified,id", None, "id", "id"]


def test_after_a_write_a_slice_keeps_its_bounds():
    query = Query(sort=BY_N, start=1, stop=4)
    rest = Page((thing("c", 3), thing("d", 2), thing("e", 1)))
    _, found = scanned(query, [page("a", "b", more="_token=x"), CONFLICT, rest])
    assert found == ["b", "e", "d"]


def test_nothing_comes_twice_in_an_order():
    _, found = scanned(Query(sort=BY_N), [page("a", "b", more="_token=x"), page("b", "c"), 4])
    assert found == ["a", "b", "c"]


def test_an_order_that_kinto_cannot_give_is_made_here():
    answers = [Page((thing("a", [1]), thing("b", 2)), "_token=x"), Page((thing("c", None),))]
    asked, found = scanned(Query(sort=MIXED, stop=2), answers)
    assert found == ["c", "b"]
    assert asked[0] == ("GET", {"_sort": "id", "_limit": "2"}, {})


def test_an_order_made_here_can_be_a_backward_one():
    _, found = scanned(Query(sort=MIXED, backwards=True, start=1), [Page((thing("a", 1), thing("b", 2)))])
    assert found == ["a"]


EITHER = Or((Comparison(("n",), "eq", 5), Comparison(("m",), "eq", 5)))
LAST_LOOK = ("GET", {"_limit": "1"}, {"If-Match": '"9"'})


def test_alternatives_are_merged_and_what_is_in_both_comes_once():
    answers = [page("a", "c", more="_token=x"), page("b", "c"), page("d"), page("z")]
    asked, found = scanned(Query(EITHER), answers)
    assert found == ["a", "b", "c", "d"]
    assert asked == [
        ("GET", {"eq_n": "5", "_sort": "id", "_limit": "2"}, {}),
        ("GET", {"eq_m": "5", "_sort": "id", "_limit": "2"}, {"If-Match": '"9"'}),
        ("GET", {"_token": "x"}, {"If-Match": '"9"'}),
        LAST_LOOK,
    ]


def test_alternatives_are_merged_backwards():
    _, found = scanned(Query(EITHER, backwards=True), [page("c", "a"), page("c", "b"), page()])
    assert found == ["c", "b", "a"]


def test_alternatives_are_merged_in_the_order_that_is_wanted():
    key = Sort(("k",), scalars=True)
    first = Page(({"id": "x", "k": 1, "last_modified": 1}, {"id": "y", "last_modified": 2}), None, 9, 60_000)
    second = Page(({"id": "z", "k": 2, "last_modified": 1}, {"id": "y", "last_modified": 2}), None, 9, 60_000)
    asked, found = scanned(Query(EITHER, (key,)), [first, second, page()])
    assert found == ["x", "z", "y"]
    assert asked[-1] == LAST_LOOK


DOWN = Sort(("k",), descending=True, scalars=True)


def kept(name, at=1, **data):
    return {"id": name, "last_modified": at, **data}


def test_of_a_descending_order_those_without_the_key_wait_for_the_others():
    pages = [
        Page((kept("a", 9), kept("b", 8)), "_token=x", 9, 60_000),
        Page((kept("c", k=2), kept("d", k=1)), None, 9, 60_000),
        4,
    ]
    asked, found = scanned(Query(sort=(DOWN,)), pages)
    assert found == ["c", "d", "a", "b"]
    assert [params.get("_sort") for _, params, _ in asked] == ["-k,-last_modified,id", None, None]
    assert scanned(Query(sort=(DOWN,), start=1), pages)[1] == ["d", "a", "b"]


def test_those_without_a_later_key_wait_for_the_others_of_their_group():
    keys = (Sort(("g",), scalars=True), DOWN, Sort(("l",), descending=True, scalars=True))
    answer = Page(
        (
            kept("a", g=1), kept("b", g=1, l=5), kept("c", g=1, k=3), kept("d", g=1, k=3, l=2),
            kept("e", g=1, k=1, l=1), kept("f", g=2), kept("g", g=3, k=1, l=1), kept("h"), kept("i", k=1),
        ),
        None,
        9,
        60_000,
    )  # fmt: skip
    assert scanned(Query(sort=keys), [answer])[1] == ["d", "c", "e", "b", "a", "f", "g", "i", "h"]


def test_of_a_slice_those_without_the_key_are_asked_for_when_they_are_wanted():
    asked, found = scanned(Query(sort=(DOWN,), stop=2), [page("a", "b")])
    assert (len(asked), found) == (1, ["a", "b"])
    answers = [page("a", "b"), page("c"), page()]
    asked, found = scanned(Query(sort=(DOWN,), stop=3), answers, page_size=3)
    assert [params.get("has_k") for _, params, _ in asked] == ["true", "false", None]
    assert found == ["a", "b", "c"]


def test_after_a_write_the_rest_of_the_alternatives_is_one_listing():
    answers = [page("a", "c", more="_token=x"), page("b", "d"), CONFLICT]
    rest = Page(({"id": "c", "n": 5}, {"id": "d", "n": 0}, {"id": "e", "m": 5}))
    asked, found = scanned(Query(EITHER, start=1), [*answers, rest])
    # What the second page brought is not believed: nothing guarded came after it.
    assert asked[-1] == ("GET", {"_sort": "id", "_limit": "2"}, {})
    assert found == ["b", "c", "e"]


def test_what_is_known_to_be_right_is_not_read_again():
    answers = [page("a", more="_token=x"), page("b", "d"), page("c", more="_token=y"), CONFLICT]
    rest = Page(({"id": "b", "n": 5}, {"id": "c", "n": 5}, {"id": "c2", "m": 5}, {"id": "d", "m": 5}))
    asked, found = scanned(Query(EITHER), [*answers, rest])
    assert asked[-1] == ("GET", {"gt_id": '"a"', "_sort": "id", "_limit": "2"}, {})
    assert found == ["a", "b", "c", "c2", "d"]


def test_what_is_known_to_be_right_backwards_is_not_read_again():
    answers = [page("d", more="_token=x"), page("c", "a"), page("b", more="_token=y"), CONFLICT]
    asked, found = scanned(Query(EITHER, backwards=True), [*answers, Page(({"id": "a", "n": 5},))])
    assert asked[-1] == ("GET", {"lt_id": '"d"', "_sort": "-id", "_limit": "2"}, {})
    assert found == ["d", "c", "b", "a"]


def test_a_write_before_the_last_look_is_noticed():
    rest = Page(({"id": "a", "n": 5}, {"id": "b", "m": 5}))
    asked, found = scanned(Query(EITHER), [page("a"), page(), CONFLICT, rest])
    assert asked[2] == LAST_LOOK
    assert found == ["a", "b"]


def test_a_slice_of_alternatives_ends_when_it_is_full():
    asked, found = scanned(Query(EITHER, stop=2), [page("a", "c", more="_token=x"), page("b"), page()])
    assert found == ["a", "b"]
    assert [params["_limit"] for _, params, _ in asked] == ["2", "2", "1"]


def texts(*values, more=None):
    things = tuple({"id": f"t{at}", "n": value, "last_modified": 1} for at, value in enumerate(values))
    return Page(things, more, 9, 60_000)


def test_an_order_of_texts_by_another_collation_is_made_here():
    asked, found = scanned(Query(sort=BY_N), [texts("a", "B", "c"), texts("a", "B", "c")])
    assert found == ["t1", "t0", "t2"]
    assert [params["_sort"] for _, params, _ in asked] == ["n,-last_modified,id", "id"]
    downwards = (Sort(("n",), descending=True, scalars=True, missing_first=True),)
    assert scanned(Query(sort=downwards), [texts("c", "B", "a")] * 2)[1] == ["t0", "t2", "t1"]


def test_another_collation_that_is_seen_too_late_is_an_error():
    with pytest.raises(UnsupportedByServer, match="collation other than code points"):
        scanned(Query(sort=BY_N), [texts("a", "b", more="_token=x"), texts("c", "B")])


def test_values_that_are_no_texts_have_no_collation():
    assert scanned(Query(sort=BY_N), [texts("z", 2, 1, None, "a")])[1] == ["t0", "t1", "t2", "t3", "t4"]


@pytest.mark.parametrize("value", [2.9082155041939558e-11, -1e30, 10**30, -(2**63) - 1])
def test_an_order_does_not_go_on_from_a_number_that_kinto_misreads(value):
    rest = Page((thing("a", value), thing("b", value, at=2), thing("c", 1)))
    asked, found = scanned(Query(sort=BY_N), [Page((thing("a", value),), "_token=x", 9, 60_000), rest])
    assert found == ["a", "b", "c"] if value < 1 else ["a", "c", "b"]
    assert [params["_sort"] for _, params, _ in asked] == ["n,-last_modified,id", "id"]


@pytest.mark.parametrize("value", [0.1, -1.5, 2**63, True, None, "a"])
def test_an_order_goes_on_from_other_values(value):
    asked, found = scanned(
        Query(sort=BY_N), [Page((thing("a", value),), "_token=x", 9, 60_000), texts(value), 2]
    )
    assert found == ["a", "t0"]
    assert asked[1] == ("GET", {"_token": "x"}, {"If-Match": '"9"'})


def test_a_slice_that_is_full_need_not_go_on():
    asked, found = scanned(Query(sort=BY_N, stop=1), [Page((thing("a", 1e30),), "_token=x", 9, 60_000)])
    assert (len(asked), found) == (1, ["a"])


def test_an_order_that_goes_round_is_made_here():
    rest = Page((thing("a", 1), thing("b", 2), thing("c", 3)))
    _, found = scanned(Query(sort=BY_N), [page("a", "b", more="_token=x"), page("b", more="_token=y"), rest])
    assert found == ["a", "b", "c"]
    pages = [page("a", more="_token=x"), page("b", more="_token=y"), page("a", more="_token=x")]
    assert scanned(Query(sort=BY_N), [*pages, rest])[1] == ["a", "b", "c"]
    empty = page(more="_token=x")
    assert scanned(Query(sort=BY_N), [empty, empty, rest])[1] == ["a", "b", "c"]


def test_a_last_page_is_decoded_object_by_object_as_they_are_wanted():
    turns = []

    def split():
        for name in ("a", "b"):
            turns.append(name)
            yield thing(name), b"text"

    stream = scan(RECORDS, Query(), 2)
    found = stream.send(next(stream).read(Response(200, split=split)))
    objects = iter(found.objects)
    assert turns == []
    assert (next(objects), turns) == (thing("a"), ["a"])
    assert (list(objects), turns) == ([thing("b")], ["a", "b"])


@pytest.mark.parametrize("more", [None, "_token=x"])
def test_a_page_by_id_without_ids_says_what_was_asked(more):
    headers = {"next-page": f"http://kinto/v1{RECORDS}?{more}"} if more else {}
    stream = scan(RECORDS, Query(), 2)
    answer = next(stream).read(Response(200, headers, {"data": [{"n": 1}]}))
    with pytest.raises(UnreadableResponse, match=f"^GET {RECORDS}: 200, "):
        list(stream.send(answer).objects)


def run(flow, answers):
    """What the flow asks, and what it returns, if Kinto answers so."""
    asked = []
    try:
        operation = next(flow)
        for answer in answers:
            asked.append((operation.method, dict(operation.params)))
            is_error = isinstance(answer, Exception)
            operation = flow.throw(answer) if is_error else flow.send(heard(operation, answer))
    except StopIteration as end:
        return asked, end.value
    raise AssertionError(f"{operation} was asked, too")


def told(query, answers):
    return run(exists(RECORDS, query, 2), answers)


def test_one_is_enough_to_exist():
    query = Query(Comparison(("n",), "eq", 1), sort=MIXED, backwards=True, stop=7)
    assert told(query, [page("a")]) == ([("GET", {"eq_n": "1", "_sort": "id", "_limit": "1"})], True)
    assert told(query, [page()])[1] is False
    assert told(Query(NOTHING), []) == ([], False)
    assert told(Query(start=2, stop=2), []) == ([], False)


def test_alternatives_are_tried_one_after_the_other_to_exist():
    asked, result = told(Query(EITHER), [page("a")])
    assert (len(asked), result) == (1, True)
    asked, result = told(Query(EITHER), [page(), page("b")])
    assert (len(asked), result) == (2, True)
    asked, result = told(Query(EITHER), [page(), page(), page()])
    assert (len(asked), result) == (3, False)
    assert told(Query(EITHER), [page(), page(), CONFLICT, Page(({"id": "z", "m": 5},))])[1] is True


def test_of_a_slice_there_must_be_more_than_those_before_it_to_exist():
    assert told(Query(EITHER, start=1), [page("a"), page("a"), page()])[1] is False
    assert told(Query(EITHER, start=1), [page("a"), page("b"), page()])[1] is True
    assert told(Query(start=1), [page("a", "b")])[1] is True


def test_an_error_ends_the_stream():
    stream = each(scan(RECORDS, Query(), 2), list)
    next(stream)
    with pytest.raises(ServerError):
        stream.throw(ServerError("broken", status=500, method="GET", path=RECORDS))


def counted(query, answers):
    return run(count(RECORDS, query, 2), answers)


def test_what_the_server_can_say_is_counted_by_one_head():
    query = Query(Comparison(("n",), "eq", 1), sort=MIXED)
    assert counted(query, [7]) == ([("HEAD", {"eq_n": "1"})], 7)


def test_a_slice_is_counted():
    assert counted(Query(start=2, stop=5), [4])[1] == 2
    assert counted(Query(start=7), [4])[1] == 0


def test_nothing_is_counted_without_a_request():
    assert counted(Query(NOTHING), []) == ([], 0)


def test_the_rest_is_counted_here_in_any_order():
    query = Query(Not(Comparison(("n",), "gt", 0)), sort=MIXED)
    answers = [Page((thing("a"), thing("b", 1)), "_token=x"), Page((thing("c"),))]
    asked, result = counted(query, answers)
    assert result == 2
    assert [params.get("gt_id") for _, params in asked] == [None, '"b"']


def create_things(client, things):
    perform = client.connection.perform
    perform(operations.create("/buckets/shop", {}))
    perform(operations.create("/buckets/shop/collections/things", {}))
    writes = [operations.create(f"{RECORDS}/{data['id']}", data) for data in things]
    for result in client.connection.perform_all(writes):
        assert not isinstance(result, Exception), result


def ids_of(client, query, page_size):
    return [data["id"] for data in client.connection.stream(scan(RECORDS, query, page_size))]


ORDERS = [
    (),
    BY_N,
    (Sort(("n",), descending=True, scalars=True),),
    (Sort(("last_modified",)),),
    MIXED,
]


class Writer(RestlessWriter):
    """Moves, inserts and deletes things until it is stopped."""

    def writes(self, chance):
        for name in chance.sample(self.movable, 5):
            yield operations.update(f"{RECORDS}/{name}", {"n": chance.randint(0, 2000)})
        fresh = f"{chance.randint(0, 9)}-new-{chance.getrandbits(64)}"
        yield operations.create(f"{RECORDS}/{fresh}", {"n": chance.randint(0, 2000)})
        if self.deletable:
            yield operations.delete(f"{RECORDS}/{self.deletable.pop()}")


@pytest.mark.parametrize(
    ("size", "page_size"), [(400, 20), pytest.param(20_000, 1000, marks=pytest.mark.slow)]
)
def test_while_others_write_a_scan_misses_nothing_and_gives_nothing_twice(server, client, size, page_size):
    names = [f"{at:05}" for at in range(size)]
    random.Random(0).shuffle(names)
    create_things(client, [{"id": name, "n": at} for at, name in enumerate(names)])
    lasting, deletable = names[: size * 3 // 4], names[size * 3 // 4 :]
    low, high = Comparison(("n",), "le", 1000), Comparison(("n",), "gt", 1000)
    queries = [
        Query(),
        Query(Comparison(("n",), "ge", 0), BY_N),
        Query(sort=(Sort(("last_modified",)),)),
        # Each of them is at any time in one of the two, though not always in the same.
        Query(Or((low, high))),
        Query(Or((low, high)), (Sort(("n",), descending=True, scalars=True),)),
    ]
    with server.client() as another, Writer(another, lasting, deletable) as writer:
        for query in queries:
            before = writer.written
            found = ids_of(client, query, page_size)
            assert writer.written > before
            assert len(found) == len(set(found))
            assert set(lasting) <= set(found)


def test_after_the_first_page_of_an_order_a_write_is_noticed(client):
    create_things(client, [{"id": f"t{at}", "n": at} for at in range(6)])
    found = []

    def take(objects):
        if not found:
            client.connection.perform(operations.update(f"{RECORDS}/t5", {"n": -1}))
            client.connection.perform(operations.update(f"{RECORDS}/t0", {"n": 99}))
        found.extend(data["id"] for data in objects)

    # Not as a stream, which asks for the next page before it hands on one.
    client.connection.run(each(scan(RECORDS, Query(sort=BY_N), 2), take))
    assert found == ["t0", "t1", "t5", "t2", "t3", "t4"]


# As they are written, and as Kinto reads them again: less, and more.
@pytest.mark.parametrize("value", [2.908215504193956e-11, 7.88723351135513e-11, -2.908215504193956e-11])
def test_an_order_of_floats_that_kinto_misreads_is_complete(client, value):
    equal = [{"id": f"t{at}", "n": value} for at in range(4)]
    create_things(client, [*equal, {"id": "s", "n": -1.5}, {"id": "u", "n": 1.5}])
    for descending in (False, True):
        query = Query(sort=(Sort(("n",), descending, scalars=True),))
        first, *several, last = ids_of(client, query, 1)
        assert (first, last) == (("u", "s") if descending else ("s", "u"))
        assert several == ["t3", "t2", "t1", "t0"]
        assert ids_of(client, query._replace(start=2, stop=4), 1) == ["t2", "t1"]


def test_slices_are_those_of_the_whole(client):
    create_things(client, [{"id": f"t{at}", "n": at % 3} for at in range(7)])
    for sort in ORDERS:
        whole = ids_of(client, Query(sort=sort), 100)
        bounds = [
            (0, None),
            (0, 1),
            (2, 5),
            (5, 100),
            (6, None),
            (9, None),
            (3, 10**30),
            (10**30, 10**30 + 1),
        ]
        for start, stop in bounds:
            assert ids_of(client, Query(sort=sort, start=start, stop=stop), 2) == whole[start:stop]


def test_a_list_is_read_in_as_many_pages_as_it_needs(client):
    create_things(client, [{"id": f"t{at:02}", "n": at} for at in range(25)])
    with record(client) as recording:
        assert len(ids_of(client, Query(), 10)) == 25
        assert [operation.method for operation in recording.operations] == ["GET"] * 3
        recording.clear()
        # The fourth counts what there is, the fifth looks at what was written lately.
        assert len(ids_of(client, Query(sort=BY_N), 10)) == 25
        methods = [operation.method for operation in recording.operations]
        assert methods == ["GET"] * 3 + ["HEAD", "GET"]


def test_a_server_that_gives_less_than_a_page_is_obeyed():
    with KintoServer(settings={"paginate_by": 3}) as server, server.client() as client:
        create_things(client, [{"id": f"t{at}", "n": -at} for at in range(8)])
        with record(client) as recording:
            assert ids_of(client, Query(), 1000) == [f"t{at}" for at in range(8)]
            assert len(recording) == 3
        assert ids_of(client, Query(sort=BY_N, start=2, stop=7), 1000) == ["t5", "t4", "t3", "t2", "t1"]
        assert client.connection.run(count(RECORDS, Query(), 1000)) == 8
