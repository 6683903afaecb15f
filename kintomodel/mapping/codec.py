"""Codec: a model's records as JSON objects, and back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any, Generic, TypeVar, cast, get_origin

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, override

from ..errors import KintoError, UsageError, ValidationError
from ..protocol.objects import Maker
from ..protocol.values import DEEPEST, JSON, JSONObject, Text, check, number
from . import quick
from .annotations import without_none
from .conversion import new_converter, problems
from .declaration import Declaration, FieldInfo
from .fields import options
from .nested_values import same_value
from .references import holds_references, referred
from .state import HOME, KEPT, Home, State, known
from .storage import Mismatch, expected
from .unknown import with_unknown

T = TypeVar("T")

_SHORT = 2000
"""Letters of JSON. The values of a dict are shared with the fields; a text is there once more."""


@attrs.frozen(eq=False)
class FieldCodec:
    """One field. write: the value as JSON; read: the value of JSON. Both raise Mismatch.

    number: Decimal or float, of which an int may be given; None for any other type.
    plain: the types of which values are JSON as they stand.
    """

    info: FieldInfo
    write: Callable[[Any], JSON]
    _read: Callable[[JSON, Any], Any]
    number: type | None
    plain: frozenset[type]
    omits_none: bool

    def read(self, value: JSON) -> Any:
        return self._read(value, self.info.stored_type)

    def omits(self, value: Any) -> bool:
        """Is it stored as no key at all?"""
        return value is None and self.omits_none


class Codec(Generic[T]):
    """Made once for each model, when it is first read or written.

    validated, omitting: the fields with validators, and those that are no key where they are None.
    inventing: those whose default is new each time.
    """

    def __init__(self, declaration: Declaration, converter: cattrs.Converter) -> None:
        infos = declaration.resolve().values()
        self.fields = tuple(_field_codec(declaration.cls, info, converter) for info in infos)
        # Whose records the fields refer to; None if their types do not say it.
        self.references = {info.name: referred(info.type) for info in infos if holds_references(info.type)}
        self.validated = tuple(one for one in self.fields if options(one.info.attribute).validators)
        self.omitting = tuple(one for one in self.fields if one.omits_none)
        self.inventing = tuple(one.info for one in self.fields if one.info.is_new_each_time)
        self.by_key = {one.info.key: one for one in self.fields}
        self._cls, self._is_lazy = declaration.cls, declaration.has_plain_attributes
        overrides: dict[str, Any] = {
            attribute.name: override(omit=True)
            for attribute in attrs.fields(declaration.cls)
            if attribute.name not in declaration.fields and attribute.name != "id"
        }
        overrides |= {info.name: override(rename=info.key) for info in infos if info.key != info.name}
        self._structure: Callable[[Any, Any], Any] = make_dict_structure_fn(
            declaration.cls, converter, **overrides
        )
        self._read_quickly: quick.RecordReader | None = quick.record_reader(declaration, converter)

    def reader(self, where: Home, *, readonly: bool = False) -> Maker[T]:
        """Makes records of what the server has; ValidationError with all that does not fit.

        readonly: nothing is kept of it beside the fields. Else the data is, which must not be changed, or
        a short text in its place: it takes less memory, and the garbage collector does not look at it.
        """
        load = self._reader(where, readonly)
        return self._noting(load) if self.inventing else load

    def _reader(self, where: Home, readonly: bool) -> Maker[T]:
        # Who has a __getattr__ of his own would be asked for the state.
        read, is_lazy = self._read_quickly, self._is_lazy

        def load_with_care(data: JSONObject, text: Text | None = None) -> T:
            state = State(where, None if readonly else data, readonly=readonly)
            return self._load_with_care(data, where, state)

        if read is None:
            return load_with_care

        def load(data: JSONObject, text: Text | None = None) -> T:
            kept = text if text is not None and is_lazy and len(text) < _SHORT else data
            try:
                record: T = read(data, where, None if readonly else kept)
            except Exception:
                return load_with_care(data)
            if not is_lazy:
                known(cast(Any, record))
            return record

        return load

    def _noting(self, load: Maker[T]) -> Maker[T]:
        """It remembers what defaults made up, so that nobody takes it for an edit."""

        def load_and_note(data: JSONObject, text: Text | None = None) -> T:
            lacking = [info.name for info in self.inventing if info.key not in data]
            if not lacking:
                return load(data, text)
            record = load(data)
            cast(Any, record)._state.made = {name: vars(record)[name] for name in lacking}
            return record

        return load_and_note

    def load(self, data: JSONObject, where: object) -> T:
        """A new record with this data. where: prints as bucket/collection, for the message."""
        if self._read_quickly is not None:
            with suppress(Exception):
                record: T = self._read_quickly(data, None, None)
                attributes = vars(record)
                del attributes[HOME], attributes[KEPT]
                attributes["_state"] = State()
                return record
        return self._load_with_care(data, where, State())

    def _load_with_care(self, data: JSONObject, where: object, state: State) -> T:
        """By the converter, which knows what is wrong."""
        try:
            record = self._structure(data, self._cls)
        except Exception as error:
            # The message names the record; the values of others stay in it.
            raise _invalid(f"{where}/{data.get('id', '?')}", problems(error)) from None
        # Past __setattr__, which would look at the names.
        vars(record).update(_state=state, last_modified=data.get("last_modified"))
        return cast(T, record)

    def dump(self, record: T, stored: Mapping[str, JSON], where: str) -> JSONObject:
        """The declared attributes as JSON, by their keys; ValidationError with all that does not fit.

        stored: what the server has, whose unknown keys inside nested objects are kept; an attribute
        that is absent is as it is there, and left out.
        """
        result: JSONObject = {}
        wrong: list[str] = []
        present = vars(record)
        for key, one in self.by_key.items():
            if one.info.name not in present and stored:
                continue
            given = getattr(record, one.info.name)
            if one.omits(given):
                continue
            try:
                written = self.dump_value(one, given)
                check(written, one.info.name, DEEPEST - 1)
                value = with_unknown(one.info.stored_type, written, stored.get(key))
                if value is not written:
                    check(value, one.info.name, DEEPEST - 1)
            except ValidationError as error:
                if self._is_stored(one, given, stored):
                    result[key] = stored[key]
                else:
                    wrong += error.problems
            else:
                result[key] = value
        if wrong:
            raise _invalid(where, wrong)
        return result

    def _is_stored(self, one: FieldCodec, value: Any, stored: Mapping[str, JSON]) -> bool:
        """Was it read like this? Others may have written what we would not, and it is left as it is."""
        with suppress(Exception):  # of any hook, also those of users
            return one.info.key in stored and same_value(one.read(stored[one.info.key]), value)
        return False

    def dump_value(self, one: FieldCodec, value: Any) -> JSON:
        """A field's value as JSON that can be read back."""
        if type(value) in one.plain and (type(value) is not int or number(value) is value):
            return value
        try:
            written = one.write(value)
            one.read(written)
        except Exception as error:
            raise _invalid("", [_at(one.info.name, error)]) from None
        return written


