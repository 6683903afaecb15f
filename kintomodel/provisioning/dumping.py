"""dump(): what a server holds, as plain data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from ..errors import Forbidden, KintoError, NotFound, ValidationError
from ..flows import listing, opening
from ..flows.reads import Reads
from ..protocol import batch, operations, permissions, probing
from ..protocol.changes import ObjectPath, own_data
from ..protocol.objects import StoredObject
from ..protocol.operations import Flow
from ..protocol.paths import BUCKETS, BucketPath, CollectionPath, GroupPath
from ..protocol.values import JSON, JSONObject, sendable
from ..query import scanning

Listed = dict[str, JSONObject]

# What Kinto says of all that is in a missing bucket (26.5), and to a missing collection 404.
_BUCKET_MISSING = 403


def dump(names: Iterable[str] | None, batch_size: int, *, records: bool) -> Flow[JSONObject]:
    """See Client.dump()."""
    buckets: dict[str, JSONObject] = {}
    if names is None:
        buckets = yield from _listed(BUCKETS, BucketPath, permissions.BUCKET, batch_size)
    else:
        for path in [BucketPath(name) for name in names]:
            stored = yield from opening.read(path)
            buckets[path.bucket] = _plain(path, stored, permissions.BUCKET)
    for name in list(buckets):
        try:
            buckets[name] |= yield from _inside(BucketPath(name), batch_size, records=records)
        except NotFound:
            if names is not None:
                raise
            del buckets[name]  # since it was listed
    return {"buckets": buckets}


def _inside(path: BucketPath, batch_size: int, *, records: bool) -> Flow[JSONObject]:
    """Its groups and collections, without the lists that we may not see. NotFound if it is gone."""
    name = path.bucket
    groups = yield from _seen(
        path, _listed(path.groups, partial(GroupPath, name), permissions.GROUP, batch_size)
    )
    collections = yield from _seen(
        path, _listed(path.collections, partial(CollectionPath, name), permissions.COLLECTION, batch_size)
    )
    if collections is not None and records:
        yield from _add_records(path, collections, batch_size)
    inside = {"groups": groups, "collections": collections}
    return {kind: found for kind, found in inside.items() if found is not None}


def _add_records(path: BucketPath, collections: Listed, batch_size: int) -> Flow[None]:
    """To each of these; one that is gone is taken out."""
    for id in list(collections):
        where = CollectionPath(path.bucket, id)
        listed = _listed(where.records, where.record, permissions.RECORD, batch_size)
        try:
            records = yield from _seen(path, listed)
        except NotFound as error:
            if error.status == _BUCKET_MISSING:
                raise
            del collections[id]
            continue
        if records is not None:
            collections[id]["records"] = records


def _seen(path: BucketPath, listed: Flow[Listed]) -> Flow[Listed | None]:
    """A list of what is in the bucket; None if it is not for us to see. NotFound if the bucket is gone."""
    try:
        return (yield from listed)
    except Forbidden as error:
        cause = yield from probing.told_apart(error, path)
        if isinstance(cause, NotFound):
            raise cause from None
        return None


def _listed(
    endpoint: str, path: Callable[[str], ObjectPath], names: Iterable[str], batch_size: int
) -> Flow[Listed]:
    """{id: {"data", "permissions"}} by their ids. One GET a page, and one for each in batches."""
    listed: list[JSONObject] = []
    yield from scanning.each(listing.everything(endpoint), listed.extend)
    reads = Reads()
    found: Listed = {}
    for chunk in batch.chunks([data["id"] for data in listed], batch_size):
        results = yield from reads.of([operations.read(path(id)) for id in chunk])
        for id, stored in zip(chunk, results, strict=True):
            if isinstance(stored, (NotFound, Forbidden)):
                continue  # gone, or not for us to see any more, since it was listed
            if isinstance(stored, KintoError):
                raise stored
            found[id] = _plain(path(id), stored, names)
    return found


def _plain(path: ObjectPath, stored: StoredObject, names: Iterable[str]) -> JSONObject:
    plain: JSONObject = {"data": _in_order(sendable(own_data(path, stored.data)))}
    if stored.permissions is not None:
        # With those that nobody has: those that are not named are left alone by a plan.
        plain["permissions"] = {
            name: sorted(one for one in stored.permissions.get(name, ()) if _is_somebody(one, path))
            for name in names
        }
    return plain


def _is_somebody(principal: str, path: ObjectPath) -> bool:
    """Is it the same to a plan? To Kinto, which takes any text, "group:editors" is nobody (26.5)."""
    try:
        return permissions.principals(principal, path.bucket) == (principal,)
    except ValidationError:
        return False


def _in_order(value: JSON) -> JSON:
    """With sorted keys: PostgreSQL keeps no order, so that two dumps would differ."""
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value)}
    return [_in_order(item) for item in value] if isinstance(value, list) else value
