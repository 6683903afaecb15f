"""What a query is written with, as it was written: a look-up, and a key of its order."""

from __future__ import annotations

from typing import Any, NamedTuple


class Term(NamedTuple):
    """One look-up as it was written. path: ("amount__gte",) unsplit, if it came as a keyword."""

    path: tuple[str, ...]
    lookup: str | None
    value: Any

    def __str__(self) -> str:
        lookup = [] if self.lookup is None else [self.lookup]
        return f"{'__'.join([*self.path, *lookup])}={self.value!r}"


class Order(NamedTuple):
    """A key of order_by()."""

    path: tuple[str, ...]
    descending: bool = False
