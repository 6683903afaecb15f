"""The writes of a plan, in batches, and what became of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ..errors import Conflict, KintoError, NotFound, TransportError
from ..flows import bulk, settling
from ..protocol import batch
from ..protocol.changes import Write
from ..protocol.operations import Flow
from ..protocol.report import Outcome, Report, Status, broken_off, failure, loss

T = TypeVar("T")

DONE: dict[str, Status] = {"create": "created", "update": "updated", "delete": "deleted"}
"""What has become of a change of that kind."""


def in_batches(
    changes: Sequence[T],
    write: Callable[[T], Write],
    settle: Callable[[T, int, Any], Flow[Outcome[T]]],
    batch_size: int,
    tell: Callable[[int, int], object] = lambda done, total: None,
) -> Flow[list[Outcome[T]]]:
    """The outcome of each, in order. Once the server cannot be reached, the rest is given up. BulkError,
    with the report of what was done, where tell() raises.

    write: its KintoError is what becomes of that change alone. settle: from a change, its position, and what
    its write gave or its KintoError, to its outcome.
    """
    outcomes: list[Outcome[T]] = []
    lost: TransportError | None = None
    for chunk in batch.chunks(changes, batch_size):
        if lost is not None:
            outcomes += [failure(one, at, lost) for at, one in enumerate(chunk, len(outcomes))]
            continue
        results = yield from _sent(chunk, write)
        for change, result in zip(chunk, results, strict=True):
            outcomes.append((yield from settle(change, len(outcomes), result)))
        lost = loss(outcomes)
        try:
            tell(len(outcomes), len(changes))
        except Exception as error:
            raise broken_off(error, Report(tuple(outcomes))) from error
    return outcomes


def _sent(changes: Sequence[T], write: Callable[[T], Write]) -> Flow[list[Any]]:
    """What the write of each gave, or its KintoError; also of one that cannot be sent at all."""
    results: list[Any] = [None] * len(changes)
    writes: dict[int, Write] = {}
    for at, change in enumerate(changes):
        try:
            writes[at] = write(change)
        except KintoError as error:
            results[at] = error
    for at, result in zip(writes, (yield from bulk.run(list(writes.values()))), strict=True):
        results[at] = result
    return results


def deleted_since(error: NotFound) -> Conflict:
    """What was to be changed is there no more."""
    return settling.deleted_since(error, "plan it again")
