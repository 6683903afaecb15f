"""Records to the server: save and delete, as flows."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from ..errors import (
    Conflict,
    KintoError,
    NotFound,
    TransportError,
    UsageError,
    ValidationError,
)
from ..flows import settling, verifying
from ..flows.editing import TRIES
from ..mapping.codec import FieldCodec, codec_of
from ..mapping.conversion import problems
from ..mapping.state import Home, Mapped, State, extra, home, path, refuse_readonly
from ..protocol import operations
from ..protocol.changes import Write
from ..protocol.objects import StoredObject
from ..protocol.operations import Flow
from ..protocol.responses import MISSING_PARENT
from ..protocol.values import equal
from ..reading.loading import accept, complete, explained, get, was_ours
from ..reading.projection import absent, fill, is_lossy
from ..reading.referring import forget
from ..reading.resolving import OnConflict, check_choice, resolve
from .validation import prepared

M = TypeVar("M", bound=Mapped)

# With the growing waits between them, about a second and a half.
_TRIES = 5


class Manner(NamedTuple):
    """force: see Model.save(). verify: under a lock; look_again: and looked at afterwards."""

    force: bool = False
    verify: bool = False
    look_again: bool = True


GUARDED = Manner()


def save(record: Mapped, manner: Manner = GUARDED, on_conflict: OnConflict = "raise") -> Flow[None]:
    """One guarded request with what changed, none if nothing did.

    Raises Conflict, with base, mine and theirs, if the record was written since it was read and
    on_conflict does not know better. The last one is raised after a few attempts.
    """
    check_choice(on_conflict)
    record.before_save()
    if (yield from repeating(record, _save(record, manner), manner, on_conflict)):
        record.after_save()


def mutate(
    model: type[M], where: Home, id: str, change: Callable[[M], object], *, verify: bool = False
) -> Flow[M]:
    """Read a record, change it and save it, whatever others write meanwhile; the result is the record.

    Each try costs a GET and a guarded PATCH. After TRIES the last Conflict is raised; TransportError where an
    answer was lost and somebody else wrote after that, as the change may have been made already.
    """
    manner, failures = Manner(verify=verify, look_again=False), 0
    while True:
        record = yield from get(model, where, id, min(failures, _TRIES))
        change(record)
        try:
            yield from save(record, manner)
        except Conflict as conflict:
            failures += 1
            if conflict.attempts > 1:
                raise _unknown(conflict) from conflict
            if failures == TRIES:
                raise
        else:
            return record


def _unknown(conflict: Conflict) -> TransportError:
    return TransportError(
        f"{conflict.method} {conflict.path}: an answer was lost, and others wrote it since, so that nobody "
        "can see whether the change was made: look at it before you repeat it"
    )


def repeating(record: Mapped, attempt: Flow[bool], manner: Manner, on_conflict: OnConflict) -> Flow[bool]:
    """The attempt at saving it, and others on top of what on_conflict makes of each Conflict.

    False: in the end there was nothing to be sent.
    """
    tries = 0
    while True:
        tries += 1
        try:
            return (yield from attempt)
        except Conflict as conflict:
            if tries == _TRIES:
                raise
            if not (yield from resolve(record, conflict, on_conflict, tries, force=manner.force)):
                return False
            attempt = _save(record, manner)


def _save(record: Mapped, manner: Manner) -> Flow[bool]:
    if is_lossy(record, force=manner.force):
        yield from complete(record)
    planned = prepared(record, force=manner.force)
    if planned is None:
        return False
    result = yield from _sent(record, planned, manner)
    return (yield from take_in(record, planned, result, manner))


def _sent(record: Mapped, planned: Write, manner: Manner) -> Flow[StoredObject | KintoError]:
    state = record._state
    before, state.lost = state.lost, planned.perhaps_done  # which stays if this is interrupted
    result: StoredObject | KintoError
    if manner.verify:
        (result,) = yield from verifying.run([planned], look_again=manner.look_again)
    else:
        try:
            result = yield from settling.write(planned.operation, planned.expected or {})
        except KintoError as error:
            result = error
    state.lost = before
    return result


def take_in(record: Mapped, planned: Write, result: StoredObject | KintoError, manner: Manner) -> Flow[bool]:
    """Make of the record what its write came to; raises what that raised, as save() does."""
    if isinstance(result, StoredObject):
        keep(record, planned, result)
        return True
    if settling.is_in_doubt(result):
        record._state.lost = planned.perhaps_done
    if isinstance(result, Conflict):
        if not (yield from was_ours(record, result, planned.expected or {})):
            raise explained(result, record, planned.expected)
        yield from _save(record, manner)
        return True
    if isinstance(result, NotFound) and record._state.stored is not None and result.errno != MISSING_PARENT:
        raise explained(_deleted(result), record, planned.expected)
    raise result


def keep(record: Mapped, planned: Write, stored: StoredObject) -> None:
    """Make of the record what the server showed once it was written."""
    accept(record, stored)
    _normalize(record, planned, stored)


def delete(record: Mapped, *, missing_ok: bool = False, force: bool = False) -> Flow[None]:
    """One guarded DELETE. The record is a new one afterwards: save() would create it again.

    missing_ok: it is no error if somebody else deleted it. Raises Conflict if it was written since
    it was read, unless force is given.
    """
    planned = deletion(record, force=force)
    record.before_delete()
    state = record._state
    before, state.deleted = state.deleted, True  # which stays if this is interrupted
    result: int | KintoError | None
    try:
        result = yield from settling.delete(planned.operation)
    except KintoError as error:
        result = error
    state.deleted = before
    if take_out(record, result, missing_ok):
        record.after_delete()


def deletion(record: Mapped, *, force: bool = False) -> Write:
    """The guarded DELETE of a record; UsageError if it is not stored."""
    refuse_readonly(record)
    if record._state.stored is None:
        raise UsageError(f"{path(record).name}: it is not stored, so it cannot be deleted")
    return Write(operations.delete(path(record), last_modified=None if force else record.last_modified))


def take_out(record: Mapped, result: int | KintoError | None, missing_ok: bool) -> bool:
    """Make a new record of it, or raise what its deletion came to. False: somebody else deleted it."""
    if settling.is_in_doubt(result):
        # Perhaps it was done: by this the next delete() will know.
        record._state.deleted = True
    if isinstance(result, Conflict):
        raise explained(result, record, None)
    is_ours = not isinstance(result, KintoError)
    if isinstance(result, NotFound) and result.errno != MISSING_PARENT:
        is_ours = record._state.deleted
        if not (missing_ok or is_ours):
            raise result
    elif isinstance(result, KintoError):
        raise result
    if absent(record) or record._state.only is not None:
        # What is not known of it is gone now: it cannot be saved again.
        record._state = State(record._state.home, extra={}, only=frozenset())
    else:
        record._state = State(record._state.home, extra=dict(extra(record)))
    record.last_modified = None
    return is_ours


def move(record: Mapped, target: Home) -> None:
    """Make it a record of another place; what is stored elsewhere is a new one there."""
    state = record._state
    if state.stored is None or (home(record) == target and home(record).url == target.url):
        state.home = target
        return
    path(record)  # which refuses another id than the stored one
    for name in absent(record):
        fill(record, name)
    record._state = State(target, extra=dict(extra(record)))
    record.last_modified = None
    forget(record)


def _deleted(error: NotFound) -> Conflict:
    """Changed here, deleted there: nobody's version is there to be changed."""
    advice = "save(force=True) does not bring it back, creating a new record does"
    return settling.deleted_since(error, advice)


def _normalize(record: Mapped, planned: Write, stored: StoredObject) -> None:
    """Where the server keeps another value than was sent, it is the server's that counts."""
    expected, attributes = planned.expected or {}, vars(record)
    for key, one in codec_of(record.__kinto__).by_key.items():
        name = one.info.name
        if name not in attributes or key not in stored.data:
            continue
        kept = key in expected and equal(stored.data[key], expected[key])
        if not (kept and _has_its_type(one, attributes[name])):
            try:
                setattr(record, name, one.read(stored.data[key]))
            except Exception as error:
                lines = problems(error, name)
                raise ValidationError(f"{path(record).name}: saved, but {'; '.join(lines)}", lines) from None


def _has_its_type(one: FieldCodec, value: object) -> bool:
    """An int may be given for a Decimal or a float, which it is once it was read."""
    return one.number is None or value is None or type(value) is one.number
