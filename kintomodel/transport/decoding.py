"""Reading JSON. The one place that knows of msgspec, which needs a third of the time and is an extra."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, TypeAlias

from ..protocol.values import JSON

Decoder: TypeAlias = Callable[[bytes], JSON]


@cache
def decoder() -> Decoder:
    """What json.loads() does with UTF-8; raises ValueError or RecursionError."""
    try:
        quick = import_module("msgspec")
    except ImportError:
        return json.loads
    return _first(quick.json.decode, (quick.DecodeError, ValueError, RecursionError))


def _first(decode: Decoder, refusals: tuple[type[Exception], ...]) -> Decoder:
    """What it refuses is left to json, which takes a NaN or half of a surrogate pair."""

    def decoded(content: bytes) -> Any:
        try:
            return decode(content)
        except refusals:
            return json.loads(content)

    return decoded
