"""Records from the server: one, many, and again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from ..errors import Conflict, KintoError, UsageError
from ..flows import settling
from ..flows.editing import later
from ..mapping.codec import Codec, codec_of
from ..mapping.state import Home, Mapped, home, path, refuse_readonly
from ..protocol import operations
from ..protocol.changes import Write, own_data
from ..protocol.objects import Maker, StoredObject
from ..protocol.operations import Flow
from ..protocol.values import JSONObject, Part, Text
from ..resources.permissions import RecordPermissions
from . import projection
from .referring import Source, bind

M = TypeVar("M", bound=Mapped)


def from_stored(model: type[M], where: Home, data: JSONObject) -> M:
    """A record of what the server showed; ValidationError if that does not fit the model.

    data: is kept, and must not be changed.
    """
    return maker(model, where)(data)


def maker(model: type[M], where: Home, *, readonly: bool = False) -> Maker[M]:
    """Makes records as from_stored() does. readonly: of the data only the fields are kept."""
    make_unfinished = _unfinished_maker(model, where, readonly=readonly)
    if model.after_load is Mapped.after_load:
        return make_unfinished

    def make(data: JSONObject, text: Text | None = None) -> M:
        record = make_unfinished(data, text)
        record.after_load()
        return record

    return make


def unfinished(model: type[M], where: Home, data: JSONObject) -> M:
    """A record as from_stored() makes it, before after_load()."""
    return _unfinished_maker(model, where)(data)


def _unfinished_maker(model: type[M], where: Home, *, readonly: bool = False) -> Maker[M]:
    codec: Codec[M] = codec_of(model.__kinto__)
    load = codec.reader(where, readonly=readonly)
    if not codec.references:
        return load
    source = Source(where, model.__kinto__.bucket, _load)

    def make(data: JSONObject, text: Text | None = None) -> M:
        record = load(data, text)
        bind(record, source)
        return record

    return make


def part_maker(model: type[M], where: Home, fields: tuple[str, ...]) -> Maker[M]:
    """Makes records of what the server showed of these fields; the others are read when they are wanted."""
    read = projection.part_reader(model, where, fields)
    source = Source(where, model.__kinto__.bucket, _load)

    def make(data: JSONObject, text: Text | None = None) -> M:
        record = read(data)
        bind(record, source)
        record.after_load()
        return record

    return make


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
    record._state.made = fresh._state.made
    record.after_load()


def accept(record: Mapped, stored: StoredObject) -> None:
    """Remember what the server showed, and leave the attributes as they are."""
    state = record._state
    state.stored, state.only, state.readonly = dict(stored.data), None, False
    state.extra, state.lost, state.deleted = None, None, False
    record.last_modified = stored.last_modified
    accept_permissions(record, stored)
    if codec_of(record.__kinto__).references:
        bind(record, Source(home(record), record.__kinto__.bucket, _load))


def accept_permissions(record: Mapped, stored: StoredObject) -> None:
    """Of an answer to a request for this record alone: what it does not show is hidden from us."""
    state = record._state
    state.shown = stored.permissions or {}
    if state.permissions is not None:
        _accept_shown(state.permissions, state.shown)


def _accept_shown(permissions: RecordPermissions, shown: Mapping[str, tuple[str, ...]]) -> None:
    permissions.accept(shown or None)
    if not shown:
        permissions.know(None)


def permissions(record: Mapped) -> RecordPermissions:
    """The record's permissions. A new record has none yet; of others they are asked for when read."""
    state = record._state
    if state.permissions is None:
        is_new = state.stored is None and not state.readonly
        known: dict[str, list[str]] | None = {} if is_new else None
        state.permissions = RecordPermissions(home(record).path.bucket, RecordOwner(record), known)
        if state.shown is not None:
            _accept_shown(state.permissions, state.shown)
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
    before = state.lost
    # Perhaps it is done, and the answer lost, or we are interrupted: by this the next write will know.
    # What is known of a save() stays.
    state.lost = before or Write(operation, expected).perhaps_done
    try:
        stored = yield from settling.write(operation, expected)
    except Conflict as error:
        state.lost = before
        if not (yield from was_ours(record, error, expected)):
            raise explained(error, record, None) from None
        yield from send_permissions(record, changed)
        return
    except KintoError as error:
        if not settling.is_in_doubt(error):
            state.lost = before
        raise
    state.stored, state.only = dict(stored.data), None
    state.lost, record.last_modified = None, stored.last_modified
    permissions(record).settle(changed, stored.permissions)


def was_ours(record: Mapped, error: Conflict, expected: JSONObject) -> Flow[bool]:
    """Did our own write, whose answer was lost, come in between, and nobody else's? Then go on from there.

    expected: what the record is to hold now. At most one GET.
    """
    state, lost = record._state, record._state.lost
    if lost is not None and isinstance(lost.data, Part) and expected.keys() - lost.data.keys():
        return False  # which others may have written
    stored = yield from settling.own_write(path(record), lost, error)
    if stored is None or lost is None:
        return False
    state.stored, state.only = dict(stored.data), None
    state.lost, record.last_modified = None, stored.last_modified
    permissions(record).stand_on(stored.permissions, sent=lost.permissions)
    return True


def explained(error: Conflict, record: Mapped, mine: JSONObject | None) -> Conflict:
    """With the record, and its data without what the server adds."""
    where, base, theirs = path(record), record._state.stored, error.existing
    error.record, error.mine = record, mine
    error.base = None if base is None else own_data(where, base)
    error.theirs = None if theirs is None else own_data(where, theirs)
    return error
