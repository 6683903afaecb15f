"""The converter: Python values to JSON and back, strictly, with errors that name the path."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import GenericAlias
from typing import Any, get_args, get_origin
from uuid import UUID

import cattrs
import typing_extensions
from cattrs.cols import list_structure_factory

from ..protocol.values import JSON, sendable
from ..query.conditions import kind
from . import quick, storage
from .annotations import is_union
from .nested_values import is_nested, nested_reader, nested_writer, typeddict_reader, typeddict_writer
from .plain_values import (
    PRIMITIVES,
    enum_member,
    enum_writer,
    is_enum,
    is_json,
    is_literal,
    json_writer,
    literal,
    literal_writer,
    primitive_reader,
    primitive_writer,
)
from .references import Ref, is_reference, referred
from .storage import Mismatch, expected


def new_converter() -> cattrs.Converter:
    """cattrs with the storage forms, strict both ways: "5" is no integer, 1 is no boolean."""
    converter = cattrs.Converter(detailed_validation=True)
    # cattrs asks its singledispatch before all predicates, and these four stand in it already.
    for cls, name in PRIMITIVES.items():
        converter.register_structure_hook(cls, primitive_reader(cls, name))
        converter.register_unstructure_hook(cls, primitive_writer(cls, name))
    for form, read, write in _FORMS:
        converter.register_structure_hook(form, quick.OfValue(read))
        converter.register_unstructure_hook(form, write)
    converter.register_structure_hook_func(is_enum, enum_member)
    converter.register_unstructure_hook_factory(is_enum, enum_writer)
    converter.register_structure_hook_func(is_literal, literal)
    converter.register_unstructure_hook_factory(is_literal, literal_writer)
    converter.register_structure_hook_func(is_json, lambda value, _: sendable(value))
    converter.register_unstructure_hook_func(is_json, json_writer(converter))
    converter.register_structure_hook_factory(is_reference, _reference_reader)
    converter.register_unstructure_hook_factory(is_reference, _reference_writer)
    converter.register_structure_hook_factory(_is_array, _array_reader)
    converter.register_unstructure_hook_factory(_is_array, _array_writer)
    converter.register_unstructure_hook_factory(_is_object, _object_writer)
    converter.register_structure_hook_factory(_is_scalar_union, _union_reader)
    converter.register_unstructure_hook_factory(_is_real_union, _union_writer)
    converter.register_structure_hook_factory(typing_extensions.is_typeddict, typeddict_reader)
    converter.register_unstructure_hook_factory(typing_extensions.is_typeddict, typeddict_writer)
    converter.register_structure_hook_factory(is_nested, nested_reader)
    converter.register_unstructure_hook_factory(is_nested, nested_writer)
    return converter


_FORMS: tuple[tuple[type, Callable[[JSON], Any], Callable[[Any], JSON]], ...] = (
    (storage.TextDecimal, storage.read_text_decimal, storage.write_text_decimal),
    (Decimal, storage.read_decimal, storage.write_decimal),
    (storage.EpochDatetime, storage.read_epoch, storage.write_epoch),
    (datetime, storage.read_datetime, storage.write_datetime),
    (date, storage.read_date, storage.write_date),
    (time, storage.read_time, storage.write_time),
    (timedelta, storage.read_timedelta, storage.write_timedelta),
    (UUID, storage.read_uuid, storage.write_uuid),
    (bytes, storage.read_bytes, storage.write_bytes),
)


def _reference_reader(cls: Any, _: cattrs.Converter) -> Callable[[JSON, Any], Ref[Any]]:
    model = referred(cls)

    def read(value: JSON, _: Any) -> Ref[Any]:
        if type(value) is not str:
            raise expected("a record id in a string", value)
        found: Ref[Any] = Ref(value)
        found.lead(model)
        return found

    return read


def _reference_writer(cls: Any, _: cattrs.Converter) -> Callable[[Any], str]:
    model = referred(cls)

    def write(value: Any) -> str:
        if not isinstance(value, Ref):
            raise expected("a Ref", value)
        other = value.other_model(model)
        if other is not None:
            raise Mismatch(f"expected a Ref to a {model.__name__}, got one to a {other.__name__}")
        return value.id

    return write


def _is_array(cls: Any) -> bool:
    return (get_origin(cls) or cls) in (list, set, frozenset, tuple) and not is_json(cls)


def _array_reader(cls: Any, converter: cattrs.Converter) -> Callable[[JSON, Any], Any]:
    """As cattrs reads them, but a string is no list of its letters."""
    read_all = _items_reader(cls, converter)
    origin, (kind, *_) = _array_parts(cls)
    # An integer can be too large.
    kept = kind if origin is list and kind is not int and quick.is_kept(kind, converter) else None

    def read(value: JSON, _: Any) -> Any:
        if type(value) is not list:
            raise expected("an array", value)
        for item in value:
            if type(item) is not kept:
                return read_all(value)
        return value.copy() if kept else read_all(value)

    return read


def _array_parts(cls: Any) -> tuple[Any, tuple[Any, ...]]:
    """list, set, frozenset or tuple, and the types of the items."""
    origin = get_origin(cls) or cls
    return origin, get_args(cls) or ((Any, ...) if origin is tuple else (Any,))


def _items_reader(cls: Any, converter: cattrs.Converter) -> Callable[[list[JSON]], Any]:
    origin, arguments = _array_parts(cls)
    if arguments[1:] != (...,) and origin is tuple:

        def read(value: list[JSON]) -> Any:
            if len(value) != len(arguments):
                raise expected(f"{len(arguments)} items", value)
            return converter._structure_tuple(value, cls)

        return read
    items: Any = GenericAlias(list, arguments[:1])
    read_list = list_structure_factory(items, converter)
    if origin is list:
        return lambda value: read_list(value, items)
    return lambda value: origin(read_list(value, items))


def _array_writer(cls: Any, converter: cattrs.Converter) -> Callable[[Any], list[JSON]]:
    """Sets are sorted, so that equal ones are stored alike."""
    origin, arguments = _array_parts(cls)
    several = origin is tuple and arguments[1:] != (...,)
    hooks = [converter.get_unstructure_hook(argument) for argument in arguments if argument is not ...]

    def write(value: Any) -> list[JSON]:
        if not isinstance(value, origin):
            raise expected(f"a {origin.__name__}", value)
        if several:
            if len(value) != len(hooks):
                raise expected(f"{len(hooks)} items", value)
            return [_item(at, hook, item) for at, (hook, item) in enumerate(zip(hooks, value, strict=True))]
        items = [_item(at, hooks[0], item) for at, item in enumerate(value)]
        if origin in (set, frozenset):
            items.sort(key=_sort_key)
        return items

    return write


def _sort_key(item: JSON) -> tuple[str, Any]:
    sortable = isinstance(item, (str, int, float))
    return kind(item), item if sortable else json.dumps(item, sort_keys=True)


def _item(at: int | str, write: Callable[[Any], JSON], item: Any) -> JSON:
    try:
        return write(item)
    except Mismatch as mismatch:
        raise mismatch.inside(f"[{at!r}]") from None


def _is_object(cls: Any) -> bool:
    return get_origin(cls) is dict and not is_json(cls)


def _object_writer(cls: Any, converter: cattrs.Converter) -> Callable[[Any], JSON]:
    write_key, write_item = (converter.get_unstructure_hook(argument) for argument in get_args(cls))

    def write(value: Any) -> JSON:
        if not isinstance(value, dict):
            raise expected("a dict", value)
        return {write_key(key): _item(key, write_item, item) for key, item in value.items()}

    return write


def _members(cls: Any) -> list[Any]:
    return [member for member in get_args(cls) if member is not type(None)] if is_union(cls) else []


def _is_real_union(cls: Any) -> bool:
    """Of more than a type and None."""
    return len(_members(cls)) > 1


def _is_scalar_union(cls: Any) -> bool:
    """One that cattrs cannot tell apart by the keys of its members."""
    return _is_real_union(cls) and not all(map(is_nested, _members(cls)))


def _union_reader(cls: Any, converter: cattrs.Converter) -> Callable[[JSON, Any], Any]:
    """The first member that takes the value; plain text comes last."""
    # An integer is a float and a Decimal, too, and a date is a text as well.
    members = sorted(_members(cls), key=lambda member: (member is str, member not in (bool, int)))
    # An id does not say which of several models it is of.
    ambiguous = sum(map(is_reference, members)) > 1
    told = [Ref if ambiguous and is_reference(member) else member for member in members]
    hooks = [(member, converter.get_structure_hook(member)) for member in told]
    optional, names = type(None) in get_args(cls), _names(cls)

    def read(value: JSON, _: Any) -> Any:
        if value is None and optional:
            return None
        for member, hook in hooks:
            with suppress(Exception):  # of any hook, also those of users
                return hook(value, member)
        raise expected(names, value)

    return read


def _union_writer(cls: Any, converter: cattrs.Converter) -> Callable[[Any], JSON]:
    """The first member that takes the value and gives back one of its type."""
    hooks = [
        (member, converter.get_unstructure_hook(member), converter.get_structure_hook(member))
        for member in _members(cls)
    ]
    optional, names, read = type(None) in get_args(cls), _names(cls), _union_reader(cls, converter)

    def write(value: Any) -> JSON:
        if value is None and optional:
            return None
        for member, write_member, read_member in hooks:
            with suppress(Exception):
                written = write_member(value)
                if type(read_member(written, member)) is type(value):
                    break
        else:
            raise expected(names, value)
        back = read(written, cls)
        if type(back) is not type(value) and back != value:
            raise Mismatch(f"{value!r} is stored as {written!r}, which is read as {back!r}")
        return written

    return write


def _names(cls: Any) -> str:
    return " or ".join(getattr(member, "__name__", str(member)) for member in get_args(cls))


def problems(error: BaseException, path: str = "") -> list[str]:
    """Each thing that is wrong, as `path: what was expected`. path: of the value it was found in."""
    lines = []
    for line in cattrs.transform_error(error, path or "$", _format):
        message, _, where = line.rpartition(" @ ")
        where = where.removeprefix("$").removeprefix(".")
        lines.append(f"{where}: {message}" if where else message)
    return lines


def _format(error: BaseException, cls: Any) -> str:
    if isinstance(error, ValueError):
        return " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, KeyError):
        return "missing"
    return cattrs.v.format_exception(error, cls)
