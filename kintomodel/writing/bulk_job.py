"""Bulk work: planned record by record, sent in batches, and each record told what became of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent import futures
from functools import partial
from typing import Any, Generic, NamedTuple, NoReturn, Protocol, TypeAlias, TypeVar

import attrs

from ..errors import KintoError, TransportError, UsageError
from ..mapping.state import Mapped
from ..protocol.changes import Write
from ..protocol.operations import Flow, Operation, Raised, drive
from ..protocol.report import Outcome, Report, Status, broken_off, failure
from ..transport.background import with_context
from ..transport.connection import Connection
from .progress import Progress, reporting

M = TypeVar("M", bound=Mapped)

# Outcomes between two calls of progress where nothing is sent.
_SILENCE = 100


class Step(NamedTuple):
    """A record's turn. status: what it will be, if nothing goes wrong."""

    position: int
    record: Any
    status: Status
    write: Write


class Work(Protocol):
    """What is to be done with each record."""

    def capacity(self, batch_size: int) -> int:
        """For how many records a batch of so many requests is; UsageError if for none."""
        ...

    def send(self, writes: Sequence[Write]) -> Flow[list[Any]]:
        """The result of each, its value or its KintoError."""
        ...

    def status(self, record: Any) -> Status:
        """What it will be, if nothing goes wrong."""
        ...

    def plan(self, record: Any) -> Write | None:
        """What is to be sent for it, None if nothing. What it raises is the outcome."""
        ...

    def settle(self, step: Step, result: Any) -> Flow[Status]:
        """Make of the record what its write came to, or raise why it did not."""
        ...

    def after(self, record: Any) -> None:
        """Once it is written."""
        ...


Item: TypeAlias = "tuple[int, Any] | Outcome[Any]"
"""A record with its position, or what is known to become of one."""
Finder: TypeAlias = Callable[[tuple[Outcome[Any], ...]], Iterable[Item]]
"""From outcomes that failed to what is to be done about them."""


def as_they_are(failures: Iterable[Outcome[Any]]) -> Iterator[Item]:
    return ((one.position, one.object) for one in failures)


@attrs.frozen
class Job(Generic[M]):
    """Bulk work on the records of one collection.

    workers: how many batches are under way at the same time. keeps: does the report keep the records
    for which all went well? find: what retry_failed() works on.
    """

    connection: Connection
    model: type[M]
    work: Work
    workers: int = 1
    progress: Progress = False
    keeps: bool = True
    find: Finder = as_they_are

    def run(self, items: Iterable[Item], total: int | None = None) -> Report[M]:
        """total: how many there are, None if that is not known.

        Raises BulkError, with the report of what was done, where the items or a hook break off; an
        interrupt is raised as it is.
        """
        if not isinstance(self.workers, int) or self.workers < 1:
            raise UsageError(f"workers is a positive number of connections, got {self.workers!r}")
        with reporting(self.progress, total) as tell:
            run = _Run(self, lambda done: tell(done, total))
            if self.workers == 1:
                return run.perform(items)
            # Its end waits for what is under way, also where the work breaks off: nothing is written later.
            with futures.ThreadPoolExecutor(self.workers) as run.executor:
                return run.perform(items)

    def retry(self, failures: tuple[Outcome[Any], ...]) -> Report[M]:
        return self.run(self.find(failures), len(failures))


def over(records: Iterable[M], job: Callable[[bool], Job[M]]) -> Report[M]:
    """Work on these, however many. Of a generator the report keeps only what failed.

    job: from whether it keeps the others too.
    """
    if isinstance(records, (str, Mapping)) or not isinstance(records, Iterable):
        raise UsageError(f"bulk work takes several records, got {records!r}")
    if isinstance(records, Collection):
        return job(True).run(enumerate(records), len(records))
    return job(False).run(enumerate(records))


