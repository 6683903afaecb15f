"""How long a client would wait, for tests that need not wait themselves."""

from kintomodel import Client
from kintomodel.transport.retry import RetryTransport


def waits_of(client: Client) -> list[float]:
    """The seconds that it waits from now on, which take no time any more."""
    waits: list[float] = []
    transport = client.connection.transport
    assert isinstance(transport, RetryTransport)
    client.connection.transport = RetryTransport(transport.inner, transport.patience, sleep=waits.append)
    return waits
