"""What happened to each of many objects: written, left as it was, or refused and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, Literal, TypeAlias, cast

import attrs
from typing_extensions import TypeVar

from ..errors import (
    BadRequest,
    BulkError,
    Conflict,
    Forbidden,
    KintoError,
    NotFound,
    PermissionsNotVisible,
    TransportError,
    Unauthorized,
    UsageError,
    ValidationError,
)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
E_co = TypeVar("E_co", bound=KintoError | None, default=KintoError | None, covariant=True)

Status: TypeAlias = Literal[
    "created", "updated", "unchanged", "deleted", "conflict", "invalid", "forbidden", "missing", "failed"
]

FAILURES = frozenset({"conflict", "invalid", "forbidden", "missing", "failed"})
_ORDER: tuple[Status, ...] = (
    "created", "updated", "unchanged", "deleted", "conflict", "invalid", "forbidden", "missing", "failed",
)  # fmt: skip
_CAUSES: tuple[tuple[tuple[type[KintoError], ...], Status], ...] = (
    ((Conflict,), "conflict"),
    ((ValidationError,), "invalid"),
    ((Forbidden, Unauthorized, PermissionsNotVisible), "forbidden"),
    ((NotFound,), "missing"),
)

# A report is read on one screen. What was given is cut, never why it failed.
_LINES = 10
_WIDTH = 60


@attrs.frozen
class Outcome(Generic[T_co, E_co]):
    """What happened to one object. position: its place among those given, from 0.

    error: None where nothing went wrong. id: that of a record, also where the record was not kept.
    """

    status: Status
    _object: T_co | None
    position: int
    error: E_co = attrs.field(default=cast(Any, None))
    id: str = ""

    @property
    def object(self) -> T_co:
        """What was given. UsageError where it was not kept: of a generator, only failures are."""
        if self._object is None:
            raise UsageError(
                f"[{self.position}] {self.status}: what a generator gave is kept only if it failed; "
                "its id is in outcome.id; give a list to keep all of it"
            )
        return self._object

    @property
    def is_failure(self) -> bool:
        """Is it a conflict, or invalid, forbidden, missing or failed?"""
        return self.status in FAILURES

    @property
    def message(self) -> str:
        """Why it failed, on one line; empty if it did not."""
        return "" if self.error is None else " ".join(str(self.error).split())

    def __str__(self) -> str:
        line = f"[{self.position}] {self.status}: {self._shown()}"
        return f"{line}: {self.message}" if self.error is not None else line

    def _shown(self) -> str:
        """What was given, or its id where that is shorter."""
        shown = self.id if self._object is None else repr(self._object)
        if len(shown) <= _WIDTH:
            return shown
        return self.id or f"{shown[: _WIDTH - 3]}..."


def loss(outcomes: Sequence[Outcome[Any]]) -> TransportError | None:
    """Why the server cannot be reached, as far as the last of them tells: then the rest is given up."""
    last = outcomes[-1].error if outcomes else None
    return last if isinstance(last, TransportError) else None


def failure(object: T, position: int, error: KintoError, id: str = "") -> Outcome[T]:
    """The outcome that an error stands for: a 400 is invalid, a 403 forbidden, a 404 missing..."""
    status: Status = "failed"
    for causes, name in _CAUSES:
        if isinstance(error, causes):
            status = name
            break
    if isinstance(error, BadRequest) and error.status == 400:
        status = "invalid"
    return Outcome(status, object, position, error, id)


def broken_off(error: BaseException, report: Report[Any]) -> BulkError:
    """What is raised in the place of an error of the user's own code, so that what was done is not lost."""
    return BulkError(
        f"broken off by {type(error).__name__}: {error}; error.report says what became of the "
        f"{len(report)} records before that",
        report,
    )


Retry: TypeAlias = "Callable[[tuple[Outcome[Any], ...]], Report[Any]]"
"""The same work for these outcomes, in which each keeps its position."""


