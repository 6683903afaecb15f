"""Reading: how the records of a query are read, beside which they are."""

from __future__ import annotations

from typing import NamedTuple

from ..errors import UsageError
from ..mapping.declaration import Declaration
from ..mapping.expressions import FieldExpression
from ..query.query import Query
from .targets import names_in, target

DEFAULT_PAGE_SIZE = 1000
"""Records a request. The server may give fewer."""


MOST_WORKERS = 32


class Reading(NamedTuple):
    """only: the fields to be read, None for all. prefetch: the names that lead to the references whose
    records are read as well. with_permissions: read them, too, and then all fields with them.
    readonly: keep nothing beside the fields.
    """

    only: tuple[str, ...] | None = None
    prefetch: tuple[tuple[str, ...], ...] = ()
    with_permissions: bool = False
    readonly: bool = False

    @property
    def fields(self) -> tuple[str, ...] | None:
        """All that are needed; None for the whole records."""
        if self.only is None or self.with_permissions:
            return None
        return tuple(dict.fromkeys([*self.only, *(names[0] for names in self.prefetch)]))


WHOLE = Reading()


def names_of(given: object) -> tuple[str, ...]:
    """The path of "address__city", "address.city" or an expression."""
    if isinstance(given, FieldExpression):
        return given.field_path
    if isinstance(given, str):
        return names_in(given)
    raise UsageError(f"a field is named, as in 'amount' or F(Receipt.amount), got {given!r}")


def whole_fields(declaration: Declaration, given: tuple[object, ...]) -> tuple[str, ...]:
    """The fields that only() names, which are never parts of one. UsageError with a suggestion."""
    if not given:
        raise UsageError('only() names the fields to be read: only("amount", "currency")')
    found = []
    for names in map(names_of, given):
        leads_to = target(declaration, names)
        first, *rest = names
        if rest:
            raise UsageError(f"{leads_to}: only() reads whole fields, values() parts of them as well")
        found.append(first)
    return tuple(name for name in dict.fromkeys(found) if name in declaration.fields)


def check_page_size(page_size: object) -> None:
    if not isinstance(page_size, int) or page_size < 1:
        raise UsageError(f"page_size is a positive number of records, got {page_size!r}")


def check_workers(workers: object, query: Query) -> None:
    if not isinstance(workers, int) or not 1 <= workers <= MOST_WORKERS:
        raise UsageError(f"workers is a number from 1 to {MOST_WORKERS}, got {workers!r}")
    if workers > 1 and (query.sort or query.backwards or query.start or query.stop is not None):
        raise UsageError(
            "several workers find records in any order: take away the order or slice, or workers="
        )


def check_position(at: object) -> int:
    if not isinstance(at, int):
        raise UsageError(f"positions are integers, got [{at!r}]")
    if at < 0:
        raise UsageError("there are no negative positions: use last() or reverse()")
    return at


def sliced(query: Query, at: slice) -> Query:
    """A part of the part that the query asks for."""
    if not all(bound is None or isinstance(bound, int) for bound in (at.start, at.stop)):
        raise UsageError(f"positions are integers, got [{at!r}]")
    start, stop = at.start or 0, at.stop
    if at.step is not None or start < 0 or (stop is not None and stop < 0):
        raise UsageError(f"slices take positive bounds and no step, got [{at.start}:{at.stop}:{at.step}]")
    new_start = query.start + start
    new_stop = None if stop is None else query.start + max(start, stop)
    if query.stop is not None:
        new_start = min(new_start, query.stop)
        new_stop = query.stop if new_stop is None else min(new_stop, query.stop)
    return query._replace(start=new_start, stop=new_stop)
