"""Changes as typed records."""

from __future__ import annotations

from datetime import timezone

import pytest

from kintomodel import Changes, Model, Tombstone, ValidationError
from kintomodel.testing import record


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: int = 0


class Loose(Model, bucket="payments", collection="receipts"):
    pass


@pytest.fixture
def token(payments) -> str:
    for at in range(3):
        Receipt.objects.create(id=f"r{at}", amount=at)
    changes = Receipt.objects.changes()
    assert [one.amount for one in changes.upserts] == [0, 1, 2]
    return changes.next


def test_upserts_are_records_that_can_be_saved(payments, token):
    receipt = Receipt.objects.get(id="r1")
    receipt.amount = 10
    receipt.save()
    Receipt.objects.get(id="r2").delete()
    changes = Receipt.objects.changes(since=token)
    assert isinstance(changes, Changes)
    (found,) = changes.upserts
    assert (found, found.last_modified, found.changes()) == (receipt, receipt.last_modified, {})
    found.amount = 11
    with record(payments) as sent:
        found.save()
        assert [one.method for one in sent] == ["PATCH"]
    assert [(one.id, one.deleted_at.tzinfo) for one in changes.deletions] == [("r2", timezone.utc)]


def test_they_come_in_the_order_of_the_writes(token):
    Receipt.objects.get(id="r0").delete()
    Receipt.objects.create(id="r9", amount=9)
    assert [type(one) for one in Receipt.objects.changes(since=token)] == [Tombstone, Receipt]


def test_a_record_that_does_not_fit_is_not_passed_over(token):
    Receipt.objects.create(id="r7", amount=7)
    wrong = Loose(id="r8")
    wrong.extra["amount"] = "8"
    wrong.save()
    changes = Receipt.objects.changes(since=token)
    given = iter(changes)
    assert next(given).id == "r7"
    for ask in (lambda: next(given), lambda: changes.next, lambda: list(changes)):
        with pytest.raises(ValidationError, match="payments/receipts/r8: amount: expected an integer"):
            ask()
    assert [one.id for one in Loose.objects.changes(since=token).upserts] == ["r7", "r8"]


def test_a_manager_bound_elsewhere_has_the_changes_there(server, payments, token):
    other = payments.bucket("payments").create_collection("drafts")
    drafts = Receipt.objects.using(payments, collection="drafts")
    later = drafts.changes().next
    other.create_record({"amount": 5}, id="d1")
    assert [one.amount for one in drafts.changes(since=later).upserts] == [5]
    assert not Receipt.objects.changes(since=token)


def test_watching_gives_changes_as_they_come(token):
    watching = Receipt.objects.watch(0.02, since=token)
    Receipt.objects.create(id="r8", amount=8)
    assert [one.amount for one in next(watching).upserts] == [8]
    Receipt.objects.get(id="r8").delete()
    assert [one.id for one in next(watching).deletions] == ["r8"]
    watching.close()