def _field_codec(cls: type, info: FieldInfo, converter: cattrs.Converter) -> FieldCodec:
    of_numbers = next((kind for kind in (Decimal, float) if without_none(info.type) is kind), None)
    try:
        # cattrs looks for the hook of an optional type when that is used.
        converter.get_structure_hook(without_none(info.stored_type))
        return FieldCodec(
            info,
            converter.get_unstructure_hook(info.stored_type),
            converter.get_structure_hook(info.stored_type),
            of_numbers,
            quick.plain_types(info.stored_type, converter),
            options(info.attribute).omit_none,
        )
    except KintoError as error:
        raise UsageError(f"{cls.__qualname__}.{info.name}: {error}") from None
    except Exception as error:  # what cattrs raises for a type that it cannot read
        raise no_storage_form(f"{cls.__qualname__}.{info.name}", info.type, error) from None


def no_storage_form(where: str, cls: Any, error: Exception) -> UsageError:
    """The error for a type that cattrs cannot read. error: what it raised."""
    name = cls.__name__ if isinstance(cls, type) else str(cls)
    first = (str(error) or type(error).__name__).splitlines()[0]
    return UsageError(f"{where}: there is no storage form for {name}: register() one ({first})")


def _at(name: str, error: Exception) -> str:
    if isinstance(error, Mismatch):
        return str(error.inside(name))
    return "; ".join(problems(error, name))


def _invalid(where: str, lines: list[str]) -> ValidationError:
    text = "; ".join(lines)
    return ValidationError(f"{where}: {text}" if where else text, lines)


# Held again by the thread that holds it: a codec is made with the converter.
_making = threading.RLock()
_converter: cattrs.Converter | None = None
_codecs: dict[type, Codec[Any]] = {}


def codec_of(declaration: Declaration) -> Codec[Any]:
    """The codec of a model, made when it is first wanted."""
    found = _codecs.get(declaration.cls)
    if found is None:
        with _making:
            found = _codecs[declaration.cls] = Codec(declaration, converter())
    return found


def converter() -> cattrs.Converter:
    global _converter
    with _making:
        if _converter is None:
            _converter = new_converter()
        return _converter


def register(cls: type[T], to_json: Callable[[T], JSON], from_json: Callable[[JSON], T]) -> None:
    """Teach all models a type of field. Register it before the first record is read or written.

    to_json, from_json: raise ValueError for what does not fit.
    """
    # To Python 3.10, list[int] is an instance of type.
    if not isinstance(cls, type) or get_origin(cls) is not None:
        raise UsageError(f"register() takes a class, got {cls!r}")

    def write(value: Any) -> JSON:
        if isinstance(value, cls):
            try:
                return to_json(value)
            except ValueError as error:
                raise Mismatch(str(error)) from None
        raise expected(f"a {cls.__name__}", value)

    converter().register_structure_hook(cls, lambda value, _: from_json(value))
    converter().register_unstructure_hook(cls, write)
    _codecs.clear()
