import enum
import operator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import attrs
import pytest

from kintomodel import F, Model, Q, Ref, UsageError, ValidationError, field
from kintomodel.mapping.storage import read_text_decimal
from kintomodel.protocol import operations
from kintomodel.query.conditions import EVERYTHING, NOTHING, And, Comparison, Not, Or, normal
from kintomodel.query.query import Sort
from kintomodel.reading import lookups


class Status(enum.Enum):
    open = "open"
    void = "void"


@attrs.define
class Address:
    city: str
    exists: bool = True


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: Decimal
    currency: str = "EUR"
    paid_at: datetime | None = None
    tags: list[str] = field(factory=list)
    status: Status = Status.open
    address: Address | None = None
    price: Decimal = field(default=Decimal(0), store="text")
    prices: list[Decimal] = field(factory=list, store="text")
    blob: bytes = b""
    gt: int = 0
    kind: str = field(default="", key="type")
    settings: dict[str, int] = field(factory=dict)
    customer: Ref["Receipt"] | None = None
    anything: Any = None


class Wave(Model, bucket="payments", collection="waves"):
    sum: complex | None = None
    parts: list[complex] = field(factory=list)


def meant(*conditions, **keywords):
    return normal(lookups.condition(Receipt.__kinto__, Q(*conditions, **keywords)))


def at(name, operator, value=None, decode=None):
    return Comparison(tuple(name.split(".")), operator, value, decode)


NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
BEFORE_NOON = Comparison(("paid_at",), "lt", "2026-11-23T12:00:00.000000+00:00", is_fixed_form=True)


@pytest.mark.parametrize(
    ("keyword", "value", "condition"),
    [
        ("currency", "EUR", at("currency", "eq", "EUR")),
        ("currency__exact", "EUR", at("currency", "eq", "EUR")),
        ("currency", None, at("currency", "eq", None)),
        ("currency__ne", "EUR", at("currency", "ne", "EUR")),
        ("amount__gt", Decimal("1.5"), at("amount", "gt", 1.5)),
        ("amount__gte", 10, at("amount", "ge", 10)),
        ("amount__lt", 10, at("amount", "lt", 10)),
        ("amount__lte", 10, at("amount", "le", 10)),
        ("amount__gt", None, NOTHING),
        ("amount__in", {10}, at("amount", "in", [10])),
        ("amount__in", (one for one in [1, None]), at("amount", "in", [1, None])),
        ("amount__in", [], NOTHING),
        ("amount__not_in", [1], at("amount", "not_in", [1])),
        ("amount__not_in", [], EVERYTHING),
        ("paid_at__is_null", True, at("paid_at", "eq", None)),
        ("paid_at__is_null", False, at("paid_at", "ne", None)),
        ("paid_at__exists", False, at("paid_at", "exists", False)),
        ("paid_at__lt", NOON, BEFORE_NOON),
        ("paid_at__lt", NOON.astimezone(timezone(timedelta(hours=2))), BEFORE_NOON),
        ("modified_at__gte", NOON, at("last_modified", "ge", 1795435200000)),
        ("status", Status.void, at("status", "eq", "void")),
        ("status__in", ["void"], at("status", "in", ["void"])),
        ("currency__iexact", "eur", at("currency", "iexact", "eur")),
        ("currency__like", "E*", at("currency", "like", "E*")),
        ("currency__contains", "U", at("currency", "substring", "U")),
        ("currency__icontains", "u", at("currency", "isubstring", "u")),
        ("currency__startswith", "E", at("currency", "startswith", "E")),
        ("currency__istartswith", "e", at("currency", "istartswith", "e")),
        ("currency__endswith", "R", at("currency", "endswith", "R")),
        ("currency__iendswith", "r", at("currency", "iendswith", "r")),
        ("tags__contains", "gift", at("tags", "contains", ["gift"])),
        ("tags__contains", ["a", "b"], at("tags", "contains", ["a", "b"])),
        ("tags__contains_any", ("a", "b"), at("tags", "contains_any", ["a", "b"])),
        ("tags__contains_any", (one for one in "ab"), at("tags", "contains_any", ["a", "b"])),
        ("tags__contained_by", {"a": 1, "b": 2}.keys(), at("tags", "contained_by", ["a", "b"])),
        ("tags__contained_by", ["a"], at("tags", "contained_by", ["a"])),
        ("tags", ["a"], at("tags", "eq", ["a"])),
        ("address__city", "Paris", at("address.city", "eq", "Paris")),
        ("address__city__startswith", "P", at("address.city", "startswith", "P")),
        ("kind", "x", at("type", "eq", "x")),
        ("customer", Ref("abc"), at("customer", "eq", "abc")),
        ("price", Decimal("1.50"), at("price", "eq", "1.50", read_text_decimal)),
        ("price", None, at("price", "eq", None)),
        ("price__in", [1, None], at("price", "in", ["1", None], read_text_decimal)),
        ("prices__contains", Decimal("1.50"), at("prices", "contains", ["1.50"], read_text_decimal)),
        ("extra__colour", "red", at("colour", "eq", "red")),
        ("extra__colour__hue__gte", 5, at("colour.hue", "ge", 5)),
        # A declared field called like a look-up is a field.
        ("gt", 5, at("gt", "eq", 5)),
        ("gt__gt", 5, at("gt", "gt", 5)),
        ("address__exists", True, at("address.exists", "eq", True)),
        ("address__exists__exists", True, at("address.exists", "exists", True)),
        ("extra__exists", 1, at("exists", "eq", 1)),
        # A key of a dict is not.
        ("settings__gt__gte", 1, at("settings.gt", "ge", 1)),
        ("settings__exists", True, at("settings", "exists", True)),
        ("anything__gte", 5, at("anything", "ge", 5)),
        ("anything__ne", None, at("anything", "ne", None)),
        ("anything__ne__exact", 1, at("anything.ne", "eq", 1)),
        ("anything__contains", [1], at("anything", "contains", [1])),
        (
            "anything__contains",
            "a",
            Or((at("anything", "substring", "a"), at("anything", "contains", ["a"]))),
        ),
    ],
)
def test_a_keyword_means_a_comparison_of_what_is_stored(keyword, value, condition):
    assert meant(**{keyword: value}) == condition


