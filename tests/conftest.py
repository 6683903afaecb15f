"""The real Kinto that most tests run against, once on each of its back ends."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest
from hypothesis import settings

from kintomodel.protocol import operations
from kintomodel.resources.client import Client
from kintomodel.testing import KintoServer, postgresql
from kintomodel.testing.server import Backend

# The same examples each time, so that a change is not blamed for what chance finds; those that
# KINTOMODEL_EXAMPLES asks for are others each time.
settings.register_profile("repeatable", derandomize=True, database=None)
if "KINTOMODEL_EXAMPLES" not in os.environ:
    settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[..., KintoServer]]:
    """Start the Kinto of a back end with such settings, once: it runs until all tests have.

    `server` would end its own whenever its parameter changes, which is twice in each file.
    """
    with ExitStack() as stack:

        @cache
        def start(backend: Backend, **settings: str | int) -> KintoServer:
            reason = postgresql.unavailable() if backend == "postgresql" else None
            if reason is not None:
                pytest.skip(reason)
            return stack.enter_context(KintoServer(backend, settings=settings))

        yield start


@pytest.fixture(scope="session", params=["memory", "postgresql"])
def server(request: pytest.FixtureRequest, servers: Callable[..., KintoServer]) -> KintoServer:
    """One Kinto for the whole run; it is emptied by `client`."""
    running: KintoServer = servers(request.param)
    return running


@pytest.fixture
def strict_server(servers: Callable[..., KintoServer]) -> KintoServer:
    """The isolation level that makes If-Match atomic; who meets others waits for one second."""
    running: KintoServer = servers(
        "postgresql", storage_isolation_level="REPEATABLE READ", retry_after_seconds=1
    )
    return running


@pytest.fixture
def client(server: KintoServer) -> Iterator[Client]:
    """A client of an empty server, as an account that may create buckets."""
    server.flush()
    with server.client() as one:
        yield one


@pytest.fixture
def payments(client: Client) -> Iterator[Client]:
    """The active client of a server that has nothing but the empty collection payments/receipts."""
    client.connection.perform(operations.create("/buckets/payments", {}))
    client.connection.perform(operations.create("/buckets/payments/collections/receipts", {}))
    with client.activate():
        yield client


@pytest.fixture
def nowhere() -> Iterator[Client]:
    """The active client of a server that is not there: enough for what is refused unsent."""
    with Client("http://127.0.0.1:9/v1", retries=0) as client, client.activate():
        yield client
