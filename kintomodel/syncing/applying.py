"""A plan's changes to the server, in batches, and what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Literal, TypeAlias

from ..errors import Conflict, KintoError, NotFound
from ..flows import bulk, settling
from ..flows.editing import later
from ..flows.listing import PAGE_SIZE, RETRIES
from ..flows.merging import merge
from ..plans import carrying_out
from ..protocol import batch, operations
from ..protocol.changes import own_data
from ..protocol.operations import Flow
from ..protocol.report import Outcome, Report, failure
from ..protocol.responses import MISSING_PARENT
from ..protocol.values import JSON, JSONObject
from ..query import scanning
from ..query.conditions import NOTHING, Comparison, matches
from ..query.query import Query
from ..writing.progress import Tell, silent
from .comparing import Change, Rules, deletion

Side: TypeAlias = Literal["raise", "mine", "theirs", "merge"]

_IDS = 100  # in one URL


def apply(
    changes: Sequence[Change],
    rules: Rules,
    on_conflict: Side,
    batch_size: int,
    tell: Tell = silent,
    *,
    verify: bool = False,
) -> Flow[Report[Change]]:
    """The outcome of each, in order. Once the server cannot be reached, the rest is given up."""

    def settle(change: Change, position: int, result: Any) -> Flow[Outcome[Change]]:
        outcome = _outcome(change, position, result, rules)
        if outcome.status == "conflict" and on_conflict != "raise":
            outcome = yield from _resolved(outcome, rules, on_conflict)
        return outcome

    write = partial(Change.write, path=rules.path)
    outcomes = yield from carrying_out.in_batches(changes, write, settle, batch_size, tell)
    if verify:
        outcomes = yield from _verified(outcomes, rules)
    return Report(tuple(outcomes))


def _outcome(change: Change, position: int, result: Any, rules: Rules) -> Outcome[Change]:
    if isinstance(result, NotFound) and result.errno != MISSING_PARENT:
        if change.kind == "delete":
            return Outcome("unchanged", change, position)
        result = carrying_out.deleted_since(result)
    if isinstance(result, Conflict):
        theirs = result.existing
        if theirs is not None and change.wanted is not None and settling.same(theirs, change.data):
            return Outcome("unchanged", change, position)
        result.base = change.base or None
        result.mine = change.data or None
        result.theirs = None if theirs is None else own_data(rules.path.record(change.id), theirs)
    if isinstance(result, KintoError):
        return failure(change, position, result)
    return Outcome(carrying_out.DONE[change.kind], change, position)


def _resolved(outcome: Outcome[Change], rules: Rules, side: Side) -> Flow[Outcome[Change]]:
    """What becomes of a conflict. Each attempt is a GET and a guarded write."""
    change = outcome.object
    if side == "theirs":
        return Outcome("unchanged", change, outcome.position)
    for tries in range(1, RETRIES + 1):
        stored: JSONObject | None = None
        try:
            with suppress(NotFound):
                stored = (yield from later(operations.read(rules.path.record(change.id)), tries)).data
            again = _again(change, stored, rules, side)
        except KintoError as error:
            return failure(change, outcome.position, error)
        if again is None:
            return Outcome("unchanged", change, outcome.position)
        if again is change:
            return outcome
        (result,) = yield from bulk.run([again.write(rules.path)])
        outcome = _outcome(again, outcome.position, result, rules)
        if outcome.status != "conflict":
            break
    return outcome


def _again(change: Change, stored: JSONObject | None, rules: Rules, side: Side) -> Change | None:
    """The change of what the server has now; None if nothing is left of it, itself if nobody can say."""
    if change.wanted is None:
        if stored is None:
            return None
        return deletion(stored) if side == "mine" and matches(rules.scope, stored) else change
    if stored is None:
        return change if side == "merge" else rules.change(change.wanted, None, change.id)
    is_same = rules.key.of_stored(stored, rules.path.name) == rules.key.of_wanted(change.wanted)
    if not is_same or not matches(rules.scope, stored):
        return change
    if side == "mine":
        return rules.change(change.wanted, stored)
    merged = merge(change.base, change.data, own_data(rules.path.record(change.id), stored))
    return change if merged.overlaps else rules.update(stored, merged.data, change.wanted)


def _verified(outcomes: Iterable[Outcome[Change]], rules: Rules) -> Flow[list[Outcome[Change]]]:
    """Those whose change the server does not have as conflicts; a GET for each hundred of them."""
    checked: list[Outcome[Change]] = []
    for chunk in batch.chunks(outcomes, _IDS):
        ids = [one.object.id for one in chunk if one.status in carrying_out.DONE.values()]
        found: dict[str, JSONObject] = {}

        def keep(page: Iterable[JSONObject], found: dict[str, JSONObject] = found) -> None:
            found.update((data["id"], data) for data in page)

        query = Query(Comparison(("id",), "in", ids) if ids else NOTHING)
        unread: KintoError | None = None
        try:
            yield from scanning.each(scanning.scan(rules.path.records, query, PAGE_SIZE), keep)
        except KintoError as error:
            unread = error
        for outcome in chunk:
            change = outcome.object
            if change.id not in ids:
                checked.append(outcome)
            elif unread is not None:
                checked.append(failure(change, outcome.position, unread))
            else:
                checked.append(_checked(outcome, found.get(change.id), rules))
    return checked


def _checked(outcome: Outcome[Change], stored: JSONObject | None, rules: Rules) -> Outcome[Change]:
    change = outcome.object
    if stored is None if change.kind == "delete" else stored is not None and _holds(stored, change, rules):
        return outcome
    where = rules.path.record(change.id)
    error = Conflict(
        f"GET {where}: it is not as it was written: somebody else wrote it at the same time; plan it again",
        status=412,
        method="GET",
        path=str(where),
    )
    error.base, error.mine = change.base or None, change.data or None
    error.theirs = None if stored is None else own_data(where, stored)
    return failure(change, outcome.position, error)


def _holds(stored: JSONObject, change: Change, rules: Rules) -> bool:
    """Is what the change was about as it is wanted? What others wrote beside it does not matter."""
    named: Mapping[str, JSON] = change.write(rules.path).operation.body["data"]
    there = {key: value for key, value in stored.items() if key in named}
    return settling.same(there, named) and stored.keys().isdisjoint(change.base.keys() - change.data.keys())
