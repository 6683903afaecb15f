"""The quick way to make objects of JSON that is as it should be, as nearly all of it is.

It makes the same of it as the converter does, and gives up, with any exception, where it cannot:
then the converter reads it, or says what is wrong, and where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias, get_args

import attrs
import cattrs

from ..protocol.values import JSON, LARGEST_INTEGER, SMALLEST_INTEGER, JSONObject, Text
from .annotations import is_union, without_none
from .declaration import Declaration
from .plain_values import PRIMITIVES, primitive_reader
from .state import HOME, KEPT, Home

Reader: TypeAlias = Callable[[Mapping[str, JSON]], Any]
RecordReader: TypeAlias = "Callable[[Mapping[str, JSON], Home | None, JSONObject | Text | None], Any]"


class OfValue:
    """A hook, as the converter calls it, that looks at the value alone."""

    def __init__(self, read: Callable[[JSON], Any]) -> None:
        self.read = read

    def __call__(self, value: JSON, _: Any) -> Any:
        return self.read(value)


class Part(NamedTuple):
    """An attribute: what it is called here and on the server, and its type."""

    attribute: attrs.Attribute[Any]
    key: str
    type: Any


def record_reader(declaration: Declaration, converter: cattrs.Converter) -> RecordReader | None:
    """Makes a record without its constructor; None where that does more than to take values.

    It takes the data, where the record is, and what is kept of the data: see state.known().
    """
    cls: Any = declaration.cls
    parts = [Part(info.attribute, info.key, info.stored_type) for info in declaration.fields.values()]
    hooks = ("__attrs_pre_init__", "__attrs_post_init__")
    is_plain = declaration.has_plain_constructor and not any(hasattr(cls, name) for name in hooks)
    if not is_plain or cls.__new__ is not object.__new__ or not _take_values(parts):
        return None
    names: dict[str, Any] = {"new": cls.__new__, "cls": cls}
    id = Part(attrs.fields_dict(cls)["id"], "id", str)
    lines = _lines([id, *parts], converter, names)
    # Past __setattr__, as the constructor does.
    lines += ["record = new(cls)", "attributes = record.__dict__"]
    lines += [f"attributes[{HOME!r}] = where", f"attributes[{KEPT!r}] = kept"]
    lines += [f"attributes[{one.attribute.name!r}] = value{at}" for at, one in enumerate([id, *parts])]
    lines += ["attributes['last_modified'] = data.get('last_modified')", "return record"]
    reader: RecordReader = _compiled("data, where, kept", lines, names)
    return reader


def nested_reader(cls: Any, parts: Iterable[Part], converter: cattrs.Converter) -> Reader | None:
    """Makes an object of an attrs class with its constructor; None where attributes convert values."""
    parts = sorted(parts, key=lambda one: one.attribute.kw_only)
    if not _take_values(parts):
        return None
    names: dict[str, Any] = {"cls": cls}
    lines = _lines(parts, converter, names)
    values = ", ".join(
        f"{one.attribute.alias}=value{at}" if one.attribute.kw_only else f"value{at}"
        for at, one in enumerate(parts)
    )
    reader: Reader = _compiled("data", [*lines, f"return cls({values})"], names)
    return reader


def _take_values(parts: Iterable[Part]) -> bool:
    attributes = [one.attribute for one in parts]
    return all(one.init and one.validator is None and one.converter is None for one in attributes)


def _compiled(arguments: str, lines: Iterable[str], names: dict[str, Any]) -> Any:
    """A loop over the parts would take a third more time."""
    exec("\n    ".join([f"def read({arguments}):", *lines]), names)
    return names["read"]


def _lines(parts: Iterable[Part], converter: cattrs.Converter, names: dict[str, Any]) -> list[str]:
    """The body of a function that gives each part a value. names: gets what the lines name."""
    lines = []
    for at, one in enumerate(parts):
        optional = _is_optional(one.type)
        kind = without_none(one.type) if optional else one.type
        hook = converter.get_structure_hook(kind)
        read, given = (hook.read, "value") if isinstance(hook, OfValue) else (hook, f"value, kind{at}")
        names |= {f"read{at}": read, f"kind{at}": kind}
        kept = f"value if {_KEPT[kind]} else " if is_kept(kind, converter) else ""
        null = "None if value is None else " if optional else ""
        taken = [f"value = data[{one.key!r}]", f"value{at} = {kept}{null}read{at}({given})"]
        default = names[f"default{at}"] = _default(one.attribute)
        if default is not None:
            taken = [f"if {one.key!r} in data:", *(f"    {line}" for line in taken)]
            taken += ["else:", f"    value{at} = default{at}()"]
        lines += taken
    return lines


# What tells that JSON is the value of the field as it stands.
_KEPT: dict[Any, str] = {
    **{kind: f"type(value) is {kind.__name__}" for kind in (str, bool, float)},
    int: f"type(value) is int and {SMALLEST_INTEGER} <= value <= {LARGEST_INTEGER}",
}


def is_kept(kind: Any, converter: cattrs.Converter) -> bool:
    """Is JSON of this type the value as it stands? Not if users registered a reader of it."""
    return kind in _KEPT and converter.get_structure_hook(kind) is primitive_reader(kind, PRIMITIVES[kind])


def plain_types(cls: Any, converter: cattrs.Converter) -> frozenset[type]:
    """The types of which values of a field, here and as JSON, are the same as they stand."""
    kind = without_none(cls) if _is_optional(cls) else cls
    if not is_kept(kind, converter):  # users register a reader and a writer together
        return frozenset()
    return frozenset({kind} if kind is cls else {kind, type(None)})


def _is_optional(cls: Any) -> bool:
    return is_union(cls) and len(get_args(cls)) == 2 and type(None) in get_args(cls)


def _default(attribute: attrs.Attribute[Any]) -> Callable[[], Any] | None:
    """What makes it; None where there is none, or it is not for us to make: then a key is needed."""
    default: Any = attribute.default
    if default is attrs.NOTHING or getattr(default, "takes_self", False):
        return None
    factory: Callable[[], Any] = getattr(default, "factory", lambda: default)
    return factory
