"""Models in a dry run: each of their writes is answered, and none is sent."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from kintomodel import Client, Conflict, Everyone, Model, NotFound, field
from kintomodel.testing import record


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: Decimal
    tags: list[str] = field(factory=list)
    note: str | None = None


def stored(client: Client) -> list[Any]:
    records = client.bucket("payments").collection("receipts").get_all_records()
    return [(one.data, one.last_modified, one.refresh().permissions.as_dict()) for one in records]


def saving(one: Receipt) -> Any:
    one.amount = Decimal(5)
    one.tags.append("late")
    one.permissions.read += Everyone
    one.save()
    again = Receipt.objects.get(id=one.id)
    again.note = "x"
    again.save()
    again.note = None
    again.save()
    again.permissions.update(read=["account:bob"])
    return again, again.permissions.as_dict(), again.changes()


def merging(one: Receipt) -> Any:
    other = Receipt.objects.get(id=one.id)
    other.note = "theirs"
    other.save()
    one.amount = Decimal(7)
    with pytest.raises(Conflict) as caught:
        one.save()
    one.save(on_conflict="merge")
    return caught.value.theirs, one, Receipt.objects.get(id=one.id)


def deleting(one: Receipt) -> Any:
    other = Receipt.objects.get(id=one.id)
    one.delete()
    other.amount = Decimal(9)
    with pytest.raises(Conflict):
        other.save()
    with pytest.raises(NotFound):
        Receipt.objects.get(id=one.id)
    one.save()
    return Receipt.objects.get(id=one.id)


def creating(one: Receipt) -> Any:
    new, is_new = Receipt.objects.get_or_create(id="new", defaults={"amount": Decimal(1), "public": True})
    same, is_newer = Receipt.objects.get_or_create(id="new", defaults={"amount": Decimal(2)})
    changed, _ = Receipt.objects.update_or_create({"amount": Decimal(3)}, id="new")
    with pytest.raises(Conflict):
        Receipt.objects.create(id="new", amount=Decimal(4))
    return new.permissions.as_dict(), is_new, is_newer, same, changed, Receipt.objects.get(id="new")


@pytest.mark.parametrize("work", [saving, merging, deleting, creating], ids=lambda work: work.__name__)
def test_a_dry_run_of_a_model_comes_to_the_same(payments: Client, work: Callable[[Receipt], Any]) -> None:
    Receipt.objects.create(id="old", amount=Decimal(1), permissions={"read": ["account:zoe"]})
    before = stored(payments)
    with record(payments) as sent, payments.dry_run() as kept:
        rehearsed = work(Receipt.objects.get(id="old"))
    assert {one.method for one in sent.operations} <= {"GET", "HEAD"}
    assert len(kept) > 0
    assert stored(payments) == before
    assert timeless(rehearsed) == timeless(work(Receipt.objects.get(id="old")))


def timeless(found: Any) -> Any:
    if isinstance(found, Receipt):
        return found.id, found.amount, found.tags, found.note
    if isinstance(found, tuple):
        return [timeless(one) for one in found]
    return {**found, "last_modified": 0} if isinstance(found, dict) else found


def test_a_manager_from_before_the_block_is_covered(payments: Client) -> None:
    manager = Receipt.objects.using(payments)
    with payments.dry_run() as kept:
        manager.create(amount=Decimal(1))
        Receipt(amount=Decimal(2)).save()
    assert len(kept) == 2
    assert manager.count() == 0
