from decimal import Decimal
from typing import Annotated, TypedDict

import attrs
import pytest

from kintomodel import Model, Ref, field
from kintomodel.mapping.storage import TextDecimal
from kintomodel.protocol import operations
from kintomodel.reading.decoding import decoder

D = Decimal


class Line(TypedDict):
    price: Decimal
    name: str


class Receipt(Model, bucket="payments", collection="receipts"):
    items: list[Decimal] = field(factory=list, store="text")
    matrix: list[tuple[Decimal, ...] | None] = field(factory=list, store="text")
    unique: set[Decimal] = field(factory=set, store="text")
    two: tuple[Decimal, Decimal] | None = field(default=None, store="text")
    by_name: dict[str, Decimal] = field(factory=dict, store="text")
    lists: dict[str, list[Decimal]] = field(factory=dict, store="text")
    places: dict[str, tuple[str, Decimal]] = field(factory=dict, store="text")
    tagged: Annotated[Decimal, "EUR"] = field(default=D(0), store="text")
    either: Decimal | str | None = field(default=None, store="text")


WRITTEN = {
    "items": [D("1.50")],
    "matrix": [(D("1.50"),), None],
    "unique": {D("1.50"), D("2.0")},
    "two": (D("1.50"), D("2.0")),
    "by_name": {"a": D("1.50")},
    "lists": {"a": [D("1.50")]},
    "places": {"a": ("1.50", D("1.50"))},
    "tagged": D("1.50"),
    "either": D("1.50"),
}
ASKED = {
    "items": [D("1.5")],
    "matrix": [(D("1.5"),), None],
    "unique": {D("1.5"), D("2")},
    "two": (D("1.5"), D("2")),
    "by_name": {"a": D("1.5")},
    "lists": {"a": [D("1.5")]},
    "places": {"a": ("1.50", D("1.5"))},
    "tagged": D("1.5"),
    "either": D("1.5"),
}


def test_decimals_in_texts_are_equal_wherever_they_stand(payments):
    made = Receipt.objects.create(**WRITTEN)
    for name, value in ASKED.items():
        assert getattr(made, name) == value
        assert Receipt.objects.filter(**{name: value}).get() == made, name
        assert Receipt.objects.filter(**{f"{name}__in": [value]}).get() == made, name
        assert not Receipt.objects.filter(**{f"{name}__ne": value}).exists(), name
        assert Receipt.objects.get_or_create(**{name: value}) == (made, False)


def test_what_only_looks_like_a_decimal_is_a_text(payments):
    Receipt.objects.create(id="r", **WRITTEN)
    assert not Receipt.objects.filter(places={"a": ("1.5", D("1.5"))}).exists()
    assert not Receipt.objects.filter(either="2").exists()
    payments.connection.perform(
        operations.replace(
            "/buckets/payments/collections/receipts/records/r", {"either": "abc", "tagged": "x"}
        )
    )
    assert Receipt.objects.filter(either="abc").count() == 1
    assert not Receipt.objects.filter(tagged=1).exists()


@attrs.define
class Nested:
    price: TextDecimal
    name: str = field(default="", key="n")


@pytest.mark.parametrize(
    ("kind", "stored", "decoded"),
    [
        (list[TextDecimal], "1.50", D("1.5")),
        (
            Nested,
            {"price": "1.50", "n": "1.0", "new": "1.0"},
            {"price": D("1.5"), "n": "1.0", "new": "1.0"},
        ),
        (dict[str, Nested], {"a": {"price": "x"}}, {"a": {"price": "x"}}),
        (dict[str, TextDecimal | int], {"a": "1.50", "b": 1}, {"a": D("1.5"), "b": 1}),
        (dict[str, TextDecimal | int], {"a": "x"}, {"a": "x"}),
        # The items of a list are compared one by one, whichever they are.
        (tuple[str, TextDecimal], "1.50", "1.50"),
        (tuple[str, TextDecimal], {"a": "1.50"}, {"a": "1.50"}),
    ],
)
def test_a_stored_value_is_decoded_by_its_type(kind, stored, decoded):
    assert decoder(kind)(stored) == decoded


def test_without_decimals_in_texts_nothing_is_decoded():
    assert decoder(list[Decimal]) is None
    assert decoder(Line) is None
    assert decoder(dict[str, Ref[Receipt]]) is None
