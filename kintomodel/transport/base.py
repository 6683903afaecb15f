"""The one door to the network."""

from __future__ import annotations

from typing import Any, Protocol

from ..protocol.objects import Response
from ..protocol.operations import Operation


class Transport(Protocol):
    """Carries an operation to the server. Retrying, recording and testing stand in front of it."""

    def send(self, operation: Operation[Any]) -> Response:
        """The answer, whatever its status; TransportError only where there is none."""
        ...

    def close(self) -> None:
        """Give back connections; using it again opens new ones."""
        ...
