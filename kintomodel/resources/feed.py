"""Changes: what was written to a collection since somebody last asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import Generic, TypeVar

from ..errors import KintoError, UsageError
from ..flows.listing import PAGE_SIZE
from ..protocol import tokens
from ..protocol.paths import CollectionPath
from ..protocol.values import JSONObject
from ..query.feed import Feed
from ..query.late_writes import LONGEST_WRITE
from ..query.tombstones import Tombstone, is_tombstone, tombstone
from ..transport.connection import Connection

T = TypeVar("T")

OVERLAP = LONGEST_WRITE / 1000
"""Seconds. A batch of 25 takes up to 2 on PostgreSQL, and was seen to take 6 on a busy machine."""

INTERVAL = 5.0
"""Seconds."""


class Changes(Generic[T]):
    """Records as they are now, and a Tombstone of each that was deleted.

    Iterating gives them with two pages in memory at most, the earliest write first, and keeps none; whatever
    else asks for them reads the rest and keeps it. A record that is written while it is read may come
    twice. Of a full reading the records come by id.

    True if there is something to do: if anything changed, or it is full.
    """

    def __init__(self, connection: Connection, feed: Feed, build: Callable[[JSONObject], T]) -> None:
        self._feed = feed
        self._build = build
        self._objects = connection.stream(feed.stream())
        self._ahead: JSONObject | None = None
        self._kept: list[T | Tombstone] = []
        self._last: dict[str, T | Tombstone] = {}
        self._is_given = False
        self._peek()

    def __repr__(self) -> str:
        return f"<Changes of {self._feed.path}{', all of it' * self.is_full}>"

    def __iter__(self) -> Iterator[T | Tombstone]:
        if self._is_given and not self._kept and self._peek() is None:
            raise UsageError("these changes were given one by one, and none is kept: use upserts, deletions")
        while not self._kept and (data := self._peek()) is not None:
            change = self._built(data)
            self._ahead, self._is_given = None, True
            yield change
        yield from self._kept

    def __bool__(self) -> bool:
        return self.is_full or self._is_given or bool(self._kept) or self._peek() is not None

    @property
    def is_full(self) -> bool:
        """Is it all there is, so that what is not among it is gone?

        It is without a token; after the collection was deleted and created again, or its server
        emptied; when the metadata of the collection changed, or the time of its list went back.
        """
        return self._feed.is_full

    @property
    def upserts(self) -> list[T]:
        """The records that were created or changed, each once, as they are now."""
        return [change for change in self._all() if not isinstance(change, Tombstone)]

    @property
    def deletions(self) -> list[Tombstone]:
        """Those that were deleted, and not created again."""
        return [change for change in self._all() if isinstance(change, Tombstone)]

    @property
    def next(self) -> str:
        """The token to go on from, a text: to be stored when these changes are dealt with.

        About 80 characters, and 8 for each write of the last seconds, as long as the overlap.
        """
        self._keep()
        return str(self._feed.next)

    def _all(self) -> list[T | Tombstone]:
        """The last state of each, in the order of the writes."""
        if self._is_given:
            raise UsageError("some of these changes were given one by one already: collect them there")
        self._keep()
        return list(self._last.values())

    def _keep(self) -> None:
        while (data := self._peek()) is not None:
            change = self._built(data)
            self._ahead = None
            self._kept.append(change)
            self._last.pop(data["id"], None)
            self._last[data["id"]] = change

    def _built(self, data: JSONObject) -> T | Tombstone:
        return tombstone(data) if is_tombstone(data) else self._build(data)

    def _peek(self) -> JSONObject | None:
        """The next one, which stays the next one until it is taken; None at the end."""
        if self._ahead is None:
            self._ahead = next(self._objects, None)
            if self._ahead is None and self._feed.next is None:
                raise KintoError(
                    f"{self._feed.path}: reading the changes broke off: ask again with the same token"
                )
        return self._ahead


def changes(
    connection: Connection,
    path: CollectionPath,
    build: Callable[[JSONObject], T],
    since: str | None,
    overlap: float,
    page_size: int = PAGE_SIZE,
) -> Changes[T]:
    """Sends the first request. build: makes a record of what is listed."""
    token = None if since is None else tokens.read(since, f"{path.bucket}/{path.collection}")
    if not isinstance(page_size, int) or page_size < 1:
        raise UsageError(f"page_size is a positive number of records, got {page_size!r}")
    _check_seconds("overlap", overlap)
    clock = int(time.time()) * 1000
    return Changes(connection, Feed(path, token, round(overlap * 1000), page_size, clock), build)


def watch(
    ask: Callable[[str | None], Changes[T]], since: str | None, interval: float, stop: threading.Event | None
) -> Generator[Changes[T], None, None]:
    """What ask() gives for one token after the other, where it is anything."""
    _check_seconds("interval", interval)
    return _watch(ask, since, interval, stop or threading.Event())


def _watch(
    ask: Callable[[str | None], Changes[T]], since: str | None, interval: float, stop: threading.Event
) -> Generator[Changes[T], None, None]:
    while not stop.is_set():
        found = ask(since)
        if found:
            yield found
        since = found.next
        del found  # and what it keeps
        stop.wait(interval)


def _check_seconds(name: str, value: float) -> None:
    # Beyond it no thread can wait.
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (is_number and 0 < value <= threading.TIMEOUT_MAX):
        raise UsageError(f"{name} is a positive number of seconds, got {value!r}")
