"""A record beside what the server last showed of it: what is to be sent, if anything."""

from __future__ import annotations

from ..errors import UsageError
from ..mapping.codec import Codec, FieldCodec, codec_of
from ..mapping.declaration import RESERVED_KEYS
from ..mapping.nested_values import same_value
from ..mapping.state import Mapped, extra, home, path, refuse_readonly, undeclared
from ..protocol import changes as protocol
from ..protocol import operations
from ..protocol.changes import Write
from ..protocol.objects import StoredObject
from ..protocol.values import JSON, JSONObject, Part, check, copy, equal
from ..reading.projection import is_lossy, is_read

_ABSENT = object()


def changes(record: Mapped) -> JSONObject:
    """What save() would change, by the keys on the server; all of a new record.

    A field whose key is to be removed is in it as None.
    """
    return changed(record) | dict.fromkeys(_omitted(record, False))


def changed(record: Mapped, *, force: bool = False) -> JSONObject:
    """The attributes, by their keys on the server, whose values save() would send.

    force: also those that the server holds in another form, or lacks as they are the default.
    """
    refuse_readonly(record)
    codec: Codec[Mapped] = codec_of(record.__kinto__)
    stored = record._state.stored
    current = codec.dump(record, stored or {}, f"{home(record).name}/{record.id}")
    current = {**_extra(record), **current}
    if stored is None:
        return current
    return {
        key: value
        for key, value in current.items()
        if not is_read(record, key)
        or _differs(record, None if force else codec.by_key.get(key), value, stored.get(key, _ABSENT))
    }


def removed(record: Mapped, *, force: bool = False) -> frozenset[str]:
    """The undeclared keys that were taken out of `extra`, and those of fields that None removes."""
    now = record._state.extra
    gone = frozenset() if now is None else frozenset(undeclared(record).keys() - now.keys())
    return gone | _omitted(record, force)


def _omitted(record: Mapped, force: bool) -> frozenset[str]:
    """force: also those that the server holds as null, which is None as well."""
    stored, codec = record._state.stored, codec_of(record.__kinto__)
    if stored is None:
        return frozenset()
    return frozenset(
        one.info.key
        for one in codec.omitting
        if one.info.key in stored
        and (force or stored[one.info.key] is not None)
        and one.omits(getattr(record, one.info.name))
    )


def write(record: Mapped, *, force: bool = False) -> Write | None:
    """What makes the server's record like this one; None if it is already.

    force: without the precondition that nobody wrote it since it was read, and with the values that
    are the same in another form: what others wrote gets the form that filters look for. To take out a key
    all others are sent with it, so that it is needed there all the same.
    """
    state, where = record._state, path(record)
    edited, permissions = changed(record, force=force), _permissions(record)
    if state.stored is None and state.only is not None:
        raise UsageError(f"{where.name}: only part of it was read before it was deleted")
    if state.stored is None:
        new = protocol.create(where, edited, permissions, is_checked=True)
        return new._replace(operation=operations.overwrite(where, edited, permissions)) if force else new
    gone = removed(record, force=force)
    kept = {key: value for key, value in protocol.own_data(where, state.stored).items() if key not in gone}
    if is_lossy(record, force=force):
        raise UsageError(
            f"{where.name}: it was read in part: refresh() it before a nested field is set or a key taken out"
        )
    planned = protocol.save(
        where,
        StoredObject(state.stored),
        {**kept, **edited},
        permissions,
        whole=lambda: state.permissions.as_dict() if state.permissions else {},
        force=force and not gone,
        is_checked=True,
    )
    if planned is None and state.lost is not None:
        # Perhaps something else was stored, and is to be taken back: the precondition tells.
        nothing = operations.update(where, {}, last_modified=record.last_modified)
        planned = Write(nothing, protocol.own_data(where, state.stored))
    if planned is None or state.only is None:
        return planned
    return planned._replace(expected=Part(planned.expected or {}))


def _permissions(record: Mapped) -> dict[str, list[str]]:
    return record._state.permissions.changed() if record._state.permissions is not None else {}


def _extra(record: Mapped) -> JSONObject:
    """The undeclared attributes, where somebody may have changed them."""
    if record._state.extra is None:
        return {}
    found = extra(record)
    check(found, f"{path(record).name}: extra")
    for key in found.keys() - undeclared(record).keys():
        if key in record.__kinto__.keys | RESERVED_KEYS:
            name = type(record).__name__
            raise UsageError(
                f"extra[{key!r}]: extra is for attributes that neither {name} nor Kinto has itself"
            )
    result: JSONObject = copy(found)
    return result


def is_made_up(record: Mapped, field: FieldCodec) -> bool:
    """Does the server lack it, and is it still the default that it got when the record was read?"""
    stored, key = record._state.stored, field.info.key
    is_lacking = stored is not None and key not in stored and is_read(record, key)
    return is_lacking and not _differs(record, field, None, _ABSENT)


def _differs(record: Mapped, field: FieldCodec | None, value: JSON, stored: JSON) -> bool:
    if stored is not _ABSENT and equal(value, stored):
        return False
    if field is None:
        return True
    current = getattr(record, field.info.name)
    if stored is _ABSENT:
        # What the server lacks, reading it gave the default for.
        made, name = record._state.made, field.info.name
        default = field.info.default if made is None or name not in made else made[name]
        return not same_value(current, default) or one_is_a_boolean(current, default)
    try:
        # The same value in another form: a Z for +00:00, 12.50 for 12.5.
        return not same_value(field.read(stored), current) or one_is_a_boolean(value, stored)
    except Exception:
        return True


def one_is_a_boolean(one: JSON, other: JSON) -> bool:
    """And the other is not: to Python, 1 is True."""
    if isinstance(one, dict) and isinstance(other, dict):
        return any(one_is_a_boolean(one[key], other[key]) for key in one.keys() & other.keys())
    if isinstance(one, list) and isinstance(other, list):
        return any(map(one_is_a_boolean, one, other))
    return isinstance(one, bool) != isinstance(other, bool)
