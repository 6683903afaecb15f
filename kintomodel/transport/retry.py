"""RetryTransport: waits when the server says so, and sends again what can be sent again."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import attrs

from ..errors import TransportError
from ..protocol import responses
from ..protocol.objects import Response
from ..protocol.operations import Operation
from .base import Transport

logger = logging.getLogger("kintomodel")

# 409: two writes met (PostgreSQL); 429, 503: too much at once, or, on PostgreSQL with a stricter
# isolation level, two writes met; 502, 504: a proxy lost the server.
STATUSES = frozenset({409, 429, 502, 503, 504})
STATUSES_OF_READS = STATUSES | {500}
"""500: on PostgreSQL the first who list a new collection at the same moment get it (26.5)."""


@attrs.frozen
class Patience:
    """How often and how long. retries: at most this many beside the first attempt.

    first_wait, longest_wait: seconds; the wait doubles from one to the other, and is then taken
    at random between half of it and all of it, so that clients that failed together do not come
    back together. A server that asks for more than longest_wait is not asked again.
    """

    retries: int = attrs.field(default=3, validator=attrs.validators.ge(0))
    first_wait: float = 0.1
    longest_wait: float = 30.0

    def wait(self, attempt: int, chance: float) -> float:
        """Seconds before the attempt after this one (1 is the first). chance: from 0 to 1."""
        doublings = min(attempt - 1, 60)  # more of them overflow
        longest: float = min(self.first_wait * 2.0**doublings, self.longest_wait)
        return longest * (1 + chance) / 2


class RetryTransport:
    """In front of another transport.

    Sends again: what got no answer, if it may be repeated, and what was answered with 409, 429,
    502, 503 or 504; reads after a 500 as well. The answer counts the attempts, but for those that were
    surely not carried out: a precondition that failed on a second one may have been met by the first.
    Retry-After and Backoff headers are obeyed, up to longest_wait. What a flow repeats is sent after
    the wait that its failures call for.
    clock, sleep, chance: seconds that only grow, wait so many of them, a number from 0 to 1.
    https://docs.kinto-storage.org/en/stable/api/1.x/backoff.html
    """

    def __init__(
        self,
        inner: Transport,
        patience: Patience | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.inner = inner
        self.patience = patience or Patience()
        self._clock, self._sleep, self._chance = clock, sleep, chance
        self._lock = threading.Lock()
        self._not_before = 0.0

    def __repr__(self) -> str:
        return f"<RetryTransport {self.inner!r}>"

    def close(self) -> None:
        self.inner.close()

    def send(self, operation: Operation[Any]) -> Response:
        attempt, undone = 0, 0
        if operation.after_failures:
            self._sleep(self._jitter(operation.after_failures))
        while True:
            attempt += 1
            self._respect_backoff()
            last = attempt > self.patience.retries
            try:
                response = self.inner.send(operation)
            except TransportError as error:
                if last or not operation.is_repeatable:
                    raise
                self._pause(operation, attempt, self._jitter(attempt), str(error))
                continue
            self._note_backoff(response)
            wait = None if last else self._wait_after(operation, response, attempt)
            if wait is None:
                return attrs.evolve(response, attempts=attempt - undone)
            undone += responses.is_undone(response)
            self._pause(operation, attempt, wait, str(response.status))

    def _wait_after(self, operation: Operation[Any], response: Response, attempt: int) -> float | None:
        """Seconds until the next attempt, None if this answer stands."""
        statuses = STATUSES_OF_READS if operation.is_read else STATUSES
        if response.status not in statuses or not operation.is_repeatable:
            return None
        asked = seconds(response.headers.get("retry-after"))
        if asked > self.patience.longest_wait:
            return None
        return max(asked, self._jitter(attempt))

    def _jitter(self, attempt: int) -> float:
        return self.patience.wait(attempt, self._chance())

    def _pause(self, operation: Operation[Any], attempt: int, wait: float, cause: str) -> None:
        logger.info(
            "%s %s: attempt %d failed (%s), next in %.2f s",
            operation.method, operation.path, attempt, cause, wait,
        )  # fmt: skip
        self._sleep(wait)

    def _note_backoff(self, response: Response) -> None:
        backoff = min(seconds(response.headers.get("backoff")), self.patience.longest_wait)
        if backoff:
            with self._lock:
                self._not_before = max(self._not_before, self._clock() + backoff)

    def _respect_backoff(self) -> None:
        wait = self._not_before - self._clock()
        if wait > 0:
            self._sleep(wait)


def seconds(header: str | None) -> float:
    """A Retry-After or Backoff header: a number of seconds or an HTTP date; 0.0 where it is neither."""
    if not header:
        return 0.0
    if header.strip().isdecimal():
        return float(header)
    moment = responses.http_date(header)
    if moment is None:
        return 0.0
    return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())
