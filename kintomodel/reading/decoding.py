"""What is compared of stored values of which two forms are one: "1.5" and "1.50" of store="text"."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, get_args, get_origin

from ..mapping.annotations import is_union, mentions, plain, transformed
from ..mapping.codec import converter
from ..mapping.nested_values import stored_attributes
from ..mapping.references import is_reference
from ..mapping.storage import TextDecimal
from ..protocol.values import JSON

_ARRAYS = (list, set, frozenset, tuple)


def decoder(cls: Any) -> Callable[[JSON], Any] | None:
    """Makes the same JSON with a Decimal for each that is a text; what does not fit stays.

    None where JSON is compared as it is. Of a list it is that of its items, as conditions take it.
    """
    # What a reference leads to is no part of the value.
    if not mentions(transformed(cls, lambda part: str if is_reference(part) else part), TextDecimal):
        return None
    while get_origin(cls) in _ARRAYS:
        cls = _item(cls)
    return partial(_decoded, cls)


def _item(cls: Any) -> Any:
    """The type of all items; None if there are several."""
    first, *others = (plain(argument) for argument in get_args(cls) if argument is not ...)
    return first if all(other == first for other in others) else None


def _decoded(cls: Any, value: JSON) -> Any:
    cls = plain(cls)
    if isinstance(value, str):
        return _text(cls, value)
    if isinstance(value, list) and get_origin(cls) in _ARRAYS:
        kinds = get_args(cls)
        by_place = kinds if len(kinds) == len(value) and ... not in kinds else kinds[:1] * len(value)
        return [_decoded(kind, item) for kind, item in zip(by_place, value, strict=True)]
    if isinstance(value, dict):
        if get_origin(cls) is dict:
            return {key: _decoded(get_args(cls)[1], item) for key, item in value.items()}
        kinds_by_key = dict((stored_attributes(cls) or {}).values())
        return {key: _decoded(kinds_by_key.get(key, Any), item) for key, item in value.items()}
    return value


def _text(cls: Any, value: str) -> Any:
    if cls is not TextDecimal and not (is_union(cls) and mentions(cls, TextDecimal)):
        return value
    try:
        return converter().structure(value, cls)
    except Exception:  # of any hook, also those of users
        return value
