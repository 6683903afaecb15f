"""Spreadsheet import: CSV rows to typed nested records, or every bad row with what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from kintomodel import Client, Model, ValidationError, field
from kintomodel.testing import record


@attrs.define
class Address:
    street: str
    city: str = "Paris"


class Supplier(Model, bucket="purchase", collection="suppliers"):
    name: str
    limit: Decimal = Decimal(0)
    since: date | None = None
    tags: list[str] = field(factory=list)
    address: Address | None = None


HEADER = "id,name,limit,since,tags,address.street,address.city\n"
GOOD = HEADER + (
    "acme,Acme & Sons,1000.50,2020-01-31,\"[\"\"steel\"\", \"\"tin\"\"]\",1 Main St,Berlin\n"
    "zeta,\"Zeta, Inc.\",,,,,\n"
)  # fmt: skip
BAD = HEADER + (
    "acme,Acme,one thousand,2020-01-31,,,\n"
    "zeta,,5,31.1.2020,,,\n"
    "fine,Fine,5,,,,\n"
    "half,Half,5,,steel,,Rome\n"
)  # fmt: skip


@pytest.fixture
def purchase(client: Client) -> Iterator[Client]:
    client.create_bucket("purchase").create_collection("suppliers")
    with client.activate():
        yield client


def test_rows_become_typed_nested_records(purchase: Client, tmp_path: Path) -> None:
    path = tmp_path / "suppliers.csv"
    path.write_text(GOOD)
    Supplier.objects.load(path).raise_for_failures()
    acme, zeta = Supplier.objects.order_by("name")
    assert (acme.limit, acme.since, acme.tags) == (Decimal("1000.5"), date(2020, 1, 31), ["steel", "tin"])
    assert acme.address == Address("1 Main St", "Berlin")
    assert (zeta.name, zeta.limit, zeta.address) == ("Zeta, Inc.", 0, None)
    assert [one.id for one in Supplier.objects.filter(limit=0)] == ["zeta"]  # the default is stored


def test_every_bad_row_is_listed_and_nothing_imported(purchase: Client, tmp_path: Path) -> None:
    path = tmp_path / "suppliers.csv"
    path.write_text(BAD)
    with record(purchase) as sent, pytest.raises(ValidationError) as caught:
        Supplier.objects.load(path)
    assert list(caught.value.problems) == [
        "line 2: limit: expected a number, got string 'one thousand'",
        "line 3: since: expected an ISO 8601 date, got string '31.1.2020'",
        "line 5: tags: expected an array, got string 'steel'; address.street: missing",
    ]
    assert not len(sent)


def test_the_good_rows_can_be_imported_alone(purchase: Client, tmp_path: Path) -> None:
    path = tmp_path / "suppliers.csv"
    path.write_text(BAD)
    report = Supplier.objects.load(path, on_error="collect")
    assert [one.object for one in report.created] == ["fine"]
    assert [one.position for one in report.invalid] == [2, 3, 5]
