"""The changes of a plan of a server, carried out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, TypeAlias

import attrs

from ..errors import Conflict, KintoError, NotFound
from ..flows import editing
from ..plans import carrying_out
from ..protocol.changes import Write
from ..protocol.objects import StoredObject
from ..protocol.operations import Flow
from ..protocol.report import Outcome, Report, failure, loss
from .accounts import AccountChange
from .changing import ObjectChange

AnyChange: TypeAlias = "AccountChange | ObjectChange"


def apply(changes: Sequence[AnyChange], batch_size: int) -> Flow[Report[AnyChange]]:
    """The outcome of each, in order. Once the server cannot be reached, the rest is given up."""
    outcomes: list[Outcome[AnyChange]] = []
    for _, group in groupby(changes, type):
        several, start = list(group), len(outcomes)
        lost = loss(outcomes)
        if lost is None:
            done = yield from _carried_out(several, batch_size)
        else:
            done = [failure(one, at, lost, one.id) for at, one in enumerate(several)]
        outcomes += [attrs.evolve(one, position=start + one.position) for one in done]
    return Report(tuple(outcomes))


def _carried_out(several: Sequence[AnyChange], batch_size: int) -> Flow[list[Outcome[Any]]]:
    """Of changes that are all of objects, or all of accounts. An account takes a request of its own."""
    users = [one for one in several if isinstance(one, AccountChange)]
    objects = [one for one in several if isinstance(one, ObjectChange)]
    if objects:
        return (yield from carrying_out.in_batches(objects, ObjectChange.write, _outcome, batch_size))
    outcomes: list[Outcome[Any]] = []
    for at, change in enumerate(users):
        lost = loss(outcomes)
        outcomes.append(
            (yield from change.carried_out(at)) if lost is None else failure(change, at, lost, change.id)
        )
    return outcomes


def _outcome(change: ObjectChange, position: int, result: Any) -> Flow[Outcome[ObjectChange]]:
    if isinstance(result, NotFound) and change.kind == "delete":
        return Outcome("unchanged", change, position, id=change.id)
    if isinstance(result, Conflict) and change.kind != "delete":
        try:
            return (yield from _again(change, position))
        except KintoError as error:
            result = error
    if isinstance(result, NotFound) and change.kind == "update":
        result = carrying_out.deleted_since(result)
    if isinstance(result, KintoError):
        return failure(change, position, result, change.id)
    return Outcome(carrying_out.DONE[change.kind], change, position, id=change.id)


def _again(change: ObjectChange, position: int) -> Flow[Outcome[ObjectChange]]:
    """The same change of what somebody made of the object meanwhile: a GET, and a guarded write."""
    is_sent = False

    def onto(now: StoredObject) -> Write | None:
        nonlocal is_sent
        write = change.onto(now)
        is_sent = is_sent or write is not None
        return write

    yield from editing.edit(change.id, onto)
    return Outcome("updated" if is_sent else "unchanged", change, position, id=change.id)
