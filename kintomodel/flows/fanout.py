"""Permissions of a bucket that act on everything in it: on each of its collections or groups.

Kinto has no such permissions. They are kept in the bucket's data as
{"child_permissions": {"record_create": [principals]}}, so that children that come later get them.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from typing import Any, NamedTuple

import attrs

from ..errors import Conflict, Forbidden, KintoError, NotFound, PermissionsNotVisible
from ..protocol import batch, operations
from ..protocol.changes import Write
from ..protocol.objects import Page, StoredObject
from ..protocol.operations import Flow, Operation
from ..protocol.paths import BucketPath, CollectionPath, GroupPath
from ..protocol.report import Outcome, Report, failure
from ..protocol.values import JSONObject
from . import bulk, editing

KEY = "child_permissions"
"""Where a bucket's data holds them."""

CHILD_PERMISSIONS: dict[str, tuple[str, str]] = {
    "record_create": ("collection", "record:create"),
    "record_read": ("collection", "read"),
    "record_write": ("collection", "write"),
    "group_read": ("group", "read"),
    "group_write": ("group", "write"),
}
"""Each with the kind of children it acts on, and their permission."""

ChildPath = CollectionPath | GroupPath


class Edit(NamedTuple):
    """What is to become of a list of principals, whatever is on it. assigned: None keeps it."""

    assigned: tuple[str, ...] | None = None
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()

    def adding(self, principals: Iterable[str]) -> Edit:
        more = frozenset(principals)
        return self._replace(added=self.added | more, removed=self.removed - more)

    def removing(self, principals: Iterable[str]) -> Edit:
        less = frozenset(principals)
        return self._replace(added=self.added - less, removed=self.removed | less)

    def apply(self, held: Iterable[str]) -> list[str]:
        now = held if self.assigned is None else self.assigned
        more = sorted(self.added)
        return [one for one in dict.fromkeys((*now, *more)) if one not in self.removed]


def kept(data: Mapping[str, Any]) -> dict[str, list[str]]:
    """The fan-out permissions in a bucket's data; whatever else stands there is passed over."""
    found = data.get(KEY)
    if not isinstance(found, dict):
        return {}
    return {
        name: [one for one in held if isinstance(one, str)]
        for name, held in found.items()
        if name in CHILD_PERMISSIONS and isinstance(held, list)
    }


def with_edits(data: Mapping[str, Any], edits: Mapping[str, Edit]) -> JSONObject:
    """What is to stand under KEY in the bucket's data."""
    before = kept(data)
    after = {name: edit.apply(before.get(name, ())) for name, edit in edits.items()}
    found = data.get(KEY)
    return {**(found if isinstance(found, dict) else {}), **after}


def for_new_child(kind: str, data: Mapping[str, Any]) -> dict[str, list[str]]:
    """{permission: principals} that the bucket's data wants for a child of this kind."""
    return {
        CHILD_PERMISSIONS[name][1]: held
        for name, held in kept(data).items()
        if CHILD_PERMISSIONS[name][0] == kind and held
    }


def bucket_data(path: BucketPath) -> Flow[JSONObject]:
    """What says so, asked of the server: one GET. Empty, where it is not for us to see."""
    try:
        return (yield from operations.read(path)).data
    except (Forbidden, NotFound):
        return {}


def inheriting(write: Write, kind: str, data: Mapping[str, Any]) -> Write:
    """The creation of such a child with the permissions that the bucket's data wants for it, too."""
    wanted = for_new_child(kind, data)
    if not wanted:
        return write
    given = write.operation.body.get("permissions", {})
    both = {
        name: list(dict.fromkeys((*wanted.get(name, ()), *given.get(name, ())))) for name in (*wanted, *given)
    }
    body = {**write.operation.body, "permissions": both}
    return write._replace(operation=attrs.evolve(write.operation, body=body))


def remember(path: BucketPath, edits: Mapping[str, Edit]) -> Flow[StoredObject]:
    """Keep the edits in the bucket's data, whatever others write there meanwhile."""

    def change(stored: StoredObject) -> Write | None:
        wanted = with_edits(stored.data, edits)
        if wanted == stored.data.get(KEY):
            return None
        operation = operations.update(path, {KEY: wanted}, last_modified=stored.last_modified)
        return Write(operation, {**stored.data, KEY: wanted})

    return editing.edit(path, change)


