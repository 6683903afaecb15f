"""What Kinto remembers of deleted objects."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from ..errors import UsageError
from ..protocol import operations
from ..protocol.objects import Page
from ..protocol.operations import Operation
from ..protocol.values import JSONObject
from .branching import latest_moment
from .scanning import Found, Stream

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


def tombstones(endpoint: str, since: int, page_size: int) -> Stream:
    """The tombstones that are younger, the oldest first; one GET for each page.

    since: milliseconds since 1970. In this order what is deleted meanwhile comes last, so nothing
    is skipped.
    """
    params = {
        "gt_last_modified": str(min(since, latest_moment())),
        "eq_deleted": "true",
        # The id as well: with a time of somebody's choice there may be several of one time (memory).
        "_sort": "last_modified,id",
        "_limit": str(page_size),
    }
    following: Operation[Page] | None = operations.list_page(endpoint, params)
    while following is not None:
        page: Page = yield from following
        younger = (data for data in page.objects if data["last_modified"] > since)
        yield Found([data for data in younger if is_tombstone(data)])
        following = operations.next_page(following, page)
        del page


def is_tombstone(data: JSONObject) -> bool:
    """A live object may have an attribute called `deleted` of its own, beside others."""
    return data.keys() == _KEYS and data["deleted"] is True


def tombstone(data: JSONObject) -> Tombstone:
    return Tombstone(data["id"], data["last_modified"])


def milliseconds(since: object) -> int:
    """Those that since= means, a moment rounded down. UsageError for what is no time."""
    if isinstance(since, datetime) and since.utcoffset() is not None:
        since = (since - _EPOCH) // timedelta(milliseconds=1)
    if since is None:
        return 0
    if type(since) is not int:
        raise UsageError(f"since is milliseconds since 1970 or a datetime with a time zone, got {since!r}")
    return max(0, since)
