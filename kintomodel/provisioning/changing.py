"""ObjectChange: what makes one object as it is wanted, whatever else happens to it meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import attrs

from ..errors import Conflict, PermissionsNotVisible
from ..flows import editing, settling
from ..flows.editing import with_members
from ..plans.change import PlannedChange
from ..plans.showing import Members
from ..protocol import changes, operations
from ..protocol.changes import ObjectPath, Write
from ..protocol.objects import StoredObject
from ..protocol.paths import CollectionPath
from ..protocol.values import JSON, JSONObject
from ..query.conditions import MISSING
from .targets import Target


@attrs.frozen(eq=False, repr=False)
class ObjectChange(PlannedChange):
    """What a plan does to one object: "create", "update" or "delete" it.

    id: its path, such as /buckets/shop/groups/editors. data: of a creation, its body as Kinto takes it,
    {"data": ..., "permissions": ...}. difference: {name: (old, new)} of an update: attributes by their
    names, `members`, and permissions as `permissions.read`.
    last_modified: milliseconds; of the object that the plan saw, None for a new one.
    """

    _edit: Edit | None = None
    _stored: StoredObject | None = None

    @property
    def attributes(self) -> JSONObject:
        """Their new values, by their names."""
        return {} if self._edit is None else self._edit.attributes

    @property
    def is_of_collection(self) -> bool:
        return self._edit is not None and isinstance(self._edit.path, CollectionPath)

    def write(self) -> Write:
        """The operation, guarded by what the plan saw."""
        if self.kind == "delete":
            return Write(operations.delete(self.id, last_modified=self.last_modified))
        assert self._edit is not None  # as only a deletion has none
        if self._stored is None:
            return changes.create(self._edit.path, self.data["data"], self.data.get("permissions"))
        write = self._edit.of(self._stored, self._stored)
        assert write is not None  # as it changes something
        return write

    def onto(self, now: StoredObject) -> Write | None:
        """The same of an object as it is now: what others added or took away meanwhile stays so.

        None if it is as it is wanted. Conflict where somebody gave an attribute another value, or created
        another object.
        """
        assert self._edit is not None  # as only a deletion has none
        write = self._edit.of(now, self._stored)
        if write is not None and self._stored is None:
            raise _conflict(self.id, "somebody created another one meanwhile")
        return write


class Edit(NamedTuple):
    """attributes: their new values. sets: the members under "members", principals by their permission."""

    path: ObjectPath
    attributes: JSONObject
    sets: Mapping[str, Members]

    def of(self, now: StoredObject, before: StoredObject | None) -> Write | None:
        """The write that makes it of the object as it is now. before: as it was when that was wanted."""
        base = {} if before is None else before.data
        data = changes.own_data(self.path, now.data)
        held: dict[str, list[str]] = {}
        for name, value in self.attributes.items():
            if not any(_same(now.data, name, one) for one in (base.get(name, MISSING), value)):
                raise _conflict(str(self.path), f"somebody gave {name!r} another value meanwhile")
            if not _same(now.data, name, value):
                data[name] = value
        for name, both in self.sets.items():
            alter = with_members(
                [one for one in both.new if one not in both.old],
                [one for one in both.old if one not in both.new],
            )
            was = editing.members(now) if name == "members" else list(shown(self.path, now).get(name, ()))
            wanted = alter(was)
            if set(wanted) != set(was):
                (data if name == "members" else held)[name] = wanted
        return changes.save(self.path, now, data, held, whole=dict)


def update(target: Target, stored: StoredObject, own: str | None) -> ObjectChange | None:
    """What makes a stored object as it is wanted; None if it is.

    own: the principal that the server always gives the right to write to, which is no difference.
    PermissionsNotVisible where they are wanted and not shown.
    """
    attributes = {
        name: value for name, value in (target.data or {}).items() if not _same(stored.data, name, value)
    }
    sets: dict[str, Members] = {}
    if target.members is not None:
        sets["members"] = Members(sorted(editing.members(stored)), sorted(target.members))
    for name, wanted in (target.permissions or {}).items():
        held = shown(target.path, stored).get(name, ())
        ours = [own] if name == "write" and own in held and own not in wanted else []
        sets[name] = Members(sorted(held), sorted([*wanted, *ours]))
    sets = {name: both for name, both in sets.items() if set(both.old) != set(both.new)}
    if not attributes and not sets:
        return None
    difference: dict[str, tuple[JSON, JSON]] = {
        name: (stored.data.get(name), value) for name, value in attributes.items()
    }
    for name, both in sets.items():
        difference[name if name == "members" else f"permissions.{name}"] = both
    edit = Edit(target.path, attributes, sets)
    return ObjectChange("update", str(target.path), {}, difference, stored.last_modified, edit, stored)


def creation(target: Target) -> ObjectChange:
    data = dict(target.data or {})
    if target.kind == "group":
        data["members"] = list(target.members or ())
    body: JSONObject = {"data": data}
    held = {name: list(one) for name, one in (target.permissions or {}).items() if one}
    if held:
        body["permissions"] = held
    sets = {name: Members([], one) for name, one in held.items()}
    if target.kind == "group":
        sets["members"] = Members([], data["members"])
    attributes = {name: value for name, value in data.items() if name not in sets}
    return ObjectChange("create", str(target.path), body, {}, None, Edit(target.path, attributes, sets))


def deletion(path: str, last_modified: int) -> ObjectChange:
    return ObjectChange("delete", path, last_modified=last_modified)


def shown(path: ObjectPath, stored: StoredObject) -> Mapping[str, tuple[str, ...]]:
    """The permissions; PermissionsNotVisible where they are not shown."""
    if stored.permissions is None:
        raise PermissionsNotVisible(
            f"{path}: Kinto does not show you its permissions, so they cannot be planned: only those in its "
            "own write list see them; be added there, or leave its permissions out"
        )
    return stored.permissions


def _same(data: Mapping[str, JSON], name: str, value: JSON) -> bool:
    if name not in data or value is MISSING:
        return name not in data and value is MISSING
    return settling.same({"value": data[name]}, {"value": value})


def _conflict(path: str, what: str) -> Conflict:
    return Conflict(f"PATCH {path}: {what}: plan it again", status=412, method="PATCH", path=path)
