"""Several listings as one: merged in their order, for as long as nothing is written."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import attrs

from ..protocol import operations
from ..protocol.objects import Page
from ..protocol.operations import Flow, Operation
from ..protocol.values import LARGEST_INTEGER, SMALLEST_INTEGER, JSONObject, survives
from .branching import Branch, encode
from .conditions import EVERYTHING, Condition, matches
from .query import OUT_OF_PLACE, Query, Sort


@attrs.frozen
class Listing:
    """What all pages of a scan have in common."""

    endpoint: str
    query: Query
    page_size: int

    def first(self, one: Branch, since: int | None = None) -> Operation[Page]:
        """The first page of a branch. since: milliseconds; Conflict if anything was written after it."""
        params = self.first_params(one, self.query.sort_param or "id")
        return operations.list_page(self.endpoint, params, last_modified=since)

    def first_params(self, one: Branch, sort: str) -> dict[str, str]:
        stop = self.query.stop
        enough = stop if one.is_exact and stop is not None else self.page_size
        return {**one.params, "_sort": sort, "_limit": str(min(enough, self.page_size))}

    def after(self, asked: Operation[Page], page: Page) -> Operation[Page] | None:
        """The page that follows in the order of the ids; None after the last.

        By the last id, as Kinto takes longer over its own tokens, which name the timestamp as well.
        """
        if page.next_query is None or not page.objects:
            return None
        bound = "lt_id" if self.query.backwards else "gt_id"
        return attrs.evolve(asked, params={**asked.params, bound: encode(page.objects[-1]["id"])})


def matching(objects: Iterable[JSONObject], residual: Condition) -> Iterable[JSONObject]:
    if residual == EVERYTHING:
        return objects
    return (data for data in objects if matches(residual, data))


Keys: TypeAlias = tuple[tuple[int, Any], ...]
"""Where each key of an order puts an object: what Sort.place() says."""

Place: TypeAlias = tuple[Any, ...]
"""Of an object in an order: it compares with that of another."""


class _Held(NamedTuple):
    """An object that Kinto gives too early. group: how many of its keys are those of the ones before it."""

    place: Place
    number: int
    group: int
    data: JSONObject


@attrs.define(eq=False)
class _Source:
    """A lane, as far as it was read. ready: what was read of it and not given yet, with its place.

    held: a heap of those without the key of a descending order, until all that have it are there.
    ends: the ids of the last objects of the branch's pages, None for an empty one. is_lost: what
    follows would not begin there.
    """

    branches: deque[Branch]
    following: Operation[Page] | None = None
    residual: Condition = EVERYTHING
    ready: deque[tuple[Place, JSONObject]] = attrs.field(factory=deque)
    held: list[_Held] = attrs.field(factory=list)
    number: int = 0
    ends: set[str | None] = attrs.field(factory=set)
    is_lost: bool = False

    @property
    def is_over(self) -> bool:
        return self.following is None and not self.branches

    def add(
        self, placed: Iterable[tuple[Keys, JSONObject]], order: tuple[Sort, ...], *, may_wait: bool
    ) -> None:
        for keys, data in placed:
            place = _comparable(keys, order)
            group = _missing(keys, order) if may_wait else None
            self._release(place)
            if group is None:
                self.ready.append((place, data))
            else:
                self.number += 1
                heapq.heappush(self.held, _Held(place, self.number, group, data))
        if self.is_over:
            self._release(None)

    def note_end(self, placed: Sequence[tuple[Keys, JSONObject]]) -> None:
        """Of a page. To end twice at one object would be to go round for ever."""
        keys, data = placed[-1] if placed else ((), {})
        end = data.get("id")
        self.is_lost = self.following is not None and (end in self.ends or not _is_read_back(keys))
        self.ends.add(end)

    def _release(self, place: Place | None) -> None:
        """Those that nothing from this place on comes before; None: that nothing comes after."""
        while self.held:
            first = self.held[0]
            if place is not None and not first.place[: first.group] < place[: first.group]:
                return
            heapq.heappop(self.held)
            self.ready.append((first.place, first.data))


class OtherCollationError(Exception):
    """The server orders texts in another way than by code points, as its database may be told to."""


class LostPlaceError(Exception):
    """The server would not go on where a page ends, but before or after it."""


class Merge:
    """advance() raises Conflict if anything is written before all is read, and the errors above.

    A page is known to be right when the next one is there, as that one is guarded: safe is the id up to
    which, in the order of the ids, all was given before the last page came; None for nothing.
    seen: the ids of what was given since; in another order, of all that was given.
    """

    def __init__(self, listing: Listing, lanes: Iterable[Iterable[Branch]]) -> None:
        self.safe: str | None = None
        self.seen: set[str] = set()
        self._last: str | None = None
        self._listing = listing
        self._sources = [_Source(deque(lane)) for lane in lanes]
        self._since: int | None = None
        self._pages = 0

    def advance(self, wanted: int | None) -> Flow[list[JSONObject] | None]:
        """The next objects; None after the last ones. wanted: how many will do; None: all there are."""
        for source in self._sources:
            while not source.ready and not source.is_over:
                yield from self._read(source)
        is_end = self._pages > 1 and all(source.is_over for source in self._sources)
        if is_end and (wanted is None or self._new() < wanted):
            # Kinto looks at If-Match before it reads the page: something may have changed in between.
            yield from operations.list_page(
                self._listing.endpoint, {"_limit": "1"}, last_modified=self._since
            )
            self._pages = 0
        if not any(source.ready for source in self._sources):
            return None
        return [data for data in self._in_order() if self._is_new(data["id"])]

    def _read(self, source: _Source) -> Flow[None]:
        if source.is_lost:
            raise LostPlaceError
        if source.following is None:
            one = source.branches.popleft()
            source.residual = one.residual
            source.ends.clear()
            source.following = self._listing.first(one, self._since)
        page: Page = yield from source.following
        self._pages += 1
        if not self._listing.query.is_ordered:
            self.safe = self._last
            self.seen.clear()
        self._since = page.last_modified if self._since is None else self._since
        source.following = operations.next_page(source.following, page, last_modified=self._since)
        order = self._listing.query.order
        placed = [(tuple(key.place(data) for key in order), data) for data in page.objects]
        source.note_end(placed)
        if any(_is_other_collation(one, other, order) for (one, _), (other, _) in pairwise(placed)):
            raise OtherCollationError
        # Of a slice they are asked for apart (planning.py).
        may_wait = self._listing.query.stop is None and any(key.may_wait for key in order)
        found = (one for one in placed if matches(source.residual, one[1]))
        source.add(found, order, may_wait=may_wait)

    def _in_order(self) -> Iterable[JSONObject]:
        """Those that come before whatever is not read yet."""
        while True:
            heads = [source for source in self._sources if source.ready]
            if not heads or any(not source.ready and not source.is_over for source in self._sources):
                return
            first = min(heads, key=lambda source: source.ready[0][0]) if len(heads) > 1 else heads[0]
            yield first.ready.popleft()[1]

    def _new(self) -> int:
        """How many are ready that were not given."""
        ready = {data["id"] for source in self._sources for _, data in source.ready}
        return len(ready - self.seen - {self._last})

    def _is_new(self, id: str) -> bool:
        """An object may be in several lanes, by id one after the other."""
        is_new = id not in self.seen and id != self._last
        self.seen.add(id)
        self._last = id
        return is_new


class _Backwards:
    """What is greater is less."""

    __slots__ = ("place",)

    def __init__(self, place: Any) -> None:
        self.place = place

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Backwards) and self.place == other.place

    def __lt__(self, other: _Backwards) -> bool:
        return bool(other.place < self.place)


def _is_other_collation(one: Keys, other: Keys, order: tuple[Sort, ...]) -> bool:
    """Are they in another order than ours, because of two texts?"""
    for key, before, after in zip(order, one, other, strict=True):
        if before != after:
            are_texts = isinstance(before[1], str) and isinstance(after[1], str)
            return are_texts and (after < before) is not key.descending
    return False


def _is_read_back(keys: Keys) -> bool:
    """Does Kinto find this place again? The values are in its token, which its JSON reader reads."""
    values = [value for _, value in keys]
    floats = (value for value in values if isinstance(value, float))
    integers = (value for value in values if isinstance(value, int))
    return all(map(survives, floats)) and all(SMALLEST_INTEGER <= one <= LARGEST_INTEGER for one in integers)


def _missing(keys: Keys, order: tuple[Sort, ...]) -> int | None:
    """Which is the first key that is not there, so that the object has to wait? None if it does not."""
    several = enumerate(zip(order, keys, strict=True))
    return next((at for at, (key, place) in several if key.may_wait and place[0] == OUT_OF_PLACE), None)


def _comparable(keys: Keys, order: tuple[Sort, ...]) -> Place:
    both = zip(order, keys, strict=True)
    return tuple(_Backwards(place) if key.descending else place for key, place in both)
