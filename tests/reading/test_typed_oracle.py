"""A query of typed fields finds what the same comparison of Python values selects.

The records are written as JSON, and the conditions are evaluated over Decimals, datetimes and
enums, so that the storage forms are shown to compare like the values. Orders are those of Kinto.
"""

from __future__ import annotations

import operator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from kintomodel import F, Model, Q, field
from kintomodel.mapping.expressions import FieldExpression

from .test_oracle import (
    TEXTS,
    Absent,
    check_query,
    holds,
    ordered,
    store,
    stored_at,
    text_holds,
    trees,
    tried,
    windows,
)


class Status(Enum):
    open = "open"
    paid = "paid, in full"
    void = "VOID"


@attrs.define
class Address:
    city: str
    zip: int | None = None


class Bill(Model, bucket="payments", collection="receipts"):
    amount: Decimal | None = None
    price: Decimal | None = field(default=None, store="text")
    name: str | None = ""
    number: int = field(default=0, key="min_number")
    paid_at: datetime | None = None
    seen_at: datetime | None = field(default=None, store="epoch_ms")
    tags: list[str] = field(factory=list)
    status: Status = Status.open
    address: Address | None = None
    done: bool = False


NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
moments = st.sampled_from(
    [timedelta(0), timedelta(milliseconds=1), timedelta(days=-1), timedelta(days=20000)]
).map(lambda after: NOON + after)
amounts = st.sampled_from(["0", "1", "1.5", "1.50", "-3", "12.10", "1E+2", "99999999.99", "2E+9", "0.1"]).map(
    Decimal
)
integers = st.sampled_from([0, 1, -1, 2, 10, 2**53, 2**53 + 1, 2**63, -(2**63), 2**64 - 1]) | st.integers(
    -3, 3
)
texts = st.sampled_from(TEXTS)
statuses = st.sampled_from(Status)


def as_text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")


def as_number(amount: Decimal) -> int | float:
    return int(amount) if amount == int(amount) else float(amount)


def as_milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def same(value: Any) -> Any:
    return value


@attrs.frozen
class Kind:
    """A field. values: what it holds. store: the value as JSON. load: back again. key: where."""

    values: st.SearchStrategy[Any]
    path: tuple[str, ...]
    lookups: tuple[str, ...]
    store: Any = same
    load: Any = same
    nullable: bool = True


