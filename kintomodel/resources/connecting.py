"""A connection over HTTP, as it is made for those who bring none."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import UsageError
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
    if not isinstance(retries, int) or isinstance(retries, bool) or retries < 0:
        raise UsageError(f"retries is a number of times, 0 or more, got {retries!r}")
    carrier = HTTPTransport(url, auth, timeout=timeout, headers=headers)
    return Connection(RetryTransport(carrier, Patience(retries)))
