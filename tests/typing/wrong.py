"""Uses that are errors. `#!` names the checkers that report the line; the others are silent."""

from __future__ import annotations

from decimal import Decimal

from models import Customer, Receipt, Typed

import kintomodel
from kintomodel import Client, F, Field, Model, Q, Ref, Sum, desired, field, some

receipt = Receipt(amount=Decimal(1))
typed = Typed(total=Decimal(1))


class WrongDefault(Model):
    a: Field[int] = Field(default="x")  #! mypy pyright ty
    b: int = field(default="x")  #! mypy pyright ty
    c: list[int] = field(factory=dict)  #! mypy pyright ty

    d: Field[Decimal] = Field(default=Decimal(0), store="txet")  #! mypy pyright ty
    e: Field[int] = Field(default=0, owner="me")  #! mypy pyright ty
    f: Field[int] = Field(default=0, validator=3)  #! mypy pyright ty
    g: str | None = field(omit_none=True)  #! mypy pyright ty


class WrongKeyword(Model, buckt="x"):  #! pyright ty
    pass


# Making and changing
Receipt(amount="1")  #! mypy pyright ty
Receipt(amount=Decimal(1), amuont=2)  #! mypy pyright ty
Receipt(Decimal(1))  #! mypy pyright ty
Receipt()  #! mypy pyright ty
Receipt(amount=Decimal(1), last_modified=3)  #! mypy pyright ty
receipt.amount = "13"  #! mypy pyright ty
receipt.amuont  #! mypy pyright ty
receipt.objects  #! mypy pyright ty
Customer(name="x").objects  #! mypy pyright ty
Typed(label=3, total=Decimal(1))  #! mypy pyright ty
typed.label = 3  #! mypy pyright ty

Receipt.objects.bulk_create([Customer(name="x")])  #! mypy pyright ty
receipt.save(on_conflict="ours")  #! mypy pyright ty
Receipt.mutate("x", lambda found: found.amuont)  #! mypy pyright ty

# Permissions
receipt.permissions.read += 3  #! mypy pyright ty
receipt.permissions.write = [1]  #! mypy pyright ty
receipt.permissions.write = None  #! mypy pyright ty
receipt.permissions.raed = []  #! mypy pyright ty
receipt.permissions = {"raed": ["a"]}  #! mypy pyright ty
Receipt(amount=Decimal(1), permissions={"raed": ["a"]})  #! mypy pyright ty

# Changes
Receipt.objects.changes(since=3)  #! mypy pyright ty
Receipt.objects.changes().upserts[0].amuont  #! mypy pyright ty
Receipt.objects.changes().deletions[0].amount  #! mypy pyright ty
Receipt.objects.watch("5")  #! mypy pyright ty

# Conditions
Receipt.objects.get(id="x").amuont  #! mypy pyright ty
Receipt.objects.filter(Receipt.amuont >= 10)  #! mypy pyright ty
Receipt.objects.filter(Receipt.amount >= "10")  #! mypy pyright ty
Receipt.objects.filter(Receipt.currency == 10)  #! mypy
Receipt.objects.filter(F(Receipt.currency) == 10)  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.amount) >= "10")  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.tags).contains(3))  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.amount).like("x"))  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.amount).icontains("x"))  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.currency).icontains(3))  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.currency).iexact(3))  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.currency).istartswith(None))  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.amount).iendswith("x"))  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.currency).contains(3))  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.currency).contained_by("EUR"))  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.tags).contained_by(3))  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.colors).contains(3))  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.seals).contains("a"))  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.seals).contains_any("a"))  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.sizes).contained_by("a"))  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.currency).in_([3]))  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.currency).not_in(3))  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.paid_at).is_null("yes"))  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.paid_at) >= "2026-01-01")  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.spent) >= 3)  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.status) == "open")  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.customer) == "c")  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.customer).in_(["c"]))  #! mypy pyright ty
Receipt.objects.filter(Receipt.address.city == "Paris")  #! mypy pyright ty
Receipt.objects.filter(some(Receipt.address).ctiy == "Paris")  #! mypy pyright ty
Receipt.objects.filter(some(Receipt.address).city >= 3)  #! mypy pyright ty
Receipt.objects.filter(F(some(Receipt.address).city).startswith(3))  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.last_modified) >= "3")  #! mypy pyright ty
Receipt.objects.filter(Receipt.modified_at >= 3)  #! mypy pyright ty
Receipt.objects.filter(Q("amount"))  #! mypy pyright ty
Receipt.objects.filter(Q(amount=1) & 3)  #! mypy pyright ty
Receipt.objects.filter(Q(amount=1) | "x")  #! mypy pyright ty
Receipt.objects.exclude(3)  #! mypy pyright ty
Receipt.objects.get("x")  #! mypy pyright ty
Receipt.objects.filter("amount >= 10")  #! mypy pyright ty
Receipt.objects.order_by(3)  #! mypy pyright ty
Receipt.objects.iterator(workers="4")  #! mypy pyright ty
Receipt.objects.iterator(100)  #! mypy pyright ty
Typed.objects.filter(Typed.label == 10)  #! mypy pyright ty
Typed.objects.filter(Typed.total >= "x")  #! mypy pyright ty
Typed.objects.filter(Typed.number >= "x")  #! mypy pyright ty
Typed.objects.filter(Typed.names.contains(3))  #! mypy pyright ty
Typed.objects.filter(Typed.moment >= 3)  #! mypy pyright ty
Typed.objects.filter(Typed.label.icontains(3))  #! mypy pyright ty
Typed.objects.filter(Typed.names.contained_by(3))  #! mypy pyright ty
Typed.objects.filter(Typed.total.in_(["x"]))  #! mypy pyright ty

