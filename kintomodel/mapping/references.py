"""Ref: a reference to a record of another model."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Generic, Protocol, TypeVar, get_args, get_origin

import attrs

from ..errors import UsageError, ValidationError
from ..protocol.paths import check_id
from .annotations import inner_fields, without_none

T = TypeVar("T")


class Source(Protocol):
    """What knows where the records are that references lead to."""

    def get(self, model: Any, id: str) -> Any:
        """One GET. Raises NotFound."""


class Ref(Generic[T]):
    """The id of a record of another model, stored as a string.

    Made of a record, get() gives that one. Made of an id, it knows its model once the record that
    holds it was read or saved.
    """

    __slots__ = ("_model", "_record", "_source", "id")

    def __init__(self, target: T | str) -> None:
        found: Any = target if isinstance(target, str) else getattr(target, "id", None)
        if not isinstance(found, str):
            raise ValidationError(f"Ref() takes a record or its id, got {target!r}")
        self.id = check_id("record", found)
        self._record: Any = None if isinstance(target, str) else target
        self._model: Any = None
        self._source: Source | None = None

    def get(self) -> T:
        """The record, with its permissions; one GET the first time, none after prefetch().

        It is in the collection that its model declares, on the server of the record that holds the
        reference; and in that record's bucket, if the two models declare the same one.
        Raises NotFound if it is not there.
        """
        if self._record is None or self._record.id != self.id:
            if self._source is None or self._model is None:
                raise UsageError(
                    f"{self!r} does not know yet of which model it is: save the record that holds it, "
                    "or make it of a record"
                )
            self._record = self._source.get(self._model, self.id)
        found: T = self._record
        return found

    @property
    def kept(self) -> T | None:
        """What get() gives without a request, None if it would need one."""
        found: T | None = self._record
        return found

    def keep(self, record: T) -> None:
        """What get() is to give from now on."""
        self._record = record

    def lead(self, model: Any, source: Source | None = None) -> None:
        """Where to from now on."""
        self._model, self._source = model, source

    def forget(self) -> None:
        """Lead nowhere for now, if it did. A record that it was made of stays with it."""
        if self._source is not None:
            self._record = self._source = None

    @property
    def model(self) -> Any:
        """The model of the record, None where it is not known."""
        return self._model

    def other_model(self, model: Any) -> Any:
        """That of the record, if it is surely none of this one, as it is kept elsewhere; else None."""
        known = self._model if self._record is None else type(self._record)
        here, there = (getattr(one, "__kinto__", None) for one in (model, known))
        if here is None or there is None:
            return None
        places = ((here.bucket, there.bucket), (here.collection, there.collection))
        return known if any(None not in place and len(set(place)) == 2 for place in places) else None

    def __eq__(self, other: object) -> bool:
        return self.id == other.id if isinstance(other, Ref) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"Ref({self.id!r})"


def is_reference(cls: Any) -> bool:
    return cls is Ref or get_origin(cls) is Ref


def referred(cls: Any) -> Any:
    """The model of a Ref[model], or of several of them; None if there is none, or more than one."""
    cls = without_none(cls)
    arguments = [argument for argument in get_args(cls) if argument is not ...]
    if is_reference(cls):
        named = bool(arguments) and isinstance(arguments[0], type) and arguments[0] is not Any
        return arguments[0] if named else None
    if get_origin(cls) in (list, tuple, set, frozenset, dict):
        models = {referred(argument) for argument in arguments} - {None}
        return models.pop() if len(models) == 1 else None
    return None


def holds_references(cls: Any, inside: tuple[Any, ...] = ()) -> bool:
    """Can there be any in a value of this type?"""
    if is_reference(cls):
        return True
    if cls in inside:
        return False
    try:
        inner = inner_fields(cls) or {}
    except UsageError:
        inner = {}  # of a class that register() was told how to read
    parts = [*get_args(cls), *inner.values(), *filter(None, [getattr(cls, "__supertype__", None)])]
    return any(holds_references(part, (*inside, cls)) for part in parts)


def references_in(value: Any) -> Iterator[Ref[Any]]:
    """All of them, wherever they are in a value of a field."""
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from references_in(item)
    elif isinstance(value, dict):
        yield from references_in(list(value.values()))
    elif attrs.has(type(value)):
        yield from references_in([getattr(value, one.name) for one in attrs.fields(type(value))])
    elif dataclasses.is_dataclass(value):
        yield from references_in([getattr(value, one.name) for one in dataclasses.fields(value)])
