"""The collection that the models of these tests are bound to."""

from collections.abc import Iterator

import pytest

from kintomodel.protocol import operations
from kintomodel.resources.client import Client


@pytest.fixture
def payments(client: Client) -> Iterator[Client]:
    """The active client of a server that has nothing but the empty collection payments/receipts."""
    client.connection.perform(operations.create("/buckets/payments", {}))
    client.connection.perform(operations.create("/buckets/payments/collections/receipts", {}))
    with client.activate():
        yield client
