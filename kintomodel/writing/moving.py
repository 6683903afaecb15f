"""A record saved in another place than its own: there from then on, or still here if that fails."""

from __future__ import annotations

from copy import copy

from ..mapping.state import Home, Mapped, State, home
from ..protocol.changes import Lost
from ..reading.resolving import OnConflict
from .saving import Manner, move, save


def save_at(record: Mapped, target: Home, manner: Manner, on_conflict: OnConflict) -> None:
    """As save(), at the target. Whatever that raises, it is a record of its own place again then.

    What may have been written at the target all the same is remembered, so that the next attempt knows it.
    """
    here, state = home(record), record._state
    before, time = copy(state), record.last_modified
    move(record, target)
    is_same_place = record._state is state and state.stored is not None
    if not is_same_place:
        record._state.lost = _doubted(before, target)
    try:
        home(record).connection.run(save(record, manner, on_conflict))
    except BaseException:
        if is_same_place:
            record._state.home = here
            raise
        lost = _perhaps_written(record._state, on_conflict)
        if lost is not None:
            before.elsewhere = (target.url, target.path, lost)
        record._state, record.last_modified = before, time
        raise
    record._state.elsewhere = None


def _doubted(state: State, target: Home) -> Lost | None:
    if state.elsewhere is None or state.elsewhere[:2] != (target.url, target.path):
        return None
    return state.elsewhere[2]


def _perhaps_written(state: State, on_conflict: OnConflict) -> Lost | None:
    """Also what was written before a hook raised; but what others wrote is no write of ours."""
    return Lost(state.stored, {}) if state.stored is not None and on_conflict == "raise" else state.lost
