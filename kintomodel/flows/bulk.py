"""Many writes in few requests, with the truth about each of them whatever happens to a request."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from itertools import groupby
from typing import Any, TypeAlias

import attrs

from ..errors import (
    Conflict,
    KintoError,
    PayloadTooLarge,
    ResponseError,
    TransportError,
)
from ..protocol import batch
from ..protocol.changes import Write
from ..protocol.operations import Flow, Operation, Raised
from . import settling

Sender: TypeAlias = Callable[[Sequence[Write]], Flow[list[Any]]]
Healer: TypeAlias = Callable[[Write, TransportError], Flow[Any]]

ROUNDS = 8
"""How often the writes of a batch that met others are sent again: in halves, down to one by one."""

# What met others does not wait longer and longer: the server is not overloaded.
_LONGEST_WAIT = 4


def run(writes: Sequence[Write]) -> Flow[list[Any]]:
    """Perform them in one batch; the result of each is its value or its KintoError, in order.

    Where the answers of the batch are lost (none came, or none that can be read, or an error of the
    server, which may have kept a part of it), each object is looked at, and written on its own if it
    was not. After a second loss the rest is given up: its error says so. A batch that is too large is
    sent in two halves, and so is what PostgreSQL took back because it met writes of others, after a
    wait and no more than ROUNDS times. Where the batch itself is refused otherwise, that is the error of
    each: nothing was written.
    """
    results: list[Any] = []
    for _, group in groupby(writes, lambda write: batch.is_batchable(write.operation)):
        results += yield from settled(list(group), _send, _look_or_repeat)
    return results


def _send(writes: Sequence[Write]) -> Flow[list[Any]]:
    operations = [write.operation for write in writes]
    # One alone that meets others is told to come back in 30 s (26.5), but in a batch the wait is ours.
    if batch.is_batchable(operations[0]) and (len(operations) > 1 or operations[0].after_failures):
        return batch.together(operations)
    return batch.run(operations)


def settled(writes: Sequence[Write], send: Sender, heal: Healer, rounds: int = ROUNDS) -> Flow[list[Any]]:
    """Send writes that all go into one batch, or all on their own, and see what became of each.

    heal: what to do about each of them where the answers are lost. rounds: how often they may still be
    sent again because they met others.
    """
    try:
        results = yield from send(writes)
    except settling.IN_DOUBT as error:
        return (yield from _one_by_one(writes, error, heal))
    except ResponseError as error:
        if error.attempts > 1:  # the first time it was perhaps accepted
            return (yield from _one_by_one(writes, error, heal))
        if isinstance(error, PayloadTooLarge) and len(writes) > 1:
            return (yield from _in_halves(writes, len(writes), send, heal, rounds))
        results = [error] * len(writes)
    if rounds and any(map(_met_others, results)):
        return (yield from _again(writes, results, send, heal, rounds))
    found: list[Any] = list(results)
    for at, (write, result) in enumerate(zip(writes, results, strict=True)):
        if not isinstance(result, KintoError):  # it is what the write comes to
            continue
        try:
            found[at] = yield from _rest(_settle(write), result)
        except KintoError as error:
            found[at] = error
    return found


def _met_others(result: object) -> bool:
    return isinstance(result, Conflict) and result.status == 409


def _again(
    writes: Sequence[Write], results: Sequence[Any], send: Sender, heal: Healer, rounds: int
) -> Flow[list[Any]]:
    """Send again what was not written. What was refused may have been so for lack of what was taken back."""
    failed = {at: result for at, result in enumerate(results) if isinstance(result, ResponseError)}
    wait = min(ROUNDS + 1 - rounds, _LONGEST_WAIT)
    again = [_repetition(writes[at], result, wait) for at, result in failed.items()]
    found = list(results)
    for at, result in zip(
        failed, (yield from _in_halves(again, len(writes), send, heal, rounds - 1)), strict=True
    ):
        found[at] = result
    return found


def _repetition(write: Write, result: ResponseError, failures: int) -> Write:
    operation = attrs.evolve(write.operation, after_failures=failures)
    return write._replace(operation=operation, is_doubted=write.is_doubted or result.attempts > 1)


def _in_halves(
    writes: Sequence[Write], number: int, send: Sender, heal: Healer, rounds: int
) -> Flow[list[Any]]:
    """Send them in batches of at most half of this number."""
    results: list[Any] = []
    for several in batch.chunks(writes, (number + 1) // 2):
        results += yield from settled(several, send, heal, rounds)
    return results


def _one_by_one(writes: Sequence[Write], cause: KintoError, heal: Healer) -> Flow[list[Any]]:
    lost = TransportError(f"the answers of a batch are lost: {cause}")
    results: list[Any] = []
    for write in writes:
        try:
            results.append((yield from heal(write, lost)))
        except TransportError as error:
            if isinstance(error.__cause__, ResponseError):  # an answer to this one alone
                results.append(error)
                continue
            return [*results, *[error] * (len(writes) - len(results))]
        except KintoError as error:
            results.append(error)
    return results


def _look_or_repeat(write: Write, lost: TransportError) -> Flow[Any]:
    try:
        return (yield from look(write, lost))
    except TransportError:
        # It may be under way on the server all the same.
        return (yield from _settle(write._replace(is_doubted=True)))


def look(write: Write, lost: TransportError) -> Flow[Any]:
    """What became of it; raises the loss itself if it was not done."""
    return _rest(_settle(write), lost)


def _settle(write: Write) -> Flow[Any]:
    if write.operation.is_read:
        return iter(write.operation)
    if write.expected is None:
        return settling.delete(write.operation, is_doubted=write.is_doubted)
    return settling.write(write.operation, write.expected, is_doubted=write.is_doubted)


def _rest(flow: Flow[Any], answer: Any) -> Generator[Operation[Any], Any, Any]:
    """Of a flow whose first operation was performed with this result or error."""
    try:
        next(flow)
        step = flow.send(Raised(answer) if isinstance(answer, KintoError) else answer)
        while True:
            step = flow.send((yield step))
    except StopIteration as end:
        return end.value
