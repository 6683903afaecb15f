"""Column: one value of each record, read without the record around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any, NamedTuple

import attrs

from ..errors import ValidationError
from ..mapping.codec import codec_of, converter
from ..mapping.conversion import problems
from ..mapping.declaration import Declaration, FieldInfo
from ..mapping.nested_values import is_nested, nested_default
from ..mapping.unknown import form_of
from ..protocol.values import JSON, JSONObject
from ..query.conditions import MISSING, Path, sort_key, value_at
from .reading import names_of
from .targets import target

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Column(NamedTuple):
    """name: as it was asked for. path: the keys on the server. type: without None. read: from JSON.

    default: makes the value where nothing is stored; KeyError if there must be something.
    """

    name: str
    path: Path
    type: Any
    read: Callable[[JSON], Any]
    default: Callable[[], Any]

    def value(self, data: JSONObject, where: str) -> Any:
        """As the record would have it; None if what it is inside of is not there. where: for the message."""
        found = value_at(data, self.path)
        if found is not MISSING:
            return self.decoded(found, data, where)
        if not isinstance(value_at(data, self.path[:-1]), dict):
            return None
        try:
            return self.default()
        except KeyError:
            raise self.wrong(data, where, ["missing"]) from None

    def stored(self, data: JSONObject, where: str) -> Any:
        """The value that is stored, None for null and where there is nothing."""
        found = value_at(data, self.path)
        return None if found is MISSING or found is None else self.decoded(found, data, where)

    def decoded(self, found: JSON, data: JSONObject, where: str) -> Any:
        try:
            return self.read(found)
        except Exception as error:  # of any hook, also those of users
            raise self.wrong(data, where, problems(error)) from None

    def wrong(self, data: JSONObject, where: str, lines: list[str]) -> ValidationError:
        dotted = self.name.replace("__", ".")
        # What is wrong inside of the value comes with a path of its own.
        told = [f"{dotted}{'' if line.startswith('[') else ': '}{line}" for line in lines]
        return ValidationError(f"{where}/{data['id']}: {'; '.join(told)}", told)


def column(declaration: Declaration, given: object) -> Column:
    """Of a field, a part of one, or what every record has; UsageError with a suggestion."""
    names = names_of(given)
    found = target(declaration, names)
    name = "__".join(names)
    fields = {one.info.name: one for one in codec_of(declaration).fields}
    if names[0] in fields and len(names) == 1:
        field = fields[names[0]]
        return Column(name, found.path, found.type, field.read, partial(_default, field.info))
    if found.type == "moment":
        return Column(name, found.path, datetime, _moment, _nothing)
    read = partial(_read, converter().get_structure_hook(found.type), found.type)
    outer = target(declaration, names[:-1]).type if names[1:] and names[0] in fields else None
    default = partial(nested_default, outer, names[-1]) if is_nested(outer) else _nothing
    return Column(name, found.path, found.type, read, default)


def columns(declaration: Declaration, given: tuple[object, ...]) -> tuple[Column, ...]:
    """Those that are named; if none is, the id, last_modified and all fields."""
    names = given or ("id", "last_modified", *declaration.fields)
    return tuple(column(declaration, one) for one in names)


def _read(hook: Callable[[JSON, Any], Any], cls: Any, value: JSON) -> Any:
    return None if value is None else hook(value, cls)


def _default(info: FieldInfo) -> Any:
    if info.default is attrs.NOTHING:
        raise KeyError(info.key)
    return info.default


def _moment(milliseconds: JSON) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _nothing() -> None:
    return None


def distinct(wanted: Column, found: Iterable[JSONObject], where: str) -> list[Any]:
    """The values that are stored, each once, in the order that Kinto has for them."""
    by_form: dict[str, Any] = {}
    stored: dict[str, JSONObject] = {}
    for data in found:
        value = value_at(data, wanted.path)
        if value is not MISSING and (form := form_of(value)) not in by_form:
            by_form[form] = wanted.decoded(value, data, where)
            stored[form] = data
    result: dict[object, Any] = {}
    for form in sorted(by_form, key=lambda form: sort_key(stored[form], wanted.path)):
        # Two forms may be one value, as 1.5 and 1.50 in texts.
        result.setdefault(_identity(by_form[form], form), by_form[form])
    return list(result.values())


def _identity(value: Any, form: str) -> object:
    """The same for equal values; but to Python True is 1, and some values have no hash."""
    try:
        hash(value)
    except TypeError:
        return form
    return type(value), value
