"""What save() would send: only what is another value than the server has."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest

from kintomodel import Model, UsageError, ValidationError, field
from kintomodel.mapping.state import home_of
from kintomodel.protocol import operations
from kintomodel.reading.loading import from_stored

RECEIPTS = "/buckets/payments/collections/receipts/records"
SERVER = {"id": "abc", "last_modified": 1000}


@dataclasses.dataclass
class Line:
    price: Decimal
    label: str = ""


@attrs.define
class Address:
    city: str
    lines: list[Line] = attrs.field(factory=list)


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: Decimal = Decimal(0)
    exact: Decimal | None = field(default=None, store="text")
    paid_at: datetime | None = None
    tags: list[str] = field(factory=list)
    address: Address | None = None
    kind: str = field(default="sale", key="type")
    notes: Any = None


def loaded(**data):
    return from_stored(Receipt, home_of(Receipt.__kinto__), {**SERVER, **data})


def test_all_of_a_new_record_is_a_change():
    assert Receipt(amount=Decimal("12.50"), kind="gift").changes() == {
        "amount": 12.5,
        "exact": None,
        "paid_at": None,
        "tags": [],
        "address": None,
        "type": "gift",
        "notes": None,
    }


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"amount": 0},
        {"amount": 12.50},
        {"amount": 12.0},
        {"exact": "1.0"},
        {"exact": "1e0"},
        {"paid_at": "2026-11-23T12:00:00Z"},
        {"paid_at": "2026-11-23T13:00:00.0+01:00"},
        {"paid_at": "2026-11-23 12:00"},
        {"tags": ["a"], "notes": [{"a": [1]}]},
        {"address": {"city": "Rome"}},
        {"address": {"city": "Rome", "lines": [{"price": 1.0, "more": 1}], "zip": 1}},
        {"unknown": {"a": [1]}},
    ],
)
def test_what_was_only_read_did_not_change(data):
    receipt = loaded(**data)
    assert receipt.changes() == {}
    assert receipt.extra is not None
    assert receipt.changes() == {}


def test_the_default_of_a_key_that_the_server_lacks_is_no_change():
    receipt = loaded()
    receipt.tags.append("a")
    assert receipt.changes() == {"tags": ["a"]}
    receipt.tags.clear()
    assert receipt.changes() == {}


def test_a_change_is_named_by_the_key_on_the_server():
    receipt = loaded()
    receipt.kind = "gift"
    assert receipt.changes() == {"type": "gift"}


def test_an_equal_value_in_another_form_is_no_change():
    receipt = loaded(amount=12.5, paid_at="2026-11-23T12:00:00Z", exact="1.50")
    receipt.amount = Decimal("12.500")
    receipt.paid_at = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
    receipt.exact = Decimal("1.5")
    assert receipt.changes() == {}


def test_true_is_not_one():
    receipt = loaded(notes=1)
    receipt.notes = True
    assert receipt.changes() == {"notes": True}


def edit_a_list(receipt):
    receipt.tags.append("b")


def edit_a_nested_attribute(receipt):
    receipt.address.city = "Paris"


def edit_deeper(receipt):
    receipt.address.lines[0].price += 1


def edit_anything(receipt):
    receipt.notes["a"][0]["b"] = 2


@pytest.mark.parametrize(
    ("edit", "changes"),
    [
        (edit_a_list, {"tags": ["a", "b"]}),
        (edit_a_nested_attribute, {"address": {"city": "Paris", "lines": [{"price": 1, "label": "x"}]}}),
        (edit_deeper, {"address": {"city": "Rome", "lines": [{"price": 2, "label": "x"}]}}),
        (edit_anything, {"notes": {"a": [{"b": 2}]}}),
    ],
)
def test_an_edit_in_place_is_seen(edit, changes):
    receipt = loaded(
        tags=["a"],
        address={"city": "Rome", "lines": [{"price": 1, "label": "x"}]},
        notes={"a": [{"b": 1}]},
    )
    edit(receipt)
    assert receipt.changes() == changes


def test_extra_holds_what_the_model_does_not_declare():
    receipt = loaded(unknown=1, schema=123, amount=2)
    assert receipt.extra == {"unknown": 1}


def test_an_edit_inside_of_extra_is_seen():
    receipt = loaded(meta={"pages": [1]})
    receipt.extra["meta"]["pages"].append(2)
    assert receipt.changes() == {"meta": {"pages": [1, 2]}}


@pytest.mark.parametrize("key", ["type", "amount", "id", "last_modified", "deleted", "__permissions__"])
def test_extra_is_not_for_what_has_another_place(key):
    receipt = loaded()
    receipt.extra[key] = 1
    with pytest.raises(
        UsageError, match=r"extra is for attributes that neither Receipt nor Kinto has itself"
    ):
        receipt.changes()


def test_extra_holds_what_kinto_can_hold():
    receipt = loaded()
    receipt.extra["a"] = {"b": [datetime(2026, 1, 1)]}
    with pytest.raises(
        ValidationError, match=r"^payments/receipts/abc: extra\.a\.b\[0\]: datetime is not a JSON type"
    ):
        receipt.changes()


def test_changes_can_be_edited_without_an_effect():
    receipt = loaded(notes={"a": [1]})
    receipt.extra["more"] = [1]
    found = receipt.changes()
    found["more"].append(2)
    assert receipt.changes() == {"more": [1]}


def test_what_no_longer_fits_a_changed_type_is_sent_in_its_new_form():
    class Loose(Model, bucket="payments", collection="receipts"):
        amount: Any = None

    class Strict(Loose):
        amount: int = 0

    loose = from_stored(Loose, home_of(Loose.__kinto__), {**SERVER, "amount": "12"})
    strict = Strict(id="abc", amount=12)
    strict._state, strict.last_modified = loose._state, 1000
    assert strict.changes() == {"amount": 12}


class Switch(Model, bucket="payments", collection="receipts"):
    on: Any = 0


def test_a_boolean_is_not_the_number_that_is_the_default():
    switch = from_stored(Switch, home_of(Switch.__kinto__), SERVER)
    assert switch.changes() == {}
    switch.on = False
    assert switch.changes() == {"on": False}


class Token(Model, bucket="payments", collection="receipts"):
    token: UUID = field(factory=uuid4)
    amount: int = 1
    double: int = field(default=attrs.Factory(lambda self: 2 * self.amount, takes_self=True))


def test_what_a_default_made_up_when_it_was_read_is_no_change():
    token = from_stored(Token, home_of(Token.__kinto__), {**SERVER, "amount": 3})
    assert (token.double, token.changes()) == (6, {})
    token.token = uuid4()
    token.double = 7
    assert token.changes() == {"token": str(token.token), "double": 7}
    assert set(Token().changes()) == {"token", "double", "amount"}
    whole = {**SERVER, "amount": 3, "double": 4, "token": str(uuid4())}
    assert from_stored(Token, home_of(Token.__kinto__), whole).changes() == {}


def test_what_was_made_up_anew_is_no_change_either(payments):
    payments.connection.perform(operations.create(f"{RECEIPTS}/abc", {"amount": 3}))
    token = Token.objects.only("token").get(id="abc")
    assert (token.changes(), token.double, token.changes()) == ({}, 6, {})
    token = Token.objects.get(id="abc")
    before = token.token
    token.refresh()
    assert (token.token != before, token.changes()) == (True, {})
    other = Token.objects.get(id="abc")
    other.amount = 4
    other.save()
    token.double = 5
    token.save(on_conflict="merge")
    assert token.changes() == {}
    assert payments.connection.perform(operations.read(f"{RECEIPTS}/abc")).data.keys() == {
        "id", "last_modified", "amount", "double",
    }  # fmt: skip
