"""What we may do on a server, object by object: the answer of its /permissions.

https://docs.kinto-storage.org/en/stable/api/1.x/permissions.html#list-every-permissions
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from . import operations
from .objects import Page
from .operations import Operation


class PermissionsEntry(NamedTuple):
    """What we may do with one object. uri: its path; "/" stands for the whole server.

    permissions: Kinto's names, those that follow from others included.
    """

    uri: str
    resource_name: str
    permissions: tuple[str, ...]
    bucket_id: str | None = None
    collection_id: str | None = None
    group_id: str | None = None
    record_id: str | None = None
    account_id: str | None = None


def first_page(page_size: int) -> Operation[Page]:
    return operations.list_page("/permissions", {"_sort": "uri", "_limit": str(page_size)})


def entry(data: Mapping[str, Any]) -> PermissionsEntry:
    return PermissionsEntry(
        data["uri"],
        data["resource_name"],
        tuple(sorted(data["permissions"])),
        data.get("bucket_id"),
        data.get("collection_id"),
        data.get("group_id"),
        data.get("record_id"),
        data.get("account_id"),
    )
