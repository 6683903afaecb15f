"""Records from the server, as many as a query finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from operator import attrgetter
from typing import Any, TypeVar

from ..flows import completing
from ..mapping.state import Home, Mapped
from ..protocol import batch
from ..protocol.objects import Maker
from ..protocol.paths import check_id
from ..protocol.values import JSONObject
from ..query import picking, projecting, ranges, scanning, tombstones
from ..query.conditions import NOTHING, And, Path, normal
from ..query.planning import plan
from ..query.query import Query
from ..query.scanning import Found, Stream
from ..query.tombstones import Tombstone
from .loading import accept_permissions, maker, part_maker
from .reading import WHOLE, Reading

M = TypeVar("M", bound=Mapped)

# More parts than there are workers, as some are larger than others.
_PARTS_OF_A_WORKER = 3
# A server reads the objects of a batch one after the other.
_BATCHES_AT_ONCE = 3


def iterate(
    model: type[M], where: Home, query: Query, page_size: int, reading: Reading = WHOLE, workers: int = 1
) -> Iterator[M]:
    """The records that the query asks for, with one page for each worker on its way meanwhile."""
    project, make = _reading(model, where, reading)

    def scan(query: Query) -> Stream:
        return project(scanning.scan(where.path.records, query, page_size), query)

    listed = _listed(where, query, scan, workers)
    return _completed(where, query, make, listed) if reading.with_permissions else map(make, listed)


def collect(model: type[M], where: Home, query: Query, page_size: int, reading: Reading) -> list[M]:
    """The same records in the same order, all of them at once."""
    if not plan(query.condition).is_by_time(query):
        return list(iterate(model, where, query, page_size, reading))
    project, make = _reading(model, where, reading)

    def listed(make: Maker[Any]) -> Iterator[Any]:
        snapshot = scanning.snapshot(where.path.records, query, page_size, make)
        return where.connection.stream(project(snapshot, query))

    if reading.with_permissions:
        found = _completed(where, query, make, listed(scanning.as_it_is))
    else:
        found = listed(make)
    return sorted(found, key=attrgetter("id"))


def _reading(
    model: type[M], where: Home, reading: Reading
) -> tuple[Callable[[Stream, Query], Stream], Maker[M]]:
    """How a query's stream asks for no more than is wanted, and what makes a record of what comes."""
    fields = model.__kinto__.resolve()
    paths = [(fields[name].key,) for name in reading.fields or ()]
    if reading.fields is None or projecting.fields(paths, Query()) is None:
        return lambda stream, _: stream, maker(model, where, readonly=reading.readonly)
    make = part_maker(model, where, reading.fields)
    return lambda stream, query: projecting.project(stream, projecting.fields(paths, query)), make


def _listed(where: Home, query: Query, scan: Callable[[Query], Stream], workers: int) -> Iterator[JSONObject]:
    connection = where.connection
    if workers == 1:
        return connection.stream(scan(query))
    if normal(query.condition) == NOTHING:
        return iter(())
    # An operation is a flow of one step.
    samples = (sample.__iter__ for sample in ranges.samples(where.path.records))
    newest, oldest = connection.run_each(samples, 2)
    parts = ranges.split(newest, oldest, workers * _PARTS_OF_A_WORKER)
    narrowed = (query._replace(condition=And((query.condition, part))) for part in parts)
    return connection.streams(map(scan, narrowed), workers)


def _completed(
    where: Home, query: Query, make: Callable[[JSONObject], M], listed: Iterator[JSONObject]
) -> Iterator[M]:
    """With their permissions."""
    connection = where.connection
    completion = completing.Completion(where.path.records, query.condition)
    chunks = batch.chunks(listed, connection.batch_size())
    flows = (partial(completion.with_permissions, chunk) for chunk in chunks)
    for several in connection.run_each(flows, _BATCHES_AT_ONCE):
        for stored in several:
            record = make(stored.data)
            accept_permissions(record, stored)
            yield record


def preview(
    model: type[M], where: Home, query: Query, page_size: int, reading: Reading
) -> tuple[list[M], bool]:
    """What one request shows of the records; is it all of them?"""
    project, make = _reading(model, where, reading)
    stream = project(scanning.scan(where.path.records, query, page_size), query)
    found: list[M] = []
    answered = False
    try:
        step = next(stream)
        while not answered or isinstance(step, Found):
            if isinstance(step, Found):
                found += map(make, step.objects)
                step = next(stream)
            else:
                answered = True
                step = stream.send(where.connection.perform(step))
    except StopIteration:
        return found, True
    return found, False


def rows(where: Home, query: Query, paths: Iterable[Path], page_size: int) -> Iterator[JSONObject]:
    """The data that the query asks for; of its attributes at least those at the paths."""
    stream = scanning.scan(where.path.records, query, page_size)
    return where.connection.stream(projecting.project(stream, projecting.fields(paths, query)))


def deleted(where: Home, since: int, page_size: int) -> Iterator[Tombstone]:
    """The tombstones of a collection, each page asked for when it is wanted."""
    stream = tombstones.tombstones(where.path.records, since, page_size)
    return map(tombstones.tombstone, where.connection.stream(stream))


def count(where: Home, query: Query, page_size: int) -> int:
    flow = scanning.count(where.path.records, query, page_size)
    return where.connection.run(projecting.project(flow, projecting.fields([], query)))


def exists(where: Home, query: Query, page_size: int) -> bool:
    flow = scanning.exists(where.path.records, query, page_size)
    return where.connection.run(projecting.project(flow, projecting.fields([], query)))


def in_bulk(model: type[M], where: Home, query: Query, ids: Iterable[str], reading: Reading) -> dict[str, M]:
    """{id: record} in the order of the ids, without those that are not there; one GET a chunk."""
    wanted = [check_id("record", id) for id in ids]
    found: dict[str, M] = {}
    for chunk in picking.chunks(wanted):
        some = picking.among(query, chunk)
        found.update((one.id, one) for one in iterate(model, where, some, len(chunk), reading))
    return {id: found[id] for id in wanted if id in found}
