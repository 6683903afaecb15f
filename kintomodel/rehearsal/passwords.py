"""Passwords of the accounts that a dry run wrote, of which it keeps digests."""

from __future__ import annotations

import os
from base64 import b64encode
from hashlib import blake2b
from typing import Any

import attrs

from ..protocol.operations import Operation
from .places import Place


@attrs.frozen(eq=False)
class Passwords:
    # With a key of its own no digest can be looked up among those of common passwords.
    _key: bytes = attrs.field(factory=lambda: os.urandom(32), init=False, repr=False)
    _digests: dict[str, bytes] = attrs.field(factory=dict, init=False, repr=False)

    def keep(self, account: Place, password: object) -> None:
        user = b64encode(f"{account.id}:{password}".encode()).decode()
        self._digests[account.path] = self._digest(f"Basic {user}")

    def is_right(self, account: Place, operation: Operation[Any]) -> bool | None:
        """Is it asked for as this account, with its password? None: only the server knows that."""
        known = self._digests.get(account.path)
        return None if known is None else self._digest(operation.headers["Authorization"]) == known

    def _digest(self, header: str) -> bytes:
        return blake2b(header.encode(), key=self._key).digest()
