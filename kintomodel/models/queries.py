"""Queries: what a manager and a query set can both be asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, Generic, Literal, TypeVar, overload

from ..mapping.expressions import Condition, FieldExpression
from ..mapping.state import Mapped
from ..mapping.terms import Order
from ..query.explaining import Explanation
from ..reading.aggregates import Aggregate
from ..reading.prefetching import DanglingRef
from ..reading.reading import DEFAULT_PAGE_SIZE
from ..reading.rows import Rows
from .queryset import QuerySet

M = TypeVar("M", bound=Mapped)
U = TypeVar("U")


class Queries(ABC, Generic[M]):
    """All records, in whatever way they are asked for."""

    @abstractmethod
    def all(self) -> QuerySet[M]:
        """A query set of them; nothing is sent before it is read."""
        ...

    def none(self) -> QuerySet[M]:
        """No records, without a request."""
        return self.all().none()

    def filter(self, *conditions: Condition, **lookups: Any) -> QuerySet[M]:
        """See QuerySet.filter."""
        return self.all().filter(*conditions, **lookups)

    def exclude(self, *conditions: Condition, **lookups: Any) -> QuerySet[M]:
        """See QuerySet.exclude."""
        return self.all().exclude(*conditions, **lookups)

    def order_by(self, *keys: str | Order | FieldExpression[Any]) -> QuerySet[M]:
        """See QuerySet.order_by."""
        return self.all().order_by(*keys)

    def reverse(self) -> QuerySet[M]:
        """By id, the last one first."""
        return self.all().reverse()

    def explain(self) -> Explanation:
        """See QuerySet.explain."""
        return self.all().explain()

    def get(self, *conditions: Condition, **lookups: Any) -> M:
        """See QuerySet.get."""
        return self.all().get(*conditions, **lookups)

    def first(self) -> M | None:
        """The one with the least id, None if there is none; one GET."""
        return self.all().first()

    def last(self) -> M | None:
        """The one with the greatest id, None if there is none; one GET."""
        return self.all().last()

    def count(self) -> int:
        """How many records there are; one HEAD."""
        return self.all().count()

    def exists(self) -> bool:
        """Is there one? One GET for one record."""
        return self.all().exists()

    def only(self, *fields: str | FieldExpression[Any]) -> QuerySet[M]:
        """See QuerySet.only."""
        return self.all().only(*fields)

    def prefetch(self, *fields: str | FieldExpression[Any]) -> QuerySet[M]:
        """See QuerySet.prefetch."""
        return self.all().prefetch(*fields)

    def check_refs(self) -> list[DanglingRef]:
        """See QuerySet.check_refs."""
        return self.all().check_refs()

    def values(self, *fields: str | FieldExpression[Any]) -> Rows[dict[str, Any]]:
        """See QuerySet.values."""
        return self.all().values(*fields)

    @overload
    def values_list(self, field: FieldExpression[U], /, *, flat: Literal[True]) -> Rows[U]: ...
    @overload
    def values_list(self, field: str, /, *, flat: Literal[True]) -> Rows[Any]: ...
    @overload
    def values_list(
        self, *fields: str | FieldExpression[Any], flat: Literal[False] = ...
    ) -> Rows[tuple[Any, ...]]: ...
    def values_list(self, *fields: Any, flat: Any = False) -> Rows[Any]:
        """See QuerySet.values_list."""
        return self.all().values_list(*fields, flat=flat)

    def in_bulk(self, ids: Iterable[str] | None = None) -> dict[str, M]:
        """See QuerySet.in_bulk."""
        return self.all().in_bulk(ids)

    @overload
    def distinct_values(self, field: FieldExpression[U]) -> list[U]: ...
    @overload
    def distinct_values(self, field: str) -> list[Any]: ...
    def distinct_values(self, field: str | FieldExpression[Any]) -> list[Any]:
        """See QuerySet.distinct_values."""
        return self.all().distinct_values(field)

    def aggregate(self, **named: Aggregate) -> dict[str, Any]:
        """See QuerySet.aggregate."""
        return self.all().aggregate(**named)

    def with_permissions(self) -> QuerySet[M]:
        """See QuerySet.with_permissions."""
        return self.all().with_permissions()

    def iterator(
        self, *, page_size: int = DEFAULT_PAGE_SIZE, readonly: bool = False, workers: int = 1
    ) -> Iterator[M]:
        """See QuerySet.iterator."""
        return self.all().iterator(page_size=page_size, readonly=readonly, workers=workers)

    @overload
    def __getitem__(self, at: int) -> M: ...
    @overload
    def __getitem__(self, at: slice) -> QuerySet[M]: ...
    def __getitem__(self, at: int | slice) -> M | QuerySet[M]:
        return self.all()[at]

    def __iter__(self) -> Iterator[M]:
        return iter(self.all())
