"""Servers as they are set up in production: small pages and batches."""

from collections.abc import Iterator

import pytest

from kintomodel.testing import KintoServer, postgresql
from kintomodel.testing.server import Backend


@pytest.fixture(scope="session", params=["memory", "postgresql"])
def server(request: pytest.FixtureRequest) -> Iterator[KintoServer]:
    backend: Backend = request.param
    reason = postgresql.unavailable() if backend == "postgresql" else None
    if reason is not None:
        pytest.skip(reason)
    settings = {
        "paginate_by": 100,
        "batch_max_requests": 25,
        "account_write_principals": "account:tester",
        "account_read_principals": "account:tester",
    }
    with KintoServer(backend, settings=settings) as running:
        yield running
