"""Sum, Count, Min, Max and Avg: one value of many records, in one pass over them."""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from ..errors import UsageError
from ..mapping import storage
from ..mapping.declaration import Declaration
from ..mapping.expressions import FieldExpression
from ..protocol.values import JSONObject
from .columns import Column, column
from .reading import names_of
from .targets import Target, target

Field: TypeAlias = str | FieldExpression[Any]

# Sums of decimals are exact, however many digits they have.
_EXACT = decimal.Context(prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
_BITS = 1074
"""The least float is 2 to the power of minus this."""
_NUMBERS = ((int, float), (Decimal,), (timedelta,))


class Aggregate:
    """What aggregate() takes. field: as in filter(), with `__` before the name of a nested one."""

    __slots__ = ("field",)

    def __init__(self, field: Field) -> None:
        self.field: Field | None = field

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.field is None else repr(self.field)})"


class Sum(Aggregate):
    """The sum of the values, exact for integers and decimals; None of no values."""


class Avg(Aggregate):
    """The mean: a Decimal of decimals, a float of other numbers; None of no values."""


class Min(Aggregate):
    """The least value; None of no values."""


class Max(Aggregate):
    """The greatest value; None of no values."""


class Count(Aggregate):
    """How many records have a value; of no field: how many records there are."""

    def __init__(self, field: Field | None = None) -> None:
        self.field = field


class Pass:
    """One pass over the records, for several aggregates. UsageError for what they cannot be made of."""

    def __init__(self, declaration: Declaration, named: Mapping[str, Aggregate]) -> None:
        if not named:
            raise UsageError('aggregate() takes named aggregates, such as total=Sum("amount")')
        self._named = {name: _tally(declaration, name, one) for name, one in named.items()}

    @property
    def columns(self) -> list[Column]:
        return [one.column for one in self._named.values() if one.column is not None]

    def results(self, found: Iterable[JSONObject], where: str) -> dict[str, Any]:
        for data in found:
            for one in self._named.values():
                one.add(data, where)
        return {name: one.result() for name, one in self._named.items()}

    def counted(self, number: int) -> dict[str, Any]:
        """Where nothing but records is counted."""
        return dict.fromkeys(self._named, number)


class _Tally:
    """What is known of the values so far. total: of them, or the most extreme one."""

    def __init__(self, kind: type[Aggregate], column: Column | None) -> None:
        self.kind, self.column = kind, column
        self.total: Any = None
        self.count = 0
        self.in_units = False

    def add(self, data: JSONObject, where: str) -> None:
        value: Any = data if self.column is None else self.column.stored(data, where)
        if value is None:
            return
        self.count += 1
        if self.kind is Count or self.column is None:
            return
        if self.kind in (Sum, Avg):
            if not _is_number(value):
                text = f"expected a number, got {type(value).__name__} {value!r}"
                raise self.column.wrong(data, where, [text])
            self._add(value)
        elif self.total is None:
            self.total = value
        else:
            try:
                self.total = min(self.total, value) if self.kind is Min else max(self.total, value)
            except TypeError:
                text = f"{value!r} does not compare with {self.total!r}, which another record has"
                raise self.column.wrong(data, where, [text]) from None

    def _add(self, value: Any) -> None:
        if isinstance(value, float) and not self.in_units:
            self.total, self.in_units = (self.total or 0) << _BITS, True
        if self.in_units:
            value = _units(value)
        if self.total is None:
            self.total = value
        else:
            self.total = self._sum(value)

    def _sum(self, value: Any) -> Any:
        if isinstance(value, Decimal):
            return _EXACT.add(self.total, value)
        try:
            return self.total + value
        except OverflowError:
            kind = self.kind.__name__
            raise UsageError(f"aggregate(): {kind}() finds more time than a timedelta holds") from None

    def result(self) -> Any:
        if self.kind is Count:
            return self.count
        if self.kind is Avg and self.count:
            return self.total / (self.count << _BITS if self.in_units else self.count)
        return _float(self.total) if self.in_units else self.total


def _units(value: float) -> int:
    """How many times the least float it is: sums of those are exact, in any order of the records."""
    numerator, denominator = value.as_integer_ratio()
    return numerator * ((1 << _BITS) // denominator)


def _float(units: int) -> float:
    try:
        return units / (1 << _BITS)
    except OverflowError:  # as floats have it
        return math.inf if units > 0 else -math.inf


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal, timedelta)) and not isinstance(value, bool)


def _tally(declaration: Declaration, name: str, one: Aggregate) -> _Tally:
    if not isinstance(one, Aggregate):
        raise UsageError(f"aggregate({name}=...) takes Sum, Count, Min, Max or Avg, got {one!r}")
    if one.field is None:
        return _Tally(Count, None)
    found = target(declaration, names_of(one.field))
    fits: dict[type[Aggregate], Callable[[Target], bool]] = {
        Sum: _has_sum, Avg: _has_sum, Min: _has_order, Max: _has_order,
    }  # fmt: skip
    if type(one) in fits and not fits[type(one)](found):
        raise UsageError(f"{found} holds {found.type_name}: there is no {type(one).__name__}() of it")
    return _Tally(type(one), column(declaration, one.field))


def _has_order(found: Target) -> bool:
    return found.is_ordered or found.type is storage.TextDecimal


def _has_sum(found: Target) -> bool:
    return found.is_anything or any(found.is_all(kinds) for kinds in _NUMBERS)
