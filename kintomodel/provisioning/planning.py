"""plan(): a server beside what it is to hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..desired import Desired
from ..flows import fanout
from ..protocol import capabilities
from ..protocol.objects import ServerInfo
from ..protocol.operations import Flow
from ..protocol.permissions import added_writer
from ..protocol.values import JSON
from ..transport.connection import Connection
from . import accounts, changing, reading, validating
from .accounts import AccountChange
from .applying import AnyChange
from .changing import ObjectChange
from .plan import ServerPlan
from .targets import Target, scopes, targets, values

# Of a server that validates records against the schema of their collection.
_VALIDATES = "schema"


def plan(
    connection: Connection, desired: object, *, only: str | Iterable[str] | None = None, delete: bool = False
) -> ServerPlan:
    """See Client.plan()."""
    scope = scopes(only)
    several = values(desired)
    wanted = targets(several, scope)
    users = accounts.checked(several) if "accounts" in scope else []
    info = connection.server_info(is_about_us=True)
    if users and capabilities.ACCOUNTS not in info.capabilities:
        raise capabilities.lacking("plan()", capabilities.ACCOUNTS)
    changes = connection.run(_accounts(users))
    found = connection.run(reading.stored(wanted, connection.batch_size()))
    changes += _changes(wanted, found, added_writer(info))
    deletes = connection.run(_deletes(wanted, found)) if delete else []
    updates = [one for one in changes if isinstance(one, ObjectChange) and one.kind == "update"]
    invalid = (
        connection.run(validating.invalid_records(updates, deletes))
        if _VALIDATES in info.capabilities
        else []
    )
    counted = len(users) + sum(target.is_wanted or target.permissions is not None for target in wanted)
    return ServerPlan(
        tuple(one for one in changes if one.kind == "create"),
        tuple(one for one in changes if one.kind == "update"),
        tuple(deletes),
        counted - len(changes),
        tuple(invalid),
        _in_order(changes, deletes, info),
        connection,
    )


def _in_order(
    changes: Iterable[AnyChange], deletes: Iterable[AnyChange], info: ServerInfo
) -> tuple[AnyChange, ...]:
    """Our own password last: once it is another one, the server takes nothing more from us."""
    us = None if info.user is None else info.user.id
    several = [*changes, *deletes]
    return tuple(sorted(several, key=lambda one: isinstance(one, AccountChange) and one.principal == us))


def _accounts(users: Iterable[Desired]) -> Flow[list[AnyChange]]:
    changes: list[AnyChange] = []
    for one in users:
        change = yield from accounts.change(one)
        if change is not None:
            changes.append(change)
    return changes


def _changes(wanted: Iterable[Target], found: reading.Found, own: str | None) -> list[AnyChange]:
    changes: list[AnyChange] = []
    data: dict[str, Mapping[str, JSON]] = {}
    for target in wanted:
        stored = found[str(target.path)]
        if target.kind == "bucket":
            data[str(target.path)] = {**(stored.data if stored else {}), **(target.data or {})}
        full = _inheriting(target, data, is_new=stored is None)
        change = changing.creation(full, own) if stored is None else changing.update(full, stored, own)
        if change is not None:
            changes.append(change)
    return changes


def _inheriting(target: Target, buckets: Mapping[str, Mapping[str, JSON]], *, is_new: bool) -> Target:
    """A new one with what its bucket wants for its groups or collections, where it names nothing itself."""
    if not is_new or target.kind not in ("group", "collection") or target.parent is None:
        return target
    wanted = fanout.for_new_child(target.kind, buckets[str(target.parent.path)])
    held = {name: tuple(dict.fromkeys(several)) for name, several in wanted.items()}
    return target._replace(permissions={**held, **(target.permissions or {})})


def _deletes(wanted: Iterable[Target], found: reading.Found) -> Flow[list[ObjectChange]]:
    """Records first, as they are in collections."""
    others = yield from reading.beside(wanted, found)
    return [changing.deletion(one["path"], one["last_modified"]) for one in others]
