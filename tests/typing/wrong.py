"""Uses that are errors. `#!` names the checkers that report the line; the others are silent."""

from __future__ import annotations

from decimal import Decimal

from models import Customer, Receipt, Typed

from kintomodel import F, Field, Model, field

receipt = Receipt(amount=Decimal(1))
typed = Typed(total=Decimal(1))


class WrongDefault(Model):
    a: Field[int] = Field(default="x")  #! mypy pyright ty
    b: int = field(default="x")  #! mypy pyright ty
    c: list[int] = field(factory=dict)  #! mypy pyright ty


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

# Permissions
receipt.permissions.read += 3  #! mypy pyright ty
receipt.permissions.write = [1]  #! mypy pyright ty
receipt.permissions.write = None  #! mypy pyright ty
receipt.permissions.raed = []  #! mypy pyright ty
receipt.permissions = {"raed": ["a"]}  #! mypy pyright ty
Receipt(amount=Decimal(1), permissions={"raed": ["a"]})  #! mypy pyright ty

# Conditions
Receipt.objects.get(id="x").amuont  #! mypy pyright ty
Receipt.objects.filter(Receipt.amuont >= 10)  #! mypy pyright ty
Receipt.objects.filter(Receipt.amount >= "10")  #! mypy pyright ty
Receipt.objects.filter(Receipt.currency == 10)  #! mypy
Receipt.objects.filter(F(Receipt.currency) == 10)  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.amount) >= "10")  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.tags).contains(3))  #! mypy pyright ty
Receipt.objects.filter(F(Receipt.amount).like("x"))  #! mypy pyright ty
Receipt.objects.filter("amount >= 10")  #! mypy pyright ty
Receipt.objects.order_by(3)  #! mypy pyright ty
Typed.objects.filter(Typed.label == 10)  #! mypy pyright ty
Typed.objects.filter(Typed.total >= "x")  #! mypy pyright ty
Typed.objects.filter(Typed.number >= "x")  #! mypy pyright ty
Typed.objects.filter(Typed.names.contains(3))  #! mypy pyright ty

# Plans
Receipt.objects.sync([Customer(name="x")])  #! mypy pyright ty
Receipt.objects.sync([receipt], on_conflict="ours")  #! mypy pyright ty
Receipt.objects.sync([receipt], scope="amount")  #! mypy pyright ty
Receipt.objects.sync(receipt)  #! mypy pyright ty
Receipt.objects.sync([receipt]).aply()  #! mypy pyright ty
Receipt.objects.load("x.csv", on_error="ignore")  #! mypy pyright ty
Receipt.objects.copy_to(3)  #! mypy pyright ty
