"""Whole records: what the server gets and gives back; types that users register."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any, Generic, TypeVar

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kintomodel import Model, Ref, UsageError, ValidationError, field, register
from kintomodel.mapping.codec import codec_of
from kintomodel.mapping.state import home_of
from kintomodel.protocol import operations
from kintomodel.protocol.values import DEEPEST, equal
from kintomodel.testing import record
from tests.mapping.test_conversion import Address, Line, Status, addresses, decimals, lines, moments, texts

T = TypeVar("T")

# Kinto 26.5 reads other floats to the last digit but one.
short_floats = st.builds(
    lambda digits, exponent: float(f"{digits}e{exponent}"), st.integers(0, 10**15 - 1), st.integers(-15, 5)
)
kept_by_kinto = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | short_floats | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)

on_the_server = settings(
    max_examples=15,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: Decimal
    exact: Decimal | None = field(default=None, store="text")
    paid_at: datetime | None = None
    seen_at: datetime | None = field(default=None, store="epoch_ms")
    status: Status = Status.open
    address: Address | None = None
    lines: list[Line] = field(factory=list)
    tags: frozenset[str] = frozenset()
    prices: dict[str, Decimal] = field(factory=dict)
    payer: Ref[Receipt] | None = None
    notes: Any = field(default=None, key="remarks")


class Envelope(Model, Generic[T], abstract=True):
    payload: T
    several: list[T] = field(factory=list)


class DecimalEnvelope(Envelope[Decimal], bucket="payments", collection="receipts"):
    pass


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and self.cents == other.cents

    __hash__ = None


def money_from_json(value):
    if not isinstance(value, str) or not value.endswith(" EUR"):
        raise ValueError(f"expected an amount such as '5 EUR', got {value!r}")
    return Money(int(value.removesuffix(" EUR")))


def money_to_json(money):
    if money.cents < 0:
        raise ValueError("there is no negative money")
    return f"{money.cents} EUR"


@pytest.fixture
def sent(payments):
    with record(payments) as recording:
        yield recording


def load(model, **data):
    return codec_of(model.__kinto__).load({"id": "abc", **data}, "payments/receipts")


@on_the_server
@given(
    st.builds(
        Receipt,
        amount=decimals,
        exact=st.none() | st.decimals(allow_nan=False, allow_infinity=False),
        paid_at=st.none() | moments,
        seen_at=st.none()
        | st.integers(0, 10**12).map(lambda s: datetime.fromtimestamp(s / 1000, timezone.utc)),
        status=st.sampled_from(Status),
        address=st.none() | addresses,
        lines=st.lists(lines, max_size=2),
        tags=st.frozensets(st.sampled_from("abc")),
        prices=st.dictionaries(st.sampled_from(["a", "b.c", "d e", "_f"]), decimals),
        payer=st.none() | st.just(Ref("other")),
        notes=kept_by_kinto,
    )
)
def test_a_record_comes_back_from_the_server_as_it_was_sent(payments, receipt):
    if receipt.seen_at:
        receipt.seen_at = receipt.seen_at.replace(microsecond=receipt.seen_at.microsecond // 1000 * 1000)
    sent = {name: getattr(receipt, name) for name in Receipt.__kinto__.fields}
    receipt.save()
    found = Receipt.objects.get(id=receipt.id)
    back = {name: getattr(found, name) for name in Receipt.__kinto__.fields}
    # PostgreSQL gives back large floats as integers, which are not equal to Python.
    assert equal(back.pop("notes"), sent.pop("notes"))
    assert back == sent
    assert found.changes() == receipt.changes() == {}


def test_the_server_has_the_last_word_on_a_float(payments):
    # Kinto 26.5 reads numbers of more than 15 digits to the last digit but one.
    receipt = Receipt(amount=Decimal(1), notes=0.11918476496899133)
    receipt.save()
    assert receipt.notes == Receipt.objects.get(id=receipt.id).notes
    assert receipt.notes == pytest.approx(0.11918476496899133, rel=1e-15)
    assert receipt.changes() == {}


def test_each_form_is_what_the_documentation_says(payments):
    moment = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
    receipt = Receipt(
        amount=Decimal("12.50"),
        exact=Decimal("0.12345678901234567890"),
        paid_at=moment,
        seen_at=moment,
        address=Address("Rue", since=date(2020, 2, 29)),
        tags=frozenset("ba"),
        payer=Ref("other"),
        notes=[1],
    )
    receipt.save()
    path = f"/buckets/payments/collections/receipts/records/{receipt.id}"
    stored = payments.connection.perform(operations.read(path)).data
    del stored["id"], stored["last_modified"]
    assert stored == {
        "amount": 12.5,
        "exact": "0.12345678901234567890",
        "paid_at": "2026-11-23T12:00:00.000000+00:00",
        "seen_at": 1795435200000,
        "status": "open",
        "address": {"street": "Rue", "town": "Paris", "since": "2020-02-29"},
        "lines": [],
        "tags": ["a", "b"],
        "prices": {},
        "payer": "other",
        "remarks": [1],
    }


def test_a_record_that_does_not_fit_is_named_with_all_that_is_wrong():
    with pytest.raises(ValidationError) as caught:
        load(Receipt, lines=[{"price": 1}, {"price": "12,5"}], status="gone", address={"town": 5})
    assert str(caught.value) == (
        "payments/receipts/abc: amount: missing; status: expected one of 'open', 'void', got string 'gone'; "
        "address.street: missing; address.city: expected a string, got number 5; "
        "lines[1].price: expected a number, got string '12,5'"
    )
    assert len(caught.value.problems) == 5


def test_a_listing_with_a_record_that_does_not_fit_says_which(payments):
    class Loose(Model, bucket="payments", collection="receipts"):
        amount: Any

    Loose.objects.create(id="abc", amount="12,5")
    with pytest.raises(
        ValidationError, match=r"^payments/receipts/abc: amount: expected a number, got string '12,5'$"
    ):
        list(Receipt.objects.all())


def test_everything_wrong_is_said_at_once_and_nothing_is_sent(payments, sent):
    receipt = Receipt(
        amount="1", paid_at=datetime(2026, 1, 1), tags="abc", notes=float("nan"), exact=Decimal("NaN")
    )
    with pytest.raises(ValidationError) as caught:
        receipt.save()
    assert str(caught.value) == f"payments/receipts/{receipt.id}: " + "; ".join(
        [
            "amount: expected a Decimal, got string '1'",
            "exact: expected a Decimal, got Decimal Decimal('NaN')",
            "paid_at: naive datetime 2026-01-01T00:00:00: give it a time zone, such as tzinfo=timezone.utc",
            "tags: expected a frozenset, got string 'abc'",
            "notes: JSON has no nan",
        ]
    )
    assert len(sent) == 0


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("a\0b", "notes: Kinto cannot store the character NUL"),
        ({"a": [float("inf")]}, "notes.a[0]: JSON has no inf"),
        (2**64, "notes: Kinto keeps integers of 64 bits only, got one of 65 bits"),
        ("\udcff", "notes: a lone surrogate is not a character"),
    ],
)
def test_what_kinto_would_change_or_choke_on_is_refused_before_it_is_sent(payments, sent, value, problem):
    with pytest.raises(ValidationError, match="notes") as caught:
        Receipt(amount=Decimal(1), notes=value).save()
    assert caught.value.problems == (problem,)
    assert len(sent) == 0


def test_a_model_of_a_generic_one_knows_what_the_variable_stands_for(payments):
    envelope = DecimalEnvelope(payload=Decimal("1.50"), several=[Decimal(2)])
    envelope.save()
    found = DecimalEnvelope.objects.get(id=envelope.id)
    assert (found.payload, found.several) == (Decimal("1.5"), [Decimal(2)])
    assert type(found.payload) is type(found.several[0]) is Decimal
    assert [one.id for one in DecimalEnvelope.objects.filter(DecimalEnvelope.payload >= 1)] == [envelope.id]
    with pytest.raises(ValidationError, match="payload: expected a Decimal, got string"):
        DecimalEnvelope(payload="x").save()


def test_a_registered_type_is_a_type_like_the_others(payments):
    register(Money, money_to_json, money_from_json)

    class Sale(Model, bucket="payments", collection="receipts"):
        price: Money
        more: list[Money] = field(factory=list)

    sale = Sale(price=Money(5), more=[Money(1)])
    sale.save()
    found = Sale.objects.get(id=sale.id)
    assert (found.price, found.more, found.changes()) == (Money(5), [Money(1)], {})
    with pytest.raises(
        ValidationError, match=r"abc: more\[0\]: expected an amount such as '5 EUR', got '5 USD'$"
    ):
        load(Sale, price="5 EUR", more=["5 USD"])
    with pytest.raises(ValidationError, match=r"more\[0\]: there is no negative money$"):
        Sale(price=Money(5), more=[Money(-1)]).changes()
    with pytest.raises(ValidationError, match=r"price: expected a Money, got number 5$"):
        Sale(price=5).changes()


def test_a_registered_type_that_does_not_read_what_it_wrote_is_found_out():
    class Odd:
        pass

    def fail(value):
        raise TypeError("not like this")

    class Sale(Model, bucket="payments", collection="receipts"):
        odd: Odd

    register(Odd, lambda _: "odd", fail)
    with pytest.raises(ValidationError, match=r"^payments/receipts/new: odd: invalid"):
        Sale(id="new", odd=Odd()).changes()
    with pytest.raises(ValidationError, match=r"^payments/receipts/abc: odd: invalid value"):
        load(Sale, odd="x")


def test_only_a_class_can_be_registered():
    with pytest.raises(UsageError, match=r"register\(\) takes a class, got list\[int\]"):
        register(list[int], list, list)


def test_a_validator_of_attrs_has_its_say():
    class Strict(Model, bucket="payments", collection="receipts"):
        amount: int = attrs.field(validator=attrs.validators.ge(0))

    with pytest.raises(ValidationError, match=r"payments/receipts/abc: 'amount' must be >= 0: -1$"):
        load(Strict, amount=-1)


def test_a_number_that_others_stored_and_we_would_not_is_left_as_it_is(payments):
    """Kinto's reader may change the last digits of such a number, so we never send one."""

    class Rate(Model, bucket="payments", collection="receipts"):
        rate: Decimal
        name: str = "a"

    path = "/buckets/payments/collections/receipts/records/r1"
    payments.connection.perform(operations.create(path, {"rate": 0.1 + 0.2, "name": "a"}))
    rate = Rate.objects.get(id="r1")
    rate.name = "b"
    assert rate.changes() == {"name": "b"}
    rate.save()
    rate.rate += 1
    with pytest.raises(ValidationError, match="does not fit a JSON number exactly"):
        rate.save()
    with pytest.raises(ValidationError, match="does not fit a JSON number exactly"):
        codec_of(Rate.__kinto__).dump(rate, {"rate": "what nobody can read"}, "payments/receipts")


