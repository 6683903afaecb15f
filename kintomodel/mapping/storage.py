"""The storage forms: Python values that JSON lacks, as JSON that Kinto can compare and sort.

Each write_ function makes JSON of a value, each read_ function a value of JSON. Both are strict:
what does not fit is refused with a Mismatch, never cast.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from ..protocol.values import JSON, survives
from ..query.conditions import kind

# Looked up once: this is read for each of many records.
_from_iso, _UTC = datetime.fromisoformat, timezone.utc

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)
# fromisoformat() reads more with each version of Python; these forms are read by all of ours.
_DATE = r"(\d{4})-(\d\d)-(\d\d)|(\d{4})(\d\d)(\d\d)"
_TIME = r"(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?)?(?:([Zz])|([+-]\d\d)(?::?(\d\d))?)?"


class Mismatch(ValueError):
    """A value that does not fit; the text says what was expected. path: where, inside of the value."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path.removeprefix('.')}: {self.args[0]}" if self.path else str(self.args[0])

    def inside(self, step: str) -> Mismatch:
        """The same, seen from the object or list around it. step: ".street" or "[3]"."""
        return Mismatch(self.args[0], step + self.path)


class TextDecimal(Decimal):
    """Stands for Decimal in the types of fields with store="text"."""


class EpochDatetime(datetime):
    """Stands for datetime in the types of fields with store="epoch_ms"."""


def expected(what: str, got: object) -> Mismatch:
    text = repr(got)
    shown = text if len(text) <= 40 else text[:39] + "…"
    return Mismatch(f"expected {what}, got {kind(got)} {shown}")


def read_decimal(value: JSON) -> Decimal:
    if type(value) is int:
        return Decimal(value)
    if type(value) is float:
        return Decimal(repr(value))
    raise expected("a number", value)


def exact_decimal(value: JSON) -> Decimal:
    """Of what a filter compares exactly: a number, or a Decimal that no JSON number holds."""
    return value if isinstance(value, Decimal) else read_decimal(value)


def write_decimal(value: Any) -> int | float:
    """A JSON number, so that Kinto compares and sorts it; only if it holds the value exactly."""
    if not isinstance(value, Decimal):
        if type(value) in (int, float):
            return write_decimal(read_decimal(value))
        raise expected("a Decimal", value)
    if not value.is_finite():
        raise Mismatch(f"JSON has no {value}")
    number = float(value)
    if Decimal(repr(number)) == value and survives(number):
        return int(value) if value == value.to_integral_value() and abs(value) <= 2**53 else number
    raise Mismatch(f'{value} does not fit a JSON number exactly: declare it with field(store="text")')


def read_text_decimal(value: JSON) -> Decimal:
    if type(value) is str:
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite():
            return number
    raise expected("a decimal number in a string", value)


def write_text_decimal(value: Any) -> str:
    if type(value) in (int, float):
        value = read_decimal(value)
    if isinstance(value, Decimal) and value.is_finite():
        return str(value)
    raise expected("a Decimal", value)


def read_datetime(value: JSON) -> datetime:
    """From any ISO 8601 form with a time; without an offset it is UTC. The result is in UTC."""
    if type(value) is str:
        try:
            # As we write it, of 32 characters, or in another form.
            is_ours = value[26:] == "+00:00" and value[10] == "T" and value[19] == "."
            moment = _from_iso(value if is_ours else _datetime_text(value))
            if moment.tzinfo is _UTC:
                return moment
            if moment.tzinfo is None:
                return moment.replace(tzinfo=timezone.utc)
            return moment.astimezone(timezone.utc)
        except (ValueError, OverflowError):
            pass
    raise expected("an ISO 8601 date and time", value)


def write_datetime(value: Any) -> str:
    """UTC, always with microseconds: texts of one width, so that they compare like the moments."""
    return _aware(value).isoformat(timespec="microseconds")