EQUAL = ("exact", "ne", "in", "not_in")
ORDER = ("gt", "gte", "lt", "lte")
TEXT = ("contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "iexact", "like")
LIST = ("contains", "contains_any", "contained_by")

FIELDS = {
    "amount": Kind(amounts, ("amount",), EQUAL + ORDER, as_number, lambda json: Decimal(repr(json))),
    "price": Kind(amounts, ("price",), EQUAL, str, Decimal),
    "name": Kind(texts, ("name",), EQUAL + ORDER + TEXT),
    "number": Kind(integers, ("min_number",), EQUAL + ORDER, nullable=False),
    "paid_at": Kind(moments, ("paid_at",), EQUAL + ORDER, as_text, datetime.fromisoformat),
    "seen_at": Kind(
        moments,
        ("seen_at",),
        EQUAL + ORDER,
        as_milliseconds,
        lambda json: NOON + timedelta(milliseconds=json - as_milliseconds(NOON)),
    ),
    "tags": Kind(st.lists(texts, max_size=3), ("tags",), LIST, nullable=False),
    "status": Kind(statuses, ("status",), EQUAL, lambda status: status.value, Status, nullable=False),
    "address__city": Kind(texts, ("address", "city"), EQUAL + ORDER + TEXT, nullable=False),
    "address__zip": Kind(integers, ("address", "zip"), EQUAL + ORDER),
}
SORTED = sorted(FIELDS.keys() - {"price", "tags"})


@st.composite
def bills(draw: st.DrawFn) -> dict[str, Any]:
    """The JSON of a record, in which any key may be missing."""
    data: dict[str, Any] = {}
    for kind in FIELDS.values():
        if len(kind.path) == 1 and draw(st.booleans()):
            data[kind.path[0]] = draw(stored_values(kind))
    if draw(st.booleans()):
        city = draw(FIELDS["address__city"].values)
        zip_code = draw(st.just(Absent) | stored_values(FIELDS["address__zip"]))
        data["address"] = {"city": city} if zip_code is Absent else {"city": city, "zip": zip_code}
    return data


def stored_values(kind: Kind) -> st.SearchStrategy[Any]:
    stored = kind.values.map(kind.store)
    return stored | st.none() if kind.nullable else stored


@attrs.frozen
class Look:
    name: str
    lookup: str
    value: Any

    @property
    def kind(self) -> Kind:
        return FIELDS[self.name]


@st.composite
def looks(draw: st.DrawFn) -> Look:
    name = draw(st.sampled_from(sorted(FIELDS)))
    kind = FIELDS[name]
    lookup = draw(st.sampled_from((*kind.lookups, "is_null", "exists")))
    values = kind.values
    if lookup in ("is_null", "exists"):
        return Look(name, lookup, draw(st.booleans()))
    if lookup in ("in", "not_in"):
        return Look(name, lookup, draw(st.lists(st.none() | values, max_size=3)))
    if lookup in TEXT and lookup not in LIST:
        return Look(name, lookup, draw(texts))
    return Look(name, lookup, draw(values if lookup in LIST else st.none() | values))


METHODS = {"in": "in_", "not_in": "not_in", "is_null": "is_null", "exists": "exists"}
OPERATORS = {"exact": operator.eq, "ne": operator.ne, "gt": operator.gt, "gte": operator.ge}
OPERATORS |= {"lt": operator.lt, "lte": operator.le}


def written(tree: Any, with_fields: bool) -> Q:
    """As keywords, or as expressions of fields."""
    if isinstance(tree, tuple):
        relation, parts = tree
        result = written(parts[0], with_fields)
        for part in parts[1:]:
            result = (operator.and_ if relation == "and" else operator.or_)(
                result, written(part, with_fields)
            )
        return ~result if relation == "not" else result
    if not with_fields or tree.lookup not in OPERATORS | METHODS:
        return Q(**{f"{tree.name}__{tree.lookup}": tree.value})
    first, *rest = tree.name.split("__")
    expression: FieldExpression[Any] = F(getattr(Bill, first))
    for name in rest:
        expression = getattr(expression, name)
    if tree.lookup in OPERATORS:
        result = OPERATORS[tree.lookup](expression, tree.value)
        assert isinstance(result, Q)
        return result
    asked: Q = getattr(expression, METHODS[tree.lookup])(tree.value)
    return asked


def look_holds(look: Look, data: dict[str, Any]) -> bool:
    stored, lookup, wanted = stored_at(data, look.kind.path), look.lookup, look.value
    if lookup == "exists":
        return (stored is not Absent) is wanted
    if lookup == "is_null":
        return (stored is None) is wanted
    found = stored if stored is None or stored is Absent else look.kind.load(stored)
    if lookup in ("exact", "ne"):
        return (found == wanted) is (lookup == "exact")
    if lookup in ("in", "not_in"):
        return (found in wanted) is (lookup == "in")
    if found is None or found is Absent or wanted is None:
        return False
    if lookup in ORDER:
        return bool(OPERATORS[lookup](found, wanted))
    if isinstance(found, str):
        return text_holds(lookup, found, wanted)
    if lookup == "contains_any":
        return bool(set(found) & set(wanted))
    return set(found) <= set(wanted) if lookup == "contained_by" else set(wanted) <= set(found)


orders = st.lists(st.tuples(st.sampled_from(SORTED), st.booleans()), max_size=3)


@tried(0.2)
@given(
    stored=st.lists(bills(), max_size=8),
    tree=trees(looks()),
    order=orders,
    window=windows,
    page_size=st.integers(1, 5),
    is_reversed=st.booleans(),
    with_fields=st.booleans(),
)
def test_a_query_of_typed_fields_finds_what_python_selects(
    payments, stored, tree, order, window, page_size, is_reversed, with_fields
):
    shown = store(payments, stored)

    queryset = Bill.objects.filter(written(tree, with_fields))
    queryset = queryset.order_by(*(f"{'-' if descending else ''}{name}" for name, descending in order))

    expected = [one for one in shown if holds(tree, one, look_holds)]
    in_order = ordered(expected, [(FIELDS[name].path, descending) for name, descending in order])
    check_query(queryset, [one["id"] for one in in_order], window, page_size, is_reversed)
