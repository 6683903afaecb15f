"""Reading the objects that a query asks for, page by page, whatever is written meanwhile.

An object that exists and matches throughout is given exactly once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

import attrs

from ..errors import Conflict, KintoError
from . import operations
from .conditions import EVERYTHING, Condition, matches
from .objects import Page
from .operations import Flow, Operation
from .planning import Plan, plan
from .query import Query, in_order
from .values import JSONObject


class Found(NamedTuple):
    """What a stream has found so far, to be handed on before it goes on asking."""

    objects: list[JSONObject]


Stream: TypeAlias = Generator[Operation[Any] | Found, Any, None]
"""A flow that hands on what it finds on its way: yields operations and Found."""


def scan(endpoint: str, query: Query, page_size: int) -> Stream:
    """The objects that the query asks for; one GET for each page.

    An order that Kinto cannot give, or that changes while several pages of it are read, is made
    here: all that match are then read and held.
    """
    planned = plan(query.condition)
    if planned.params is None or query.size == 0:
        return
    window = _Window(query.start, query.stop)
    if query.sort_param is None:
        yield from _sorted_here(endpoint, query, planned, page_size, window, set())
    elif query.is_ordered:
        yield from _ordered(endpoint, query, planned, page_size, window)
    else:
        yield from _by_id(endpoint, query, planned, page_size, window)


def count(endpoint: str, query: Query, page_size: int) -> Flow[int]:
    """How many objects the query finds. One HEAD if the server answers it alone, else the pages."""
    planned = plan(query.condition)
    if planned.params is None:
        return 0
    if planned.is_exact:
        found = yield from operations.count(endpoint, planned.params)
        return len(range(found)[query.start : query.stop])
    unordered = query._replace(sort=(), backwards=False)
    total = 0

    def take(objects: list[JSONObject]) -> None:
        nonlocal total
        total += len(objects)

    yield from each(scan(endpoint, unordered, page_size), take)
    return total


def each(stream: Stream, take: Callable[[list[JSONObject]], None]) -> Flow[None]:
    """The stream as a flow: what it finds is given to take."""
    try:
        step = next(stream)
        while True:
            if isinstance(step, Found):
                take(step.objects)
                step = next(stream)
            else:
                # Only reading a page after the first can be refused, and the stream answers to that.
                try:
                    step = stream.send((yield step))
                except KintoError as error:
                    step = stream.throw(error)
    except StopIteration:
        return


def _by_id(endpoint: str, query: Query, planned: Plan, page_size: int, window: _Window) -> Stream:
    following: Operation[Page] | None = _first(endpoint, query, planned, page_size)
    while following is not None:
        page: Page = yield from following
        yield Found(list(window.take(_matching(page, planned.residual))))
        if window.is_full:
            return
        following = operations.next_page(following, page)
        del page  # so that there are never two of them in memory


def _ordered(endpoint: str, query: Query, planned: Plan, page_size: int, window: _Window) -> Stream:
    """In an order that writes can change: go on as long as nothing was written."""
    seen: set[str] = set()
    following: Operation[Page] | None = _first(endpoint, query, planned, page_size)
    since: int | None = None
    while following is not None:
        try:
            page: Page = yield from following
            if since is not None and page.next_query is None:
                # Kinto looks at If-Match before it reads the page: it may have changed in between.
                yield from operations.list_page(endpoint, {"_limit": "1"}, last_modified=since)
        except Conflict:
            yield from _sorted_here(endpoint, query, planned, page_size, window, seen)
            return
        found = [data for data in _matching(page, planned.residual) if data["id"] not in seen]
        seen.update(data["id"] for data in found)
        yield Found(list(window.take(found)))
        if window.is_full:
            return
        since = page.last_modified if since is None else since
        following = operations.next_page(following, page, last_modified=since)
        del page, found


def _sorted_here(
    endpoint: str, query: Query, planned: Plan, page_size: int, window: _Window, seen: set[str]
) -> Stream:
    unordered = query._replace(sort=(), backwards=False, start=0, stop=None)
    found: list[JSONObject] = []
    yield from each(
        _by_id(endpoint, unordered, planned, page_size, _Window(0, None)),
        lambda objects: found.extend(data for data in objects if data["id"] not in seen),
    )
    yield Found(list(window.take(in_order(found, query.order))))


def _first(endpoint: str, query: Query, planned: Plan, page_size: int) -> Operation[Page]:
    params = dict(planned.params or {})
    params["_sort"] = query.sort_param or "id"
    enough = query.stop if planned.is_exact and query.stop is not None else page_size
    params["_limit"] = str(min(enough, page_size))
    return operations.list_page(endpoint, params)


def _matching(page: Page, residual: Condition) -> Iterable[JSONObject]:
    if residual == EVERYTHING:
        return page.objects
    return (data for data in page.objects if matches(residual, data))


@attrs.define(eq=False)
class _Window:
    """The part of all that is found which a slice wants."""

    start: int
    stop: int | None
    position: int = 0

    @property
    def is_full(self) -> bool:
        return self.stop is not None and self.position >= self.stop

    def take(self, objects: Iterable[JSONObject]) -> Iterator[JSONObject]:
        left = None if self.stop is None else max(0, self.stop - self.position)
        for data in islice(objects, left):
            self.position += 1
            if self.position > self.start:
                yield data
