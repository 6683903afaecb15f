"""Keys inside of nested objects that their classes do not declare survive a save."""

from __future__ import annotations

import dataclasses
import time
from decimal import Decimal
from typing import Annotated, Any, Generic, NewType, TypedDict, TypeVar

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintomodel import Model, field
from kintomodel.mapping.unknown import with_unknown

T = TypeVar("T")


@dataclasses.dataclass
class Line:
    price: Decimal
    label: str = ""


@attrs.define
class Address:
    city: str = field(default="", key="town")
    lines: list[Line] = attrs.field(factory=list)


@attrs.define
class Box(Generic[T]):
    content: T


class Options(TypedDict):
    width: int


Home = NewType("Home", Address)

KEPT = [
    (Address, {"town": "b"}, {"town": "a", "zip": [1]}, {"town": "b", "zip": [1]}),
    (Address | None, {"town": "b"}, {"town": "a", "zip": 1}, {"town": "b", "zip": 1}),
    (Annotated[Address, "x"], {"town": "b"}, {"zip": 1}, {"town": "b", "zip": 1}),
    (Home, {"town": "b"}, {"zip": 1}, {"town": "b", "zip": 1}),
    (Address | Line, {"town": "b"}, {"town": "a", "zip": 1}, {"town": "b", "zip": 1}),
    (Address | str, {"town": "b"}, {"town": "a", "zip": 1}, {"town": "b", "zip": 1}),
    (Address | Line, {"town": "b"}, {"price": 1, "label": "x"}, {"town": "b"}),
    (Box[Address], {"content": {"town": "b"}}, {"content": {"zip": 1}}, {"content": {"town": "b", "zip": 1}}),
    (Options, {"width": 2}, {"width": 1, "zip": 1}, {"width": 2, "zip": 1}),
    (Options, {"width": 2, "zip": 3, "x": 4}, {"zip": 1, "y": 2}, {"width": 2, "zip": 3, "x": 4, "y": 2}),
    (
        list[Options],
        [{"width": 2, "zip": 3}, {"width": 1}, {"width": 5, "x": 6}],
        [{"width": 1, "zip": 1}, {"width": 2, "zip": 2, "y": 2}],
        [{"width": 2, "zip": 3, "y": 2}, {"width": 1, "zip": 1}, {"width": 5, "x": 6}],
    ),
    (
        dict[str, Line],
        {"a": {"price": 2}, "c": {}},
        {"a": {"x": 1}, "b": {}},
        {"a": {"price": 2, "x": 1}, "c": {}},
    ),
    (list[dict[str, Line]], [{"a": {"price": 2}}], [{"a": {"x": 1}}], [{"a": {"price": 2}}]),
    (
        Address,
        {"lines": [{"price": 2}]},
        {"lines": [{"price": 1, "x": 1}]},
        {"lines": [{"price": 2, "x": 1}]},
    ),
    (tuple[Line, ...], [{"price": 1}], [{"price": 1, "x": 1}], [{"price": 1, "x": 1}]),
    (Any, {"a": 1}, {"b": 1}, {"a": 1}),
    (dict, {"a": 1}, {"b": 1}, {"a": 1}),
    (int | str, 1, "a", 1),
    (list, [1], [2], [1]),
    (Address, {"town": "b"}, None, {"town": "b"}),
    (Address, None, {"town": "b", "zip": 1}, None),
    (Address, {"town": "b"}, "somewhere", {"town": "b"}),
    (list[Line], [{"price": 1}], None, [{"price": 1}]),
]


@pytest.mark.parametrize(("kind", "new", "old", "expected"), KEPT)
def test_unknown_keys_are_kept_and_known_ones_are_not(kind, new, old, expected):
    assert with_unknown(kind, new, old) == expected


def line(price, **more):
    return {"price": price, "label": "", **more}


LISTS = [
    # nothing changed
    ([line(1), line(2)], [line(1, x=1), line(2, x=2)], [line(1, x=1), line(2, x=2)]),
    # one changed in its place
    ([line(1), line(9)], [line(1, x=1), line(2, x=2)], [line(1, x=1), line(9, x=2)]),
    # moved
    ([line(2), line(1)], [line(1, x=1), line(2, x=2)], [line(2, x=2), line(1, x=1)]),
    # taken out, put in
    ([line(2)], [line(1, x=1), line(2, x=2)], [line(2, x=2)]),
    ([line(0), line(1)], [line(1, x=1)], [line(0), line(1, x=1)]),
    # taken out and changed: nobody knows which it was
    ([line(9)], [line(1, x=1), line(2, x=2)], [line(9)]),
    # changed, and another one put in or taken out elsewhere
    ([line(9), line(2), line(3)], [line(1, x=1), line(2, x=2)], [line(9, x=1), line(2, x=2), line(3)]),
    ([line(2), line(9)], [line(1, x=1), line(2, x=2), line(3, x=3)], [line(2, x=2), line(9, x=3)]),
    (
        [line(0), line(1), line(8), line(9), line(4)],
        [line(1, x=1), line(2, x=2), line(3, x=3), line(4, x=4)],
        [line(0), line(1, x=1), line(8, x=2), line(9, x=3), line(4, x=4)],
    ),
    # beside it
    ([line(0), line(9), line(2)], [line(1, x=1), line(2, x=2)], [line(0), line(9), line(2, x=2)]),
    # changed where another one was that moved
    (
        [line(9), line(2), line(1), line(0)],
        [line(1, x=1), line(2, x=2), line(3, x=3)],
        [line(9), line(2, x=2), line(1, x=1), line(0)],
    ),
    # twins keep theirs apart
    ([line(1), line(1)], [line(1, x=1), line(1, x=2)], [line(1, x=1), line(1, x=2)]),
    # moved and changed at once
    ([line(2), line(9)], [line(1, x=1), line(2, x=2)], [line(2, x=2), line(9)]),
]


