"""What is compared of objects inside of records."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from kintomodel.mapping.nested_values import same_value

from ..syncing.test_syncing import Place, Remark


@dataclass
class Line:
    price: Decimal
    label: str = field(default="", compare=False)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, Decimal(1)),
        (Decimal("1.0"), Decimal("1.00")),
        (Place("Paris"), Place("Paris")),
        ([Remark("a")], [Remark("a")]),
        ((Line(Decimal(1)), 2), (Line(Decimal(1)), 2)),
        ({"a": Remark("a", "ann")}, {"a": Remark("a", "ann")}),
    ],
)
def test_values_are_the_same(one: Any, other: Any) -> None:
    assert same_value(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 2),
        (1, "1"),
        (Place("Paris"), Place("Rome")),
        (Place("Paris"), Remark("Paris")),
        (Remark("a", "ann"), Remark("a", "bob")),
        (Line(Decimal(1), "x"), Line(Decimal(1), "y")),
        ([Remark("a", "ann")], [Remark("a", "bob")]),
        ([Remark("a")], [Remark("a"), Remark("a")]),
        ({"a": Remark("a", "ann")}, {"a": Remark("a", "bob")}),
        ({"a": 1}, {"b": 1}),
    ],
)
def test_values_differ(one: Any, other: Any) -> None:
    assert not same_value(one, other)
