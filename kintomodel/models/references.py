"""Ref: a reference to a record of another model."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from ..errors import ValidationError
from ..protocol.paths import check_id

T = TypeVar("T")


class Ref(Generic[T]):
    """The id of a record of another model, stored as a string."""

    __slots__ = ("id",)

    def __init__(self, target: T | str) -> None:
        found: Any = target if isinstance(target, str) else getattr(target, "id", None)
        if not isinstance(found, str):
            raise ValidationError(f"Ref() takes a record or its id, got {target!r}")
        self.id = check_id("record", found)

    def __eq__(self, other: object) -> bool:
        return self.id == other.id if isinstance(other, Ref) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"Ref({self.id!r})"
