"""Users of the accounts plugin. The hash of a password, which Kinto shows, goes no further than here.

https://docs.kinto-storage.org/en/stable/api/1.x/accounts.html
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeVar

from ..errors import (
    Conflict,
    Forbidden,
    KintoError,
    NotFound,
    Unauthorized,
    ValidationError,
)
from ..protocol import operations, responses
from ..protocol.objects import Response
from ..protocol.operations import Flow, Operation
from ..protocol.values import JSONObject, Secret, check
from . import settling

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
        """What a permission is given to."""
        return f"account:{self.id}"


def create_account(id: str, password: str) -> Flow[Account]:
    """Conflict if it is there."""
    return _account("PUT", id, password, {"If-None-Match": "*"})


def change_password(id: str, password: str) -> Flow[Account]:
    return _account("PATCH", id, password, {})


def delete_account(id: str) -> Flow[None]:
    """A GET and a DELETE. The GET shows that the account is there, and who we are: after a lost answer
    the server knows neither."""
    path = _account_path(id)
    yield from _without_details(iter(Operation("GET", path, _read_account)))
    try:
        yield from _without_details(iter(operations.delete(path)))
    except (NotFound, Unauthorized) as error:
        if error.attempts < 2:
            raise
    except KintoError as error:
        if not settling.may_be_done(error):
            raise
        # Who deleted his own account is nobody now.
        gone = yield from settling.is_gone(path, (NotFound, Unauthorized))
        if gone is None:
            settling.give_up(error)
        if not gone:
            raise error from None


def state(id: str, password: str) -> Flow[Literal["same", "other", "missing"]]:
    """Is there such a user, with this password? One GET as that user, and one as us if it is refused.

    One that is hidden from us counts as missing.
    """
    try:
        yield from _read_as(id, password)
    except (Unauthorized, Forbidden, NotFound):
        try:
            yield from Operation("GET", _account_path(id), _read_account)
        except (Unauthorized, Forbidden, NotFound):
            return "missing"
        return "other"
    return "same"


def check_credentials(id: str, password: object) -> None:
    """ValidationError for what Kinto takes neither for an account's id nor for its password."""
    _account_path(id)
    _check_password(password)


def _account(method: str, id: str, password: str, headers: Mapping[str, str]) -> Flow[Account]:
    _check_password(password)
    body = Secret({"data": {"password": password}})
    operation = Operation(method, _account_path(id), _read_account, headers=headers, body=body)
    return _without_details(_settled(operation, id, password))


def _settled(operation: Operation[Account], id: str, password: str) -> Flow[Account]:
    """The account; where an answer was lost, one GET as its user tells whether this is its password.

    Of a creation that is sent again Kinto says that it is there, and to the old password that it is wrong.
    """
    try:
        return (yield from operation)
    except KintoError as error:
        if not settling.may_be_done(error):
            raise
        cause = error
    try:
        return (yield from _read_as(id, password))
    except Unauthorized:
        raise cause from None
    except KintoError:
        settling.give_up(cause)


def _read_as(id: str, password: str) -> Operation[Account]:
    user = b64encode(f"{id}:{password}".encode()).decode()
    headers = Secret({"Authorization": f"Basic {user}"})
    return Operation("GET", _account_path(id), _read_account, headers=headers)


def _check_password(password: object) -> None:
    try:
        check(password)
        size = len(password.encode()) if isinstance(password, str) else 0
    except ValidationError:  # NUL, a lone surrogate, no JSON
        size = 0
    if not 0 < size <= _LONGEST_PASSWORD:
        raise ValidationError(f"a password is a text of 1 to {_LONGEST_PASSWORD} bytes without NUL")


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
