"""A transport that keeps what went through it."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from ..protocol.objects import Response
from ..protocol.operations import Operation
from ..resources.client import Client
from ..transport.base import Transport

Exchange: TypeAlias = tuple[Operation[Any], Response | None]
"""What was asked, and the answer; None where there was none."""


class RecordingTransport:
    """Stands in front of another transport and keeps each operation, once its answer is there.

    Iterating gives the operations. In front of retries it sees an operation once, however often
    it is sent. It can be shared by threads.
    """

    def __init__(self, inner: Transport) -> None:
        self.inner = inner
        self._exchanges: list[Exchange] = []
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<RecordingTransport of {len(self)} operations, {self.inner!r}>"

    def __len__(self) -> int:
        return len(self.exchanges)

    def __iter__(self) -> Iterator[Operation[Any]]:
        return iter(self.operations)

    def send(self, operation: Operation[Any]) -> Response:
        response: Response | None = None
        try:
            response = self.inner.send(operation)
            return response
        finally:
            with self._lock:
                self._exchanges.append((operation, response))

    def close(self) -> None:
        self.inner.close()

    @property
    def exchanges(self) -> list[Exchange]:
        """The operations, each with its answer."""
        with self._lock:
            return list(self._exchanges)

    @property
    def operations(self) -> list[Operation[Any]]:
        """All requests, in order."""
        return [operation for operation, _ in self.exchanges]

    @property
    def writes(self) -> list[Operation[Any]]:
        """The operations that are neither GET nor HEAD; a batch is one, whatever it holds."""
        return [operation for operation in self.operations if not operation.is_read]

    @property
    def last(self) -> Operation[Any]:
        """The latest operation; AssertionError if there is none."""
        operations = self.operations
        if not operations:
            raise AssertionError("nothing was sent")
        return operations[-1]

    def clear(self) -> None:
        """Forget all of it."""
        with self._lock:
            self._exchanges.clear()


@contextmanager
def record(client: Client) -> Generator[RecordingTransport, None, None]:
    """Keep what this client sends inside the block, whichever thread sends it."""
    before = client.connection.transport
    recording = RecordingTransport(before)
    client.connection.transport = recording
    try:
        yield recording
    finally:
        # Somebody may have put another transport in front of it, such as that of a dry run.
        if client.connection.transport is recording:
            client.connection.transport = before
