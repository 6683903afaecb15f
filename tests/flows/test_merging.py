"""Three-way merge."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kintomodel.flows.merging import Merge, merge

scalars = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(st.sampled_from("abc"), values, max_size=3)


def test_changes_of_different_attributes_are_put_together() -> None:
    merged = merge({"a": 1, "b": 1, "c": 1}, {"a": 2, "b": 1, "c": 1}, {"a": 1, "b": 1, "c": 3})
    assert merged == Merge({"a": 2, "b": 1, "c": 3})


def test_changes_inside_of_a_nested_object_are_put_together() -> None:
    base = {"address": {"street": "s", "city": "c", "zip": {"code": 1, "area": 1}}}
    mine = {"address": {"street": "S", "city": "c", "zip": {"code": 2, "area": 1}}}
    theirs = {"address": {"street": "s", "city": "C", "zip": {"code": 1, "area": 2}}}
    assert merge(base, mine, theirs).data == {
        "address": {"street": "S", "city": "C", "zip": {"code": 2, "area": 2}}
    }


def test_the_same_change_on_both_sides_is_no_overlap() -> None:
    assert merge({"a": 1}, {"a": 2}, {"a": 2}) == Merge({"a": 2})


def test_an_overlap_is_named_by_its_path_and_mine_stands_there() -> None:
    merged = merge({"a": {"b": 1}, "c": 1}, {"a": {"b": 2}, "c": 1}, {"a": {"b": 3}, "c": 4})
    assert merged == Merge({"a": {"b": 2}, "c": 4}, ("a.b",))


def test_removing_and_changing_the_same_attribute_overlap() -> None:
    assert merge({"a": 1}, {}, {"a": 2}).overlaps == ("a",)
    assert merge({"a": 1}, {"a": 2}, {}).overlaps == ("a",)


def test_an_attribute_that_one_side_removed_is_gone() -> None:
    assert merge({"a": 1, "b": 1}, {"b": 1}, {"a": 1, "b": 2}) == Merge({"b": 2})
    assert merge({"a": 1, "b": 1}, {"a": 1, "b": 2}, {"b": 1}) == Merge({"b": 2})


def test_the_same_new_object_on_both_sides_is_merged_inside() -> None:
    assert merge({}, {"a": {"x": 1}}, {"a": {"y": 2}}) == Merge({"a": {"y": 2, "x": 1}})


def test_a_list_is_one_value() -> None:
    assert merge({"a": [1]}, {"a": [1, 2]}, {"a": [1, 3]}).overlaps == ("a",)


def test_a_list_that_stands_for_a_set_is_merged_by_its_members() -> None:
    merged = merge({"a": [1, 2]}, {"a": [2, 3]}, {"a": [1, 2, 4]}, is_set=lambda path: path == ("a",))
    assert merged == Merge({"a": [2, 4, 3]})
    new = merge({}, {"a": [1, 2]}, {"a": [2, 3]}, is_set=lambda path: True)
    assert new == Merge({"a": [2, 3, 1]})


def test_true_is_not_one() -> None:
    assert merge({"a": 1}, {"a": True}, {"a": 1}) == Merge({"a": True})
    assert merge({"a": 0}, {"a": True}, {"a": 1}).overlaps == ("a",)


@given(objects, objects)
def test_a_side_without_changes_gives_the_other(base: dict[str, Any], changed: dict[str, Any]) -> None:
    assert merge(base, changed, base) == Merge(changed)
    assert merge(base, base, changed) == Merge(changed)


@given(objects, objects, objects)
def test_the_sides_can_be_swapped_but_for_the_overlaps(
    base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    one, other = merge(base, mine, theirs), merge(base, theirs, mine)
    assert set(one.overlaps) == set(other.overlaps)
    if not one.overlaps:
        assert one.data == other.data


@given(objects, objects, objects)
def test_the_result_shares_nothing_with_the_sides(
    base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    for value in merge(base, mine, theirs).data.values():
        if isinstance(value, (dict, list)):
            assert all(value is not one for side in (base, mine, theirs) for one in side.values())
