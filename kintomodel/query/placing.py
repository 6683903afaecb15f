"""Where an object stands in an order, and where the server's order is not ours."""

from __future__ import annotations

from typing import Any, TypeAlias

from ..protocol.values import LARGEST_INTEGER, SMALLEST_INTEGER, JSONObject, survives
from .query import OUT_OF_PLACE, Sort

Keys: TypeAlias = tuple[tuple[int, Any], ...]
"""Where each key of an order puts an object: what Sort.place() says."""

Place: TypeAlias = tuple[Any, ...]
"""Of an object in an order: it compares with that of another."""


def keys_of(data: JSONObject, order: tuple[Sort, ...]) -> Keys:
    return tuple(key.place(data) for key in order)


class _Backwards:
    """What is greater is less."""

    __slots__ = ("place",)

    def __init__(self, place: Any) -> None:
        self.place = place

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Backwards) and self.place == other.place

    def __lt__(self, other: _Backwards) -> bool:
        return bool(other.place < self.place)


def is_other_collation(one: Keys, other: Keys, order: tuple[Sort, ...]) -> bool:
    """Are they in another order than ours, because of two texts?"""
    for key, before, after in zip(order, one, other, strict=True):
        if before != after:
            are_texts = isinstance(before[1], str) and isinstance(after[1], str)
            return are_texts and (after < before) is not key.descending
    return False


def is_read_back(keys: Keys) -> bool:
    """Does Kinto find this place again? The values are in its token, which its JSON reader reads."""
    values = [value for _, value in keys]
    floats = (value for value in values if isinstance(value, float))
    integers = (value for value in values if isinstance(value, int))
    return all(map(survives, floats)) and all(SMALLEST_INTEGER <= one <= LARGEST_INTEGER for one in integers)


def missing(keys: Keys, order: tuple[Sort, ...]) -> int | None:
    """Which is the first key that is not there, so that the object has to wait? None if it does not."""
    several = enumerate(zip(order, keys, strict=True))
    return next((at for at, (key, place) in several if key.may_wait and place[0] == OUT_OF_PLACE), None)


def comparable(keys: Keys, order: tuple[Sort, ...]) -> Place:
    both = zip(order, keys, strict=True)
    return tuple(_Backwards(place) if key.descending else place for key, place in both)
