"""Models in a dry run: each of their writes is answered, and none is sent."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from kintomodel import Client, Conflict, Everyone, Model, NotFound, Q, field
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


def working_on_queries(one: Receipt) -> Any:
    every = Receipt.objects.filter(amount__gte=1)
    Receipt.objects.create(id="new", amount=Decimal(2))
    reports = [every.update(note="x"), every.filter(note="x").update(amount=Decimal(9))]
    for again in every:
        again.amount += 1
        again.save()
    found = [timeless(each) for each in Receipt.objects.order_by("-amount", "id")]
    synced = Receipt.objects.sync([Receipt(id="new", amount=Decimal(10))], delete=True, max_delete=1.0)
    reports += [synced.apply(), every.delete()]
    return [str(report) for report in reports], found, Receipt.objects.count(), one.id


@pytest.mark.parametrize(
    "work", [saving, merging, deleting, creating, working_on_queries], ids=lambda work: work.__name__
)
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
    if isinstance(found, (tuple, list)):
        return [timeless(one) for one in found]
    return {**found, "last_modified": 0} if isinstance(found, dict) else found


def test_a_manager_from_before_the_block_is_covered(payments: Client) -> None:
    manager = Receipt.objects.using(payments)
    with payments.dry_run() as kept:
        manager.create(amount=Decimal(1))
        Receipt(amount=Decimal(2)).save()
        assert manager.count() == 2
    assert len(kept) == 2
    assert manager.count() == 0


class Item(Model, bucket="payments", collection="items"):
    n: int | None = field(default=None, omit_none=True)
    tags: list[str] = field(factory=list)
    name: str | None = None


QUERIES: list[Callable[[Any], Any]] = [
    lambda items: items.all(),
    lambda items: items.order_by("-id"),
    lambda items: items.order_by("n"),
    lambda items: items.order_by("-n", "id"),
    lambda items: items.order_by("-n").only("name", "n", "tags"),
    lambda items: items.order_by("name", "-n")[1:4],
    lambda items: items.order_by("-last_modified")[:3],
    lambda items: items.all()[2:5],
    lambda items: items.filter(n__gte=2),
    lambda items: items.filter(n__in=[1, 4]).only("n", "name", "tags"),
    lambda items: items.exclude(n=3).order_by("n"),
    lambda items: items.filter(Q(n__lt=3) | Q(name="xy")).order_by("-n"),
    lambda items: items.filter(Q(n=2) | Q(n=4)),
    lambda items: items.filter(tags__contains="a"),
    lambda items: items.filter(id__gt="r2", id__lte="r6"),
    lambda items: items.filter(name__startswith="x"),
]


def shuffle() -> None:
    for number, id in enumerate(["a", "r25", "z"]):
        Item.objects.create(id=id, n=number + 2, name="xy")
    Item.objects.filter(id__in=["r1", "r6"]).delete()
    Item.objects.create(id="r6", n=4, tags=["a", "c"])
    for number, id in enumerate(["r3", "r2"]):
        Item(id=id, n=9 * number, tags=["b"]).save(force=True)
    Item.objects.get(id="r5").permissions.update(read=["account:zoe"])


@pytest.mark.parametrize("page_size", [1, 3, 100])
def test_queries_find_in_a_dry_run_what_they_find_for_real(payments: Client, page_size: int) -> None:
    payments.bucket("payments").create_collection("items")
    for number in range(1, 9):
        Item.objects.create(
            id=f"r{number}", n=number if number % 4 else None, tags=["a"], name="x" if number % 3 else None
        )

    def found(query: Any) -> list[Any]:
        return [(one.id, one.n, one.name, one.tags) for one in query.iterator(page_size=page_size)]

    with payments.dry_run():
        shuffle()
        rehearsed = [(found(ask(Item.objects)), ask(Item.objects).count()) for ask in QUERIES]
    shuffle()
    for ask, expected in zip(QUERIES, rehearsed, strict=True):
        assert (found(ask(Item.objects)), ask(Item.objects).count()) == expected


def test_a_query_whose_objects_are_rehearsed_on_the_way_finds_each_once(payments: Client) -> None:
    payments.bucket("payments").create_collection("items")
    Item.objects.bulk_save([Item(id=f"r{number}", n=number) for number in range(9)])
    with payments.dry_run():
        seen = []
        for one in Item.objects.order_by("-n").iterator(page_size=2):
            seen.append(one.id)
            one.n = -1
            one.save()
        assert sorted(seen) == [f"r{number}" for number in range(9)]
        assert {one.n for one in Item.objects.all().iterator(page_size=2)} == {-1}