def children(path: BucketPath, kind: str) -> Flow[list[ChildPath]]:
    """The paths of a bucket's collections or groups; one GET a page."""
    endpoint = path.collections if kind == "collection" else path.groups
    found: list[ChildPath] = []
    following: Operation[Page] | None = operations.list_page(endpoint, {"_sort": "id"})
    while following is not None:
        page = yield from following
        found += [_child(path, kind, data["id"]) for data in page.objects]
        following = operations.next_page(following, page)
    return found


def held_by_children(path: BucketPath, name: str, batch_size: int) -> Flow[set[str] | None]:
    """Who holds it on every child; None if there are no children. One GET for each, in batches."""
    kind, permission = CHILD_PERMISSIONS[name]
    paths = yield from children(path, kind)
    common: set[str] | None = None
    for chunk in batch.chunks(paths, batch_size):
        for result in (yield from batch.run([operations.read(child) for child in chunk])):
            if isinstance(result, NotFound):
                continue  # deleted since it was listed
            if isinstance(result, KintoError):
                raise result
            held = set(_permissions(path, result).get(permission, ()))
            common = held if common is None else common & held
    return common


def spread(path: BucketPath, edits: Mapping[str, Edit], batch_size: int) -> Flow[Report[str]]:
    """Apply the edits to every child there is; the report names the children by their paths.

    A GET and, where something differs, a guarded PATCH for each of them, in batches. A child that
    somebody else wrote meanwhile is read and written again.
    """
    outcomes: list[Outcome[str]] = []
    for kind in ("collection", "group"):
        wanted = {
            CHILD_PERMISSIONS[name][1]: edit
            for name, edit in edits.items()
            if CHILD_PERMISSIONS[name][0] == kind
        }
        paths = (yield from children(path, kind)) if wanted else []
        for chunk in batch.chunks(paths, batch_size):
            outcomes += yield from _spread_over(chunk, wanted, len(outcomes))
    return Report(tuple(outcomes))


def _spread_over(
    paths: list[ChildPath], wanted: Mapping[str, Edit], position: int
) -> Generator[Operation[Any], Any, list[Outcome[str]]]:
    shown = yield from batch.run([operations.read(child) for child in paths])
    results: dict[ChildPath, Any] = {}
    writes: dict[ChildPath, Write] = {}
    for child, found in zip(paths, shown, strict=True):
        try:
            write = None if isinstance(found, KintoError) else _change(child, wanted, found)
        except PermissionsNotVisible as error:
            found, write = error, None
        results[child] = found if isinstance(found, KintoError) else None
        if write is not None:
            writes[child] = write
    answers = yield from bulk.run(list(writes.values()))
    results.update(zip(writes, answers, strict=True))
    outcomes: list[Outcome[str]] = []
    for child, result in results.items():
        at = position + len(outcomes)
        if isinstance(result, Conflict):
            result = yield from _again(child, wanted)
        if isinstance(result, NotFound):
            continue  # deleted since it was listed
        if isinstance(result, KintoError):
            outcomes.append(failure(str(child), at, result))
        else:
            outcomes.append(Outcome("unchanged" if result is None else "updated", str(child), at))
    return outcomes


def _again(child: ChildPath, wanted: Mapping[str, Edit]) -> Flow[StoredObject | KintoError]:
    try:
        return (yield from editing.edit(child, lambda stored: _change(child, wanted, stored)))
    except KintoError as error:
        return error


def _change(child: ChildPath, wanted: Mapping[str, Edit], stored: StoredObject) -> Write | None:
    if stored.permissions is None and all(edit.assigned is not None for edit in wanted.values()):
        # They are not shown, but whole lists can be sent.
        changed = {permission: edit.apply(()) for permission, edit in wanted.items()}
        return Write(operations.update(child, None, changed, last_modified=stored.last_modified), stored.data)
    held = _permissions(child, stored)
    changed = {}
    for permission, edit in wanted.items():
        before = held.get(permission, ())
        after = edit.apply(before)
        if set(after) != set(before):
            changed[permission] = after
    if not changed:
        return None
    return Write(operations.update(child, None, changed, last_modified=stored.last_modified), stored.data)


def _permissions(path: object, stored: StoredObject) -> Mapping[str, tuple[str, ...]]:
    if stored.permissions is None:
        raise PermissionsNotVisible(
            f"{path}: Kinto does not show you the permissions of {stored.id}, so they cannot be edited: "
            "only those in its own write list see them"
        )
    return stored.permissions


def _child(path: BucketPath, kind: str, id: str) -> ChildPath:
    return CollectionPath(path.bucket, id) if kind == "collection" else GroupPath(path.bucket, id)
