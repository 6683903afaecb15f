"""Keys that the server holds inside nested objects and that their classes do not declare.

A nested object is sent as a whole, so a save that changes part of it must send these as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

from ..protocol.values import JSON, equal, sendable
from .annotations import inner_fields, is_union, without_none
from .nested_values import is_nested, nested_keys


def with_unknown(cls: Any, new: JSON, old: JSON) -> JSON:
    """The new JSON of a value, with the unknown keys of the old; those of its own stay as they are.

    cls: the type of the value. Items of a list are matched by being equal but for unknown keys; those
    left over by their place, if the list is as long as it was, else where as many stand between the same
    two neighbours.
    """
    if not isinstance(old, (dict, list)):
        return new
    cls = _core(cls)
    if isinstance(new, dict) and isinstance(old, dict):
        return _object(cls, new, old)
    arguments = get_args(cls)
    if isinstance(new, list) and isinstance(old, list) and arguments and get_origin(cls) in (list, tuple):
        return _list(arguments[0], new, old)
    return new


def holds_objects(cls: Any) -> bool:
    """May a value of the type hold objects with keys that their classes do not declare?"""
    cls = _core(cls)
    return _types_by_key(cls) is not None or any(map(holds_objects, get_args(cls)))


def _object(cls: Any, new: dict[str, JSON], old: dict[str, JSON]) -> JSON:
    if get_origin(cls) is dict:
        item = get_args(cls)[1]
        return {key: with_unknown(item, value, old.get(key)) for key, value in new.items()}
    by_key = _types_by_key(cls)
    if by_key is None:
        return new
    kept = {key: sendable(value) for key, value in old.items() if key not in by_key}
    merged = {
        key: with_unknown(by_key[key], value, old.get(key)) if key in by_key else value
        for key, value in new.items()
    }
    return {**kept, **merged}


def _types_by_key(cls: Any) -> dict[str, Any] | None:
    """What the keys of its objects hold; of a union, the keys of all its members."""
    if is_union(cls):
        members = [_types_by_key(_core(member)) for member in get_args(cls)]
        found = [types for types in members if types is not None]
        return {key: kind for types in found for key, kind in types.items()} if found else None
    types = inner_fields(cls)
    if types is None:
        return None
    keys = nested_keys(cls) if is_nested(cls) else {name: name for name in types}
    return {keys[name]: inner for name, inner in types.items() if name in keys}


def _core(cls: Any) -> Any:
    """Without None, Annotated, and what a NewType stands for."""
    cls = without_none(cls)
    if get_origin(cls) is Annotated:
        return _core(get_args(cls)[0])
    return _core(cls.__supertype__) if hasattr(cls, "__supertype__") else cls


def _list(cls: Any, new: list[JSON], old: list[JSON]) -> list[JSON]:
    if _types_by_key(_core(cls)) is None:
        return new

    known = [_known(cls, item) for item in old]
    if known == old:
        return new
    own = [_known(cls, item) for item in new]
    # Most items are where they were: the others are looked for among the others.
    found = {at: at for at in range(min(len(new), len(old))) if equal(own[at], known[at])}
    unused: dict[str, list[int]] = {}
    for place in reversed(range(len(old))):
        if place not in found:
            unused.setdefault(form_of(known[place]), []).append(place)
    for at in range(len(new)):
        if at not in found and (places := unused.get(form_of(own[at]))):
            found[at] = places.pop()
    result = [sendable(old[found[at]]) if at in found else item for at, item in enumerate(new)]
    for at, place in found.items():
        if own[at] != new[at]:
            result[at] = with_unknown(cls, new[at], old[place])
    if len(new) == len(old):
        edited = {at: at for at in set(range(len(old))) - {*found, *found.values()}}
    else:
        edited = dict(_edited(found, len(new), len(old)))
    for at, place in edited.items():
        result[at] = with_unknown(cls, new[at], old[place])
    return result


def _edited(found: dict[int, int], new: int, old: int) -> Iterator[tuple[int, int]]:
    """Where the items that were not found are, and were, if as many are between the same two neighbours."""
    used = set(found.values())
    last, last_place = -1, -1
    for at, place in [*sorted(found.items()), (new, old)]:
        places = range(last_place + 1, place)
        if len(places) == at - last - 1 and used.isdisjoint(places):
            yield from zip(range(last + 1, at), places, strict=True)
        last, last_place = at, place


def _known(cls: Any, value: JSON) -> JSON:
    """The value without the unknown keys."""
    cls = _core(cls)
    arguments = get_args(cls)
    if isinstance(value, dict):
        if get_origin(cls) is dict:
            return {key: _known(arguments[1], item) for key, item in value.items()}
        by_key = _types_by_key(cls)
        if by_key is None:
            return value
        return {key: _known(by_key[key], item) for key, item in value.items() if key in by_key}
    if isinstance(value, list) and arguments and get_origin(cls) in (list, tuple):
        return [_known(arguments[0], item) for item in value]
    return value


def form_of(value: JSON) -> str:
    """A text that is the same for equal JSON: in any order of keys, all numbers as floats."""
    plain = json.loads(json.dumps(value), parse_int=float, parse_float=lambda text: float(text) + 0.0)
    return json.dumps(plain, sort_keys=True)
