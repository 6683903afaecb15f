"""Records of which some fields were read, and the others are not known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import attrs

from ..errors import ValidationError
from ..mapping.codec import Codec, FieldCodec, codec_of
from ..mapping.conversion import problems
from ..mapping.declaration import FieldInfo
from ..mapping.state import Home, Mapped, State, home
from ..mapping.unknown import holds_objects
from ..protocol.values import JSON

M = TypeVar("M", bound=Mapped)

_OWN_KEYS = frozenset({"id", "last_modified"})


def part_reader(model: type[M], where: Home, only: tuple[str, ...]) -> Callable[[Mapping[str, JSON]], M]:
    """Makes records with these fields of what the server showed."""
    fields = [one for one in codec_of(model.__kinto__).fields if one.info.name in only]
    keys = frozenset(one.info.key for one in fields)
    after: Callable[[M], None] | None = getattr(model, "__attrs_post_init__", None)

    def read(data: Mapping[str, JSON]) -> M:
        record = model.__new__(model)
        attributes = record.__dict__
        stored = {key: value for key, value in data.items() if key in keys or key in _OWN_KEYS}
        attributes["_state"] = State(where, stored, only=keys)
        attributes["id"], attributes["last_modified"] = data["id"], data["last_modified"]
        wrong: list[str] = []
        for one in fields:
            try:
                attributes[one.info.name] = _value(record, one, data)
            except Exception as error:  # of any hook, also those of users
                wrong += problems(error, one.info.name)
        if wrong:
            raise _invalid(where, data["id"], wrong)
        if after is not None:
            after(record)
        return record

    return read


def absent(record: Mapped) -> list[str]:
    """The fields that are as the server has them, and that nobody has looked at."""
    attributes = vars(record)
    return [name for name in record.__kinto__.fields if name not in attributes]


def fill(record: Mapped, name: str) -> None:
    """Give the record a field from what the server has shown of it."""
    (field,) = (one for one in codec_of(record.__kinto__).fields if one.info.name == name)
    try:
        vars(record)[name] = _value(record, field, record._state.stored or {})
    except Exception as error:
        raise _invalid(home(record), record.id, problems(error, name)) from None


def shown(record: Mapped) -> str:
    """As attrs shows an instance, but what was not read is not asked for."""
    cls: Any = type(record)
    attributes = vars(record)
    parts = []
    for one in attrs.fields(cls):
        if one.repr and one.name in attributes:
            show = one.repr if callable(one.repr) else repr
            parts.append(f"{one.name}={show(attributes[one.name])}")
        elif one.repr:
            parts.append(f"{one.name}=<not read>")
    return f"{cls.__qualname__.rpartition('>.')[2]}({', '.join(parts)})"


def is_read(record: Mapped, key: str) -> bool:
    """Is it known what the server had at this key?"""
    only = record._state.only
    return only is None or key in only


def is_lossy(record: Mapped, *, force: bool = False) -> bool:
    """Would saving it lose what was not read? It would where a key has to go, as all others are then
    sent with it, and where a field was set unread whose old value may hold keys that we do not know.

    force: as of save().
    """
    state, attributes = record._state, vars(record)
    if state.only is None or state.stored is None:
        return False
    codec: Codec[Mapped] = codec_of(record.__kinto__)
    for one in codec.fields:
        name, key = one.info.name, one.info.key
        if name not in attributes:
            continue
        is_unread = not is_read(record, key)
        if is_unread and holds_objects(one.info.stored_type):
            return True
        # A null that is stored is None as well, and goes only by force.
        is_stored = state.stored.get(key) is not None or (force and key in state.stored)
        if one.omits(attributes[name]) and (is_unread or is_stored):
            return True
    return False


def _value(record: Mapped, field: FieldCodec, data: Mapping[str, JSON]) -> Any:
    """As the constructor would set it."""
    info = field.info
    value = field.read(data[info.key]) if info.key in data else _default(record, info)
    if callable(info.attribute.converter):
        value = info.attribute.converter(value)
    if info.attribute.validator is not None:
        info.attribute.validator(record, info.attribute, value)
    if info.key not in data and info in codec_of(record.__kinto__).inventing:
        record._state.made = {**(record._state.made or {}), info.name: value}
    return value


def _default(record: Mapped, info: FieldInfo) -> Any:
    default: Any = info.attribute.default
    if getattr(default, "takes_self", False):
        return default.factory(record)
    if default is attrs.NOTHING:
        raise KeyError(info.key)
    return info.default


def _invalid(where: Home, id: str, lines: list[str]) -> ValidationError:
    return ValidationError(f"{where.name}/{id}: {'; '.join(lines)}", lines)