@pytest.mark.parametrize(("new", "old", "expected"), LISTS)
def test_items_of_a_list_keep_theirs(new, old, expected):
    assert with_unknown(list[Line], new, old) == expected


@given(st.lists(st.integers(0, 3)), st.randoms(use_true_random=False))
def test_reordering_a_list_loses_nothing(prices, random):
    old = [line(price, x=at) for at, price in enumerate(prices)]
    new = [line(price) for price in prices]
    random.shuffle(new)
    found = with_unknown(list[Line], new, old)
    assert [{"price": one["price"], "label": ""} for one in found] == new
    assert sorted(one["x"] for one in found) == list(range(len(prices)))


def test_a_long_list_takes_no_time():
    old = [line(price, x=price) for price in range(5_000)]
    assert with_unknown(list[Line], [line(price) for price in range(5_000)], old) == old


def test_what_is_kept_is_not_shared():
    old = {"town": "a", "zip": [1]}
    with_unknown(Address, {"town": "b"}, old)["zip"].append(2)
    assert old == {"town": "a", "zip": [1]}


def test_a_save_of_a_part_keeps_the_rest_on_the_server(payments):
    class Loose(Model, bucket="payments", collection="receipts"):
        address: Any

    class Receipt(Model, bucket="payments", collection="receipts"):
        address: Address

    given_lines = [line(1, vat=19), line(2, vat=7, more={"a": [1]})]
    Loose.objects.create(id="abc", address={"town": "Paris", "zip": "75", "lines": given_lines})
    receipt = Receipt.objects.get(id="abc")
    receipt.address.city = "Rome"
    receipt.address.lines[0].price = Decimal(3)
    receipt.save()
    assert Loose.objects.get(id="abc").address == {
        "town": "Rome",
        "zip": "75",
        "lines": [line(3, vat=19), line(2, vat=7, more={"a": [1]})],
    }


def test_thousands_of_edited_items_are_matched_at_once():
    old = [{"price": at, "label": "x", "x": at} for at in range(5000)]
    new = [{"price": float(at), "label": "x"} for at in reversed(range(5000))]
    begun = time.perf_counter()
    assert with_unknown(list[Line], new, old) == old[::-1]
    assert time.perf_counter() - begun < 10


def test_items_without_unknown_keys_are_taken_as_they_are():
    new = [{"price": 2, "label": "x"}]
    assert with_unknown(list[Line], new, [{"price": 1, "label": "x"}, {"label": "y"}]) is new


def test_items_are_found_by_all_that_is_known_of_them():
    old = [
        {"town": "a", "lines": [{"price": 1, "n": 1}], "at": 1},
        {"town": "a", "lines": [{"price": 2}, {"price": -0.0, "n": [2]}], "at": 2},
    ]
    new = [{"town": "b"}, {"town": "a", "lines": [{"price": 2}, {"price": 0}]}, {"town": "c"}]
    assert with_unknown(list[Address], new, old) == [{"town": "b", "at": 1}, old[1], new[2]]


def test_items_are_found_whatever_their_parts_are():
    cls = list[Box[dict[str, Any] | dict[str, Line]] | Box[dict[str, Line]]]
    old = [{"content": {"a": {"price": 1, "x": 1}}, "y": at} for at in range(2)]
    assert with_unknown(cls, [{"content": {"a": {"price": 2}}}], old) == [{"content": {"a": {"price": 2}}}]
    mapped = list[Box[dict[str, Line]]]
    edited = [{"content": {"b": {"price": 1}}}, {"content": {"a": {"price": 1}}}]
    assert with_unknown(mapped, edited, old)[1] == old[1]
    with_any = list[Box[Any]]
    content = {"content": {"free": 1}}
    assert with_unknown(with_any, [{"content": 1}, content], [{**content, "y": 1}])[1] == {**content, "y": 1}
