"""Reading JSON. The one place that knows of msgspec, which needs a third of the time and is an extra."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from types import GenericAlias
from typing import Any, TypeAlias

from ..protocol.values import JSON, Text

Decoder: TypeAlias = Callable[[Text], JSON]
Splitter: TypeAlias = Callable[[bytes], Iterator[tuple[JSON, Text]]]

_SPACE = r"[ \t\n\r]*"
_OPENING = re.compile(rf'{_SPACE}\{{{_SPACE}"data"{_SPACE}:{_SPACE}\[{_SPACE}')
_NEXT = re.compile(rf"{_SPACE}(?:,{_SPACE}|(\]{_SPACE}\}}{_SPACE}\Z))")
"""A comma before another member, or else, as a group, the end of all."""


@cache
def decoder() -> Decoder:
    """What json.loads() does with UTF-8; raises ValueError or RecursionError."""
    quick = _msgspec()
    return json.loads if quick is None else _first(quick.json.decode, _refusals(quick))


@cache
def splitter() -> Splitter:
    """Gives the members of the array `data` in a body, each decoded when its turn comes, with its text.

    Raises what decoder() raises, maybe after some of them, also where it cannot tell one from the next.
    """
    quick = _msgspec()
    if quick is None:
        return _split
    page = quick.defstruct("Page", [("data", GenericAlias(list, (quick.Raw,)))])
    return _quick_splitter(quick.json.Decoder(page).decode, quick.json.decode, _refusals(quick))


def _msgspec() -> Any:
    """None where it is not installed."""
    try:
        return import_module("msgspec")
    except ImportError:
        return None


def _refusals(quick: Any) -> tuple[type[Exception], ...]:
    return quick.DecodeError, ValueError, RecursionError


def _first(decode: Decoder, refusals: tuple[type[Exception], ...]) -> Decoder:
    """What it refuses is left to json, which takes a NaN or half of a surrogate pair."""

    def decoded(content: Text) -> Any:
        try:
            return decode(content)
        except refusals:
            return json.loads(content)

    return decoded


def _quick_splitter(
    page: Callable[[bytes], Any], decode: Decoder, refusals: tuple[type[Exception], ...]
) -> Splitter:
    def split(content: bytes) -> Iterator[tuple[JSON, Text]]:
        try:
            members = page(content).data
        except refusals:
            yield from _split(content)
        else:
            for member in members:
                text = bytes(member)
                try:
                    value = decode(text)
                except refusals:
                    value = json.loads(text)
                yield value, text

    return split


def _split(content: bytes) -> Iterator[tuple[JSON, Text]]:
    text, decode = content.decode(), json.JSONDecoder().raw_decode
    separator = _OPENING.match(text)
    while separator is not None:
        start = separator.end()
        member, end = decode(text, start)
        yield member, text[start:end]
        separator = _NEXT.match(text, end)
        if separator is not None and separator[1]:
            return
    raise ValueError("a page as Kinto does not write it")
