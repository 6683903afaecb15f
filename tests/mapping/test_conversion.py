"""Every type of field, to JSON and back, without a server."""

from __future__ import annotations

import dataclasses
import json
from collections import OrderedDict
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Generic, Literal, NewType, Optional, TypedDict, TypeVar, Union
from uuid import UUID

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kintomodel import Model, Ref, UsageError, ValidationError, field
from kintomodel.mapping.codec import codec_of

T = TypeVar("T")


class Status(Enum):
    open = "open"
    void = "void"


class Level(IntEnum):
    low = 1
    high = 2


class Colour(str, Enum):
    red = "red"
    green = "green"


class Rate(Enum):
    none = 0
    half = 0.5
    full = 1.0


class Sku(str):
    __slots__ = ()


@attrs.define
class Address:
    street: str
    city: str = field(default="Paris", key="town")
    since: date | None = None


@attrs.frozen
class Point:
    x: int
    y: int = 0


@dataclasses.dataclass
class Line:
    price: Decimal
    label: str = ""
    parts: list[int] = dataclasses.field(default_factory=list)


@attrs.define
class Box(Generic[T]):
    content: T


@attrs.define
class Tree:
    price: Decimal
    branches: list[Tree] = attrs.field(factory=list)


class Branches(TypedDict):
    price: Decimal
    inside: list[Branches]


@attrs.define
class Counted:
    x: int
    double: int = attrs.field(init=False)

    def __attrs_post_init__(self):
        self.double = 2 * self.x


class Options(TypedDict, total=False):
    width: int
    price: Decimal


Euro = NewType("Euro", Decimal)

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
integers = st.integers(-(2**63), 2**64 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)
decimals = st.integers(-(10**13), 10**13).map(lambda cents: Decimal(cents) / 100)
moments = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=st.just(timezone.utc))
addresses = st.builds(Address, street=texts, city=texts, since=st.none() | st.dates())
lines = st.builds(Line, price=decimals, label=texts, parts=st.lists(integers))
trees = st.deferred(lambda: st.builds(Tree, price=decimals, branches=st.lists(trees, max_size=1)))
branches = st.deferred(
    lambda: st.fixed_dictionaries({"price": decimals, "inside": st.lists(branches, max_size=1)})
)
json_values = st.recursive(
    st.none() | st.booleans() | integers | floats | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)

VALUES: list[tuple[Any, Any]] = [
    (str, texts),
    (int, integers),
    (float, floats),
    (bool, st.booleans()),
    (Decimal, decimals),
    (datetime, moments),
    (date, st.dates()),
    (time, st.times()),
    (timedelta, st.integers(-(10**9), 10**9).map(lambda n: timedelta(milliseconds=n))),
    (UUID, st.uuids()),
    (bytes, st.binary()),
    (Status, st.sampled_from(Status)),
    (Level, st.sampled_from(Level)),
    (Colour, st.sampled_from(Colour)),
    (Rate, st.sampled_from(Rate)),
    (Sku, texts.map(Sku)),
    (Euro, decimals),
    (Annotated[int, "seconds"], integers),
    (Literal["a", 2, None, True], st.sampled_from(["a", 2, None, True])),
    (Literal[Status.open], st.just(Status.open)),
    (Optional[Decimal], st.none() | decimals),  # noqa: UP045
    (list[int], st.lists(integers)),
    (list[Decimal], st.lists(decimals)),
    (list[date | None], st.lists(st.none() | st.dates())),
    (list[list[str]], st.lists(st.lists(texts))),
    (set[UUID], st.sets(st.uuids())),
    (frozenset[Status], st.frozensets(st.sampled_from(Status))),
    (set[Point], st.sets(st.builds(Point, st.integers(0, 3), st.integers(0, 3)))),
    (set[int | None], st.sets(st.none() | integers)),
    (tuple[int, str], st.tuples(integers, texts)),
    (tuple[date, ...], st.lists(st.dates()).map(tuple)),
    (tuple, st.lists(integers).map(tuple)),
    (set, st.sets(integers)),
    (dict[str, Decimal], st.dictionaries(texts, decimals)),
    (dict[UUID, int], st.dictionaries(st.uuids(), integers)),
    (dict[date, list[Point]], st.dictionaries(st.dates(), st.lists(st.builds(Point, integers)))),
    (dict[str, Any], st.dictionaries(texts, json_values)),
    (dict, st.dictionaries(texts, json_values)),
    (list, st.lists(json_values)),
    (Any, json_values),
    (Union[int, str], integers | texts),  # noqa: UP007
    (int | float, integers | floats),
    (bool | int | None, st.booleans() | integers | st.none()),
    (Decimal | str, decimals | texts),
    (date | datetime, st.dates() | moments),
    (list[int] | int, st.lists(integers) | integers),
    (Status | int, st.sampled_from(Status) | integers),
    (int | Level, st.sampled_from(Level)),
    (Address, addresses),
    (Tree, trees),
    (Branches, branches),
    (Counted, st.builds(Counted, st.integers(0, 9))),
    (Address | None, st.none() | addresses),
    (Line, lines),
    (list[Line], st.lists(lines, max_size=3)),
    (Address | Line, addresses | lines),
    (Address | str, addresses | texts),
    (Box[Decimal], decimals.map(Box)),
    (Options, st.fixed_dictionaries({}, optional={"width": integers, "price": decimals})),
    (Ref, st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9_-]*", fullmatch=True).map(Ref)),
]


