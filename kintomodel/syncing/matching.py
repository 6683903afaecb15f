"""A source beside a collection, record by record, while both are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from ..errors import UsageError
from ..protocol.values import JSONObject
from .comparing import Change, Rules, deletion
from .wanted import Wanted


class Matching:
    """Finds what differs. For each record that is read, an item of the source is read as well.

    So of neither side more is held than the smaller one has, and a page: what finds its partner is let
    go, and so is what can have none any more. Of what has found it only the keys are kept, and all of
    the collection where they are not ids, as both sides are to have each once.
    """

    def __init__(self, rules: Rules, source: Iterator[Wanted], *, delete: bool) -> None:
        self.creates: list[Change] = []
        self.updates: list[Change] = []
        self.deletes: list[Change] = []
        self.unchanged = 0
        self.given = 0
        self.stored = 0
        self._rules = rules
        self._source = source
        self._delete = delete
        self._source_is_read = False
        self._collection_is_read = False
        self._waiting: dict[str, Wanted] = {}
        self._unclaimed: dict[str, JSONObject] = {}
        self._done: dict[str, int] = {}  # the position of each item by its key
        self._left: set[str] = set()

    def take(self, page: Iterable[JSONObject]) -> None:
        """Some more records of the collection."""
        before = self.stored
        for stored in page:
            self.stored += 1
            key = self._rules.key.of_stored(stored, self._rules.path.name)
            self._refuse_second(key, stored)
            wanted = self._waiting.pop(key, None)
            if wanted is not None:
                self._match(key, wanted, stored)
            elif self._source_is_read:
                self._leave(key, stored)
            else:
                self._unclaimed[key] = stored
        self._pull(self.stored - before)

    def finish(self) -> None:
        """After the last record of the collection."""
        self._collection_is_read = True
        for key, wanted in self._waiting.items():
            self._create(key, wanted)
        self._waiting.clear()
        self._pull(None)
        self._refuse_ids_of_others()

    def _refuse_ids_of_others(self) -> None:
        """A record must not be created in the place of one that is deleted as nobody's."""
        created = {change.id: change for change in self.creates}
        for deleted in self.deletes:
            change = created.get(deleted.id)
            if change is not None and change.wanted is not None:
                place = self._rules.reader.place(change.wanted.position)
                names = ", ".join(self._rules.key.names)
                raise UsageError(
                    f"{place}: {change.id} is the id of a record with another {names}, which would be "
                    f"deleted: leave the id out, or change {names} of that record first"
                )

    def _pull(self, most: int | None) -> None:
        pulled = 0
        for wanted in islice(self._source, most):
            pulled += 1
            self._given(wanted)
        self.given += pulled
        if not self._source_is_read and (most is None or pulled < most):
            self._source_is_read = True
            for key, stored in self._unclaimed.items():
                self._leave(key, stored)
            self._unclaimed.clear()

    def _given(self, wanted: Wanted) -> None:
        key = self._rules.key.of_wanted(wanted)
        before = self._waiting.get(key)
        position = self._done.get(key) if before is None else before.position
        if position is not None:
            first, second = map(self._rules.reader.place, (position, wanted.position))
            raise UsageError(f"{first} and {second} stand for one record: {self._rules.key.shown(key)}")
        stored = self._unclaimed.pop(key, None)
        if stored is not None:
            self._match(key, wanted, stored)
        elif self._collection_is_read:
            self._create(key, wanted)
        else:
            self._waiting[key] = wanted

    def _match(self, key: str, wanted: Wanted, stored: JSONObject) -> None:
        self._done[key] = wanted.position
        change = self._rules.change(wanted, stored)
        if change is None:
            self.unchanged += 1
        else:
            self.updates.append(change)

    def _create(self, key: str, wanted: Wanted) -> None:
        self._done[key] = wanted.position
        change = self._rules.change(wanted, None)
        assert change is not None  # as there is no record
        self.creates.append(change)

    def _leave(self, key: str, stored: JSONObject) -> None:
        if self._delete:
            self.deletes.append(deletion(stored))
        if not self._rules.key.is_id:
            self._left.add(key)

    def _refuse_second(self, key: str, stored: JSONObject) -> None:
        if not self._rules.key.is_id and any(
            key in several for several in (self._unclaimed, self._done, self._left)
        ):
            raise UsageError(
                f"{self._rules.path.name} has several records with {self._rules.key.shown(key)}, one of them "
                f"{stored['id']}: it is not known which is meant; take another key, or delete one"
            )
