"""Many writes in few requests, with the truth about each of them whatever happens to a request."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from itertools import groupby
from typing import Any, TypeAlias

from ..errors import (
    KintoError,
    PayloadTooLarge,
    ResponseError,
    ServerError,
    TransportError,
    UnreadableResponse,
)
from ..protocol import batch
from ..protocol.changes import Write
from ..protocol.operations import Flow, Operation, Raised
from . import settling

Sender: TypeAlias = Callable[[Sequence[Write]], Flow[list[Any]]]
Healer: TypeAlias = Callable[[Write, TransportError], Flow[Any]]


def run(writes: Sequence[Write]) -> Flow[list[Any]]:
    """Perform them in one batch; the result of each is its value or its KintoError, in order.

    Where the answers of the batch are lost (none came, or none that can be read, or an error of the
    server, which may have kept a part of it), each object is looked at, and written on its own if it
    was not. After a second loss the rest is given up: its error says so. A batch that is too large is
    sent in two halves. Where the batch itself is refused otherwise, that is the error of each: nothing
    was written.
    """
    results: list[Any] = []
    for _, group in groupby(writes, lambda write: batch.is_batchable(write.operation)):
        results += yield from settled(list(group), _send, _look_or_repeat)
    return results


def _send(writes: Sequence[Write]) -> Flow[list[Any]]:
    return batch.run([write.operation for write in writes])


def settled(writes: Sequence[Write], send: Sender, heal: Healer) -> Flow[list[Any]]:
    """Send writes that all go into one batch, or all on their own, and see what became of each.

    heal: what to do about each of them where the answers are lost.
    """
    try:
        results = yield from send(writes)
    except PayloadTooLarge as error:
        if len(writes) == 1:
            return [error]
        middle = len(writes) // 2
        first = yield from settled(writes[:middle], send, heal)
        return first + (yield from settled(writes[middle:], send, heal))
    except (TransportError, ServerError, UnreadableResponse) as error:
        return (yield from _one_by_one(writes, error, heal))
    except ResponseError as error:
        return [error] * len(writes)
    found: list[Any] = []
    for write, result in zip(writes, results, strict=True):
        try:
            found.append((yield from _rest(_settle(write), result)))
        except KintoError as error:
            found.append(error)
    return found


def _one_by_one(writes: Sequence[Write], cause: KintoError, heal: Healer) -> Flow[list[Any]]:
    lost = TransportError(f"the answers of a batch are lost: {cause}")
    results: list[Any] = []
    for write in writes:
        try:
            results.append((yield from heal(write, lost)))
        except TransportError as error:
            return [*results, *[error] * (len(writes) - len(results))]
        except KintoError as error:
            results.append(error)
    return results


def _look_or_repeat(write: Write, lost: TransportError) -> Flow[Any]:
    try:
        return (yield from look(write, lost))
    except TransportError:
        return (yield from _settle(write))


def look(write: Write, lost: TransportError) -> Flow[Any]:
    """What became of it; raises the loss itself if it was not done."""
    return _rest(_settle(write), lost)


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
