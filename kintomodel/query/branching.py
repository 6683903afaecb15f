"""A branch: conditions that all hold, as the filters of one listing and what is left to be checked.

Kinto's filters have traps, and its two back ends differ (seen on 26.5): what is sent here means the
same on both. A filter is *exact* if it selects what the condition says; else it selects more, and
the condition stays in the residual, which is applied to each object that comes.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple
from urllib.parse import quote

from ..protocol.values import JSON, survives
from .conditions import EVERYTHING, And, Comparison, Condition, Path, kind, normal

# Beyond every number and below every boolean: the end of the numbers in Kinto's order of types
# (null, strings, numbers, booleans, arrays, objects, missing).
_NUMBERS_END = 1.7976931348623157e308
# In milliseconds. Kinto refuses a moment that is a day or more ahead of its clock; ours may be another.
_AHEAD = 12 * 60 * 60 * 1000
# A line of 8 kB is what common proxies take; what is longer is left to the residual.
LONGEST_QUERY = 6000
# Beyond it an integer and a float that are equal may be different numbers to PostgreSQL.
_LARGEST = 2**53

_NAME = re.compile(r"\w+")
# Dates, moments and times without an offset, as they are stored.
_FIXED_FORM = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}\+00:00)?"
    r"|[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}"
)
_BOUNDS = {"gt": "gt", "ge": "min", "lt": "lt", "le": "max"}
_REQUIRING = ("eq", "in", "gt", "min", "lt", "max", "contains", "contains_any")


def encode(value: JSON) -> str:
    """A filter's value. Kinto reads what looks like JSON as JSON, so everything is sent as JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def encode_all(values: Iterable[JSON]) -> str:
    """Several values. Kinto splits them at commas, so those inside of strings are escaped."""
    return ",".join(encode(value).replace(",", "\\u002c") for value in values)


def split(values: Iterable[JSON], longest: int) -> Iterator[list[JSON]]:
    """The values in lists of which encode_all() makes no more characters of a URL than these."""
    chunk: list[JSON] = []
    length = 0
    for value in values:
        added = len(quote(f"{encode_all([value])},"))
        if chunk and length + added > longest:
            yield chunk
            chunk, length = [], 0
        chunk.append(value)
        length += added
    if chunk:
        yield chunk


_ENDS = (encode(""), encode(-_NUMBERS_END), encode(_NUMBERS_END))


def latest_moment() -> int:
    """In milliseconds since 1970: later ones are not to be asked for."""
    return int(time.time() * 1000) + _AHEAD


class Branch(NamedTuple):
    """params: the filters as URL parameters.

    residual: what the server does not answer, EVERYTHING if it answers all.
    """

    params: dict[str, str]
    residual: Condition = EVERYTHING

    @property
    def is_exact(self) -> bool:
        return self.residual == EVERYTHING

    @property
    def is_selective(self) -> bool:
        """Does the server leave out more than values of another type, or a few?"""
        return any(
            not name.startswith(("not_", "exclude_")) and not is_guard(name, value)
            for name, value in self.params.items()
            if (name.partition("_")[0], value) != ("has", "false")
        )

    @property
    def shows_deleted(self) -> bool:
        """With a filter on last_modified a listing shows deleted objects, too."""
        return any(map(_is_timestamp_filter, self.params))

    def requires(self, path: Path) -> bool:
        """Do all objects that the server gives have a value there?"""
        name = ".".join(path)
        needed = any(f"{operator}_{name}" in self.params for operator in _REQUIRING)
        return needed or self.params.get(f"has_{name}") == "true"


def branch(parts: Iterable[Condition]) -> Branch:
    """The one listing for the objects that all these conditions are true of."""
    filters = _Filters()
    left = tuple(part for part in parts if not filters.add(part))
    return Branch(filters.params(), normal(And(left)))


