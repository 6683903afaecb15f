"""What a model demands of a record beside the types, before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from ..errors import ValidationError
from ..mapping.codec import Codec, codec_of
from ..mapping.fields import options
from ..mapping.state import Mapped, home
from ..protocol.changes import Write
from ..protocol.values import JSON, equal
from .changes import write

_ABSENT = object()


def prepared(record: Mapped, *, force: bool = False) -> Write | None:
    """What makes the server's record like this one, if it is valid; None if it is already.

    Raises one ValidationError with all that is not.
    """
    try:
        planned = write(record, force=force)
    except ValidationError as error:
        wrong = invalid_fields(record, _sendable(record))
        if wrong:
            raise _refusal(record, [*error.problems, *wrong]) from None
        raise
    if planned is None:
        return None
    wrong = [*invalid_fields(record, planned.expected or {}), *unclean(record)]
    if wrong:
        raise _refusal(record, wrong)
    return planned


def _refusal(record: Mapped, wrong: list[str]) -> ValidationError:
    return ValidationError(f"{home(record).name}/{record.id}: {'; '.join(wrong)}", wrong)


def unclean(record: Mapped) -> list[str]:
    """What its clean() has against it."""
    try:
        record.clean()
    except ValidationError as error:
        return list(error.problems)
    except ValueError as error:
        return [str(error)]
    return []


def invalid_fields(record: Mapped, data: Mapping[str, JSON]) -> list[str]:
    """What the validators say of the fields that are to be stored with another value than now."""
    stored = record._state.stored or {}
    wrong: list[str] = []
    for one in codec_of(record.__kinto__).validated:
        key, attribute = one.info.key, one.info.attribute
        if key not in data or equal(stored.get(key, _ABSENT), data[key]):
            continue
        for validator in options(attribute).validators:
            try:
                validator(record, attribute, getattr(record, one.info.name))
            except (TypeError, ValueError) as error:
                # attrs' own have more arguments than the message.
                wrong.append(f"{one.info.name}: {error.args[0] if error.args else type(error).__name__}")
    return wrong


def _sendable(record: Mapped) -> dict[str, JSON]:
    """The fields that have a value which can be sent."""
    codec: Codec[Mapped] = codec_of(record.__kinto__)
    found: dict[str, JSON] = {}
    for one in codec.fields:
        if one.info.name not in vars(record):
            continue
        value = getattr(record, one.info.name)
        with suppress(ValidationError):
            if not one.omits(value):
                found[one.info.key] = codec.dump_value(one, value)
    return found
