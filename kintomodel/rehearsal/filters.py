"""What a list is asked for, as Kinto reads it from the URL, of objects that only a dry run has.

https://docs.kinto-storage.org/en/stable/api/1.x/filtering.html
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from ..errors import UsageError
from ..protocol.operations import Operation
from ..protocol.values import JSON, JSONObject, copy, equal

_FILTER = re.compile(r"(lt|min|max|not|eq|gt|in|exclude|has|contains_any|contains|like)_([\w.]+)")
_SORT = re.compile(r"([-+]?)([\w.]+)")
_MISSING = object()
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "max": operator.le,
    "gt": operator.gt,
    "min": operator.ge,
}


class Filter(NamedTuple):
    """value: what is compared with; of in, exclude, contains and contains_any a list."""

    operator: str
    name: str
    value: JSON

    def matches(self, data: JSONObject) -> bool:
        found = _value_at(data, self.name)
        if self.operator == "has":
            return (found is not _MISSING) is bool(self.value)
        if self.operator in _ORDERED:
            return _ORDERED[self.operator](_place(found), _place(self.value))
        if self.operator in ("contains", "contains_any"):
            several = found if isinstance(found, list) else []
            enough = all if self.operator == "contains" else any
            return isinstance(found, list) and enough(_in(value, several) for value in self.value)
        wanted = self.value if self.operator in ("in", "exclude") else [self.value]
        return _in(found, wanted) is (self.operator in ("in", "eq"))


class Order(NamedTuple):
    """Names of attributes, each with whether it is descending."""

    keys: tuple[tuple[str, bool], ...]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.keys]

    def is_before(self, one: JSONObject, other: JSONObject) -> bool:
        for name, is_descending in self.keys:
            places = _rank(name, one), _rank(name, other)
            if places[0] != places[1]:
                return (places[0] > places[1]) is is_descending
        return False

    def of(self, objects: Iterable[JSONObject]) -> list[JSONObject]:
        found = list(objects)
        for name, is_descending in reversed(self.keys):
            found.sort(key=partial(_rank, name), reverse=is_descending)
        return found

    def after(self, params: Mapping[str, str], end: JSONObject) -> dict[str, str] | None:
        """The same parameters for what follows an object; None where those say nothing of it."""
        if self.names != ["id"]:
            return None
        return {**params, "lt_id" if self.keys[0][1] else "gt_id": json.dumps(end["id"])}


def order(params: Mapping[str, str]) -> Order:
    """Of no two objects the same: Kinto adds the time where it is not named, and no two have one id."""
    names = map(_SORT.fullmatch, map(str.strip, params.get("_sort", "").split(",")))
    keys = [(one[2], one[1] == "-") for one in names if one is not None]
    if keys and keys[0][0] == "id":
        return Order((keys[0],))
    return Order(tuple(keys if "last_modified" in dict(keys) else [*keys, ("last_modified", True)]))


def shows_tombstones(params: Mapping[str, str]) -> bool:
    """A filter on the time, or a wish for what changed, has Kinto list deleted objects as well (26.5)."""
    if not params.keys().isdisjoint(("_since", "_before", "_to")):
        return True
    is_of_time = any(name.endswith("last_modified") for name in params)
    return is_of_time and params.get("not_deleted") != "true"


def wanted(operation: Operation[Any]) -> list[Filter]:
    """UsageError for one that means another thing on each of Kinto's back ends."""
    found = [_filter(name, value) for name, value in operation.params.items() if not name.startswith("_")]
    for one in found:
        is_unordered = one.operator in _ORDERED and isinstance(one.value, (list, dict))
        if one.operator == "like" or is_unordered:
            raise UsageError(
                f"{operation.method} {operation.path}: a dry run cannot tell which of the objects that it "
                f"wrote match {one.operator}_{one.name}: ask without this filter; nothing was sent"
            )
    return found


def part(data: JSONObject, fields: str | None) -> JSONObject:
    """A copy with these attributes only, beside the two that Kinto always sends. fields: None for all."""
    if fields is None:
        return dict(copy(data))
    found: JSONObject = {}
    for name in (*fields.split(","), "id", "last_modified"):
        _take(name.split("."), data, found)
    return found


def _take(path: list[str], data: JSONObject, into: JSONObject) -> None:
    key, *rest = path
    if key not in data:
        return
    if rest and isinstance(data[key], dict):
        _take(rest, data[key], into.setdefault(key, {}))
    else:
        into[key] = copy(data[key])


def _filter(param: str, text: str) -> Filter:
    match = _FILTER.fullmatch(param)
    name, path = match.groups() if match else ("eq", param)
    if name in ("in", "exclude"):
        return Filter(name, path, [_decoded(piece) for piece in text.split(",")])
    value = _decoded(text)
    if name in ("contains", "contains_any") and not isinstance(value, list):
        value = [value]
    return Filter(name, path, value)


def _decoded(piece: str) -> JSON:
    """As Kinto reads it: JSON, or else the text itself."""
    try:
        return json.loads(piece)
    except ValueError:
        return piece


def _value_at(data: JSONObject, name: str) -> Any:
    found: Any = data
    for key in name.split("."):
        if not isinstance(found, dict) or key not in found:
            return _MISSING
        found = found[key]
    return found


def _rank(name: str, data: JSONObject) -> tuple[int, Any]:
    return _place(_value_at(data, name))


def _in(found: Any, several: Iterable[JSON]) -> bool:
    return found is not _MISSING and any(equal(found, value) for value in several)


def _place(value: Any) -> tuple[int, Any]:
    """In Kinto's order: null, strings, numbers, booleans, arrays, objects, missing."""
    if isinstance(value, bool):
        return 3, value
    if isinstance(value, (int, float)):
        return 2, value
    if isinstance(value, str):
        return 1, value
    if value is _MISSING:
        return 6, 0
    return (0 if value is None else 4 if isinstance(value, list) else 5), 0
