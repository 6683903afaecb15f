"""A transport that loses answers, one after the other as it is told."""

from __future__ import annotations

from typing import Any

import pytest

from kintomodel import ConnectionFailed
from kintomodel.protocol.objects import Response


class Cutting:
    """In front of a transport: each request gets through, and the answers named are lost.

    fates: for one request after the other: None, "cut", "unsent" for one that gets lost itself, a status that
    a proxy answers with, what is raised once it is sent, or what is to happen before.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.fates: list[Any] = []
        self.methods: list[str] = []

    def send(self, operation: Any) -> Response:
        self.methods.append(operation.method)
        fate = self.fates.pop(0) if self.fates else None
        if callable(fate):
            fate = fate()
        if fate == "unsent":
            raise ConnectionFailed(f"{operation.method} {operation.path}: not sent")
        response = self.inner.send(operation)
        if fate == "cut":
            raise ConnectionFailed(f"{operation.method} {operation.path}: cut")
        if isinstance(fate, BaseException):
            raise fate
        return Response(fate) if fate else response

    def close(self) -> None:
        self.inner.close()


def interrupt() -> None:
    raise KeyboardInterrupt


INTERRUPTS = pytest.mark.parametrize(
    "fate", [KeyboardInterrupt(), DeprecationWarning("the end"), interrupt], ids=["sent", "alert", "unsent"]
)
