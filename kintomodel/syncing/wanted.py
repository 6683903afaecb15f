"""What a source wants: its items, checked against the model, as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

import attrs

from ..errors import UsageError, ValidationError
from ..mapping.codec import Codec, FieldCodec, codec_of
from ..mapping.conversion import problems
from ..mapping.declaration import RESERVED_KEYS
from ..mapping.fields import suggestion
from ..mapping.state import Mapped, extra
from ..mapping.storage import Mismatch, expected
from ..mapping.unknown import with_unknown
from ..protocol.paths import check_id
from ..protocol.values import JSON, JSONObject, Part, check, copy, survives
from ..writing.changes import is_made_up
from ..writing.validation import invalid_fields, unclean

M = TypeVar("M", bound=Mapped)

SERVERS = frozenset({"last_modified", "schema", "attachment"})
"""Keys that the server sets in a record: nobody wants something of them."""


class Wanted(NamedTuple):
    """A record as a source wants it. data: what the source says, by the keys on the server.

    position: among the items. id: None where the item has none. is_part: a record of which some fields
    were not read. removed: the keys that are to be absent, of fields that None leaves out. absent: those
    that a record of the source lacks itself, and has a default for. parts: of objects in the data, what the
    source says of them; the rest of theirs is a default.
    """

    position: int
    id: str | None
    data: JSONObject
    is_part: bool = False
    removed: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    parts: Mapping[str, Part] = MappingProxyType({})


class Reader(Generic[M]):
    """Makes Wanted of records and of dicts of their fields, checked as the constructor and save() do.

    place: names an item, by its position, in messages.
    """

    def __init__(self, model: type[M], place: Callable[[int], str]) -> None:
        self.model = model
        self.place = place
        self.codec: Codec[M] = codec_of(model.__kinto__)
        self.fields = {one.info.name: one for one in self.codec.fields}

    def read(self, item: object, position: int) -> Wanted:
        """UsageError for what is no such record, ValidationError for a value that does not fit."""
        if isinstance(item, self.model):
            id, data = self._of_record(item, position)
        elif isinstance(item, Mapping):
            id, data = self._of_mapping(item, position)
        else:
            wrong = expected(f"a {self.model.__name__} or a dict of its fields", item)
            raise UsageError(f"{self.place(position)}: {wrong}")
        absent = self._absent(item) if isinstance(item, self.model) else frozenset()
        data = {key: value for key, value in data.items() if key not in SERVERS | absent}
        check(data, self.place(position))
        try:
            checked = None if id is None else check_id("record", id)
        except ValidationError as error:
            raise ValidationError(f"{self.place(position)}: {error}", error.problems) from None
        given = item if isinstance(item, Mapping) else vars(item)
        removed = frozenset(
            one.info.key for one in self.codec.omitting if one.omits(given.get(one.info.name, ...))
        )
        is_part = isinstance(item, self.model) and self._is_part(item)
        parts = {
            self.fields[name].info.key: value for name, value in given.items() if isinstance(value, Part)
        }
        return Wanted(position, checked, data, is_part, removed, absent, parts)

    def _absent(self, record: M) -> frozenset[str]:
        return frozenset(one.info.key for one in self.codec.fields if is_made_up(record, one))

    def _is_part(self, record: M) -> bool:
        attributes = vars(record)
        return record._state.stored is not None and any(name not in attributes for name in self.fields)

    def whole(self, wanted: Wanted, id: str) -> JSONObject:
        """The data of a new record: with the defaults of the fields that the source does not name.

        ValidationError if one of those has none, UsageError for a record that was read in part.
        """
        place = self.place(wanted.position)
        unsaid = wanted.removed | wanted.absent | SERVERS
        if wanted.data.keys() | unsaid >= self.model.__kinto__.keys:
            return wanted.data
        if wanted.is_part:
            raise UsageError(
                f"{place}: {id} is to be created, but only some of its fields were read: read all"
            )
        made = self.codec.dump(self.codec.load({**wanted.data, "id": id}, place), {}, place)
        return {**{key: value for key, value in made.items() if key not in unsaid}, **wanted.data}

    def validate(
        self,
        wanted: Wanted,
        id: str,
        whole: JSONObject,
        named: Mapping[str, JSON],
        base: JSONObject | None = None,
        *,
        cleans: bool = True,
    ) -> None:
        """ValidationError for what save() would refuse of a record with this data.

        named: what of it is to be looked at by itself. base: what is stored of it. cleans: also as a whole?
        """
        cleans = cleans and self.model.clean is not Mapped.clean
        if not (cleans or self.codec.validated):
            return
        place = self.place(wanted.position)
        record = self.codec.load({**whole, "id": id}, place)
        record._state.stored = base
        wrong = [*invalid_fields(record, named), *(unclean(record) if cleans else ())]
        if wrong:
            raise ValidationError(f"{place}: {'; '.join(wrong)}", wrong)

    def completed(self, wanted: Wanted, key: str, stored: JSON) -> JSON:
        """The value that the source wants there; what it does not say of an object is as it is stored."""
        part = wanted.parts.get(key)
        if part is None or not isinstance(stored, dict):
            return wanted.data[key]
        try:
            return self._json(self.codec.by_key[key], _over(stored, part))
        except ValidationError as error:
            raise ValidationError(f"{self.place(wanted.position)}: {error}", error.problems) from None

    def default(self, one: FieldCodec) -> tuple[JSON, ...]:
        """What a record without the key has, as JSON; empty if there is no such value."""
        value = one.info.default
        return () if value is attrs.NOTHING else (self.codec.dump_value(one, value),)

    def _of_record(self, record: M, position: int) -> tuple[object, JSONObject]:
        state, place = record._state, self.place(position)
        if state.permissions is not None and state.permissions.changed():
            raise UsageError(f"{place}: its permissions were edited, which are not sent like this: save() it")
        is_plain = state.stored is None and state.extra is None
        more = {} if is_plain else self._extra(extra(record), place)
        return record.id, {**more, **self.codec.dump(record, state.stored or {}, place)}

    def _of_mapping(self, item: Mapping[Any, Any], position: int) -> tuple[object, JSONObject]:
        data: JSONObject = {}
        wrong: list[str] = []
        place = self.place(position)
        for name, value in item.items():
            try:
                if name in self.fields:
                    one = self.fields[name]
                    if not one.omits(value):
                        data[one.info.key] = self._json(one, _over({}, value))
                elif name == "extra":
                    data.update(self._extra(value, place))
                elif name not in ("id", *SERVERS):
                    hint = self.hint(str(name), [*self.fields, "id", "extra"])
                    raise UsageError(f"{place}: {self.model.__name__} has no field {name!r}; {hint}")
            except ValidationError as error:
                wrong += error.problems
        if wrong:
            raise ValidationError(f"{place}: {'; '.join(wrong)}", wrong)
        return item.get("id"), data

    def hint(self, wrong: str, known: Iterable[str]) -> str:
        """The end of an error message: what may have been meant by a name."""
        one = self.codec.by_key.get(wrong)
        if one is None:
            return suggestion(wrong, known)
        return f"that is what the server calls {one.info.name!r}: use that name"

    def _json(self, one: FieldCodec, value: Any) -> JSON:
        """Of a value of the field, or of JSON that is read as one."""
        try:
            written = self.codec.dump_value(one, value)
        except ValidationError as error:
            try:
                known = self.codec.dump_value(one, one.read(value))
                written = with_unknown(one.info.stored_type, known, value)
            except Exception as unread:  # of any hook, also those of users
                if isinstance(value, (str, int, float, list, dict, type(None))):
                    lines = _lines(unread, one.info.name)
                    raise ValidationError("; ".join(lines), lines) from None
                raise error from None
        return written

    def _extra(self, value: object, place: str) -> JSONObject:
        if not isinstance(value, Mapping):
            raise ValidationError(f"extra: {expected('a dict of undeclared attributes', value)}")
        own = self.model.__kinto__.keys | RESERVED_KEYS
        for key in value:
            if key in own - SERVERS:
                raise UsageError(
                    f"{place}: extra[{key!r}]: extra is for attributes that neither {self.model.__name__} "
                    "nor Kinto has itself"
                )
        result: JSONObject = copy(dict(value))
        return result


def _over(stored: JSONObject, value: Any) -> Any:
    """The value; a Part on top of what is stored."""
    if not isinstance(value, Part):
        return value
    inner = {key: stored.get(key) for key in value}
    laid = {key: _over(old if isinstance(old, dict) else {}, value[key]) for key, old in inner.items()}
    return {**stored, **laid}


def _lines(error: Exception, name: str) -> list[str]:
    if isinstance(error, ValidationError):
        return list(error.problems)
    return [str(error.inside(name))] if isinstance(error, Mismatch) else problems(error, name)


class Key:
    """The fields that tell which record an item stands for."""

    def __init__(self, reader: Reader[Any], names: Iterable[str]) -> None:
        self._reader = reader
        self.names = tuple(names)
        self.is_id = self.names == ("id",)

    def of_wanted(self, wanted: Wanted) -> str:
        """UsageError if the item lacks it."""
        return self._text(wanted.data, wanted.id, self._reader.place(wanted.position))

    def of_stored(self, stored: Mapping[str, JSON], where: str) -> str:
        """ValidationError if the record has something else there. where: bucket/collection."""
        return self._text(stored, stored["id"], f"{where}/{stored['id']}")

    def shown(self, text: str) -> str:
        """name='a', version=1"""
        values = json.loads(text)
        return ", ".join(f"{name}={value!r}" for name, value in zip(self.names, values, strict=True))

    def _text(self, data: Mapping[str, JSON], id: str | None, place: str) -> str:
        """The same for equal values, in whatever form they are stored."""
        values = [id if name == "id" else self._value(name, data, place) for name in self.names]
        if None in values and "id" in self.names and id is None:
            raise UsageError(f"{place}: it has no id to be found by: give it one, or take another key=")
        return json.dumps(values, sort_keys=True)

    def _value(self, name: str, data: Mapping[str, JSON], place: str) -> JSON:
        one = self._reader.fields[name]
        if one.info.key not in data:
            default = self._reader.default(one)
            # What is new each time, such as a UUID, would never be found again.
            if default and default == self._reader.default(one):
                return self._value(name, {**data, one.info.key: default[0]}, place)
            raise UsageError(f"{place}: it lacks {name!r}, which it is to be found by")
        try:
            read = one.read(data[one.info.key])
            value = one.write(read)
        except Exception as error:  # of any hook, also those of users
            lines = _lines(error, name)
            raise ValidationError(f"{place}: {'; '.join(lines)}", lines) from None
        if isinstance(read, Decimal) and isinstance(value, str):
            return _shortest(read)
        if isinstance(value, float) and not survives(value):
            raise ValidationError(f"{place}: {name}: Kinto does not keep {value!r} as it is: it is no key")
        return _plain(value)


def _shortest(number: Decimal) -> str:
    """The same for 1.0 and 1.00, all digits kept."""
    digits = len(number.as_tuple().digits)
    return str(Context(digits, Emin=MIN_EMIN, Emax=MAX_EMAX).normalize(number) if number else Decimal(0))


def _plain(value: JSON) -> JSON:
    """With one form for equal numbers: 1.0 as 1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
