"""The models that the other files of this folder use. Checked by the type checkers, never run."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import ClassVar

import attrs
from typing_extensions import Self

from kintomodel import Field, Manager, Model, QuerySet, Ref, field


class Status(Enum):
    open = "open"
    void = "void"


@attrs.define
class Address:
    street: str
    city: str = "Paris"


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: Decimal
    currency: str = "EUR"
    paid_at: datetime | None = None
    tags: list[str] = field(factory=list)
    customer: Ref[Customer] | None = None
    address: Address | None = None
    paid: bool = True
    status: Status = Status.open
    kind: str = field(key="type", default="sale")
    colors: set[str] = field(factory=set)
    seals: frozenset[int] | None = None
    sizes: tuple[int, ...] = ()
    spent: timedelta | None = None


class CustomerManager(Manager["Customer"]):
    def important(self) -> QuerySet[Customer]:
        return self.filter(vip=True)


class Customer(Model, bucket="payments", collection="customers"):
    objects: ClassVar[CustomerManager] = CustomerManager()
    name: str
    vip: bool = False


class Typed(Model, bucket="payments", collection="typed"):
    """With Field[] the checkers see each field as an expression."""

    total: Field[Decimal]
    label: Field[str] = Field(default="x")
    moment: Field[datetime | None] = Field(default=None)
    number: int = 0
    names: Field[list[str]] = Field(factory=list, key="x-names")


class Base(Model, abstract=True):
    created_by: str = "nobody"

    def renamed(self, name: str) -> Self:
        self.created_by = name
        return self


class Note(Base, bucket="notes", collection="notes"):
    text: str
    due: datetime | None = field(default=None, omit_none=True)
    stars: int = field(default=1, validator=attrs.validators.ge(1))

    def clean(self) -> None:
        if self.due is None:
            raise ValueError("a note is due")
