"""JSON values: what Kinto can hold and give back unchanged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from ..errors import ValidationError

JSON: TypeAlias = Any
JSONObject: TypeAlias = dict[str, Any]
Text: TypeAlias = "str | bytes"
"""JSON that is not decoded."""

# Integers outside of this become floats without a word (Kinto 26.5, memory) or other integers
# (PostgreSQL).
SMALLEST_INTEGER = -(2**63)
LARGEST_INTEGER = 2**64 - 1
# Kinto 26.5 takes 400 levels and answers 500 to 500 of them; a batch adds some of its own.
DEEPEST = 300


class Part(dict[str, Any]):
    """Attributes of an object of which the others are not known."""


class Secret(dict[str, Any]):
    """A dict that holds credentials: it is sent as it is, and shown nowhere."""

    def __repr__(self) -> str:
        return "<not shown>"


def copy(value: JSON) -> JSON:
    """A copy that shares no list and no dict with the original."""
    if type(value) is dict:
        return {key: copy(item) for key, item in value.items()}
    if type(value) is list:
        return [copy(item) for item in value]
    return value


def sendable(value: JSON) -> JSON:
    """A copy of what the server showed, of which all can be sent again: see number()."""
    if type(value) is dict:
        return {key: sendable(item) for key, item in value.items()}
    if type(value) is list:
        return [sendable(item) for item in value]
    return number(value) if type(value) is int else value


def become(data: JSONObject, wanted: Mapping[str, JSON]) -> None:
    """Edit an object in place. What is equal to what is wanted stays the same Python object."""
    for key in data.keys() - wanted.keys():
        del data[key]
    for key, value in wanted.items():
        if key not in data or not equal(data[key], value):
            data[key] = sendable(value)


_PLAIN = frozenset({str, int, bool, type(None)})


def equal(one: JSON, other: JSON) -> bool:
    """Is it the same JSON? 1 is 1.0, but neither is true; the order of keys does not count."""
    if type(one) is type(other) and type(one) in _PLAIN and one == other:  # the most, and the quickest
        return True
    # map() and no generator, which would take a frame of its own: Kinto 26.5 holds 400 levels.
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(map(equal, one.values(), [other[key] for key in one]))
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        # PostgreSQL gives back 1.2345678901234567e16 as 12345678901234567: as numbers they differ.
        if isinstance(one, float) or isinstance(other, float):
            return as_float(one) == as_float(other)
        return number(one) == number(other)
    return bool(one == other)


def number(value: int | float) -> int | float:
    """As PostgreSQL gives back large floats as integers, an integer beyond 64 bits was a float."""
    if isinstance(value, int) and not SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
        return as_float(value)
    return value


def survives(value: float) -> bool:
    """Does Kinto read this float as it is written?

    One of more digits, or of a larger exponent, becomes one of its neighbours (Kinto 26.5, both
    back ends: 0.39723997685875156 is stored as 0.3972399768587515).
    """
    _, digits, exponent = Decimal(repr(value)).as_tuple()
    return int("".join(map(str, digits))) <= 2**53 and abs(int(exponent)) <= 22


def as_float(value: int | float) -> int | float:
    """The nearest float; the integer itself where there is none."""
    try:
        return float(value)
    except OverflowError:
        return value


def check(value: JSON, where: str = "data", levels: int = DEEPEST) -> None:
    """Refuse what Kinto would change, or answer with 400, 500 or an endless 503.

    where: the path of the value for the message. levels: how deep it may be. Raises ValidationError
    for NaN and infinities, integers beyond 64 bits, the NUL character, lone surrogates, keys that are
    no strings, nesting of more than 300 levels, and whatever JSON does not know.
    """
    problem = _problem(value, where, levels)
    if problem:
        raise ValidationError(problem)


def _problem(value: JSON, where: str, levels: int) -> str | None:
    if isinstance(value, str):
        return _text_problem(value, where)
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        if SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
            return None
        return f"{where}: Kinto keeps integers of 64 bits only, got one of {value.bit_length()} bits"
    if isinstance(value, float):
        return None if math.isfinite(value) else f"{where}: JSON has no {value!r}"
    if isinstance(value, (dict, list, tuple)):
        return _container_problem(value, where, levels)
    return f"{where}: {type(value).__name__} is not a JSON type"


def _container_problem(value: JSON, where: str, levels: int) -> str | None:
    if levels == 0:
        return f"{where}: nested more than {DEEPEST} levels deep"
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                return f"{where}: the keys of a JSON object are strings, got {key!r}"
            problem = _text_problem(key, f"{where}, a key") or _problem(item, f"{where}.{key}", levels - 1)
            if problem:
                return problem
        return None
    for index, item in enumerate(value):
        problem = _problem(item, f"{where}[{index}]", levels - 1)
        if problem:
            return problem
    return None


def _text_problem(text: str, where: str) -> str | None:
    if "\0" in text:
        return f"{where}: Kinto cannot store the character NUL"
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        return f"{where}: a lone surrogate is not a character"
    return None