class Sale(Model, bucket="payments", collection="receipts"):
    type_: str = field(key="type", default="sale")
    address_: Address | None = None


def test_a_name_may_end_with_an_underscore():
    def sale(**keywords):
        return normal(lookups.condition(Sale.__kinto__, Q(**keywords)))

    assert sale(type_="a") == at("type", "eq", "a")
    assert sale(type___in=["a", "b"]) == at("type", "in", ["a", "b"])
    assert sale(address___city__ne="a") == at("address_.city", "ne", "a")
    assert sale(extra__a__gt=1) == at("a", "gt", 1)
    assert lookups.sort_keys(Sale.__kinto__, ["-type_", "address_.city", "address___city"]) == (
        Sort(("type",), descending=True, scalars=True),
        Sort(("address_", "city"), scalars=True),
        Sort(("address_", "city"), scalars=True),
    )


def test_expressions_mean_the_same_as_keywords():
    assert meant(Receipt.amount >= 10) == meant(amount__gte=10)
    assert meant(F(Receipt.customer) == Ref("abc")) == meant(customer="abc")
    assert meant(Receipt.address.city == "Paris") == meant(address__city="Paris")
    assert meant(F(Receipt.tags).contains("a", "b")) == meant(tags__contains=["a", "b"])
    assert meant(F["address.city"].startswith("P")) == meant(address__city__startswith="P")
    assert meant(F(Receipt.anything).gt == 1) == at("anything.gt", "eq", 1)


def test_conditions_are_joined():
    one, two = at("currency", "eq", "EUR"), at("gt", "eq", 1)
    assert meant(Q(currency="EUR") & Q(gt=1)) == And((one, two))
    assert meant(Q(currency="EUR"), gt=1) == And((one, two))
    assert meant(Q(currency="EUR") | Q(gt=1)) == Or((one, two))
    assert meant(~Q(currency="EUR", gt=1)) == Or((at("currency", "ne", "EUR"), at("gt", "ne", 1)))
    assert meant(~Q(amount__gt=1)) == Not(at("amount", "gt", 1))
    assert meant(~Q(amount__gt=None)) == EVERYTHING
    assert meant(Q()) == EVERYTHING


