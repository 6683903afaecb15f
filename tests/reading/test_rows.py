"""values(), values_list(), in_bulk(), distinct_values(): values of records instead of the records."""

from __future__ import annotations

import dataclasses
import enum
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import attrs
import pytest

from kintomodel import F, Model, Ref, UsageError, ValidationError, field
from kintomodel.protocol import operations
from kintomodel.testing import record

RECEIPTS = "/buckets/payments/collections/receipts/records"


class Status(enum.Enum):
    open = "open"
    void = "void"


@attrs.define
class Address:
    city: str
    zip: int | None = 7


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: Decimal
    status: Status = Status.open
    paid_at: datetime | None = None
    tags: list[str] = field(factory=list)
    address: Address | None = None
    customer: Ref[Receipt] | None = None
    exact: Decimal = field(store="text", default=Decimal(0))
    dashed: int = field(key="x-y", default=0)


NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


def store(client, **records):
    created = [operations.create(f"{RECEIPTS}/{id}", data) for id, data in records.items()]
    assert not any(isinstance(result, Exception) for result in client.connection.perform_all(created))


@pytest.fixture
def sent(payments):
    store(
        payments,
        a={"amount": 1.5, "address": {"city": "Rome", "zip": 1}, "status": "void", "note": [1], "x-y": 4},
        b={"amount": 2, "address": None, "paid_at": "2026-01-01T12:00:00Z", "tags": ["new"]},
        c={"amount": 3, "address": {"zip": None, "city": "Nice"}, "exact": "1.50", "customer": "a"},
    )
    with record(payments) as recording:
        yield recording


def asked(recording):
    return [(one.method, one.params.get("_fields")) for one in recording.operations]


def test_values_are_dicts_of_typed_values(sent):
    rows = Receipt.objects.values("id", "amount", "status", "address__city")
    assert not sent.operations
    assert list(rows) == [
        {"id": "a", "amount": Decimal("1.5"), "status": Status.void, "address__city": "Rome"},
        {"id": "b", "amount": Decimal(2), "status": Status.open, "address__city": None},
        {"id": "c", "amount": Decimal(3), "status": Status.open, "address__city": "Nice"},
    ]
    assert asked(sent) == [("GET", "amount,status,address.city")]


def test_values_are_as_the_records_have_them(payments):
    store(
        payments,
        a={"amount": 1, "customer": "a", "tags": ["x"], "address": {"city": "Oslo"}},
        b={"amount": 2},
    )
    names = [*Receipt.__kinto__.fields, "id", "last_modified", "modified_at"]
    assert list(Receipt.objects.values(*names)) == [
        {name: getattr(one, name) for name in names} for one in Receipt.objects.all()
    ]


def test_nested_values_are_as_the_records_have_them(payments):
    store(
        payments,
        a={"amount": 1, "address": {"city": "Oslo"}},
        b={"amount": 1, "address": {"city": "x", "zip": 2}},
    )
    store(payments, c={"amount": 1}, d={"amount": 1, "address": None}, e={"amount": 1, "place": {"zip": 3}})
    store(payments, bad={"amount": 1, "address": {"zip": 1}})
    rows = Receipt.objects.exclude(id="bad")
    assert list(rows.values_list("address__zip", flat=True)) == [7, 2, None, None, None]
    with pytest.raises(ValidationError, match=r"payments/receipts/bad: address\.city: missing"):
        list(Receipt.objects.values("address__city"))


def test_defaults_of_nested_classes_of_each_kind_count(payments):
    @attrs.define
    class Inner:
        required: int
        plain: int = 1
        made: list[int] = attrs.field(factory=list)
        own: int = attrs.field(default=attrs.Factory(lambda self: self.plain, takes_self=True))

    @dataclasses.dataclass
    class Data:
        required: int
        plain: int = 1
        made: list[int] = dataclasses.field(default_factory=list)

    class Outer(Model, bucket="payments", collection="receipts"):
        inner: Inner | None = None
        data: Data | None = None
        free: dict[str, int] | None = None

    store(payments, a={"inner": {}, "data": {}, "free": {}}, b={})
    for name, value in (("inner__plain", 1), ("inner__made", []), ("data__plain", 1), ("data__made", [])):
        assert list(Outer.objects.values_list(name, flat=True)) == [value, None]
    assert list(Outer.objects.values_list("free__x", flat=True)) == [None, None]
    for name in ("inner__required", "data__required", "inner__own"):
        with pytest.raises(ValidationError, match="missing"):
            list(Outer.objects.values(name))


