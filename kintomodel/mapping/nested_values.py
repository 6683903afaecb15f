"""Objects with attributes of their own, inside of records: attrs classes, dataclasses and TypedDicts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, get_origin

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, override, typeddicts

from ..errors import UsageError
from ..protocol.values import JSON, sendable
from . import quick
from .annotations import inner_fields, resolve_attributes
from .fields import Options, key_of, options
from .plain_values import json_writer
from .storage import Mismatch, expected


def is_nested(cls: Any) -> bool:
    """An attrs class or a dataclass: an object with attributes of its own."""
    origin = get_origin(cls) or cls
    return isinstance(origin, type) and (attrs.has(origin) or dataclasses.is_dataclass(origin))


def nested_keys(cls: Any) -> dict[str, str]:
    """The keys of its attributes on the server, by their Python names; only of those it is made with."""
    origin = get_origin(cls) or cls
    if attrs.has(origin):
        resolve_attributes(origin)
        _refuse_settings(origin)
        return {attribute.name: key_of(attribute) for attribute in attrs.fields(origin) if attribute.init}
    inner_fields(origin)  # evaluates its annotations, or says what is wrong with them
    return {attribute.name: attribute.name for attribute in dataclasses.fields(origin) if attribute.init}


def _refuse_settings(cls: Any) -> None:
    """Of what field() takes, a nested class knows the key and the default."""
    for attribute in attrs.fields(cls):
        ignored = options(attribute)._replace(key=None)
        if ignored != Options():
            names = ", ".join(name for name, value in ignored._asdict().items() if value)
            raise UsageError(
                f"{cls.__qualname__}.{attribute.name}: {names}: only fields of models take that, not "
                "those of a class inside of one"
            )


def stored_attributes(cls: Any) -> dict[str, tuple[str, Any]] | None:
    """{name: (key, type)} of what is stored of an object with attributes; None of any other type."""
    kinds = inner_fields(cls)
    if kinds is None:
        return None
    keys = nested_keys(cls) if is_nested(cls) else {name: name for name in kinds}
    return {name: (key, kinds[name]) for name, key in keys.items()}


def same_value(one: Any, other: Any) -> bool:
    """Are they equal, also in attributes that their class leaves out of its comparisons?"""
    cls = type(one)
    if cls is not type(other):
        return bool(one == other)
    if is_nested(cls):
        return all(same_value(getattr(one, name), getattr(other, name)) for name in nested_keys(cls))
    if cls in (list, tuple):
        return len(one) == len(other) and all(map(same_value, one, other))
    if cls is dict:
        return one.keys() == other.keys() and all(same_value(one[key], other[key]) for key in one)
    return bool(one == other)


def nested_default(cls: Any, name: str) -> Any:
    """The default of one of its attributes; KeyError if it has none that is the same for all."""
    origin = get_origin(cls) or cls
    default: Any
    if attrs.has(origin):
        default = attrs.fields_dict(origin)[name].default
        if hasattr(default, "takes_self"):
            default = attrs.NOTHING if default.takes_self else default.factory()
    else:
        (one,) = (one for one in dataclasses.fields(origin) if one.name == name)
        default = one.default if one.default_factory is dataclasses.MISSING else one.default_factory()
    if default in (attrs.NOTHING, dataclasses.MISSING):
        raise KeyError(name)
    return default


def nested_reader(cls: Any, converter: cattrs.Converter) -> Callable[[JSON, Any], Any]:
    read_object = make_dict_structure_fn(cls, converter, **_renamed(cls))
    read_quickly: quick.Reader | None = None

    def read(value: JSON, _: Any) -> Any:
        nonlocal read_quickly
        if type(value) is not dict:
            raise expected("an object", value)
        if read_quickly is None:
            # Late, as a class may hold itself.
            read_quickly = _quick_reader(cls, converter) or (lambda value: read_object(value, cls))
        try:
            return read_quickly(value)
        except Exception:
            return read_object(value, cls)

    return read


def _quick_reader(cls: Any, converter: cattrs.Converter) -> quick.Reader | None:
    if not attrs.has(cls):
        return None
    keys, kinds = nested_keys(cls), inner_fields(cls) or {}
    parts = [quick.Part(one, keys.get(one.name, ""), kinds[one.name]) for one in attrs.fields(cls)]
    return quick.nested_reader(cls, parts, converter)


def nested_writer(cls: Any, converter: cattrs.Converter) -> Callable[[Any], JSON]:
    origin = get_origin(cls) or cls
    hooks = _attribute_writers(cls, converter)

    def write(value: Any) -> JSON:
        # Of a subclass the attributes that it adds would be lost.
        if type(value) is not origin:
            raise expected(f"a {origin.__name__}", value)
        return {key: _attribute(name, hook, getattr(value, name)) for name, key, hook in hooks()}

    return write


def _attribute_writers(
    cls: Any, converter: cattrs.Converter
) -> Callable[[], list[tuple[str, str, Callable[[Any], JSON]]]]:
    """The name, the key and the hook of each attribute; found late, as a class may hold itself."""
    found: list[tuple[str, str, Callable[[Any], JSON]]] | None = None
    keys, kinds = nested_keys(cls), inner_fields(cls) or {}

    def writers() -> list[tuple[str, str, Callable[[Any], JSON]]]:
        nonlocal found
        if found is None:
            # Whole at once, as other threads may look at it meanwhile.
            found = [
                (name, keys[name], converter.get_unstructure_hook(kind))
                for name, kind in kinds.items()
                if name in keys
            ]
        return found

    return writers


def _attribute(name: str, write: Callable[[Any], JSON], value: Any) -> JSON:
    try:
        return write(value)
    except Mismatch as mismatch:
        raise mismatch.inside(f".{name}") from None


def typeddict_reader(cls: Any, converter: cattrs.Converter) -> Callable[[JSON, Any], Any]:
    read_object = typeddicts.make_dict_structure_fn(cls, converter)

    def read(value: JSON, _: Any) -> Any:
        if type(value) is not dict:
            raise expected("an object", value)
        # It keeps unknown keys, which must not be shared with what the server showed.
        return read_object(sendable(value), cls)

    return read


def typeddict_writer(cls: Any, converter: cattrs.Converter) -> Callable[[Any], JSON]:
    hooks: dict[str, Callable[[Any], JSON]] | None = None
    kinds, write_unknown = inner_fields(cls) or {}, json_writer(converter)

    def write(value: Any) -> JSON:
        nonlocal hooks
        if not isinstance(value, dict):
            raise expected("a dict", value)
        if hooks is None:
            hooks = {name: converter.get_unstructure_hook(kind) for name, kind in kinds.items()}
        known = hooks
        return {key: _attribute(key, known.get(key, write_unknown), item) for key, item in value.items()}

    return write


def _renamed(cls: Any) -> dict[str, Any]:
    return {name: override(rename=key) for name, key in nested_keys(cls).items() if key != name}
