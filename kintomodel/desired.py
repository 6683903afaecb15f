"""What a server is to hold: accounts, buckets, groups, collections and records, for client.plan().

>>> editors = group("editors", ["account:ann"])
>>> bucket("shop", permissions={"write": ["group:editors"]}, groups=[editors])
<desired bucket shop with 1 groups>
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

import attrs

from .errors import UsageError
from .protocol import changes
from .protocol.permissions import Principals, user_ids
from .protocol.values import JSON, JSONObject, copy

Kind: TypeAlias = Literal["account", "bucket", "group", "collection", "record"]


@attrs.frozen(repr=False)
class Desired:
    """An object as it is wanted; None: whatever is there, it stays so.

    data: attributes; those that it does not name stay. permissions: {permission: principals}, each a
    whole list; those that it does not name stay. members: of a group, all of them. children: what is in
    it, {"groups": values}; where a kind is named, others of it are what a plan deletes, if it may.
    """

    kind: Kind
    id: str
    data: JSONObject | None = None
    permissions: Mapping[str, Principals] | None = None
    members: tuple[str, ...] | None = None
    children: Mapping[str, tuple[Desired, ...]] = attrs.field(factory=dict)
    password: str | None = None

    def __repr__(self) -> str:
        inside = ", ".join(f"{len(several)} {name}" for name, several in self.children.items())
        return f"<desired {self.kind} {self.id}{f' with {inside}' if inside else ''}>"


def account(id: str, password: str) -> Desired:
    """A user of the accounts plugin with this password."""
    return Desired("account", id, password=password)


def bucket(
    id: str,
    data: Mapping[str, JSON] | None = None,
    *,
    permissions: Mapping[str, Principals] | None = None,
    groups: Iterable[Desired] | None = None,
    collections: Iterable[Desired] | None = None,
) -> Desired:
    """In its permissions, "group:editors" is a group of the bucket, as everywhere below it."""
    children = {"groups": groups, "collections": collections}
    return _desired("bucket", id, data, permissions, children=children)


def group(
    id: str,
    members: Principals | None = None,
    *,
    data: Mapping[str, JSON] | None = None,
    permissions: Mapping[str, Principals] | None = None,
) -> Desired:
    """members: user ids such as account:bob; here or in data."""
    content = None if data is None else dict(_checked_data("group", id, data))
    if content is not None and "members" in content:
        if members is not None:
            raise UsageError(f"group {id!r}: the members are given twice, once in the data")
        members = content.pop("members")
    several = None if members is None else user_ids(members)
    return _desired("group", id, content, permissions, members=several)


def collection(
    id: str,
    data: Mapping[str, JSON] | None = None,
    *,
    permissions: Mapping[str, Principals] | None = None,
    records: Iterable[Desired] | None = None,
) -> Desired:
    """data: the metadata, such as {"schema": {...}, "displayFields": [...]}."""
    return _desired("collection", id, data, permissions, children={"records": records})


def record(
    id: str,
    data: Mapping[str, JSON] | None = None,
    *,
    permissions: Mapping[str, Principals] | None = None,
) -> Desired:
    """An attribute of the stored record that data does not name stays."""
    return _desired("record", id, data, permissions)


def read(plain: Mapping[str, Any]) -> list[Desired]:
    """The same as plain data, as client.dump() gives it; UsageError where it says something else.

    {"accounts": {id: {"password"}}, "buckets": {id: {"data", "permissions", "groups": {id: {"data",
    "permissions"}}, "collections": {id: {"data", "permissions", "records": {id: {"data", "permissions"}}}}}}}
    """
    _check_keys(plain, "it", ("accounts", "buckets"))
    found = []
    for id, one in _several(plain, "accounts", "it"):
        _check_keys(one, f"account {id}", ("password",))
        found.append(account(id, one.get("password", "")))
    return found + [_read_bucket(id, one) for id, one in _several(plain, "buckets", "it")]


_OWN = ("data", "permissions")


def _read_bucket(id: str, plain: Mapping[str, Any]) -> Desired:
    where = f"bucket {id}"
    _check_keys(plain, where, (*_OWN, "groups", "collections"))
    groups = [
        group(name, **_own(one, f"{where}, group {name}")) for name, one in _several(plain, "groups", where)
    ]
    collections = []
    for name, one in _several(plain, "collections", where):
        inside = f"{where}, collection {name}"
        several = _several(one, "records", inside)
        records = [record(key, **_own(each, f"{inside}, record {key}")) for key, each in several]
        known = records if "records" in one else None
        collections.append(collection(name, **_own(one, inside, "records"), records=known))
    return bucket(
        id,
        **_own(plain, where, "groups", "collections"),
        groups=groups if "groups" in plain else None,
        collections=collections if "collections" in plain else None,
    )


def _own(plain: Mapping[str, Any], where: str, *others: str) -> dict[str, Any]:
    _check_keys(plain, where, (*_OWN, *others))
    return {name: plain[name] for name in _OWN if name in plain}


def _several(plain: Mapping[str, Any], name: str, where: str) -> list[tuple[str, Mapping[str, Any]]]:
    found = plain.get(name, {})
    if not isinstance(found, Mapping):
        raise UsageError(f"desired: {name} of {where} are a dict of their ids, got {found!r}")
    return list(found.items())


def _check_keys(plain: object, where: str, known: tuple[str, ...]) -> None:
    if not isinstance(plain, Mapping):
        raise UsageError(f"desired: {where} is described by a dict, got {plain!r}")
    for key in plain:
        if key not in known:
            raise UsageError(f"desired: {where} has {key!r}, and only {', '.join(known)} is known there")


def _desired(
    kind: Kind,
    id: str,
    data: Mapping[str, JSON] | None,
    permissions: Mapping[str, Principals] | None,
    *,
    members: tuple[str, ...] | None = None,
    children: Mapping[str, Iterable[Desired] | None] | None = None,
) -> Desired:
    content = None if data is None else copy(changes.without_identity(_checked_data(kind, id, data)))
    if permissions is not None and not isinstance(permissions, Mapping):
        raise UsageError(f"{kind} {id!r}: permissions are a dict of lists, got {permissions!r}")
    held = None if permissions is None else {name: _kept(one) for name, one in permissions.items()}
    inside = {
        name: _checked_children(f"{kind} {id!r}", name, several)
        for name, several in (children or {}).items()
        if several is not None
    }
    return Desired(kind, id, content, held, members, inside)


def _kept(principals: Principals) -> Principals:
    """Several, of which a generator would be used up; whether they are principals is seen by plan()."""
    if isinstance(principals, str) or not isinstance(principals, Iterable):
        return principals
    return tuple(principals)


def _checked_data(kind: Kind, id: str, data: object) -> Mapping[str, JSON]:
    if not isinstance(data, Mapping):
        raise UsageError(f"{kind} {id!r}: the data of an object is a dict, got {data!r}")
    if data.get("id", id) != id:
        raise UsageError(f"{kind} {id!r} cannot have the id {data['id']!r} that is in its data")
    return data


def _checked_children(where: str, name: str, several: Iterable[Desired]) -> tuple[Desired, ...]:
    if not isinstance(several, Iterable):
        raise UsageError(f"{where}: its {name} are several values of desired.{name[:-1]}(), got {several!r}")
    found = tuple(several)
    for one in found:
        if not isinstance(one, Desired) or f"{one.kind}s" != name:
            raise UsageError(f"{where}: its {name} are values of desired.{name[:-1]}(), got {one!r}")
    return found
