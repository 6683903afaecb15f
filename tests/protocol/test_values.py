import json
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintomodel.errors import ValidationError
from kintomodel.protocol.values import (
    DEEPEST,
    LARGEST_INTEGER,
    SMALLEST_INTEGER,
    check,
    copy,
    equal,
    number,
)

text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
scalars = (
    st.none()
    | st.booleans()
    | st.integers(SMALLEST_INTEGER, LARGEST_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text
)
storable = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=20)
unstorable = (
    st.sampled_from(
        [math.nan, math.inf, -math.inf, "a\0b", "\ud800", {1: 2}, {"\0": 1}, {1}, b"", 1j, object]
    )
    | st.integers(min_value=LARGEST_INTEGER + 1)
    | st.integers(max_value=SMALLEST_INTEGER - 1)
)


def nested(levels, inner=0):
    for _ in range(levels):
        inner = [inner]
    return inner


@given(storable)
def test_what_kinto_can_hold_is_accepted(value):
    check(value)


@given(storable)
def test_what_is_accepted_can_be_sent(value):
    assert json.loads(json.dumps(value, allow_nan=False).encode()) == value


@given(unstorable, st.lists(st.sampled_from(["list", "tuple", "dict"])))
def test_what_kinto_cannot_hold_is_refused_however_deep(value, around):
    for kind in around:
        value = {"list": [0, value], "tuple": (value,), "dict": {"a": 0, "b": value}}[kind]
    with pytest.raises(ValidationError) as caught:
        check(value)
    assert len(str(caught.value).splitlines()) == 1
    assert " at 0x" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (math.nan, "data: JSON has no nan"),
        ({"a": [1, {"b": math.inf}]}, "data.a[1].b: JSON has no inf"),
        ({"a": 2**64}, "data.a: Kinto keeps integers of 64 bits only, got one of 65 bits"),
        ({"a": "\0"}, "data.a: Kinto cannot store the character NUL"),
        ({"a": {"\0": 1}}, "data.a, a key: Kinto cannot store the character NUL"),
        (["é\udc80"], "data[0]: a lone surrogate is not a character"),
        ({"a": {1: 2}}, "data.a: the keys of a JSON object are strings, got 1"),
        ({"a": Decimal(1)}, "data.a: Decimal is not a JSON type"),
    ],
)
def test_the_message_names_the_place(value, message):
    with pytest.raises(ValidationError) as caught:
        check(value)
    assert str(caught.value) == message


def test_the_place_begins_where_the_caller_says():
    with pytest.raises(ValidationError, match=r"^shop/receipts/1: total: JSON has no nan$"):
        check(math.nan, "shop/receipts/1: total")


def test_as_many_levels_as_kinto_takes_are_accepted():
    check(nested(DEEPEST))


@pytest.mark.parametrize("levels", [DEEPEST + 1, 100_000])
def test_more_levels_are_refused(levels):
    with pytest.raises(ValidationError, match="nested more than 300 levels deep"):
        check(nested(levels))


@given(storable)
def test_a_copy_is_equal(value):
    assert copy(value) == value
    assert equal(copy(value), value)


@given(storable)
def test_a_copy_shares_no_list_and_no_dict(value):
    assert {id(one) for one in containers(value)}.isdisjoint(id(one) for one in containers(copy(value)))


def containers(value):
    if isinstance(value, (dict, list)):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from containers(inner)


@pytest.mark.parametrize("around", [lambda inner: [inner], lambda inner: {"a": inner}])
def test_what_kinto_holds_at_its_deepest_can_be_copied_and_compared(around):
    value = 0
    for _ in range(400):  # more than we send, but others may have
        value = around(value)
    assert equal(copy(value), value)


@given(storable)
def test_json_is_equal_after_the_way_to_the_server_and_back(value):
    assert equal(json.loads(json.dumps(value)), value)


@given(storable, storable)
def test_equality_goes_both_ways(one, other):
    assert equal(one, other) == equal(other, one)


@given(storable, storable)
def test_what_python_tells_apart_but_for_numbers_is_not_equal(one, other):
    # True == 1 and 0.1 + 0.2 aside, which the next tests look at.
    if one != other and not isinstance(one, (int, float, list, dict)):
        assert not equal(one, other)


@given(st.floats(min_value=1e16, max_value=1.7e308))
def test_a_large_float_equals_the_integer_that_postgresql_makes_of_it(value):
    digits = int(Decimal(repr(value)))
    assert equal(value, digits)
    assert equal(digits, value)
    assert equal({"a": [value]}, {"a": [digits]})


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), (0, -0.0), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ([1, [2]], (1, (2,))), (2**70, float(2**70))],
)
def test_these_are_the_same_json(one, other):
    assert equal(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (False, 0),
        ([True], [1]),
        ("1", 1),
        (None, False),
        ({"a": None}, {}),
        ([1], [1, 2]),
        ([1, 2], [2, 1]),
        ({}, []),
        (2**53, 2**53 + 1),
        (LARGEST_INTEGER, LARGEST_INTEGER - 1),
        (10**400, 1),
        (10**400, 1e308),
    ],
)
def test_these_are_not(one, other):
    assert not equal(one, other)
    assert not equal(other, one)


@given(st.integers(SMALLEST_INTEGER, LARGEST_INTEGER) | st.floats(allow_nan=False))
def test_a_number_that_kinto_keeps_is_itself(value):
    assert number(value) is value


@given(st.integers(LARGEST_INTEGER + 1, 10**308))
def test_an_integer_beyond_64_bits_is_the_float_that_it_was(value):
    assert number(value) == float(value)


def test_an_integer_beyond_all_floats_is_itself():
    assert number(10**400) == 10**400
