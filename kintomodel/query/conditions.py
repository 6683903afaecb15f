"""Conditions on stored values, as trees, and what they mean.

A condition means what the same Python expression means, with three rules for what Python lacks:
a missing key is not a value, so every comparison with it is false; so is a comparison of two types
of JSON, where a number is never a boolean; and `ne`, `not_in` and Not are the opposites of
`eq`, `in` and their inside, so that they include missing keys. Strings compare by code point.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import attrs

from ..protocol.values import JSON, LARGEST_INTEGER, SMALLEST_INTEGER, JSONObject, equal, number

Path: TypeAlias = tuple[str, ...]
"""The keys that lead to a value: ("address", "city")."""


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


@attrs.frozen
class Comparison:
    """The value at a path, an operator and JSON to compare with.

    decode: makes of the stored JSON, and of each value beside it, what is compared, for values whose
    JSON forms differ where they are equal ("1.5" and "1.50"); None compares JSON. What it refuses
    with a ValueError matches nothing. is_fixed_form: are all texts there dates, or moments, or times?
    """

    path: Path
    operator: str
    # To Python 1 is True; as conditions they are two.
    value: JSON = attrs.field(default=None, eq=repr)
    decode: Callable[[JSON], Any] | None = None
    is_fixed_form: bool = attrs.field(default=False, repr=False)
    operand: Any = attrs.field(
        init=False, eq=False, repr=False, default=attrs.Factory(lambda self: _operand(self), takes_self=True)
    )

    def __str__(self) -> str:
        shown = _SHOWN.get(self.operator, self.operator)
        return f"{'.'.join(self.path)} {shown} {self.value!r}"


@attrs.frozen
class And:
    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return " & ".join(_inner(part) for part in self.parts) or "everything"


@attrs.frozen
class Or:
    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return " | ".join(_inner(part) for part in self.parts) or "nothing"


@attrs.frozen
class Not:
    part: Condition

    def __str__(self) -> str:
        return f"~{_inner(self.part)}"


Condition: TypeAlias = Comparison | And | Or | Not

EVERYTHING = And(())
NOTHING = Or(())

# As Python writes them, or as users call the look-up.
_SHOWN = {
    "eq": "==", "ne": "!=", "gt": ">", "ge": ">=", "lt": "<", "le": "<=", "not_in": "not in",
    "substring": "contains", "isubstring": "icontains",
}  # fmt: skip

OPPOSITES = {"eq": "ne", "ne": "eq", "in": "not_in", "not_in": "in"}


def _inner(part: Condition) -> str:
    return str(part) if isinstance(part, Not) else f"({part})"


def normal(condition: Condition, negated: bool = False) -> Condition:
    """The same with negations at comparisons only, and no And in an And or Or in an Or."""
    if isinstance(condition, Not):
        return normal(condition.part, not negated)
    if isinstance(condition, Comparison):
        return _opposite(condition) if negated else condition
    both = isinstance(condition, And) is not negated
    parts: list[Condition] = []
    for part in condition.parts:
        inner = normal(part, negated)
        if isinstance(inner, And if both else Or):
            parts += inner.parts
        elif inner == (NOTHING if both else EVERYTHING):
            return inner
        else:
            parts.append(inner)
    unique = tuple(dict.fromkeys(parts))
    if len(unique) == 1:
        return unique[0]
    return And(unique) if both else Or(unique)


def _opposite(condition: Comparison) -> Condition:
    if condition.operator in OPPOSITES:
        return attrs.evolve(condition, operator=OPPOSITES[condition.operator])
    if condition.operator == "exists":
        return attrs.evolve(condition, value=not condition.value)
    return Not(condition)


def _operand(condition: Comparison) -> Any:
    """The value as matches() takes it: else a long list is looked through for each of many objects."""
    several = condition.operator in ("in", "not_in", "contained_by")
    return Several(condition.value) if several else condition.value


def matches(condition: Condition, data: Mapping[str, JSON]) -> bool:
    """Is it true of this object? data: as stored."""
    if isinstance(condition, Comparison):
        return _compare(condition, value_at(data, condition.path))
    if isinstance(condition, And):
        return all(matches(part, data) for part in condition.parts)
    if isinstance(condition, Or):
        return any(matches(part, data) for part in condition.parts)
    return not matches(condition.part, data)


def value_at(data: Mapping[str, JSON], path: Path) -> JSON:
    """The value that the path leads to, or MISSING."""
    found: JSON = data
    for key in path:
        if not isinstance(found, dict) or key not in found:
            return MISSING
        found = found[key]
    return found


def _compare(condition: Comparison, found: JSON) -> bool:
    name = condition.operator
    if name == "exists":
        return (found is not MISSING) is condition.value
    if name in ("ne", "not_in"):
        return not _holds(condition, OPPOSITES[name], found)
    return _holds(condition, name, found)


def _holds(condition: Comparison, name: str, found: JSON) -> bool:
    operand, decode = condition.operand, condition.decode
    if found is MISSING:
        return False
    if decode is not None:
        try:
            found, operand = _decoded(found, decode), _decoded(condition.value, decode)
        except ValueError:
            return False
    return _OPERATORS[name](found, operand)


def _decoded(value: JSON, decode: Callable[[JSON], Any]) -> Any:
    if isinstance(value, (list, tuple)):
        return [_decoded(one, decode) for one in value]
    return None if value is None else decode(value)


def _equal(found: JSON, value: JSON) -> bool:
    if kind(found) == kind(value) == "number":
        return bool(_beside(value, found) == value)
    return equal(found, value)


def _beside(value: int | float, found: int | float) -> int | float:
    """The number found as it is compared with this value: with an integer exactly, as Kinto does.

    With a float as a float, as PostgreSQL gives back large ones as integers (Kinto 26.5).
    """
    shown = number(found)
    inexact = isinstance(value, float) and SMALLEST_INTEGER <= shown <= LARGEST_INTEGER
    return float(shown) if inexact else shown


class Several:
    """JSON values of which most are found by their hashes."""

    __slots__ = ("_hashed", "_others", "_values")

    def __init__(self, values: list[JSON]) -> None:
        self._values = values
        self._hashed = {(kind(value), value) for value in values if type(value) in _HASHED}
        self._others = [value for value in values if type(value) not in _HASHED]

    def __contains__(self, found: JSON) -> bool:
        if type(found) is not float and type(found) not in _HASHED:
            return _in(found, self._values)
        type_name = kind(found)
        shown = number(found) if type_name == "number" else found
        return (type_name, shown) in self._hashed or _in(found, self._others)


# Floats are not among them, as they may equal integers that are other numbers: see _beside().
_HASHED = frozenset({str, int, bool, type(None)})


def _in(found: JSON, several: list[JSON] | Several) -> bool:
    if isinstance(several, Several):
        return found in several
    return any(_equal(found, value) for value in several)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[JSON, JSON], bool]:
    def ordered(found: JSON, value: JSON) -> bool:
        if kind(found) != kind(value) or kind(found) in ("null", "array", "object"):
            return False
        if kind(found) == "number":
            return compare(_beside(value, found), value)
        return compare(found, value)

    return ordered


def kind(value: JSON) -> str:
    """The name of its JSON type; of other values that of their Python type."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, (list, tuple)):
        return "array"
    if isinstance(value, dict):
        return "object"
    return "null" if value is None else type(value).__name__


