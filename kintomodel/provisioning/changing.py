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
        if self._stored is not None:
            return self._edit.of(now, self._stored)
        if not self._edit.is_of(now):
            raise _conflict(self.id, "somebody created another one meanwhile")
        return None


class Edit(NamedTuple):
    """attributes: their new values. sets: the members under "members", principals by their permission.

    Of a creation all that is named, empty sets too: by that it knows the object if somebody else creates
    it first. own: the principal that the server always gives the right to write to.
    """

    path: ObjectPath
    attributes: JSONObject
    sets: Mapping[str, Members]
    own: str | None

    def is_of(self, now: StoredObject) -> bool:
        """Is the object as it is wanted, whoever made it so?"""
        if not all(_same(now.data, name, value) for name, value in self.attributes.items()):
            return False
        ours = {"write": {self.own}}
        return all(
            set(self._held(now, name)) - ours.get(name, set()) == set(both.new) - ours.get(name, set())
            for name, both in self.sets.items()
        )

    def of(self, now: StoredObject, before: StoredObject) -> Write | None:
        """The write that makes it of the object as it is now. before: as it was when that was wanted."""
        base = before.data
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
            was = self._held(now, name)
            wanted = alter(was)
            if set(wanted) != set(was):
                (data if name == "members" else held)[name] = wanted
        return changes.save(self.path, now, data, held, whole=dict)

    def _held(self, now: StoredObject, name: str) -> list[str]:
        return editing.members(now) if name == "members" else list(shown(self.path, now).get(name, ()))


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
    edit = Edit(target.path, attributes, sets, own)
    return ObjectChange("update", str(target.path), {}, difference, stored.last_modified, edit, stored)


def creation(target: Target, own: str | None) -> ObjectChange:
    """own: as for update()."""
    attributes = target.data or {}
    body: JSONObject = {"data": dict(attributes)}
    sets = {name: Members([], list(held)) for name, held in (target.permissions or {}).items()}
    held = {name: both.new for name, both in sets.items() if both.new}
    if held:
        body["permissions"] = held
    if target.kind == "group":
        body["data"]["members"] = list(target.members or ())
    if target.members is not None:
        sets["members"] = Members([], list(target.members))
    return ObjectChange("create", str(target.path), body, {}, None, Edit(target.path, attributes, sets, own))


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
