"""save() and delete(): what is sent, what is refused, and what becomes of it."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import attrs
import pytest

from kintomodel import BulkError, Conflict, Model, NotFound, UsageError, ValidationError, field
from kintomodel.protocol import operations
from kintomodel.testing import record


@attrs.define
class Address:
    city: str


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: Decimal = Decimal(0)
    currency: str = "EUR"
    tags: list[str] = field(factory=list)
    address: Address | None = None


class Loose(Model, bucket="payments", collection="receipts"):
    amount: Any = None


RECEIPTS = "/buckets/payments/collections/receipts/records"


@pytest.fixture
def sent(payments):
    with record(payments) as recording:
        yield recording


@pytest.fixture
def receipt(payments):
    return Receipt.objects.create(id="abc", amount=Decimal(1), tags=["a"])


def stored(client, id="abc"):
    """The data that the server has, without its own keys."""
    data = client.connection.perform(operations.read(f"{RECEIPTS}/{id}")).data
    return {key: value for key, value in data.items() if key not in ("id", "last_modified")}


# create


def test_a_new_record_is_one_put_that_overwrites_nothing(sent):
    receipt = Receipt(id="abc", amount=Decimal("12.50"))
    receipt.save()
    (operation,) = sent
    assert (operation.method, operation.path) == ("PUT", f"{RECEIPTS}/abc")
    assert operation.headers == {"If-None-Match": "*"}
    assert operation.body == {"data": {"amount": 12.5, "currency": "EUR", "tags": [], "address": None}}
    assert receipt.last_modified
    assert receipt.changes() == {}


def test_an_id_that_is_taken_is_a_conflict(receipt, payments):
    with pytest.raises(Conflict) as caught:
        Receipt(id="abc", amount=Decimal(2)).save()
    assert (caught.value.base, caught.value.mine["amount"], caught.value.theirs["amount"]) == (None, 2, 1)
    assert stored(payments)["amount"] == 1


def test_even_the_same_data_does_not_make_it_ours(receipt):
    with pytest.raises(Conflict):
        Receipt(id="abc", amount=Decimal(1), tags=["a"]).save()


def test_force_takes_the_place_of_what_is_there(receipt, payments, sent):
    Receipt(id="abc", amount=Decimal(2)).save(force=True)
    assert (sent.last.method, sent.last.headers) == ("PUT", {})
    assert stored(payments) == {"amount": 2, "currency": "EUR", "tags": [], "address": None}


@pytest.mark.parametrize("id", ["", "a/b", "../x", "_a", "a b", None, 3])
def test_an_id_that_kinto_does_not_take_is_refused_before_it_is_sent(sent, id):
    with pytest.raises(ValidationError, match="is no record id"):
        Receipt(id=id).save()
    assert len(sent) == 0


# update


def test_a_change_is_one_guarded_patch_of_what_changed(receipt, sent):
    before = receipt.last_modified
    receipt.amount = Decimal(13)
    receipt.tags.append("late")
    receipt.save()
    (operation,) = sent
    assert (operation.method, operation.headers) == ("PATCH", {"If-Match": f'"{before}"'})
    assert operation.body == {"data": {"amount": 13, "tags": ["a", "late"]}}
    assert receipt.last_modified > before


def test_without_a_change_nothing_is_sent(receipt, sent):
    receipt.save()
    receipt.amount = Decimal("1.00")
    receipt.save()
    Receipt.objects.get(id="abc").save()
    assert [operation.method for operation in sent] == ["GET"]


def test_what_the_server_holds_in_another_form_is_left_alone(payments, sent):
    Loose.objects.create(id="abc", amount=12.0)
    sent.clear()
    receipt = Receipt.objects.get(id="abc")
    receipt.currency = "USD"
    receipt.save()
    assert sent.last.body == {"data": {"currency": "USD"}}
    assert stored(payments) == {"amount": 12.0, "currency": "USD"}


def test_undeclared_attributes_survive(payments, sent):
    loose = Loose(id="abc", amount=1)
    loose.extra.update(note="x", meta={"pages": [1]})
    loose.save()
    receipt = Receipt.objects.get(id="abc")
    assert receipt.extra == {"note": "x", "meta": {"pages": [1]}}
    receipt.amount = Decimal(2)
    receipt.save()
    assert stored(payments) == {"amount": 2, "note": "x", "meta": {"pages": [1]}}
    receipt.extra["note"] = "y"
    receipt.extra["meta"]["pages"].append(2)
    receipt.extra["more"] = None
    receipt.save()
    assert sent.last.method == "PATCH"
    assert sent.last.body == {"data": {"note": "y", "meta": {"pages": [1, 2]}, "more": None}}
    assert receipt.extra == {"note": "y", "meta": {"pages": [1, 2]}, "more": None}


def test_what_is_taken_out_of_extra_is_taken_out_on_the_server_and_nothing_else(payments, sent):
    receipt = Receipt(id="abc", permissions={"read": ["account:bob"]})
    receipt.extra.update(note="x", meta={"pages": [1]})
    receipt.save()
    before = receipt.last_modified
    del receipt.extra["note"]
    receipt.amount = Decimal(2)
    receipt.save()
    assert (sent.last.method, sent.last.headers) == ("PUT", {"If-Match": f'"{before}"'})
    assert "permissions" not in sent.last.body
    kept = {"amount": 2, "currency": "EUR", "tags": [], "address": None, "meta": {"pages": [1]}}
    assert stored(payments) == kept
    assert receipt.extra == {"meta": {"pages": [1]}}
    assert set(Receipt.objects.get(id="abc").permissions.read) == {"account:bob"}


def test_a_put_names_all_permissions_if_it_names_any(payments, sent):
    receipt = Receipt(id="abc", permissions={"read": ["account:bob"], "write": ["account:carol"]})
    receipt.extra["note"] = "x"
    receipt.save()
    receipt.extra.clear()
    receipt.permissions.read += "account:dave"
    receipt.save()
    assert set(sent.last.body["permissions"]) == {"read", "write"}
    found = Receipt.objects.get(id="abc").permissions
    assert set(found.read) == {"account:bob", "account:dave"}
    assert set(found.write) == {"account:carol", "account:tester"}
    assert "note" not in stored(payments)


def test_force_writes_over_what_others_wrote(receipt, payments, sent):
    other = Receipt.objects.get(id="abc")
    other.currency = "USD"
    other.save()
    receipt.amount = Decimal(2)
    receipt.save(force=True)
    assert (sent.last.method, sent.last.headers) == ("PATCH", {})
    assert (stored(payments)["amount"], stored(payments)["currency"]) == (2, "USD")
    assert (receipt.currency, receipt.changes()) == ("USD", {})


def forced(record, how):
    if how == "bulk":
        Receipt.objects.bulk_save([record], force=True).raise_for_failures()
    else:
        record.save(force=True, verify=how == "verify")


@pytest.mark.parametrize("how", ["save", "verify", "bulk"])
def test_force_takes_out_keys_and_leaves_what_others_wrote(payments, sent, how):
    receipt = Receipt(id="abc", amount=Decimal(1))
    receipt.extra.update(note="x", kept=1)
    receipt.save()
    other = Receipt.objects.get(id="abc")
    other.currency, other.amount, other.extra["more"] = "USD", Decimal(9), 1
    other.permissions.read += "account:bob"
    other.save()
    del receipt.extra["note"]
    receipt.amount = Decimal(2)
    forced(receipt, how)
    assert stored(payments) == {
        "amount": 2, "currency": "USD", "tags": [], "address": None, "kept": 1, "more": 1
    }  # fmt: skip
    found = Receipt.objects.get(id="abc")
    assert set(found.permissions.read) == {"account:bob"}
    assert (receipt.currency, receipt.changes(), receipt.last_modified) == ("USD", {}, found.last_modified)


def test_force_takes_out_keys_in_one_request_if_nobody_else_wrote(payments, sent):
    receipt = Receipt(id="abc")
    receipt.extra["note"] = "x"
    receipt.save()
    receipt.extra.clear()
    sent.clear()
    receipt.save(force=True)
    assert [operation.method for operation in sent] == ["PUT"]
    assert "note" not in stored(payments)


@pytest.mark.parametrize("how", ["save", "bulk"])
def test_force_brings_nothing_back(receipt, payments, how):
    receipt.extra["note"] = "x"
    receipt.save()
    Receipt.objects.get(id="abc").delete()
    receipt.extra.clear()
    receipt.amount = Decimal(2)
    with pytest.raises((Conflict, BulkError)):
        forced(receipt, how)
    assert Receipt.objects.count() == 0


def test_what_others_wrote_and_does_not_fit_is_said_after_a_forced_save(receipt, payments):
    other = Loose.objects.get(id="abc")
    other.extra["currency"] = 5
    other.save()
    receipt.amount = Decimal(2)
    with pytest.raises(ValidationError, match=r"abc: saved, but currency: expected a string, got number 5$"):
        receipt.save(force=True)
    assert stored(payments)["amount"] == 2
    assert receipt.changes() == {"currency": "EUR"}


# two writers


def test_the_second_of_two_writers_is_told_all_three_versions(receipt, payments):
    other = Receipt.objects.get(id="abc")
    other.amount = Decimal(2)
    other.save()
    receipt.currency = "USD"
    with pytest.raises(Conflict) as caught:
        receipt.save()
    common = {"tags": ["a"], "address": None}
    error = caught.value
    assert error.record is receipt
    assert error.base == {"amount": 1, "currency": "EUR", **common}
    assert error.mine == {"amount": 1, "currency": "USD", **common}
    assert error.theirs == {"amount": 2, "currency": "EUR", **common}
    assert stored(payments) == error.theirs
    assert receipt.changes() == {"currency": "USD"}
    with pytest.raises(Conflict):
        receipt.save()
    receipt.refresh()
    receipt.currency = "USD"
    receipt.save()
    assert stored(payments) == {"amount": 2, "currency": "USD", **common}


def test_what_was_deleted_meanwhile_is_a_conflict_with_nobody(receipt):
    Receipt.objects.get(id="abc").delete()
    receipt.amount = Decimal(2)
    with pytest.raises(Conflict, match="it was deleted since it was read") as caught:
        receipt.save()
    assert (caught.value.theirs, caught.value.mine["amount"], caught.value.base["amount"]) == (None, 2, 1)
    assert Receipt.objects.count() == 0


def test_the_guard_counts_permissions_as_well(receipt):
    other = Receipt.objects.get(id="abc")
    other.permissions.update(read=["account:bob"])
    receipt.amount = Decimal(2)
    with pytest.raises(Conflict):
        receipt.save()


# elsewhere


def test_a_missing_collection_is_no_conflict(payments, receipt):
    with pytest.raises(NotFound, match="its collection does not exist: create it first"):
        Receipt.objects.using(collection="nowhere").create()
    payments.connection.perform(operations.delete("/buckets/payments/collections/receipts"))
    receipt.amount = Decimal(2)
    for attempt in (receipt.save, receipt.delete, lambda: receipt.delete(missing_ok=True)):
        with pytest.raises(NotFound, match="its collection does not exist: create it first"):
            attempt()


def test_a_record_can_be_saved_on_another_server(receipt, payments, kinto_client):
    receipt.extra["note"] = "x"
    receipt.save()
    with pytest.raises(NotFound):
        receipt.save(using=kinto_client)
    assert receipt.last_modified
    receipt.save()
    kinto_client.connection.perform(operations.create("/buckets/payments", {}))
    kinto_client.connection.perform(operations.create("/buckets/payments/collections/receipts", {}))
    receipt.save(using=kinto_client)
    assert stored(kinto_client) == stored(payments)
    receipt.amount = Decimal(5)
    receipt.save()
    assert (stored(kinto_client)["amount"], stored(payments)["amount"]) == (5, 1)
    fresh = Receipt(id="fresh")
    fresh.save(using=kinto_client)
    assert stored(kinto_client, "fresh")["currency"] == "EUR"


def test_other_credentials_for_the_same_server_save_the_same_record(receipt, payments, server):
    with server.client() as again:
        receipt.amount = Decimal(2)
        with record(again) as recording:
            receipt.save(using=again)
    assert [operation.method for operation in recording] == ["PATCH"]
    assert stored(payments)["amount"] == 2


# delete


def test_a_deletion_is_guarded_and_the_record_is_new_again(receipt, payments, sent):
    receipt.extra["note"] = "x"
    receipt.save()
    before = receipt.last_modified
    receipt.delete()
    assert (sent.last.method, sent.last.headers) == ("DELETE", {"If-Match": f'"{before}"'})
    assert (receipt.last_modified, Receipt.objects.count()) == (None, 0)
    receipt.save()
    assert sent.last.headers == {"If-None-Match": "*"}
    assert stored(payments) == {"amount": 1, "currency": "EUR", "tags": ["a"], "address": None, "note": "x"}


def test_what_others_wrote_is_not_deleted_unless_forced(receipt, payments):
    other = Receipt.objects.get(id="abc")
    other.amount = Decimal(2)
    other.save()
    with pytest.raises(Conflict) as caught:
        receipt.delete()
    assert (caught.value.record, caught.value.mine) == (receipt, None)
    assert (caught.value.base["amount"], caught.value.theirs["amount"]) == (1, 2)
    assert Receipt.objects.count() == 1
    receipt.delete(force=True)
    assert Receipt.objects.count() == 0


def test_what_is_gone_cannot_be_deleted_unless_that_is_fine(receipt):
    Receipt.objects.get(id="abc").delete()
    with pytest.raises(NotFound):
        receipt.delete()
    receipt.delete(missing_ok=True)
    assert receipt.last_modified is None


def test_what_is_not_stored_cannot_be_deleted(sent):
    with pytest.raises(UsageError, match=r"payments/receipts/abc: it is not stored, so it cannot be deleted"):
        Receipt(id="abc").delete()
    assert len(sent) == 0


class Payment(Model, bucket="payments", collection="receipts"):
    paid_at: datetime | None = None
    currency: str = "EUR"


def test_force_writes_our_forms(payments):
    payments.connection.perform(operations.create(f"{RECEIPTS}/abc", {"paid_at": "2026-01-01T10:00:00Z"}))
    moment = datetime(2026, 1, 1, 10, tzinfo=timezone.utc)
    payment = Payment.objects.get(id="abc")
    payment.save()
    assert stored(payments) == {"paid_at": "2026-01-01T10:00:00Z"}
    assert not Payment.objects.filter(paid_at=moment).exists()
    payment.save(force=True)
    assert stored(payments) == {"paid_at": "2026-01-01T10:00:00.000000+00:00", "currency": "EUR"}
    assert Payment.objects.filter(paid_at=moment, currency="EUR").exists()


def test_an_int_that_was_given_for_a_decimal_is_one_once_it_is_saved(payments):
    receipt = Receipt.objects.create(amount=3)
    assert (receipt.amount, type(receipt.amount)) == (3, Decimal)
    receipt.amount = 4
    receipt.save()
    assert (receipt.amount, type(receipt.amount)) == (4, Decimal)
