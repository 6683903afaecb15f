"""Lists in a dry run: what the server has but, of what was written, what that would be.

Flows as in stage.py.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import attrs

from ..protocol import operations, responses
from ..protocol.objects import Page, Response
from ..protocol.operations import Operation
from ..protocol.values import JSONObject
from . import filters, refusals
from .places import Listing
from .stage import Reading, Stage

_GIVEN = "_rehearsed"
"""Our parameter beside a token of the server's: how many of the written objects came before it."""


class Listed(NamedTuple):
    """response: the first page of the server's, or its refusal. objects: those that were not written."""

    response: Response
    objects: list[JSONObject]


@attrs.frozen(eq=False)
class Lists:
    stage: Stage

    def concern(self, operation: Operation[Any], listing: Listing) -> bool:
        """Is there anything written, or emptied, in a list of what is there now?

        What changed since, and what was deleted, the server alone can tell. Its tokens go on with lists
        that were begun there; where they are guarded it is to be said that these changed.
        """
        if self.stage.is_emptied(listing.parents):
            return True
        params = operation.params
        is_begun = "_token" in params and _GIVEN not in params and "If-Match" not in operation.headers
        is_of_changes = operation.parse is responses.page_if_changed or filters.shows_tombstones(params)
        return listing.path in self.stage.times and not is_begun and not is_of_changes

    def read(self, operation: Operation[Any], listing: Listing) -> Reading[Response]:
        """A page, which may be longer than asked for, or a number."""
        asked = self._guarded(operation, listing)
        if asked is None:
            return refusals.modified(None)
        if operation.method == "HEAD":
            return (yield from self._count(asked, listing))
        return (yield from self._page(asked, listing))

    def rest(self, operation: Operation[Any], listing: Listing) -> Reading[Listed]:
        """All that the server has of a list, without what was written."""
        found: list[JSONObject] = []
        following: Operation[Page] | None = attrs.evolve(operation, method="GET", parse=responses.page)
        first: Response | None = None
        while following is not None:
            response = yield from self._shown(following, listing)
            if response.status != 200:
                return Listed(attrs.evolve(response, attempts=1), [])
            first = first or response
            page = responses.page(response)
            found += self._unwritten(page.objects, listing)
            following = operations.next_page(following, page)
        assert first is not None  # there is one page at least
        return Listed(first, found)

    def matching(self, operation: Operation[Any], listing: Listing) -> list[JSONObject]:
        """What was written and the filters find; UsageError if that cannot be told."""
        found = [one.data for one in self.stage.written(listing.path).values() if one is not None]
        wanted = filters.wanted(operation) if found else []
        return [data for data in found if all(one.matches(data) for one in wanted)]

    def _page(self, operation: Operation[Any], listing: Listing) -> Reading[Response]:
        """The next one that is not empty: the server's, and what was written up to where that ends."""
        params, order = operation.params, filters.order(operation.params)
        every = order.of(self.matching(operation, listing))
        waiting = deque(every[int(params.get(_GIVEN, "0")) :])
        found: list[JSONObject] = []
        asked = _asked(operation, order)
        while True:
            response = yield from self._shown(asked, listing)
            if response.status != 200:
                return response
            page = responses.page(response)
            for data in page.objects:
                while waiting and not order.is_before(data, waiting[0]):
                    found.append(waiting.popleft())
                found += self._unwritten([data], listing)
            following = operations.next_page(asked, page)
            if following is None:
                return self._answer(response, operation, listing, [*found, *waiting])
            if found:
                token = {"_token": following.params["_token"], _GIVEN: str(len(every) - len(waiting))}
                after = order.after(params, page.objects[-1]) or {**params, **token}
                return self._answer(response, operation, listing, found, after)
            asked = following

    def _count(self, operation: Operation[Any], listing: Listing) -> Reading[Response]:
        params = {**operation.params, "_fields": "id", "_sort": "id"}
        response, found = yield from self.rest(attrs.evolve(operation, params=params), listing)
        if response.status != 200:
            return response  # with the body that a HEAD has none of: it says what is missing
        total = len(found) + len(self.matching(operation, listing))
        answer = self._answer(response, operation, listing, [])
        return Response(200, {**answer.headers, "total-objects": str(total)})

    def _shown(self, operation: Operation[Any], listing: Listing) -> Reading[Response]:
        """A page of the server's, or an empty one where nothing counts that it has."""
        if self.stage.is_emptied(listing.parents):
            parent = yield from self.stage.known(listing.parents[0], is_parent=True)
            if isinstance(parent, Response):
                return parent
            return Response(200, {"etag": f'"{parent.last_modified}"'}, {"data": []})
        return (yield operation)

    def _guarded(self, operation: Operation[Any], listing: Listing) -> Operation[Any] | None:
        """With the time that the server has for that of the list; None where the list has another one."""
        guard = operation.headers.get("If-Match")
        if guard is None or listing.path not in self.stage.times:
            return operation
        if guard != f'"{self.stage.times[listing.path]}"':
            return None
        others = {name: value for name, value in operation.headers.items() if name != "If-Match"}
        known = operations.if_match(self.stage.known_time(listing.path))
        return attrs.evolve(operation, headers={**others, **known})

    def _answer(
        self,
        response: Response,
        operation: Operation[Any],
        listing: Listing,
        objects: Iterable[JSONObject],
        after: Mapping[str, str] | None = None,
    ) -> Response:
        """response: that of the server, whose time of the list counts if nothing was written there.

        after: the parameters of the next page.
        """
        time = responses.etag(response)
        if listing.path in self.stage.times:
            time = self.stage.time(listing.path, time)
        following = {} if after is None else {"next-page": f"{operation.path}?{urlencode(after)}"}
        data = [filters.part(one, operation.params.get("_fields")) for one in objects]
        return Response(200, {"etag": f'"{time}"', **following}, {"data": data})

    def _unwritten(self, objects: Iterable[JSONObject], listing: Listing) -> list[JSONObject]:
        written = self.stage.written(listing.path)
        return [data for data in objects if data["id"] not in written]


def _asked(operation: Operation[Any], order: filters.Order) -> Operation[Page]:
    """Of the server, which is to show by what it orders, too."""
    params = {name: value for name, value in operation.params.items() if name != _GIVEN}
    if "_fields" in params:
        params["_fields"] = ",".join([params["_fields"], *order.names])
    return attrs.evolve(operation, params=params, parse=responses.page)
