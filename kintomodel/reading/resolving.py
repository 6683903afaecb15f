"""What becomes of a record that somebody else wrote meanwhile, if not an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias, get_origin

from ..errors import Conflict, NotFound, UsageError
from ..flows.editing import later
from ..flows.merging import merge
from ..mapping.annotations import without_none
from ..mapping.state import Mapped, State, extra, home, path
from ..protocol import operations
from ..protocol.changes import own_data
from ..protocol.objects import StoredObject
from ..protocol.operations import Flow
from ..protocol.values import JSONObject, copy
from ..query.conditions import Path
from .loading import permissions, unfinished
from .projection import is_read

OnConflict: TypeAlias = Literal["raise", "mine", "theirs", "merge"] | Callable[[Conflict], Mapping[str, Any]]
"""What save() does about a Conflict: see Model.save()."""


def check_choice(on_conflict: object) -> None:
    if not callable(on_conflict) and on_conflict not in ("raise", "mine", "theirs", "merge"):
        raise UsageError(
            'on_conflict is "raise", "mine", "theirs", "merge" or a function of the Conflict, '
            f"got {on_conflict!r}"
        )


def resolve(
    record: Mapped, conflict: Conflict, on_conflict: OnConflict, tries: int, *, force: bool = False
) -> Flow[bool]:
    """Make the record what is to be stored now, on top of what the server has; one GET.

    tries: how often it failed by now, which is waited for. False: nothing is left to be stored.
    force: if nobody decides otherwise, mine is stored, unless it was deleted. Raises the conflict if nobody
    can say what is: a function might make a change again that was made by an attempt whose answer was lost.
    """
    is_forced = force and on_conflict == "raise"
    if is_forced:
        on_conflict = "mine"
    if on_conflict == "raise" or (callable(on_conflict) and conflict.attempts > 1):
        raise conflict
    try:
        stored = yield from later(operations.read(path(record)), tries)
    except NotFound:
        if is_forced:
            raise conflict from None
        return _resolve_deleted(record, conflict, on_conflict)
    conflict.theirs = own_data(path(record), stored.data)
    _complete(record, conflict)
    _stand_on(record, stored, _wanted(record, conflict, on_conflict))
    if on_conflict == "theirs":
        permissions(record).accept(stored.permissions)
    return True


def _resolve_deleted(record: Mapped, conflict: Conflict, on_conflict: OnConflict) -> bool:
    """Changed here, deleted there: merging cannot do justice to both."""
    conflict.theirs = None
    if on_conflict == "merge" or (on_conflict == "mine" and record._state.only is not None):
        raise conflict
    wanted = copy(dict(on_conflict(conflict))) if callable(on_conflict) else conflict.mine or {}
    state = record._state
    is_known = state.permissions is not None or state.shown is not None
    record._state = State(home(record), permissions=permissions(record) if is_known else None)
    record.last_modified = None
    _become(record, wanted)
    return on_conflict != "theirs"


def _complete(record: Mapped, conflict: Conflict) -> None:
    """Of a record that was read in part: what was neither read nor set is nobody's change."""
    if record._state.only is None:
        return
    mine = conflict.mine or {}
    rest = {
        key: value
        for key, value in (conflict.theirs or {}).items()
        if not is_read(record, key) and key not in mine
    }
    conflict.mine, conflict.base = {**rest, **mine}, {**rest, **(conflict.base or {})}


def _wanted(record: Mapped, conflict: Conflict, on_conflict: OnConflict) -> JSONObject:
    """The whole data that is to be stored."""
    theirs = conflict.theirs or {}
    if on_conflict == "theirs":
        return theirs
    if callable(on_conflict):
        chosen: JSONObject = copy(dict(on_conflict(conflict)))
        return chosen
    merged = merge(conflict.base or {}, conflict.mine or {}, theirs, is_set=_set_finder(record))
    if merged.overlaps and on_conflict == "merge":
        raise _overlapping(record, conflict, merged.overlaps)
    return merged.data


def _overlapping(record: Mapped, conflict: Conflict, paths: tuple[str, ...]) -> Conflict:
    error = conflict.retold(
        Conflict,
        f"{path(record).name}: both sides changed {', '.join(paths)}; "
        "choose with on_conflict='mine', 'theirs' or a function",
    )
    error.details = conflict.details
    error.record, error.base = record, conflict.base
    error.mine, error.theirs = conflict.mine, conflict.theirs
    return error


def _set_finder(record: Mapped) -> Callable[[Path], bool]:
    fields = {info.key: info.type for info in record.__kinto__.resolve().values()}

    def is_set(at: Path) -> bool:
        cls = without_none(fields.get(at[0]))
        return len(at) == 1 and (get_origin(cls) or cls) in (set, frozenset)

    return is_set


def _stand_on(record: Mapped, stored: StoredObject, wanted: JSONObject) -> None:
    """The record with this data, as an edit of what the server has."""
    state = record._state
    state.stored, state.only, record.last_modified = dict(stored.data), None, stored.last_modified
    permissions(record).stand_on(stored.permissions)
    _become(record, wanted)


def _become(record: Mapped, wanted: JSONObject) -> None:
    """The attributes, declared or not, that this data has."""
    fresh = unfinished(type(record), home(record), {**wanted, "id": record.id, "last_modified": 0})
    for name in record.__kinto__.fields:
        setattr(record, name, getattr(fresh, name))
    record._state.extra, record._state.made = dict(extra(fresh)), fresh._state.made
