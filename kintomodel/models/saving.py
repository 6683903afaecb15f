"""Records to the server: save and delete, as flows."""

from __future__ import annotations

from decimal import Decimal

from ..errors import Conflict, NotFound, ServerError, TransportError, UsageError, ValidationError
from ..protocol import operations, settling
from ..protocol.changes import Write
from ..protocol.objects import StoredObject
from ..protocol.operations import Flow
from ..protocol.responses import MISSING_PARENT
from ..protocol.values import equal
from .annotations import without_none
from .changes import write
from .codec import FieldCodec, codec_of
from .conversion import problems
from .loading import accept, complete, explained, was_ours
from .projection import absent, fill, is_lossy
from .referring import forget
from .resolving import OnConflict, check_choice, resolve
from .state import Home, Mapped, State, extra, home, path, refuse_readonly

# With the growing waits between them, about a second and a half.
_TRIES = 5


def save(record: Mapped, *, force: bool = False, on_conflict: OnConflict = "raise") -> Flow[None]:
    """One guarded request with what changed, none if nothing did.

    Raises Conflict, with base, mine and theirs, if the record was written since it was read and
    on_conflict does not know better. The last one is raised after a few attempts.
    """
    check_choice(on_conflict)
    again, tries = True, 0
    while again:
        tries += 1
        try:
            yield from _save(record, force)
            again = False
        except Conflict as conflict:
            if tries == _TRIES:
                raise
            again = yield from resolve(record, conflict, on_conflict, tries)


def _save(record: Mapped, force: bool) -> Flow[None]:
    if is_lossy(record):
        yield from complete(record)
    planned = write(record, force=force)
    if planned is None:
        return
    try:
        stored = yield from settling.write(planned.operation, planned.expected or {})
    except (TransportError, ServerError):
        # Perhaps it was done: by this the next save() will know.
        record._state.lost = planned.expected
        raise
    except Conflict as error:
        if not (yield from was_ours(record, error)):
            raise explained(error, record, planned.expected) from None
        yield from _save(record, force)
        return
    except NotFound as error:
        if record._state.stored is None or error.errno == MISSING_PARENT:
            raise
        raise explained(_deleted(error), record, planned.expected) from None
    accept(record, stored)
    _normalize(record, planned, stored)


def delete(record: Mapped, *, missing_ok: bool = False, force: bool = False) -> Flow[None]:
    """One guarded DELETE. The record is a new one afterwards: save() would create it again.

    missing_ok: it is no error if somebody else deleted it. Raises Conflict if it was written since
    it was read, unless force is given.
    """
    refuse_readonly(record)
    if record._state.stored is None:
        raise UsageError(f"{path(record).name}: it is not stored, so it cannot be deleted")
    since = None if force else record.last_modified
    try:
        yield from settling.delete(operations.delete(path(record), last_modified=since))
    except (TransportError, ServerError):
        # Perhaps it was done: by this the next delete() will know.
        record._state.deleted = True
        raise
    except NotFound as error:
        if not (missing_ok or record._state.deleted) or error.errno == MISSING_PARENT:
            raise
    except Conflict as error:
        raise explained(error, record, None) from None
    if absent(record) or record._state.only is not None:
        # What is not known of it is gone now: it cannot be saved again.
        record._state = State(record._state.home, extra={}, only=frozenset())
    else:
        record._state = State(record._state.home, extra=dict(extra(record)))
    record.last_modified = None


def move(record: Mapped, target: Home) -> None:
    """Make it a record of another place; what is stored elsewhere is a new one there."""
    state = record._state
    if state.stored is None or (home(record) == target and home(record).url == target.url):
        state.home = target
        return
    for name in absent(record):
        fill(record, name)
    record._state = State(target, extra=dict(extra(record)))
    record.last_modified = None
    forget(record)


def _deleted(error: NotFound) -> Conflict:
    """Changed here, deleted there: nobody's version is there to be changed."""
    return error.retold(
        Conflict,
        f"{error.method} {error.path}: it was deleted since it was read; "
        "save(force=True) does not bring it back, creating a new record does",
    )


def _normalize(record: Mapped, planned: Write, stored: StoredObject) -> None:
    """Where the server keeps another value than was sent, it is the server's that counts."""
    expected = planned.expected or {}
    for one in codec_of(record.__kinto__).fields:
        key = one.info.key
        if one.info.name not in vars(record):
            continue
        kept = key in expected and equal(stored.data.get(key), expected[key])
        if key in stored.data and not (kept and _has_its_type(one, getattr(record, one.info.name))):
            try:
                setattr(record, one.info.name, one.read(stored.data[key]))
            except Exception as error:
                lines = problems(error, one.info.name)
                raise ValidationError(f"{path(record).name}: saved, but {'; '.join(lines)}", lines) from None


def _has_its_type(one: FieldCodec, value: object) -> bool:
    """An int may be given for a Decimal or a float, which it is once it was read."""
    wanted = without_none(one.info.type)
    return value is None or wanted not in (Decimal, float) or type(value) is wanted
