"""The permissions of a bucket: its own, and those that act on everything in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, overload

from ..errors import UsageError
from ..flows.fanout import CHILD_PERMISSIONS, Edit
from ..protocol import permissions as protocol
from ..protocol.permissions import Principals
from .permissions import Permission, Permissions, PermissionsOwner, PrincipalSet, names_checked


class BucketPermissionsOwner(PermissionsOwner, Protocol):
    """The bucket that the permissions are of."""

    def load_child_permission(self, name: str) -> Iterable[str]:
        """Who holds it on every child; without children, who will hold it on those that come."""
        ...

    def require_saved(self) -> None:
        """UsageError if something is unsaved that the next would drop."""
        ...

    def send_child_permissions(self, edits: Mapping[str, Edit]) -> None:
        """Apply them at once to the bucket's data and to every child."""
        ...


class ChildPrincipalSet(PrincipalSet):
    """Who holds one permission on every collection, or every group, of a bucket.

    Adding and discarding ask for nothing; reading costs a GET for each child, in batches.
    """

    __slots__ = ("_children",)

    def __init__(self, permissions: BucketPermissions, name: str) -> None:
        super().__init__(permissions, name)
        self._children = permissions

    def __repr__(self) -> str:
        assigned = self._edit().assigned is not None
        return f"{{{', '.join(map(repr, self))}}}" if assigned else "(not loaded)"

    def add(self, value: Principals) -> None:
        self._children.edit(self._name, self._edit().adding(self._children.expand(value)))

    def discard(self, value: Principals) -> None:
        self._children.edit(self._name, self._edit().removing(self._children.expand(value)))

    def _edit(self) -> Edit:
        return self._children.child_edits.get(self._name, Edit())

    def _now(self) -> dict[str, None]:
        edit = self._edit()
        held = () if edit.assigned is not None else self._children.held_by_children(self._name)
        return dict.fromkeys(edit.apply(held))

    def _set(self, held: Iterable[str]) -> None:
        self._children.edit(self._name, Edit(assigned=tuple(dict.fromkeys(held))))


class ChildPermission:
    """One of them as an attribute: reading gives a ChildPrincipalSet, assigning takes principals."""

    def __set_name__(self, owner: type, attribute: str) -> None:
        self.name = attribute

    @overload
    def __get__(self, instance: None, owner: Any) -> ChildPermission: ...
    @overload
    def __get__(self, instance: BucketPermissions, owner: Any) -> ChildPrincipalSet: ...
    def __get__(self, instance: BucketPermissions | None, owner: Any) -> ChildPermission | ChildPrincipalSet:
        return self if instance is None else ChildPrincipalSet(instance, self.name)

    def __set__(self, instance: BucketPermissions, value: Principals) -> None:
        instance[self.name] = value


class BucketPermissions(Permissions):
    """read, write, collection_create and group_create are the bucket's own.

    record_create, record_read and record_write act on each of its collections (as record:create,
    read and write), group_read and group_write on each of its groups, now and to come.
    """

    __slots__ = ("_children_owner", "child_edits")
    names = protocol.BUCKET
    read = Permission()
    write = Permission()
    collection_create = Permission()
    group_create = Permission()
    record_create = ChildPermission()
    record_read = ChildPermission()
    record_write = ChildPermission()
    group_read = ChildPermission()
    group_write = ChildPermission()

    def __init__(
        self,
        bucket: str,
        owner: BucketPermissionsOwner | None = None,
        known: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        self.child_edits: dict[str, Edit] = {}
        super().__init__(bucket, owner, known)
        self._children_owner = owner

    def __getitem__(self, name: str) -> PrincipalSet:
        if _child_name(name) in CHILD_PERMISSIONS:
            return ChildPrincipalSet(self, _child_name(name))
        return super().__getitem__(name)

    def __setitem__(self, name: str, value: Principals) -> None:
        if _child_name(name) not in CHILD_PERMISSIONS:
            super().__setitem__(name, value)
        # `permissions.record_read += x` ends here, with the view itself.
        elif not self._is_view(value, _child_name(name)):
            self.edit(_child_name(name), Edit(assigned=self.expand(value)))

    def __repr__(self) -> str:
        edits = f" and edits of {', '.join(self.child_edits)} on its children" if self.child_edits else ""
        return f"{super().__repr__()[:-1]}{edits}>"

    def edit(self, name: str, edit: Edit) -> None:
        self.child_edits[name] = edit

    def held_by_children(self, name: str) -> Iterable[str]:
        return () if self._children_owner is None else self._children_owner.load_child_permission(name)

    def accept(self, known: Mapping[str, Iterable[str]] | None) -> None:
        super().accept(known)
        self.child_edits.clear()

    def take_over(self, other: Permissions, *, edits_only: bool = False) -> None:
        super().take_over(other, edits_only=edits_only)
        self.child_edits.update(other.child_edits if isinstance(other, BucketPermissions) else {})

    def who_can(self, name: str) -> set[str]:
        """Who may do it in this bucket: who may write the bucket may do everything.

        With the name of one that acts on children: who may do it in every one of them.
        """
        name = self._valid(name)
        if name not in CHILD_PERMISSIONS:
            return super().who_can(name)
        kind, verb = name.split("_")
        own = {"write", "read"} if verb == "read" else {"write"}
        return {*self[name], *self[f"{kind}_write"], *(one for holder in own for one in self.held(holder))}

    def send(self, several: Mapping[str, Principals]) -> None:
        """Replace these at once. A wrong name refuses all of them."""
        named = {self._valid(name): self.expand(one) for name, one in several.items()}
        own = {name: held for name, held in named.items() if name not in CHILD_PERMISSIONS}
        children = {name: Edit(held) for name, held in named.items() if name in CHILD_PERMISSIONS}
        if self._children_owner is None:
            raise UsageError("nothing is stored yet whose permissions could be updated: save it first")
        self.require_some(named)
        if children:
            self._children_owner.require_saved()  # before the first request
        if own:
            super().send(own)
        if children:
            self._children_owner.send_child_permissions(children)

    @names_checked
    def update(
        self,
        *,
        read: Principals | None = None,
        write: Principals | None = None,
        collection_create: Principals | None = None,
        group_create: Principals | None = None,
        record_create: Principals | None = None,
        record_read: Principals | None = None,
        record_write: Principals | None = None,
        group_read: Principals | None = None,
        group_write: Principals | None = None,
    ) -> None:
        """Replace the permissions given, at once. None: leave it as it is."""
        given = {
            "read": read, "write": write, "collection_create": collection_create,
            "group_create": group_create, "record_create": record_create, "record_read": record_read,
            "record_write": record_write, "group_read": group_read, "group_write": group_write,
        }  # fmt: skip
        self.send({name: held for name, held in given.items() if held is not None})

    def _valid(self, name: str) -> str:
        return _child_name(name) if _child_name(name) in CHILD_PERMISSIONS else super()._valid(name)

    @classmethod
    def known_names(cls) -> tuple[str, ...]:
        return (*(one.replace(":", "_") for one in cls.names), *CHILD_PERMISSIONS)


def _child_name(name: str) -> str:
    return name.replace(":", "_") if isinstance(name, str) else ""
