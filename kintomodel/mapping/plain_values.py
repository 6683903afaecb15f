"""Values without parts, and values that are JSON already: strictly, as JSON and back."""

from __future__ import annotations

import enum
from collections.abc import Callable
from functools import cache
from typing import Any, Literal, get_args, get_origin

import cattrs

from ..protocol.values import JSON, equal, number
from .storage import expected

PRIMITIVES = {str: "a string", int: "an integer", float: "a number", bool: "a boolean"}


@cache  # so that it can be told from one that a user registered
def primitive_reader(cls: type, name: str) -> Callable[[JSON, Any], Any]:
    def read(value: JSON, wanted: Any) -> Any:
        if wanted is not cls:
            # singledispatch hands on subclasses, too: IntEnum, (str, Enum), class Sku(str).
            return enum_member(value, wanted) if is_enum(wanted) else wanted(read(value, cls))
        if cls is int:
            return _read_integer(value)
        if type(value) is cls:
            return value
        # JSON has one type of number.
        if cls is float and type(value) is int:
            return float(value)
        raise expected(name, value)

    return read


def _read_integer(value: JSON) -> int:
    whole = int(value) if type(value) is float and value.is_integer() else value
    if type(whole) is not int:
        raise expected("an integer", value)
    # Beyond 64 bits Kinto keeps floats, whatever they look like.
    if type(number(whole)) is not int:
        raise expected("an integer of 64 bits", value)
    return whole


def primitive_writer(cls: type, name: str) -> Callable[[Any], JSON]:
    also: tuple[type, ...] = (float, int) if cls is float else (cls,)
    plain: Callable[[Any], JSON] = cls

    def write(value: Any) -> JSON:
        if type(value) is cls:
            return value
        if not isinstance(value, also) or isinstance(value, bool):
            raise expected(name, value)
        try:
            return value.value if isinstance(value, enum.Enum) else plain(value)
        except OverflowError:
            raise expected(name, value) from None

    return write


def is_enum(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, enum.Enum)


def enum_member(value: JSON, cls: Any) -> Any:
    for member in cls:
        if equal(member.value, value):
            return member
    raise expected(_choices([member.value for member in cls]), value)


def _choices(values: list[Any]) -> str:
    return f"one of {', '.join(map(repr, values))}"


def enum_writer(cls: Any) -> Callable[[Any], JSON]:
    def write(value: Any) -> JSON:
        if isinstance(value, cls):
            return value.value
        raise expected(f"a {cls.__name__}", value)

    return write


def is_literal(cls: Any) -> bool:
    return get_origin(cls) is Literal


def literal(value: JSON, cls: Any) -> Any:
    for choice in get_args(cls):
        if equal(_plain_choice(choice), value):
            return choice
    raise expected(_choices([_plain_choice(choice) for choice in get_args(cls)]), value)


def literal_writer(cls: Any) -> Callable[[Any], JSON]:
    def write(value: Any) -> JSON:
        for choice in get_args(cls):
            if type(choice) is type(value) and choice == value:
                return _plain_choice(choice)
        raise expected(_choices(list(get_args(cls))), value)

    return write


def _plain_choice(choice: Any) -> JSON:
    return choice.value if isinstance(choice, enum.Enum) else choice


def is_json(cls: Any) -> bool:
    """Any, dict, list[Any]...: kept as JSON, but copied, so that a later change of it is seen."""
    if cls in (Any, object, dict, list):
        return True
    return get_origin(cls) in (dict, list) and is_json(get_args(cls)[-1])


def json_writer(converter: cattrs.Converter) -> Callable[[Any], JSON]:
    def write(value: Any) -> JSON:
        if isinstance(value, dict):
            return {key: write(item) for key, item in value.items()}
        if isinstance(value, list):
            return [write(item) for item in value]
        return value if type(value) is object else converter.unstructure(value, type(value))

    return write