@pytest.mark.parametrize(
    ("keyword", "value", "error", "message"),
    [
        ("amout", 1, UsageError, "Receipt has no field 'amout'; did you mean 'amount'?"),
        ("amout__gte", 1, UsageError, "Receipt has no field 'amout'; did you mean 'amount'?"),
        ("amout__gtee", 1, UsageError, "Receipt has no field 'amout'; did you mean 'amount'?"),
        ("amount__gtee", 1, UsageError, "Receipt.amount has no look-up 'gtee'; did you mean 'gte'?"),
        (
            "amount__qqq",
            1,
            UsageError,
            "Receipt.amount has no look-up 'qqq'; there are contained_by, contains",
        ),
        ("address__cty", "x", UsageError, "Receipt.address has no field 'cty'; did you mean 'city'?"),
        ("extra", {}, UsageError, "Receipt has no field 'extra'; there are"),
        ("amount__is_null", 1, UsageError, "Receipt.amount: is_null takes True or False, got 1"),
        ("amount__exists", None, UsageError, "Receipt.amount: exists takes True or False, got None"),
        ("amount__in", 1, UsageError, "Receipt.amount: in takes several values, got 1"),
        ("currency__in", "EUR", UsageError, "Receipt.currency: in takes several values, got 'EUR'"),
        (
            "currency__not_in",
            {"a": 1},
            UsageError,
            "Receipt.currency: not_in takes several values, got {'a': 1}",
        ),
        ("amount__like", "1", UsageError, "Receipt.amount holds Decimal: like is for texts"),
        ("currency__like", 1, UsageError, "Receipt.currency: like takes a text, got 1"),
        ("currency__like", "\0", ValidationError, "Receipt.currency: Kinto cannot store the character NUL"),
        (
            "currency__contains_any",
            ["a"],
            UsageError,
            "Receipt.currency holds str: contains_any is for lists",
        ),
        ("amount__contains", 1, UsageError, "Receipt.amount holds Decimal: contains is for lists and sets"),
        ("tags__contains_any", "a", UsageError, "Receipt.tags: contains_any takes several values, got 'a'"),
        ("tags__contains", 1, ValidationError, "Receipt.tags: expected a string, got number 1"),
        (
            "tags__gt",
            ["a"],
            UsageError,
            "Receipt.tags: list values have no order that Kinto knows, gt needs one",
        ),
        (
            "price__gt",
            1,
            UsageError,
            "Receipt.price: Decimal values have no order that Kinto knows, gt needs one",
        ),
        ("currency", 1, ValidationError, "Receipt.currency: expected a string, got number 1"),
        ("amount", "1", ValidationError, "Receipt.amount: expected a Decimal, got string '1'"),
        (
            "paid_at",
            datetime(2026, 1, 1),
            ValidationError,
            "Receipt.paid_at: naive datetime 2026-01-01T00:00:00",
        ),
        (
            "status",
            "opne",
            ValidationError,
            "Receipt.status: expected one of 'open', 'void', got string 'opne'",
        ),
        ("anything", float("nan"), ValidationError, "Receipt.anything: JSON has no nan"),
    ],
)
def test_what_makes_no_sense_is_refused(keyword, value, error, message):
    with pytest.raises(error) as caught:
        meant(**{keyword: value})
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("given", ["EUR", b"EUR", {"EUR": 1}, None, 5])
def test_one_value_is_not_several(given):
    currency = F(Receipt.currency)
    for lookup, written in (("in", currency.in_), ("not_in", currency.not_in)):
        with pytest.raises(UsageError, match=f"Receipt.currency: {lookup} takes several values, got"):
            meant(written(given))
        with pytest.raises(UsageError, match=f"Receipt.currency: {lookup} takes several values, got"):
            meant(**{f"currency__{lookup}": given})


def test_a_field_is_not_compared_with_a_field():
    with pytest.raises(UsageError, match="Kinto compares a field with a value, not with <field gt>"):
        meant(amount=Receipt.gt)


def sorted_by(*keys):
    return lookups.sort_keys(Receipt.__kinto__, keys)


def test_an_order_is_of_names_or_fields():
    by_amount = Sort(("amount",), scalars=True)
    by_city = Sort(("address", "city"), descending=True, scalars=True)
    for given in ("amount", Receipt.amount, F(Receipt.amount).asc()):
        assert sorted_by(given) == (by_amount,)
    for given in ("-address__city", "-address.city", F(Receipt.address.city).desc()):
        assert sorted_by("amount", given) == (by_amount, by_city)
    assert sorted_by("kind", "modified_at") == (
        Sort(("type",), scalars=True),
        Sort(("last_modified",), scalars=True),
    )