@attrs.frozen(repr=False)
class Report(Generic[T_co]):
    """The outcomes of bulk work, in the order in which the objects were given."""

    outcomes: tuple[Outcome[T_co], ...] = ()
    _retry: Retry | None = attrs.field(default=None, eq=False, kw_only=True, alias="retry")

    def __reduce__(self) -> tuple[Any, ...]:
        # Connections cannot be pickled: what failed can be retried by its own process alone.
        return Report, (self.outcomes,)

    def __len__(self) -> int:
        return len(self.outcomes)

    def __iter__(self) -> Iterator[Outcome[T_co]]:
        return iter(self.outcomes)

    @property
    def created(self) -> tuple[Outcome[T_co], ...]:
        """Those that are new on the server."""
        return self._of("created")

    @property
    def updated(self) -> tuple[Outcome[T_co], ...]:
        """Those of which changes were written."""
        return self._of("updated")

    @property
    def unchanged(self) -> tuple[Outcome[T_co], ...]:
        """Those that were as they should be already: nothing was sent for them."""
        return self._of("unchanged")

    @property
    def deleted(self) -> tuple[Outcome[T_co], ...]:
        """Those that are gone now."""
        return self._of("deleted")

    @property
    def conflicts(self) -> tuple[Outcome[T_co, Conflict], ...]:
        """Those that somebody else wrote or created since they were read."""
        return self._of("conflict")

    @property
    def invalid(self) -> tuple[Outcome[T_co, KintoError], ...]:
        """Those whose data cannot be stored, or does not fit the collection's schema."""
        return self._of("invalid")

    @property
    def forbidden(self) -> tuple[Outcome[T_co, KintoError], ...]:
        """Those that we may not write, or whose permissions we may not see."""
        return self._of("forbidden")

    @property
    def missing(self) -> tuple[Outcome[T_co, KintoError], ...]:
        """Those that are not there, or no longer, or whose collection is not."""
        return self._of("missing")

    @property
    def failed(self) -> tuple[Outcome[T_co, KintoError], ...]:
        """Those that failed in any other way: no answer, an error of the server."""
        return self._of("failed")

    @property
    def failures(self) -> tuple[Outcome[T_co, KintoError], ...]:
        """Conflicts, invalid, forbidden, missing and failed, in the order given."""
        return self._of(*FAILURES)

    def raise_for_failures(self) -> None:
        """Raise BulkError, with this report, if anything failed."""
        failures = self.failures
        if failures:
            raise BulkError(
                f"{len(failures)} of {len(self)} failed ({_counts(failures)}); the first is "
                f"{failures[0]}; see error.report.failures",
                self,
            )

    def retry_failed(self) -> Report[T_co]:
        """Do the same again for those that failed; a report of all of them, as they are then.

        A record that somebody else wrote stays a conflict until it is refreshed. UsageError for a report of
        anything but bulk work (of a plan, a load, a batch), and for one that was pickled.
        """
        failures = self.failures
        if not failures:
            return self
        if self._retry is None:
            raise UsageError(
                "this report has no work to be repeated: it is not of bulk work on records, or was pickled; "
                "do the work anew, such as sync() and apply()"
            )
        again = {outcome.position: outcome for outcome in self._retry(failures)}
        outcomes = tuple(again.get(outcome.position, outcome) for outcome in self.outcomes)
        return Report(outcomes, retry=self._retry)

    def __repr__(self) -> str:
        failures = self.failures
        lines = [f"<Report of {len(self)}: {_counts(self.outcomes) or 'nothing to do'}>"]
        lines += [f"  {outcome}" for outcome in failures[:_LINES]]
        return "\n".join(lines + _rest(failures))

    def _repr_html_(self) -> str:
        failures = self.failures
        rows = "".join(
            f"<tr><td>{one.position}</td><td>{one.status}</td>"
            f"<td>{escaped(one._shown())}</td><td>{escaped(one.message)}</td></tr>"
            for one in failures[:_LINES]
        )
        table = f"<table><tr><th></th><th>status</th><th>object</th><th>error</th></tr>{rows}</table>"
        counts = _counts(self.outcomes) or "nothing to do"
        rest = "".join(f"<p>{escaped(line.strip())}</p>" for line in _rest(failures))
        return f"<p><b>Report of {len(self)}</b>: {counts}</p>{table if failures else ''}{rest}"

    def _of(self, *statuses: str) -> tuple[Outcome[T_co, Any], ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.status in statuses)


def _counts(outcomes: Iterable[Outcome[object]]) -> str:
    found = Counter(outcome.status for outcome in outcomes)
    return ", ".join(f"{found[status]} {status}" for status in _ORDER if found[status])


def _rest(failures: tuple[Outcome[object], ...]) -> list[str]:
    hidden = len(failures) - _LINES
    return [f"  ... and {hidden} more failures"] if hidden > 0 else []


def escaped(text: str) -> str:
    """The text as HTML."""
    # html.escape() would do it, but the table of entities beside it takes longer to import than all this.
    return text.translate(_ESCAPES)


_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