def model_of(kind, **declared):
    """A model with one field of this type."""
    namespace = {"__module__": __name__, "__annotations__": {"value": kind}, **declared}
    return type(Model)("Sample", (Model,), namespace, bucket="payments", collection="samples")


def write(model, value):
    codec = codec_of(model.__kinto__)
    return codec.dump(model(id="abc", value=value), {}, "payments/samples/abc")["value"]


def read(model, value):
    found = codec_of(model.__kinto__).load({"id": "abc", "value": value}, "payments/samples")
    return found.value


@pytest.mark.parametrize(("kind", "values"), VALUES, ids=[str(kind) for kind, _ in VALUES])
def test_a_value_comes_back_as_it_was(kind, values):
    model = model_of(kind)

    @settings(max_examples=40)
    @given(values)
    def comes_back(value):
        written = write(model, value)
        found = read(model, json.loads(json.dumps(written, allow_nan=False)))
        assert found == value
        assert isinstance(found, (int, float)) or type(found) is type(value)
        assert write(model, found) == written

    comes_back()


REFUSED_WHEN_READ = [
    (str, 3, "value: expected a string, got number 3"),
    (int, "12", "value: expected an integer, got string '12'"),
    (int, 1.5, "value: expected an integer, got number 1.5"),
    (int, True, "value: expected an integer, got boolean True"),
    (float, "1e3", "value: expected a number, got string '1e3'"),
    (bool, "false", "value: expected a boolean, got string 'false'"),
    (bool, 1, "value: expected a boolean, got number 1"),
    (Decimal, "12,5", "value: expected a number, got string '12,5'"),
    (Decimal, None, "value: expected a number, got null None"),
    (Status, "gone", "value: expected one of 'open', 'void', got string 'gone'"),
    (Level, 3, "value: expected one of 1, 2, got number 3"),
    (Level, True, "value: expected one of 1, 2, got boolean True"),
    (Colour, "blue", "value: expected one of 'red', 'green', got string 'blue'"),
    (Literal["a", 2], "b", "value: expected one of 'a', 2, got string 'b'"),
    (list[int], "12", "value: expected an array, got string '12'"),
    (list[int], [1, "2"], "value[1]: expected an integer, got string '2'"),
    (set[int], {"a": 1}, "value: expected an array, got object {'a': 1}"),
    (tuple[int, str], [1], "value: expected 2 items, got array [1]"),
    (tuple[int, str], [1, 2], "value[1]: expected a string, got number 2"),
    (dict[str, int], {"a": 1.5}, "value['a']: expected an integer, got number 1.5"),
    (int | str, [], "value: expected int or str, got array []"),
    (Address, [], "value: expected an object, got array []"),
    (Address, {}, "value.street: missing"),
    (Options, [], "value: expected an object, got array []"),
    (Options, {"width": "x"}, "value.width: expected an integer, got string 'x'"),
    (Ref, 3, "value: expected a record id in a string, got number 3"),
    (
        list[Line],
        [{"price": 1}, {"price": "12,5"}],
        "value[1].price: expected a number, got string '12,5'",
    ),
]


