"""Read, change, write back under guard; and again if somebody else was faster."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import attrs

from ..errors import Conflict
from ..protocol import operations
from ..protocol.changes import Write
from ..protocol.objects import StoredObject
from ..protocol.operations import Flow, Operation
from ..protocol.paths import GroupPath
from . import settling

TRIES = 12
"""Enough for eight clients that all write at once: with each of them that is done, the rest wait less."""

_LOOKS = 5

Change: TypeAlias = Callable[[StoredObject], Write | None]
"""From an object as it is stored to the write that it needs; None if it needs none."""


def edit(
    path: object,
    change: Change,
    *,
    known: StoredObject | None = None,
    verify: bool = False,
) -> Flow[StoredObject]:
    """Apply a change to an object, whatever others write meanwhile; the result is the object.

    known: what the server last showed, which saves the first GET; where it says that nothing is to be
    done, the server is asked all the same. Each try costs a PATCH and, after a conflict, a GET. After
    TRIES the last Conflict is raised.
    verify: look again until the change is there and nobody writes any more. Kinto on PostgreSQL, as
    it is set up by default, may accept two writes with the same If-Match, and keep one (26.5). Costs
    a GET or more, each after a short wait.
    """
    stored = known if known is not None else (yield from operations.read(path))
    is_sure = known is None and not verify
    tries = 0
    while True:
        write = change(stored)
        if write is None:
            if is_sure:
                return stored
            stored = yield from (_look_until_quiet(path, change, stored) if verify else operations.read(path))
            is_sure = True
            continue
        if tries == TRIES:
            raise _never_quiet(path)
        tries += 1
        try:
            stored = yield from settling.write(write.operation, write.expected or {})
        except Conflict:
            if tries == TRIES:
                raise
            stored = yield from later(operations.read(path), tries)
            is_sure = not verify
        else:
            if not verify:
                return stored
            stored = yield from _look_until_quiet(path, change, stored)
            is_sure = True


def _never_quiet(path: object) -> Conflict:
    return Conflict(
        f"PATCH {path}: others write it all the time, and drop what is changed here: given up after "
        f"{TRIES} tries; try again later",
        status=412,
        method="PATCH",
        path=str(path),
        attempts=TRIES,
    )


def later(operation: Operation[StoredObject], failures: int) -> Operation[StoredObject]:
    """The same, after a wait that grows with the failures, so that clients which met part again."""
    return attrs.evolve(operation, after_failures=failures)


def _look_until_quiet(path: object, change: Change, stored: StoredObject) -> Flow[StoredObject]:
    """The object once nobody writes it any more, or once the change is lost."""
    for _ in range(_LOOKS):
        seen = yield from later(operations.read(path), 1)
        if seen.last_modified == stored.last_modified or change(seen) is not None:
            return seen
        stored = seen
    return stored


def members(stored: StoredObject) -> list[str]:
    """Of a group. One that was made without data has none at all (26.5)."""
    found: list[str] = stored.data.get("members", [])
    return found


def with_members(added: Iterable[str] = (), removed: Iterable[str] = ()) -> Callable[[list[str]], list[str]]:
    """Those and these, but not those others; the rest as it is."""
    gone = frozenset(removed)
    more = tuple(added)
    return lambda now: [one for one in dict.fromkeys((*now, *more)) if one not in gone]


def membership(path: GroupPath, alter: Callable[[list[str]], list[str]]) -> Change:
    """The change of a group's members from what they are to what alter makes of them."""

    def change(stored: StoredObject) -> Write | None:
        now = members(stored)
        wanted = alter(now)
        if set(wanted) == set(now):
            return None
        operation = operations.update(path, {"members": wanted}, last_modified=stored.last_modified)
        return Write(operation, {**stored.data, "members": wanted})

    return change
