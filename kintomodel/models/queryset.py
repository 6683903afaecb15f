"""QuerySet: records that match, lazily. Nothing is sent until it is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any, Generic, Literal, TypeVar, overload

import attrs
from typing_extensions import Self

from ..errors import MultipleFound, NotFound, UsageError
from ..mapping.expressions import Condition, FieldExpression, Q
from ..mapping.state import Home, Mapped
from ..mapping.terms import Order
from ..protocol.report import Report
from ..query import explaining
from ..query.conditions import EVERYTHING, NOTHING, And, normal
from ..query.explaining import Explanation
from ..query.query import Query
from ..reading import finding, loading, lookups, picture, prefetching
from ..reading.aggregates import Aggregate, Pass
from ..reading.columns import column, columns, distinct
from ..reading.prefetching import DanglingRef
from ..reading.reading import (
    DEFAULT_PAGE_SIZE,
    WHOLE,
    Reading,
    check_page_size,
    check_position,
    check_workers,
    names_of,
    sliced,
    whole_fields,
)
from ..reading.rows import Rows, as_dicts
from ..writing import bulk_editing
from ..writing.progress import Progress

M = TypeVar("M", bound=Mapped)
U = TypeVar("U")

# Records that repr() looks through for some that match, where the server cannot say which do.
_PREVIEWED = 100


@attrs.frozen(eq=False, repr=False)
class QuerySet(Generic[M]):
    """Records of a model that match. Frozen: each method gives a new one.

    Iterating it asks the server once (one GET for each page) and keeps the records; iterator()
    does not keep them. An order that nobody asked for is that of the ids.
    """

    model: type[M]
    home: Home
    query: Query = attrs.field(factory=Query)
    reading: Reading = WHOLE
    _records: list[M] | None = attrs.field(default=None, init=False, repr=False)

    def filter(self, *conditions: Condition, **lookups: Any) -> Self:
        """Those that meet all of it: Receipt.amount >= 10, Q(...), or amount__gte=10.

        Filters speak of what is stored: a missing key is not the default of its field.
        """
        return self._narrowed(Q(*conditions, **lookups))

    def exclude(self, *conditions: Condition, **lookups: Any) -> Self:
        """Those that do not meet all of it; so also those that lack the key. Of nothing: the same."""
        written = Q(*conditions, **lookups)
        return self._narrowed(~written if written.parts else written)

    def order_by(self, *keys: str | Order | FieldExpression[Any]) -> Self:
        """In the order of these: "amount", "-paid_at", "address__city", F(Receipt.amount).desc().

        As Kinto orders: null, texts by code point, numbers, false, true; with "-" the opposite. Records
        without the key come last in both.
        """
        self._refuse_after_slice("order_by")
        sort = lookups.sort_keys(self.model.__kinto__, keys)
        return self._with(sort=sort, backwards=False)

    def reverse(self) -> Self:
        """The last one first, by the order or else by id."""
        self._refuse_after_slice("reverse")
        return self._with(backwards=not self.query.backwards)

    def with_permissions(self) -> Self:
        """The same records with their permissions, which no listing shows: one more GET for each, in batches.

        Data and permissions are of one moment. A record that is written after it was listed comes
        as it is then, at its place in the listing, if it still matches; else it is left out, and so is
        one that is deleted. Where the server refuses batches, as one that is readonly does, each GET
        is a request of its own.
        """
        return attrs.evolve(self, reading=self.reading._replace(with_permissions=True))

    def all(self) -> Self:
        """The same, to be asked for anew."""
        return self._with()

    def none(self) -> Self:
        """No records, without a request."""
        return self._with(condition=NOTHING)

    def get(self, *conditions: Condition, **lookups: Any) -> M:
        """The one record that matches. Raises NotFound or MultipleFound.

        get(id=...) alone is one GET of the record itself, permissions included.
        """
        if not conditions and set(lookups) == {"id"} and (self.query, self.reading) == (Query(), WHOLE):
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
        """The first one, by the order or else by id; None if there is none.

        One GET; of several alternatives one for each, and one more.
        """
        for record in self[:1]:
            return record
        return None

    def last(self) -> M | None:
        """The last one, by the order or else by id; None if there is none. As many GETs as first().

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
        return finding.count(self.home, self.query, DEFAULT_PAGE_SIZE)

    def exists(self) -> bool:
        """Is there one? One GET for one record, for each alternative, if the server can answer it alone."""
        if self._records is not None:
            return bool(self._records)
        return finding.exists(self.home, self.query, DEFAULT_PAGE_SIZE)

    def only(self, *fields: str | FieldExpression[Any]) -> Self:
        """With these fields read, and the others when they are first looked at, by one more GET.

        save() sends what was changed, and leaves alone what was not read.
        """
        only = whole_fields(self.model.__kinto__, fields)
        return attrs.evolve(self, reading=self.reading._replace(only=only))

    def prefetch(self, *fields: str | FieldExpression[Any]) -> Self:
        """With the records that these references lead to: prefetch("customer", "customer__company").

        One GET for each model and about a hundred ids, after which .get() of the references costs
        nothing. iterator() does it page by page.
        """
        paths = self.reading.prefetch + tuple(map(names_of, fields))
        prefetching.tree(self.model.__kinto__, paths)
        return attrs.evolve(self, reading=self.reading._replace(prefetch=paths))

    def check_refs(self) -> list[DanglingRef]:
        """The references in these records to records that are not there.

        Reads the references alone, then the ids they name, and each that is not in a listing on its
        own: what you may not read counts as being there.
        """
        return prefetching.dangling(self.model, self.home, self.query)

    def values(self, *fields: str | FieldExpression[Any]) -> Rows[dict[str, Any]]:
        """A dict for each record: values("id", "amount", "address__city"); without names, all fields."""
        found = columns(self.model.__kinto__, fields)
        return Rows(self.home, self.query, found, as_dicts(found))

    @overload
    def values_list(self, field: FieldExpression[U], /, *, flat: Literal[True]) -> Rows[U]: ...
    @overload
    def values_list(self, field: str, /, *, flat: Literal[True]) -> Rows[Any]: ...
    @overload
    def values_list(
        self, *fields: str | FieldExpression[Any], flat: Literal[False] = ...
    ) -> Rows[tuple[Any, ...]]: ...
    def values_list(self, *fields: str | FieldExpression[Any], flat: bool = False) -> Rows[Any]:
        """A tuple for each record; flat: the value of the one field."""
        found = columns(self.model.__kinto__, fields)
        if flat and len(fields) != 1:
            raise UsageError(f"values_list(flat=True) takes one field, got {len(fields)}")
        return Rows(self.home, self.query, found, itemgetter(0) if flat else tuple)

    def in_bulk(self, ids: Iterable[str] | None = None) -> dict[str, M]:
        """{id: record} of those with these ids that match, in the order of the ids; without ids, of all.

        One GET for about a hundred ids.
        """
        if ids is None:
            return {record.id: record for record in self}
        if isinstance(ids, str):
            raise UsageError(f"in_bulk() takes several ids, got {ids!r}; one record is get(id={ids!r})")
        self._refuse_after_slice("in_bulk")
        found = finding.in_bulk(self.model, self.home, self.query, ids, self.reading)
        prefetching.prefetch(list(found.values()), self.reading.prefetch)
        return found

    @overload
    def distinct_values(self, field: FieldExpression[U]) -> list[U]: ...
    @overload
    def distinct_values(self, field: str) -> list[Any]: ...
    def distinct_values(self, field: str | FieldExpression[Any]) -> list[Any]:
        """Each value that is stored, once, in Kinto's order; None for null, nothing for a missing key.

        One pass over the records, of which only the values are kept.
        """
        wanted = column(self.model.__kinto__, field)
        found = finding.rows(self.home, self.query, [wanted.path], DEFAULT_PAGE_SIZE)
        return distinct(wanted, found, self.home.name)

    def aggregate(self, **named: Aggregate) -> dict[str, Any]:
        """{"total": ..., "n": ...} of aggregate(total=Sum("amount"), n=Count()), in one pass.

        Records where nothing or null is stored do not take part. Counting the records alone is
        count().
        """
        made = Pass(self.model.__kinto__, named)
        if not made.columns:
            return made.counted(finding.count(self.home, self.query, DEFAULT_PAGE_SIZE))
        paths = [one.path for one in made.columns]
        found = finding.rows(self.home, self.query, paths, DEFAULT_PAGE_SIZE)
        return made.results(found, self.home.name)

    def iterator(
        self, *, page_size: int = DEFAULT_PAGE_SIZE, readonly: bool = False, workers: int = 1
    ) -> Iterator[M]:
        """The records, page by page, in bounded memory; asked for anew each time.

        While the records of a page are handed out, the next page is on its way.
        An order other than that of the ids can change while it is read. If it does, what is left
        is read by id and put in order here.
        readonly: keep nothing of a record but its fields. It takes half the memory, and save(),
        delete() and extra raise UsageError, until refresh() makes it a record like any other.
        workers: so many pages are read at a time, each from another range of ids, and come in any
        order; at most 32. Two more GETs find the ranges. A query with an order or a slice refuses.
        """
        check_page_size(page_size)
        check_workers(workers, self.query)
        if readonly and self.reading.only is not None:
            raise UsageError("a record of some fields is never readonly: leave out only() or readonly=")
        reading = self.reading._replace(readonly=readonly)
        found = finding.iterate(self.model, self.home, self.query, page_size, reading, workers)
        return prefetching.prefetched(found, reading.prefetch, page_size) if reading.prefetch else found

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
        """The requests that list() would send, and what is left to be checked here; sends nothing."""
        return explaining.explain(self.home.path.records, self.query)

    def __iter__(self) -> Iterator[M]:
        return iter(self._all())

    def __repr__(self) -> str:
        """The first records as a table. At most one GET, none if they were read; never raises."""
        return picture.text(self._title, self.model, self._look)

    def _repr_html_(self) -> str:
        """The same for notebooks."""
        return picture.html(self._title, self.model, self._look)

    def __len__(self) -> int:
        return len(self._all())

    def __bool__(self) -> bool:
        return bool(self._all())

    @overload
    def __getitem__(self, at: int) -> M: ...
    @overload
    def __getitem__(self, at: slice) -> Self: ...
    def __getitem__(self, at: int | slice) -> M | Self:
        if isinstance(at, slice):
            return attrs.evolve(self, query=sliced(self.query, at))
        if self._records is not None:
            return self._records[check_position(at)]
        for record in self[at : check_position(at) + 1]:
            return record
        raise IndexError(f"no record at {at}")

    def _all(self) -> list[M]:
        if self._records is None:
            found = finding.collect(self.model, self.home, self.query, DEFAULT_PAGE_SIZE, self.reading)
            prefetching.prefetch(found, self.reading.prefetch)
            object.__setattr__(self, "_records", found)
        assert self._records is not None
        return self._records

    @property
    def _title(self) -> str:
        return f"QuerySet of {self.model.__name__} in {self.home.name}"

    def _look(self) -> picture.Preview:
        if self._records is not None:
            return picture.Preview(self._records, True)
        query = sliced(self.query, slice(picture.ROWS + 1))
        return picture.Preview(*finding.preview(self.model, self.home, query, _PREVIEWED, self.reading))

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
