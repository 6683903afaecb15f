"""Whole listings, one page after the other, and their deletion."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from ..errors import Conflict, Forbidden, KintoError, NotFound, UsageError
from ..protocol import batch, operations
from ..protocol.changes import Write
from ..protocol.objects import Page
from ..protocol.operations import Flow, Operation
from ..protocol.values import JSONObject
from ..query import scanning
from ..query.conditions import EVERYTHING, Condition
from ..query.planning import plan
from ..query.query import Query
from ..query.scanning import Found, Stream
from . import bulk

PAGE_SIZE = 1000

RETRIES = 5
"""How often what others wrote meanwhile is looked at again, before it is left to them."""


def checked_page_size(size: int) -> int:
    """The same; UsageError if no page is of that size."""
    if isinstance(size, int) and size is not True and size > 0:
        return size
    raise UsageError(f"a page holds at least one object, got page_size={size!r}")


def everything(endpoint: str) -> Stream:
    """All objects of a list, in the order of their ids; one GET a page."""
    return scanning.scan(endpoint, Query(EVERYTHING), PAGE_SIZE)


def pages(first: Operation[Page]) -> Stream:
    """The objects of a listing as the server orders them, with one page at a time in memory."""
    following: Operation[Page] | None = first
    while following is not None:
        page: Page = yield from following
        following = operations.next_page(following, page)
        yield Found(list(page.objects))
        del page


def delete_all(endpoint: str, condition: Condition, batch_size: int) -> Flow[int]:
    """Delete the objects that match and that we may write; the result is how many.

    What the server can say exactly costs one DELETE a page. Else the objects are read and each is
    deleted on its own, in batches. Those that somebody wrote since are read again, as often as RETRIES:
    they may match no longer. Conflict if some are written all the time.
    """
    planned = plan(condition)
    if not planned.branches:
        return 0
    # On the memory back end a has_ filter throws away those before it, that of the permissions
    # too: it would delete what we may not write (Kinto 26.5).
    if planned.is_exact and not any(name.startswith("has_") for name in planned.whole.params):
        return (yield from delete_pages(operations.delete_page(endpoint, planned.whole.params)))
    deleted = conflicts = 0
    kept: set[str] = set()  # which we may not write
    for _ in range(RETRIES):
        found = yield from _found(endpoint, condition, kept)
        conflicts = 0
        for chunk in batch.chunks(found, batch_size):
            results = yield from _delete_each(endpoint, chunk)
            for (id, _), result in zip(chunk, results, strict=True):
                deleted += not isinstance(result, KintoError)
                conflicts += isinstance(result, Conflict)
                if isinstance(result, Forbidden):
                    kept.add(id)
        if not conflicts:
            return deleted
    raise Conflict(
        f"DELETE {endpoint}: {conflicts} that match are written all the time, and are left; {deleted} are "
        "deleted: try again later",
        status=412,
        method="DELETE",
        path=endpoint,
        attempts=RETRIES,
    )


def _found(endpoint: str, condition: Condition, but: Collection[str]) -> Flow[list[tuple[str, int]]]:
    """The id and last_modified of each object that matches, but for those."""
    found: list[tuple[str, int]] = []

    def keep(page: Iterable[JSONObject]) -> None:
        found.extend((data["id"], data["last_modified"]) for data in page if data["id"] not in but)

    yield from scanning.each(scanning.scan(endpoint, Query(condition), PAGE_SIZE), keep)
    return found


def delete_pages(operation: Operation[Page]) -> Flow[int]:
    """Ask for the same deletion until nothing is left; the result is how many were deleted.

    Those of a page whose answer was lost are gone and not counted, as nobody says how many they were.
    """
    deleted = 0
    while True:
        page = yield from operation
        deleted += len(page.objects)
        if page.next_query is None or not page.objects:
            return deleted


def _delete_each(endpoint: str, found: Iterable[tuple[str, int]]) -> Flow[list[Any]]:
    """The result of each deletion. Raises what is neither a matter of its object nor of our rights."""
    results: list[Any] = yield from bulk.run(
        [Write(operations.delete(f"{endpoint}/{id}", last_modified=since)) for id, since in found]
    )
    for result in results:
        is_expected = isinstance(result, (Conflict, Forbidden, NotFound)) and result.path != "/batch"
        if isinstance(result, KintoError) and not is_expected:
            raise result
    return results
