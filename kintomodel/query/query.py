"""Query: which objects of a listing, in which order, how many of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from ..protocol.values import JSONObject
from .conditions import EVERYTHING, MISSING_RANK, Condition, Path, sort_key

_NAME = re.compile(r"\w+")
_OWN: tuple[Path, ...] = (("id",), ("last_modified",))

OUT_OF_PLACE = -1
"""The rank of a missing key that is not to be where Kinto puts it."""


class Sort(NamedTuple):
    """As Kinto orders values: null, strings, numbers, booleans; or, descending, the opposite.

    missing_first: are the objects without the key before all others, or after them?
    scalars: are there neither arrays nor objects at the path? By those Kinto 26.5 orders
    differently on each back end, or answers 500 or 400, so that an order of our own is made.
    """

    path: Path
    descending: bool = False
    scalars: bool = False
    missing_first: bool = False

    @property
    def is_kintos(self) -> bool:
        """Does Kinto put objects without the key there, too? id and last_modified are never missing."""
        return self.missing_first is self.descending or self.path in _OWN

    @property
    def may_wait(self) -> bool:
        """Does Kinto give those first that are to come last, so that they can be held back?"""
        return self.descending and not self.is_kintos

    @property
    def reversed(self) -> Sort:
        return self._replace(descending=not self.descending, missing_first=not self.missing_first)

    def place(self, data: JSONObject) -> tuple[int, Any]:
        """Of an object; the greater one comes later, or, descending, first."""
        rank, value = sort_key(data, self.path)
        # The last of Kinto's ranks is that of the missing key.
        return (rank if rank != MISSING_RANK or self.is_kintos else OUT_OF_PLACE), value

    def __str__(self) -> str:
        return ("-" if self.descending else "") + ".".join(self.path)


class Query(NamedTuple):
    """sort: empty for any order. start, stop: as in a slice; stop None: to the end."""

    condition: Condition = EVERYTHING
    sort: tuple[Sort, ...] = ()
    backwards: bool = False
    start: int = 0
    stop: int | None = None

    @property
    def is_ordered(self) -> bool:
        return bool(self.sort)

    @property
    def size(self) -> int | None:
        """The most objects that are wanted, None without a limit."""
        return None if self.stop is None else max(0, self.stop - self.start)

    @property
    def order(self) -> tuple[Sort, ...]:
        """A total order. Without a wish it is that of the ids.

        That one is stable: an object that is written meanwhile stays where it is, so a listing
        in several pages neither skips nor repeats it. In any other order it would move.
        """
        keys = self.sort
        if keys and not any(key.path in _OWN for key in keys):
            keys = (*keys, Sort(("last_modified",), descending=True))
        # In memory several may have the same time, if somebody chose it.
        if not any(key.path == ("id",) for key in keys):
            keys = (*keys, Sort(("id",)))
        return tuple(key.reversed for key in keys) if self.backwards else keys

    @property
    def sort_param(self) -> str | None:
        """The order as Kinto's _sort, None if Kinto cannot be relied on for it."""
        if not all(map(_is_paged, self.order)):
            return None
        return ",".join(map(str, self.order))


def _is_paged(key: Sort) -> bool:
    """Can Kinto give all pages of this order? It ignores names that it does not take."""
    scalars = key.scalars or key.path in _OWN
    return scalars and all(map(_NAME.fullmatch, key.path))


def in_order(objects: Iterable[JSONObject], order: tuple[Sort, ...]) -> list[JSONObject]:
    result = list(objects)
    for key in reversed(order):
        result.sort(key=key.place, reverse=key.descending)
    return result
