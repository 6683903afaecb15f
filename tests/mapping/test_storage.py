"""The storage forms, each on its own: what is written, what is read, what is refused."""

import json
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kintomodel.mapping import storage
from kintomodel.mapping.storage import Mismatch

offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(
    min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29), timezones=st.just(timezone.utc) | offsets
)


def written_or_refused(write, value):
    """What was written and None, or None and the message."""
    try:
        return write(value), None
    except Mismatch as mismatch:
        return None, str(mismatch)


def over_the_wire(value):
    return json.loads(json.dumps(value, allow_nan=False))


# Decimal


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_is_stored_exactly_or_not_at_all(value):
    written, refused = written_or_refused(storage.write_decimal, value)
    if refused:
        assert 'declare it with field(store="text")' in refused
    else:
        assert type(written) in (int, float)
        assert storage.read_decimal(over_the_wire(written)) == value


@given(st.integers(-(10**13), 10**13), st.integers(0, 2))
def test_amounts_of_money_are_numbers(cents, places):
    value = Decimal(cents).scaleb(-places)
    assert storage.read_decimal(over_the_wire(storage.write_decimal(value))) == value


@pytest.mark.parametrize(
    ("value", "written"),
    [("12.50", 12.5), ("13", 13), ("13.00", 13), ("-0", 0), ("1E+3", 1000), ("1E+22", 1e22)],
)
def test_a_whole_decimal_is_an_integer(value, written):
    found = storage.write_decimal(Decimal(value))
    assert (found, type(found)) == (written, type(written))


@pytest.mark.parametrize(
    "value",
    ["0.12345678901234567890", "1E+400", "1E-400", "1152921504606846976", "1E+300", "0.39723997685875156"],
)
def test_a_decimal_that_no_number_holds_is_refused(value):
    with pytest.raises(
        Mismatch, match=r'does not fit a JSON number exactly: declare it with field\(store="text"'
    ):
        storage.write_decimal(Decimal(value))


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_json_has_no_number_that_is_not_finite(value):
    with pytest.raises(Mismatch, match="JSON has no"):
        storage.write_decimal(Decimal(value))


def test_a_decimal_field_takes_plain_numbers():
    assert (storage.write_decimal(3), storage.write_decimal(0.1)) == (3, 0.1)


@pytest.mark.parametrize("value", ["1", True, None, 1j])
def test_a_decimal_field_takes_nothing_else(value):
    with pytest.raises(Mismatch, match="expected a Decimal, got"):
        storage.write_decimal(value)


@pytest.mark.parametrize("value", ["12", True, None, [1]])
def test_only_a_number_is_read_as_a_decimal(value):
    with pytest.raises(Mismatch, match="expected a number, got"):
        storage.read_decimal(value)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_as_text_every_decimal_keeps_each_digit(value):
    found = storage.read_text_decimal(over_the_wire(storage.write_text_decimal(value)))
    assert (found, str(found)) == (value, str(value))


def test_a_text_decimal_takes_plain_numbers():
    assert (storage.write_text_decimal(3), storage.write_text_decimal(0.1)) == ("3", "0.1")


@pytest.mark.parametrize("value", [Decimal("NaN"), "1", True, None, float("inf")])
def test_what_is_no_finite_decimal_is_no_text_either(value):
    with pytest.raises(Mismatch, match="expected a Decimal, got"):
        storage.write_text_decimal(value)


@pytest.mark.parametrize("value", [12, "", "12,5", "NaN", "Infinity", None])
def test_a_text_without_a_number_is_refused(value):
    with pytest.raises(Mismatch, match="expected a decimal number in a string, got"):
        storage.read_text_decimal(value)


# datetime


@given(moments)
def test_a_datetime_is_the_same_moment_in_utc(value):
    written = storage.write_datetime(value)
    assert len(written) == 32
    assert written.endswith("+00:00")
    found = storage.read_datetime(written)
    assert found == value
    assert found.tzinfo is timezone.utc


@given(moments, moments)
def test_stored_datetimes_sort_like_the_moments(one, other):
    assert (one < other) == (storage.write_datetime(one) < storage.write_datetime(other))


