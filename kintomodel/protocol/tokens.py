"""Token: how far somebody has read the changes of a collection, as a text that can be stored."""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64encode
from hashlib import blake2b
from typing import NamedTuple

from ..errors import UsageError
from .values import JSON, JSONObject, as_float

_VERSION = 1
_HASH_SIZE = 6
_encode = json.JSONEncoder(sort_keys=True, check_circular=False).encode
_EXACT = 2**53  # up to here a float is one integer, and no other


class Token(NamedTuple):
    """place: bucket/collection. The times are in milliseconds.

    collection: last_modified of the collection object. time: that of its list, as last seen.
    settled: up to here all was seen; later writes may still become visible, up to time and beyond.
    seen: hashes of what was seen of them. was_full: was everything read, and not what changed?
    """

    place: str
    collection: int
    time: int
    settled: int
    seen: frozenset[bytes] = frozenset()
    was_full: bool = False

    @property
    def is_settled(self) -> bool:
        """Does the list hold nothing new for as long as its time stays the same?"""
        return self.settled == self.time

    def __str__(self) -> str:
        times = [self.collection, self.time, self.settled]
        head = [_VERSION, self.place, *times, int(self.was_full), len(self.seen)]
        text = json.dumps(head, separators=(",", ":")).encode()
        return urlsafe_b64encode(b"\n".join([text, b"".join(sorted(self.seen))])).decode().rstrip("=")


def read(text: object, place: str) -> Token:
    """The token of a text. UsageError if it is none, or if it is of another collection."""
    found = _decode(text)
    if found is None:
        raise UsageError(f"a token is what changes.next gives, or None for all, got {repr(text)[:50]}")
    if found.place != place:
        raise UsageError(f"this token is of {found.place}, and not of {place}: keep one for each collection")
    return found


def version(data: JSONObject) -> bytes:
    """What stands for an object as one write left it. Its time alone does not: that can be chosen."""
    return blake2b(_encode(_canonical(data)).encode(), digest_size=_HASH_SIZE).digest()


def _canonical(value: JSON) -> JSON:
    """With each number in one form: PostgreSQL gives large floats back as integers."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if isinstance(value, int) and abs(value) > _EXACT:
        return as_float(value)
    return int(value) if isinstance(value, float) and abs(value) <= _EXACT and value.is_integer() else value


def _decode(text: object) -> Token | None:
    if not isinstance(text, str):
        return None
    try:
        raw = b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True)
        head, _, packed = raw.partition(b"\n")
        number, place, collection, time, settled, full, _ = json.loads(head)
    except (ValueError, TypeError, RecursionError):
        return None
    if number != _VERSION or type(place) is not str or not _are_times(collection, settled, time, full):
        return None
    seen = frozenset(packed[at : at + _HASH_SIZE] for at in range(0, len(packed), _HASH_SIZE))
    token = Token(place, collection, time, settled, seen, bool(full))
    # Written again it is the same, unless something was lost of it.
    is_whole = len(packed) % _HASH_SIZE == 0 and str(token) == text
    return token if is_whole else None


def _are_times(*values: object) -> bool:
    return all(type(value) is int and value >= 0 for value in values)
