"""A write whose answer was lost is done once, and known to be done."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import pytest

from kintomodel import (
    Client,
    Conflict,
    ConnectionFailed,
    Forbidden,
    Model,
    NotFound,
    ServerError,
    TransportError,
)
from kintomodel.transport.http import HTTPTransport
from kintomodel.transport.retry import Patience, RetryTransport

from ..cutting import INTERRUPTS, Cutting


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: Decimal = Decimal(0)
    currency: str = "EUR"


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


@pytest.fixture
def theirs(payments):
    """What somebody else writes, over a line of his own."""
    return Receipt.objects.using(payments)


def lose(cutting, save, fate="cut"):
    cutting.fates = [fate, "cut"]
    with pytest.raises(ConnectionFailed):
        save()


def write_theirs(theirs, receipt, **values):
    found = theirs.get(id=receipt.id)
    for name, value in values.items():
        setattr(found, name, value)
    found.save()


def test_what_others_write_before_a_lost_write_is_looked_at_is_a_conflict(once, cutting, theirs):
    receipt = Receipt.objects.create(amount=Decimal(1))
    receipt.amount = Decimal(2)
    lose(cutting, receipt.save)
    receipt.currency = "USD"
    # The save is refused; then they write, and then the record is looked at.
    cutting.fates = [None, None, lambda: write_theirs(theirs, receipt, amount=Decimal(100))]
    with pytest.raises(Conflict):
        receipt.save()
    assert theirs.get(id=receipt.id).amount == 100


@pytest.mark.parametrize("how", ["save", "update"])
def test_permissions_that_got_lost_drop_nobody_whom_others_added(once, cutting, theirs, how):
    receipt = Receipt.objects.create(amount=Decimal(1))
    receipt.permissions.read += "account:bob"
    update = partial(receipt.permissions.update, read=["account:bob"])
    save = receipt.save if how == "save" else update
    lose(cutting, save, "unsent")
    write_theirs(theirs, receipt, permissions={"read": ["account:carol"]})
    with pytest.raises(Conflict):
        save()
    assert set(theirs.get(id=receipt.id).permissions.read) == {"account:carol"}


def test_a_lost_removal_of_a_writer_is_not_taken_for_done(once, cutting, theirs):
    receipt = Receipt.objects.create(amount=Decimal(1), permissions={"write": ["account:bob", "account:ann"]})
    receipt.permissions.write -= "account:bob"

    def others_write():
        write_theirs(theirs, receipt, permissions={"read": ["account:zoe"]})
        return "unsent"

    cutting.fates = [others_write]
    with pytest.raises(ConnectionFailed):
        receipt.save()
    with pytest.raises(Conflict):
        receipt.save()
    assert "account:bob" in theirs.get(id=receipt.id).permissions.write


def test_whom_kinto_adds_to_a_lost_list_of_writers_is_no_conflict(line, cutting, theirs):
    receipt = Receipt.objects.create(amount=Decimal(1))
    receipt.permissions.write = ["account:bob"]
    cutting.fates = ["cut"]
    receipt.save()
    assert set(receipt.permissions.write) == {"account:bob", "account:tester"}


def test_after_a_lost_save_of_data_whom_others_added_stays(once, cutting, theirs):
    receipt = Receipt.objects.create(amount=Decimal(1))
    receipt.amount = Decimal(2)
    lose(cutting, receipt.save)
    write_theirs(theirs, receipt, permissions={"read": ["account:carol"]})
    receipt.permissions.read += "account:bob"
    receipt.save()
    assert set(theirs.get(id=receipt.id).permissions.read) == {"account:bob", "account:carol"}


def test_what_was_not_read_may_have_been_written_by_others_after_a_lost_save(once, cutting, theirs):
    id = Receipt.objects.create(amount=Decimal(1)).id
    receipt = Receipt.objects.only("amount").get(id=id)
    receipt.amount = Decimal(2)
    lose(cutting, receipt.save)
    write_theirs(theirs, receipt, currency="CHF")
    receipt.currency = "USD"
    with pytest.raises(Conflict):
        receipt.save()
    assert theirs.get(id=id).currency == "CHF"


@pytest.mark.parametrize("fate", ["cut", "unsent"])
@pytest.mark.parametrize(
    "save", [Receipt.save, lambda one: Receipt.objects.bulk_save([one])], ids=["one", "bulk"]
)
def test_an_edit_that_is_taken_back_after_a_lost_save_is_taken_back_there(once, cutting, theirs, fate, save):
    receipt = Receipt.objects.create(amount=Decimal(1))
    receipt.amount, receipt.permissions.read = Decimal(2), ["account:bob"]
    lose(cutting, receipt.save, fate)
    receipt.amount, receipt.permissions.read = Decimal(1), []
    save(receipt)
    found = theirs.get(id=receipt.id)
    assert (found.amount, set(found.permissions.read)) == (1, set())
    assert found.last_modified == receipt.last_modified
    cutting.methods.clear()
    save(receipt)
    assert cutting.methods == []


def test_mutate_does_not_make_a_change_again_that_may_be_made_already(line, cutting, theirs):
    receipt = Receipt.objects.create(amount=Decimal(1))

    def add(record):
        record.amount += 1

    def interfere():
        write_theirs(theirs, receipt, currency="CHF")

    cutting.fates = [None, "cut", interfere]
    # Who tries once looks, and sees what others made of it.
    with pytest.raises(TransportError, match=r"cut$|look at it before you repeat it"):
        Receipt.objects.mutate(receipt.id, add)
    assert theirs.get(id=receipt.id).amount == 2


def test_a_function_is_not_asked_where_its_change_may_be_made_already(line, cutting, theirs):
    receipt = Receipt.objects.create(amount=Decimal(1))
    receipt.amount = Decimal(2)
    cutting.fates = ["cut", lambda: write_theirs(theirs, receipt, currency="CHF")]
    with pytest.raises((Conflict, ConnectionFailed)):
        receipt.save(
            on_conflict=lambda conflict: {**conflict.theirs, "amount": conflict.theirs["amount"] + 1}
        )
    assert theirs.get(id=receipt.id).amount == 2


def break_off(cutting, fate, work):
    cutting.fates = [fate]
    with pytest.raises((KeyboardInterrupt, DeprecationWarning)):
        work()


@INTERRUPTS
@pytest.mark.parametrize("verify", [False, True])
def test_a_save_that_was_interrupted_is_no_conflict_the_next_time(once, cutting, theirs, fate, verify):
    receipt = Receipt.objects.create(amount=Decimal(1))
    once.server_info()
    receipt.amount = Decimal(2)
    break_off(cutting, fate, partial(receipt.save, verify=verify))
    receipt.currency = "USD"
    receipt.save()
    found = theirs.get(id=receipt.id)
    assert (found.amount, found.currency) == (2, "USD")
    assert found.last_modified == receipt.last_modified


@INTERRUPTS
def test_an_edit_that_is_taken_back_after_an_interrupt_is_taken_back_there(once, cutting, theirs, fate):
    receipt = Receipt.objects.create(amount=Decimal(1))
    receipt.amount = Decimal(2)
    break_off(cutting, fate, receipt.save)
    receipt.amount = Decimal(1)
    receipt.save()
    assert theirs.get(id=receipt.id).amount == 1


@INTERRUPTS
def test_a_creation_that_was_interrupted_is_no_conflict_the_next_time(once, cutting, theirs, fate):
    receipt = Receipt(amount=Decimal(1))
    break_off(cutting, fate, receipt.save)
    receipt.amount = Decimal(2)
    receipt.save()
    assert theirs.get(id=receipt.id).amount == 2


@INTERRUPTS
def test_permissions_that_were_interrupted_are_no_conflict_the_next_time(once, cutting, theirs, fate):
    receipt = Receipt.objects.create(amount=Decimal(1))
    break_off(cutting, fate, partial(receipt.permissions.update, read=["account:bob"]))
    receipt.permissions.update(read=["account:zoe"])
    assert set(theirs.get(id=receipt.id).permissions.read) == {"account:zoe"}


@INTERRUPTS
def test_a_deletion_that_was_interrupted_is_ours(once, cutting, theirs, fate):
    receipt = Receipt.objects.create(amount=Decimal(1))
    break_off(cutting, fate, receipt.delete)
    receipt.delete()
    assert theirs.count() == 0
    assert receipt.last_modified is None


def test_what_others_wrote_after_an_interrupt_is_still_a_conflict(once, cutting, theirs):
    receipt = Receipt.objects.create(amount=Decimal(1))
    receipt.amount = Decimal(2)
    break_off(cutting, KeyboardInterrupt(), receipt.save)
    write_theirs(theirs, receipt, amount=Decimal(3))
    with pytest.raises(Conflict):
        receipt.save()
    assert theirs.get(id=receipt.id).amount == 3


def test_a_refused_write_is_not_taken_for_an_interrupted_one(once, cutting, theirs):
    receipt = Receipt.objects.create(amount=Decimal(1))
    write_theirs(theirs, receipt, amount=Decimal(2))
    receipt.amount = Decimal(2)
    for refused in (receipt.save, partial(receipt.permissions.update, read=["account:bob"])):
        with pytest.raises(Conflict):
            refused()
    cutting.methods.clear()
    receipt.amount = Decimal(1)
    receipt.save()
    assert cutting.methods == []


def test_permissions_that_were_refused_are_not_taken_for_lost_ones(once, cutting, theirs):
    receipt = Receipt.objects.create(amount=Decimal(1))
    cutting.fates = [403]
    with pytest.raises(Forbidden):
        receipt.permissions.update(read=["account:bob"])
    cutting.methods.clear()
    receipt.save()
    assert cutting.methods == []
