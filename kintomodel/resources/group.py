"""Group: a list of users that permissions can be given to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from typing_extensions import Self

from ..errors import KintoError
from ..flows import editing
from ..protocol.changes import Write
from ..protocol.paths import GroupPath
from ..protocol.permissions import Principal, Principals, user_ids
from ..protocol.values import JSON
from .members import MemberSet
from .permissions import GroupPermissions
from .resource import Resource


class Group(Resource[GroupPermissions]):
    """https://docs.kinto-storage.org/en/stable/api/1.x/groups.html"""

    path: GroupPath
    child_kind = "group"

    @property
    def name(self) -> str:
        """The same as id."""
        return self.id

    @property
    def principal(self) -> Principal:
        """What a permission is given to, in any bucket."""
        return Principal(self.path)

    @property
    def members(self) -> MemberSet:
        """Who is in it. Edits are sent by save(), and kept together with those of others."""
        return MemberSet(self)

    @members.setter
    def members(self, value: Principals | MemberSet) -> None:
        # `group.members += x` ends here, with the view itself.
        if not isinstance(value, MemberSet) or value._group is not self:
            self.data["members"] = list(user_ids(value))

    def save(self, *, force: bool = False) -> Self:
        """As of any object. Where only members changed, those that others add or remove at the same
        time stay so: it is tried again, several times, instead of a Conflict.
        """
        base = self._stored
        change = None if force else self.change()
        if base is None or change is None or not _changes_members_only(change):
            return super().save(force=force)
        before, now = set(editing.members(base)), set(self.members)
        alter = editing.with_members([one for one in self.members if one not in before], before - now)
        flow = editing.edit(self.path, editing.membership(self.path, alter), known=base)
        try:
            self.accept(self.connection.run(flow))
        except KintoError as error:
            raise self.explained(error, change) from None
        return self

    def add_members(self, members: Principals, *, verify: bool = False) -> Self:
        """Add them at once, whatever others add or remove at the same time.

        One PATCH if something is known of the group, else a GET before it; after a conflict it is
        tried again, several times. verify: look again until they are in it and nobody writes any
        more (see the guide to groups: Kinto on PostgreSQL may lose one of two writes).
        """
        return self.edit_members(editing.with_members(user_ids(members)), verify=verify)

    def remove_members(self, members: Principals, *, verify: bool = False) -> Self:
        """Take them out at once; as add_members()."""
        return self.edit_members(editing.with_members((), user_ids(members)), verify=verify)

    def clear_members(self, *, verify: bool = False) -> Self:
        """Take everybody out at once; as add_members()."""
        return self.edit_members(lambda now: [], verify=verify)

    def edit_members(self, alter: Callable[[list[str]], list[str]], *, verify: bool = False) -> Self:
        """Make the members what alter makes of them; it may be called several times."""
        self.require_saved()
        flow = editing.edit(
            self.path, editing.membership(self.path, alter), known=self._stored, verify=verify
        )
        self.accept(self.connection.run(flow))
        return self

    def _content(self, data: Mapping[str, JSON] | None, wanted: GroupPermissions) -> Mapping[str, JSON]:
        """A group that is stored without members would lack the list (Kinto 26.5)."""
        return {"members": [], **super()._content(data, wanted)}

    def _new_permissions(self, known: Mapping[str, Iterable[str]] | None) -> GroupPermissions:
        return GroupPermissions(self.path.bucket, self, known)


def _changes_members_only(change: Write) -> bool:
    body = change.operation.body
    return change.operation.method == "PATCH" and list(body) == ["data"] and list(body["data"]) == ["members"]