@pytest.mark.parametrize(("kind", "value", "problem"), REFUSED_WHEN_READ)
def test_json_of_another_type_is_never_cast(kind, value, problem):
    with pytest.raises(ValidationError) as caught:
        read(model_of(kind), value)
    assert str(caught.value) == f"payments/samples/abc: {problem}"
    assert caught.value.problems == (problem,)


@pytest.mark.parametrize("value", [2**64, 1e22, -(2**63) - 1])
def test_an_integer_beyond_64_bits_was_a_float(value):
    with pytest.raises(ValidationError, match="value: expected an integer of 64 bits, got number"):
        read(model_of(int), value)


def test_an_id_that_kinto_does_not_take_is_no_reference():
    with pytest.raises(ValidationError, match=r"payments/samples/abc: value: 'a/b' is no record id"):
        read(model_of(Ref), "a/b")


def test_json_has_one_type_of_number():
    assert [type(read(model_of(float), 3)), type(read(model_of(int), 3.0))] == [float, int]


REFUSED_WHEN_WRITTEN = [
    (str, 3, "value: expected a string, got number 3"),
    (str, b"x", "value: expected a string, got bytes b'x'"),
    (int, "12", "value: expected an integer, got string '12'"),
    (int, True, "value: expected an integer, got boolean True"),
    (float, 10**400, f"value: expected a number, got number {10**38}…"),
    (bool, 1, "value: expected a boolean, got number 1"),
    (Status, "open", "value: expected a Status, got string 'open'"),
    (Status, Level.low, "value: expected a Status, got number <Level.low: 1>"),
    (Colour, "blue", "value: expected one of 'red', 'green', got string 'blue'"),
    (Literal["a", 2], "b", "value: expected one of 'a', 2, got string 'b'"),
    (Literal[1], True, "value: expected one of 1, got boolean True"),
    (list[str], "abc", "value: expected a list, got string 'abc'"),
    (list[str], ("a",), "value: expected a list, got array ('a',)"),
    (list[Decimal], [Decimal(1), "x"], "value[1]: expected a Decimal, got string 'x'"),
    (tuple[int, str], (1,), "value: expected 2 items, got array (1,)"),
    (tuple[int, str], (1, 2), "value[1]: expected a string, got number 2"),
    (dict[str, Decimal], {"a": "x"}, "value['a']: expected a Decimal, got string 'x'"),
    (dict[str, Decimal], [], "value: expected a dict, got array []"),
    (dict[UUID, int], {"a": 1}, "value: expected a UUID, got string 'a'"),
    (int | str, 1.5, "value: expected int or str, got number 1.5"),
    (Address, {"street": "x"}, "value: expected a Address, got object {'street': 'x'}"),
    (Address, Address(3), "value.street: expected a string, got number 3"),
    (list[Line], [Line(Decimal(1), parts=["x"])], "value[0].parts[0]: expected an integer, got string 'x'"),
    (Box[Decimal], Box("x"), "value.content: expected a Decimal, got string 'x'"),
    (Options, {"width": "x"}, "value.width: expected an integer, got string 'x'"),
    (Options, [], "value: expected a dict, got array []"),
    (
        Tree,
        Tree(Decimal(1), [Tree("x")]),
        "value.branches[0].price: expected a Decimal, got string 'x'",
    ),
    (Ref, "abc", "value: expected a Ref, got string 'abc'"),
    (Any, float("nan"), "value: JSON has no nan"),
    (Any, {1: 2}, "value: the keys of a JSON object are strings, got 1"),
    (Any, [2**64], "value[0]: Kinto keeps integers of 64 bits only, got one of 65 bits"),
    (Any, object(), "value: object is not a JSON type"),
    (int, 2**64, "value: expected an integer of 64 bits, got number 18446744073709551616"),
    (float, float("inf"), "value: JSON has no inf"),
    (str, "a\0b", "value: Kinto cannot store the character NUL"),
    (str, "\ud800", "value: a lone surrogate is not a character"),
    (list[str], ["a", "\0"], "value[1]: Kinto cannot store the character NUL"),
    (dict[str, str], {"\0": "a"}, "value, a key: Kinto cannot store the character NUL"),
    (date, datetime(2026, 1, 1), "value: expected a date, got datetime datetime.datetime(2026, 1, 1, 0, 0)"),
]