def _text(compare: Callable[[str, str], bool]) -> Callable[[JSON, JSON], bool]:
    return lambda found, value: isinstance(found, str) and compare(found, value)


def _folded(compare: Callable[[str, str], bool]) -> Callable[[JSON, JSON], bool]:
    return _text(lambda found, value: compare(found.casefold(), value.casefold()))


def like_pattern(pattern: str) -> re.Pattern[str]:
    """A pattern with * for any run of characters; without one it is looked for anywhere."""
    whole = pattern if "*" in pattern else f"*{pattern}*"
    return re.compile(".*".join(map(re.escape, whole.casefold().split("*"))), re.DOTALL)


def _contains(found: JSON, several: JSON) -> bool:
    return isinstance(found, list) and all(_in(value, found) for value in several)


def _contains_any(found: JSON, several: JSON) -> bool:
    return isinstance(found, list) and any(_in(value, found) for value in several)


def _contained_by(found: JSON, several: JSON) -> bool:
    return isinstance(found, list) and all(_in(value, several) for value in found)


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": _equal,
    "in": _in,
    "gt": _ordered(operator.gt),
    "ge": _ordered(operator.ge),
    "lt": _ordered(operator.lt),
    "le": _ordered(operator.le),
    "like": _folded(lambda found, value: like_pattern(value).fullmatch(found) is not None),
    "substring": _text(lambda found, value: value in found),
    "isubstring": _folded(lambda found, value: value in found),
    "startswith": _text(str.startswith),
    "istartswith": _folded(str.startswith),
    "endswith": _text(str.endswith),
    "iendswith": _folded(str.endswith),
    "iexact": _folded(operator.eq),
    "contains": _contains,
    "contains_any": _contains_any,
    "contained_by": _contained_by,
}


def sort_key(data: JSONObject, path: Path) -> tuple[int, Any]:
    """A key that orders as Kinto does: null, strings, numbers, booleans, arrays, objects, missing."""
    found = value_at(data, path)
    if found is MISSING:
        return MISSING_RANK, 0
    rank = kind(found)
    return _RANKS.index(rank), found if rank in ("string", "number", "boolean") else 0


_RANKS = ("null", "string", "number", "boolean", "array", "object")
MISSING_RANK = len(_RANKS)
