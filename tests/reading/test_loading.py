"""Records from the server: one, many, and again."""

from __future__ import annotations

import pytest

from kintomodel import Model, NotFound, ValidationError, field
from kintomodel.testing import record


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: int = 0
    tags: list[str] = field(factory=list)


@pytest.fixture
def sent(payments):
    with record(payments) as recording:
        yield recording


@pytest.fixture
def receipt(payments):
    one = Receipt(id="abc", amount=1)
    one.extra["note"] = "x"
    one.save()
    return one


def test_a_record_is_got_by_its_id_in_one_request(receipt, sent):
    found = Receipt.objects.get(id="abc")
    assert (found.amount, found.extra, found.last_modified) == (1, {"note": "x"}, receipt.last_modified)
    assert "account:tester" in found.permissions.write
    assert [(one.method, one.path) for one in sent] == [
        ("GET", "/buckets/payments/collections/receipts/records/abc")
    ]


def test_a_record_that_is_not_there_is_not_found(payments):
    with pytest.raises(NotFound, match="it does not exist, or no longer"):
        Receipt.objects.get(id="abc")


def test_refresh_takes_what_the_server_has_and_drops_what_is_unsaved(receipt, sent):
    other = Receipt.objects.get(id="abc")
    other.amount = 2
    other.extra["note"] = "y"
    other.permissions.read += "account:bob"
    other.save()
    receipt.tags.append("late")
    receipt.extra["more"] = 1
    receipt.permissions.write += "account:carol"
    sent.clear()
    receipt.refresh()
    assert [one.method for one in sent] == ["GET"]
    assert (receipt.amount, receipt.tags, receipt.extra) == (2, [], {"note": "y"})
    assert (set(receipt.permissions.read), set(receipt.permissions.write)) == (
        {"account:bob"},
        {"account:tester"},
    )
    assert receipt.last_modified == other.last_modified
    assert receipt.changes() == {}
    receipt.save()
    assert len(sent) == 1


def test_a_refresh_of_what_is_gone_changes_nothing(receipt):
    Receipt.objects.get(id="abc").delete()
    receipt.amount = 5
    with pytest.raises(NotFound):
        receipt.refresh()
    assert (receipt.amount, receipt.changes()) == (5, {"amount": 5})


def test_a_refresh_that_does_not_fit_changes_nothing(receipt):
    class Loose(Model, bucket="payments", collection="receipts"):
        pass

    loose = Loose.objects.get(id="abc")
    loose.extra["amount"] = "12,5"
    loose.save()
    receipt.tags.append("late")
    with pytest.raises(
        ValidationError, match=r"^payments/receipts/abc: amount: expected an integer, got string '12,5'$"
    ):
        receipt.refresh()
    assert (receipt.amount, receipt.tags) == (1, ["late"])


def test_a_new_record_can_be_refreshed_if_it_is_there(receipt):
    twin = Receipt(id="abc")
    twin.refresh()
    assert twin.amount == 1
    twin.amount = 2
    twin.save()
    assert Receipt.objects.get(id="abc").amount == 2


def test_each_record_of_a_listing_knows_where_it_is(receipt, sent):
    (found,) = Receipt.objects.all()
    found.amount = 2
    found.save()
    assert [one.method for one in sent] == ["GET", "PATCH"]
    assert Receipt.objects.get(id="abc").extra == {"note": "x"}