@given(moments, st.sampled_from(["T", "t", " "]), st.integers(0, 9), st.sampled_from("Zzh:n"))
def test_any_iso_form_is_read(value, separator, digits, zone):
    nanoseconds = f"{value.microsecond:06}789"
    fraction = f".{nanoseconds[:digits]}" if digits else ""
    offset = value.strftime("%z")
    offset = {"Z": "Z", "z": "z", "h": offset, ":": f"{offset[:3]}:{offset[3:]}", "n": ""}[zone]
    if zone in "Zzn":
        value = value.replace(tzinfo=timezone.utc)
    text = f"{value.year:04}-{value:%m-%d}{separator}{value:%H:%M:%S}{fraction}{offset}"
    kept = int(f"{nanoseconds[:digits]:0<9}"[:6])
    assert storage.read_datetime(text) == value.replace(microsecond=kept)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T12:00:00Z",
        "2026-11-23T12:00Z",
        "2026-11-23T12Z",
        "2026-11-23T13:00:00+01",
        "2026-11-23T13:30:00+0130",
        "2026-11-23T12:00:00,0Z",
        "20261123T120000Z",
        "20261123T120000.000-0000",
        "2026-11-23T12:00:00.000000+00:00",
        "2026-11-23T12:00:00",
    ],
)
def test_these_are_all_the_same_moment(text):
    assert storage.read_datetime(text) == datetime(2026, 11, 23, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "",
        "2026-11-23",
        "2026-11-23T",
        "2026-11-23X12:00:00",
        "2026-11-23T25:00:00Z",
        "2026-13-23T12:00:00Z",
        "2026-11-23T12:00:00.Z",
        "2026-11-23T12:00:00+99:00",
        "0001-01-01T00:00:00+05:00",
        "2026-W48-1T12:00:00",
        "٢٠٢٦-11-23T12:00:00Z",
        "2026-11-23T12:00:00.xxxxxx+00:00",
        1732363200,
        None,
    ],
)
def test_what_is_no_moment_is_refused(value):
    with pytest.raises(Mismatch, match="expected an ISO 8601 date and time, got"):
        storage.read_datetime(value)


def test_a_naive_datetime_is_refused():
    with pytest.raises(
        Mismatch, match=r"naive datetime 2026-11-23T00:00:00: give it a time zone, such as tzinfo="
    ):
        storage.write_datetime(datetime(2026, 11, 23))


@pytest.mark.parametrize("value", ["2026-11-23T12:00:00Z", date(2026, 11, 23), 3, None])
def test_only_a_datetime_is_written_as_one(value):
    with pytest.raises(Mismatch, match="expected a datetime, got"):
        storage.write_datetime(value)


def test_a_moment_before_the_first_year_of_utc_is_refused():
    with pytest.raises(Mismatch, match="no moment that UTC has a year for"):
        storage.write_datetime(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5))))


@given(moments)
def test_epoch_milliseconds_are_exact_or_refused(value):
    written, refused = written_or_refused(storage.write_epoch, value)
    if refused:
        assert value.microsecond % 1000
        assert "not a whole number of milliseconds: round it first" in refused
    else:
        assert type(written) is int
        assert storage.read_epoch(over_the_wire(written)) == value


def test_epoch_milliseconds_count_from_1970():
    assert storage.write_epoch(datetime(1970, 1, 1, 0, 0, 1, tzinfo=timezone.utc)) == 1000
    assert storage.write_epoch(datetime(1969, 12, 31, 23, 59, 59, tzinfo=timezone.utc)) == -1000


@pytest.mark.parametrize("value", ["1000", 1.5, True, None, 10**18])
def test_what_is_no_count_of_milliseconds_is_refused(value):
    with pytest.raises(Mismatch, match="expected milliseconds since 1970 as an integer, got"):
        storage.read_epoch(value)


# the others


@given(st.timedeltas())
def test_a_timedelta_is_a_number_of_seconds_exactly_or_refused(value):
    written, refused = written_or_refused(storage.write_timedelta, value)
    if refused:
        assert "does not fit a JSON number of seconds exactly" in refused
    else:
        assert storage.read_timedelta(over_the_wire(written)) == value


@pytest.mark.parametrize(
    "value",
    [
        timedelta(seconds=9_999_999_999, microseconds=123457),
        timedelta(seconds=9_007_199_254, microseconds=740989),
        timedelta.max,
    ],
)
def test_a_timedelta_of_more_digits_than_kinto_keeps_is_refused(value):
    with pytest.raises(Mismatch, match="does not fit a JSON number of seconds exactly: round it first"):
        storage.write_timedelta(value)


def test_whole_seconds_are_an_integer():
    written = storage.write_timedelta(timedelta(minutes=1))
    assert (written, type(written)) == (60, int)
    assert storage.write_timedelta(timedelta(milliseconds=1500)) == 1.5


