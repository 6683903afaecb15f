"""Writes whose guard holds on PostgreSQL at its default isolation level too.

There Kinto 26.5 checks If-Match and writes in two steps, so that of two writers who come at the same
moment both may be told that they succeeded, and one is lost. A batch is one transaction: it begins here
with the write of a record that stands for the whole collection, for which the next such batch has to
wait, and ends with its deletion. Nobody ever sees that record; its tombstone stays.
Where a batch meets writes of others it goes on in another transaction: so the record is written again
before each write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import Conflict, KintoError, NotFound, TransportError, UsageError
from ..protocol import batch, operations
from ..protocol.changes import Write, own_record_data
from ..protocol.objects import StoredObject
from ..protocol.operations import Flow, Operation
from ..protocol.values import JSONObject, Part
from . import bulk, settling

LOCK = "kintomodel-lock"
"""The id of the record that is created and deleted."""


def capacity(batch_size: int) -> int:
    """How many writes there are in a batch of so many requests; UsageError if there is no room for one."""
    most = (batch_size - 2) // 2
    if most < 1:
        raise UsageError(f"verify=True needs batches of 4 requests, and this server takes {batch_size}")
    return most


def run(writes: Sequence[Write], *, look_again: bool = True) -> Flow[list[Any]]:
    """Perform the writes, all in one collection, as bulk.run() does; one batch, and one to look again.

    Where only part of a record is known, it is read before, for the lock.
    Those who write like this do not lose each other's changes. Against other writers: look_again
    reads what is stored afterwards, and makes a Conflict of what is not as it was written. Where the
    answers are lost, what was not done is not repeated.
    """
    if not all(batch.is_batchable(write.operation) for write in writes):
        error = UsageError(f"{writes[0].operation.path}: it cannot be verified: Kinto takes it for a batch")
        return [error] * len(writes)
    locks: dict[str, Any] = {}
    data = yield from _acceptable(writes)

    def send(several: Sequence[Write]) -> Flow[list[Any]]:
        _, *answers, _ = yield from batch.run(_under_lock(several, data))
        locks.update(zip((write.operation.path for write in several), answers[::2], strict=True))
        return answers[1::2]

    results = yield from bulk.settled(writes, send, bulk.look)
    for at, write in enumerate(writes):
        lock = locks.get(write.operation.path)
        if isinstance(lock, KintoError) and not isinstance(results[at], KintoError):
            results[at] = TransportError(f"written, but not verified, as its lock was refused: {lock}")
    return (yield from _looked_at(writes, results)) if look_again else results


def _acceptable(writes: Sequence[Write]) -> Flow[dict[str, JSONObject]]:
    """By the path of each write, data that the schema of the collection accepts if it accepts the write."""
    found = {write.operation.path: write.expected or {} for write in writes}
    parts = [path for path, expected in found.items() if isinstance(expected, Part)]
    whole = (yield from bulk.run([Write(operations.read(path)) for path in parts])) if parts else []
    for path, stored in zip(parts, whole, strict=True):
        if isinstance(stored, StoredObject):
            found[path] = {**own_record_data(stored.data), **found[path]}
    return found


def _under_lock(writes: Sequence[Write], data: Mapping[str, JSONObject]) -> list[Operation[Any]]:
    """The first lock may meet that of another batch, for which it has to wait: hence a second one.

    Each is written with the data of the write that it is for: what the schema refuses is both or none.
    """
    path = writes[0].operation.path.rpartition("/")[0] + f"/{LOCK}"
    locks = [operations.replace(path, data[write.operation.path]) for write in writes]
    steps = [one for lock, write in zip(locks, writes, strict=True) for one in (lock, write.operation)]
    return [locks[0], *steps, operations.delete(path)]


def _looked_at(writes: Sequence[Write], results: list[Any]) -> Flow[list[Any]]:
    done = [at for at, result in enumerate(results) if isinstance(result, StoredObject)]
    reads = [operations.read(writes[at].operation.path) for at in done]
    found = (yield from bulk.run([Write(read) for read in reads])) if reads else []
    for at, stored in zip(done, found, strict=True):
        results[at] = _verified(writes[at], results[at], stored)
    return results


def _verified(write: Write, written: StoredObject, stored: Any) -> Any:
    """The write's own result, or an error if it is not what is stored."""
    if isinstance(stored, NotFound):
        return _overwritten(write, None)
    if isinstance(stored, KintoError):
        return TransportError(f"written, but not verified, as it cannot be read: {stored}")
    if stored.last_modified == written.last_modified or settling.holds(stored, write.operation, written):
        return written
    return _overwritten(write, stored)


def _overwritten(write: Write, stored: StoredObject | None) -> Conflict:
    operation = write.operation
    return Conflict(
        f"{operation.method} {operation.path}: it was written, and somebody else wrote over it at the "
        "same time: read it and try again",
        status=412,
        method=operation.method,
        path=operation.path,
        details=None if stored is None else {"existing": stored.data},
    )