@pytest.mark.parametrize(("levels", "fits"), [(DEEPEST - 1, True), (DEEPEST, False)])
def test_a_value_is_one_level_below_the_data(levels: int, fits: bool) -> None:
    class Anything(Model, bucket="payments", collection="receipts"):
        value: Any = None

    value: Any = 1
    for _ in range(levels):
        value = [value]
    with nullcontext() if fits else pytest.raises(ValidationError, match="nested more than 300 levels deep"):
        codec_of(Anything.__kinto__).dump(Anything(value=value), {}, "payments/receipts")


def test_what_the_server_holds_below_a_value_counts_as_well() -> None:
    class Place(Model, bucket="payments", collection="receipts"):
        address: Address

    stored: Any = 1
    for _ in range(DEEPEST):
        stored = [stored]
    found = codec_of(Place.__kinto__).reader(home_of(Place.__kinto__))(
        {"id": "a", "last_modified": 5, "address": {"street": "1", "deep": stored}}
    )
    found.address.street = "2"
    with pytest.raises(ValidationError, match="nested more than 300 levels deep"):
        codec_of(Place.__kinto__).dump(found, found._state.stored, "payments/receipts")


@attrs.define
class Price:
    amount: str | None = field(default=None, store="text")


@attrs.define
class Terms:
    note: str | None = field(default=None, omit_none=True, owner="remote")


def test_what_only_fields_of_models_take_is_refused_in_a_nested_class():
    class Offer(Model, bucket="b", collection="c"):
        price: Price | None = None

    with pytest.raises(UsageError, match=r"Price\.amount: store: only fields of models take that"):
        codec_of(Offer.__kinto__)

    class Contract(Model, bucket="b", collection="c"):
        terms: list[Terms] = field(factory=list)

    with pytest.raises(UsageError, match=r"Terms\.note: omit_none, owner: only fields of models take that"):
        codec_of(Contract.__kinto__)
