from typing import Any

import pytest

from kintomodel.errors import NotFound, UnreadableResponse
from kintomodel.protocol import operations
from kintomodel.protocol.objects import Page, Response, StoredObject, Unchanged
from kintomodel.protocol.operations import Raised
from kintomodel.protocol.paths import CollectionPath
from kintomodel.protocol.tokens import Token, version
from kintomodel.query.feed import Feed
from kintomodel.query.scanning import Found

PATH = CollectionPath("payments", "receipts")
OVERLAP = 5000
NOW = 100_000
LATER = NOW + 10 * OVERLAP
COLLECTION = StoredObject({"id": "receipts", "last_modified": 7})
IDLE = Token("payments/receipts", 7, NOW, NOW)

ALL = {"_sort": "id", "_limit": "2"}


def since(time: int) -> dict[str, str]:
    return {"_since": str(time), "_sort": "last_modified,id", "_limit": "2"}


def thing(id: str, at: int) -> dict[str, Any]:
    return {"id": id, "last_modified": at}


def page(*things: tuple[str, int], time: int, clock: int | None, more: str | None = None) -> Page:
    return Page(tuple(thing(*one) for one in things), more, time, clock)


def marks(*things: tuple[str, int]) -> frozenset[bytes]:
    return frozenset(version(thing(*one)) for one in things)


def played(
    token: Token | None, *answers: Any, clock: int | None = LATER
) -> tuple[Feed, list[str], list[Any]]:
    """The feed at its end, what it found, and what it asked: the collection, or params and condition."""
    feed = Feed(PATH, token, OVERLAP, 2, clock)
    stream = feed.stream()
    asked: list[Any] = []
    found: list[str] = []
    left = iter(answers)
    try:
        step = next(stream)
        while True:
            if isinstance(step, Found):
                found += [f"{data['id']}@{data['last_modified']}" for data in step.objects]
                step = next(stream)
            else:
                is_list = step.path == PATH.records
                asked.append((step.params, step.headers.get("If-None-Match")) if is_list else step.path)
                answer = next(left)
                step = stream.send(Raised(answer) if isinstance(answer, Exception) else answer)
    except StopIteration:
        assert next(left, None) is None
        return feed, found, asked


def test_without_a_token_everything_is_read_by_id():
    feed, found, asked = played(
        None,
        COLLECTION,
        page(("a", 9), ("b", 30), time=NOW, clock=NOW + 6000, more="_token=x"),
        page(("c", 8), time=NOW, clock=NOW + 6000),
    )
    assert found == ["a@9", "b@30", "c@8"]
    assert asked == ["/buckets/payments/collections/receipts", (ALL, None), ({"_token": "x"}, None)]
    assert (feed.is_full, feed.next) == (True, IDLE)


def test_a_list_of_the_same_time_is_one_without_news():
    feed, found, asked = played(IDLE, Unchanged(LATER))
    assert (found, asked) == ([], [(since(NOW), f'"{NOW}"')])
    assert (feed.is_full, feed.next) == (False, IDLE)


def test_what_was_written_since_comes_in_order_and_is_asked_for_again_for_a_while():
    feed, found, asked = played(
        IDLE,
        page(("b", NOW + 10), ("c", NOW + 20), time=NOW + 30, clock=NOW, more="_token=x"),
        COLLECTION,
        page(("a", NOW + 30), time=NOW + 40, clock=NOW + 1000),
    )
    assert found == ["b@100010", "c@100020", "a@100030"]
    # The condition is of the first page only.
    assert asked == [
        (since(NOW), f'"{NOW}"'),
        "/buckets/payments/collections/receipts",
        ({"_token": "x"}, None),
    ]
    seen = marks(("b", NOW + 10), ("c", NOW + 20), ("a", NOW + 30))
    assert feed.next == Token("payments/receipts", 7, NOW + 30, NOW, seen)
    assert not feed.is_full


