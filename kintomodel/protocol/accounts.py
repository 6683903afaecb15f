"""Users of the accounts plugin. The hash of a password, which Kinto shows, goes no further than here.

https://docs.kinto-storage.org/en/stable/api/1.x/accounts.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from ..errors import Conflict, ValidationError
from . import operations, responses
from .objects import Response
from .operations import Flow, Operation
from .values import JSONObject

T = TypeVar("T")

_ACCOUNT_ID = r"[a-zA-Z0-9][a-zA-Z0-9+.@_-]*"
# bcrypt takes no more, and Kinto 26.5 answers 500 to that.
_LONGEST_PASSWORD = 72


class Account(NamedTuple):
    """A user of the accounts plugin. principal: to be given permissions. data: without the password."""

    id: str
    last_modified: int
    data: JSONObject

    @property
    def principal(self) -> str:
        return f"account:{self.id}"


def create_account(id: str, password: str) -> Flow[Account]:
    """Conflict if it is there."""
    return _account("PUT", id, password, {"If-None-Match": "*"})


def change_password(id: str, password: str) -> Flow[Account]:
    return _account("PATCH", id, password, {})


def delete_account(id: str) -> Flow[None]:
    yield from _without_details(iter(operations.delete(_account_path(id))))


def _account(method: str, id: str, password: str, headers: Mapping[str, str]) -> Flow[Account]:
    if (
        not isinstance(password, str)
        or not 0 < len(password.encode()) <= _LONGEST_PASSWORD
        or "\0" in password
    ):
        raise ValidationError(f"a password is a text of 1 to {_LONGEST_PASSWORD} bytes without NUL")
    body = {"data": {"password": password}}
    operation = Operation(method, _account_path(id), _read_account, headers=headers, body=body)
    return _without_details(iter(operation))


def _account_path(id: str) -> str:
    if not isinstance(id, str) or not re.fullmatch(_ACCOUNT_ID, id):
        raise ValidationError(
            f"{id!r} is no account id: Kinto takes letters, digits and '-_+.@', and the first one is "
            "a letter or a digit"
        )
    return f"/accounts/{id}"


def _read_account(response: Response) -> Account:
    stored = responses.stored_object(response)
    data = {
        key: value for key, value in stored.data.items() if key not in ("password", "id", "last_modified")
    }
    return Account(stored.id, stored.last_modified, data)


def _without_details(flow: Flow[T]) -> Flow[T]:
    """Kinto shows the hash of the password in the details of a 412, too (26.5)."""
    try:
        return (yield from flow)
    except Conflict as error:
        error.details = None
        raise
