"""Who may do what: principals, and the permissions that each kind of object knows.

https://docs.kinto-storage.org/en/stable/api/1.x/permissions.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from ..errors import UsageError, ValidationError
from .objects import ServerInfo
from .paths import GroupPath
from .values import check

BUCKET = ("read", "write", "collection:create", "group:create")
COLLECTION = ("read", "write", "record:create")
GROUP = ("read", "write")
RECORD = ("read", "write")
KNOWN = {
    "bucket": BUCKET,
    "collection": COLLECTION,
    "group": GROUP,
    "record": RECORD,
    "account": ("read", "write"),
}
"""Those that each kind of object knows."""

_ACCOUNT_PREFIX, _GROUP_PREFIX = "account:", "group:"


class Principal(str):
    """Somebody whom a permission can be given to. A str, so it is sent as it stands."""

    __slots__ = ()


Everyone = Principal("system.Everyone")
Authenticated = Principal("system.Authenticated")

Principals: TypeAlias = str | Iterable[str]
"""One principal, or several."""


def account(name: str) -> Principal:
    """The user of an account (the accounts plugin)."""
    if str(name).startswith(_ACCOUNT_PREFIX):
        raise ValidationError(f"account({name!r}): give the name alone, as in account('bob')")
    return Principal(f"{_ACCOUNT_PREFIX}{name}")


def group(name: str, bucket: str | None = None) -> Principal:
    """The members of a group. bucket: the one that holds it; None: the object's own."""
    if bucket is None:
        return Principal(f"{_GROUP_PREFIX}{name}")
    if bucket == "default":
        raise ValidationError(_no_default(f"group({name!r}, {bucket!r})"))
    return Principal(GroupPath(bucket, name))


def principals(given: Principals, bucket: str) -> tuple[str, ...]:
    """Each principal once, as Kinto spells it: `group:friends` becomes the group's path.

    bucket: where a group without a bucket is looked for. Kinto itself takes any string for a
    principal, so a typo is found out by nobody: what can be refused, is.
    """
    several = [given] if isinstance(given, str) else given
    if not isinstance(several, Iterable):
        raise UsageError(f"expected a principal or several, got {given!r}")
    return tuple(dict.fromkeys(_principal(one, bucket) for one in several))


def user_ids(given: Principals) -> tuple[str, ...]:
    """Each member of a group once; UsageError or ValidationError for what can be none."""
    found = [given] if isinstance(given, str) else given
    if not isinstance(found, Iterable):
        raise UsageError(f"expected a member or several, got {given!r}")
    return tuple(dict.fromkeys(map(_user_id, found)))


def _user_id(given: object) -> str:
    if not isinstance(given, str):
        raise UsageError(f"a member is a user id such as 'account:bob', got {given!r}")
    if not given or given != given.strip() or given.startswith(("/", "system.", _GROUP_PREFIX)):
        raise ValidationError(f"{given!r} cannot be in a group: Kinto takes user ids such as 'account:bob'")
    check(given, f"the member {given!r}")
    return given


def added_writer(info: ServerInfo) -> str | None:
    """Whom the server gives the right to write whatever we write; None if it does so with nobody."""
    if info.settings.get("explicit_permissions") is False:
        return None
    return Everyone if info.user is None else info.user.id


def is_public(given: object) -> bool:
    """UsageError for what is neither True nor False, as "no" would be true."""
    if not isinstance(given, bool):
        raise UsageError(f"public takes True or False, got {given!r}")
    return given


def _principal(given: object, bucket: str) -> str:
    if not isinstance(given, str):
        raise UsageError(f"a principal is a string such as 'account:bob', got {given!r}")
    if given.startswith(_GROUP_PREFIX):
        if bucket == "default":
            raise ValidationError(_no_default(repr(given)))
        return str(GroupPath(bucket, given[len(_GROUP_PREFIX) :]))
    if given.startswith("/buckets/default/"):
        raise ValidationError(_no_default(repr(given)))
    if not given or given != given.strip():
        raise ValidationError(f"{given!r} is no principal")
    check(given, f"the principal {given!r}")
    return str(given)


def _no_default(shown: str) -> str:
    return (
        f"{shown}: Kinto knows the groups of your default bucket by its real id only: "
        "use group(name, bucket=client.server_info().user.bucket)"
    )
