"""What Kinto remembers of deleted objects."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import NamedTuple

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


def is_tombstone(data: JSONObject) -> bool:
    """A live object may have an attribute called `deleted` of its own, beside others."""
    return data.keys() == _KEYS and data["deleted"] is True


def tombstone(data: JSONObject) -> Tombstone:
    return Tombstone(data["id"], data["last_modified"])
