"""Records from the server: one, many, and again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple, TypeVar

from ..errors import Conflict, ServerError, TransportError, UsageError
from ..protocol import batch, completing, operations, ranges, scanning, settling
from ..protocol.changes import own_data
from ..protocol.conditions import And
from ..protocol.objects import StoredObject
from ..protocol.operations import Flow
from ..protocol.query import Query
from ..protocol.values import JSONObject
from ..resources.permissions import RecordPermissions
from .codec import Codec, codec_of
from .reading import Reading
from .state import Home, Mapped, home, path, refuse_readonly

M = TypeVar("M", bound=Mapped)

# More parts than there are workers, as some are larger than others.
_PARTS_OF_A_WORKER = 4
# A server reads the objects of a batch one after the other.
_BATCHES_AT_ONCE = 3


def from_stored(model: type[M], where: Home, data: JSONObject, *, readonly: bool = False) -> M:
    """A record of what the server showed; ValidationError if that does not fit the model.

    data: is kept, and must not be changed; readonly: only the fields are.
    """
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
    return record


def get(model: type[M], where: Home, id: str) -> Flow[M]:
    """One record by its id, with its permissions; one GET. Raises NotFound."""
    stored = yield from operations.read(where.path.record(id))
    record = from_stored(model, where, stored.data)
    accept_permissions(record, stored)
    return record


def refresh(record: Mapped) -> Flow[None]:
    """Take over what the server has now, and drop what is unsaved; one GET."""
    stored = yield from operations.read(path(record))
    take_over(record, stored)


def take_over(record: Mapped, stored: StoredObject) -> None:
    """Make the record what the server showed."""
    fresh = from_stored(type(record), home(record), stored.data)
    for name in record.__kinto__.fields:
        setattr(record, name, getattr(fresh, name))
    accept(record, stored)


def accept(record: Mapped, stored: StoredObject) -> None:
    """Remember what the server showed, and leave the attributes as they are."""
    state = record._state
    state.stored, state.extra, state.lost, state.deleted = dict(stored.data), None, None, False
    state.readonly = False
    record.last_modified = stored.last_modified
    accept_permissions(record, stored)


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
    try:
        stored = yield from settling.write(operation, expected)
    except (TransportError, ServerError):
        # Perhaps it was done: by this the next write will know. That of a save() stays.
        state.lost = expected if state.lost is None else state.lost
        raise
    except Conflict as error:
        if not (yield from was_ours(record, error)):
            raise explained(error, record, None) from None
        yield from send_permissions(record, changed)
        return
    state.stored, state.lost, record.last_modified = dict(stored.data), None, stored.last_modified
    permissions(record).settle(changed, stored.permissions)


def was_ours(record: Mapped, error: Conflict) -> Flow[bool]:
    """Did a write of our own, whose answer was lost, come in between? Then go on from there."""
    state, theirs = record._state, error.existing
    if state.lost is None or theirs is None or not settling.same(theirs, state.lost):
        return False
    stored = yield from operations.read(path(record))
    state.stored, state.lost, record.last_modified = dict(stored.data), None, stored.last_modified
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
    model: type[M], where: Home, query: Query, page_size: int, reading: Reading, workers: int = 1
) -> Iterator[M]:
    """The records that the query asks for, with one page for each worker on its way meanwhile."""
    listed = _listed(where, query, page_size, workers)
    if not reading.with_permissions:
        for data in listed:
            yield from_stored(model, where, data, readonly=reading.readonly)
        return
    for stored in _with_permissions(where, query, listed):
        record = from_stored(model, where, stored.data, readonly=reading.readonly)
        accept_permissions(record, stored)
        yield record


def _listed(where: Home, query: Query, page_size: int, workers: int) -> Iterator[JSONObject]:
    connection, endpoint = where.connection, where.path.records
    if workers == 1:
        return connection.stream(scanning.scan(endpoint, query, page_size))
    parts = connection.run(ranges.split(endpoint, workers * _PARTS_OF_A_WORKER))
    narrowed = [query._replace(condition=And((query.condition, part))) for part in parts]
    return connection.streams((scanning.scan(endpoint, part, page_size) for part in narrowed), workers)


def _with_permissions(where: Home, query: Query, listed: Iterator[JSONObject]) -> Iterator[StoredObject]:
    connection = where.connection
    completion = completing.Completion(where.path.records, query.condition)
    chunks = batch.chunks(listed, connection.batch_size())
    flows = (partial(completion.with_permissions, chunk) for chunk in chunks)
    for several in connection.run_each(flows, _BATCHES_AT_ONCE):
        yield from several


def count(where: Home, query: Query, page_size: int) -> int:
    return where.connection.run(scanning.count(where.path.records, query, page_size))
