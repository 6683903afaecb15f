"""Records from the server: one, many, and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeVar

from ..errors import Conflict, ServerError, TransportError, UsageError
from ..protocol import completing, operations, picking, projecting, ranges, scanning, settling, tombstones
from ..protocol.changes import own_data
from ..protocol.conditions import NOTHING, And, Path, normal
from ..protocol.editing import later
from ..protocol.objects import StoredObject
from ..protocol.operations import Flow
from ..protocol.paths import check_id
from ..protocol.query import Query
from ..protocol.scanning import Found, Stream
from ..protocol.tombstones import Tombstone
from ..protocol.values import JSONObject, Part
from ..resources.permissions import RecordPermissions
from . import projection
from .codec import Codec, codec_of
from .reading import WHOLE, Reading
from .referring import Source, bind
from .state import Home, Mapped, home, path, refuse_readonly

M = TypeVar("M", bound=Mapped)

# More parts than there are workers, as some are larger than others.
_PARTS_OF_A_WORKER = 4


def from_stored(model: type[M], where: Home, data: JSONObject, *, readonly: bool = False) -> M:
    """A record of what the server showed; ValidationError if that does not fit the model.

    data: is kept, and must not be changed; readonly: only the fields are.
    """
    record = unfinished(model, where, data, readonly=readonly)
    record.after_load()
    return record


def unfinished(model: type[M], where: Home, data: JSONObject, *, readonly: bool = False) -> M:
    """The same before after_load()."""
    codec: Codec[M] = codec_of(model.__kinto__)
    record = codec.load(data, where)
    # Past __setattr__, which would look at the name.
    record.__dict__["last_modified"] = data["last_modified"]
    state = record._state
    state.home = where
    if readonly:
        state.readonly = True
    else:
        state.stored = data
    if codec.references:
        bind(record, Source(where, model.__kinto__.bucket, _load))
    return record


def _load(model: type[Any], where: Home, id: str) -> Any:
    """What a reference leads to; one GET."""
    return where.connection.run(get(model, where, id))


def deferred(record: Mapped, name: str) -> Any:
    """A field that was not read with the record. One GET for all of them, the first time."""
    if record._state.only is not None:
        home(record).connection.run(complete(record))
    projection.fill(record, name)
    bind(record, Source(home(record), record.__kinto__.bucket, _load))
    return vars(record)[name]


def complete(record: Mapped) -> Flow[None]:
    """Learn what the server has in the fields that were not read; one GET.

    What was read before stays as it was, last_modified included: if somebody wrote the record
    meanwhile, the next guarded save finds that out.
    """
    state = record._state
    if state.stored is None:
        raise UsageError(f"{path(record).name}: only part of it was read before it was deleted")
    found = yield from operations.read(path(record))
    rest = {key: value for key, value in found.data.items() if not projection.is_read(record, key)}
    state.stored, state.only = {**rest, **state.stored}, None
    permissions(record).know(found.permissions)


def get(model: type[M], where: Home, id: str, failures: int = 0) -> Flow[M]:
    """One record by its id, with its permissions; one GET. Raises NotFound.

    failures: of what the record is wanted for; they are waited for.
    """
    stored = yield from later(operations.read(where.path.record(id)), failures)
    record = from_stored(model, where, stored.data)
    accept_permissions(record, stored)
    return record


def refresh(record: Mapped) -> Flow[None]:
    """Take over what the server has now, and drop what is unsaved; one GET."""
    stored = yield from operations.read(path(record))
    take_over(record, stored)


def take_over(record: Mapped, stored: StoredObject) -> None:
    """Make the record what the server showed."""
    fresh = unfinished(type(record), home(record), stored.data)
    for name in record.__kinto__.fields:
        setattr(record, name, getattr(fresh, name))
    accept(record, stored)
    record.after_load()


def accept(record: Mapped, stored: StoredObject) -> None:
    """Remember what the server showed, and leave the attributes as they are."""
    state = record._state
    state.stored, state.only, state.readonly = dict(stored.data), None, False
    state.extra, state.lost, state.deleted = None, None, False
    record.last_modified = stored.last_modified
    accept_permissions(record, stored)
    bind(record, Source(home(record), record.__kinto__.bucket, _load))


def accept_permissions(record: Mapped, stored: StoredObject) -> None:
    """Of an answer to a request for this record alone: what it does not show is hidden from us."""
    found = permissions(record)
    found.accept(stored.permissions)
    found.know(stored.permissions)


def permissions(record: Mapped) -> RecordPermissions:
    """The record's permissions. A new record has none yet; of others they are asked for when read."""
    state = record._state
    if state.permissions is None:
        is_new = state.stored is None and not state.readonly
        known: dict[str, list[str]] | None = {} if is_new else None
        state.permissions = RecordPermissions(home(record).path.bucket, RecordOwner(record), known)
    return state.permissions


def assign_permissions(record: Mapped, value: object) -> None:
    """Replace those that are named in a mapping, or all by those of another record."""
    if isinstance(value, RecordPermissions):
        # attrs.evolve() hands over those of the original before the copy has its id: what is known
        # of them without a request is what was edited.
        value = value.as_dict() if "id" in vars(record) else value.changed()
    if not isinstance(value, Mapping):
        raise UsageError(f'permissions takes {{"read": ..., "write": ...}}, got {value!r}')
    permissions(record).assign(value)