@pytest.mark.parametrize("value", ["60", True, None, 1e300])
def test_what_is_no_number_of_seconds_is_refused(value):
    with pytest.raises(Mismatch, match="expected a number of seconds, got"):
        storage.read_timedelta(value)


@given(st.dates())
def test_a_date_comes_back(value):
    assert storage.read_date(storage.write_date(value)) == value


@given(st.times())
def test_a_time_comes_back(value):
    assert storage.read_time(storage.write_time(value)) == value


@pytest.mark.parametrize("text", ["12:30", "12:30:00", "1230", "12:30:00.000", "12:30:00,0"])
def test_any_form_of_a_time_is_read(text):
    assert storage.read_time(text) == time(12, 30)


def test_any_form_of_a_date_is_read():
    assert storage.read_date("20261123") == storage.read_date("2026-11-23") == date(2026, 11, 23)


@pytest.mark.parametrize("zone", [timezone.utc, ZoneInfo("Europe/Paris")])
def test_a_time_with_a_time_zone_is_refused(zone):
    with pytest.raises(Mismatch, match=r"time 12:00:00(\+00:00)? has a time zone, so that it has no order"):
        storage.write_time(time(12, tzinfo=zone))


def test_a_time_with_a_time_zone_is_read():
    assert storage.read_time("12:00:00+01:00") == time(11, tzinfo=timezone.utc)


@given(st.uuids())
def test_a_uuid_comes_back(value):
    assert storage.read_uuid(storage.write_uuid(value)) == value


@given(st.binary())
def test_bytes_come_back(value):
    assert storage.read_bytes(storage.write_bytes(value)) == value


@pytest.mark.parametrize(
    ("write", "value", "message"),
    [
        (storage.write_date, datetime(2026, 11, 23), "expected a date, got datetime"),
        (storage.write_date, "2026-11-23", "expected a date, got string"),
        (storage.write_time, "12:30", "expected a time, got string"),
        (storage.write_uuid, "9a1c", "expected a UUID, got string"),
        (storage.write_bytes, "abc", "expected bytes, got string"),
        (storage.write_bytes, bytearray(b"abc"), "expected bytes, got bytearray"),
        (storage.write_timedelta, 60, "expected a timedelta, got number"),
    ],
)
def test_a_value_of_another_type_is_not_written(write, value, message):
    with pytest.raises(Mismatch, match=message):
        write(value)


@pytest.mark.parametrize(
    ("read", "value", "message"),
    [
        (storage.read_date, "2026-11-23T12:00:00", "expected an ISO 8601 date, got string"),
        (storage.read_date, "2026-W48-1", "expected an ISO 8601 date, got string"),
        (storage.read_date, "2026-02-30", "expected an ISO 8601 date, got string"),
        (storage.read_date, 20261123, "expected an ISO 8601 date, got number"),
        (storage.read_time, "noon", "expected an ISO 8601 time, got string"),
        (storage.read_time, None, "expected an ISO 8601 time, got null"),
        (storage.read_uuid, "9a1c", "expected a UUID, got string"),
        (storage.read_uuid, {}, "expected a UUID, got object"),
        (storage.read_bytes, "abc!", "expected base64 text, got string"),
        (storage.read_bytes, "abc", "expected base64 text, got string"),
        (storage.read_bytes, [1], "expected base64 text, got array"),
    ],
)
def test_json_of_another_form_is_not_read(read, value, message):
    with pytest.raises(Mismatch, match=message):
        read(value)


@given(st.text(max_size=40))
def test_no_text_makes_a_reader_fail_in_another_way(text):
    for read in (
        storage.read_datetime,
        storage.read_date,
        storage.read_time,
        storage.read_uuid,
        storage.read_bytes,
    ):
        written_or_refused(read, text)


def test_a_long_value_is_cut_in_the_message():
    text = str(storage.expected("a number", "x" * 100))
    assert text == "expected a number, got string '" + "x" * 38 + "…"


def test_a_mismatch_names_the_path_that_it_went_up():
    assert str(Mismatch("missing").inside("[3]").inside(".lines")) == "lines[3]: missing"
    assert str(Mismatch("missing")) == "missing"


@given(st.uuids())
def test_a_uuid_in_capitals_is_the_same(value):
    assume(str(value) != str(value).upper())
    assert storage.read_uuid(str(value).upper()) == UUID(str(value))
