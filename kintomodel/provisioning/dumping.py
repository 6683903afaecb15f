"""dump(): what a server holds, as plain data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from ..flows import listing, opening
from ..flows.completing import Completion
from ..protocol import batch, permissions
from ..protocol.changes import ObjectPath, own_data
from ..protocol.objects import StoredObject
from ..protocol.operations import Flow
from ..protocol.paths import BUCKETS, BucketPath, CollectionPath, GroupPath
from ..protocol.values import JSON, JSONObject, sendable
from ..query import scanning
from ..query.conditions import EVERYTHING


def dump(names: Iterable[str] | None, batch_size: int, *, records: bool) -> Flow[JSONObject]:
    """See Client.dump()."""
    buckets: dict[str, JSONObject] = {}
    if names is None:
        buckets = yield from _listed(BUCKETS, BucketPath, permissions.BUCKET, batch_size)
    else:
        for path in [BucketPath(name) for name in names]:
            stored = yield from opening.read(path)
            buckets[path.bucket] = _plain(path, stored, permissions.BUCKET)
    for name, bucket in buckets.items():
        path = BucketPath(name)
        bucket["groups"] = yield from _listed(
            path.groups, partial(GroupPath, name), permissions.GROUP, batch_size
        )
        bucket["collections"] = yield from _listed(
            path.collections, partial(CollectionPath, name), permissions.COLLECTION, batch_size
        )
        for id, collection in bucket["collections"].items() if records else ():
            inside = CollectionPath(name, id)
            collection["records"] = yield from _listed(
                inside.records, inside.record, permissions.RECORD, batch_size
            )
    return {"buckets": buckets}


def _listed(
    endpoint: str, path: Callable[[str], ObjectPath], names: Iterable[str], batch_size: int
) -> Flow[dict[str, JSONObject]]:
    """{id: {"data", "permissions"}} by their ids. One GET a page, and one for each in batches."""
    listed: list[JSONObject] = []
    yield from scanning.each(listing.everything(endpoint), listed.extend)
    completion = Completion(endpoint, EVERYTHING)
    found: dict[str, JSONObject] = {}
    for chunk in batch.chunks(listed, batch_size):
        for stored in (yield from completion.with_permissions(chunk)):
            found[stored.id] = _plain(path(stored.id), stored, names)
    return found


def _plain(path: ObjectPath, stored: StoredObject, names: Iterable[str]) -> JSONObject:
    plain: JSONObject = {"data": _in_order(sendable(own_data(path, stored.data)))}
    if stored.permissions is not None:
        # With those that nobody has: those that are not named are left alone by a plan.
        plain["permissions"] = {name: sorted(stored.permissions.get(name, ())) for name in names}
    return plain


def _in_order(value: JSON) -> JSON:
    """With sorted keys: PostgreSQL keeps no order, so that two dumps would differ."""
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value)}
    return [_in_order(item) for item in value] if isinstance(value, list) else value
