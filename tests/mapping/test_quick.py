"""The quick way to read a record makes the same of it as the converter, or leaves it to that."""

from __future__ import annotations

import enum
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintomodel import Model, Ref, ValidationError, field, register
from kintomodel.mapping import codec, quick
from kintomodel.mapping.codec import codec_of
from kintomodel.mapping.state import State, home_of

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from([2**64, -(2**63) - 1, 1.5, 2.0, float("1e300"), "", "a", "open", "1.5"])
    | st.sampled_from(["2026-11-23T12:00:00.000000+00:00", "2026-11-23T12:00:00Z", "2026-11-23", "x"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["street", "zip-code", "inner", "other"]), inner, max_size=4)
    ),
    max_leaves=6,
)


class Status(enum.Enum):
    open = "open"
    two = 2


@attrs.define
class Address:
    street: str
    zip_code: str | None = field(default=None, key="zip-code")
    inner: Address | None = attrs.field(default=None, kw_only=True)
    other: list[int] = attrs.field(factory=list, alias="others")


@attrs.define(slots=False)
class Careful:
    street: str = attrs.field(validator=attrs.validators.min_len(1))
    inner: int = attrs.field(default=0, converter=abs)


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: Decimal = Decimal(0)
    name: str = "none"
    count: int = 0
    rate: float = 0.0
    paid: bool = False
    paid_at: datetime | None = None
    exact: Decimal | None = field(default=None, store="text")
    status: Status = Status.open
    address: Address | None = field(default=None, key="place")
    careful: Careful | None = None
    tags: list[str] = field(factory=list)
    switches: list[bool] = field(factory=list)
    several: int | str | None = None
    customer: Ref[Receipt] | None = None
    anything: Any = None


KEYS = [info.key for info in Receipt.__kinto__.fields.values()]


def both(model: type[Any], data: dict[str, Any]) -> tuple[Any, Any]:
    """What comes of it the quick way, and with care; None where it does not fit."""
    made = codec_of(model.__kinto__)
    try:
        quickly = made._read_quickly(data, None, None)
    except Exception:
        quickly = None
    try:
        carefully = made._load_with_care(data, "payments/receipts", State())
    except ValidationError:
        carefully = None
    return quickly, carefully


def shown(record: Any) -> Any:
    """Its attributes with their types: to Python 1 is True."""
    return (
        None if record is None else {name: repr(vars(record).get(name)) for name in [*KEYS, "id", "address"]}
    )


@given(st.fixed_dictionaries({"id": st.sampled_from(["a", 1])}, optional=dict.fromkeys(KEYS, JSON)))
def test_it_reads_nothing_otherwise_than_the_converter(data):
    quickly, carefully = both(Receipt, data)
    if quickly is not None:
        assert shown(quickly) == shown(carefully)


OPTIONAL = {None, "paid_at", "exact", "place", "careful", "several", "customer", "anything"}
GOOD = {
    "id": "a",
    "amount": 1.5,
    "name": "x",
    "count": 3,
    "rate": 2,
    "paid": True,
    "paid_at": "2026-11-23T12:00:00.000000+00:00",
    "exact": "1.50",
    "status": "open",
    "place": {"street": "Main", "zip-code": "1", "inner": {"street": "Side"}, "other": [1, 2.0]},
    "careful": {"street": "Main", "inner": -1},
    "tags": ["a", "b"],
    "switches": [True],
    "several": "x",
    "customer": "c",
    "anything": {"a": [1]},
    "undeclared": 1,
}


@pytest.mark.parametrize("without", [None, *KEYS])
@pytest.mark.parametrize("null", [False, True])
def test_it_reads_what_is_as_it_should_be(without, null):
    data = {**GOOD, without: None} if null else {key: value for key, value in GOOD.items() if key != without}
    quickly, carefully = both(Receipt, data)
    assert shown(quickly) == shown(carefully)
    assert (quickly is None) == (null and without not in OPTIONAL)


def test_what_is_read_shares_no_list_with_the_answer():
    record = codec_of(Receipt.__kinto__).load(GOOD, "payments/receipts")
    record.tags.append("c")
    record.anything["a"].append(2)
    record.address.inner.other.append(3)
    assert (GOOD["tags"], GOOD["anything"]) == (["a", "b"], {"a": [1]})
    assert codec_of(Receipt.__kinto__).load({"id": "b"}, "payments/receipts").tags == []


def test_what_is_wrong_is_told_with_its_path():
    data = {**GOOD, "place": {"street": "Main", "inner": {"street": 5}}, "tags": ["a", 1]}
    with pytest.raises(ValidationError) as caught:
        codec_of(Receipt.__kinto__).load(data, "payments/receipts")
    assert caught.value.problems == (
        "address.inner.street: expected a string, got number 5",
        "tags[1]: expected a string, got number 1",
    )


class OwnConstructor(Model, bucket="payments", collection="receipts"):
    name: str = "none"

    def __init__(self, **values: Any) -> None:
        self.__attrs_init__(**values)
        self.name = self.name.upper()


class PostInit(Model, bucket="payments", collection="receipts"):
    name: str = "none"

    def __attrs_post_init__(self) -> None:
        self.name = self.name.upper()


class OwnNew(Model, bucket="payments", collection="receipts"):
    name: str = "none"

    def __new__(cls, name: str = "none", **values: Any) -> OwnNew:
        return super().__new__(cls)


class OwnSetattr(Model, bucket="payments", collection="receipts"):
    name: str = "none"

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value.upper() if name == "name" else value)


class Converted(Model, bucket="payments", collection="receipts"):
    name: str = attrs.field(default="none", converter=str.upper)


@pytest.mark.parametrize("model", [OwnConstructor, PostInit, OwnNew, OwnSetattr, Converted])
def test_a_constructor_that_does_more_is_used(model):
    made = codec_of(model.__kinto__)
    assert made._read_quickly is None
    assert made.load({"id": "a", "name": "x"}, "payments/receipts").name in ("X", "x" * (model is OwnNew))
    stored = {"id": "a", "last_modified": 5, "name": "x"}
    read = made.reader(home_of(model.__kinto__))(stored)
    assert read.name in ("X", "x" * (model is OwnNew))
    assert (read._state.stored, read._state.home.name) == (stored, "payments/receipts")


def test_a_default_that_takes_the_record_is_left_to_attrs():
    class Named(Model, bucket="payments", collection="receipts"):
        name: str
        title: str = attrs.field(default=attrs.Factory(lambda self: f"the {self.name}", takes_self=True))

    assert both(Named, {"id": "a", "name": "x", "title": "y"})[0].title == "y"
    assert both(Named, {"id": "a", "name": "x"})[0] is None
    assert codec_of(Named.__kinto__).load({"id": "a", "name": "x"}, "payments/receipts").title == "the x"


@pytest.fixture
def other_texts():
    """A converter of its own, as users may teach it other forms of anything."""
    before = codec._converter, dict(codec._codecs)
    codec._converter = None
    codec._codecs.clear()
    register(str, str.upper, str.lower)
    yield
    codec._converter, found = before
    codec._codecs.clear()
    codec._codecs.update(found)


def test_what_a_user_registered_is_used(other_texts):
    class Loud(Model, bucket="payments", collection="receipts"):
        name: str
        tags: list[str]

    assert not quick.is_kept(str, codec.converter())
    found = codec_of(Loud.__kinto__).load({"id": "A", "name": "X", "tags": ["B"]}, "payments/receipts")
    assert (found.name, found.tags) == ("x", ["b"])