@pytest.mark.parametrize(("kind", "value", "problem"), REFUSED_WHEN_WRITTEN)
def test_a_value_of_another_type_is_not_written(kind, value, problem):
    with pytest.raises(ValidationError) as caught:
        write(model_of(kind), value)
    assert str(caught.value) == f"payments/samples/abc: {problem}"
    assert caught.value.problems == (problem,)


def test_a_text_that_would_be_read_as_something_else_is_refused():
    model = model_of(date | str)
    assert read(model, write(model, "someday")) == "someday"
    assert read(model, write(model, date(2026, 1, 1))) == date(2026, 1, 1)
    with pytest.raises(
        ValidationError, match=r"'2026-01-01' is stored as '2026-01-01', which is read as datetime"
    ):
        write(model, "2026-01-01")


def test_of_a_subclass_nothing_is_lost_in_silence():
    @attrs.define
    class DetailedAddress(Address):
        floor: int = 0

    with pytest.raises(ValidationError, match="expected a Address, got DetailedAddress"):
        write(model_of(Address), DetailedAddress("x"))


def test_an_integer_fits_a_float_field():
    assert write(model_of(float), 3) == 3.0


def test_a_field_for_text_takes_texts_of_an_enum():
    assert write(model_of(str), Colour.red) == "red"
    assert write(model_of(int), Level.high) == 2


def test_a_value_that_python_compares_with_none_of_its_kind_can_be_anywhere():
    value = {"when": date(2026, 1, 1), "several": (1, Decimal("1.5")), "more": OrderedDict(a={Status.open})}
    assert write(model_of(Any), value) == {
        "when": "2026-01-01",
        "several": [1, 1.5],
        "more": {"a": ["open"]},
    }


def test_large_floats_that_postgresql_gives_back_as_integers_stay_writable():
    model = model_of(Any)
    assert write(model, read(model, {"a": [10**22]})) == {"a": [1e22]}


def test_sets_are_sorted():
    assert write(model_of(set[int | str]), {3, "b", 1, "a"}) == [1, 3, "a", "b"]


@given(json_values)
def test_what_was_read_shares_nothing_with_its_source(value):
    source = {"inside": [value]}
    found = read(model_of(dict[str, Any]), source)
    found["inside"].append("more")
    assert source == {"inside": [value]}


def test_a_typed_dict_keeps_what_it_does_not_know_and_shares_none_of_it():
    source = {"width": 1, "unknown": [1]}
    found = read(model_of(Options), source)
    found["unknown"].append(2)
    assert source == {"width": 1, "unknown": [1]}
    assert write(model_of(Options), found) == {"width": 1, "unknown": [1, 2]}


@pytest.mark.parametrize("kind", [Point | Box, type, type | int, type | None])
def test_a_type_without_a_storage_form_is_an_error_that_names_the_field(kind):
    with pytest.raises(UsageError, match=r"Sample\.value: there is no storage form for .*: register\(\) one"):
        write(model_of(kind), 1)
