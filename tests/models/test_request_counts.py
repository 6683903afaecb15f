"""What each query of the guide costs: the requests that it sends, and no others."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from kintomodel import Count, F, Max, Model, NotFound, Q, Ref, Sum, field
from kintomodel.testing import record


class Company(Model, bucket="payments", collection="companies"):
    name: str = ""


class Customer(Model, bucket="payments", collection="customers"):
    name: str = ""
    company: Ref[Company] | None = None


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: Decimal
    currency: str = "EUR"
    paid_at: datetime | None = None
    tags: list[str] = field(factory=list)
    customer: Ref[Customer] | None = None


@pytest.fixture(scope="module")
def shop(server):
    """Twelve receipts of three customers of one company, which nobody changes."""
    server.flush()
    with server.client() as client, client.activate():
        payments = client.create_bucket("payments")
        for name in ("companies", "customers", "receipts"):
            payments.create_collection(name)
        Company.objects.create(id="co")
        Customer.objects.bulk_create(Customer(id=f"cu{at}", company=Ref("co")) for at in range(3))
        Receipt.objects.bulk_create(
            Receipt(
                id=f"r{at:02}", amount=Decimal(at), customer=Ref(f"cu{at % 3}"), tags=["even"] * (1 - at % 2)
            )
            for at in range(12)
        )
        yield client


@pytest.fixture
def sent(shop):
    with record(shop) as recording:
        yield recording


objects = Receipt.objects
GET, HEAD = "GET receipts", "HEAD receipts"


def maybe(call):
    with pytest.raises(NotFound):
        call()


QUERIES = [
    ("building", lambda: objects.filter(amount__gt=1).order_by("-amount")[:3], []),
    ("list", lambda: list(objects.all()), [GET]),
    ("filter", lambda: list(objects.filter(amount__gte=2, currency="EUR").exclude(amount=3)), [GET]),
    ("residual", lambda: list(objects.filter(tags__contains="even")), [GET]),
    ("slice", lambda: list(objects.order_by("-amount")[2:4]), [GET]),
    ("position", lambda: objects.all()[2], [GET]),
    ("pages", lambda: list(objects.iterator(page_size=4)), [GET] * 3),
    ("get by id", lambda: objects.get(id="r01").permissions.write, ["GET receipts/r01"]),
    ("get", lambda: objects.get(amount=3), [GET]),
    ("get nothing", lambda: maybe(lambda: objects.get(amount=77)), [GET]),
    ("first and last", lambda: (objects.first(), objects.order_by("amount").last()), [GET] * 2),
    ("count", lambda: objects.filter(amount__gt=3).count(), [HEAD]),
    ("count of a residual", lambda: objects.filter(currency__endswith="R").count(), [GET]),
    ("exists", lambda: (objects.exists(), objects.filter(amount=77).exists()), [GET] * 2),
    ("exists of a residual", lambda: objects.filter(tags__contains="even").exists(), [GET]),
    ("none", lambda: (list(objects.none()), objects.filter(id__in=[]).count()), []),
    ("only", lambda: [one.amount for one in objects.only("amount")], [GET]),
    (
        "deferred",
        lambda: (one := objects.only("amount")[1]).currency + one.currency,
        [GET, "GET receipts/r01"],
    ),
    ("values", lambda: list(objects.values("id", "amount")), [GET]),
    ("values_list", lambda: list(objects.values_list("id", flat=True)), [GET]),
    ("in_bulk", lambda: objects.in_bulk([f"r{at:02}" for at in range(40)]), [GET]),
    ("distinct_values", lambda: objects.distinct_values("currency"), [GET]),
    ("aggregate", lambda: objects.aggregate(t=Sum("amount"), n=Count(), m=Max("paid_at")), [GET]),
    ("aggregate of a count", lambda: objects.aggregate(n=Count()), [HEAD]),
    ("repr", lambda: (repr(objects.all()), objects.all()._repr_html_()), [GET] * 2),
    ("deleted", lambda: list(objects.deleted()), [GET]),
    ("explain", lambda: str(objects.filter(Q(amount=1) & ~Q(tags__contains="x")).explain()), []),
    (
        "references",
        lambda: [one.customer.get().name for one in objects.all()[:2]],
        [GET, "GET customers/cu0", "GET customers/cu1"],
    ),
    (
        "prefetch",
        lambda: [one.customer.get().company.get().name for one in objects.prefetch("customer__company")],
        [GET, "GET customers", "GET companies"],
    ),
    ("check_refs", lambda: objects.check_refs(), [GET, "GET customers"]),
]


@pytest.mark.parametrize(("query", "requests"), [row[1:] for row in QUERIES], ids=[row[0] for row in QUERIES])
def test_a_query_sends_what_it_has_to(sent, query, requests):
    query()
    prefix = "/buckets/payments/collections/"
    asked = [f"{one.method} {one.path.removeprefix(prefix).replace('/records', '')}" for one in sent]
    assert asked == requests


def test_existence_is_asked_for_with_one_id(sent):
    assert Receipt.objects.filter(amount__gt=3).order_by("-amount").exists()
    assert sent.last.params["_limit"] == "1"
    assert sent.last.params["_fields"] == "amount"
    assert Receipt.objects.exists()
    assert sent.last.params["_fields"] == "id"


def test_what_is_checked_here_is_all_that_a_count_asks_for(sent):
    assert Receipt.objects.filter(F(Receipt.tags).contains("even")).count() == 6
    assert sent.last.params["_fields"] == "tags"
