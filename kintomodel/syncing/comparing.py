"""What a source wants of a record beside what the server has: one change, or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

import attrs

from ..errors import UsageError
from ..flows import settling
from ..mapping.codec import FieldCodec
from ..mapping.fields import options, suggestion
from ..mapping.nested_values import same_value
from ..mapping.unknown import holds_objects, with_unknown
from ..plans.change import PlannedChange
from ..protocol import changes as protocol
from ..protocol import operations
from ..protocol.changes import Write
from ..protocol.objects import StoredObject
from ..protocol.paths import CollectionPath
from ..protocol.values import JSON, JSONObject
from ..query.conditions import Condition, matches, normal
from ..writing.changes import one_is_a_boolean
from .wanted import SERVERS, Key, Reader, Wanted


@attrs.frozen(eq=False, repr=False)
class Change(PlannedChange):
    """What a plan does to one record: "create", "update" or "delete" it.

    difference: {field: (old, new)} as JSON, of an update; undeclared attributes by their keys. A field
    whose key is to be removed is in it as None.
    data: the whole data that the record has then, by the keys on the server; empty if it is deleted.
    last_modified: milliseconds; of the record that the plan saw, None for a new one.
    """

    wanted: Wanted | None = None
    base: JSONObject = attrs.field(factory=dict)

    def write(self, path: CollectionPath) -> Write:
        """The operation, guarded by what the plan saw."""
        where = path.record(self.id)
        if self.kind == "create":
            return protocol.create(where, self.data)
        if self.kind == "delete":
            return Write(operations.delete(where, last_modified=self.last_modified))
        stored = StoredObject({**self.base, "id": self.id, "last_modified": self.last_modified})
        planned = protocol.save(where, stored, self.data, {}, whole=dict)
        assert planned is not None  # as it changes something
        return planned


def deletion(stored: JSONObject) -> Change:
    return Change("delete", stored["id"], last_modified=stored["last_modified"])


@attrs.frozen(eq=False)
class Rules:
    """Which records are the same, and what of them counts. compare, preserve: keys on the server.

    compare: None for all of them. scope: the records that it is about. validates: is refused what save()
    would refuse?
    """

    path: CollectionPath
    reader: Reader[Any]
    key: Key
    compare: frozenset[str] | None
    preserve: frozenset[str]
    scope: Condition
    validates: bool = True

    def change(self, wanted: Wanted, stored: JSONObject | None, id: str | None = None) -> Change | None:
        """What makes the record as it is wanted. stored: None if there is none. id: for a new one.

        UsageError if it is then outside of the scope.
        """
        if stored is None:
            return self._creation(wanted, id or wanted.id or str(uuid4()))
        base = protocol.own_data(self.path.record(stored["id"]), stored)
        changed = self._changed(wanted, base)
        # As for save(): a null of others is None as well, and is left.
        removed = {key for key in wanted.removed - self.preserve if base.get(key) is not None}
        removed |= {
            key for key in wanted.absent - self.preserve if key in base and not self._is_default(key, base)
        }
        if not changed and not removed:
            return None
        whole = {key: value for key, value in {**stored, **changed}.items() if key not in removed}
        self._check_scope(wanted, whole)
        if self.compare is not None and self.compare.isdisjoint(changed.keys() | removed):
            return None
        data = protocol.own_data(self.path.record(stored["id"]), whole)
        if self.validates:
            self.reader.validate(wanted, stored["id"], data, data, stored)
        return self.update(stored, data, wanted)

    def update(self, stored: JSONObject, data: JSONObject, wanted: Wanted | None) -> Change | None:
        """The change of a record to this data; None if it has it."""
        base = protocol.own_data(self.path.record(stored["id"]), stored)
        by_key = self.reader.codec.by_key
        difference = {}
        for key, value in data.items():
            one = by_key.get(key)
            if self._same(one, value, base, key):
                continue
            old = base.get(key)
            if key not in base and one is not None:
                old = next(iter(self.reader.default(one)), None)
            difference[key if one is None else one.info.name] = (old, value)
        for key in base.keys() - data.keys():
            difference[by_key[key].info.name] = (base[key], None)
        if not difference:
            return None
        time = stored["last_modified"]
        return Change("update", stored["id"], data, difference, time, wanted, base)

    def _creation(self, wanted: Wanted, id: str) -> Change:
        data = self.reader.whole(wanted, id)
        self._check_scope(wanted, {**data, "id": id})
        if self.validates:
            self.reader.validate(wanted, id, data, data)
        return Change("create", id, data, wanted=wanted)

    def _changed(self, wanted: Wanted, base: JSONObject) -> JSONObject:
        by_key = self.reader.codec.by_key
        changed: JSONObject = {}
        for key in wanted.data:
            if key in self.preserve:
                continue
            one = by_key.get(key)
            value = self.reader.completed(wanted, key, base.get(key))
            new = value if one is None else with_unknown(one.info.stored_type, value, base.get(key))
            if not self._same(one, new, base, key):
                changed[key] = new
        return changed

    def _is_default(self, key: str, base: JSONObject) -> bool:
        """Is it stored that way what a record without the key has?"""
        return self._same(self.reader.codec.by_key[key], base[key], {}, key)

    def _same(self, one: FieldCodec | None, value: JSON, base: JSONObject, key: str) -> bool:
        """Is it what the record has, if in another form: a Z for +00:00, a default that is not stored?"""
        if key in base and settling.same({"value": base[key]}, {"value": value}):
            return True
        if one is None:
            return False
        stored = (base[key],) if key in base else self.reader.default(one)
        try:
            return any(
                same_value(one.read(old), one.read(value))
                and not one_is_a_boolean(old, value)
                and _have_same_unknown(one, old, value)
                for old in stored
            )
        except Exception:  # of any hook, also those of users: others may have stored what does not fit
            return False

    def _check_scope(self, wanted: Wanted, data: Mapping[str, JSON]) -> None:
        if not matches(self.scope, data):
            place = self.reader.place(wanted.position)
            raise UsageError(f"{place}: {data['id']} is outside of the scope, {normal(self.scope)}")


def _have_same_unknown(one: FieldCodec, old: JSON, value: JSON) -> bool:
    """Of two that read as the same: do also the keys agree that reading does not know?"""
    cls = one.info.stored_type
    if not holds_objects(cls):
        return True
    known = one.write(one.read(value))
    before, after = with_unknown(cls, known, old), with_unknown(cls, known, value)
    return settling.same({"value": before}, {"value": after})


def several_names(names: str | Iterable[str], argument: str) -> tuple[str, ...]:
    if not isinstance(names, Iterable):
        raise UsageError(f"{argument} takes the name of a field, or several of them, got {names!r}")
    return (names,) if isinstance(names, str) else tuple(names)


def keys_of(reader: Reader[Any], names: str | Iterable[str], argument: str) -> frozenset[str]:
    """Those on the server of the fields of these names; UsageError for others."""
    several = several_names(names, argument)
    for name in several:
        if name not in reader.fields:
            hint = suggestion(str(name), reader.fields)
            raise UsageError(f"{argument}: {reader.model.__name__} has no field {name!r}; {hint}")
    return frozenset(reader.fields[name].info.key for name in several)


def remote_keys(reader: Reader[Any]) -> frozenset[str]:
    """Those of the fields that the server's editors own."""
    owned = [one.info for one in reader.codec.fields if options(one.info.attribute).owner == "remote"]
    return frozenset(info.key for info in owned) | SERVERS