def read_epoch(value: JSON) -> datetime:
    if type(value) is int:
        try:
            return _EPOCH + value * _MILLISECOND
        except OverflowError:
            pass
    raise expected("milliseconds since 1970 as an integer", value)


def write_epoch(value: Any) -> int:
    milliseconds, rest = divmod(_aware(value) - _EPOCH, _MILLISECOND)
    if rest:
        raise Mismatch(f"{value.isoformat()} is not a whole number of milliseconds: round it first")
    return milliseconds


def _aware(value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise expected("a datetime", value)
    if value.utcoffset() is None:
        raise Mismatch(
            f"naive datetime {value.isoformat()}: give it a time zone, such as tzinfo=timezone.utc"
        )
    try:
        return value.astimezone(timezone.utc)
    except OverflowError:
        raise Mismatch(f"{value.isoformat()} is no moment that UTC has a year for") from None


def read_timedelta(value: JSON) -> timedelta:
    if type(value) in (int, float):
        try:
            return timedelta(seconds=value)
        except OverflowError:
            pass
    raise expected("a number of seconds", value)


def write_timedelta(value: Any) -> int | float:
    """Seconds; whole ones as an integer."""
    if not isinstance(value, timedelta):
        raise expected("a timedelta", value)
    seconds = value.total_seconds()
    is_exact = Decimal(repr(seconds)) == exact_seconds(value) and survives(seconds)
    if not is_exact or read_timedelta(seconds) != value:
        raise Mismatch(f"{value} does not fit a JSON number of seconds exactly: round it first")
    return int(seconds) if seconds.is_integer() else seconds


def exact_seconds(value: timedelta) -> Decimal:
    return Decimal(value // timedelta(microseconds=1)).scaleb(-6)


def write_date(value: Any) -> str:
    # A datetime is a date, too, but its time would be lost.
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    raise expected("a date", value)


def write_time(value: Any) -> str:
    if isinstance(value, time):
        if value.tzinfo is not None:
            # To Python the moment counts, to Kinto the text.
            raise Mismatch(f"time {value} has a time zone, so that it has no order: keep a datetime")
        return value.isoformat(timespec="microseconds")
    raise expected("a time", value)


def write_uuid(value: Any) -> str:
    if isinstance(value, UUID):
        return str(value)
    raise expected("a UUID", value)


def write_bytes(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise expected("bytes", value)


def _from_text(what: str, parse: Callable[[str], Any]) -> Callable[[JSON], Any]:
    def read(value: JSON) -> Any:
        if type(value) is str:
            try:
                return parse(value)
            except (ValueError, binascii.Error):
                pass
        raise expected(what, value)

    return read


def _date_text(text: str) -> str:
    parts = re.fullmatch(_DATE, text, re.ASCII)
    if parts is None:
        raise ValueError(text)
    return "-".join(filter(None, parts.groups()))


def _time_text(text: str) -> str:
    """With all digits and colons."""
    parts = re.fullmatch(_TIME, text, re.ASCII)
    if parts is None:
        raise ValueError(text)
    hour, minute, second, fraction, utc, offset, offset_minutes = parts.groups("")
    zone = "+00:00" if utc else f"{offset}:{offset_minutes or '00'}" if offset else ""
    return f"{hour}:{minute or '00'}:{second or '00'}.{fraction[:6]:0<6}{zone}"


def _datetime_text(text: str) -> str:
    day = 10 if text[4:5] == "-" else 8
    if text[day : day + 1] not in ("T", "t", " "):
        raise ValueError(text)
    return f"{_date_text(text[:day])}T{_time_text(text[day + 1 :])}"


read_date = _from_text("an ISO 8601 date", lambda text: date.fromisoformat(_date_text(text)))
read_time = _from_text("an ISO 8601 time", lambda text: time.fromisoformat(_time_text(text)))
read_uuid = _from_text("a UUID", UUID)
read_bytes = _from_text("base64 text", lambda text: base64.b64decode(text, validate=True))
