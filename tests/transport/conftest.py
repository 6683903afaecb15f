from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from kintomodel.transport.http import HTTPTransport

from ..scripted_server import Answer, Close, ScriptedServer


@pytest.fixture
def scripted() -> Iterator[Callable[..., ScriptedServer]]:
    """Start servers that answer from a script, and end them after the test."""
    with ExitStack() as stack:
        yield lambda *script: stack.enter_context(ScriptedServer(*script))


@pytest.fixture
def carry(scripted) -> Iterator[Callable[..., tuple[HTTPTransport, ScriptedServer]]]:
    """A transport to a server of its own; it is closed after the test."""
    with ExitStack() as stack:

        def start(*script: Answer | Close, **options) -> tuple[HTTPTransport, ScriptedServer]:
            server = scripted(*script)
            transport = HTTPTransport(server.url, **options)
            stack.callback(transport.close)
            return transport, server

        yield start
