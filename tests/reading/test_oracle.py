"""A query finds what the same condition selects in plain Python, whatever is stored.

The meaning of each look-up is written down here a second time, over plain JSON. KINTOMODEL_EXAMPLES
says how many random collections are tried, here, with typed fields, and on both back ends together.
"""

from __future__ import annotations

import os
import re
from typing import Any

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kintomodel import Model, Q, field
from kintomodel.protocol import operations
from kintomodel.reading import finding

EXAMPLES = int(os.environ.get("KINTOMODEL_EXAMPLES", "200"))
ENDPOINT = "/buckets/payments/collections/receipts/records"


def tried(share: float) -> settings:
    """share: of all examples, on one back end."""
    return settings(
        max_examples=max(1, round(EXAMPLES * share)),
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


class Anything(Model, bucket="payments", collection="receipts"):
    a: Any = None
    b: Any = None
    any_c: Any = None
    min_d: Any = None
    hidden: Any = field(default=None, key="_h")
    odd: Any = field(default=None, key="x-y")
    dotted: Any = field(default=None, key="u.v")


KEYS = ("a", "b", "any_c", "min_d", "_h", "x-y", "u.v")
NAMES = {"a": ("a",), "b": ("b",), "any_c": ("any_c",), "min_d": ("min_d",), "hidden": ("_h",)}
NAMES |= {"odd": ("x-y",), "dotted": ("u.v",), "extra__a": ("a",), "extra__z": ("z",)}
NAMES |= {"a__k": ("a", "k"), "b__k__k": ("b", "k", "k"), "b__x y": ("b", "x y"), "id": ("id",)}

# What Kinto, JSON, SQL or a regular expression may take for something else, and neighbours of these.
TEXTS = [
    "", " ", "2", "1.0", "1e5", "true", "null", "[1]", '{"k":1}', "a,b", ",", "%", "_", "\\", "\\%", '"',
    "'", "a.b", "(a", "[", "a*b", "*", "a", "A", "ab", "b", "a\nb", "\t", "x y", " a ", "NaN", "é", "e\u0301",
    "ß", "SS", "\u017f", "İ", "i", "\ud7ff", "\ue000", "\uffff", "\U0001f600", "\U0010ffff", "a\U0010ffff",
]  # fmt: skip
NUMBERS = [
    0, 1, 2, -1, 1.0, 0.0, -0.0, 1.5, -2.5, 0.1, 0.30000000000000004, 0.39723997685875156, 2**53, 2**53 + 1,
    2.0**53, 2**63, 2.0**63, 2**64 - 1, -(2**63), 10**15, 1e22, 1e23, 1.2345678901234567e16, 1e300, -1e300,
    5e-324,
]  # fmt: skip
texts = st.sampled_from(TEXTS) | st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=3)
numbers = st.sampled_from(NUMBERS) | st.integers(-3, 3) | st.integers(-(2**63), 2**64 - 1)
scalars = st.none() | st.booleans() | numbers | texts
keys = st.sampled_from(["k", "x y", "a"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=2),
    max_leaves=4,
)
collections = st.lists(
    st.dictionaries(st.sampled_from((*KEYS, "z")), values, max_size=5).map(dict), max_size=8
)

COMPARING = ("exact", "ne", "gt", "gte", "lt", "lte")
TEXTUAL = ("icontains", "startswith", "istartswith", "endswith", "iendswith", "iexact", "like")
SEVERAL = ("in", "not_in", "contains_any", "contained_by")
FLAGS = ("is_null", "exists")


@attrs.frozen
class Look:
    """One look-up of a random condition."""

    name: str
    lookup: str
    value: Any


@st.composite
def looks(draw: st.DrawFn, stored: list[Any]) -> Look:
    """A look-up of a value that is often one of those stored, or part of one."""
    name = draw(st.sampled_from(sorted(NAMES)))
    known = st.sampled_from(stored) if stored else scalars
    lookup = draw(st.sampled_from((*COMPARING, *TEXTUAL, *SEVERAL, *FLAGS, "contains")))
    found = values | known
    if name == "id":
        # Anything else than a text is refused.
        lookup = "in" if lookup in SEVERAL else lookup
        found = st.sampled_from(["r0", "r1", "r5", *TEXTS])
    if lookup in FLAGS:
        value = draw(st.booleans())
    elif lookup in TEXTUAL:
        known_texts = [one for one in stored if isinstance(one, str)]
        value = draw(texts | (st.sampled_from(known_texts) if known_texts else texts))
    elif lookup in SEVERAL:
        value = draw(st.lists(found, max_size=3))
    elif lookup == "contains":
        value = draw(found if name == "id" else found | st.lists(found, max_size=2))
    else:
        value = draw(found)
    return Look(name, lookup, value)