class RecordOwner(NamedTuple):
    """What the permissions of a record ask of it."""

    record: Mapped

    def load_permissions(self) -> Mapping[str, tuple[str, ...]] | None:
        """One GET. If the record was written meanwhile, the next guarded save finds that out."""
        return home(self.record).connection.perform(operations.read(path(self.record))).permissions

    def send_permissions(self, changed: Mapping[str, list[str]]) -> None:
        home(self.record).connection.run(send_permissions(self.record, changed))


def send_permissions(record: Mapped, changed: Mapping[str, list[str]]) -> Flow[None]:
    """Replace these permissions in one guarded PATCH; what else is unsaved stays so."""
    refuse_readonly(record)
    state = record._state
    if state.stored is None:
        raise UsageError(f"{path(record).name} is not stored, so it has no permissions yet: save it first")
    operation = operations.update(path(record), None, changed, last_modified=record.last_modified)
    expected = own_data(path(record), state.stored)
    if state.only is not None:
        expected = Part(expected)
    try:
        stored = yield from settling.write(operation, expected)
    except (TransportError, ServerError) as error:
        # Perhaps it was done: by this the next write will know. That of a save() stays.
        if settling.is_in_doubt(error) and state.lost is None:
            state.lost = expected
        raise
    except Conflict as error:
        if not (yield from was_ours(record, error)):
            raise explained(error, record, None) from None
        yield from send_permissions(record, changed)
        return
    state.stored, state.only = dict(stored.data), None
    state.lost, record.last_modified = None, stored.last_modified
    permissions(record).settle(changed, stored.permissions)


def was_ours(record: Mapped, error: Conflict) -> Flow[bool]:
    """Did a write of our own, whose answer was lost, come in between? Then go on from there."""
    state, theirs = record._state, error.existing
    if state.lost is None or theirs is None or not settling.same(theirs, state.lost):
        return False
    stored = yield from operations.read(path(record))
    state.stored, state.only = dict(stored.data), None
    state.lost, record.last_modified = None, stored.last_modified
    permissions(record).know(stored.permissions)
    return True


def explained(error: Conflict, record: Mapped, mine: JSONObject | None) -> Conflict:
    """With the record, and its data without what the server adds."""
    where, base, theirs = path(record), record._state.stored, error.existing
    error.record, error.mine = record, mine
    error.base = None if base is None else own_data(where, base)
    error.theirs = None if theirs is None else own_data(where, theirs)
    return error


def iterate(
    model: type[M], where: Home, query: Query, page_size: int, reading: Reading = WHOLE, workers: int = 1
) -> Iterator[M]:
    """The records that the query asks for, with one page for each worker on its way meanwhile."""
    scan, make = _reading(model, where, page_size, reading)
    connection = where.connection
    if workers == 1:
        return map(make, connection.stream(scan(query)))
    if normal(query.condition) == NOTHING:
        return iter(())
    parts = connection.run(ranges.split(where.path.records, workers * _PARTS_OF_A_WORKER))
    narrowed = (query._replace(condition=And((query.condition, part))) for part in parts)
    return map(make, connection.streams(map(scan, narrowed), workers))


def _reading(
    model: type[M], where: Home, page_size: int, reading: Reading
) -> tuple[Callable[[Query], Stream], Callable[[JSONObject], M]]:
    """What is to be asked for a query, and what makes a record of what comes."""

    def scan(query: Query) -> Stream:
        return scanning.scan(where.path.records, query, page_size)

    if reading.with_permissions:
        return _with_permissions(model, where, scan, reading)
    fields = model.__kinto__.resolve()
    paths = None if reading.fields is None else [(fields[name].key,) for name in reading.fields]
    if reading.fields is None or paths is None or projecting.fields(paths, Query()) is None:
        return scan, partial(from_stored, model, where, readonly=reading.readonly)
    read = projection.part_reader(model, where, reading.fields)
    source = Source(where, model.__kinto__.bucket, _load)

    def make(data: JSONObject) -> M:
        record = read(data)
        bind(record, source)
        record.after_load()
        return record

    return lambda query: projecting.project(scan(query), projecting.fields(paths, query)), make


def _with_permissions(
    model: type[M], where: Home, scan: Callable[[Query], Stream], reading: Reading
) -> tuple[Callable[[Query], Stream], Callable[[JSONObject], M]]:
    size = where.connection.batch_size()

    def make(whole: JSONObject) -> M:
        stored = StoredObject(whole["data"], whole["permissions"])
        record = from_stored(model, where, stored.data, readonly=reading.readonly)
        accept_permissions(record, stored)
        return record

    def complete(query: Query) -> Stream:
        return completing.with_permissions(scan(query), where.path.records, query.condition, size)

    return complete, make


def preview(
    model: type[M], where: Home, query: Query, page_size: int, reading: Reading
) -> tuple[list[M], bool]:
    """What one request shows of the records; is it all of them?"""
    scan, make = _reading(model, where, page_size, reading._replace(with_permissions=False))
    stream = scan(query)
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


def in_bulk(model: type[M], where: Home, query: Query, ids: Iterable[str], reading: Reading) -> dict[str, M]:
    """{id: record} in the order of the ids, without those that are not there; one GET a chunk."""
    wanted = [check_id("record", id) for id in ids]
    found: dict[str, M] = {}
    for chunk in picking.chunks(wanted):
        some = picking.among(query, chunk)
        found.update((one.id, one) for one in iterate(model, where, some, len(chunk), reading))
    return {id: found[id] for id in wanted if id in found}


def exists(where: Home, query: Query, page_size: int) -> bool:
    flow = scanning.exists(where.path.records, query, page_size)
    return where.connection.run(projecting.project(flow, projecting.fields([], query)))
