"""The changes of a collection since somebody last asked: all of them, and each once.

On PostgreSQL a write has its time before others can see it: it may appear in a list whose time is later
already, and that stays (Kinto 26.5). So the last part of what was read is asked for again, until no write
can be under way that began so early. After a reading of everything that part may be long: while nothing
else is new, it is asked for again only once, in the end.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeAlias, TypeVar

import attrs

from ..protocol import operations
from ..protocol.objects import Page, Unchanged
from ..protocol.operations import Flow, Operation
from ..protocol.paths import CollectionPath
from ..protocol.tokens import Token, version
from ..protocol.values import JSONObject
from . import late_writes
from .scanning import Found, Stream

T = TypeVar("T")

_Reading: TypeAlias = Generator[Operation[Any] | Found, Any, T]
"""A stream with a result."""


@attrs.define(eq=False)
class Feed:
    """One reading. since: None reads everything. overlap: milliseconds that a write may take.

    clock: milliseconds; a guess at the server's, which saves a request if it is right.
    is_full: does stream() give everything there is? Known when it first finds something, or ends.
    next: the token to go on from, once stream() has ended.
    """

    path: CollectionPath
    since: Token | None
    overlap: int
    page_size: int
    clock: int | None
    is_full: bool = attrs.field(default=False, init=False)
    next: Token | None = attrs.field(default=None, init=False)

    def stream(self) -> Stream:
        """Changed objects and tombstones, the earliest change first; if it is full, objects by id.

        One GET if nothing changed; else one for each page, and one of the collection object: it tells
        whether the list is still the one that the token is of. Raises NotFound or Forbidden.
        """
        token = None if self.since is None else (yield from self._changed(self.since))
        if token is None:
            self.is_full = True
            token = yield from self._everything()
            if not token.is_settled and self._is_over(token.time, self.clock):
                # It took so long that what was under way when it began is done.
                token = (yield from self._changed(token)) or token
        self.next = token

    def _everything(self) -> _Reading[Token]:
        # Before the list, so that the token is never of an older list than its collection.
        collection = yield from operations.read(self.path)
        place = f"{self.path.bucket}/{self.path.collection}"
        before = Token(place, collection.last_modified, 0, 0)
        token = yield from self._pages((yield from self._first({"_sort": "id"})), before)
        # What becomes visible late does not move a time that somebody chose in the future.
        is_ahead = self.clock is not None and token.time > self.clock + self.overlap
        return token._replace(was_full=not token.is_settled and not is_ahead)

    def _changed(self, since: Token) -> _Reading[Token | None]:
        """What was written since; None, and nothing is found, if that cannot be told from this list."""
        first = yield from self._first_if_changed(since)
        if isinstance(first, Unchanged):
            return since
        if first.last_modified != since.time:
            collection = yield from operations.read(self.path)
            if first.last_modified < since.time or collection.last_modified != since.collection:
                return None
        return (yield from self._pages(first, since))

    def _first_if_changed(self, since: Token) -> Flow[Any]:
        # By the id as well, as there may be several objects of a time that somebody chose (memory).
        params = {"_since": str(since.settled), "_sort": "last_modified,id"}
        if since.is_settled or (since.was_full and not self._is_over(since.time, self.clock)):
            first = yield from self._first(params, since.time)
            if since.is_settled or isinstance(first, Page) or not self._is_over(since.time, first.clock):
                return first
        return (yield from self._first(params))

    def _first(self, params: dict[str, str], time: int | None = None) -> Flow[Any]:
        params = {**params, "_limit": str(self.page_size)}
        return (yield from operations.list_if_changed(self.path.records, params, since=time))

    def _pages(self, page: Page, since: Token) -> _Reading[Token]:
        """What this page and those after it have that the token has not; the token that has all of it."""
        time: Any = page.last_modified
        settled = max(since.settled, late_writes.settled(time, page.clock, self.overlap))
        seen: set[bytes] = set()
        following: Operation[Page] | None = operations.list_page(self.path.records)
        while following is not None:
            yield Found(_news(page, since, settled, seen))
            self.clock = page.clock
            following = operations.next_page(following, page)
            if following is not None:
                del page  # so that there are never two of them in memory
                page = yield from following
        return since._replace(time=time, settled=settled, seen=frozenset(seen), was_full=False)

    def _is_over(self, time: int, clock: int | None) -> bool:
        return late_writes.are_over(time, clock, self.overlap)


def _news(page: Page, since: Token, settled: int, seen: set[bytes]) -> list[JSONObject]:
    """What the token has not seen of the page. What is not settled is added to seen."""
    found = []
    for data in page.objects:
        is_open = data["last_modified"] > settled
        mark = version(data) if is_open or since.seen else b""
        if mark not in since.seen:
            found.append(data)
        if is_open:
            seen.add(mark)
    return found
