"""Writes whose fate may be unknown: send, and where the answer was lost, look.

A write with a precondition that is sent twice is refused the second time if the first one got
through. These flows find out which it was, so that a retry neither doubles a write nor reports
a conflict with ourselves. A proxy that lost the server answers 502 or 504, and some of them with a page
of their own: that is no answer, either.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NoReturn

from ..errors import (
    Conflict,
    Forbidden,
    KintoError,
    NotFound,
    ResponseError,
    ServerError,
    TransportError,
    UnreadableResponse,
)
from ..protocol import operations, probing
from ..protocol.changes import Lost
from ..protocol.objects import StoredObject
from ..protocol.operations import Flow, Operation
from ..protocol.permissions import added_writer
from ..protocol.responses import BACKEND_FAILED
from ..protocol.values import JSON, JSONObject, Part, equal, survives

IN_DOUBT = (TransportError, ServerError, UnreadableResponse)
"""What may be raised of a write that was done; is_in_doubt() tells of each."""


def write(
    operation: Operation[StoredObject], expected: JSONObject, *, is_doubted: bool = False
) -> Flow[StoredObject]:
    """Perform a create, replace or update; the result is the object as it is stored.

    expected: the whole data that the object has once this write is done. is_doubted: was it sent
    before? Costs one more GET, only where an answer was lost or the write was sent more than once; and one
    of the root, where somebody more than it named may write.
    Raises what the write raised if it was not done; a TransportError also where a repetition was refused
    and nobody can see what became of the first attempt.
    """
    try:
        stored = yield from operation
        # It may be the earlier attempt that it found there.
        return StoredObject(*stored) if is_doubted else stored
    except Conflict as error:
        if not _was_sent_before(error, is_doubted):
            raise
        existing = error.existing
        if existing is not None and not same(existing, expected):
            raise
        return (yield from _find(operation, expected, error, existing))
    except KintoError as error:
        if not may_be_done(error, is_doubted=is_doubted):
            raise
        return (yield from _find(operation, expected, error))


def delete(operation: Operation[int], *, is_doubted: bool = False) -> Flow[int | None]:
    """Perform a deletion; the result is its time in milliseconds, None where the answer was lost.

    is_doubted: was it sent before? Costs one more GET only where an answer was lost. Of a bucket that
    is gone Kinto says 403: that costs one more request.
    """
    try:
        return (yield from operation)
    except NotFound as error:
        if not _was_sent_before(error, is_doubted):
            raise
        return None
    except Conflict:
        raise  # there it is
    except KintoError as error:
        if not may_be_done(error, is_doubted=is_doubted):
            raise
        gone: bool | None
        if isinstance(error, Forbidden) and probing.is_bucket(operation.path):
            gone = yield from probing.is_missing(error, operation.path)
        else:
            gone = yield from is_gone(operation.path)
        if gone is None:
            give_up(error)
        if not gone:
            raise
        return None


def _was_sent_before(error: KintoError, is_doubted: bool) -> bool:
    return isinstance(error, ResponseError) and (is_doubted or error.attempts > 1)


def may_be_done(error: KintoError, *, is_doubted: bool = False) -> bool:
    """Was the write perhaps done, by this attempt or by one before it? is_doubted: was there one?"""
    return is_in_doubt(error) or _was_sent_before(error, is_doubted)


def give_up(error: KintoError) -> NoReturn:
    """Raise what a write came to that was perhaps done, where nobody can see whether it was."""
    if is_in_doubt(error):
        raise error from None
    raise TransportError(
        f"{error} (this is the answer to a repetition: the first attempt got none, and may have been carried "
        "out all the same)"
    ) from error


def is_in_doubt(error: object) -> bool:
    """Does it leave open whether the write was done? Not if Kinto itself says that its back end failed.

    On PostgreSQL with a stricter isolation level it says so of the loser of two writes (26.5).
    """
    if isinstance(error, ServerError):
        return error.errno != BACKEND_FAILED or error.attempts > 1
    if isinstance(error, UnreadableResponse):
        # Else it was redirected, or is of Kinto itself, which has no such path.
        return error.errno is None and not 300 <= error.status < 400
    return isinstance(error, TransportError)


def deleted_since(error: NotFound, advice: str) -> Conflict:
    """What a write of something that was read, and is there no more, comes to."""
    return error.retold(Conflict, f"{error.method} {error.path}: it was deleted since it was read; {advice}")


def own_write(path: object, lost: Lost | None, conflict: Conflict) -> Flow[StoredObject | None]:
    """The object as it is stored, if it is what our own write made of it whose answer was lost.

    None if somebody else's came in between, or after it. At most one GET, and one of the root.
    """
    theirs = conflict.existing
    if lost is None or theirs is None or not same(theirs, lost.data):
        return None
    stored = yield from operations.read(path)
    if stored.last_modified != theirs.get("last_modified"):
        return None
    return stored if (yield from _has_permissions(stored, lost.permissions)) else None


def is_gone(path: str, signs: tuple[type[ResponseError], ...] = (NotFound,)) -> Flow[bool | None]:
    """None: that cannot be seen. signs: what Kinto says where it is gone."""
    try:
        yield from operations.read(path)
    except signs:
        return True
    except Forbidden as error:
        return (yield from probing.is_missing(error, path)) or None
    except KintoError:
        return None
    return False


def holds(stored: StoredObject, operation: Operation[StoredObject], written: StoredObject) -> bool:
    """Is what a create, replace or update named as it was named? What else is stored does not matter.

    written: the answer to it, which shows whom Kinto gave the right to write beside those that it named.
    """
    wanted: Mapping[str, JSON] = operation.body.get("data", {})
    is_stored = all(key in stored.data and _alike(stored.data[key], wanted[key]) for key in wanted)
    names: Mapping[str, list[str]] = operation.body.get("permissions", {})
    if not is_stored or not names:
        return is_stored
    if stored.permissions is None or written.permissions is None:
        return False
    return all(
        set(stored.permissions.get(name, ())) == set(written.permissions.get(name, ())) for name in names
    )


def same(data: Mapping[str, object], expected: Mapping[str, object]) -> bool:
    """Is it the same, but for what the server adds? expected: a Part says nothing of other keys."""
    if isinstance(expected, Part):
        data = {key: data[key] for key in data.keys() & expected.keys()}
    keys = {key for side in (data, expected) for key in side if not _is_servers(key, side[key])}
    return all(key in data and key in expected and _alike(data[key], expected[key]) for key in keys)


def _alike(stored: JSON, sent: JSON) -> bool:
    """Equal, but for the last digits of floats that Kinto reads as one of their neighbours."""
    if isinstance(stored, dict) and isinstance(sent, dict):
        return stored.keys() == sent.keys() and all(_alike(stored[key], sent[key]) for key in sent)
    if isinstance(stored, list) and isinstance(sent, list):
        return len(stored) == len(sent) and all(map(_alike, stored, sent))
    if isinstance(sent, float) and isinstance(stored, (int, float)) and not survives(sent):
        return math.isclose(stored, sent, rel_tol=1e-12)
    return equal(stored, sent)


def _is_servers(key: str, value: object) -> bool:
    """Kinto writes the time of a collection's schema into its records; a schema itself is an object."""
    return key in ("id", "last_modified") or (key == "schema" and type(value) is int)


