"""The permissions of an object as attributes that can be edited in place.

>>> permissions = RecordPermissions("shop", known={})
>>> permissions.read += "group:friends"
>>> permissions.changed()
{'read': ['/buckets/shop/groups/friends']}
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypedDict, TypeVar, cast, overload

from ..errors import PermissionsNotVisible, UsageError
from ..protocol import permissions as protocol
from ..protocol.permissions import Principals
from .principal_set import EditableSet

Method = TypeVar("Method", bound=Callable[..., None])


class PermissionsOwner(Protocol):
    """The object that the permissions are of."""

    def load_permissions(self) -> Mapping[str, Iterable[str]] | None:
        """Ask the server for them; None if it does not show them."""

    def send_permissions(self, changed: Mapping[str, list[str]]) -> None:
        """Send these whole lists at once, and take over what the server answers."""


class PrincipalSet(EditableSet):
    """Who holds one permission. A lone principal is taken wherever several are.

    A view: it stays valid when the object is saved or refreshed.
    """

    __slots__ = ("_name", "_permissions")

    def __init__(self, permissions: Permissions, name: str) -> None:
        self._permissions = permissions
        self._name = name

    def __repr__(self) -> str:
        return self._permissions.unknown(self._name) or super().__repr__()

    def _expand(self, value: Principals) -> tuple[str, ...]:
        return self._permissions.expand(value)

    def _now(self) -> Collection[str]:
        return self._permissions.held(self._name)

    def _set(self, held: Iterable[str]) -> None:
        self._permissions.replace(self._name, dict.fromkeys(held))


class Permission:
    """One permission as an attribute: reading gives a PrincipalSet, assigning takes principals."""

    def __set_name__(self, owner: type, attribute: str) -> None:
        # Of Kinto's names only "read" and "write" have no ":".
        self.name = attribute.replace("_", ":")

    @overload
    def __get__(self, instance: None, owner: Any) -> Permission: ...
    @overload
    def __get__(self, instance: Permissions, owner: Any) -> PrincipalSet: ...
    def __get__(self, instance: Permissions | None, owner: Any) -> Permission | PrincipalSet:
        return self if instance is None else instance[self.name]

    def __set__(self, instance: Permissions, value: Principals) -> None:
        instance[self.name] = value


class Permissions:
    """What is known of an object's permissions, and what was changed of it.

    bucket: where "group:friends" is looked for. known: {permission: principals}; None: not known
    yet, and asked for when a permission is first read (one GET). Assigning asks for nothing.
    """

    __slots__ = ("_bucket", "_edited", "_hidden", "_known", "_owner")
    names: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        bucket: str,
        owner: PermissionsOwner | None = None,
        known: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        self._bucket = bucket
        self._owner = owner
        self.accept(known)

    def __getitem__(self, name: str) -> PrincipalSet:
        return PrincipalSet(self, self._valid(name))

    def __setitem__(self, name: str, value: Principals) -> None:
        name = self._valid(name)
        # `permissions.read += x` ends here, with the view itself.
        if not self._is_view(value, name):
            self.replace(name, dict.fromkeys(self.expand(value)))

    def _is_view(self, value: object, name: str) -> bool:
        """Is it the view of this very permission?"""
        return isinstance(value, PrincipalSet) and value._permissions is self and value._name == name

    if not TYPE_CHECKING:  # pragma: no branch - the checkers would take any name

        def __getattr__(self, name):
            raise AttributeError(self.no_such(name))

        def __setattr__(self, name, value):
            try:
                super().__setattr__(name, value)
            except AttributeError:
                raise AttributeError(self.no_such(name)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __repr__(self) -> str:
        known = self._known or {}
        shown = {name: list(held) for name, held in {**known, **self._edited}.items()}
        return f"<{' '.join(filter(None, (type(self).__name__, self._unknown(), str(shown))))}>"

    def expand(self, value: Principals) -> tuple[str, ...]:
        """Each principal as Kinto spells it."""
        return protocol.principals(value, self._bucket)

    def held(self, name: str) -> dict[str, None]:
        """Who holds it, edits included. Raises PermissionsNotVisible if the server does not show it."""
        if name in self._edited:
            return self._edited[name]
        if self._known is None and self._owner is not None and not self._hidden:
            self._know(self._owner.load_permissions())
        if self._known is None:
            raise PermissionsNotVisible(
                f"Kinto does not show you who holds {name!r}: only those in an object's own write list "
                "see that. Assign a whole list to replace it"
            )
        return self._known.get(name, {})

    def unknown(self, name: str) -> str:
        """Why it is not known, without asking, who holds it; empty if it is known."""
        return "" if name in self._edited else self._unknown()

    def replace(self, name: str, held: dict[str, None]) -> None:
        self._edited[name] = held

    def changed(self) -> dict[str, list[str]]:
        """The permissions that differ from what the server showed, as whole lists."""
        known = self._known
        return {
            name: list(held)
            for name, held in self._edited.items()
            if known is None or set(held) != set(known.get(name, ()))
        }

    def as_dict(self) -> dict[str, list[str]]:
        """{permission: principals} with all names, edits included; may cost one GET."""
        return {name: list(self.held(name)) for name in self.names}

    def accept(self, known: Mapping[str, Iterable[str]] | None) -> None:
        """Take over what the server showed, and forget the edits."""
        self._edited: dict[str, dict[str, None]] = {}
        self._hidden = False
        self._known: dict[str, dict[str, None]] | None = None
        if known is not None:
            self._know(known)

    def know(self, known: Mapping[str, Iterable[str]] | None) -> None:
        """Take over what the server showed, and keep the edits. None: it does not show them."""
        self._know(known)

    def stand_on(
        self, known: Mapping[str, Iterable[str]] | None, sent: Mapping[str, Iterable[str]] | None = None
    ) -> None:
        """Take over what the server shows now, and make the edits again on top of that.

        What was added is added to it, what was taken away is taken from it. A whole list that was assigned
        without knowing what was there stays that list. sent: what of it is ours, as it was sent before.
        """
        before = self._known
        if sent:
            before = {**(before or {}), **{name: dict.fromkeys(held) for name, held in sent.items()}}
        self._know(known)
        if known is None or before is None or self._known is None:
            return
        for name, held in self._edited.items():
            base, theirs = before.get(name, {}), self._known.get(name, {})
            kept = [one for one in theirs if one in held or one not in base]
            self._edited[name] = dict.fromkeys([*kept, *(one for one in held if one not in base)])

    def settle(self, sent: Iterable[str], known: Mapping[str, Iterable[str]] | None) -> None:
        """Take over what the server showed after these were sent, and keep the other edits."""
        for name in sent:
            self._edited.pop(name, None)
        self._know(known)

    def take_over(self, other: Permissions, *, edits_only: bool = False) -> None:
        """Edit these as the other ones are, as far as they are known."""
        known = {} if edits_only or other._known is None else other._known
        self._edited.update({**known, **other._edited})

    def become_new(self) -> None:
        """The object is no longer stored: all that was known is to be stored with the next one."""
        self._edited = {**(self._known or {}), **self._edited}
        self._known = {}
        self._hidden = False

    def who_can(self, name: str) -> set[str]:
        """Who may do it by the permissions of this object: who may write it may do everything.

        Rights on the bucket or collection that holds it come on top. May cost one GET.
        """
        holders = {"write", self._valid(name)}
        return {one for holder in holders for one in self.held(holder)}

    def assign(self, several: Mapping[str, Principals]) -> None:
        """Replace those that are named. A wrong name refuses all of them."""
        if not isinstance(several, Mapping):
            raise UsageError(f'permissions are a dict such as {{"read": ["account:bob"]}}, got {several!r}')
        for name in several:
            self._valid(name)
        for name, value in several.items():
            self[name] = value

    def send(self, several: Mapping[str, Principals]) -> None:
        if self._owner is None:
            raise UsageError("nothing is stored yet whose permissions could be updated: save it first")
        self.require_some(several)
        self._owner.send_permissions(
            {self._valid(name): list(self.expand(one)) for name, one in several.items()}
        )

    @staticmethod
    def require_some(several: Mapping[str, Principals]) -> None:
        if not several:
            raise UsageError("name at least one permission that is to be replaced")

    def _know(self, known: Mapping[str, Iterable[str]] | None) -> None:
        self._hidden = known is None
        if known is not None:
            self._known = {name: dict.fromkeys(held) for name, held in known.items()}

    def _unknown(self) -> str:
        if self._known is not None:
            return ""
        return "(not visible)" if self._hidden else "(not loaded)"

    def _valid(self, name: str) -> str:
        kinto_name = name.replace("_", ":") if isinstance(name, str) else ""
        if kinto_name not in self.names:
            raise UsageError(self.no_such(name))
        return kinto_name

    @classmethod
    def no_such(cls, name: object) -> str:
        return f"there is no permission {name!r} here, only {', '.join(cls.known_names())}"

    @classmethod
    def known_names(cls) -> tuple[str, ...]:
        """As they are spelled in messages."""
        return cls.names


def names_checked(update: Method) -> Method:
    """The same method; UsageError, with those that there are, for a name that it does not take."""

    known = frozenset(signature(update).parameters)

    @wraps(update)
    def checked(self: Permissions, **given: Principals | None) -> None:
        for name in given:
            if name not in known:
                raise UsageError(self.no_such(name))
        update(self, **given)

    return cast("Method", checked)


class RecordPermissionsDict(TypedDict, total=False):
    read: Principals
    write: Principals


class RecordPermissions(Permissions):
    """read and write. https://docs.kinto-storage.org/en/stable/api/1.x/permissions.html"""

    __slots__ = ()
    names = protocol.RECORD
    read = Permission()
    write = Permission()

    @names_checked
    def update(self, *, read: Principals | None = None, write: Principals | None = None) -> None:
        """Replace the permissions given, at once, in one guarded PATCH. None: leave it as it is."""
        given = {"read": read, "write": write}
        self.send({name: held for name, held in given.items() if held is not None})


class GroupPermissions(RecordPermissions):
    """read and write of a group: of the list of its members."""

    __slots__ = ()
    names = protocol.GROUP


class CollectionPermissions(Permissions):
    """read, write and record_create."""

    __slots__ = ()
    names = protocol.COLLECTION
    read = Permission()
    write = Permission()
    record_create = Permission()

    @names_checked
    def update(
        self,
        *,
        read: Principals | None = None,
        write: Principals | None = None,
        record_create: Principals | None = None,
    ) -> None:
        """Replace the permissions given, at once, in one guarded PATCH. None: leave it as it is."""
        given = {"read": read, "write": write, "record:create": record_create}
        self.send({name: held for name, held in given.items() if held is not None})
