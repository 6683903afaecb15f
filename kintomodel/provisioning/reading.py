"""What a server holds of what is wanted, and beside it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from ..errors import Forbidden, KintoError, NotFound, UsageError
from ..flows import listing
from ..flows.reads import Reads
from ..protocol import batch, operations, probing
from ..protocol.objects import StoredObject
from ..protocol.operations import Flow
from ..protocol.values import JSONObject
from ..query import scanning
from .targets import Target

Found = dict[str, "StoredObject | None"]


def stored(targets: Iterable[Target], batch_size: int) -> Flow[Found]:
    """Each of them by its path, None for one that is missing. A GET for each, in batches if it can be.

    What is in a missing one is not asked for, once that is known. UsageError for one that is missing
    and not to be created.
    """
    found: Found = {}
    reads = Reads()
    for chunk in batch.chunks(_in_existing(targets, found), batch_size):
        results = yield from reads.of([operations.read(target.path) for target in chunk])
        for target, result in zip(chunk, results, strict=True):
            found[str(target.path)] = yield from _seen(target, result, found)
    return found


def _in_existing(targets: Iterable[Target], found: Found) -> Iterator[Target]:
    for target in targets:
        if _is_in_missing(target, found):
            _check_missing(target)
            found[str(target.path)] = None
        else:
            yield target


def _is_in_missing(target: Target, found: Found) -> bool:
    return target.parent is not None and found.get(str(target.parent.path), ()) is None


def _seen(target: Target, result: Any, found: Found) -> Flow[StoredObject | None]:
    if isinstance(result, Forbidden) and target.parent is None:
        result = yield from probing.told_apart(result, target.path)
    # Of what is in a missing bucket Kinto says 403 as well.
    if isinstance(result, NotFound) or (isinstance(result, Forbidden) and _is_in_missing(target, found)):
        _check_missing(target)
        return None
    if isinstance(result, KintoError):
        raise result
    seen: StoredObject = result
    return seen


def _check_missing(target: Target) -> None:
    if not target.is_wanted:
        raise UsageError(f"plan(only=...): {target.path} is missing: plan it without only= first")


def beside(targets: Iterable[Target], found: Mapping[str, StoredObject | None]) -> Flow[list[JSONObject]]:
    """What nobody wants of the lists that are to be whole: {"path", "last_modified"} of each.

    Records, then collections, then groups; one GET a page of each list.
    """
    several = [target for target in targets if found[str(target.path)] is not None]
    others: list[JSONObject] = []
    for kind in ("records", "collections", "groups"):
        for target in several:
            if kind in target.whole:
                others += yield from _others(f"{target.path}/{kind}", found)
    return others


def _others(endpoint: str, wanted: Container[str]) -> Flow[list[JSONObject]]:
    others: list[JSONObject] = []

    def keep(page: Iterable[JSONObject]) -> None:
        paths = ((f"{endpoint}/{data['id']}", data["last_modified"]) for data in page)
        others.extend({"path": path, "last_modified": time} for path, time in paths if path not in wanted)

    yield from scanning.each(listing.everything(endpoint), keep)
    return others
