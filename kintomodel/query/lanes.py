"""Several listings as one: merged in their order, for as long as nothing is written."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import attrs

from ..errors import Conflict
from ..protocol import operations
from ..protocol.objects import Page, PageHead
from ..protocol.operations import Flow, Operation
from ..protocol.values import JSONObject
from . import late_writes
from .branching import Branch, encode
from .conditions import EVERYTHING, And, Comparison, Condition, matches
from .placing import Keys, Place, comparable, is_other_collation, is_read_back, keys_of, missing
from .planning import plan
from .projecting import fields
from .query import Query, Sort

_LAST_LOOK = 1000
"""How many objects are looked at again with one request, of which only some attributes are asked for."""


@attrs.frozen
class Listing:
    """What all pages of a scan have in common."""

    endpoint: str
    query: Query
    page_size: int

    def first(self, one: Branch, since: int | None = None) -> Operation[Page]:
        """The first page of a branch. since: milliseconds; Conflict if anything was written after it."""
        params = self._first_params(one, self.query.sort_param or "id")
        return operations.list_page(self.endpoint, params, last_modified=since)

    def first_head(self, one: Branch, sort: str) -> Operation[PageHead]:
        """The same in this order, of which the objects are left to be read."""
        return operations.list_page_head(self.endpoint, self._first_params(one, sort))

    def _first_params(self, one: Branch, sort: str) -> dict[str, str]:
        stop = self.query.stop
        enough = stop if one.is_exact and stop is not None else self.page_size
        return {**one.params, "_sort": sort, "_limit": str(min(enough, self.page_size))}

    def after(self, asked: Operation[PageHead], objects: Sequence[JSONObject]) -> Operation[PageHead] | None:
        """The page that follows these in the order of the ids; None if there are none.

        By the last id, as Kinto takes longer over its own tokens, which name the timestamp as well.
        """
        if not objects:
            return None
        bound = "lt_id" if self.query.backwards else "gt_id"
        return attrs.evolve(asked, params={**asked.params, bound: encode(objects[-1]["id"])})


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
            place = comparable(keys, order)
            group = missing(keys, order) if may_wait else None
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
        self.is_lost = self.following is not None and (end in self.ends or not is_read_back(keys))
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
    """What follows would not begin where a page ends, or something has moved to where all was read."""


class Merge:
    """advance() raises Conflict if anything is written before all is read, and the errors above.

    A page is known to be right when the next one is there, as that one is guarded: safe is the id up to
    which, in the order of the ids, all was given before the last page came; None for nothing.
    seen: the ids of what was given since; in another order, or where writes may still appear without a
    change of the list's time, of all that was given. any_will_do: are none missed if one is found?
    """

    def __init__(
        self, listing: Listing, lanes: Iterable[Iterable[Branch]], *, any_will_do: bool = False
    ) -> None:
        self.safe: str | None = None
        self.seen: set[str] = set()
        self._last: str | None = None
        self.listing = listing
        self._sources = [_Source(deque(lane)) for lane in lanes]
        branches = [one for source in self._sources for one in source.branches]
        self._only = branches[0] if len(branches) == 1 and not branches[0].shows_deleted else None
        self._read_so_far = 0
        self._since: int | None = None
        self._clock: int | None = None
        self._any_will_do = any_will_do
        self._pages = 0

    def advance(self, wanted: int | None) -> Flow[list[JSONObject] | None]:
        """The next objects; None after the last ones. wanted: how many will do; None: all there are."""
        for source in self._sources:
            while not source.ready and not source.is_over:
                yield from self._read(source)
        last = self._last
        found = [data for data in self._in_order() if self._is_new(data["id"])]
        is_end = all(source.is_over for source in self._sources)
        end = found[wanted - 1] if wanted is not None and len(found) >= wanted else None
        if self._pages > 1 and (is_end or end) and not (found and self._any_will_do):
            try:
                yield from self._look_again(end)
            except (Conflict, LostPlaceError):
                self._last = last
                self.seen.difference_update(data["id"] for data in found)
                raise
            self._pages = 0
        return found if found or not is_end else None

    def _look_again(self, end: JSONObject | None) -> Flow[None]:
        """Raise if something may be missing of what was found, up to this object; None: of all.

        Kinto looks at If-Match before it reads a page: something may have changed in between.
        """
        endpoint, since = self.listing.endpoint, self._since
        if end is None and self._only is not None:
            # The list stays as it is, too, if somebody writes an object under a time of the past.
            total = yield from operations.count(endpoint, self._only.params, last_modified=since)
            if total != self._read_so_far:
                raise LostPlaceError
        elif self._is_settled:
            yield from operations.list_page(endpoint, {"_limit": "1"}, last_modified=since)
        if not self._is_settled and since is not None:
            yield from self._look_at_recent(*self._recent(since, end), end)

    def _look_at_recent(
        self, asked: Operation[Page], residual: Condition, end: JSONObject | None
    ) -> Flow[None]:
        following: Operation[Page] | None = asked
        while following is not None:
            page: Page = yield from following
            unseen = (
                data for data in page.objects if data["id"] not in self.seen and matches(residual, data)
            )
            if any(end is None or self._place(data) < self._place(end) for data in unseen):
                raise LostPlaceError
            following = operations.next_page(following, page)

    def _recent(self, since: int, end: JSONObject | None) -> tuple[Operation[Page], Condition]:
        """What asks for those that were written lately, and what is to be checked of them."""
        listing, query = self.listing, self.listing.query
        settled = late_writes.settled(since, self._clock)
        conditions = [query.condition, Comparison(("last_modified",), "gt", settled)]
        if end is not None and not query.is_ordered:
            conditions.append(Comparison(("id",), "ge" if query.backwards else "le", end["id"]))
        condition = And(tuple(conditions))
        one = plan(condition).whole
        params = {**one.params, "_sort": "last_modified,id", "_limit": str(listing.page_size)}
        selected = fields([], Query(condition, query.sort))
        if selected is not None:
            params |= {"_fields": selected, "_limit": str(max(listing.page_size, _LAST_LOOK))}
        return operations.list_page(listing.endpoint, params, last_modified=since), one.residual

    @property
    def _is_settled(self) -> bool:
        """Does every write that others can see from now on change the time of the list?"""
        return self._since is not None and late_writes.are_over(self._since, self._clock)

    def _place(self, data: JSONObject) -> Place:
        order = self.listing.query.order
        return comparable(keys_of(data, order), order)

    def _read(self, source: _Source) -> Flow[None]:
        if source.is_lost or (self._pages and self._since is None):
            raise LostPlaceError
        if source.following is None:
            one = source.branches.popleft()
            source.residual = one.residual
            source.ends.clear()
            source.following = self.listing.first(one, self._since)
        page: Page = yield from source.following
        self._pages += 1
        self._read_so_far += len(page.objects)
        if self._since is None:
            self._since, self._clock = page.last_modified, page.clock
        elif self._is_settled and not self.listing.query.is_ordered:
            self.safe = self._last
            self.seen.clear()
        source.following = operations.next_page(source.following, page, last_modified=self._since)
        order = self.listing.query.order
        placed = [(keys_of(data, order), data) for data in page.objects]
        source.note_end(placed)
        if any(is_other_collation(one, other, order) for (one, _), (other, _) in pairwise(placed)):
            raise OtherCollationError
        # Of a slice they are asked for apart (planning.py).
        may_wait = self.listing.query.stop is None and any(key.may_wait for key in order)
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

    def _is_new(self, id: str) -> bool:
        """An object may be in several lanes, by id one after the other."""
        is_new = id not in self.seen and id != self._last
        self.seen.add(id)
        self._last = id
        return is_new
