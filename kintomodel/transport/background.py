"""Background: work that is under way while its caller does something else."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection
from concurrent import futures
from contextvars import copy_context
from functools import partial
from typing import Generic, TypeVar

import attrs

T = TypeVar("T")

MOST_THREADS = 32
"""They are made as they are wanted, and kept."""

HEAD_START = 0.0001


@attrs.frozen(eq=False)
class Begun(Generic[T]):
    """Work that was given to a thread. future: None where there was no thread to be had."""

    work: Callable[[], T]
    future: futures.Future[T] | None
    process: int

    @property
    def is_elsewhere(self) -> bool:
        """No thread of this process does it: a fork has none of its parent's."""
        return self.future is None or self.process != os.getpid()

    def result(self) -> T:
        """Wait for it, and raise what it raised. If no thread has come to it yet, it is done here."""
        if self.future is None or self.is_elsewhere or self.future.cancel():
            return self.work()
        return self.future.result()

    def abandon(self) -> None:
        """Nobody wants it any longer. What a thread is at is brought to its end, and dropped."""
        if self.future is not None and not self.is_elsewhere:
            self.future.cancel()


def first_of(several: Collection[Begun[T]]) -> Begun[T]:
    """Wait until the result of one of them is there, or can be had from nobody else."""
    by_future: dict[futures.Future[T] | None, Begun[T]] = {}
    for one in several:
        if one.is_elsewhere:
            return one
        by_future[one.future] = one
    done, _ = futures.wait([future for future in by_future if future], return_when=futures.FIRST_COMPLETED)
    return by_future[done.pop()]


def with_context(work: Callable[[], T]) -> Callable[[], T]:
    """The work, for another thread: context variables are there as they are here and now."""
    return partial(copy_context().run, work)


class Threads:
    """Made when they are first wanted; a forked process makes its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._executor: futures.ThreadPoolExecutor | None = None
        self._process = 0

    def begin(self, work: Callable[[], T], head_start: float = HEAD_START) -> Begun[T]:
        """Do it in another thread, where context variables are as they are here.

        head_start: seconds for which that thread has Python to itself. If we go on computing, it
        waits its turn for 5 ms whenever it looks at its connection, with the request unsent.
        """
        try:
            future = self._running().submit(with_context(work))
        except RuntimeError:  # closed by another thread just now, or Python is about to end
            return Begun(work, None, os.getpid())
        time.sleep(head_start)
        return Begun(work, future, os.getpid())

    def close(self) -> None:
        """Wait for what is under way, and end the threads; using it again makes new ones."""
        with self._lock:
            executor, self._executor = self._executor, None
            is_ours = self._process == os.getpid()
        if executor is not None and is_ours:
            executor.shutdown()

    def _running(self) -> futures.ThreadPoolExecutor:
        with self._lock:
            if self._executor is None or self._process != os.getpid():
                self._executor = futures.ThreadPoolExecutor(MOST_THREADS, "kintomodel")
                self._process = os.getpid()
            return self._executor
