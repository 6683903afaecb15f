"""PostgreSQL gives back 1e22 as an integer of 74 bits, which Kinto would not take again as it stands."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from kintomodel import Model
from kintomodel.resources.client import Client

LARGE = 1e22
STORED = {"number": LARGE, "inner": {"many": [LARGE]}, "place": {"street": "Main street", "height": LARGE}}


@attrs.define
class Place:
    street: str


class Receipt(Model, bucket="payments", collection="receipts"):
    place: Place | None = None


@pytest.fixture
def stored(payments: Client) -> Any:
    collection = payments.bucket("payments").collection("receipts")
    return collection.create_record(STORED, id="r1")


def test_they_are_no_change(stored):
    receipt = Receipt.objects.get(id="r1")
    assert receipt.extra["number"] == LARGE
    assert receipt.changes() == {}


def test_undeclared_attributes_beside_them_can_be_changed(stored):
    receipt = Receipt.objects.get(id="r1")
    receipt.extra["inner"]["few"] = 1
    receipt.save()
    assert Receipt.objects.get(id="r1").extra["inner"] == {"many": [LARGE], "few": 1}


def test_a_nested_object_that_holds_them_can_be_changed(stored):
    receipt = Receipt.objects.get(id="r1")
    receipt.place.street = "Side street"
    receipt.save()
    stored.refresh()
    assert stored.data["place"] == {"street": "Side street", "height": LARGE}


def test_an_attribute_beside_them_can_be_removed(stored):
    receipt = Receipt.objects.get(id="r1")
    del receipt.extra["inner"]
    receipt.save()
    stored.refresh()
    assert stored.data["number"] == LARGE
    assert "inner" not in stored.data


def test_data_that_holds_them_can_be_changed_and_removed(stored):
    stored.refresh()
    stored.data["inner"]["few"] = 1
    del stored.data["place"]
    stored.save()
    stored.refresh()
    assert stored.data == {"number": LARGE, "inner": {"many": [LARGE], "few": 1}}


def test_they_can_be_copied(stored, payments):
    other = payments.create_bucket("copies")
    other.create_collection("receipts")
    Receipt.objects.copy_to(other).raise_for_failures()
    assert Receipt.objects.using(bucket="copies").get(id="r1").extra["number"] == LARGE


@pytest.mark.parametrize("name", ["records.json", "records.jsonl", "records.yaml"])
def test_they_come_back_from_a_file(stored, payments, tmp_path, name):
    Receipt.objects.dump(tmp_path / name)
    payments.bucket("payments").create_collection("copies")
    copies = Receipt.objects.using(payments, collection="copies")
    copies.load(tmp_path / name).raise_for_failures()
    assert copies.get(id="r1").extra["number"] == LARGE
