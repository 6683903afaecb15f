"""QuerySet: records that match, lazily. Nothing is sent until it is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, NamedTuple, TypeVar, overload

import attrs
from typing_extensions import Self

from ..errors import MultipleFound, NotFound, UsageError
from ..protocol.conditions import EVERYTHING, NOTHING, And, normal
from ..protocol.planning import plan
from ..protocol.query import Query
from ..protocol.report import Report
from . import bulk_editing, loading, lookups
from .expressions import FieldExpression, Order, Q
from .progress import Progress
from .state import Home, Mapped

M = TypeVar("M", bound=Mapped)

DEFAULT_PAGE_SIZE = 1000
"""Records a request. The server may give fewer."""


class Explanation(NamedTuple):
    """How a query is answered. request: the first one, of each page; None: nothing can match.

    residual: the condition that is checked here, on what the server sends; None: nothing is left.
    order: the keys by which all of it is put in order here; None: the server does that.
    """

    request: str | None
    residual: str | None
    order: str | None = None

    def __str__(self) -> str:
        if self.request is None:
            return "no request: nothing can match"
        lines = [self.request]
        if self.residual:
            lines.append(f"checked here: {self.residual}")
        if self.order:
            lines.append(f"ordered here: {self.order}")
        return "\n".join(lines)


@attrs.frozen(eq=False)
class QuerySet(Generic[M]):
    """Records of a model that match. Frozen: each method gives a new one.

    Iterating it asks the server once (one GET for each page) and keeps the records; iterator()
    does not keep them. An order that nobody asked for is that of the ids.
    """

    model: type[M]
    home: Home
    query: Query = attrs.field(factory=Query)
    _records: list[M] | None = attrs.field(default=None, init=False, repr=False)

    def filter(self, *conditions: Q | bool, **lookups: Any) -> Self:
        """Those that meet all of it: Receipt.amount >= 10, Q(...), or amount__gte=10.

        Filters speak of what is stored: a missing key is not the default of its field.
        """
        return self._narrowed(Q(*conditions, **lookups))

    def exclude(self, *conditions: Q | bool, **lookups: Any) -> Self:
        """Those that do not meet all of it; so also those that lack the key."""
        return self._narrowed(~Q(*conditions, **lookups))

    def order_by(self, *keys: str | Order | FieldExpression[Any]) -> Self:
        """In the order of these: "amount", "-paid_at", "address__city", F(Receipt.amount).desc().

        As Kinto orders: null, texts by code point, numbers, false, true; records without the key
        come last, with "-" first.
        """
        self._refuse_after_slice("order_by")
        sort = lookups.sort_keys(self.model.__kinto__, keys)
        return self._with(sort=sort, backwards=False)

    def reverse(self) -> Self:
        self._refuse_after_slice("reverse")
        return self._with(backwards=not self.query.backwards)

    def all(self) -> Self:
        """The same, to be asked for anew."""
        return self._with()

    def none(self) -> Self:
        """No records, without a request."""
        return self._with(condition=NOTHING)

    def get(self, *conditions: Q | bool, **lookups: Any) -> M:
        """The one record that matches. Raises NotFound or MultipleFound.

        get(id=...) alone is one GET of the record itself, permissions included.
        """
        if not conditions and set(lookups) == {"id"} and self.query == Query():
            return self.home.connection.run(loading.get(self.model, self.home, lookups["id"]))
        wanted = self.filter(*conditions, **lookups) if conditions or lookups else self
        found = list(wanted[:2]) if self.query.stop is None else list(wanted)
        if len(found) == 1:
            return found[0]
        name = self.model.__name__
        if found:
            raise MultipleFound(
                f"get() wants one {name} in {self.home.name}, several match {normal(wanted.query.condition)}"
            )
        raise NotFound(
            f"no {name} in {self.home.name} matches {normal(wanted.query.condition)}",
            status=404,
            method="GET",
            path=self.home.path.records,
        )

    def first(self) -> M | None:
        """The first one, by the order or else by id; None if there is none. One GET."""
        for record in self[:1]:
            return record
        return None

    def last(self) -> M | None:
        """The last one, by the order or else by id; None if there is none. One GET.

        Of a slice it is the last of all that are read.
        """
        if self._is_slice:
            records = self._all()
            return records[-1] if records else None
        return self.reverse().first()

    def count(self) -> int:
        """How many there are. One HEAD if the server can answer it alone, see explain()."""
        if self._records is not None:
            return len(self._records)
        return loading.count(self.home, self.query, DEFAULT_PAGE_SIZE)

    def exists(self) -> bool:
        """Is there one? One GET for one record, if the server can answer it alone."""
        if self._records is not None:
            return bool(self._records)
        return self._with(sort=(), backwards=False).first() is not None

    def iterator(self, *, page_size: int = DEFAULT_PAGE_SIZE) -> Iterator[M]:
        """The records, page by page, in bounded memory; asked for anew each time.

        An order other than that of the ids can change while it is read. If it does, what is left
        is read by id and put in order here.
        """
        if not isinstance(page_size, int) or page_size < 1:
            raise UsageError(f"page_size is a positive number of records, got {page_size!r}")
        return loading.iterate(self.model, self.home, self.query, page_size)

    def update(self, **fields: Any) -> Report[M]:
        """Give these values to each of the records, as it is read now; the report says what happened.

        One GET a page, and a guarded PATCH for each that changes, in batches. One that somebody else
        writes meanwhile is a conflict: report.retry_failed() reads it anew, and writes it if it still
        matches. UsageError or ValidationError before anything is sent, if a name or a value is wrong.
        """
        return bulk_editing.update(self.model, self.home, self.query, DEFAULT_PAGE_SIZE, fields)

    def delete(self, *, all: bool = False, workers: int = 1, progress: Progress = False) -> Report[M]:
        """Delete the records, each as it is read now; the report says what happened.

        One GET a page, and a guarded DELETE for each, in batches. all: to be said where there is
        neither a filter nor a slice. workers, progress: as of Manager.bulk_delete. Collection.delete_all
        deletes without a report and without hooks, in one DELETE a page.
        """
        if not all and normal(self.query.condition) == EVERYTHING and not self._is_slice:
            raise UsageError(f"this deletes all of {self.home.name}: say delete(all=True) if you mean it")
        return bulk_editing.delete(self.model, self.home, self.query, DEFAULT_PAGE_SIZE, workers, progress)

    def explain(self) -> Explanation:
        """The request that this would send, and what is left to be checked here; sends nothing."""
        planned = plan(self.query.condition)
        if planned.params is None or self.query.size == 0:
            return Explanation(None, None)
        order = self.query.sort_param
        params = {**planned.params, "_sort": order or "id"}
        query = "&".join(f"{name}={value}" for name, value in params.items())
        residual = None if planned.is_exact else str(planned.residual)
        ordered_here = None if order else ",".join(map(str, self.query.order))
        return Explanation(f"GET {self.home.path.records}?{query}", residual, ordered_here)

    def __iter__(self) -> Iterator[M]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __bool__(self) -> bool:
        return bool(self._all())

    @overload
    def __getitem__(self, at: int) -> M: ...
    @overload
    def __getitem__(self, at: slice) -> Self: ...
    def __getitem__(self, at: int | slice) -> M | Self:
        if isinstance(at, int):
            if at < 0:
                raise UsageError("there are no negative positions: use last() or reverse()")
            if self._records is not None:
                return self._records[at]
            found = list(self[at : at + 1])
            if not found:
                raise IndexError(f"no record at {at}")
            return found[0]
        if not isinstance(at, slice) or not all(
            bound is None or isinstance(bound, int) for bound in (at.start, at.stop)
        ):
            raise UsageError(f"positions are integers, got [{at!r}]")
        return self._sliced(at)

    def _sliced(self, at: slice) -> Self:
        start, stop = at.start or 0, at.stop
        if at.step is not None or start < 0 or (stop is not None and stop < 0):
            raise UsageError(f"slices take positive bounds and no step, got [{at.start}:{at.stop}:{at.step}]")
        query = self.query
        new_start = query.start + start
        new_stop = None if stop is None else query.start + max(start, stop)
        if query.stop is not None:
            new_start = min(new_start, query.stop)
            new_stop = query.stop if new_stop is None else min(new_stop, query.stop)
        return self._with(start=new_start, stop=new_stop)

    def _all(self) -> list[M]:
        if self._records is None:
            object.__setattr__(self, "_records", list(self.iterator()))
        assert self._records is not None
        return self._records

    def _narrowed(self, written: Q) -> Self:
        self._refuse_after_slice("filter")
        added = lookups.condition(self.model.__kinto__, written)
        parts = [one.parts if isinstance(one, And) else (one,) for one in (self.query.condition, added)]
        return self._with(condition=And((*parts[0], *parts[1])))

    def _with(self, **changes: Any) -> Self:
        return attrs.evolve(self, query=self.query._replace(**changes))

    @property
    def _is_slice(self) -> bool:
        return bool(self.query.start) or self.query.stop is not None

    def _refuse_after_slice(self, method: str) -> None:
        if self._is_slice:
            raise UsageError(f"{method}() comes before the slice: a slice is of what it was taken from")
