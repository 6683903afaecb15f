"""What filter() takes: Receipt.amount >= 10, F(Receipt.paid_at).is_null(), Q(amount__lt=1).

On the class, a field is an expression of its own (the metaclass makes it); F() shows the checkers
what it is. Everything here only notes what was written: lookups.py finds out what it means.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Protocol, TypeAlias, TypeVar, overload

from ..errors import UsageError
from .terms import Order, Term

T = TypeVar("T")
U = TypeVar("U")


class WrongTypeComparison:
    """What the checkers see for `field == value` of another type. filter() does not take it."""


class Q:
    """A condition: keyword look-ups and expressions that all hold. Join several with & | ~.

    Q() holds of everything; in a join it is left out, so that functools.reduce() can begin with it.

    >>> Q(amount__lt=1) | Q(tags__contains="gift")
    Q(amount__lt=1) | Q(tags__contains='gift')
    """

    __slots__ = ("parts", "relation")

    def __init__(self, *conditions: Condition, **lookups: Any) -> None:
        self.relation = "and"
        terms = [Term((keyword,), None, value) for keyword, value in lookups.items()]
        self.parts: tuple[Term | Q, ...] = (*_said(map(as_condition, conditions)), *terms)

    def __and__(self, other: Condition) -> Q:
        return _joined("and", self, as_condition(other))

    def __or__(self, other: Condition) -> Q:
        return _joined("or", self, as_condition(other))

    def __rand__(self, other: Condition) -> Q:
        return _joined("and", as_condition(other), self)

    def __ror__(self, other: Condition) -> Q:
        return _joined("or", as_condition(other), self)

    def __invert__(self) -> Q:
        return _related("not", (self,))

    def __bool__(self) -> NoReturn:
        raise UsageError(
            f"{self!r} is a condition, not a truth value: join conditions with & | ~ in parentheses, "
            "not with and, or, not, in or a < b < c"
        )

    def __repr__(self) -> str:
        if self.relation == "not":
            return f"~{_inner(self.parts[0])}"
        if self.relation == "or":
            return " | ".join(map(_inner, self.parts))
        if all(isinstance(part, Term) for part in self.parts):
            return f"Q({', '.join(map(str, self.parts))})"
        return " & ".join(map(_inner, self.parts))


def as_condition(given: object) -> Q:
    """The condition, if it is one: a bool field stands for being true."""
    if isinstance(given, Q):
        return given
    if isinstance(given, FieldExpression) and given.field_type is bool:
        return given.term("exact", True)
    hint = "write a comparison, such as Receipt.amount >= 10 or amount__gte=10"
    if isinstance(given, str):
        hint += "; one record by its id is get(id=...)"
    raise UsageError(f"{given!r} is no condition: {hint}")


def _joined(relation: str, *parts: Q) -> Q:
    """Flat, where they are joined like this already: thousands of them are no deeper than two."""
    said = _said(parts)
    if len(said) < 2:
        return said[0] if said else Q()
    flat = (one for part in said for one in (part.parts if _is_joined(part, relation) else [part]))
    return _related(relation, tuple(flat))


def _kept(values: Any) -> Any:
    """As a list, to be looked at more than once; what is no collection of values stays, to be refused."""
    is_one = isinstance(values, (str, bytes, dict)) or not isinstance(values, Iterable)
    return values if is_one else list(values)


def _said(conditions: Iterable[Q]) -> list[Q]:
    """Those that are not Q() alone."""
    return [one for one in conditions if one.parts]


def _related(relation: str, parts: tuple[Term | Q, ...]) -> Q:
    result = Q()
    result.relation, result.parts = relation, parts
    return result


def _is_joined(part: Q, relation: str) -> bool:
    """Not of keywords alone, which are shown as they were written."""
    return part.relation == relation and not all(isinstance(one, Term) for one in part.parts)


def _inner(part: Term | Q) -> str:
    if isinstance(part, Q) and (part.relation in ("and", "or") and len(part.parts) > 1):
        return f"({part!r})"
    return repr(part) if isinstance(part, Q) else f"Q({part})"


class _Text(Protocol):
    """A field of text: str, a NewType, a Literal or a subclass of it, or None."""

    @property
    def _value(self) -> str | None: ...
    def term(self, lookup: str, value: Any) -> Q: ...


class FieldExpression(Generic[T]):
    """A field of a model class in an expression. field_path: Python names. field_type: None where unknown."""

    # Long names, as Receipt.address.type is a field of the address.
    __slots__ = ("field_path", "field_type")

    def __init__(self, field_path: tuple[str, ...], field_type: Any = None) -> None:
        self.field_path = field_path
        self.field_type = field_type

    def __repr__(self) -> str:
        return f"<field {'.'.join(self.field_path)}>"

    def term(self, lookup: str, value: Any) -> Q:
        if isinstance(value, FieldExpression):
            raise UsageError(f"{self!r}: Kinto compares a field with a value, not with {value!r}")
        return _related("and", (Term(self.field_path, lookup, value),))

    # A Decimal field takes an int; an optional one the plain type.
    @overload
    def __ge__(
        self: FieldExpression[Decimal] | FieldExpression[Decimal | None], value: Decimal | int
    ) -> Q: ...
    @overload
    def __ge__(self: FieldExpression[U | None], value: U) -> Q: ...
    @overload
    def __ge__(self, value: T) -> Q: ...
    def __ge__(self, value: Any) -> Q:
        return self.term("gte", value)

    @overload
    def __gt__(
        self: FieldExpression[Decimal] | FieldExpression[Decimal | None], value: Decimal | int
    ) -> Q: ...
    @overload
    def __gt__(self: FieldExpression[U | None], value: U) -> Q: ...
    @overload
    def __gt__(self, value: T) -> Q: ...
    def __gt__(self, value: Any) -> Q:
        return self.term("gt", value)

    @overload
    def __le__(
        self: FieldExpression[Decimal] | FieldExpression[Decimal | None], value: Decimal | int
    ) -> Q: ...
    @overload
    def __le__(self: FieldExpression[U | None], value: U) -> Q: ...
    @overload
    def __le__(self, value: T) -> Q: ...
    def __le__(self, value: Any) -> Q:
        return self.term("lte", value)

    @overload
    def __lt__(
        self: FieldExpression[Decimal] | FieldExpression[Decimal | None], value: Decimal | int
    ) -> Q: ...
    @overload
    def __lt__(self: FieldExpression[U | None], value: U) -> Q: ...
    @overload
    def __lt__(self, value: T) -> Q: ...
    def __lt__(self, value: Any) -> Q:
        return self.term("lt", value)

    if TYPE_CHECKING:

        @property
        def _value(self) -> T: ...
        def __and__(self: FieldExpression[bool] | FieldExpression[bool | None], other: Condition) -> Q: ...
        def __or__(self: FieldExpression[bool] | FieldExpression[bool | None], other: Condition) -> Q: ...
        def __invert__(self: FieldExpression[bool] | FieldExpression[bool | None]) -> Q: ...

        @overload  # type: ignore[override]
        def __eq__(  # type: ignore[overload-overlap]
            self: FieldExpression[Decimal] | FieldExpression[Decimal | None], value: Decimal | int | None
        ) -> Q: ...
        @overload
        def __eq__(self, value: T | None) -> Q: ...  # pyright: ignore[reportOverlappingOverload]
        @overload
        def __eq__(self, value: object) -> WrongTypeComparison: ...
        def __eq__(self, value: Any) -> Any: ...  # ty: ignore[incompatible-method-override]
        @overload  # type: ignore[override]
        def __ne__(  # type: ignore[overload-overlap]
            self: FieldExpression[Decimal] | FieldExpression[Decimal | None], value: Decimal | int | None
        ) -> Q: ...
        @overload
        def __ne__(self, value: T | None) -> Q: ...  # pyright: ignore[reportOverlappingOverload]
        @overload
        def __ne__(self, value: object) -> WrongTypeComparison: ...
        def __ne__(self, value: Any) -> Any: ...  # ty: ignore[incompatible-method-override]
    else:
        # Hidden from the checkers, who would take any attribute and any call.
        __hash__ = None

        def __eq__(self, value):
            return self.term("exact", value)

        def __ne__(self, value):
            return self.term("ne", value)

        def __and__(self, other):
            return as_condition(self) & other

        def __or__(self, other):
            return as_condition(self) | other

        def __invert__(self):
            return ~as_condition(self)

        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return FieldExpression((*self.field_path, name))

        def __getitem__(self, name):
            if not isinstance(name, str):
                raise UsageError(
                    f"{self!r}[{name!r}]: there is no look-up of one item; use F(...).contains(...)"
                )
            return FieldExpression((*self.field_path, name))

        def __call__(self, *_, **__):
            raise UsageError(
                f"{self.field_path[-1]}() is no look-up; use F(...).like(...), .in_(...), .contains(...)"
            )

        def __bool__(self):
            raise UsageError(f"{self!r} is a field, not a truth value: compare it with something")

        def __contains__(self, value):
            raise UsageError(f"write F({'.'.join(self.field_path)}).contains({value!r}) instead of `in`")

    @overload
    def in_(  # type: ignore[overload-overlap]
        self, values: str
    ) -> WrongTypeComparison: ...
    @overload
    def in_(
        self: FieldExpression[Decimal] | FieldExpression[Decimal | None],
        values: Iterable[Decimal | int | None],
    ) -> Q: ...
    @overload
    def in_(self, values: Iterable[T | None]) -> Q: ...
    def in_(self, values: Iterable[Any]) -> Any:
        """Is it one of these?"""
        return self.term("in", _kept(values))

    @overload
    def not_in(  # type: ignore[overload-overlap]
        self, values: str
    ) -> WrongTypeComparison: ...
    @overload
    def not_in(
        self: FieldExpression[Decimal] | FieldExpression[Decimal | None],
        values: Iterable[Decimal | int | None],
    ) -> Q: ...
    @overload
    def not_in(self, values: Iterable[T | None]) -> Q: ...
    def not_in(self, values: Iterable[Any]) -> Any:
        """Also where the key is missing."""
        return self.term("not_in", _kept(values))

    def is_null(self, wanted: bool = True) -> Q:
        """Is null stored? A missing key is not null: see exists()."""
        return self.term("is_null", wanted)

    def exists(self, wanted: bool = True) -> Q:
        """Is the key there, be it with null?"""
        return self.term("exists", wanted)

    def like(self: _Text, pattern: str) -> Q:
        """Whatever the case; * for any run of characters; without one, anywhere in the text."""
        return self.term("like", pattern)

    def iexact(self: _Text, text: str) -> Q:
        """Whatever the case, as all that begin with an i."""
        return self.term("iexact", text)

    def startswith(self: _Text, prefix: str) -> Q:
        """As upper and lower case are written; for none, istartswith()."""
        return self.term("startswith", prefix)

    def istartswith(self: _Text, prefix: str) -> Q:
        """Whatever the case."""
        return self.term("istartswith", prefix)

    def endswith(self: _Text, suffix: str) -> Q:
        """As upper and lower case are written; for none, iendswith()."""
        return self.term("endswith", suffix)

    def iendswith(self: _Text, suffix: str) -> Q:
        """Whatever the case."""
        return self.term("iendswith", suffix)

    def icontains(self: _Text, part: str) -> Q:
        """This part anywhere in the text, whatever the case."""
        return self.term("icontains", part)

    @overload
    def contains(self: _Text, *values: str) -> Q: ...
    @overload
    def contains(self: FieldExpression[list[U]], *values: U) -> Q: ...
    @overload
    def contains(self: FieldExpression[list[U] | None], *values: U) -> Q: ...
    @overload
    def contains(self: FieldExpression[set[U]], *values: U) -> Q: ...
    @overload
    def contains(self: FieldExpression[set[U] | None], *values: U) -> Q: ...
    @overload
    def contains(self: FieldExpression[frozenset[U]], *values: U) -> Q: ...
    @overload
    def contains(self: FieldExpression[frozenset[U] | None], *values: U) -> Q: ...
    @overload
    def contains(self: FieldExpression[tuple[U, ...]], *values: U) -> Q: ...
    @overload
    def contains(self: FieldExpression[tuple[U, ...] | None], *values: U) -> Q: ...
    def contains(self, *values: Any) -> Q:
        """All these elements in the list; or, of a text, this part of it."""
        return self.term("contains", values[0] if len(values) == 1 else list(values))

    @overload
    def contains_any(self: FieldExpression[list[U]], *values: U) -> Q: ...
    @overload
    def contains_any(self: FieldExpression[list[U] | None], *values: U) -> Q: ...
    @overload
    def contains_any(self: FieldExpression[set[U]], *values: U) -> Q: ...
    @overload
    def contains_any(self: FieldExpression[set[U] | None], *values: U) -> Q: ...
    @overload
    def contains_any(self: FieldExpression[frozenset[U]], *values: U) -> Q: ...
    @overload
    def contains_any(self: FieldExpression[frozenset[U] | None], *values: U) -> Q: ...
    @overload
    def contains_any(self: FieldExpression[tuple[U, ...]], *values: U) -> Q: ...
    @overload
    def contains_any(self: FieldExpression[tuple[U, ...] | None], *values: U) -> Q: ...
    def contains_any(self, *values: Any) -> Q:
        """At least one of these elements in the list."""
        return self.term("contains_any", list(values))

    @overload
    def contained_by(self: FieldExpression[list[U]], *values: U) -> Q: ...
    @overload
    def contained_by(self: FieldExpression[list[U] | None], *values: U) -> Q: ...
    @overload
    def contained_by(self: FieldExpression[set[U]], *values: U) -> Q: ...
    @overload
    def contained_by(self: FieldExpression[set[U] | None], *values: U) -> Q: ...
    @overload
    def contained_by(self: FieldExpression[frozenset[U]], *values: U) -> Q: ...
    @overload
    def contained_by(self: FieldExpression[frozenset[U] | None], *values: U) -> Q: ...
    @overload
    def contained_by(self: FieldExpression[tuple[U, ...]], *values: U) -> Q: ...
    @overload
    def contained_by(self: FieldExpression[tuple[U, ...] | None], *values: U) -> Q: ...
    def contained_by(self, *values: Any) -> Q:
        """No elements in the list but these."""
        return self.term("contained_by", list(values))

    def asc(self) -> Order:
        """For order_by(): the least first, records without the key last."""
        return Order(self.field_path)

    def desc(self) -> Order:
        """For order_by(): the greatest first, records without the key last."""
        return Order(self.field_path, descending=True)


Condition: TypeAlias = "Q | bool | FieldExpression[bool] | FieldExpression[bool | None]"
"""A bool field stands for being true."""
