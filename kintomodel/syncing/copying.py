"""copy(): the records of a collection in another one, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

import attrs

from ..errors import BulkError
from ..flows import listing
from ..mapping.state import Mapped
from ..protocol.paths import CollectionPath
from ..protocol.report import Outcome, Report, loss
from ..protocol.values import JSONObject
from ..query.conditions import EVERYTHING
from ..transport.connection import Connection
from .applying import apply
from .comparing import Change, Rules, remote_keys
from .wanted import Key, Reader

M = TypeVar("M", bound=Mapped)


def copy(model: type[M], connection: Connection, path: CollectionPath, source: Iterable[M]) -> Report[Change]:
    """See Manager.copy_to(). source: in the order of their ids, as the collection is read."""
    reader = Reader(model, lambda position: f"source[{position}]")
    key, kept = Key(reader, ["id"]), remote_keys(reader)
    # What is stored in one place may be stored in the other.
    rules = Rules(path, reader, key, None, kept, EVERYTHING, validates=False)
    stored = connection.stream(listing.everything(path.records))
    changes = _changes(rules, source, stored)
    outcomes: list[Outcome[Change]] = []
    try:
        for first in changes:
            size = connection.batch_size()
            done = connection.run(apply([first, *islice(changes, size - 1)], rules, "raise", size))
            outcomes += [_kept(outcome, len(outcomes) + outcome.position) for outcome in done]
            lost = loss(outcomes)
            if lost is not None:
                raise lost
    except Exception as error:  # also of after_load
        if not outcomes:
            raise
        raise BulkError(
            f"copy_to() broke off after {len(outcomes)} changes: {type(error).__name__}: {error}; "
            "see error.report, and copy again",
            Report(tuple(outcomes)),
        ) from error
    return Report(tuple(outcomes))


def _changes(rules: Rules, source: Iterable[Mapped], stored: Iterator[JSONObject]) -> Iterator[Change]:
    """Both sides are read along with each other: what is created is never ahead of what is read."""
    following = next(stored, None)
    for position, record in enumerate(source):
        wanted = rules.reader.read(record, position)
        assert wanted.id is not None  # as it was stored
        while following is not None and following["id"] < wanted.id:
            following = next(stored, None)
        is_there = following is not None and following["id"] == wanted.id
        change = rules.change(wanted, following if is_there else None)
        if change is not None:
            yield change


def _kept(outcome: Outcome[Change], position: int) -> Outcome[Change]:
    """Of what is done, no more than which record it was: there may be millions of them."""
    change = outcome.object
    if not outcome.is_failure:
        change = Change(change.kind, change.id, last_modified=change.last_modified)
    return attrs.evolve(outcome, object=change, position=position, id=change.id)
