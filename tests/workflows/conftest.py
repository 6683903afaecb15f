"""Servers as they are set up in production: small pages and batches."""

from collections.abc import Callable

import pytest

from kintomodel.testing import KintoServer


@pytest.fixture(scope="session", params=["memory", "postgresql"])
def server(request: pytest.FixtureRequest, servers: Callable[..., KintoServer]) -> KintoServer:
    running: KintoServer = servers(
        request.param,
        paginate_by=100,
        batch_max_requests=25,
        account_write_principals="account:tester",
        account_read_principals="account:tester",
    )
    return running
