"""HTTPTransport: operations over requests."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import time
import warnings
from collections.abc import Mapping
from functools import partial
from types import FrameType
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from requests.hooks import default_hooks
from requests.utils import select_proxy

from ..errors import ConnectionFailed, Timeout, TransportError, UsageError
from ..protocol.objects import Body, Response
from ..protocol.operations import Operation
from .auth import Auth, authorization
from .decoding import decoder, splitter
from .sessions import Prepared, Sessions, environment

logger = logging.getLogger("kintomodel")

_EXPECTED_URL = "expected the URL of a Kinto server such as http://localhost:8888/v1"
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PRINTABLE = r"[ -~]*"
_PLAIN = r"[A-Za-z0-9/_~-]*"
"""A path that is a URL's as it stands."""

_BAD_PROXY = (
    "the proxy that the environment names (HTTP_PROXY, HTTPS_PROXY or ALL_PROXY) cannot be used: check its "
    "URL and its kind (socks needs requests[socks]), or name the server in NO_PROXY"
)
_BROKEN_OFF = (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)
"""A short or a garbled body."""

_AT_ONCE = 2**20
"""In bytes. requests itself takes ten thousand, a hundred times for a large page."""

DEFAULT_TIMEOUT = (3.05, 30.0)
"""Seconds to connect, and between two bytes of the answer."""


def root_url(url: str) -> str:
    """The root of the API without a slash at the end. A URL of a host alone gets Kinto's /v1."""
    if not isinstance(url, str):
        raise UsageError(f"{_EXPECTED_URL}, got {type(url).__name__}")
    # Wherever it stands: a password with a slash in it would be taken for a port and a path.
    if "@" in url:
        raise UsageError("give credentials as auth=, not in the URL: URLs end up in logs")
    if not _is_http(url):
        raise UsageError(f"{_EXPECTED_URL}, got {url!r}")
    parts = urlsplit(url)
    if parts.query or parts.fragment:
        raise UsageError("the URL of the API's root has no query and no fragment")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/') or '/v1'}"


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna")
        complete = parts.scheme in ("http", "https") and host and parts.port != 0
    except ValueError:  # no IPv6 address in the brackets, a port that is no number, a host of "a..b"
        return False
    return bool(complete) and url.isprintable() and " " not in url


