import enum
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, Literal, NewType, TypedDict
from uuid import UUID

import attrs
import pytest

from kintomodel import Model, Ref, UsageError, field
from kintomodel.reading.targets import target

Sku = NewType("Sku", str)
MaybeSku = NewType("MaybeSku", Sku)


class Status(enum.Enum):
    open = "open"
    closed = "closed"


class Level(enum.Enum):
    low = 1
    high = "high"


@attrs.define
class City:
    name: str
    country: str = field(default="FR", key="type")
    people: int = attrs.field(init=False, default=0)


@dataclass
class Address:
    city: City
    lines: list[str]


class Size(TypedDict):
    width: int


class Thing(Model, bucket="shop", collection="things"):
    name: str = field(key="n")
    amount: Decimal = Decimal(0)
    price: Decimal = field(default=Decimal(0), store="text")
    seen_at: datetime | None = field(default=None, store="epoch_ms")
    day: date | None = None
    moment: datetime | None = None
    day_or_moment: date | datetime | None = None
    day_or_time: date | time | None = None
    at: time | None = None
    took: timedelta | None = None
    code: UUID | None = None
    sku: MaybeSku | None = None
    status: Status = Status.open
    level: Level = Level.low
    kind: Literal["a", "b"] = "a"
    tagged: Annotated[Annotated[int, "m"] | None, "unit"] = 0
    digit: Literal[1, "b"] = 1
    either: int | str = 0
    text_or_status: str | Status = ""
    blob: bytes = b""
    done: bool = False
    tags: set[str] = field(factory=set)
    pair: tuple[int, str] | None = None
    prices: list[Decimal] = field(factory=list, store="text")
    address: Address | None = None
    size: Size | None = None
    counts: dict[str, int] = field(factory=dict)
    owner: Ref["Thing"] | None = None
    anything: Any = None
    plain_list: list = field(factory=list)
    plain_dict: dict = field(factory=dict)


def to(name):
    return target(Thing.__kinto__, tuple(name.split(".")))


@pytest.mark.parametrize(
    ("name", "path", "type_"),
    [
        ("name", ("n",), str),
        ("id", ("id",), str),
        ("last_modified", ("last_modified",), int),
        ("modified_at", ("last_modified",), "moment"),
        ("sku", ("sku",), str),
        ("day", ("day",), date),
        ("address.city.name", ("address", "city", "name"), str),
        ("address.city.country", ("address", "city", "type"), str),
        ("address.lines", ("address", "lines"), list[str]),
        ("size.width", ("size", "width"), int),
        ("counts.apples", ("counts", "apples"), int),
        ("anything.a.b", ("anything", "a", "b"), Any),
        ("extra.colour", ("colour",), Any),
        ("extra.colour.hue", ("colour", "hue"), Any),
    ],
)
def test_a_name_leads_to_where_it_is_stored(name, path, type_):
    found = to(name)
    assert (found.path, found.type) == (path, type_)
    assert str(found) == f"Thing.{name}"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nane", "Thing has no field 'nane'; did you mean 'name'?"),
        ("extra", "Thing has no field 'extra'; there are address, amount, anything"),
        ("address.cty", "Thing.address has no field 'cty'; did you mean 'city'?"),
        ("address.city.type", "Thing.address.city has no field 'type'; there are country, name"),
        ("name.first", "Thing.name holds str, there is no 'first' inside"),
        ("price.cents", "Thing.price holds Decimal, there is no 'cents' inside"),
        ("modified_at.year", "Thing.modified_at holds moment, there is no 'year' inside"),
    ],
)
def test_a_name_that_leads_nowhere_is_refused(name, message):
    with pytest.raises(UsageError) as caught:
        to(name)
    assert str(caught.value).startswith(message)


def names(quality):
    fields = [*Thing.__kinto__.fields, "id", "last_modified", "modified_at", "extra.x"]
    return {name for name in fields if getattr(to(name), quality)}


ORDERED = {
    "name", "amount", "seen_at", "day", "moment", "day_or_moment", "day_or_time", "at", "took", "code", "sku",
    "kind", "tagged", "either", "done", "id", "last_modified", "modified_at", "anything", "extra.x",
}  # fmt: skip


def test_values_that_compare_as_their_stored_forms_have_an_order():
    assert names("is_ordered") == ORDERED


