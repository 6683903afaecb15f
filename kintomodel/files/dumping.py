"""dump() and load(): a collection as a file, and back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple, TextIO, TypeAlias, TypeVar
from uuid import uuid4

from ..errors import KintoError, UsageError, ValidationError
from ..flows.listing import PAGE_SIZE
from ..mapping.annotations import mentions
from ..mapping.state import Home, Mapped, extra
from ..protocol import batch
from ..protocol.operations import Flow
from ..protocol.report import Outcome, Report, broken_off, failure, loss
from ..protocol.values import JSON, JSONObject
from ..query import scanning
from ..query.conditions import EVERYTHING, Comparison
from ..query.query import Query
from ..reading.finding import iterate
from ..syncing.applying import apply
from ..syncing.comparing import Rules, remote_keys
from ..syncing.wanted import SERVERS, Key, Reader, Wanted
from ..writing.changes import is_made_up
from ..writing.progress import Tell
from . import csv_files, json_files, yaml_files
from .file_rows import TOO_DEEP, BadRow, Parsed, UnreadableFileError, plain

M = TypeVar("M", bound=Mapped)
OnError: TypeAlias = Literal["raise", "collect"]

_CHUNK = 200  # rows that are looked for at once
_MOST_PROBLEMS = 1000
_SHOWN_PROBLEMS = 10


class Format(NamedTuple):
    write: Callable[[Iterable[JSONObject], TextIO, Reader[Any]], None]
    read: Callable[[TextIO, Reader[Any]], Iterator[Parsed]]


FORMATS = {
    ".json": Format(json_files.write_array, json_files.read_array),
    ".jsonl": Format(json_files.write_lines, json_files.read_lines),
    ".ndjson": Format(json_files.write_lines, json_files.read_lines),
    ".csv": Format(csv_files.write, csv_files.read),
    ".yaml": Format(yaml_files.write, yaml_files.read),
    ".yml": Format(yaml_files.write, yaml_files.read),
}


def format_of(path: Path) -> Format:
    """By its name; UsageError for one that says nothing."""
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        raise UsageError(f"{path}: the name of the file says its format: {', '.join(FORMATS)}")
    return found


def dump(model: type[M], home: Home, path: Path) -> int:
    """See Manager.dump()."""
    format, reader = format_of(path), Reader(model, str)
    count = 0

    def rows() -> Iterator[JSONObject]:
        nonlocal count
        for record in iterate(model, home, Query(), PAGE_SIZE):
            yield _row(record, reader)
            count += 1

    # A link stays one, and the file as private as it was; two at a time do not write into one.
    target = Path(os.path.realpath(path))
    unfinished = target.with_name(f"{target.name}.{uuid4().hex}.part")
    try:
        with open(unfinished, "x", encoding="utf-8", newline="") as file:
            if target.exists():
                shutil.copymode(target, unfinished)
            format.write(rows(), file, reader)
        os.replace(unfinished, target)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    finally:
        with suppress(FileNotFoundError):
            unfinished.unlink()
    return count


def _row(record: Mapped, reader: Reader[Any]) -> JSONObject:
    """As sync() takes it: the fields by their names, and what nobody declared as extra."""
    stored = record._state.stored or {}
    data = reader.codec.dump(record, stored, f"the record {record.id}")
    row: JSONObject = {"id": record.id}
    for name, one in reader.fields.items():
        # What a default makes up anew each time is nowhere stored.
        is_invented = one.info in reader.codec.inventing and is_made_up(record, one)
        if one.info.key not in SERVERS and not is_invented:
            # What None leaves out is a null here: a row that lacked it would not take it out again.
            row[name] = _ordered(data.get(one.info.key))
    more = {key: value for key, value in extra(record).items() if key not in SERVERS}
    return {**row, "extra": _ordered(more)} if more else row


def _ordered(value: JSON) -> JSON:
    """With one order of keys, as PostgreSQL does not keep that of ours."""
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value)}
    return [_ordered(item) for item in value] if isinstance(value, list) else value


class File:
    """The rows of a file, each checked against the model. It can be read several times."""

    def __init__(self, model: type[Mapped], path: Path) -> None:
        self.path = path
        self.reader = Reader(model, lambda line: f"line {line}")
        self._format = format_of(path)
        self._keys = model.__kinto__.keys - remote_keys(self.reader)
        self._exact = {name for name, one in self.reader.fields.items() if mentions(one.info.type, Decimal)}

    def rows(self) -> Iterator[tuple[int, object, Wanted | KintoError]]:
        """The line, the row, and what it wants or why it is bad."""
        try:
            with open(self.path, encoding="utf-8-sig", newline="") as file:
                for line, row in self._format.read(file, self.reader):
                    yield line, row, self._checked(line, row)
        except UnicodeDecodeError as error:
            raise ValidationError(
                f"{self.path}: this is no text in UTF-8 ({error.reason}): save it as such"
            ) from None
        except UnreadableFileError as error:
            raise ValidationError(f"{self.path}: {error}") from None
        except UsageError as error:
            raise UsageError(f"{self.path}: {error}") from None
        except OSError as error:
            raise UsageError(f"{self.path}: {error.strerror or error}") from error

    def _checked(self, line: int, row: object) -> Wanted | KintoError:
        if isinstance(row, BadRow):
            return ValidationError(f"line {line}: {row.problem}")
        try:
            if isinstance(row, dict):
                row = {name: value if name in self._exact else plain(value) for name, value in row.items()}
            wanted = self.reader.read(row, line)
            # So that it can be created, whether it is there or not.
            id = wanted.id or "new"
            whole = self.reader.whole(wanted, id)
            # Of one that may be there a row may be a part only: then it is not known yet what it becomes.
            is_whole = wanted.id is None or wanted.data.keys() | wanted.removed >= self._keys
            self.reader.validate(wanted, id, whole, wanted.data, cleans=is_whole)
        except (UsageError, ValidationError) as error:
            return error
        except RecursionError:
            return ValidationError(f"line {line}: {TOO_DEEP}")
        return wanted


def load(model: type[Mapped], home: Home, path: Path, on_error: OnError, tell: Tell) -> Report[Any]:
    """See Manager.load()."""
    if on_error not in ("raise", "collect"):
        raise UsageError(f'on_error is "raise" or "collect", got {on_error!r}')
    file = File(model, path)
    total = _check(file, on_error)
    rules = Rules(
        home.path, file.reader, Key(file.reader, ["id"]), None, remote_keys(file.reader), EVERYTHING
    )
    outcomes: list[Outcome[Any]] = []
    try:
        _write(file, rules, home, outcomes, lambda: tell(len(outcomes), total))
    except Exception as error:  # also of tell(), and of a file that is another one by now
        if not outcomes:
            raise
        raise broken_off(error, Report(tuple(outcomes))) from error
    return Report(tuple(outcomes))


def _write(
    file: File,
    rules: Rules,
    home: Home,
    outcomes: list[Outcome[Any]],
    tell: Callable[[], object],
) -> None:
    """outcomes: gets that of each row."""
    lost: KintoError | None = None
    size = home.connection.batch_size()
    for chunk in batch.chunks(file.rows(), _CHUNK):
        if lost is None:
            try:
                outcomes += home.connection.run(_written(chunk, rules, size))
            except KintoError as error:
                # Of the reading, before any of these was written.
                if not outcomes:
                    raise
                lost = error
            else:
                lost = loss(outcomes)
                chunk = []
        if lost is not None:
            outcomes += [failure(_shown(row), line, lost) for line, row, _ in chunk]
        tell()


def _check(file: File, on_error: OnError) -> int:
    """How many rows there are. ValidationError if some are bad, unless they are to be collected."""
    problems: list[str] = []
    ids: set[int] = set()
    bad = total = 0
    for line, _, wanted in file.rows():
        total += 1
        if isinstance(wanted, Wanted) and wanted.id is not None:
            # Half the size of the ids themselves.
            digest = hash(wanted.id)
            if digest in ids:
                raise ValidationError(
                    f"{file.path}: line {line}: the id {wanted.id!r} is that of an earlier row"
                )
            ids.add(digest)
        if isinstance(wanted, KintoError):
            bad += 1
            if len(problems) < _MOST_PROBLEMS:
                problems.append(" ".join(str(wanted).split()))
    if bad and on_error == "raise":
        more = f"; and {bad - _SHOWN_PROBLEMS} more" if bad > _SHOWN_PROBLEMS else ""
        shown = "; ".join(problems[:_SHOWN_PROBLEMS])
        raise ValidationError(
            f"{file.path}: {bad} of {total} rows are bad, none is written: {shown}{more}", problems
        )
    return total


def _written(
    chunk: list[tuple[int, object, Wanted | KintoError]], rules: Rules, batch_size: int
) -> Flow[list[Outcome[Any]]]:
    """The outcomes of some rows: one GET for those that are there, and batches of what differs."""
    found: dict[str, JSONObject] = {}

    def keep(page: Iterable[JSONObject]) -> None:
        found.update((data["id"], data) for data in page)

    ids = [wanted.id for _, _, wanted in chunk if isinstance(wanted, Wanted) and wanted.id is not None]
    if ids:
        query = Query(Comparison(("id",), "in", ids))
        yield from scanning.each(scanning.scan(rules.path.records, query, PAGE_SIZE), keep)
    outcomes: list[Outcome[Any]] = []
    changes = []
    for line, row, wanted in chunk:
        if isinstance(wanted, KintoError):
            outcomes.append(Outcome("invalid", _shown(row), line, wanted))
            continue
        try:
            change = rules.change(wanted, found.get(wanted.id or ""))
        except ValidationError as error:  # of what it becomes together with what is stored
            outcomes.append(Outcome("invalid", _shown(row), line, error))
            continue
        if change is None:
            outcomes.append(Outcome("unchanged", wanted.id, line))
        else:
            changes.append(change)
    report = yield from apply(changes, rules, "raise", batch_size)
    for outcome in report:
        change = outcome.object
        assert change.wanted is not None  # as nothing is deleted
        outcomes.append(Outcome(outcome.status, change.id, change.wanted.position, outcome.error))
    return sorted(outcomes, key=lambda outcome: outcome.position)


def _shown(row: object) -> object:
    """A row that was not written, for its outcome: what was read."""
    if isinstance(row, BadRow):
        return row.text
    return "null" if row is None else row