def _find(
    operation: Operation[StoredObject],
    expected: JSONObject,
    error: KintoError,
    shown: JSONObject | None = None,
) -> Flow[StoredObject]:
    """The object, if it is as this write leaves it; else the error.

    shown: the data of it that came with the error, which will do where it cannot be read.
    """
    wanted: Mapping[str, list[str]] = operation.body.get("permissions", {})
    try:
        stored = yield from operations.read(operation.path)
    except KintoError:
        if shown is None or wanted:
            give_up(error)
        stored = StoredObject(shown)
    moved = operation.headers.get("If-Match") != f'"{stored.last_modified}"'
    if not moved or not same(stored.data, expected):
        raise error
    try:
        is_done = yield from _has_permissions(stored, wanted)
    except KintoError:
        give_up(error)
    if not is_done:
        raise error
    return stored


def _has_permissions(stored: StoredObject, wanted: Mapping[str, list[str]]) -> Flow[bool]:
    """Are these its permissions, as far as they are named?

    Kinto adds whoever writes to "write". One GET of the root tells who that is, where one more may write:
    it may be one whom the write was to take away.
    """
    if not wanted:
        return True
    if stored.permissions is None:
        return False
    more: set[str] = set()
    for name, held in wanted.items():
        now = set(stored.permissions.get(name, ()))
        if now != set(held) and (name != "write" or not now > set(held)):
            return False
        more |= now - set(held)
    if len(more) != 1:
        return not more
    return more == {added_writer((yield from operations.server_info()))}