class HTTPTransport:
    """As many connections as there are requests at the same time.

    timeout: seconds, for both or as (connect, read); None waits for ever.
    headers: sent with every request. A redirection is not followed, so credentials stay with
    the host that they were given for.
    """

    def __init__(
        self,
        url: str,
        auth: Auth = None,
        *,
        timeout: float | tuple[float, float] | None = DEFAULT_TIMEOUT,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.url = root_url(url)
        self._auth = authorization(auth)
        self._timeout = _checked_timeout(timeout)
        self._sessions = Sessions(self.url, {"Accept": "application/json", **_checked_headers(headers or {})})
        self._alerts: set[str] = set()

    def __repr__(self) -> str:
        return f"<HTTPTransport {self.url}>"

    def send(self, operation: Operation[Any]) -> Response:
        """The answer; raises ConnectionFailed or Timeout. Redirections are answers."""
        started = time.perf_counter()
        handled = sys.exc_info()[1]
        try:
            with self._sessions.one() as prepared, self._request(operation, prepared) as answer:
                content = b"".join(answer.iter_content(_AT_ONCE))
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
            if self._has_proxy():
                # Not from the error: its text may hold a part of the proxy's password.
                raise UsageError(f"{operation.method} {self.url}{operation.path}: {_BAD_PROXY}") from None
            raise UsageError(f"{_EXPECTED_URL}, got {self.url!r}") from error
        except requests.exceptions.RequestException as error:
            raise self._unanswered(operation, error, handled) from error
        except OSError as error:
            self._require_certificates(error)
            raise
        milliseconds = (time.perf_counter() - started) * 1000
        logger.debug("%s %s %s %.0f ms", operation.method, operation.path, answer.status_code, milliseconds)
        self._warn(answer.headers.get("Alert"), operation)
        return _response(answer, content)

    def close(self) -> None:
        self._sessions.close()

    def _request(self, operation: Operation[Any], prepared: Prepared) -> requests.Response:
        session, request = prepared.session, prepared.request.copy()
        request.method = operation.method
        request.hooks = default_hooks()  # the copy shares them, and some kinds of auth add their own
        self._set_url(request, operation)
        request.headers.update(operation.headers)
        if operation.body is not None:
            body = json.dumps(operation.body, ensure_ascii=False, allow_nan=False).encode()
            # Exactly this: with a charset Kinto 26.5 takes some types for others.
            request.headers["Content-Type"] = "application/json"
            request.prepare_body(body, None)
        elif operation.method not in ("GET", "HEAD"):
            request.prepare_content_length(None)
        if session.cookies:
            request.prepare_cookies(session.cookies)
        # The operation's own credentials count more than the client's.
        if "Authorization" not in operation.headers:
            request.prepare_auth(self._auth)
        return session.send(request, timeout=self._timeout, allow_redirects=False, **prepared.environment)

    def _set_url(self, request: requests.PreparedRequest, operation: Operation[Any]) -> None:
        if re.fullmatch(_PLAIN, operation.path):
            query = f"?{urlencode(operation.params)}" if operation.params else ""
            request.url = f"{request.url}{operation.path}{query}"
        else:
            request.prepare_url(self.url + operation.path, dict(operation.params))

    def _has_proxy(self) -> bool:
        proxies = environment(requests.Session(), self.url).get("proxies")
        return select_proxy(self.url, proxies) is not None

    def _require_certificates(self, error: OSError) -> None:
        """requests looks for them with the first request over https, and raises a bare OSError."""
        trusted = environment(requests.Session(), self.url).get("verify")
        if isinstance(trusted, str) and not os.path.exists(trusted):
            raise UsageError(
                f"there are no trusted certificates at {trusted}, which REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE "
                "names: correct the variable"
            ) from error

    def _unanswered(
        self,
        operation: Operation[Any],
        error: requests.exceptions.RequestException,
        handled: BaseException | None,
    ) -> TransportError:
        cause, advice = _innermost(error, handled), "is the server running there?"
        kind: type[TransportError] = ConnectionFailed
        # requests calls it a ConnectionError if the time is over in the middle of an answer.
        if isinstance(error, requests.exceptions.Timeout) or isinstance(cause, TimeoutError):
            kind, reason = Timeout, "no answer in time"
        elif isinstance(error, requests.exceptions.ConnectionError):
            reason = _first_line(cause)
            if isinstance(error, requests.exceptions.SSLError):
                advice = "does the server speak https there, with a certificate that is trusted?"
            if isinstance(error, requests.exceptions.ProxyError):
                advice = "a proxy that the environment names stands in between: is it running there?"
        elif isinstance(error, _BROKEN_OFF):
            reason = "the answer broke off"
        else:  # nothing of its text, which may hold the value of a header
            reason = type(error).__name__
        return kind(f"{operation.method} {self.url}{operation.path}: {reason}; {advice}")

    def _warn(self, alert: str | None, operation: Operation[Any]) -> None:
        """A server near its end of life says so in each answer: repeat it once.

        https://docs.kinto-storage.org/en/stable/api/1.x/backoff.html
        """
        if alert is None or alert in self._alerts:
            return
        self._alerts.add(alert)
        text = f"{self.url} alerts: {alert}"
        # Python shows a DeprecationWarning only if it is the user's own line that it points to.
        try:
            warnings.warn(text, DeprecationWarning, stacklevel=_frames_of_ours())
        except DeprecationWarning:  # warnings are errors here
            if operation.is_read:
                raise
            logger.warning("%s", text)  # the write was done, and its answer must not get lost


def _response(answer: requests.Response, content: bytes) -> Response:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Response(
        answer.status_code, headers, decode=partial(_body, content), split=partial(splitter(), content)
    )


def _body(content: bytes) -> Body:
    if not content:
        return Body()
    try:
        return Body(decoder()(content))
    except (ValueError, RecursionError):
        start = content[:800].decode(errors="replace")[:200]
        return Body(unreadable=" ".join(start.split()))


def _innermost(error: BaseException, handled: BaseException | None) -> BaseException:
    """Where it began: what was raised later holds object addresses in its text.

    handled: what the caller was handling already when he asked; it has no part in this.
    """
    inner = error
    while (cause := inner.__cause__ or inner.__context__) is not None and cause is not handled:
        inner = cause
    return inner


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _frames_of_ours() -> int:
    """How many frames there are up to the first one outside of this package; 1 is the caller's."""
    package = __name__.partition(".")[0]
    frame: FrameType | None = sys._getframe(1)
    level = 1
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame = frame.f_back
        level += 1
    return level


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """What requests and http.client refuse only when it is sent, with the value in the message."""
    for name, value in headers.items():
        if not isinstance(name, str) or not re.fullmatch(_TOKEN, name):
            raise UsageError(f"{name!r} is no name of a header")
        if not isinstance(value, str) or value != value.strip() or not re.fullmatch(_PRINTABLE, value):
            raise UsageError(f"the header {name} needs a value of printable ASCII text on one line")
    return dict(headers)


def _checked_timeout(
    timeout: float | tuple[float, float] | None,
) -> float | tuple[float, float] | None:
    both = timeout if isinstance(timeout, tuple) else (timeout, timeout)
    if len(both) == 2 and all(one is None or (isinstance(one, (int, float)) and one > 0) for one in both):
        return timeout
    raise UsageError(f"timeout is seconds, more than 0, or a tuple (connect, read), got {timeout!r}")
