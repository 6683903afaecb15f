"""What the name in a look-up leads to: where it is stored, and what can be asked of it."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal, NamedTuple, get_args, get_origin
from uuid import UUID

from ..errors import UsageError
from ..mapping import storage
from ..mapping.annotations import inner_fields, is_union, plain
from ..mapping.codec import converter
from ..mapping.declaration import Declaration
from ..mapping.fields import suggestion
from ..mapping.nested_values import stored_attributes
from ..mapping.references import Ref, is_reference
from ..protocol.values import JSON, number
from ..query.conditions import Path
from .decoding import decoder

_NUMBERS = (int, float, Decimal)
_ORDERED = (str, *_NUMBERS, date, time, timedelta, UUID)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_OWN_FIELDS: dict[str, tuple[str, Any]] = {
    "id": ("id", str),
    "last_modified": ("last_modified", int),
    "modified_at": ("last_modified", "moment"),
}


class Target(NamedTuple):
    """name: as in Receipt.address.city. path: the keys on the server. type: without None."""

    name: str
    path: Path
    type: Any

    def __str__(self) -> str:
        return self.name

    @property
    def type_name(self) -> str:
        return getattr(self.type, "__name__", str(self.type)).removeprefix("Text")

    @property
    def is_anything(self) -> bool:
        return self.type in (Any, object)

    @property
    def is_ordered(self) -> bool:
        """Do < and > mean the same for the values and for what is stored of them?"""
        return self.type == "moment" or self.is_anything or all(map(_is_ordered, _members(self.type)))

    def is_all(self, kinds: tuple[type, ...]) -> bool:
        """Does it hold values of these types only? A boolean is no number."""
        members = _members(self.type)
        return all(isinstance(one, type) and issubclass(one, kinds) and one is not bool for one in members)

    @property
    def is_fixed_form(self) -> bool:
        """Are the texts that are stored all dates or moments, or all times?"""
        members = set(_members(self.type))
        return members <= {date, datetime} or members == {time}

    @property
    def is_sortable(self) -> bool:
        """Kinto can page through an order by scalars only."""
        return self.is_ordered or all(map(_is_enum, _members(self.type)))

    @property
    def is_text(self) -> bool:
        return self.is_anything or all(map(_is_text, _members(self.type)))

    @property
    def is_list(self) -> bool:
        return self.is_anything or (get_origin(self.type) or self.type) in (list, set, frozenset, tuple)

    @property
    def has_inner(self) -> bool:
        """Can another name follow?"""
        is_dict = (get_origin(self.type) or self.type) is dict
        return self.is_anything or is_dict or inner_fields(self.type) is not None

    def declares(self, name: str) -> bool:
        """Is there a field of this name inside?"""
        return name in (stored_attributes(self.type) or {})

    @property
    def element(self) -> Target:
        """An item of the list."""
        arguments = get_args(self.type)
        return self._replace(type=plain(arguments[0]) if arguments else Any)

    def decode(self, *values: JSON) -> Callable[[JSON], Any] | None:
        """Set where two forms of JSON are one value, or where one of these is no JSON number."""
        if self.type is storage.TextDecimal:
            return storage.read_text_decimal
        if found := decoder(self.type):
            return found
        return storage.exact_decimal if any(isinstance(value, Decimal) for value in values) else None

    def write(self, value: Any) -> JSON:
        """The value as it is stored; a Decimal, if no JSON number is it; ValueError if it does not fit."""
        return _write(self.type, value)


def target(declaration: Declaration, names: Path) -> Target:
    """Where the names lead to, from the model on; UsageError with a suggestion if nowhere."""
    model = declaration.cls.__name__
    first, rest = names[0], names[1:]
    if first in _OWN_FIELDS:
        key, kind = _OWN_FIELDS[first]
        found = Target(f"{model}.{first}", (key,), kind)
    elif first == "extra" and rest:
        found, rest = Target(f"{model}.extra.{rest[0]}", rest[:1], Any), rest[1:]
    else:
        fields = declaration.resolve()
        if first not in fields:
            known = [*fields, *_OWN_FIELDS]
            raise UsageError(f"{model} has no field {first!r}; {suggestion(first, known)}")
        found = Target(f"{model}.{first}", (fields[first].key,), plain(fields[first].stored_type))
    for name in rest:
        found = _inside(found, name)
    return found


def names_in(text: str, dots: bool = True) -> Path:
    """The path of "address__city". Of several underscores the last two divide, as in "type___in"."""
    return tuple(re.split(r"\.|__(?!_)" if dots else r"__(?!_)", text))


def _inside(outer: Target, name: str) -> Target:
    inner = stored_attributes(outer.type) if not outer.is_anything else None
    if inner is not None:
        if name not in inner:
            raise UsageError(f"{outer} has no field {name!r}; {suggestion(name, inner)}")
        key, kind = inner[name]
    elif outer.has_inner:
        key, kind = name, (get_args(outer.type) or (str, Any))[1]
    else:
        raise UsageError(f"{outer} holds {outer.type_name}, there is no {name!r} inside")
    return Target(f"{outer.name}.{name}", (*outer.path, key), plain(kind))


def _members(cls: Any) -> list[Any]:
    return [plain(member) for member in get_args(cls)] if is_union(cls) else [cls]


def _is_enum(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, enum.Enum)


def _is_ordered(cls: Any) -> bool:
    if get_origin(cls) is Literal:
        kinds = set(map(type, get_args(cls)))
        return len(kinds) == 1 and kinds <= {str, int, bool}
    return isinstance(cls, type) and issubclass(cls, _ORDERED) and cls is not storage.TextDecimal


def _is_text(cls: Any) -> bool:
    if get_origin(cls) is Literal:
        return all(isinstance(value, str) for value in get_args(cls))
    if _is_enum(cls):
        return all(isinstance(member.value, str) for member in cls)
    return isinstance(cls, type) and issubclass(cls, str)


def _write(cls: Any, value: Any) -> JSON:
    """Wider than what a field takes: any number for a number, an enum's value, a record's id."""
    if is_union(cls):
        return _write_member(cls, value)
    is_aware = isinstance(value, datetime) and value.utcoffset() is not None
    if cls == "moment" or (cls is storage.EpochDatetime and is_aware):
        return _milliseconds(value)
    if cls in _NUMBERS and type(value) in _NUMBERS:
        return _number(cls, value)
    if cls is timedelta and isinstance(value, timedelta):
        return _number(Decimal, storage.exact_seconds(value))
    if _is_enum(cls) and not isinstance(value, cls):
        member: Any = converter().structure(value, cls)
        return member.value
    if is_reference(cls) and not isinstance(value, Ref):
        value = Ref[Any](value)
    written = converter().get_unstructure_hook(cls)(value)
    converter().get_structure_hook(cls)(written, cls)
    return written


def _number(cls: Any, value: Any) -> JSON:
    """Any number; beyond 2**53 in the form that the field has; a Decimal, if no JSON number is it."""
    if type(value) is int and (abs(value) <= 2**53 or (cls is int and number(value) is value)):
        return value
    exact = Decimal(repr(value)) if type(value) is float else Decimal(value)
    if not exact.is_finite():
        raise storage.Mismatch(f"JSON has no {value}")
    if exact == exact.to_integral_value() and abs(exact) <= 2**53:
        return int(exact)
    near = float(exact)
    return near if Decimal(repr(near)) == exact else exact


def _write_member(cls: Any, value: Any) -> JSON:
    for member in _members(cls):
        try:
            return _write(member, value)
        except (ValueError, TypeError):
            continue
    names = " or ".join(getattr(member, "__name__", str(member)) for member in _members(cls))
    raise storage.expected(names, value)


def _milliseconds(value: Any) -> JSON:
    """Of a moment; they need not be whole."""
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise storage.expected("a datetime with a time zone", value)
    return _number(Decimal, storage.exact_seconds(value - _EPOCH).scaleb(3))
