"""aggregate(): one value of many records, in one pass over them."""

from __future__ import annotations

import fractions
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from math import inf
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintomodel import Avg, Count, F, Max, Min, Model, Sum, UsageError, ValidationError, field
from kintomodel.protocol import operations
from kintomodel.reading.aggregates import Pass
from kintomodel.testing import record

RECEIPTS = "/buckets/payments/collections/receipts/records"


class Color(Enum):
    red = "red"


@attrs.define
class Line:
    price: Decimal


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: Decimal = Decimal(0)
    number: int | None = None
    share: float | None = None
    spent: timedelta | None = None
    day: date | None = None
    exact: Decimal | None = field(store="text", default=None)
    line: Line | None = None
    paid: bool = False
    color: Color | None = None
    tags: list[str] = field(factory=list)


@pytest.fixture
def sent(payments):
    records = [
        {"amount": 1.5, "number": 1, "share": 0.1, "spent": 60, "day": "2026-01-02", "exact": "1.50"},
        {"amount": 2, "number": None, "share": 0.2, "line": {"price": 3}, "day": "2026-01-01", "note": 4},
        {"number": 4, "share": 0.3, "spent": 30, "exact": "1" + "0" * 40, "tags": ["a"], "note": 0.5},
    ]
    for at, data in enumerate(records):
        payments.connection.perform(operations.create(f"{RECEIPTS}/r{at}", data))
    with record(payments) as recording:
        yield recording


def test_several_aggregates_are_one_pass_over_what_they_need(sent):
    found = Receipt.objects.aggregate(
        total=Sum("amount"),
        n=Count(),
        numbers=Count("number"),
        least=Min("number"),
        last=Max(F(Receipt.day)),
        mean=Avg("amount"),
        price=Sum("line__price"),
    )
    assert found == {
        "total": Decimal("3.5"),
        "n": 3,
        "numbers": 2,
        "least": 1,
        "last": date(2026, 1, 2),
        "mean": Decimal("1.75"),
        "price": Decimal(3),
    }
    assert [(one.method, one.params["_fields"]) for one in sent] == [("GET", "amount,number,day,line.price")]


def test_a_sum_of_floats_may_be_infinite_as_in_python(payments):
    for share in (1e308, 1e308):
        Receipt.objects.create(share=share)
    assert Receipt.objects.aggregate(total=Sum("share"), mean=Avg("share")) == {"total": inf, "mean": 1e308}
    Receipt.objects.all().update(share=-1e308)
    assert Receipt.objects.aggregate(total=Sum("share")) == {"total": -inf}


def test_a_sum_that_no_timedelta_holds_is_refused(payments):
    for _ in range(2):
        Receipt.objects.create(spent=timedelta(days=900_000_000))
    with pytest.raises(UsageError, match=r"Sum\(\) finds more time than a timedelta holds"):
        Receipt.objects.aggregate(total=Sum("spent"))


def test_counting_records_alone_is_one_head(sent):
    assert Receipt.objects.filter(amount__gt=1).aggregate(n=Count(), again=Count()) == {"n": 2, "again": 2}
    assert [one.method for one in sent] == ["HEAD"]


def test_sums_are_exact(sent):
    found = Receipt.objects.aggregate(
        share=Sum("share"), mean=Avg("share"), spent=Sum("spent"), half=Avg("spent"), exact=Sum("exact"),
        numbers=Avg("number"), free=Sum("extra__note"), smallest=Min("exact"),
    )  # fmt: skip
    assert found == {
        "share": 0.6,
        "mean": 0.2,
        "spent": timedelta(seconds=90),
        "half": timedelta(seconds=45),
        "exact": Decimal("1" + "0" * 39 + "1.50"),
        "numbers": 2.5,
        "free": 4.5,
        "smallest": Decimal("1.50"),
    }


def test_of_no_values_there_is_none(payments):
    Receipt.objects.create()
    every = {"sum": Sum("number"), "mean": Avg("number"), "min": Min("day"), "max": Max("day")}
    for query in (Receipt.objects.all(), Receipt.objects.none()):
        found = query.aggregate(n=Count("number"), **every)
        assert found == {"n": 0, **dict.fromkeys(every)}


def test_slices_and_filters_count(sent):
    assert Receipt.objects.order_by("-number")[1:].aggregate(n=Sum("number")) == {"n": 1}
    assert Receipt.objects.filter(number__gt=1).aggregate(n=Sum("number")) == {"n": 4}


@pytest.mark.parametrize(
    ("aggregates", "message"),
    [
        ({}, r"aggregate\(\) takes named aggregates, such as"),
        ({"a": "amount"}, r"aggregate\(a=\.\.\.\) takes Sum, Count, Min, Max or Avg, got 'amount'"),
        ({"a": Sum("amuont")}, "did you mean 'amount'"),
        ({"a": Sum("day")}, r"Receipt.day holds date: there is no Sum\(\) of it"),
        ({"a": Avg("paid")}, r"Receipt.paid holds bool: there is no Avg\(\) of it"),
        ({"a": Sum("tags")}, r"there is no Sum\(\) of it"),
        ({"a": Min("color")}, r"Receipt.color holds Color: there is no Min\(\) of it"),
        ({"a": Max("line")}, r"Receipt.line holds Line: there is no Max\(\) of it"),
    ],
)
def test_what_makes_no_sense_is_refused_unsent(aggregates, message):
    with pytest.raises(UsageError, match=message):
        Receipt.objects.aggregate(**aggregates)


class Loose(Model, bucket="payments", collection="receipts"):
    value: Any = None


def test_values_that_do_not_go_together_are_named(payments):
    for id, value in (("a", 1), ("b", "x")):
        payments.connection.perform(operations.create(f"{RECEIPTS}/{id}", {"value": value}))
    with pytest.raises(ValidationError, match="payments/receipts/b: value: expected a number, got str 'x'"):
        Loose.objects.aggregate(a=Sum("value"))
    with pytest.raises(ValidationError, match="b: value: 'x' does not compare with 1, which another"):
        Loose.objects.aggregate(a=Max("value"))
    assert Loose.objects.aggregate(n=Count("value")) == {"n": 2}


@given(st.lists(st.floats(-1e300, 1e300)))
def test_the_sum_of_floats_depends_on_no_order(values):
    data = [{"id": "x", "share": value} for value in values]
    expected = float(sum(map(fractions.Fraction, values))) if values else None
    for rows in (data, data[::-1]):
        assert Pass(Receipt.__kinto__, {"a": Sum("share")}).results(rows, "here") == {"a": expected}


def test_an_aggregate_reads_as_it_is_written():
    assert repr([Sum("amount"), Count(), Max(F(Receipt.day))]) == "[Sum('amount'), Count(), Max(<field day>)]"


def test_whole_numbers_before_and_after_a_float_count():
    rows = [{"id": "x", "value": value} for value in (1, 0.1, 2, 0.2)]
    found = Pass(Loose.__kinto__, {"total": Sum("value"), "mean": Avg("value")}).results(rows, "here")
    assert found == {"total": 3.3, "mean": 0.825}
