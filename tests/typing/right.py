"""Uses that every checker accepts, with the types that it sees."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal, NewType

import attrs
from models import Address, Customer, CustomerManager, Note, Receipt, Status, Typed
from typing_extensions import assert_type

import kintomodel
from kintomodel import (
    Change,
    Changes,
    Client,
    Conflict,
    Count,
    DanglingRef,
    DryRun,
    Everyone,
    F,
    Field,
    KintoError,
    Manager,
    Max,
    Model,
    Plan,
    PrincipalSet,
    Q,
    QuerySet,
    RecordPermissions,
    Ref,
    Report,
    Rows,
    ServerPlan,
    Sum,
    Tombstone,
    account,
    desired,
    field,
    group,
    some,
)
from kintomodel.provisioning.accounts import AccountChange
from kintomodel.provisioning.changing import ObjectChange

now = datetime(2026, 1, 1, tzinfo=timezone.utc)

# Connecting
client = kintomodel.connect("http://localhost:8888/v1", auth=("alice", "s3cret"))
assert_type(client, Client)
with client.activate() as active:
    assert_type(active, Client)
with client.dry_run() as dry:
    assert_type(dry, DryRun)
    assert_type([one.path for one in dry], list[str])

# Making and changing
receipt = Receipt(amount=Decimal("10.50"), tags=["a"], customer=Ref("c"), address=Address("Main"))
assert_type(receipt.id, str)
assert_type(receipt.amount, Decimal)
assert_type(receipt.last_modified, int | None)
assert_type(receipt.modified_at, datetime | None)
receipt.amount = Decimal(13)
receipt.status = Status.void
receipt.save(force=True)
receipt.delete(missing_ok=True)
receipt.refresh()
receipt.save(on_conflict="merge", verify=True)
assert_type(Receipt.mutate("x", lambda found: found.tags.append("a")), Receipt)
assert_type(Customer.objects.mutate("x", lambda found: found.name, verify=True), Customer)
assert_type(Note(text="x").renamed("bob"), Note)

# Permissions
assert_type(receipt.permissions, RecordPermissions)
assert_type(receipt.permissions.read, PrincipalSet)
receipt.permissions.read += "group:friends"
receipt.permissions.read += ["account:bob", Everyone]
receipt.permissions.read -= "account:bob"
receipt.permissions.write = [Everyone, account("bob"), group("moderators")]
receipt.permissions.write = "account:bob"
receipt.permissions.read.add("account:bob")
receipt.permissions = {"read": ["a"], "write": "b"}
receipt.permissions.update(read=["account:bob"])
Receipt(amount=Decimal(1), permissions={"read": [Everyone]})
assert_type("account:bob" in receipt.permissions.read, bool)

# Managers and query sets
assert_type(Receipt.objects, Manager[Receipt])
assert_type(Customer.objects, CustomerManager)
assert_type(Customer.objects.important(), QuerySet[Customer])
assert_type(Customer.objects.using(client), CustomerManager)
assert_type(Note.objects.get(id="x"), Note)
assert_type(Receipt.objects.filter(amount__gte=3), QuerySet[Receipt])
assert_type(Receipt.objects.order_by("-paid_at", F(Receipt.amount).desc())[:20], QuerySet[Receipt])
assert_type(Receipt.objects.all()[0], Receipt)
assert_type(Receipt.objects.first(), Receipt | None)
assert_type(Receipt.objects.count(), int)
assert_type(Receipt.objects.exists(), bool)
assert_type(Receipt.objects.create(amount=Decimal(1), public=True), Receipt)
assert_type(Receipt.objects.get_or_create({"amount": Decimal(1)}, id="x"), tuple[Receipt, bool])
plan = Receipt.objects.sync(
    [receipt, {"id": "x", "amount": 1}], key=("kind", "currency"), scope={"kind": "sale"}
)
Receipt.objects.sync(
    Receipt.objects.iterator(), compare=["amount"], preserve=["tags"], scope=Receipt.amount >= 10
)
Note.objects.sync(
    (Note(text="x") for _ in "ab"), delete=True, max_delete=1, scope=Q(text="x"), on_conflict="mine"
)
assert_type(plan, Plan)
assert_type(plan.updates[0], Change)
assert_type(plan.apply(verify=True, progress=lambda done, total: None), Report[Change])
server_plan = client.plan(
    [
        desired.account("ann", "s3cret"),
        desired.bucket("shop", {"a": 1}, groups=[desired.group("editors", "account:ann")], collections=()),
    ],
    only={"groups", "permissions"},
    delete=True,
)
assert_type(server_plan, ServerPlan)
assert_type(server_plan.apply(delete=True), Report[AccountChange | ObjectChange])
assert_type(server_plan.updates[0].id, str)
assert_type(server_plan.invalid[0].problem, str)
client.plan(client.dump(["shop"], records=False), only="groups")
assert_type(Receipt.objects.copy_to(client), Report[Change])
Receipt.objects.copy_to(client.bucket("copies"))
assert_type(Receipt.objects.dump("receipts.csv"), int)
assert_type(Receipt.objects.load("receipts.csv", on_error="collect"), Report[Any])
report = Receipt.objects.bulk_create(Receipt(amount=Decimal(n)) for n in range(3))
assert_type(report, Report[Receipt])
assert_type(report.failures[0].object, Receipt)
assert_type(report.failures[0].error, KintoError)
assert_type(report.conflicts[0].error, Conflict)
assert_type(report.outcomes[0].error, KintoError | None)
assert_type(report.retry_failed(), Report[Receipt])
assert_type(Receipt.objects.bulk_save([receipt], on_conflict="mine", progress=print), Report[Receipt])
assert_type(Receipt.objects.bulk_delete([receipt], workers=2, progress=True), Report[Receipt])
assert_type(Receipt.objects.filter(amount__gte=1).update(currency="USD"), Report[Receipt])
assert_type(Receipt.objects.all().delete(all=True), Report[Receipt])
for each in Receipt.objects.filter(amount__gte=1):
    assert_type(each, Receipt)
for each in Receipt.objects.iterator(page_size=10, readonly=True, workers=4):
    assert_type(each, Receipt)
assert_type(Receipt.objects.with_permissions(), QuerySet[Receipt])
assert_type(Receipt.objects.filter(amount__gte=3).with_permissions().first(), Receipt | None)

# Changes
changes = Receipt.objects.changes(since=None)
assert_type(changes, Changes[Receipt])
assert_type(changes.upserts, list[Receipt])
assert_type(changes.deletions, list[Tombstone])
assert_type(changes.next, str)
for change in Receipt.objects.changes(since=changes.next, overlap=10):
    assert_type(change, Receipt | Tombstone)
    if isinstance(change, Tombstone):
        assert_type(change.deleted_at, datetime)
    else:
        assert_type(change.amount, Decimal)
watching = Receipt.objects.watch(interval=60, since="token", stop=threading.Event())
assert_type(next(watching), Changes[Receipt])
watching.close()

# Conditions
Receipt.objects.filter(Receipt.amount >= 10, F(Receipt.currency).in_(["EUR"]), paid_at__gte=now)
Receipt.objects.filter((Receipt.amount >= 10) & ~F(Receipt.paid_at).is_null() | (Receipt.currency == "USD"))
Receipt.objects.filter(Q(amount__lt=1) | Q(tags__contains="gift"), address__city="Paris")
Receipt.objects.filter(some(Receipt.address).city == "Paris", some(Receipt.paid_at) >= now, Receipt.paid)
Receipt.objects.filter(F(Receipt.paid_at) >= now, F(Receipt.paid_at) == None, F(Receipt.paid_at).exists())
Receipt.objects.filter(F(Receipt.tags).contains("a"), F(Receipt.tags).contains_any("a", "b"))
Receipt.objects.filter(F(Receipt.amount) >= 10, F(Receipt.amount) == 10, F(Receipt.currency).like("E*"))
Receipt.objects.filter(F.amount >= 10, F["address.city"] == "Paris").exclude(Receipt.currency == "EUR")
Typed.objects.filter(Typed.total >= 10, Typed.moment >= now, Typed.label.like("E*"), Typed.label == "x")
Typed.objects.filter(Typed.number == 3, Typed.names.contains("x")).order_by(Typed.total.desc())

# Every look-up as a method
Receipt.objects.filter(F(Receipt.currency).iexact("eur"), F(Receipt.currency).icontains("u"))
Receipt.objects.filter(F(Receipt.currency).startswith("E"), F(Receipt.currency).istartswith("e"))
Receipt.objects.filter(F(Receipt.currency).endswith("R"), F(Receipt.currency).iendswith("r"))
Receipt.objects.filter(F(Receipt.currency).contains("U"), F(Receipt.currency).like("E*"))
Receipt.objects.filter(F(Receipt.currency).in_({"EUR"}), F(Receipt.currency).not_in(("USD", "CHF")))
Receipt.objects.filter(F(Receipt.tags).contained_by("a", "b"), F(Receipt.colors).contains("red", "blue"))
Receipt.objects.filter(F(Receipt.colors).contains_any("red"), F(Receipt.colors).contained_by("red"))
Receipt.objects.filter(F(Receipt.seals).contains(1), F(Receipt.seals).contains_any(1, 2))
Receipt.objects.filter(F(Receipt.seals).contained_by(1), F(Receipt.sizes).contains(1))
Receipt.objects.filter(F(Receipt.sizes).contains_any(1), F(Receipt.sizes).contained_by(1, 2))
Receipt.objects.filter(
    F(Receipt.status) == Status.open, Receipt.status != Status.void, F(Receipt.paid) == True
)
Receipt.objects.filter(F(Receipt.paid_at).is_null(False), F(Receipt.paid_at).exists(False))
Receipt.objects.filter(F(Receipt.id).in_(["a"]), F(Receipt.last_modified) >= 3, F(Receipt.modified_at) >= now)
Receipt.objects.filter(Receipt.modified_at >= now, some(Receipt.last_modified) >= 3, Receipt.id == "a")
Receipt.objects.filter(F(some(Receipt.address).city).startswith("P"), F["address.city"].startswith("P"))
Receipt.objects.filter(F(some(Receipt.address).street) == "x", address__street__icontains="x")
Receipt.objects.filter(
    F(Receipt.customer) == Ref[Customer]("c"), F(Receipt.customer).in_([Ref[Customer]("c")])
)
Receipt.objects.filter(F(Receipt.customer).is_null(), customer="c", customer__in=["a", "b"])
Receipt.objects.filter(F(Receipt.amount) < Decimal(3), F(Receipt.amount) <= 3, F(Receipt.amount) > 3)
Receipt.objects.filter(F(Receipt.spent) >= timedelta(1), F(Receipt.amount) != 3, extra__note__exists=True)
Receipt.objects.filter(
    ~Q(F(Receipt.amount) < 3), Q(Receipt.amount < 3) & (F(Receipt.amount) > 1) | Q(paid=True)
)
Receipt.objects.exclude(F(Receipt.amount) < 3, Q(paid=True), paid=False).get(F(Receipt.amount) < 3)
Typed.objects.filter(Typed.total < 10, Typed.moment <= now, Typed.label.icontains("x"), Typed.label != "x")
Typed.objects.filter(Typed.names.contained_by("a", "b"), Typed.names.contains_any("x"), Typed.moment == None)
Typed.objects.filter(
    (Typed.total < 10) & (Typed.label == "x") | ~(Typed.total > 3), Typed.total.in_([Decimal(1)])
)
Receipt.objects.order_by(F(Receipt.amount), F(Receipt.paid_at).asc(), "-address__city").reverse()

# Parts of records, and values made of many
assert_type(Receipt.objects.only("amount", F(Receipt.currency)), QuerySet[Receipt])
assert_type(Receipt.objects.filter(paid=True).only("amount").first(), Receipt | None)
assert_type(Receipt.objects.values("id", "amount"), Rows[dict[str, Any]])
assert_type(Receipt.objects.values_list("id", "amount"), Rows[tuple[Any, ...]])
assert_type(Receipt.objects.all().values_list("id", flat=True)[:3], Rows[Any])
assert_type(list(Receipt.objects.values_list(F(Receipt.amount), flat=True)), list[Decimal])
assert_type(Receipt.objects.all().values_list(F(Receipt.paid_at), flat=True).first(), datetime | None)
assert_type(Receipt.objects.values_list("id", "amount")[0], tuple[Any, ...])
assert_type(Receipt.objects.in_bulk(["a"]), dict[str, Receipt])
assert_type(Receipt.objects.all().in_bulk(), dict[str, Receipt])
assert_type(Receipt.objects.distinct_values("currency"), list[Any])
assert_type(Receipt.objects.distinct_values(F(Receipt.currency)), list[str])
totals = Receipt.objects.filter(paid=True).aggregate(
    total=Sum("amount"), n=Count(), last=Max(F(Receipt.paid_at))
)
assert_type(totals, dict[str, Any])
for tombstone in Receipt.objects.deleted(since=now):
    assert_type(tombstone, Tombstone)
    assert_type(tombstone.deleted_at, datetime)
Receipt.objects.deleted(3)
Receipt.objects.deleted()

# References
if receipt.customer is not None:
    assert_type(receipt.customer, Ref[Customer])
    assert_type(receipt.customer.id, str)
    assert_type(receipt.customer.get(), Customer)
    assert_type(receipt.customer.get().vip, bool)
assert_type(Ref(Customer(name="x")), Ref[Customer])
Receipt(amount=Decimal(1), customer=Ref(Customer(name="x")))
receipt.customer = Ref("c")
assert_type(Receipt.objects.prefetch("customer", F(Receipt.customer)), QuerySet[Receipt])
assert_type(Receipt.objects.filter(paid=True).prefetch("customer").get(id="x"), Receipt)
assert_type(Receipt.objects.check_refs(), list[DanglingRef])
assert_type(Receipt.objects.all().check_refs()[0].missing, str)

typed = Typed(total=Decimal(3), label="q")
typed.total = Decimal(4)
typed.moment = None
assert_type(typed.total, Decimal)

# Fields of more types
UserId = NewType("UserId", str)


class Account(Model, bucket="shop", collection="accounts"):
    user: UserId
    kind: Literal["a", "b"] = "a"
    paid: bool = False
    sent: Field[bool] = Field(default=False, repr=False)
    colors: Field[set[str] | None] = Field(default=None)
    sizes: Field[tuple[int, ...] | None] = Field(default=None)
    home: Field[Address | None] = Field(default=None)
    prices: Field[dict[str, Decimal]] = Field(factory=dict)
    limits: dict[str, int] = field(factory=dict)
    seen: set[str] = field(factory=set)

    def __init__(self, user: str) -> None:
        self.__attrs_init__(user=UserId(user))


Account.objects.filter(Account.paid)
Account.objects.filter(F(Account.paid), ~Account.sent)
Account.objects.exclude(Account.sent & (F(Account.kind) == "a") | Q(user="x"))
Account.objects.filter(F(Account.user).startswith("x"), F(Account.kind).icontains("a"))
Account.objects.filter(Account.colors.contains("red"), Account.sizes.contains_any(1, 2))
Account.objects.filter(some(Account.home).street == "Main", some(Account.prices)["eur"] > 3)
Account.objects.filter(F(Receipt.amount).in_([1, Decimal(2)]), F(Receipt.paid_at).not_in([now, None]))
assert_type(Account("x").limits, dict[str, int])
attrs.fields(Account)
