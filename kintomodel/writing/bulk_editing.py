"""QuerySet.update() and delete(): bulk work on whatever a query finds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any, TypeVar

import attrs

from ..errors import NotFound, UsageError, ValidationError
from ..flows import settling
from ..mapping.codec import codec_of
from ..mapping.declaration import Declaration
from ..mapping.fields import suggestion
from ..mapping.state import Home, Mapped
from ..protocol import batch
from ..protocol.changes import Write
from ..protocol.report import Outcome, Report, failure
from ..query import scanning
from ..query.conditions import And, Comparison
from ..query.query import Query
from ..reading.loading import maker
from .bulk_job import Item, Job, Work
from .bulk_saving import Deleting, Saving
from .progress import Progress

M = TypeVar("M", bound=Mapped)

# Ids in one filter: few enough for any limit of the length of an address.
_IDS = 50


@attrs.frozen(kw_only=True)
class Updating(Saving):
    """fields: by their Python names."""

    fields: Mapping[str, Any]

    def plan(self, record: Mapped) -> Write | None:
        for name, value in self.fields.items():
            setattr(record, name, deepcopy(value))
        return Saving.plan(self, record)


def update(model: type[M], where: Home, query: Query, page_size: int, fields: Mapping[str, Any]) -> Report[M]:
    """Save each with these values. UsageError or ValidationError before anything is asked."""
    _check(model.__kinto__, fields)
    return _over(model, where, query, page_size, Updating(where=where, fields=fields))


def delete(
    model: type[M], where: Home, query: Query, page_size: int, workers: int, progress: Progress
) -> Report[M]:
    """Those that others delete first are left unchanged."""
    return _over(model, where, query, page_size, Deleting(where, missing_ok=True), workers, progress)


def _over(
    model: type[M],
    where: Home,
    query: Query,
    page_size: int,
    work: Work,
    workers: int = 1,
    progress: Progress = False,
) -> Report[M]:
    def find(failures: tuple[Outcome[Any], ...]) -> Iterator[Item]:
        return _found_again(model, where, query, failures, isinstance(work, Deleting))

    job: Job[M] = Job(where.connection, model, work, workers, progress, keeps=False, find=find)
    if query.start or query.stop is not None:
        # Of a slice all is read first, as it may be another one once some of it is written.
        several = list(_found(model, where, query, page_size))
        return job.run(several, len(several))
    # The order of the ids is the one that does not change meanwhile.
    return job.run(_found(model, where, query._replace(sort=(), backwards=False), page_size))


def _found(model: type[Mapped], where: Home, query: Query, page_size: int) -> Iterator[Item]:
    """What the query finds; of what does not fit the model, the outcome."""
    stream = scanning.scan(where.path.records, query, page_size)
    make = maker(model, where)
    for position, data in enumerate(where.connection.stream(stream)):
        try:
            yield position, make(data)
        except ValidationError as error:
            yield failure(None, position, error, data["id"])


def _found_again(
    model: type[Mapped], where: Home, query: Query, failures: tuple[Outcome[Any], ...], is_deletion: bool
) -> Iterator[Item]:
    """As they are now, if they still match."""
    for several in batch.chunks(failures, _IDS):
        missing = {one.id: one for one in several}
        for item in _found(model, where, Query(And((query.condition, _among(missing)))), _IDS):
            if isinstance(item, Outcome):
                yield attrs.evolve(item, position=missing.pop(item.id).position)
            else:
                record = item[1]
                yield missing.pop(record.id).position, record
        if missing:
            yield from _not_found(where, missing, is_deletion)


def _not_found(where: Home, missing: Mapping[str, Outcome[Any]], is_deletion: bool) -> Iterator[Item]:
    """What the query does not find any more, perhaps because of what was written without an answer."""
    stream = scanning.scan(where.path.records, Query(_among(missing)), _IDS)
    there = {data["id"] for data in where.connection.stream(stream)} if is_deletion else missing.keys()
    for id, one in missing.items():
        if settling.is_in_doubt(one.error):
            # It knows its own write, and is written only if it is still as it was when it matched.
            yield one.position, one.object
        elif id in there:
            path = where.path.record(id)
            error = NotFound(f"{path}: it is gone, or does not match any more", status=404, path=str(path))
            yield attrs.evolve(one, status="missing", error=error)
        else:
            yield Outcome("unchanged", None, one.position, id=id)


def _among(ids: Iterable[str]) -> Comparison:
    return Comparison(("id",), "in", list(ids))


def _check(declaration: Declaration, fields: Mapping[str, Any]) -> None:
    """Refuse names that there are not, and values that cannot be stored."""
    name = declaration.cls.__name__
    if not fields:
        raise UsageError(f"update() takes the new values of fields of {name}, as in update(amount=3)")
    codecs = {one.info.name: one for one in codec_of(declaration).fields}
    wrong: list[str] = []
    for field, value in fields.items():
        if field not in codecs:
            raise UsageError(f"{name} has no field {field!r}; {suggestion(field, codecs)}")
        try:
            codec_of(declaration).dump_value(codecs[field], value)
        except ValidationError as error:
            wrong += error.problems
    if wrong:
        raise ValidationError(f"update() of {name}: {'; '.join(wrong)}", wrong)
