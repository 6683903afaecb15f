"""Uses that every checker accepts, with the types that it sees."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

from models import Address, Customer, CustomerManager, Note, Receipt, Status, Typed
from typing_extensions import assert_type

import kintomodel
from kintomodel import (
    Change,
    Client,
    Everyone,
    F,
    Manager,
    Plan,
    Q,
    QuerySet,
    Ref,
    Report,
    account,
    group,
    some,
)
from kintomodel.resources.permissions import PrincipalSet, RecordPermissions

now = datetime(2026, 1, 1, tzinfo=timezone.utc)

# Connecting
client = kintomodel.connect("http://localhost:8888/v1", auth=("alice", "s3cret"))
assert_type(client, Client)
with client.activate() as active:
    assert_type(active, Client)

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
assert_type(Receipt.objects.copy_to(client), Report[Change])
Receipt.objects.copy_to(client.bucket("copies"))
assert_type(Receipt.objects.dump("receipts.csv"), int)
assert_type(Receipt.objects.load("receipts.csv", on_error="collect"), Report[Any])
for each in Receipt.objects.filter(amount__gte=1):
    assert_type(each, Receipt)
for each in Receipt.objects.iterator(page_size=10):
    assert_type(each, Receipt)

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

typed = Typed(total=Decimal(3), label="q")
typed.total = Decimal(4)
typed.moment = None
assert_type(typed.total, Decimal)
