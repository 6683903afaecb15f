import functools
import operator
from decimal import Decimal
from typing import Any

import pytest

from kintomodel import F, Field, Model, Q, UsageError, field, some
from kintomodel.mapping.expressions import FieldExpression
from kintomodel.mapping.terms import Order, Term
from kintomodel.reading.lookups import LOOKUPS


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: Decimal
    currency: str = "EUR"
    tags: list[str] = field(factory=list)
    paid: bool = False
    address: Any = None
    total: Field[Decimal] = Field(default=Decimal(0), key="sum")


def terms(condition):
    """(path, lookup, value) of each term, in order."""
    parts = [[part] if isinstance(part, Term) else terms(part) for part in condition.parts]
    return [term for part in parts for term in part]


def term(condition):
    (only,) = terms(condition)
    return only.path, only.lookup, only.value


@pytest.mark.parametrize(
    ("condition", "lookup", "value"),
    [
        (Receipt.amount >= 10, "gte", 10),
        (Receipt.amount > 10, "gt", 10),
        (Receipt.amount <= 10, "lte", 10),
        (Receipt.amount < 10, "lt", 10),
        (Receipt.amount == 10, "exact", 10),
        (Receipt.amount != 10, "ne", 10),
        (10 <= Receipt.amount, "gte", 10),  # noqa: SIM300 - Python turns it round
        (F(Receipt.amount).in_({1}), "in", [1]),
        (F(Receipt.amount).not_in(iter([1, 2])), "not_in", [1, 2]),
        (F(Receipt.amount).is_null(), "is_null", True),
        (F(Receipt.amount).exists(False), "exists", False),
    ],
)
def test_a_comparison_notes_what_was_written(condition, lookup, value):
    assert term(condition) == (("amount",), lookup, value)


@pytest.mark.parametrize(
    ("condition", "lookup", "value"),
    [
        (F(Receipt.currency).like("E*"), "like", "E*"),
        (F(Receipt.currency).startswith("E"), "startswith", "E"),
        (F(Receipt.currency).endswith("R"), "endswith", "R"),
        (F(Receipt.currency).contains("U"), "contains", "U"),
        (F(Receipt.currency).contains("U", "R"), "contains", ["U", "R"]),
        (F(Receipt.currency).contains_any("U"), "contains_any", ["U"]),
        (F(Receipt.currency).contained_by("U", "R"), "contained_by", ["U", "R"]),
        (F(Receipt.currency).iexact("eur"), "iexact", "eur"),
        (F(Receipt.currency).istartswith("e"), "istartswith", "e"),
        (F(Receipt.currency).iendswith("r"), "iendswith", "r"),
        (F(Receipt.currency).icontains("u"), "icontains", "u"),
    ],
)
def test_texts_and_lists_have_methods(condition, lookup, value):
    assert term(condition) == (("currency",), lookup, value)


def test_a_path_goes_on_with_a_dot():
    assert term(Receipt.address.city.name == "Paris") == (("address", "city", "name"), "exact", "Paris")
    assert term(some(Receipt.address).city == "Paris") == (("address", "city"), "exact", "Paris")


def test_a_key_of_a_dict_may_stand_in_brackets():
    assert term(Receipt.address["x.y"] >= 2) == (("address", "x.y"), "gte", 2)
    assert term(Receipt.address["a"]["b"] == 2) == (("address", "a", "b"), "exact", 2)


@pytest.mark.parametrize(
    "misuse", [lambda: Receipt.tags[0], lambda: Receipt.tags[:1], lambda: list(Receipt.tags)]
)
def test_there_is_no_look_up_of_one_item(misuse):
    with pytest.raises(UsageError, match=r"<field tags>\[.*\]: there is no look-up of one item; use F"):
        misuse()


def test_a_name_without_a_type_is_a_field_too():
    assert term(F.amount == 1) == (("amount",), "exact", 1)
    assert term(F["address.city"] == "Paris") == (("address", "city"), "exact", "Paris")


def test_an_annotation_may_be_a_field_itself():
    assert term(Receipt.total > 1) == (("total",), "gt", 1)
    assert Receipt.__kinto__.fields["total"].key == "sum"
    assert Receipt(amount=1).total == Decimal(0)


def test_the_same_field_knows_its_type():
    assert Receipt.amount.field_type is Decimal
    assert Receipt.address.city.field_type is None


def test_an_order_of_a_field():
    assert F(Receipt.amount).asc() == Order(("amount",))
    assert F(Receipt.amount).desc() == Order(("amount",), descending=True)


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (Q(amount__lt=1), "Q(amount__lt=1)"),
        (Q(amount__lt=1, currency="EUR"), "Q(amount__lt=1, currency='EUR')"),
        (Q(), "Q()"),
        (Receipt.amount >= 10, "Q(amount__gte=10)"),
        (Q(a=1) | Q(b=2), "Q(a=1) | Q(b=2)"),
        (Q(a=1) & Q(b=2), "Q(a=1) & Q(b=2)"),
        (~Q(a=1), "~Q(a=1)"),
        (~Q(a=1, b=2), "~(Q(a=1, b=2))"),
        (~(Q(a=1) | Q(b=2)) & Q(c=3), "~(Q(a=1) | Q(b=2)) & Q(c=3)"),
        (Q(a=1) & (Q(b=2) | Q(c=3)), "Q(a=1) & (Q(b=2) | Q(c=3))"),
        (Q(Receipt.amount > 1, b=2), "Q(amount__gt=1) & Q(b=2)"),
    ],
)
def test_a_condition_reads_as_it_is_written(condition, text):
    assert repr(condition) == text


