"""F() and some(): fields of a model class as the checkers need to see them."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from ..errors import UsageError
from .expressions import FieldExpression

U = TypeVar("U")


class _F:
    """F(Receipt.paid_at): the field as an expression, for the checkers too.

    F.paid_at and F["address.city"]: by name, without a type.
    """

    @overload
    def __call__(self, field: FieldExpression[U], /) -> FieldExpression[U]: ...
    @overload
    def __call__(self, field: U | None, /) -> FieldExpression[U]: ...
    def __call__(self, field: Any, /) -> Any:
        if not isinstance(field, FieldExpression):
            raise UsageError(f"F() takes a field of a model class, as in F(Receipt.amount), got {field!r}")
        return field

    def __getattr__(self, name: str) -> FieldExpression[Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        return FieldExpression((name,))

    def __getitem__(self, name: str) -> FieldExpression[Any]:
        return FieldExpression(tuple(name.split(".")))


F = _F()


@overload
def some(field: FieldExpression[U | None]) -> U: ...
@overload
def some(field: FieldExpression[U]) -> U: ...
@overload
def some(field: U | None) -> U: ...
def some(field: Any) -> Any:
    """The same without None for the checkers: some(Receipt.address).city == "Paris"."""
    return field