def is_guard(name: str, value: str) -> bool:
    """Is it there only to keep out values of another type, or deleted objects?"""
    operator = name.partition("_")[0]
    return (operator in ("min", "max", "lt") and value in _ENDS) or (name, value) == ("not_deleted", "true")


class _Filters:
    """The filters of one request, while they are put together. No parameter may come twice."""

    def __init__(self) -> None:
        self._presence: dict[str, str] = {}
        self._sent: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        self._bounds: dict[str, set[str]] = {}
        self._length = 0

    def add(self, part: Condition) -> bool:
        """Send what can be sent of it. True: the server answers it exactly."""
        if not isinstance(part, Comparison) or part.decode is not None:
            return False
        name = _name(part.path)
        # With a filter on last_modified, not_deleted is sent for a reason of its own.
        if name is None or name == "deleted":
            return False
        if part.path == ("last_modified",):
            return self._timestamp(part)
        if part.path == ("id",):
            return self._id(part)
        if part.operator in _BOUNDS:
            return self._bound(name, part)
        methods: dict[str, Callable[[str, JSON], bool]] = {
            "eq": self._equal,
            "ne": self._different,
            "in": self._in,
            "not_in": self._not_in,
            "exists": self._exists,
            "contains": self._contains,
            "contains_any": self._contains_any,
            "contained_by": self._anything,
        }
        return methods.get(part.operator, self._text)(name, part.value)

    def params(self) -> dict[str, str]:
        """On the memory back end a has_ filter throws away those before it: it comes first."""
        guards: dict[str, str] = {}
        for name, sides in self._bounds.items():
            guards.update(_guards(name, self._kinds[name], sides))
        params = {**self._presence, **guards, **self._sent}
        return {**params, "not_deleted": "true"} if Branch(params).shows_deleted else params

    def _send(self, name: str, value: str) -> bool:
        length = len(quote(value))
        if name in self._sent or self._length + length > LONGEST_QUERY:
            return False
        self._sent[name] = value
        self._length += length
        return True

    def _guard(self, name: str, type_name: str) -> None:
        """Ask for values of one type only."""
        if self._kinds.setdefault(name, type_name) == type_name:
            self._bounds.setdefault(name, set())

    def _equal(self, name: str, value: JSON) -> bool:
        if not _is_exact(value):
            if _is_scalar(value):
                self._guard(name, "number")
            return False
        # On memory [1] equals [true].
        return self._send(f"eq_{name}", encode(value)) and _is_scalar(value)

    def _different(self, name: str, value: JSON) -> bool:
        return _is_scalar(value) and _is_exact(value) and self._send(f"not_{name}", encode(value))

    def _in(self, name: str, values: list[JSON]) -> bool:
        if not all(_is_scalar(value) and _is_exact(value) for value in values):
            return False
        return self._send(f"in_{name}", encode_all(values)) and not any(map(_is_doubtful, values))

    def _not_in(self, name: str, values: list[JSON]) -> bool:
        if not all(_is_scalar(value) and _is_exact(value) and not _is_doubtful(value) for value in values):
            return False
        return self._send(f"exclude_{name}", encode_all(values))

    def _exists(self, name: str, wanted: bool) -> bool:
        if self._presence:
            return False
        self._presence[f"has_{name}"] = encode(wanted)
        return True

    def _bound(self, name: str, part: Comparison) -> bool:
        operator, value = part.operator, part.value
        type_name = kind(value)
        if type_name not in ("string", "number") or self._kinds.setdefault(name, type_name) != type_name:
            return False
        if not _is_exact(value) or not _collates(part):
            self._guard(name, type_name)
            return False
        if not self._send(f"{_BOUNDS[operator]}_{name}", encode(value)):
            return False
        self._bounds.setdefault(name, set()).add("lower" if operator in ("gt", "ge") else "upper")
        return True

    def _text(self, name: str, _: JSON) -> bool:
        """Kinto's like_ is another thing on each back end: only ask for strings.

        Not even for those from a prefix on: collations have texts before their own beginnings.
        """
        self._guard(name, "string")
        return False

    def _contains(self, name: str, values: list[JSON]) -> bool:
        # On memory, 1 in a list is not 1.0, and a string contains its letters.
        # Kinto reads "contains_any_x" as contains_any_ of "x".
        if values and all(isinstance(value, str) for value in values) and not name.startswith("any_"):
            self._send(f"contains_{name}", encode(values))
        return False

    def _contains_any(self, name: str, values: list[JSON]) -> bool:
        if values and all(isinstance(value, str) for value in values):
            self._send(f"contains_any_{name}", encode(values))
        return False

    def _anything(self, _: str, __: JSON) -> bool:
        return False

    def _id(self, part: Comparison) -> bool:
        """An id is always there and always a string; Kinto answers 400 to anything else."""
        operator, value = part.operator, part.value
        if operator in _BOUNDS and isinstance(value, str):
            return self._send(f"{_BOUNDS[operator]}_id", encode(value))
        if operator in ("eq", "ne") and isinstance(value, str):
            return self._send(f"{'eq' if operator == 'eq' else 'not'}_id", encode(value))
        if operator in ("in", "not_in") and all(isinstance(one, str) for one in value):
            return self._send(f"{'in' if operator == 'in' else 'exclude'}_id", encode_all(value))
        return False

    def _timestamp(self, part: Comparison) -> bool:
        """Plain integers only: to the others Kinto answers 400, 503 or everything."""
        value, names = part.value, {"eq": "eq", "ne": "not", **_BOUNDS}
        plain = kind(value) == "number" and value == int(value) and 0 <= value < latest_moment()
        if part.operator not in names or not plain:
            return False
        return self._send(f"{names[part.operator]}_last_modified", str(int(value)))


