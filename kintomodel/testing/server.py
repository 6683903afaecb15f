"""KintoServer: a real Kinto in a process of its own, started and emptied in no time."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, TypeAlias

from typing_extensions import Self

from ..errors import UsageError
from ..resources.client import Client
from ..transport.auth import Auth
from . import postgresql
from .child import Child

Backend: TypeAlias = Literal["memory", "postgresql"]
Setting: TypeAlias = str | int | float | bool | None

START_TIMEOUT = 30.0
"""Seconds that Kinto has to come up. It takes less than one on an idle machine."""

_ACCOUNT = ("tester", "secret")

_SETTINGS: dict[str, Setting] = {
    "includes": (
        "kinto.plugins.accounts kinto.plugins.default_bucket kinto.plugins.history kinto.plugins.flush"
    ),
    "multiauth.policies": "account",  # alone: basicauth would let every password in
    "multiauth.policy.account.use": "kinto.plugins.accounts.AccountsPolicy",
    "account_create_principals": "system.Everyone",
    "account_cache_ttl_seconds": 86400,  # of a verified password; Kinto's default is 30
    "bucket_create_principals": "system.Authenticated",
    "experimental_collection_schema_validation": True,
    "experimental_permissions_endpoint": True,
    "userid_hmac_secret": "kintomodel",
    "default_bucket_hmac_secret": "kintomodel",
}


class KintoServer:
    """A real Kinto on a port of this machine, empty but for one account.

    backend: "postgresql" starts a private PostgreSQL too, from the programs of this machine.
    settings: of Kinto, on top of ours, named as in its ini file, with or without "kinto.".
    port: 0 takes a free one. timeout: seconds to wait for it to come up.

    It ends with stop(), with the `with` block, or with our process, however that ends.
    https://docs.kinto-storage.org/en/stable/configuration/settings.html
    """

    def __init__(
        self,
        backend: Backend = "memory",
        *,
        settings: Mapping[str, Setting] | None = None,
        port: int = 0,
        timeout: float = START_TIMEOUT,
    ) -> None:
        if backend not in ("memory", "postgresql"):
            raise UsageError(f'expected the back end "memory" or "postgresql", got {backend!r}')
        if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port <= 65535:
            raise UsageError(f"a port is a number from 0 to 65535, got {port!r}")
        self.backend: Backend = backend
        self.auth = _ACCOUNT
        self._wanted_settings = dict(settings or {})
        self._wanted_port = port
        self._timeout = timeout
        self._running: ExitStack | None = None
        self._child: Child | None = None
        self._port = 0

    def __repr__(self) -> str:
        where = f"at {self.url}" if self._running is not None else "not running"
        return f"<KintoServer {self.backend} {where}>"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers: about 0.8 s, with PostgreSQL 2.5 s.

        UsageError if it runs already, if Kinto or PostgreSQL are not installed, or if the port is
        taken; ConnectionFailed, with the end of its log, if it does not come up.
        """
        if self._running is not None:
            raise UsageError("this KintoServer runs already; stop() it first, or make another")
        if find_spec("kinto") is None:
            raise UsageError('Kinto is not installed: pip install "kintomodel[server]"')
        with ExitStack() as stack:
            settings = _SETTINGS | _unprefixed(self._wanted_settings)
            if self.backend == "postgresql":
                settings |= _storage(stack.enter_context(postgresql.cluster(self._timeout)))
            program = Path(__file__).with_name("kinto_process.py")
            self._child = Child("Kinto", [sys.executable, str(program)], timeout=self._timeout)
            stack.enter_context(self._child)
            first = {"settings": settings, "port": self._wanted_port, "account": self.auth}
            self._port = _ask(self._child, first)["port"]
            self._running = stack.pop_all()

    def stop(self) -> None:
        """End it; what it stored is gone. Does nothing if it does not run."""
        if self._running is not None:
            self._running.close()
            self._running = None

    @property
    def url(self) -> str:
        """The root of its API, such as http://127.0.0.1:41234/v1."""
        self._require_running()
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def log(self) -> str:
        """The end of what Kinto wrote on its stderr, also after it was stopped."""
        return self._child.log if self._child is not None else ""

    def client(self, auth: Auth = None) -> Client:
        """A new client; auth: None is the server's own account, which may create buckets."""
        return Client(self.url, auth=auth or self.auth)

    def flush(self) -> None:
        """Empty it: all that remains is its own account. Takes a few milliseconds."""
        self._command("flush")

    def create_account(self, name: str, password: str) -> tuple[str, str]:
        """Create an account, or give it this password if it is there; returns the auth for it.

        UsageError if Kinto does not take such a name or password.
        """
        self._command("account", name, password)
        return name, password

    def _command(self, *words: str) -> None:
        _ask(self._require_running(), words)

    def _require_running(self) -> Child:
        if self._running is None or self._child is None:
            raise UsageError("this KintoServer does not run: call start(), or use it in a with block")
        return self._child


def _ask(child: Child, question: object) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(child.ask(json.dumps(question)))
    if "refused" in answer:
        raise UsageError(answer["refused"])
    return answer


def _unprefixed(settings: Mapping[str, Setting]) -> dict[str, Setting]:
    # Kinto refuses a setting that is given both with and without its prefix.
    return {name.removeprefix("kinto."): value for name, value in settings.items()}


def _storage(url: str) -> dict[str, Setting]:
    return {
        f"{role}_{part}": value
        for role in ("storage", "permission", "cache")
        for part, value in (("backend", f"kinto.core.{role}.postgresql"), ("url", url))
    }
