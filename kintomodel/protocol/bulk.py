"""Many writes in few requests, with the truth about each of them whatever happens to a request."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from itertools import groupby
from typing import Any

from ..errors import KintoError, ResponseError, ServerError, TransportError, UnreadableResponse
from . import batch, settling
from .changes import Write
from .operations import Flow, Operation, Raised


def run(writes: Sequence[Write]) -> Flow[list[Any]]:
    """Perform them in one batch; the result of each is its value or its KintoError, in order.

    Where the answers of the batch are lost (none came, or none that can be read, or an error of the
    server, which may have kept a part of it), each object is looked at, and written on its own if it
    was not. After a second loss the rest is given up: its error says so. Where the batch itself is
    refused, that is the error of each: nothing was written.
    """
    results: list[Any] = []
    for _, group in groupby(writes, lambda write: batch.is_batchable(write.operation)):
        results += yield from _run(list(group))
    return results


def _run(writes: Sequence[Write]) -> Flow[list[Any]]:
    """Of writes that all go into one batch, or all on their own."""
    try:
        results = yield from batch.run([write.operation for write in writes])
    except (TransportError, ServerError, UnreadableResponse) as error:
        return (yield from _one_by_one(writes, error))
    except ResponseError as error:
        return [error] * len(writes)
    settled: list[Any] = []
    for write, result in zip(writes, results, strict=True):
        try:
            settled.append((yield from _rest(_settle(write), result)))
        except KintoError as error:
            settled.append(error)
    return settled


def _one_by_one(writes: Sequence[Write], cause: KintoError) -> Flow[list[Any]]:
    lost = TransportError(f"the answers of a batch are lost: {cause}")
    results: list[Any] = []
    for write in writes:
        try:
            results.append((yield from _look_or_repeat(write, lost)))
        except TransportError as error:
            return [*results, *[error] * (len(writes) - len(results))]
        except KintoError as error:
            results.append(error)
    return results


def _look_or_repeat(write: Write, lost: TransportError) -> Flow[Any]:
    try:
        return (yield from _rest(_settle(write), lost))
    except TransportError:
        return (yield from _settle(write))


def _settle(write: Write) -> Flow[Any]:
    if write.operation.is_read:
        return iter(write.operation)
    if write.expected is None:
        return settling.delete(write.operation)
    return settling.write(write.operation, write.expected)


def _rest(flow: Flow[Any], answer: Any) -> Generator[Operation[Any], Any, Any]:
    """Of a flow whose first operation was performed with this result or error."""
    try:
        next(flow)
        step = flow.send(Raised(answer) if isinstance(answer, KintoError) else answer)
        while True:
            step = flow.send((yield step))
    except StopIteration as end:
        return end.value