def test_what_becomes_visible_late_is_found_though_the_time_of_the_list_stays():
    token = IDLE._replace(time=NOW + 30, settled=NOW, seen=marks(("a", NOW + 30)))
    late = page(("b", NOW + 20), ("a", NOW + 30), time=NOW + 30, clock=NOW + 1000)
    feed, found, asked = played(token, late, clock=NOW)
    assert (found, asked) == (["b@100020"], [(since(NOW), None)])
    assert feed.next == token._replace(seen=marks(("b", NOW + 20), ("a", NOW + 30)))


def test_a_list_that_was_left_alone_for_long_is_settled():
    token = IDLE._replace(time=NOW + 30, settled=NOW, seen=marks(("a", NOW + 30)))
    again = [("a", NOW + 30)]
    just_not = page(*again, time=NOW + 30, clock=NOW + 30 + OVERLAP)
    assert not played(token, just_not)[0].next.is_settled
    settled = page(*again, time=NOW + 30, clock=NOW + 31 + OVERLAP)
    feed, found, _ = played(token, settled)
    assert (found, feed.next) == ([], IDLE._replace(time=NOW + 30, settled=NOW + 30))


BUSY = IDLE._replace(time=NOW + 30, settled=NOW, seen=marks(("a", NOW + 30)), was_full=True)


@pytest.mark.parametrize("guess", [NOW, NOW + 30 + OVERLAP, None])
def test_after_all_was_read_a_list_of_the_same_time_is_one_without_news_for_now(guess):
    feed, found, asked = played(BUSY, Unchanged(NOW + 30 + OVERLAP), clock=guess)
    assert (found, asked) == ([], [(since(NOW), f'"{NOW + 30}"')])
    assert (feed.is_full, feed.next) == (False, BUSY)


@pytest.mark.parametrize("guess", [NOW, None])
def test_in_the_end_it_is_asked_for_once_more(guess):
    at_rest = page(("b", NOW + 20), ("a", NOW + 30), time=NOW + 30, clock=NOW + 31 + OVERLAP)
    feed, found, asked = played(BUSY, Unchanged(NOW + 31 + OVERLAP), at_rest, clock=guess)
    assert (found, asked) == (["b@100020"], [(since(NOW), f'"{NOW + 30}"'), (since(NOW), None)])
    assert feed.next == IDLE._replace(time=NOW + 30, settled=NOW + 30)


def test_if_something_is_new_it_is_asked_for_again_at_once():
    new = page(("b", NOW + 20), ("a", NOW + 30), ("c", NOW + 40), time=NOW + 40, clock=NOW)
    _, found, asked = played(BUSY, new, COLLECTION, clock=NOW)
    assert found == ["b@100020", "c@100040"]
    assert asked[0] == (since(NOW), f'"{NOW + 30}"')


def test_where_the_server_names_no_clock_it_is_asked_for_again_each_time():
    feed, _, asked = played(BUSY, page(("a", NOW + 30), time=NOW + 30, clock=None))
    assert (feed.next, asked) == (BUSY._replace(was_full=False), [(since(NOW), None)])


def test_a_version_that_was_given_is_not_given_again_but_a_later_one_is():
    token = IDLE._replace(time=NOW + 30, settled=NOW, seen=marks(("a", NOW + 20), ("b", NOW + 30)))
    feed, found, _ = played(
        token, page(("b", NOW + 30), ("a", NOW + 40), time=NOW + 40, clock=NOW + 900), COLLECTION
    )
    assert found == ["a@100040"]
    assert feed.next.seen == marks(("b", NOW + 30), ("a", NOW + 40))


def test_what_is_written_between_the_time_of_the_list_and_its_page_is_not_given_again():
    feed, found, _ = played(IDLE, page(("a", NOW + 10), time=NOW + 1, clock=NOW + 9000), COLLECTION)
    assert (found, feed.next.seen) == (["a@100010"], marks(("a", NOW + 10)))
    assert feed.next.is_settled