def test_without_names_there_are_all_fields(sent):
    (row,) = Receipt.objects.filter(amount=3).values()
    assert list(row) == ["id", "last_modified", *Receipt.__kinto__.fields]
    assert (row["customer"], row["exact"], row["tags"]) == (Ref("a"), Decimal("1.50"), [])
    assert asked(sent) == [("GET", None)]  # for Kinto cannot select x-y


def test_values_list_gives_tuples_or_one_value(sent):
    by_amount = Receipt.objects.order_by("-amount")
    assert list(by_amount.values_list("id", "paid_at")) == [("c", None), ("b", NOON), ("a", None)]
    assert list(by_amount.values_list("id", flat=True)) == ["c", "b", "a"]
    assert list(by_amount.values_list(F(Receipt.amount), flat=True)) == [
        Decimal(3),
        Decimal(2),
        Decimal("1.5"),
    ]
    assert list(Receipt.objects.values_list("extra__note")) == [([1],), (None,), (None,)]
    assert asked(sent) == [("GET", "paid_at,amount"), *[("GET", "amount")] * 2, ("GET", "note")]


def test_a_name_that_kinto_cannot_select_is_read_all_the_same(sent):
    assert list(Receipt.objects.values_list("dashed", flat=True)) == [4, 0, 0]
    assert asked(sent) == [("GET", None)]


def test_rows_are_kept_and_iterators_are_not(sent):
    rows = Receipt.objects.values_list("id", flat=True)
    assert (len(rows), rows[1], list(rows), rows[0]) == (3, "b", ["a", "b", "c"], "a")
    assert len(sent) == 1
    assert list(rows.iterator(page_size=2)) == ["a", "b", "c"]
    assert len(sent) == 3
    assert [one.params["_fields"] for one in sent] == ["id"] * 3


def test_rows_can_be_sliced(sent):
    rows = Receipt.objects.values_list("id", flat=True)
    assert (list(rows[1:]), list(rows[:2][1:]), rows.first(), rows[3:].first()) == (
        ["b", "c"],
        ["b"],
        "a",
        None,
    )
    assert rows[1] == "b"
    assert [one.params["_limit"] for one in sent] == ["1000", "2", "1", "4", "2"]
    with pytest.raises(IndexError, match="no record at 3"):
        rows[3]
    for wrong, message in (
        ("a", "positions are integers"),
        (slice("a"), "positions are"),
        (-1, "no negative"),
    ):
        with pytest.raises(UsageError, match=message):
            rows[wrong]
    with pytest.raises(UsageError, match="page_size is a positive number"):
        rows.iterator(page_size=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Receipt.objects.values("amuont"), "has no field 'amuont'; did you mean 'amount'"),
        (lambda: Receipt.objects.values_list("address__ctiy"), "has no field 'ctiy'; did you mean 'city'"),
        (lambda: Receipt.objects.values_list(flat=True), r"values_list\(flat=True\) takes one field, got 0"),
        (lambda: Receipt.objects.values_list("id", "amount", flat=True), "takes one field, got 2"),
        (lambda: Receipt.objects.distinct_values("amuont"), "did you mean 'amount'"),
        (lambda: Receipt.objects.values("amount__x"), "there is no 'x' inside"),
    ],
)
def test_what_is_no_field_is_refused_unsent(call, message):
    with pytest.raises(UsageError, match=message):
        call()


