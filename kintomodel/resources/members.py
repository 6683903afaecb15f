"""The members of a group as a set that can be edited in place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from ..errors import UsageError, ValidationError
from ..protocol.permissions import Principals
from .principal_set import EditableSet


class MembersOwner(Protocol):
    """The group that the members are of."""

    @property
    def data(self) -> dict[str, Any]: ...


class MemberSet(EditableSet):
    """Who is in a group: the list "members" of its data. A lone member is taken wherever several are.

    Members are user ids such as account:bob; Kinto takes neither groups nor system.Everyone.
    """

    __slots__ = ("_group",)

    def __init__(self, group: MembersOwner) -> None:
        self._group = group

    def __contains__(self, principal: object) -> bool:
        return principal in self._now()

    def _expand(self, value: Principals) -> tuple[str, ...]:
        return several(value)

    def _now(self) -> list[str]:
        found: list[str] = self._group.data.get("members", [])
        return found

    def _set(self, held: Iterable[str]) -> None:
        self._group.data["members"] = list(dict.fromkeys(held))


def several(given: Principals) -> tuple[str, ...]:
    """Each member once; UsageError or ValidationError for what can be none."""
    found = [given] if isinstance(given, str) else given
    if not isinstance(found, Iterable):
        raise UsageError(f"expected a member or several, got {given!r}")
    members = tuple(dict.fromkeys(found))
    for one in members:
        if not isinstance(one, str):
            raise UsageError(f"a member is a user id such as 'account:bob', got {one!r}")
        if not one or one != one.strip() or one.startswith(("/", "system.")):
            raise ValidationError(f"{one!r} cannot be in a group: Kinto takes user ids such as 'account:bob'")
    return members
