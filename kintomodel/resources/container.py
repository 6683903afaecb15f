"""What buckets and collections have in common: the groups of the bucket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from ..errors import UsageError
from ..flows import listing
from ..protocol.objects import StoredObject
from ..protocol.paths import BucketPath, GroupPath
from ..protocol.permissions import Principals, user_ids
from ..protocol.values import JSON
from .group import Group
from .permissions import Permissions
from .resource import Resource

P = TypeVar("P", bound=Permissions)


class Container(Resource[P]):
    """A bucket, or a collection, through which the groups of its bucket are at hand as well."""

    def group(self, name: str) -> Group:
        """The group of that name; sends nothing."""
        return Group(self.connection, GroupPath(self.path.bucket, name))

    def create_group(
        self,
        name: str,
        members: Principals = (),
        *,
        data: Mapping[str, JSON] | None = None,
        permissions: Mapping[str, Principals] | None = None,
        if_not_exists: bool = False,
    ) -> Group:
        """Store a new group; Conflict if it is there. A GET of the bucket and a PUT.

        The GET asks for the permissions that the bucket wants for its groups. members: here or in data.
        if_not_exists: one that is there is left as it is, its members too.
        """
        if data is not None and not isinstance(data, Mapping):
            raise UsageError(f"create_group({name!r}): the data is a dict, got {data!r}")
        content = dict(data or {})
        found = user_ids(members)
        if found and content.get("members"):
            raise UsageError(f"create_group({name!r}): the members are given twice, once in the data")
        content["members"] = list(found or user_ids(content.get("members", ())))
        return self.group(name).create(content, permissions, if_not_exists=if_not_exists)

    def get_group(self, name: str) -> Group:
        """One GET; NotFound if there is none."""
        return self.group(name).refresh()

    def get_all_groups(self) -> Iterator[Group]:
        """In the order of their names; one GET a page."""
        for data in self.connection.stream(listing.everything(BucketPath(self.path.bucket).groups)):
            group = self.group(data["id"])
            group.listed(StoredObject(data))
            yield group

    def add_to_group(self, name: str, members: Principals, *, verify: bool = False) -> Group:
        """Add members to a group, whatever others add or remove at the same time: a GET and a PATCH.

        After a conflict it is tried again, several times. verify: look again until they are in it and
        nobody writes any more (see the guide to groups: Kinto on PostgreSQL may lose one of two writes).
        """
        return self.group(name).add_members(members, verify=verify)

    def remove_from_group(self, name: str, members: Principals, *, verify: bool = False) -> Group:
        """Take members out of a group; as add_to_group()."""
        return self.group(name).remove_members(members, verify=verify)

    def clear_group(self, name: str, *, verify: bool = False) -> Group:
        """Take everybody out of a group; as add_to_group()."""
        return self.group(name).clear_members(verify=verify)

    def delete_group(self, name: str, *, missing_ok: bool = False) -> None:
        """One DELETE. Permissions given to the group stay written, and hold for nobody."""
        self.group(name).delete(missing_ok=missing_ok)
