"""A write whose answer was lost is done once, and known to be done."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kintomodel import Client, Conflict, ConnectionFailed, Model, NotFound, ServerError
from kintomodel.protocol.objects import Response
from kintomodel.transport.http import HTTPTransport
from kintomodel.transport.retry import Patience, RetryTransport


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: Decimal = Decimal(0)
    currency: str = "EUR"


class Cutting:
    """In front of a transport: each request gets through, and the answers named are lost.

    fates: for one request after the other: None, "cut", or a status that a proxy answers with.
    """

    def __init__(self, inner):
        self.inner = inner
        self.fates = []
        self.methods = []

    def send(self, operation):
        self.methods.append(operation.method)
        response = self.inner.send(operation)
        fate = self.fates.pop(0) if self.fates else None
        if fate == "cut":
            raise ConnectionFailed(f"{operation.method} {operation.path}: cut")
        return Response(fate) if fate else response

    def close(self):
        self.inner.close()


@pytest.fixture
def cutting(payments):
    return Cutting(HTTPTransport(payments.url, ("tester", "secret")))


@pytest.fixture(params=["retrying", "trying once"])
def line(request, cutting):
    """The active client whose answers can be cut off."""
    transport = cutting
    if request.param == "retrying":
        transport = RetryTransport(cutting, Patience(2, first_wait=0.001))
    client = Client(cutting.inner.url, transport=transport)
    with client.activate():
        yield client
    client.close()


@pytest.fixture
def once(cutting):
    """The same without retries."""
    with Client(cutting.inner.url, transport=cutting) as client, client.activate():
        yield client


def test_a_create_whose_answer_was_lost_succeeds_exactly_once(line, cutting):
    cutting.fates = ["cut"]
    receipt = Receipt(amount=Decimal(1), permissions={"read": ["account:bob"]})
    receipt.save()
    assert Receipt.objects.count() == 1
    found = Receipt.objects.get(id=receipt.id)
    assert (found.last_modified, set(found.permissions.read)) == (receipt.last_modified, {"account:bob"})
    receipt.amount = Decimal(2)
    receipt.save()


def test_an_update_whose_answer_was_lost_succeeds_exactly_once(line, cutting):
    receipt = Receipt.objects.create(amount=Decimal(1))
    cutting.fates = ["cut"]
    receipt.amount = Decimal(2)
    receipt.save()
    found = Receipt.objects.get(id=receipt.id)
    assert (found.amount, found.last_modified) == (2, receipt.last_modified)


def test_permissions_whose_answer_was_lost_are_sent_exactly_once(line, cutting):
    receipt = Receipt.objects.create(amount=Decimal(1))
    cutting.fates = ["cut"]
    receipt.permissions.update(read=["account:bob"])
    assert Receipt.objects.get(id=receipt.id).last_modified == receipt.last_modified
    assert set(receipt.permissions.read) == {"account:bob"}


def test_a_deletion_whose_answer_was_lost_succeeds(line, cutting):
    receipt = Receipt.objects.create(amount=Decimal(1))
    cutting.fates = ["cut"]
    receipt.delete()
    assert (Receipt.objects.count(), receipt.last_modified) == (0, None)


@pytest.mark.parametrize("fates", [["cut", "cut"], [502, 502]])
def test_a_save_whose_fate_is_unknown_can_be_repeated(once, cutting, fates):
    receipt = Receipt(amount=Decimal(1))
    for amount in (1, 2, 3):
        receipt.amount = Decimal(amount)
        cutting.fates = list(fates)
        with pytest.raises((ConnectionFailed, ServerError)):
            receipt.save()
        assert Receipt.objects.get(id=receipt.id).amount == amount
        receipt.save()
        assert receipt.changes() == {}
    assert Receipt.objects.get(id=receipt.id).last_modified == receipt.last_modified


def test_what_was_edited_meanwhile_is_saved_on_top_of_it(once, cutting):
    receipt = Receipt.objects.create(amount=Decimal(1))
    receipt.amount = Decimal(2)
    cutting.fates = ["cut", "cut"]
    with pytest.raises(ConnectionFailed):
        receipt.save()
    receipt.currency = "USD"
    receipt.permissions.read += "account:bob"
    receipt.save()
    found = Receipt.objects.get(id=receipt.id)
    assert (found.amount, found.currency, set(found.permissions.read)) == (2, "USD", {"account:bob"})


def test_what_others_wrote_after_a_lost_write_is_still_a_conflict(once, cutting):
    receipt = Receipt.objects.create(amount=Decimal(1))
    receipt.amount = Decimal(2)
    cutting.fates = ["cut", "cut"]
    with pytest.raises(ConnectionFailed):
        receipt.save()
    other = Receipt.objects.get(id=receipt.id)
    other.currency = "USD"
    other.save()
    with pytest.raises(Conflict) as caught:
        receipt.save()
    assert (caught.value.theirs["amount"], caught.value.theirs["currency"]) == (2, "USD")


@pytest.mark.parametrize("fates", [["cut", "cut"], [502, 502]])
def test_permissions_whose_fate_is_unknown_can_be_sent_again(once, cutting, fates):
    receipt = Receipt.objects.create(amount=Decimal(1))
    cutting.fates = list(fates)
    with pytest.raises((ConnectionFailed, ServerError)):
        receipt.permissions.update(read=["account:bob"])
    receipt.permissions.update(read=["account:bob"])
    assert set(receipt.permissions.read) == {"account:bob"}
    receipt.amount = Decimal(2)
    receipt.save()


def test_permissions_after_a_save_whose_fate_is_unknown_go_on_from_it(once, cutting):
    receipt = Receipt.objects.create(amount=Decimal(1))
    receipt.amount = Decimal(2)
    cutting.fates = ["cut", "cut", None, "cut", "cut"]
    with pytest.raises(ConnectionFailed):
        receipt.save()
    assert Receipt.objects.get(id=receipt.id).amount == 2
    with pytest.raises(ConnectionFailed):
        receipt.permissions.update(read=["account:bob"])
    receipt.permissions.update(read=["account:bob"])
    assert Receipt.objects.get(id=receipt.id).permissions.read == {"account:bob"}
    assert receipt.changes() == {}


def test_permissions_after_what_others_wrote_are_still_a_conflict(once, cutting):
    receipt = Receipt.objects.create(amount=Decimal(1))
    cutting.fates = ["cut", "cut"]
    with pytest.raises(ConnectionFailed):
        receipt.permissions.update(read=["account:bob"])
    other = Receipt.objects.get(id=receipt.id)
    other.currency = "USD"
    other.save()
    with pytest.raises(Conflict):
        receipt.permissions.update(read=["account:bob"])


@pytest.mark.parametrize("fates", [["cut", "cut"], [502, 502]])
def test_a_deletion_whose_fate_is_unknown_can_be_repeated(once, cutting, fates):
    receipt = Receipt.objects.create(amount=Decimal(1))
    cutting.fates = list(fates)
    with pytest.raises((ConnectionFailed, ServerError)):
        receipt.delete()
    receipt.delete()
    assert (Receipt.objects.count(), receipt.last_modified) == (0, None)
    receipt.save()
    Receipt.objects.get(id=receipt.id).delete()
    with pytest.raises(NotFound):
        receipt.delete()


def test_a_save_of_a_part_whose_answer_was_lost_is_done(line, cutting):
    Receipt.objects.create(id="abc", currency="USD")
    found = Receipt.objects.only("amount").get(id="abc")
    found.amount = Decimal(7)
    cutting.fates = ["cut"]
    found.save()
    assert (found.amount, found.currency, found.changes()) == (7, "USD", {})


@pytest.mark.parametrize("fates", [["cut", "cut"], [502, 502]])
def test_a_write_of_a_part_whose_fate_is_unknown_can_be_repeated(once, cutting, fates):
    Receipt.objects.create(id="abc", currency="USD")
    found = Receipt.objects.only("amount").get(id="abc")
    cutting.fates = list(fates)
    with pytest.raises((ConnectionFailed, ServerError)):
        found.permissions.update(read=["account:bob"])
    found.amount = Decimal(8)
    found.save()
    assert (found.currency, Receipt.objects.get(id="abc").amount) == ("USD", 8)
