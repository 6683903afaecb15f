"""The members of a group as a set that can be edited in place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from ..protocol.permissions import Principals, user_ids
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
        return user_ids(value)

    def _now(self) -> list[str]:
        found: list[str] = self._group.data.get("members", [])
        return found

    def _set(self, held: Iterable[str]) -> None:
        self._group.data["members"] = list(dict.fromkeys(held))
