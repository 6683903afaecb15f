"""Rows: values of records, lazily, instead of the records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar, overload

from typing_extensions import Self

from ..mapping.state import Home
from ..protocol.values import JSONObject
from ..query.query import Query
from . import finding
from .columns import Column
from .reading import DEFAULT_PAGE_SIZE, check_page_size, check_position, sliced

R = TypeVar("R")

Columns = tuple[Column, ...]


class Rows(Generic[R]):
    """What values() and values_list() give: a row for each record, in the order of the query.

    Iterating asks the server once (one GET for each page) and keeps the rows; iterator() keeps none.
    """

    def __init__(self, home: Home, query: Query, columns: Columns, make: Callable[[list[Any]], R]) -> None:
        self._home, self._query, self._columns, self._make = home, query, columns, make
        self._rows: list[R] | None = None

    def __repr__(self) -> str:
        return f"<Rows of {', '.join(one.name for one in self._columns)} in {self._home.name}>"

    def iterator(self, *, page_size: int = DEFAULT_PAGE_SIZE) -> Iterator[R]:
        """The rows, page by page, in bounded memory; asked for anew each time."""
        check_page_size(page_size)
        found = finding.rows(self._home, self._query, [one.path for one in self._columns], page_size)
        return map(self._row, found)

    def first(self) -> R | None:
        """The first one, None if there is none. One GET."""
        for row in self[:1]:
            return row
        return None

    def __iter__(self) -> Iterator[R]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    @overload
    def __getitem__(self, at: int) -> R: ...
    @overload
    def __getitem__(self, at: slice) -> Self: ...
    def __getitem__(self, at: int | slice) -> R | Self:
        if isinstance(at, slice):
            return type(self)(self._home, sliced(self._query, at), self._columns, self._make)
        if self._rows is not None:
            return self._rows[check_position(at)]
        for row in self[at : check_position(at) + 1]:
            return row
        raise IndexError(f"no record at {at}")

    def _row(self, data: JSONObject) -> R:
        return self._make([one.value(data, self._home.name) for one in self._columns])

    def _all(self) -> list[R]:
        if self._rows is None:
            self._rows = list(self.iterator())
        return self._rows


def as_dicts(columns: Columns) -> Callable[[list[Any]], dict[str, Any]]:
    names = [one.name for one in columns]
    return lambda values: dict(zip(names, values, strict=True))
