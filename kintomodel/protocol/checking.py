"""What a server cannot guarantee or does not offer, as far as it can be told without writing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from ..errors import Forbidden, NotFound, Unauthorized
from . import probing
from .capabilities import ADVICE
from .objects import ServerInfo
from .operations import Flow
from .paths import CollectionPath

Level: TypeAlias = Literal["refused", "missing", "limited", "unknown"]

# Batches that are smaller than this cost more than half of a request for each record.
_SMALL = 10


class Finding(NamedTuple):
    """subject: a setting or capability of the server, or a collection as bucket/collection.

    level: "refused": it does not do what is asked; "missing": a plugin is not there; "limited": it
    works, within limits; "unknown": it cannot be told over HTTP.
    """

    subject: str
    level: Level
    message: str

    def __str__(self) -> str:
        return f"{self.subject} ({self.level}): {self.message}"


def findings(info: ServerInfo) -> tuple[Finding, ...]:
    return tuple(_findings(info))


def _findings(info: ServerInfo) -> Iterator[Finding]:
    if info.user is None:
        yield Finding("user", "refused", "the server does not know us: check auth=, or go on anonymously")
    if info.settings.get("readonly"):
        yield Finding("readonly", "refused", "the server takes no writes, and no batches")
    size = info.batch_max_requests
    if size is not None and size < _SMALL:
        yield Finding(
            "batch_max_requests",
            "limited",
            f"a batch takes {size} requests: bulk work takes one request for {size} records",
        )
    for capability, advice in ADVICE.items():
        if capability not in info.capabilities:
            yield Finding(capability, "missing", f"its administrator can enable it with {advice}")
    yield Finding(
        "storage_isolation_level",
        "unknown",
        "it cannot be asked for over HTTP: ask the administrator whether Kinto's back end is PostgreSQL and "
        "whether kinto.storage_isolation_level = REPEATABLE READ is set; at the default level two writers "
        "at the same moment may both succeed, and one is lost: write with verify=True",
    )


def of_collection(path: CollectionPath) -> Flow[Finding | None]:
    """Why no record can be created there; None if one can. One request, which never writes."""
    try:
        yield from probing.could_be_created(path.record("kintomodel-check"))
    except NotFound:
        problem = "there is no such collection: create it, and its bucket, first"
    except Unauthorized:
        problem = "you may not create records in it, as the server does not know you: check auth="
    except Forbidden:
        problem = "you may not create records in it: who may write it can give you record:create"
    else:
        return None
    return Finding(path.name, "refused", problem)