def _guards(name: str, type_name: str, sides: set[str]) -> dict[str, str]:
    """Bounds that keep other types out: the order of types is the same on both back ends."""
    guards = {}
    if "lower" not in sides:
        guards[f"min_{name}"] = encode("" if type_name == "string" else -_NUMBERS_END)
    if "upper" not in sides:
        if type_name == "string":
            guards[f"lt_{name}"] = encode(-_NUMBERS_END)
        else:
            guards[f"max_{name}"] = encode(_NUMBERS_END)
    return guards


def _name(path: Path) -> str | None:
    """The path in a filter's name, None if Kinto would take it for something else.

    On the memory back end a key that is literally "a.b" hides the b inside of a (Kinto 26.5).
    """
    return ".".join(path) if all(map(_NAME.fullmatch, path)) else None


def _is_scalar(value: JSON) -> bool:
    return not isinstance(value, (list, tuple, dict))


def _is_exact(value: JSON, inside: bool = False) -> bool:
    """Does Kinto compare each number of it as we do? inside: of a list or an object."""
    if isinstance(value, dict):
        return all(_is_exact(item, True) for item in value.values())
    if isinstance(value, (list, tuple)):
        return all(_is_exact(item, True) for item in value)
    if isinstance(value, float):
        return abs(value) <= _LARGEST and survives(value)
    return not inside or not isinstance(value, int) or abs(value) <= _LARGEST


def _is_doubtful(value: JSON) -> bool:
    """On memory, true is in a list with 1, and false in one with 0."""
    return isinstance(value, bool) or (isinstance(value, (int, float)) and value in (0, 1))


def _is_timestamp_filter(name: str) -> bool:
    return name.endswith("_last_modified") and name.partition("_")[2] == "last_modified"


def _collates(part: Comparison) -> bool:
    """Do all collations of a database order the value, among all that is stored there, as code points do?

    Other texts are compared here: on PostgreSQL "B" may come after "a", and "_" before "5" (Kinto 26.5).
    """
    if not isinstance(part.value, str):
        return True
    return part.is_fixed_form and _FIXED_FORM.fullmatch(part.value) is not None
