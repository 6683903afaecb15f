"""Three-way merge of an object's data: what two writers made of the same base."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ..protocol.values import JSON, JSONObject, copy, equal
from ..query.conditions import MISSING, Path


class Merge(NamedTuple):
    """data: both sides' changes; where they overlap, mine. overlaps: the paths where they do."""

    data: JSONObject
    overlaps: tuple[str, ...] = ()


def merge(
    base: Mapping[str, JSON],
    mine: Mapping[str, JSON],
    theirs: Mapping[str, JSON],
    *,
    is_set: Callable[[Path], bool] = lambda _: False,
) -> Merge:
    """Changes of different attributes are put together, those inside of nested objects as well.

    is_set: whether the list at a path stands for a set, whose members are attributes of their own;
    any other list is one value, as nobody knows which of its items are the same.
    """
    overlaps: list[str] = []
    data = _object(base, mine, theirs, (), is_set, overlaps)
    return Merge(data, tuple(sorted(overlaps)))


def _object(
    base: Mapping[str, JSON],
    mine: Mapping[str, JSON],
    theirs: Mapping[str, JSON],
    path: Path,
    is_set: Callable[[Path], bool],
    overlaps: list[str],
) -> JSONObject:
    result: JSONObject = {}
    for key in dict.fromkeys((*base, *theirs, *mine)):
        before, ours, other = (side.get(key, MISSING) for side in (base, mine, theirs))
        value = _value(before, ours, other, (*path, key), is_set, overlaps)
        if value is not MISSING:
            result[key] = copy(value)
    return result


def _value(
    base: JSON,
    mine: JSON,
    theirs: JSON,
    path: Path,
    is_set: Callable[[Path], bool],
    overlaps: list[str],
) -> JSON:
    if equal(mine, theirs) or equal(theirs, base):
        return mine
    if equal(mine, base):
        return theirs
    if isinstance(mine, dict) and isinstance(theirs, dict):
        return _object(base if isinstance(base, dict) else {}, mine, theirs, path, is_set, overlaps)
    if isinstance(mine, list) and isinstance(theirs, list) and is_set(path):
        return _members(base if isinstance(base, list) else [], mine, theirs)
    overlaps.append(".".join(path))
    return mine


def _members(base: list[JSON], mine: list[JSON], theirs: list[JSON]) -> list[JSON]:
    """Theirs, with those that we added and without those that we took out."""

    def among(item: JSON, several: list[JSON]) -> bool:
        return any(equal(item, one) for one in several)

    kept = [item for item in theirs if among(item, mine) or not among(item, base)]
    return kept + [item for item in mine if not among(item, base) and not among(item, kept)]