def test_expressions_have_a_short_repr():
    assert repr(Receipt.address.city) == "<field address.city>"


def test_a_bool_field_is_a_condition():
    assert term(Q(Receipt.paid)) == (("paid",), "exact", True)
    assert term(~Receipt.paid) == (("paid",), "exact", True)
    both = [Term(("paid",), "exact", True), Term(("amount",), "gt", 1)]
    assert terms(Receipt.paid & (Receipt.amount > 1)) == both
    assert repr((Receipt.amount > 1) | Receipt.paid) == "Q(amount__gt=1) | Q(paid__exact=True)"
    assert repr(Receipt.paid | Q(a=1)) == "Q(paid__exact=True) | Q(a=1)"


@pytest.mark.parametrize(
    "wrong", [True, False, None, 1, "amount", Receipt.amount, Term(("a",), "exact", 1), Receipt]
)
def test_what_is_no_condition_is_refused(wrong):
    for use in (
        lambda: Q(wrong),
        lambda: Q(a=1) & wrong,
        lambda: Q(a=1) | wrong,
    ):
        with pytest.raises(UsageError, match=r"is no condition: write a comparison, such as Receipt\.amount"):
            use()


@pytest.mark.parametrize("wrong", [True, None, 1])
def test_what_is_no_condition_is_refused_on_the_left_too(wrong):
    for use in (lambda: wrong & Q(a=1), lambda: wrong | Q(a=1)):
        with pytest.raises(UsageError, match="is no condition"):
            use()


def test_a_field_that_is_no_bool_is_no_condition():
    with pytest.raises(UsageError, match="<field amount> is no condition"):
        Q(Receipt.amount)
    with pytest.raises(UsageError, match="<field amount> is no condition"):
        Q(~Receipt.amount)


@pytest.mark.parametrize(
    "misuse",
    [
        lambda: (Receipt.amount > 1) and (Receipt.amount < 5),
        lambda: (Receipt.amount > 1) or (Receipt.amount < 5),
        lambda: not (Receipt.amount > 1),
        lambda: 1 < Receipt.amount < 5,
        lambda: bool(Q()),
    ],
)
def test_a_condition_has_no_truth_value(misuse):
    with pytest.raises(UsageError, match=r"is a condition, not a truth value: join conditions with & \| ~"):
        misuse()


@pytest.mark.parametrize(
    ("misuse", "message"),
    [
        (lambda: bool(Receipt.amount), r"<field amount> is a field, not a truth value: compare it"),
        (lambda: Receipt.paid and Receipt.paid, "is a field, not a truth value"),
        (lambda: "gift" in Receipt.tags, r"write F\(tags\)\.contains\('gift'\) instead of `in`"),
        (lambda: Receipt.currency.upper(), r"upper\(\) is no look-up; use F\(\.\.\.\)\.like"),
        (
            lambda: Receipt.amount == Receipt.total,
            "Kinto compares a field with a value, not with <field total>",
        ),
        (lambda: F(10), r"F\(\) takes a field of a model class, as in F\(Receipt\.amount\), got 10"),
    ],
)
def test_misuse_of_a_field_says_what_to_write(misuse, message):
    with pytest.raises(UsageError, match=message):
        misuse()


def test_a_field_cannot_be_hashed():
    with pytest.raises(TypeError):
        hash(Receipt.amount)


def test_special_methods_are_no_fields():
    assert not hasattr(Receipt.amount, "__len__")
    assert not hasattr(F, "__len__")
    assert isinstance(F.anything, FieldExpression)


def test_some_gives_back_what_it_is_given():
    assert some(None) is None


@pytest.mark.parametrize("join", [operator.or_, operator.and_])
def test_thousands_of_conditions_can_be_joined(join):
    joined = functools.reduce(join, (Q(n=at % 1500) for at in range(3000)))
    assert repr(joined).count("Q(") == 3000
    assert len(joined.parts) == 3000


@pytest.mark.parametrize("join", [operator.or_, operator.and_])
def test_an_empty_condition_is_left_out_of_a_join(join):
    assert repr(functools.reduce(join, [Q(n=1)], Q())) == "Q(n=1)"
    assert repr(join(Q(n=1), Q())) == "Q(n=1)"
    assert repr(functools.reduce(join, [Q(n=1), Q(Q()), Q(n=2)], Q())) == repr(join(Q(n=1), Q(n=2)))
    assert repr(join(Q(), Q())) == "Q()"


def test_each_look_up_but_those_of_operators_is_a_method():
    operators = {"exact", "ne", "gt", "gte", "lt", "lte"}
    methods = {name.rstrip("_") for name in dir(FieldExpression)}
    assert LOOKUPS - operators <= methods