def trees(leaves: st.SearchStrategy[Any], depth: int = 4) -> st.SearchStrategy[Any]:
    """Conditions as ("and" | "or" | "not", parts)."""
    if depth == 1:
        return leaves
    inner = trees(leaves, depth - 1)
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return (
        leaves
        | st.tuples(st.sampled_from(["and", "or"]), several)
        | st.tuples(st.just("not"), st.tuples(inner))
    )


def written(tree: Any) -> Q:
    """The condition as a user writes it."""
    if not isinstance(tree, tuple):
        return Q(**{f"{tree.name}__{tree.lookup}": tree.value})
    relation, parts = tree
    result = written(parts[0])
    for part in parts[1:]:
        result = result & written(part) if relation == "and" else result | written(part)
    return ~result if relation == "not" else result


def holds(tree: Any, data: dict[str, Any], look_holds: Any) -> bool:
    """Is the condition true of what is stored?"""
    if not isinstance(tree, tuple):
        return look_holds(tree, data)
    relation, parts = tree
    if relation == "not":
        return not holds(parts[0], data, look_holds)
    return (all if relation == "and" else any)(holds(part, data, look_holds) for part in parts)


class Absent:
    """Stands for a key that is not there."""


def stored_at(data: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        if not isinstance(data, dict) or key not in data:
            return Absent
        data = data[key]
    return data


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def comparable(found: Any, wanted: Any) -> tuple[Any, Any]:
    """An integer is compared exactly, a float as a float. More than 64 bits are those of a float."""
    as_float = isinstance(wanted, float) or abs(found) >= 2**64
    return (float(found) if as_float else found), wanted


def same(found: Any, wanted: Any) -> bool:
    if is_number(found) and is_number(wanted):
        one, other = comparable(found, wanted)
        return one == other
    if type(found) is not type(wanted):
        return False
    if isinstance(found, list):
        return len(found) == len(wanted) and all(
            same_inside(*pair) for pair in zip(found, wanted, strict=True)
        )
    if isinstance(found, dict):
        return found.keys() == wanted.keys() and all(same_inside(found[key], wanted[key]) for key in found)
    return found == wanted


def same_inside(found: Any, wanted: Any) -> bool:
    if is_number(found) and is_number(wanted) and (isinstance(found, float) or abs(found) >= 2**64):
        return float(found) == float(wanted)
    return same(found, wanted)


def among(found: Any, several: list[Any]) -> bool:
    return any(same(found, one) for one in several)


def compares(lookup: str, found: Any, wanted: Any) -> bool:
    if is_number(found) and is_number(wanted):
        one, other = comparable(found, wanted)
    elif type(found) is type(wanted) and isinstance(found, (str, bool)):
        one, other = found, wanted
    else:
        return False
    return {"gt": one > other, "gte": one >= other, "lt": one < other, "lte": one <= other}[lookup]


def reads_like(text: str, pattern: str) -> bool:
    parts = [re.escape(part) for part in pattern.casefold().split("*")]
    regex = "(.|\n)*".join(parts)
    return re.fullmatch(regex if len(parts) > 1 else f"(.|\n)*{regex}(.|\n)*", text.casefold()) is not None


def text_holds(lookup: str, text: str, wanted: str) -> bool:
    folded, folded_wanted = text.casefold(), wanted.casefold()
    return {
        "contains": wanted in text,
        "icontains": folded_wanted in folded,
        "startswith": text.startswith(wanted),
        "istartswith": folded.startswith(folded_wanted),
        "endswith": text.endswith(wanted),
        "iendswith": folded.endswith(folded_wanted),
        "iexact": folded == folded_wanted,
        "like": reads_like(text, wanted),
    }[lookup]


def any_look_holds(look: Look, data: dict[str, Any]) -> bool:
    """What a look-up of an undeclared type means."""
    found, lookup, wanted = stored_at(data, NAMES[look.name]), look.lookup, look.value
    if lookup == "exists":
        return (found is not Absent) is wanted
    if lookup in ("exact", "is_null", "ne"):
        target = None if lookup == "is_null" else wanted
        positive = lookup == "exact" or (lookup == "is_null" and wanted)
        return same(found, target) is positive
    if lookup in ("in", "not_in"):
        return among(found, wanted) is (lookup == "in")
    if lookup in COMPARING:
        return compares(lookup, found, wanted)
    if isinstance(found, str):
        return isinstance(wanted, str) and text_holds(lookup, found, wanted)
    if lookup in TEXTUAL or not isinstance(found, list):
        return False
    several = wanted if isinstance(wanted, list) else [wanted]
    if lookup == "contains":
        return all(among_items(one, found) for one in several)
    if lookup == "contains_any":
        return any(among_items(one, found) for one in several)
    return all(among(item, several) for item in found)


def among_items(wanted: Any, found: list[Any]) -> bool:
    return any(same(item, wanted) for item in found)


KINDS = ((type(None),), (str,), (int, float), (bool,), (list,), (dict,))


def rank(data: dict[str, Any], path: tuple[str, ...], descending: bool) -> tuple[int, Any]:
    """null, strings, numbers, booleans, arrays, objects; missing last, whatever the direction."""
    found = stored_at(data, path)
    if found is Absent:
        return -1 if descending else len(KINDS), 0
    if isinstance(found, bool):
        return 3, found
    place = next(at for at, types in enumerate(KINDS) if isinstance(found, types))
    return place, found if place in (1, 2) else 0


def ordered(records: list[Any], order: list[tuple[tuple[str, ...], bool]]) -> list[Any]:
    """Ties by the latest write first; by id without any order."""
    keys = order or [(("id",), False)]
    for path, descending in reversed([*keys, (("last_modified",), True)]):
        records = sorted(records, key=lambda data: rank(data, path, descending), reverse=descending)
    return records


def store(client: Any, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put these in the place of what was there; returns them as the server shows them."""
    connection = client.connection
    connection.perform(operations.delete_page(ENDPOINT))
    creations = [operations.create(f"{ENDPOINT}/r{at}", data) for at, data in enumerate(records)]
    for result in connection.perform_all(creations):
        assert not isinstance(result, Exception), result
    return list(connection.perform(operations.list_page(ENDPOINT)).objects)


def check_query(queryset: Any, expected: list[str], window: slice, page_size: int, is_reversed: bool) -> None:
    """Each way to ask for it finds the same."""
    if is_reversed:
        queryset, expected = queryset.reverse(), expected[::-1]
    assert [record.id for record in queryset.iterator(page_size=page_size)] == expected
    # What list() reads, in pages as small.
    at_once = finding.collect(queryset.model, queryset.home, queryset.query, page_size, queryset.reading)
    assert [record.id for record in at_once] == expected
    assert queryset.count() == len(expected)
    assert queryset.exists() is bool(expected)
    first, last = queryset.first(), queryset.last()
    assert [record and record.id for record in (first, last)] == [
        *expected[:1],
        *expected[-1:],
    ] or not expected
    part = queryset[window]
    assert part.count() == len(expected[window])
    assert [record.id for record in part] == expected[window]
    assert part.exists() is bool(expected[window])


windows = st.builds(slice, st.integers(0, 5), st.none() | st.integers(0, 9))


@tried(0.3)
@given(
    data=st.data(), stored=collections, window=windows, page_size=st.integers(1, 5), is_reversed=st.booleans()
)
def test_a_query_finds_what_python_selects_of_any_json(
    payments, data, stored, window, page_size, is_reversed
):
    shown = store(payments, stored)
    known = [item for one in stored for value in one.values() for item in (value, *inner(value))]
    tree = data.draw(trees(looks(known)))
    order = data.draw(st.lists(st.tuples(st.sampled_from(sorted(NAMES)), st.booleans()), max_size=2))

    queryset = Anything.objects.filter(written(tree))
    queryset = queryset.order_by(*(f"{'-' if descending else ''}{name}" for name, descending in order))

    expected = [one for one in shown if holds(tree, one, any_look_holds)]
    in_order = ordered(expected, [(NAMES[name], descending) for name, descending in order])
    check_query(queryset, [one["id"] for one in in_order], window, page_size, is_reversed)


def inner(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else [value[:1], value[-1:]] if isinstance(value, str) else []