Receipt.objects.filter(F(Receipt.currency).in_("EUR"))  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.amount).not_in(["x"]))  #! mypy pyright ty
Receipt.objects.filter(Typed.number)  #! mypy pyright ty
Receipt.objects.filter(~Typed.label)  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.amount).startswith("x"))  #! mypy pyright ty

# Parts of records, and values made of many
Receipt.objects.only(3)  #! mypy pyright ty
Receipt.objects.only("amount").get().amuont  #! mypy pyright ty
Receipt.objects.values(3)  #! mypy pyright ty
Receipt.objects.values_list("a", "b", flat=True)  #! mypy pyright ty
Receipt.objects.in_bulk([3])  #! mypy pyright ty
Receipt.objects.aggregate(total="amount")  #! mypy pyright ty
Receipt.objects.aggregate(total=Sum(3))  #! mypy pyright ty
Receipt.objects.aggregate(Sum("amount"))  #! mypy pyright ty

# References
Receipt(amount=Decimal(1), customer="c")  #! mypy pyright ty
Receipt(amount=Decimal(1), customer=Customer(name="x"))  #! mypy pyright ty
Receipt(amount=Decimal(1), customer=Ref(Receipt(amount=Decimal(1))))  #! mypy pyright ty
receipt.customer.get()  #! mypy pyright ty
some(receipt.customer).get().nmae  #! mypy pyright ty
receipt.customer = Customer(name="x")  #! mypy pyright ty
Receipt.objects.prefetch(3)  #! mypy pyright ty
Receipt.objects.check_refs()[0].mising  #! mypy pyright ty
Receipt.objects.deleted(since="2026-01-01")  #! mypy pyright ty

# Plans
Receipt.objects.sync([Customer(name="x")])  #! mypy pyright ty
Receipt.objects.sync([receipt], on_conflict="ours")  #! mypy pyright ty
Receipt.objects.sync([receipt], scope="amount")  #! mypy pyright ty
Receipt.objects.sync(receipt)  #! mypy pyright ty
Receipt.objects.sync([receipt]).aply()  #! mypy pyright ty
Receipt.objects.load("x.csv", on_error="ignore")  #! mypy pyright ty
Receipt.objects.copy_to(3)  #! mypy pyright ty
client = Client("http://localhost:8888/v1")
client.plan(desired.bucket("shop"))  #! mypy pyright ty
client.plan([desired.bucket("shop", groups=["editors"])])  #! mypy pyright ty
client.plan([], only=3)  #! mypy pyright ty
client.plan([]).aply()  #! mypy pyright ty
client.plan([], only="goups")  #! mypy pyright ty
client.bucket("b").history(action="creat")  #! mypy pyright ty
client.bucket("b").history(resource_name="recrd")  #! mypy pyright ty
kintomodel.conect("http://localhost:8888/v1")  #! mypy pyright ty
Receipt.objects.bulk_save([receipt]).failures[0].error.theirs  #! mypy pyright ty
Receipt.objects.bulk_save([receipt]).outcomes[0].error.args  #! mypy pyright ty