def test_what_is_settled_stays_so_whatever_the_clock_says():
    feed, _, _ = played(IDLE, page(time=NOW + 1, clock=NOW - 60_000), COLLECTION)
    assert feed.next.settled == NOW


@pytest.mark.parametrize("clock", [NOW - 3000, None])
def test_a_time_that_somebody_chose_in_the_future_settles_nothing(clock):
    feed, _, _ = played(None, COLLECTION, page(("a", NOW), time=NOW, clock=clock))
    assert feed.next.settled == (NOW if clock is None else clock) - OVERLAP
    assert not feed.next.is_settled


def test_under_a_time_far_in_the_future_what_becomes_visible_late_is_asked_for_at_once():
    clock = NOW - 10 * OVERLAP
    feed, _, _ = played(None, COLLECTION, page(("a", NOW), time=NOW, clock=clock))
    late = page(("b", clock - 1000), ("a", NOW), time=NOW, clock=clock + 2000)
    feed, found, asked = played(feed.next, late, clock=clock)
    assert (found, asked) == ([f"b@{clock - 1000}"], [(since(clock - OVERLAP), None)])


def test_a_young_server_has_no_time_before_the_first():
    feed, _, _ = played(None, COLLECTION, page(time=30, clock=30))
    assert feed.next.settled == 0


@pytest.mark.parametrize(
    ("collection", "time"),
    [
        (StoredObject({"id": "receipts", "last_modified": 8}), NOW + 50),
        (COLLECTION, NOW - 50),
    ],
)
def test_where_the_token_is_of_another_list_everything_is_read(collection, time):
    feed, found, asked = played(
        IDLE,
        page(("z", time), time=time, clock=time),
        collection,
        collection,
        page(("a", 9), ("z", 10), time=time, clock=time + OVERLAP + 1),
    )
    assert (feed.is_full, found) == (True, ["a@9", "z@10"])
    assert [one[0] for one in asked] == [since(NOW), "/", "/", ALL]
    assert feed.next == Token("payments/receipts", collection.last_modified, time, time)


def test_a_long_reading_of_everything_ends_settled():
    feed, found, asked = played(
        None,
        COLLECTION,
        page(("a", 9), ("b", NOW), time=NOW, clock=NOW, more="_token=x"),
        page(("c", 8), time=NOW, clock=NOW + 6000),
        page(("a0", NOW - 1), ("b", NOW), time=NOW, clock=NOW + 6000),
    )
    assert found == ["a@9", "b@100000", "c@8", "a0@99999"]
    assert asked[-1] == (since(NOW - OVERLAP), None)
    assert feed.next == IDLE


def test_if_the_collection_was_emptied_during_a_long_reading_the_next_one_finds_out():
    feed, _, _ = played(
        None,
        COLLECTION,
        page(("a", 9), ("b", NOW), time=NOW, clock=NOW, more="_token=x"),
        page(("c", 8), time=NOW, clock=NOW + 6000),
        page(time=NOW + 9, clock=NOW + 6000),
        StoredObject({"id": "receipts", "last_modified": NOW + 5}),
    )
    assert feed.is_full
    assert feed.next == Token("payments/receipts", 7, NOW, NOW - OVERLAP, marks(("b", NOW)), True)


def test_an_error_is_raised_to_the_reader():
    with pytest.raises(NotFound):
        played(None, NotFound("gone", status=404))
    feed = Feed(PATH, None, OVERLAP, 2, LATER)
    next(feed.stream())
    assert feed.next is None


def test_a_list_without_a_time_cannot_be_followed():
    operation = operations.list_if_changed(PATH.records)
    with pytest.raises(
        UnreadableResponse, match=r"^GET .*/records: 200, the answer names no time of the list \(no ETag\)"
    ):
        operation.read(Response(200, {}, {"data": []}))
