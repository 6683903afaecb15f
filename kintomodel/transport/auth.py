"""Who we are, in the forms that users have it: what requests takes, and two kinds of text."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import TypeAlias

from requests import PreparedRequest
from requests.auth import AuthBase

from ..errors import UsageError

Auth: TypeAlias = tuple[str, str] | str | AuthBase | Callable[[PreparedRequest], PreparedRequest] | None
"""(user, password), "user:password", "Bearer token", or what requests takes; None: anonymous."""

_EXPECTED = 'auth is ("user", "password"), "user:password", "Bearer token" or a requests AuthBase'


class Authorization(AuthBase):
    """Sets the header; shows nothing of it."""

    def __init__(self, header: str | None) -> None:
        self._header = header

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        # Even without credentials it is an auth of its own, or requests would look into ~/.netrc.
        if self._header is not None:
            r.headers["Authorization"] = self._header
        return r

    def __repr__(self) -> str:
        return "<anonymous>" if self._header is None else "<credentials>"


def authorization(auth: Auth) -> Callable[[PreparedRequest], PreparedRequest]:
    """The same as a callable that signs a request; UsageError, without the value, if it is none."""
    if auth is None:
        return Authorization(None)
    if isinstance(auth, str):
        return _from_text(auth)
    if isinstance(auth, (tuple, list)):
        if len(auth) != 2 or not all(isinstance(part, str) for part in auth):
            raise UsageError(f"{_EXPECTED}; got a {type(auth).__name__} of other content")
        return _basic(*auth)
    if callable(auth):
        return auth
    raise UsageError(f"{_EXPECTED}; got {type(auth).__name__}")


def _from_text(text: str) -> Authorization:
    scheme, blank, rest = text.strip().partition(" ")
    # "bob smith:secret" is a user with a blank in the name.
    if blank and rest.strip() and (scheme.lower() == "bearer" or ":" not in text):
        return Authorization(_header(f"{scheme} {rest.strip()}"))
    user, colon, password = text.partition(":")
    if not colon or not user:
        raise UsageError(f"{_EXPECTED}; got a text of neither form")
    return _basic(user, password)


def _basic(user: str, password: str) -> Authorization:
    if ":" in user:
        raise UsageError("a user name cannot hold a ':' (HTTP basic authentication)")
    try:
        encoded = f"{user}:{password}".encode()
    except UnicodeEncodeError:
        raise UsageError("the user or the password holds a lone surrogate, which is no character") from None
    return Authorization("Basic " + b64encode(encoded).decode())


def _header(value: str) -> str:
    if not value.isprintable() or not value.isascii():
        raise UsageError("a token is printable ASCII text on one line")
    return value
