"""Targets: what is wanted, object by object, in the order in which it is to be written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..desired import Desired, read
from ..errors import UsageError
from ..protocol import changes, permissions
from ..protocol.changes import ObjectPath
from ..protocol.paths import BucketPath, CollectionPath, GroupPath
from ..protocol.permissions import Principals
from ..protocol.values import JSONObject

KINDS = ("accounts", "buckets", "groups", "collections", "records")
SCOPES = (*KINDS, "permissions")


class Target(NamedTuple):
    """One object. None of its values: that is left as it is.

    is_wanted: it is created if it is missing. parent: what it is in. whole: the kinds of which it is to
    hold nothing but what is wanted, such as "groups".
    """

    kind: str
    path: ObjectPath
    data: JSONObject | None
    permissions: Mapping[str, tuple[str, ...]] | None
    members: tuple[str, ...] | None
    is_wanted: bool
    parent: Target | None
    whole: frozenset[str]

    @property
    def order(self) -> int:
        return KINDS.index(f"{self.kind}s")


def scopes(only: str | Iterable[str] | None) -> frozenset[str]:
    """What is planned; UsageError for a name that is none."""
    if only is None:
        return frozenset(SCOPES)
    named = (only,) if isinstance(only, str) or not isinstance(only, Iterable) else tuple(only)
    for one in named:
        if one not in SCOPES:
            raise UsageError(f"plan(): only takes {', '.join(SCOPES)}, got {one!r}")
    if not named:
        raise UsageError(f"plan(): only names at least one of {', '.join(SCOPES)}")
    return frozenset(named)


def values(wanted: object) -> list[Desired]:
    """Those that are given, in whichever form; UsageError for anything else."""
    if isinstance(wanted, Mapping):
        return read(wanted)
    if not isinstance(wanted, Iterable) or isinstance(wanted, (str, bytes)):
        raise UsageError(
            f'plan() takes a list of what is wanted, such as [desired.bucket("payments")], got {wanted!r}'
        )
    several = list(wanted)
    for one in several:
        if not isinstance(one, Desired) or one.kind not in ("account", "bucket"):
            raise UsageError(f"plan() takes desired.account() and desired.bucket() values, got {one!r}")
    return several


def targets(several: Iterable[Desired], scope: frozenset[str]) -> list[Target]:
    """In the order of KINDS. UsageError for what is named twice, or cannot be."""
    found: dict[str, Target] = {}
    for one in several:
        if one.kind == "bucket":
            _add(one, None, scope, found)
    return sorted(found.values(), key=lambda target: target.order)


def _add(one: Desired, parent: Target | None, scope: frozenset[str], found: dict[str, Target]) -> bool:
    """Is it, or is anything in it, in the scope?"""
    path = _path(one, parent)
    is_wanted = f"{one.kind}s" in scope
    with_permissions = is_wanted or "permissions" in scope
    target = Target(
        one.kind,
        path,
        _checked(path, one.data) if is_wanted else None,
        _permissions(one, path) if with_permissions and one.permissions is not None else None,
        one.members if is_wanted else None,
        is_wanted,
        parent,
        frozenset(one.children) & scope,
    )
    if str(path) in found:
        raise UsageError(f"plan(): {path} is wanted twice")
    found[str(path)] = target
    # A list, as each of them is to be looked at.
    inside = [_add(child, target, scope, found) for several in one.children.values() for child in several]
    is_concerned = is_wanted or target.permissions is not None or bool(target.whole) or any(inside)
    if not is_concerned:
        del found[str(path)]
    return is_concerned


def _path(one: Desired, parent: Target | None) -> ObjectPath:
    if parent is None:
        if one.id == "default":
            raise UsageError(
                "plan(): the default bucket is known by its real id: client.server_info().user.bucket"
            )
        return BucketPath(one.id)
    path: Any = parent.path
    if one.kind == "record":
        return CollectionPath(path.bucket, path.collection).record(one.id)
    return GroupPath(path.bucket, one.id) if one.kind == "group" else CollectionPath(path.bucket, one.id)


def _checked(path: ObjectPath, data: JSONObject | None) -> JSONObject | None:
    """ValidationError for what Kinto cannot keep."""
    changes.create(path, data or {})
    return data


def _permissions(one: Desired, path: ObjectPath) -> dict[str, tuple[str, ...]]:
    """As Kinto spells them."""
    known = permissions.KNOWN[one.kind]
    found: dict[str, tuple[str, ...]] = {}
    given: Mapping[str, Principals] = one.permissions or {}
    for name, held in given.items():
        kinto_name = name.replace("_", ":") if isinstance(name, str) else ""
        if kinto_name not in known:
            raise UsageError(f"{path}: there is no permission {name!r} here, only {', '.join(known)}")
        if kinto_name in found:
            raise UsageError(f"{path}: the permission {kinto_name} is given twice: leave one of them out")
        found[kinto_name] = permissions.principals(held, path.bucket)
    return found
