"""Sessions: those of requests that a transport has, each with its connection to the server."""

from __future__ import annotations

import os
import time
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


_LONGEST_IDLE = 60.0
"""Seconds. Servers give up connections after some time, and the oldest may never be wanted again."""


@attrs.define(eq=False)
class Prepared:
    """A session, and what is prepared once for all its requests: with each it would take ten times as long.

    environment: proxies and certificates. process: the one that it was made in. opening: how often
    the sessions had been closed by then. idle_since: seconds, as time.monotonic() counts them.
    """

    session: requests.Session
    request: requests.PreparedRequest
    environment: dict[str, Any]
    process: int
    opening: int
    idle_since: float = 0.0


class Sessions:
    """As many as are wanted at the same time. headers: sent with every request."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url, self._headers = url, headers
        # Without a lock, which a process that is forked meanwhile would wait for: its steps are atomic.
        self._idle: list[Prepared] = []
        self._opening = 0

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
            self._give_back(prepared)

    def close(self) -> None:
        """Close those that are idle, and others once they are given back; using it again makes new ones."""
        self._opening += 1
        while (prepared := self._pop(-1)) is not None:
            prepared.session.close()

    def _take(self) -> Prepared:
        while (prepared := self._pop(-1)) is not None:
            # A forked process shares its parent's connections, and would read its parent's answers.
            if prepared.process != os.getpid():
                continue
            if prepared.opening == self._opening:
                return prepared
            prepared.session.close()
        return self._made()

    def _give_back(self, prepared: Prepared) -> None:
        if prepared.opening != self._opening:
            prepared.session.close()
            return
        prepared.idle_since = time.monotonic()
        self._idle.append(prepared)
        while self._is_first_stale() and (first := self._pop(0)) is not None:
            first.session.close()

    def _is_first_stale(self) -> bool:
        # The one last used is at the other end.
        return any(time.monotonic() - one.idle_since > _LONGEST_IDLE for one in self._idle[:1])

    def _pop(self, at: int) -> Prepared | None:
        try:
            return self._idle.pop(at)
        except IndexError:
            return None

    def _made(self) -> Prepared:
        session = _Session()
        session.headers.update(self._headers)
        request = session.prepare_request(requests.Request("GET", self._url, auth=_as_it_is))
        return Prepared(session, request, environment(session, self._url), os.getpid(), self._opening)


def environment(session: requests.Session, url: str) -> dict[str, Any]:
    """The proxies and certificates for a URL, as requests finds them; and that a body is read by us."""
    return dict(session.merge_environment_settings(url, {}, True, None, None))


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
