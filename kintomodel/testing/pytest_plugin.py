"""Fixtures for pytest, found by it as soon as kintomodel is installed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..errors import KintoError
from ..resources.client import Client
from .server import KintoServer


@pytest.fixture(scope="session")
def kinto_server() -> Iterator[KintoServer]:
    """A real Kinto in memory, started once for the whole test run."""
    server = KintoServer()
    try:
        server.start()
    except KintoError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    yield server
    server.stop()


@pytest.fixture
def kinto_client(kinto_server: KintoServer) -> Iterator[Client]:
    """A client of kinto_server, which is emptied before the test."""
    kinto_server.flush()
    with kinto_server.client() as client:
        yield client
