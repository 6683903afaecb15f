"""Sessions: those of requests that a transport has, each with its connection to the server."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs
import requests


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        # Even if it is told not to follow, requests prepares the next request, and fails with any
        # error at all where the Location is no URL.
        return None


@attrs.frozen(eq=False)
class Prepared:
    """A session, and what is prepared once for all its requests: with each it would take ten times as long.

    environment: proxies and certificates. process: the one that it was made in.
    """

    session: requests.Session
    request: requests.PreparedRequest
    environment: dict[str, Any]
    process: int


class Sessions:
    """As many as are wanted at the same time. headers: sent with every request."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url, self._headers = url, headers
        self._idle: list[Prepared] = []

    @contextmanager
    def one(self) -> Generator[Prepared, None, None]:
        """One that nobody else has meanwhile, the one last used if there are several.

        So who asks for one thing after the other, in whichever threads, does it over one connection, and is
        answered by the same process, which has it all at hand.
        """
        prepared = self._take()
        try:
            yield prepared
        finally:
            self._idle.append(prepared)

    def close(self) -> None:
        """Close those that are idle; others are made when they are wanted."""
        idle, self._idle = self._idle, []
        for prepared in idle:
            prepared.session.close()

    def _take(self) -> Prepared:
        while True:
            try:
                prepared = self._idle.pop()
            except IndexError:
                return self._made()
            # A forked process shares its parent's connections, and would read its parent's answers.
            if prepared.process == os.getpid():
                return prepared

    def _made(self) -> Prepared:
        session = _Session()
        session.headers.update(self._headers)
        request = session.prepare_request(requests.Request("GET", self._url, auth=_as_it_is))
        return Prepared(session, request, environment(session, self._url), os.getpid())


def environment(session: requests.Session, url: str) -> dict[str, Any]:
    """The proxies and certificates for a URL, as requests finds them; and that a body is read by us."""
    return dict(session.merge_environment_settings(url, {}, True, None, None))


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
