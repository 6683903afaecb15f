"""What Kinto remembers of deleted objects."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from ..errors import UsageError
from . import listing, operations
from .scanning import Found, Stream
from .values import JSONObject

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_KEYS = {"id", "last_modified", "deleted"}


class Tombstone(NamedTuple):
    """A record that was deleted. last_modified: the time of the deletion, in milliseconds since 1970."""

    id: str
    last_modified: int

    @property
    def deleted_at(self) -> datetime:
        """The same as a moment in UTC."""
        return _EPOCH + timedelta(milliseconds=self.last_modified)


def tombstones(endpoint: str, since: object, page_size: int) -> Stream:
    """The tombstones that are younger, the oldest first; one GET for each page.

    since: milliseconds since 1970, an aware datetime, or None for all. In this order what is
    deleted meanwhile comes last, so nothing is skipped.
    """
    params = {
        "gt_last_modified": str(milliseconds(since)),
        "eq_deleted": "true",
        # The id as well: with a time of somebody's choice there may be several of one time (memory).
        "_sort": "last_modified,id",
        "_limit": str(page_size),
    }
    return _buried(listing.pages(operations.list_page(endpoint, params)))


def tombstone(data: JSONObject) -> Tombstone:
    return Tombstone(data["id"], data["last_modified"])


def milliseconds(since: object) -> int:
    """Those of a moment, rounded down: nothing is younger than it by less."""
    if isinstance(since, datetime) and since.utcoffset() is not None:
        since = (since - _EPOCH) // timedelta(milliseconds=1)
    if since is None:
        return 0
    if type(since) is not int:
        raise UsageError(f"since is milliseconds since 1970 or a datetime with a time zone, got {since!r}")
    return max(0, since)


def _buried(stream: Stream) -> Stream:
    """Without the live objects that have an attribute called `deleted` of their own."""
    try:
        step = next(stream)
        while True:
            if isinstance(step, Found):
                step = Found([data for data in step.objects if data.keys() == _KEYS])
            step = stream.send((yield step))
    except StopIteration:
        return


def rows(found: Iterator[JSONObject]) -> Iterator[Tombstone]:
    return map(tombstone, found)
