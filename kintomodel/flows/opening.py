"""Is it there? Kinto answers 403 both to a missing bucket and to one that is not for us to see."""

from __future__ import annotations

from ..errors import Conflict, Forbidden, NotFound, ResponseError
from ..protocol import operations, probing
from ..protocol.changes import Write
from ..protocol.objects import StoredObject
from ..protocol.operations import Flow
from . import settling


def read(path: object) -> Flow[StoredObject]:
    """The object; one GET. NotFound if it is missing, Forbidden if it may not be seen.

    Where the server says 403, one more request asks whether the bucket could be created: then it is
    missing. Only those who may create buckets can find that out.
    """
    try:
        return (yield from operations.read(path))
    except Forbidden as error:
        raise (yield from probing.told_apart(error, path)) from None


def save(write: Write) -> Flow[StoredObject]:
    """Write what is there; NotFound if it is missing, as for read()."""
    try:
        return (yield from create(write))
    except Forbidden as error:
        raise (yield from probing.told_apart(error, write.operation.path)) from None


def delete(write: Write) -> Flow[int | None]:
    """Delete it; NotFound if it is missing, as for read()."""
    try:
        return (yield from settling.delete(write.operation))
    except Forbidden as error:
        raise (yield from probing.told_apart(error, write.operation.path)) from None


def exists(path: object) -> Flow[bool]:
    """Is there such an object? One GET. Forbidden where only the server knows."""
    try:
        yield from read(path)
    except NotFound:
        return False
    return True


def create(write: Write) -> Flow[StoredObject]:
    """Store a new object; Conflict if it is there."""
    return (yield from settling.write(write.operation, write.expected or {}))


def create_or_read(write: Write) -> Flow[StoredObject]:
    """Store a new object; if it is there, leave it as it is, and read it.

    Forbidden where it is there and may not be seen.
    """
    path = write.operation.path
    try:
        return (yield from create(write))
    except Forbidden as error:
        # Kinto refuses those who may not create it, whether it is there or not.
        try:
            return (yield from operations.read(path))
        except ResponseError:
            raise error from None
    except Conflict:
        try:
            return (yield from operations.read(path))
        except Forbidden as error:
            raise error.retold(
                Forbidden,
                f"GET {path}: it exists, but you may not see it: ask its owner, or take another name",
            ) from None
