"""Connection: the one place that waits for answers."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Any, TypeVar

import attrs

from ..errors import BadRequest, KintoError, ResponseError, UsageError
from ..protocol import batch, operations
from ..protocol.objects import Page, Response, ServerInfo
from ..protocol.operations import Flow, Operation, Raised
from ..protocol.values import JSONObject
from ..query.scanning import Found, Stream
from .background import HEAD_START, Begun, Threads, first_of
from .base import Transport
from .dry_run import DryRun, DryRunTransport

T = TypeVar("T")

# Kinto is set up with 25; beyond this nothing is gained (measured on PostgreSQL).
LARGEST_BATCH = 100

_TIME_TO_ASK = 0.001
"""In seconds: requests needs half of it until a request is sent."""


@attrs.define(eq=False)
class Connection:
    """Performs operations, and the flows made of them, over a transport."""

    transport: Transport
    _info: ServerInfo | None = attrs.field(default=None, init=False, repr=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)
    _threads: Threads = attrs.field(factory=Threads, init=False, repr=False)
    _dry_run: DryRunTransport | None = attrs.field(default=None, init=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        # Sockets, locks and credentials stay in their process.
        return _of_a_pickle, ()

    def __deepcopy__(self, _: object) -> Connection:
        return self

    __copy__ = __deepcopy__  # it would be made of __reduce__, too

    def close(self) -> None:
        """Wait for what is under way, and give back threads and connections; using it again is fine."""
        self._threads.close()
        self.transport.close()

    def perform(self, operation: Operation[T]) -> T:
        """Send it and read the answer; raises ResponseError or TransportError."""
        try:
            return operation.read(self.transport.send(operation))
        except BadRequest as error:
            if batch.has_too_many(error):
                self._info = None  # it was set up anew since it was asked
            raise

    def run(self, flow: Flow[T]) -> T:
        """Perform what the flow yields until it returns. What an operation raises, is raised in there."""
        return operations.drive(flow, self._answer)

    def stream(self, stream: Stream, *, ahead: bool = True) -> Iterator[JSONObject]:
        """What the stream finds. While it is handed on, what the stream asks next is under way.

        So there are two pages in memory at most, without ahead only one. The first request is made by
        the caller's thread, and what is raised by a later one is raised after all that was found before it.
        """
        begun: Begun[Any] | None = None
        try:
            step: Operation[Any] | Found | None = next(stream)
            while step is not None:
                if isinstance(step, Operation):
                    step = stream.send(self._answer(step))
                    continue
                objects = step.objects
                try:
                    step = next(stream, None)
                except Exception:  # what the stream raises of itself
                    yield from objects
                    raise
                if ahead and isinstance(step, Operation):
                    begun = self._begin(step, _TIME_TO_ASK)
                yield from objects
                del objects
                if begun is not None:
                    step = stream.send(begun.result())
                    begun = None
        except StopIteration:
            return
        finally:
            if begun is not None:
                begun.abandon()

    def streams(self, several: Iterable[Stream], at_once: int) -> Iterator[JSONObject]:
        """What all of them find, in any order, with so many of them under way at a time.

        Of each of those there is one page in memory at most, beside what is handed on.
        """
        waiting = iter(several)
        under_way: dict[Begun[Any], Stream] = {}
        found: list[Iterable[JSONObject]] = []
        try:
            while True:
                while len(under_way) < at_once and (stream := next(waiting, None)) is not None:
                    found += self._go_on(stream, None, under_way)
                yield from chain.from_iterable(found)
                if not under_way:
                    return
                done = first_of(under_way)
                found = self._go_on(under_way.pop(done), done.result(), under_way)
                del done
        finally:
            for begun in under_way:
                begun.abandon()

    def _go_on(
        self, stream: Stream, answer: Any, under_way: dict[Begun[Any], Stream]
    ) -> list[Iterable[JSONObject]]:
        """What it finds up to its next request, which is begun."""
        found: list[Iterable[JSONObject]] = []
        try:
            step = stream.send(answer)
            while isinstance(step, Found):
                found.append(step.objects)
                step = next(stream)
            under_way[self._begin(step)] = stream
        except StopIteration:
            pass
        return found

    def run_each(self, flows: Iterable[Callable[[], Flow[T]]], at_once: int) -> Iterator[T]:
        """The result of each flow, in their order, with so many of them under way at a time.

        They are made where they are run, as a forked process runs those of its parent again.
        """
        under_way: deque[Begun[T]] = deque()
        try:
            for make in flows:
                under_way.append(self._threads.begin(partial(self._run_new, make)))
                if len(under_way) == at_once:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for begun in under_way:
                begun.abandon()

    def _run_new(self, make: Callable[[], Flow[T]]) -> T:
        return self.run(make())

    def _begin(self, operation: Operation[Any], head_start: float = HEAD_START) -> Begun[Any]:
        return self._threads.begin(partial(self._answer, operation), head_start)

    def _answer(self, operation: Operation[Any]) -> Any:
        try:
            return self.perform(operation)
        except KintoError as error:
            return Raised(error)

    def perform_all(self, several: Iterable[Operation[T]]) -> Iterator[T | ResponseError]:
        """In batches of the server's size, in order; the result of each, or its refusal."""
        for chunk in batch.chunks(several, self.batch_size()):
            yield from self.run(batch.run(chunk))

    def pages(self, operation: Operation[Page]) -> Iterator[Page]:
        """All pages of a listing, each asked for when it is wanted."""
        following: Operation[Page] | None = operation
        while following is not None:
            page = self.perform(following)
            yield page
            following = operations.next_page(following, page)

    def batch_size(self) -> int:
        """How many operations one batch takes; one GET of the root, as for server_info()."""
        return min(self.server_info().batch_max_requests or LARGEST_BATCH, LARGEST_BATCH)

    def server_info(self, *, is_about_us: bool = False) -> ServerInfo:
        """As the server showed it the first time, or since a batch was too long; one GET of the root.

        is_about_us: asked once more where we were nobody then, as our account may be there now.
        """
        # Not under the lock: a process that is forked meanwhile would wait for it for ever.
        info = self._info
        if info is None or (is_about_us and info.user is None):
            info = self._info = self.perform(operations.server_info())
        return info

    @property
    def is_in_dry_run(self) -> bool:
        """Are its writes rehearsed at the moment?"""
        # It may have been made with the transport of another one.
        shared = self.transport if isinstance(self.transport, DryRunTransport) else None
        return self._dry_run is not None or (shared is not None and not shared.is_over)

    @contextmanager
    def dry_run(self) -> Generator[DryRun, None, None]:
        """Send no writes in this block, whichever thread performs them; UsageError inside of another."""
        record = DryRun()
        rehearsed = DryRunTransport(self.transport, record)
        with self._lock:
            if self._dry_run is not None:
                raise UsageError("there is a dry run of this client already: end it before the next one")
            self._dry_run = self.transport = rehearsed
        try:
            yield record
        finally:
            with self._lock:
                self._dry_run = None
                # Somebody may have put another transport in front of it.
                if self.transport is rehearsed:
                    self.transport = rehearsed.inner
                rehearsed.end()


class _Pickled:
    """The transport of what was pickled."""

    def send(self, operation: Operation[Any]) -> Response:
        raise UsageError(
            f"{operation.method} {operation.path}: what was pickled has no connection any more: open it "
            "again with a client, such as client.bucket()"
        )

    def close(self) -> None: ...


def _of_a_pickle() -> Connection:
    return Connection(_Pickled())