def test_arrays_may_be_where_anything_may_be():
    assert sorted_by("anything", "extra__colour") == (Sort(("anything",)), Sort(("colour",)))


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("amuont", "Receipt has no field 'amuont'; did you mean 'amount'?"),
        ("tags", "Receipt.tags: Kinto cannot order by list values"),
        ("price", "Receipt.price: Kinto cannot order by Decimal values"),
        (5, 'order_by() takes names such as "-paid_at", or fields, got 5'),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(key, message):
    with pytest.raises(UsageError) as caught:
        sorted_by(key)
    assert str(caught.value) == message


class Measure(Model, bucket="payments", collection="receipts"):
    length: float = 0.0
    amount: Decimal = Decimal(0)
    count: int = 0
    took: timedelta = timedelta(0)


@pytest.mark.parametrize("name", ["length", "amount", "count"])
def test_any_finite_number_may_be_asked_for(payments, name):
    stored = [0.3, 0.25, 1, 2**60, 3e30]
    for at, value in enumerate(stored):
        payments.connection.perform(
            operations.create(f"/buckets/payments/collections/receipts/records/m{at}", {name: value})
        )
    third = Decimal(1) / 3
    asked = [0.1 + 0.2, 1e23, -1e-30, 0.25, third, Decimal("0.25"), 2**60, 2**60 + 1, 2**70, Decimal("1e400")]
    for value in asked:
        for lookup, compare in COMPARISONS.items():
            found = Measure.objects.filter(**{f"{name}__{lookup}": value})
            wanted = [one for one in stored if compare(Decimal(repr(one)), Decimal(repr_or_self(value)))]
            assert found.count() == len(wanted), (lookup, value)
        assert Measure.objects.filter(**{f"{name}__in": [value]}).count() == (value in (0.25, 2**60))


LONG = timedelta(seconds=9_999_999_999, microseconds=123457)


def test_any_timedelta_may_be_asked_for(payments):
    stored = [timedelta(milliseconds=300), timedelta(1), -timedelta(1), timedelta(seconds=9_999_999_999)]
    for value in stored:
        Measure.objects.create(took=value)
    for value in (*stored, LONG, timedelta.min, timedelta.max):
        for lookup, compare in COMPARISONS.items():
            found = Measure.objects.filter(**{f"took__{lookup}": value}).count()
            assert found == sum(compare(one, value) for one in stored), (lookup, value)


class Sight(Model, bucket="payments", collection="receipts"):
    seen_at: datetime = field(store="epoch_ms")


def test_any_moment_may_be_compared_with_whole_milliseconds(payments):
    stored = [NOON, NOON + timedelta(milliseconds=1), datetime(9999, 12, 31, tzinfo=timezone.utc)]
    for value in stored:
        Sight.objects.create(seen_at=value)
    for value in (NOON, NOON + timedelta(microseconds=1), datetime.max.replace(tzinfo=timezone.utc)):
        for lookup, compare in COMPARISONS.items():
            found = Sight.objects.filter(**{f"seen_at__{lookup}": value}).count()
            assert found == sum(compare(one, value) for one in stored), (lookup, value)
    assert Sight.objects.filter(modified_at__lt=value).count() == 3


def repr_or_self(value):
    return value if isinstance(value, Decimal) else repr(value)


COMPARISONS = {
    "exact": operator.eq, "ne": operator.ne, "gt": operator.gt, "gte": operator.ge, "lt": operator.lt,
    "lte": operator.le,
}  # fmt: skip


def test_what_no_number_is_may_not_be_asked_for():
    for value in (float("nan"), float("inf"), Decimal("NaN")):
        with pytest.raises(ValidationError, match="JSON has no"):
            Measure.objects.filter(length__gt=value)


@pytest.mark.parametrize(("keyword", "value"), [("sum", 1j), ("sum__in", [1j]), ("parts__contains", 1j)])
def test_a_type_without_a_storage_form_is_refused_as_by_a_save(keyword, value):
    named = rf"Wave\.{keyword.partition('__')[0]}: there is no storage form for complex.*: register\(\) one"
    with pytest.raises(UsageError, match=named):
        lookups.condition(Wave.__kinto__, Q(**{keyword: value}))
    with pytest.raises(UsageError, match=r"Wave\.sum: there is no storage form for complex"):
        Wave(sum=1j).changes()