@attrs.define
class _Run:
    """One go through the items. The caller's thread plans and settles; where there are several workers,
    others send and wait.

    most: how many go into a batch. under_way: batches, each with what waits for its results.
    busy: the ids in pending and under way. trouble: what broke off the work.
    """

    job: Job[Any]
    tell: Callable[[int], object]
    executor: futures.ThreadPoolExecutor | None = None
    outcomes: list[Outcome[Any]] = attrs.field(factory=list)
    pending: list[Step] = attrs.field(factory=list)
    most: int = 0
    under_way: deque[tuple[list[Step], Callable[[], list[Any]]]] = attrs.field(factory=deque)
    busy: set[str] = attrs.field(factory=set)
    told: int = 0
    trouble: BaseException | None = None

    def perform(self, items: Iterable[Item]) -> Report[Any]:
        try:
            for item in items:
                self._take(item)
                self._tell(_SILENCE)
            self._drain()
            self._tell(1)
        except BaseException as error:  # of the items, of a hook, of the progress, or an interrupt
            self._give_up(error)
        return self._report()

    def _take(self, item: Item) -> None:
        if isinstance(item, Outcome):
            self.outcomes.append(item)
            return
        position, record = item
        if not isinstance(record, self.job.model):
            raise UsageError(f"expected records of {self.job.model.__name__}, got {record!r} at {position}")
        if str(record.id) in self.busy:
            # What becomes of it the first time decides what is to be sent for it now.
            self._drain()
        status = self.job.work.status(record)
        try:
            write = self.job.work.plan(record)
        except KintoError as error:
            self.outcomes.append(failure(record, position, error, record.id))
            return
        if write is None:
            self.outcomes.append(self._success("unchanged", position, record))
            return
        if not self.pending:
            self.most = self.job.work.capacity(self.job.connection.batch_size())
        self.pending.append(Step(position, record, status, write))
        self.busy.add(record.id)
        if len(self.pending) >= self.most:
            self._send()

    def _send(self) -> None:
        steps, self.pending = self.pending, []
        perform = partial(self.job.connection.run, self.job.work.send([step.write for step in steps]))
        wait: Callable[[], list[Any]] = perform
        # To hand a batch to another thread takes more time than is won by planning the next one meanwhile.
        if self.executor is not None:
            wait = self.executor.submit(with_context(perform)).result
        self.under_way.append((steps, wait))
        if len(self.under_way) >= self.job.workers:
            self._settle_oldest()

    def _drain(self) -> None:
        if self.pending:
            self._send()
        while self.under_way:
            self._settle_oldest()

    def _settle_oldest(self) -> None:
        steps, wait = self.under_way.popleft()
        try:
            results = wait()
        except BaseException as error:
            self._stop(error)
            results = [_lost(error)] * len(steps)
        for step, result in zip(steps, results, strict=True):
            self._settle(step, result)
            self.busy.discard(step.record.id)
        if self.trouble is not None:
            raise self.trouble
        self._tell(1)

    def _settle(self, step: Step, result: Any) -> None:
        try:
            outcome = self._outcome(step, result)
        except BaseException as error:  # an interrupt: now the same without requests
            self._stop(error)
            outcome = self._outcome(step, result)
        self.outcomes.append(outcome)
        if not (outcome.is_failure or outcome.status == "unchanged" or self._is_interrupted()):
            try:
                self.job.work.after(step.record)
            except BaseException as error:  # of a hook: the record is written all the same
                self._stop(error)

    def _outcome(self, step: Step, result: Any) -> Outcome[Any]:
        try:
            status = drive(self.job.work.settle(step, result), self._answer)
        except KintoError as error:
            return failure(step.record, step.position, error, step.record.id)
        except Exception as error:  # of a function that was to decide about a conflict
            self._stop(error)
            broken = KintoError(f"not written: {error!r}")
            return failure(step.record, step.position, broken, step.record.id)
        return self._success(status, step.position, step.record)

    def _answer(self, operation: Operation[Any]) -> Any:
        """As of a connection, but an interrupt is a lost answer, and so is each that comes after it.

        So the flow comes to its end, and the record knows what may have been written.
        """
        if not self._is_interrupted():
            try:
                return self.job.connection.perform(operation)
            except KintoError as error:
                return Raised(error)
            except BaseException as error:
                self._stop(error)
        return Raised(_lost(self.trouble))

    def _stop(self, error: BaseException) -> None:
        """Remember the first that broke it off, an interrupt before all others."""
        if self.trouble is None or (isinstance(self.trouble, Exception) and not isinstance(error, Exception)):
            self.trouble = error

    def _is_interrupted(self) -> bool:
        """Then no hook is called any more, and nothing is sent."""
        return self.trouble is not None and not isinstance(self.trouble, Exception)

    def _success(self, status: Status, position: int, record: Any) -> Outcome[Any]:
        return Outcome(status, record if self.job.keeps else None, position, id=record.id)

    def _tell(self, after: int) -> None:
        if len(self.outcomes) - self.told >= after:
            self.told = len(self.outcomes)
            self.tell(self.told)

    def _report(self) -> Report[Any]:
        self.outcomes.sort(key=lambda outcome: outcome.position)
        return Report(tuple(self.outcomes), retry=self.job.retry)

    def _give_up(self, error: BaseException) -> NoReturn:
        """Raise what broke it off, with the truth about what was done until then.

        An interrupt is raised as it is; the records know which of them may be written all the same.
        """
        self._stop(error)
        while self.under_way:
            try:
                self._settle_oldest()
            except BaseException:  # there may be several; the first is told
                continue
        for step in self.pending:
            unsent = KintoError("not sent: the work broke off before its turn")
            self.outcomes.append(failure(step.record, step.position, unsent, step.record.id))
        cause = self.trouble or error
        if not self.outcomes or self._is_interrupted():
            raise cause
        raise broken_off(cause, self._report()) from cause


def _lost(cause: BaseException | None) -> TransportError:
    return TransportError(f"it is not known what became of it: the work broke off: {cause!r}")
