"""save(on_conflict=...): what becomes of a record that somebody else wrote meanwhile."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from kintomodel import Client, Conflict, Everyone, Model, UsageError, account, field
from kintomodel.testing import record

from ..waiting import waits_of


@attrs.define
class Address:
    street: str
    city: str = "Paris"


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: int
    currency: str = "EUR"
    tags: set[str] = field(factory=set)
    notes: list[str] = field(factory=list)
    address: Address = field(factory=lambda: Address("Main Street"))


@pytest.fixture
def both(payments: Client) -> tuple[Receipt, Receipt]:
    """The same record, as two writers have it."""
    receipt = Receipt.objects.create(id="r1", amount=1, tags={"new"}, notes=["a"])
    return Receipt.objects.get(id=receipt.id), Receipt.objects.get(id=receipt.id)


def stored() -> Receipt:
    return Receipt.objects.get(id="r1")


def test_changes_of_different_attributes_are_merged(both: tuple[Receipt, Receipt]) -> None:
    mine, theirs = both
    theirs.currency = "USD"
    theirs.address.city = "Rome"
    theirs.extra["seen"] = True
    theirs.save()
    mine.amount = 2
    mine.address.street = "Side Street"
    mine.save(on_conflict="merge")
    for receipt in (mine, stored()):
        assert (receipt.amount, receipt.currency) == (2, "USD")
        assert receipt.address == Address("Side Street", "Rome")
        assert receipt.extra == {"seen": True}
    assert mine.changes() == {}


def test_a_set_is_merged_by_its_members(both: tuple[Receipt, Receipt]) -> None:
    mine, theirs = both
    theirs.tags.add("theirs")
    theirs.save()
    mine.tags ^= {"new", "mine"}
    mine.save(on_conflict="merge")
    assert stored().tags == {"mine", "theirs"}


def test_an_overlap_is_raised_with_its_paths_and_both_sides(both: tuple[Receipt, Receipt]) -> None:
    mine, theirs = both
    theirs.amount, theirs.notes = 3, ["a", "b"]
    theirs.save()
    mine.amount, mine.notes = 2, ["a", "c"]
    with pytest.raises(Conflict, match="payments/receipts/r1: both sides changed amount, notes;") as caught:
        mine.save(on_conflict="merge")
    conflict = caught.value
    assert conflict.record is mine
    assert (conflict.base or {})["amount"] == 1
    assert (conflict.mine or {})["amount"] == 2
    assert (conflict.theirs or {})["amount"] == 3
    assert (mine.amount, stored().amount) == (2, 3)


def test_mine_wins_where_both_changed_and_nowhere_else(both: tuple[Receipt, Receipt]) -> None:
    mine, theirs = both
    theirs.amount, theirs.currency = 3, "USD"
    theirs.save()
    mine.amount = 2
    mine.save(on_conflict="mine")
    assert (stored().amount, stored().currency, mine.currency) == (2, "USD", "USD")


def test_theirs_drops_what_is_mine_and_sends_nothing(both: tuple[Receipt, Receipt], payments: Client) -> None:
    mine, theirs = both
    theirs.amount = 3
    theirs.save()
    mine.amount, mine.currency = 2, "USD"
    mine.permissions.read += Everyone
    with record(payments) as sent:
        mine.save(on_conflict="theirs")
    assert len(sent.writes) == 1  # the one that was refused
    assert (mine.amount, mine.currency, mine.changes()) == (3, "EUR", {})
    assert Everyone not in mine.permissions.read


def test_a_function_says_what_is_stored(both: tuple[Receipt, Receipt]) -> None:
    mine, theirs = both
    theirs.amount = 3
    theirs.save()
    mine.amount = 2

    def sum_up(conflict: Conflict) -> dict[str, Any]:
        base, ours, others = conflict.base or {}, conflict.mine or {}, conflict.theirs or {}
        return {**others, "amount": ours["amount"] + others["amount"] - base["amount"]}

    mine.save(on_conflict=sum_up)
    assert (mine.amount, stored().amount) == (4, 4)


def test_edits_of_permissions_are_kept(both: tuple[Receipt, Receipt]) -> None:
    mine, theirs = both
    theirs.permissions.write += account("bob")
    theirs.save()
    mine.permissions.read += Everyone
    mine.amount = 2
    mine.save(on_conflict="merge")
    assert Everyone in stored().permissions.read
    assert account("bob") in stored().permissions.write


def test_a_record_that_was_deleted_meanwhile_can_come_back(both: tuple[Receipt, Receipt]) -> None:
    mine, theirs = both
    theirs.delete()
    mine.amount = 2
    mine.save(on_conflict="mine")
    assert stored().amount == 2


def test_a_function_may_bring_a_deleted_record_back(both: tuple[Receipt, Receipt]) -> None:
    mine, theirs = both
    theirs.delete()
    mine.amount = 2
    asked: list[Any] = []

    def decide(conflict: Conflict) -> dict[str, Any]:
        asked.append(conflict.theirs)
        return {**(conflict.mine or {}), "amount": 7}

    mine.save(on_conflict=decide)
    assert (asked, stored().amount, mine.amount) == ([None], 7, 7)


def test_theirs_of_a_deleted_record_is_a_new_one_that_is_not_stored(both: tuple[Receipt, Receipt]) -> None:
    mine, theirs = both
    theirs.delete()
    mine.amount = 2
    mine.save(on_conflict="theirs")
    assert (mine.last_modified, mine.amount, Receipt.objects.count()) == (None, 2, 0)


def test_one_whose_permissions_nobody_looked_at_has_none_then(both: tuple[Receipt, Receipt]) -> None:
    _, theirs = both
    (mine,) = Receipt.objects.all()
    theirs.delete()
    mine.amount = 2
    mine.save(on_conflict="theirs")
    assert list(mine.permissions.read) == []


def test_a_deletion_is_not_merged(both: tuple[Receipt, Receipt]) -> None:
    mine, theirs = both
    theirs.delete()
    mine.amount = 2
    with pytest.raises(Conflict) as caught:
        mine.save(on_conflict="merge")
    assert caught.value.theirs is None


def test_an_id_that_is_taken_is_resolved_like_any_conflict(payments: Client) -> None:
    Receipt.objects.create(id="r1", amount=1)
    mine = Receipt(id="r1", amount=2)
    with pytest.raises(Conflict, match="both sides changed amount"):
        mine.save(on_conflict="merge")
    mine.save(on_conflict="mine")
    assert stored().amount == 2


def test_who_always_loses_gets_the_conflict_in_the_end(
    payments: Client, both: tuple[Receipt, Receipt]
) -> None:
    waits = waits_of(payments)
    mine, theirs = both
    mine.currency = "USD"

    def somebody_is_faster(conflict: Conflict) -> dict[str, Any]:
        theirs.refresh()
        theirs.amount += 1
        theirs.save()
        return {**(conflict.theirs or {}), "currency": "USD"}

    theirs.amount += 1
    theirs.save()
    with pytest.raises(Conflict):
        mine.save(on_conflict=somebody_is_faster)
    assert (stored().currency, len(waits)) == ("EUR", 4)


@pytest.mark.parametrize("wrong", ["ours", None, 3])
def test_another_choice_is_refused_before_anything_is_sent(
    both: tuple[Receipt, Receipt], payments: Client, wrong: Any
) -> None:
    mine, _ = both
    mine.amount = 2
    with record(payments) as sent, pytest.raises(UsageError, match=r'^on_conflict is "raise", "mine"'):
        mine.save(on_conflict=wrong)
    assert len(sent) == 0