def test_texts_of_dates_or_of_times_have_a_fixed_form():
    assert names("is_fixed_form") == {"day", "moment", "day_or_moment", "at"}


def test_an_order_by_enums_is_that_of_their_values():
    assert names("is_sortable") == ORDERED | {"status", "level"}


def test_an_annotated_type_can_do_what_the_type_can():
    assert to("tagged").type is int
    assert to("tagged").is_all((int,))


def test_texts_can_be_searched():
    assert names("is_text") == {
        "name",
        "sku",
        "status",
        "kind",
        "text_or_status",
        "id",
        "anything",
        "extra.x",
    }


def test_lists_and_sets_have_elements():
    assert names("is_list") == {"tags", "pair", "prices", "plain_list", "anything", "extra.x"}
    assert to("tags").element.type is str
    assert to("plain_list").element.type is Any
    assert to("anything").element.type is Any
    assert to("prices").element.decode()("1.50") == Decimal("1.5")


def test_names_may_follow_objects():
    assert names("has_inner") == {"address", "size", "counts", "plain_dict", "anything", "extra.x"}
    assert to("plain_dict.x.y").type is Any


def test_what_is_not_stored_is_not_known_inside():
    with pytest.raises(
        UsageError, match=r"Thing.address.city has no field 'people'; there are country, name"
    ):
        to("address.city.people")
    assert not to("address.city").declares("people")


def test_declared_fields_are_known_inside():
    assert to("address").declares("city")
    assert not to("address").declares("gte")
    assert not to("counts").declares("apples")
    assert not to("anything").declares("a")


def test_values_of_several_forms_are_decoded_before_they_are_compared():
    assert to("price").decode()("1.50") == Decimal("1.5")
    assert to("amount").decode(1, 0.5) is None


NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
NOON_MS = 1795435200000
LATE = datetime.max.replace(tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("amount", Decimal("1.50"), 1.5),
        ("amount", 3, 3),
        ("amount", 1.5, 1.5),
        # A whole number is an integer, however it is given: it reads as one on both back ends.
        ("amount", Decimal("1E+2"), 100),
        ("amount", 5.0, 5),
        ("amount", 2.0**60, 2.0**60),
        ("last_modified", 1.5, 1.5),
        ("last_modified", 2**60, 2**60),
        ("price", 1, "1"),
        ("price", Decimal("1.50"), "1.50"),
        ("seen_at", NOON, NOON_MS),
        ("modified_at", NOON, NOON_MS),
        ("modified_at", NOON + timedelta(microseconds=500), NOON_MS + 0.5),
        ("seen_at", NOON + timedelta(microseconds=500), NOON_MS + 0.5),
        ("seen_at", LATE, Decimal("253402300799999.999")),
        ("status", Status.closed, "closed"),
        ("status", "closed", "closed"),
        ("level", 1, 1),
        ("kind", "b", "b"),
        ("either", "x", "x"),
        ("either", 1, 1),
        ("either", 1.5, 1.5),
        ("owner", Ref("abc"), "abc"),
        ("owner", "abc", "abc"),
        ("size", {"width": 1}, {"width": 1}),
        ("anything", [1, {"a": None}], [1, {"a": None}]),
    ],
)
def test_a_value_is_written_as_it_is_stored(name, value, stored):
    assert to(name).write(value) == stored


def test_a_reference_may_be_given_as_a_record():
    assert to("owner").write(Thing(name="x", id="abc")) == "abc"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("name", 1, "expected a string, got number 1"),
        ("done", 1, "expected a boolean, got number 1"),
        ("text_or_status", 1, "expected str or Status, got number 1"),
        ("modified_at", datetime(2026, 1, 1), "expected a datetime with a time zone, got datetime"),
        ("seen_at", datetime(2026, 1, 1), "naive datetime 2026-01-01T00:00:00: give it a time zone"),
        ("seen_at", 5, "expected a datetime, got number 5"),
        ("modified_at", 5, "expected a datetime with a time zone, got number 5"),
        ("amount", float("inf"), "JSON has no inf"),
        ("amount", Decimal("NaN"), "JSON has no NaN"),
        ("status", "opened", "expected one of 'open', 'closed', got string 'opened'"),
        ("kind", "c", "'c'"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(name, value, message):
    with pytest.raises((ValueError, TypeError)) as caught:
        to(name).write(value)
    assert message in str(caught.value)
