"""What a list is asked for, of objects that the server does not have."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from kintomodel import UsageError
from kintomodel.protocol import operations
from kintomodel.rehearsal import filters

OBJECT: dict[str, Any] = {
    "id": "r", "last_modified": 5, "n": 3, "s": "b", "no": None, "yes": True, "tags": ["a", 1],
    "in": {"a": 1},
}  # fmt: skip


def holds(name: str, value: str) -> bool:
    several = filters.wanted(operations.list_page("/buckets", {name: value, "_sort": "n"}))
    return all(one.matches(OBJECT) for one in several)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("eq_n", "3", True), ("eq_n", '"3"', False), ("n", "3.0", True), ("eq_yes", "1", False),
        ("eq_s", "b", True),
        ("eq_in.a", "1", True), ("eq_in.b", "1", False), ("eq_n.a", "1", False), ("not_missing", "1", True),
        ("not_n", "3", False), ("in_n", "1,3", True), ("exclude_n", "1,3", False),
        ("exclude_missing", "1", True),
        ("has_n", "true", True), ("has_missing", "false", True), ("has_no", "false", False),
        ("min_n", "3", True), ("gt_n", "3", False), ("max_n", "3", True), ("lt_n", "3", False),
        # null, strings, numbers, booleans, arrays, objects, missing
        ("gt_no", "null", False), ("gt_s", "null", True), ("gt_n", '"z"', True), ("gt_yes", "9", True),
        ("gt_tags", "true", True), ("gt_in", "true", True), ("gt_missing", "true", True),
        ("lt_missing", "true", False),
        ("contains_tags", '["a",1]', True), ("contains_tags", '["a",2]', False),
        ("contains_tags", '"a"', True),
        ("contains_any_tags", "[2,1]", True), ("contains_any_s", '["b"]', False),
        ("contains_missing", "[]", False),
    ],
)  # fmt: skip
def test_a_filter_finds_what_it_finds_on_the_server(name: str, value: str, expected: bool) -> None:
    assert holds(name, value) is expected


@pytest.mark.parametrize(("name", "value"), [("like_s", "b"), ("min_tags", "[]"), ("lt_in", "{}")])
def test_what_means_two_things_is_refused(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"GET /buckets: .* match {name}: ask without this filter"):
        holds(name, value)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, False), ({"_sort": "last_modified"}, False), ({"_since": "1"}, True),
        ({"gt_last_modified": "1"}, True),
        ({"gt_last_modified": "1", "not_deleted": "true"}, False),
    ],
)  # fmt: skip
def test_tombstones_are_listed_where_the_time_is_looked_at(params: dict[str, str], expected: bool) -> None:
    assert filters.shows_tombstones(params) is expected


def test_an_order_is_that_of_kinto() -> None:
    several = [{"id": id, "last_modified": at, "n": at // 2} for at, id in enumerate("abcd")]
    for sort, expected in [
        ("", "dcba"),
        ("id", "abcd"),
        ("-id,n", "dcba"),
        ("n", "badc"),
        ("-n,last_modified", "cdab"),
    ]:
        order = filters.order({"_sort": sort} if sort else {})
        found = order.of(several)
        assert "".join(one["id"] for one in found) == expected
        for one, other in pairwise(found):
            assert (order.is_before(one, other), order.is_before(other, one)) == (True, False)
        assert not order.is_before(found[0], found[0])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("n", {"n": 3}), ("n.a,missing", {"n": 3}), ("in.a,in.b", {"in": {"a": 1}}),
        ("in.b,s", {"in": {}, "s": "b"}),
    ],
)  # fmt: skip
def test_a_part_has_the_id_and_the_time(fields: str, expected: dict[str, Any]) -> None:
    assert filters.part(OBJECT, fields) == {"id": "r", "last_modified": 5, **expected}
    assert filters.part(OBJECT, None) == OBJECT
