"""What a server can do only with a plugin or a setting, and what to say where it cannot."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

from ..errors import KintoError, ResponseError, UnsupportedByServer
from . import operations
from .operations import Operation

T = TypeVar("T")
Step = TypeVar("Step")

ACCOUNTS, HISTORY, PERMISSIONS = "accounts", "history", "permissions_endpoint"
DEFAULT_BUCKET = "default_bucket"
ADVICE = {
    ACCOUNTS: "the plugin kinto.plugins.accounts",
    HISTORY: "the plugin kinto.plugins.history",
    DEFAULT_BUCKET: "the plugin kinto.plugins.default_bucket",
    PERMISSIONS: "the setting kinto.experimental_permissions_endpoint = true",
}


def requiring(capability: str, flow: Generator[Step, Any, T]) -> Generator[Step | Operation[Any], Any, T]:
    """The same flow or stream. If it is refused by a server that lacks the capability, the error says so.

    Costs one GET of the root, only after a refusal.
    """
    try:
        return (yield from flow)
    except ResponseError as error:
        try:
            info = yield from operations.server_info()
        except KintoError:
            raise error from None
        if capability in info.capabilities:
            raise
        raise lacking(f"{error.method} {error.path}", capability) from None


def lacking(asked: str, capability: str) -> UnsupportedByServer:
    """asked: what cannot be done without it, for the message."""
    return UnsupportedByServer(
        f"{asked}: the server lacks the capability {capability!r}; its administrator can enable it with "
        f"{ADVICE[capability]}",
        capability,
    )
