"""DryRun: what would have been sent; DryRunTransport: reads for real, and rehearses the writes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import attrs

from ..protocol.objects import Response
from ..protocol.operations import Operation, drive
from ..rehearsal.rehearsal import Rehearsal
from ..rehearsal.stage import Stage
from .base import Transport


class DryRun:
    """The writes that a dry run did not send, in order; print() shows them.

    Iterating gives the operations. Those of a batch are there one by one. Passwords of accounts are
    not kept. It can be shared by threads.
    """

    def __init__(self) -> None:
        self._writes: list[tuple[Operation[Any], int]] = []
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<DryRun of {len(self)} writes>"

    def __str__(self) -> str:
        with self._lock:
            writes = list(self._writes)
        return "\n".join(_line(*one) for one in writes) or "nothing would be written"

    def __len__(self) -> int:
        return len(self.operations)

    def __iter__(self) -> Iterator[Operation[Any]]:
        return iter(self.operations)

    @property
    def operations(self) -> list[Operation[Any]]:
        """The writes, also those that the server would refuse."""
        with self._lock:
            return [operation for operation, _ in self._writes]

    def keep(self, operation: Operation[Any], response: Response) -> None:
        with self._lock:
            self._writes.append((_without_password(operation), response.status))


class DryRunTransport:
    """In front of another transport, which it sends GET and HEAD only."""

    def __init__(self, inner: Transport, record: DryRun) -> None:
        self.inner = inner
        self._stage = Stage(lambda: time.time_ns() // 1_000_000)
        self._rehearsal = Rehearsal(self._stage, record.keep)
        self._lock = threading.Lock()
        self.is_over = False

    def __repr__(self) -> str:
        return f"<DryRunTransport {self.inner!r}>"

    def send(self, operation: Operation[Any]) -> Response:
        if self.is_over:
            return self.inner.send(operation)
        with self._lock:
            if self._rehearsal.concerns(operation):
                return drive(self._rehearsal.answer(operation), self._read)
        # Without the lock, so that threads read at the same time.
        response = self.inner.send(operation)
        with self._lock:
            self._stage.notice(response)
        return response

    def close(self) -> None:
        self.inner.close()

    def end(self) -> None:
        """From now on everything is sent."""
        self.is_over = True

    def _read(self, reading: Operation[Any]) -> Response:
        response = self.inner.send(reading)
        self._stage.notice(response)
        return response


def _line(operation: Operation[Any], status: int) -> str:
    return f"{operation}\n  would be refused: {status}" if status >= 400 else str(operation)


def _without_password(operation: Operation[Any]) -> Operation[Any]:
    body = operation.body
    if (
        operation.path.startswith("/accounts/")
        and isinstance(body, dict)
        and "password" in body.get("data", {})
    ):
        return attrs.evolve(operation, body={**body, "data": {**body["data"], "password": "***"}})
    return operation
