"""A connection over HTTP, as it is made for those who bring none."""

from __future__ import annotations

from collections.abc import Mapping

from ..transport.auth import Auth
from ..transport.connection import Connection
from ..transport.http import DEFAULT_TIMEOUT, HTTPTransport
from ..transport.retry import Patience, RetryTransport


def over_http(
    url: str,
    auth: Auth = None,
    *,
    timeout: float | tuple[float, float] | None = DEFAULT_TIMEOUT,
    retries: int = 3,
    headers: Mapping[str, str] | None = None,
) -> Connection:
    """With retries. Sends nothing yet."""
    carrier = HTTPTransport(url, auth, timeout=timeout, headers=headers)
    return Connection(RetryTransport(carrier, Patience(retries)))
