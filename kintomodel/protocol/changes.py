"""From an object as it is wanted, beside what the server last showed of it, to one write.

`data` is here what belongs to the user: without the id, last_modified and what else the server
keeps in an object's data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..errors import ValidationError
from . import operations
from .objects import StoredObject
from .operations import Operation
from .paths import BucketPath, CollectionPath, GroupPath, RecordPath
from .values import JSON, JSONObject, check, copy, equal, sendable

ObjectPath = BucketPath | CollectionPath | GroupPath | RecordPath

_IDENTITY = frozenset({"id", "last_modified"})
# What Kinto takes for something else than data: a tombstone, permissions, its own mark.
_RESERVED = ("id", "last_modified", "deleted", "__permissions__")
_RESERVED_IN_RECORDS = (*_RESERVED, "schema")


class Lost(NamedTuple):
    """A write whose answer was lost. data: all of it once that write is done; permissions: those it named."""

    data: JSONObject
    permissions: Mapping[str, list[str]]


class Write(NamedTuple):
    """An operation, and how to find out what became of it if its answer is lost.

    expected: the whole data that the object has once a create, replace or update is done;
    None for a deletion or a read. is_doubted: may it have been done already?
    """

    operation: Operation[Any]
    expected: JSONObject | None = None
    is_doubted: bool = False

    @property
    def perhaps_done(self) -> Lost:
        """By this a later write will know that it was done, if nobody can tell now."""
        return Lost(self.expected or {}, self.operation.body.get("permissions", {}))


def without_identity(data: Mapping[str, JSON]) -> JSONObject:
    """What somebody wants to store of the data. Shares its values."""
    return {key: value for key, value in data.items() if key not in _IDENTITY}


def own_data(path: ObjectPath, data: Mapping[str, JSON]) -> JSONObject:
    """What of the data is the user's. Shares its values."""
    return own_record_data(data) if isinstance(path, RecordPath) else without_identity(data)


def own_record_data(data: Mapping[str, JSON]) -> JSONObject:
    """The same of a record: Kinto writes the time of its collection's schema into it (26.5)."""
    own = without_identity(data)
    if type(own.get("schema")) is int:
        del own["schema"]
    return own


def create(
    path: ObjectPath,
    data: Mapping[str, JSON],
    permissions: Mapping[str, list[str]] | None = None,
    *,
    is_checked: bool = False,
) -> Write:
    """Store a new object. id and last_modified in the data are left out, as the path holds the one
    and the server makes the other. ValidationError for what Kinto cannot keep.

    is_checked: is it known that Kinto can keep the values?
    """
    wanted = copy(without_identity(data))
    _check(path, wanted, is_checked)
    return Write(operations.create(path, wanted, permissions), wanted)


def save(
    path: ObjectPath,
    base: StoredObject,
    data: Mapping[str, JSON],
    permissions: Mapping[str, list[str]],
    *,
    whole: Callable[[], Mapping[str, list[str]]],
    force: bool = False,
    is_checked: bool = False,
) -> Write | None:
    """The one write that makes base what is wanted; None if it is that already.

    permissions: those that changed. whole: gives all of them; called only where a PUT is needed,
    as Kinto empties the permissions that a PUT does not name, if it names any (26.5).
    force: without a precondition. is_checked: is it known that Kinto can keep the values?
    """
    before = own_data(path, base.data)
    changed = {
        key: value for key, value in data.items() if key not in before or not equal(value, before[key])
    }
    removed = before.keys() - data.keys()
    if not changed and not removed and not permissions:
        return None
    _check(path, changed, is_checked)
    expected = {key: copy(value) if key in changed else sendable(value) for key, value in data.items()}
    since = None if force else base.last_modified
    if removed:
        held = dict(whole()) if permissions else None
        return Write(operations.replace(path, expected, held, last_modified=since), expected)
    body = copy(changed) if changed else None
    return Write(operations.update(path, body, permissions, last_modified=since), expected)


def _check(path: ObjectPath, data: JSONObject, is_checked: bool) -> None:
    for key in _RESERVED_IN_RECORDS if isinstance(path, RecordPath) else _RESERVED:
        if key in data:
            raise ValidationError(f"{path}: data: Kinto keeps the key {key!r} for itself; use another name")
    if not is_checked:
        check(data, f"{path}: data")