def test_a_value_that_does_not_fit_is_named(payments):
    store(payments, bad={"amount": "1", "address": {"city": 3}, "tags": ["a", 2]}, worse={})
    for names, message in (
        (["amount"], "payments/receipts/bad: amount: expected a number, got string '1'"),
        (["address__city"], "payments/receipts/bad: address.city: expected a string, got number 3"),
        (["tags"], r"payments/receipts/bad: tags\[1\]: expected a string, got number 2"),
    ):
        with pytest.raises(ValidationError, match=message):
            list(Receipt.objects.values(*names))
    with pytest.raises(ValidationError, match="payments/receipts/worse: amount: missing"):
        list(Receipt.objects.filter(id="worse").values_list("amount"))


# in_bulk


def test_in_bulk_gives_records_by_their_ids(sent):
    found = Receipt.objects.in_bulk(["c", "nobody", "a", "c"])
    assert list(found) == ["c", "a"]
    assert found["a"].amount == Decimal("1.5")
    assert len(sent) == 1
    assert list(Receipt.objects.only("amount").filter(amount__gt=2).in_bulk(["a", "b", "c"])) == ["c"]
    assert sent.last.params["_fields"] == "amount"
    assert Receipt.objects.in_bulk([]) == {}
    assert len(sent) == 2
    assert list(Receipt.objects.in_bulk()) == ["a", "b", "c"]


def test_in_bulk_takes_no_lone_id(sent):
    with pytest.raises(
        UsageError, match=r"in_bulk\(\) takes several ids, got 'a'; one record is get\(id='a'\)"
    ):
        Receipt.objects.in_bulk("a")
    assert len(sent) == 0


def test_in_bulk_takes_any_number_of_ids(payments):
    ids = [f"{at:036}" for at in range(300)]
    store(payments, **{id: {"amount": 1, "text": "x"} for id in ids[::3]})
    wanted = Receipt.objects.exclude(extra__text__in=[f"{at}{'y' * 90}" for at in range(50)])
    with record(payments) as recording:
        assert list(wanted.in_bulk(reversed(ids))) == ids[::3][::-1]
    assert len(recording) == 3
    assert all(len(str(one)) < 8000 for one in recording)


@pytest.mark.parametrize("wrong", [3, "a/b", None])
def test_in_bulk_takes_ids(wrong):
    with pytest.raises(ValidationError, match="is no record id"):
        Receipt.objects.in_bulk([wrong])


def test_in_bulk_comes_before_the_slice():
    with pytest.raises(UsageError, match=r"in_bulk\(\) comes before the slice"):
        Receipt.objects.all()[:3].in_bulk(["a"])


# distinct_values


class Loose(Model, bucket="payments", collection="receipts"):
    value: Any = None
    price: Decimal = field(store="text", default=Decimal(0))
    address: Address | None = None


def test_distinct_values_are_typed_and_in_order(sent):
    assert Receipt.objects.distinct_values("amount") == [Decimal("1.5"), Decimal(2), Decimal(3)]
    assert Receipt.objects.filter(amount__lt=3).distinct_values(Receipt.status) == [Status.void]
    assert asked(sent) == [("GET", "amount"), ("GET", "status,amount")]
    assert Receipt.objects.distinct_values("paid_at") == [NOON]
    assert Receipt.objects.distinct_values("address__zip") == [None, 1]


def test_distinct_values_are_distinct_as_json_and_as_python(payments):
    values = [None, "b", "a", "a", 1, 1.0, True, False, 2, [1, {"b": 1}], [1.0, {"b": 1.0}], {"x": None}]
    store(payments, **{f"r{at:02}": {"value": value, "price": "1.5"} for at, value in enumerate(values)})
    store(payments, bare={"price": "1.50", "address": {"city": "Rome"}})
    store(payments, twin={"price": "2", "address": {"zip": None, "city": "Rome"}})
    found = Loose.objects.distinct_values("value")
    assert repr(found) == repr([None, "a", "b", 1, 2, False, True, [1, {"b": 1}], {"x": None}])
    assert Loose.objects.distinct_values("price") == [Decimal("1.5"), Decimal(2)]
    assert Loose.objects.distinct_values("address") == [Address("Rome"), Address("Rome", None)]


def test_rows_have_a_short_repr_that_asks_for_nothing(sent):
    assert repr(Receipt.objects.values("id", "address__city")) == (
        "<Rows of id, address__city in payments/receipts>"
    )
    assert not sent.operations
