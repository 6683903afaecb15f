"""What the files of a collection have in common: rows, each a dict as sync() takes it."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple, TypeAlias

from ..protocol.values import JSON, Part

TOO_DEEP = "it is nested too deeply"


class BadRow(NamedTuple):
    """A row that cannot be read; the others can. text: as it stands in the file."""

    problem: str
    text: str


class UnreadableFileError(ValueError):
    """A file that cannot be read on from where this happened; the text names the line."""


def plain(value: JSON) -> JSON:
    """With floats for the Decimals of numbers that have more digits."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        found = {key: plain(item) for key, item in value.items()}
        return Part(found) if isinstance(value, Part) else found
    return [plain(item) for item in value] if isinstance(value, list) else value


Parsed: TypeAlias = tuple[int, object]
"""The line that a row starts at, from 1, and the row or BadRow."""
