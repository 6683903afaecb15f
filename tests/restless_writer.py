"""A thread that writes while something else is tested."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from kintomodel import Client
from kintomodel.protocol.operations import Operation


class RestlessWriter(threading.Thread):
    """Writes until its block ends; writes() says what. written: how often it did."""

    def __init__(self, client: Client, movable: Sequence[str], deletable: Sequence[str]) -> None:
        super().__init__(daemon=True)
        self.client, self.movable, self.deletable = client, movable, list(deletable)
        self.over = threading.Event()
        self.failure: Exception | None = None
        self.written = 0

    def __enter__(self) -> RestlessWriter:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join()
        if self.failure is not None:
            raise self.failure

    def run(self) -> None:
        chance = random.Random(1)
        try:
            # Other tests may run beside this one: leave the server some air.
            while not self.over.wait(0.01):
                for operation in self.writes(chance):
                    self.client.connection.perform(operation)
                    self.written += 1
        except Exception as failure:
            self.failure = failure

    def writes(self, chance: random.Random) -> Iterator[Operation[Any]]:
        """A few of them; those of movable stay, and deletable is taken from."""
        raise NotImplementedError
