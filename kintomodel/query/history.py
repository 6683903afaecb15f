"""What was done in a bucket, and by whom (the history plugin).

https://docs.kinto-storage.org/en/stable/api/1.x/history.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple

from ..errors import UsageError
from ..protocol import operations
from ..protocol.objects import Page
from ..protocol.operations import Operation
from ..protocol.values import JSON, JSONObject
from .branching import encode, latest_moment

_KNOWN = {
    "action": ("create", "update", "delete"),
    "resource_name": ("bucket", "collection", "group", "record"),
}
FILTERS = ("action", "user_id", "resource_name", "uri", "collection_id", "group_id", "record_id")


class HistoryEntry(NamedTuple):
    """One write. date: when, in UTC, as the server's clock has it. action: create, update or
    delete. user_id: who did it.

    data, permissions: the object as this write left it; of a deletion its tombstone.
    last_modified: milliseconds; when the entry was stored, which is what since and before of a history
    look at. It may differ a little from the date.
    """

    id: str
    last_modified: int
    date: datetime
    action: str
    uri: str
    user_id: str
    resource_name: str
    data: JSONObject
    permissions: Mapping[str, tuple[str, ...]]
    collection_id: str | None = None
    group_id: str | None = None
    record_id: str | None = None


def first_page(endpoint: str, params: Mapping[str, str], page_size: int) -> Operation[Page]:
    return operations.list_page(endpoint, {**params, "_limit": str(page_size)})


def entry(data: Mapping[str, Any]) -> HistoryEntry:
    target = data["target"]
    return HistoryEntry(
        data["id"],
        data["last_modified"],
        datetime.fromisoformat(data["date"]),
        data["action"],
        data["uri"],
        data["user_id"],
        data["resource_name"],
        target["data"],
        {name: tuple(held) for name, held in target.get("permissions", {}).items()},
        data.get("collection_id"),
        data.get("group_id"),
        data.get("record_id"),
    )


def params(
    filters: Mapping[str, JSON], since: datetime | int | None, before: datetime | int | None
) -> dict[str, str]:
    """Filters of a history as URL parameters. UsageError for a name that Kinto does not know."""
    wanted = {}
    for name, value in filters.items():
        if name not in FILTERS:
            raise UsageError(
                f"a history has no filter {name!r}, only {', '.join((*FILTERS, 'since', 'before'))}"
            )
        if value is not None and value not in _KNOWN.get(name, (value,)):
            raise UsageError(f"{name} is one of {', '.join(_KNOWN[name])}, got {value!r}")
        if value is not None:
            wanted[f"eq_{name}"] = encode(value)
    bounds = {"gt": since, "lt": before}
    for operator, moment in bounds.items():
        if moment is not None:
            # No entry is as late as that, and to later moments Kinto answers 400.
            wanted[f"{operator}_last_modified"] = str(min(_milliseconds(moment), latest_moment()))
            # With such a filter a listing shows what was purged, too.
            wanted["not_deleted"] = "true"
    return wanted


def _milliseconds(moment: datetime | int) -> int:
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise UsageError(
                f"{moment!r} has no time zone: say which moment it is, for example with tzinfo=UTC"
            )
        return int(moment.astimezone(timezone.utc).timestamp() * 1000)
    if not isinstance(moment, int) or isinstance(moment, bool):
        raise UsageError(f"since and before are a datetime, or milliseconds, got {moment!r}")
    return moment
