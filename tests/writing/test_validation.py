"""Validators and clean(): what a model demands of a record before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import validators

from kintomodel import Client, Field, Model, UsageError, ValidationError, field
from kintomodel.protocol import operations
from kintomodel.testing import record


def is_upper(instance: Any, attribute: Any, value: str) -> None:
    if not value.isupper():
        raise ValueError(f"{value!r} is not in upper case")


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: int = field(default=1, validator=validators.ge(1))
    currency: str = field(default="EUR", validator=[is_upper, validators.max_len(3)])
    paid: int | None = field(default=None, omit_none=True, validator=validators.ge(0))
    limit: Field[int] = Field(default=9, validator=validators.lt(10))
    quiet: int = field(default=0, validator=lambda *_: (_ for _ in ()).throw(ValueError) if _[2] else None)

    def clean(self) -> None:
        if self.amount > self.limit:
            raise ValueError("amount is above the limit")


class Cleaned(Model, bucket="payments", collection="receipts"):
    amount: int = 0

    def clean(self) -> None:
        raise ValidationError("two things", ["one", "two"])


def test_all_that_is_wrong_is_told_at_once_and_nothing_is_sent(payments: Client) -> None:
    receipt = Receipt(id="r1", amount=11, currency="euro", limit=10, quiet=1)
    with record(payments) as sent, pytest.raises(ValidationError) as caught:
        receipt.save()
    assert caught.value.problems == (
        "currency: 'euro' is not in upper case",
        "currency: Length of 'currency' must be <= 3: 4",
        "limit: 'limit' must be < 10: 10",
        "quiet: ValueError",
        "amount is above the limit",
    )
    assert str(caught.value).startswith("payments/receipts/r1: currency: 'euro'")
    assert len(sent) == 0


def test_values_of_a_wrong_type_are_told_together_with_what_the_validators_say(payments: Client) -> None:
    wrong: Any = "much"
    with pytest.raises(ValidationError) as caught:
        Receipt(id="r1", amount=wrong, currency="eur").save()
    assert caught.value.problems == (
        "amount: expected an integer, got string 'much'", "currency: 'eur' is not in upper case",
    )  # fmt: skip


def test_clean_may_raise_several_problems(payments: Client) -> None:
    with pytest.raises(ValidationError) as caught:
        Cleaned().save()
    assert caught.value.problems == ("one", "two")


def test_what_the_server_has_is_not_refused_until_it_is_changed(payments: Client) -> None:
    path = "/buckets/payments/collections/receipts/records/r1"
    payments.connection.perform(operations.create(path, {"amount": -5, "currency": "eur", "more": 1}))
    receipt = Receipt.objects.get(id="r1")
    assert receipt.currency == "eur"
    receipt.save()
    receipt.limit = 8
    receipt.save()
    del receipt.extra["more"]
    receipt.save()
    receipt.currency = "usd"
    with pytest.raises(ValidationError, match=r"r1: currency: 'usd' is not in upper case$"):
        receipt.save()
    receipt.currency = "USD"
    receipt.save()


def test_records_in_bulk_are_validated_before_the_first_request_of_their_batch(payments: Client) -> None:
    payments.connection.batch_size()
    with record(payments) as sent:
        report = Receipt.objects.bulk_create([Receipt(), Receipt(amount=0), Receipt(limit=10, amount=10)])
    assert [outcome.status for outcome in report] == ["created", "invalid", "invalid"]
    assert len(sent) == 1
    assert report.outcomes[1].message.endswith("amount: 'amount' must be >= 1: 0")


# omit_none


def data_of(client: Client) -> dict[str, Any]:
    found = client.connection.perform(operations.read("/buckets/payments/collections/receipts/records/r1"))
    return {key: value for key, value in found.data.items() if key not in ("id", "last_modified")}


class Optional(Model, bucket="payments", collection="receipts"):
    left_out: int | None = field(default=None, omit_none=True, key="left-out")
    kept: int | None = None


class Implied(Model, bucket="payments", collection="receipts"):
    number: int | None = field(omit_none=True)


def test_none_is_no_key_or_null(payments: Client) -> None:
    one = Optional(id="r1", permissions={"read": ["account:bob"]})
    one.extra["more"] = 1
    assert one.changes() == {"kept": None, "more": 1}
    one.save()
    assert data_of(payments) == {"kept": None, "more": 1}
    one.left_out, one.kept = 1, 2
    one.save()
    assert data_of(payments) == {"left-out": 1, "kept": 2, "more": 1}
    one.left_out = one.kept = None
    assert one.changes() == {"left-out": None, "kept": None}
    with record(payments) as sent:
        one.save()
    assert sent.last.method == "PUT"
    assert sent.last.headers["If-Match"]
    assert data_of(payments) == {"kept": None, "more": 1}
    assert one.changes() == {}
    assert set(Optional.objects.get(id="r1").permissions.read) == {"account:bob"}


def test_a_null_of_others_is_left_as_it_is_unless_forced(payments: Client) -> None:
    path = "/buckets/payments/collections/receipts/records/r1"
    payments.connection.perform(operations.create(path, {"left-out": None}))
    one = Optional.objects.get(id="r1")
    one.save()
    one.kept = 1
    one.save()
    assert data_of(payments) == {"left-out": None, "kept": 1}
    one.save(force=True)
    assert data_of(payments) == {"kept": 1}


def test_a_removed_key_is_merged(payments: Client) -> None:
    Optional(id="r1", left_out=1, kept=1).save()
    mine, theirs = Optional.objects.get(id="r1"), Optional.objects.get(id="r1")
    theirs.kept = 2
    theirs.save()
    mine.left_out = None
    mine.save(on_conflict="merge")
    assert data_of(payments) == {"kept": 2}


def test_a_field_that_is_left_out_has_none_as_its_default(payments: Client) -> None:
    assert Implied().number is None  # type: ignore[call-arg]
    for settings in ({"default": 3}, {"factory": int}):
        with pytest.raises(UsageError, match="with omit_none=True a missing key is None"):
            field(omit_none=True, **settings)  # type: ignore[call-overload]
