"""Ref: the id of a record of another model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintomodel import Model, Ref, ValidationError

ids = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9_-]*", fullmatch=True)


class Customer(Model, bucket="payments", collection="receipts"):
    name: str


@given(ids)
def test_a_reference_is_of_an_id_or_of_a_record(one):
    assert Ref(one) == Ref(Customer(id=one, name="x"))
    assert Ref(one).id == one


def test_references_to_one_record_are_equal():
    assert len({Ref("a"), Ref("a"), Ref("b")}) == 2
    assert Ref("a") != "a"


def test_the_repr_makes_the_same_again():
    assert repr(Ref("abc")) == "Ref('abc')"


@pytest.mark.parametrize("target", [None, 3, ["a"], Customer])
def test_what_has_no_id_cannot_be_referred_to(target):
    with pytest.raises(ValidationError, match=r"Ref\(\) takes a record or its id, got"):
        Ref(target)


@pytest.mark.parametrize("target", ["", "a/b", "../x", "_a"])
def test_an_id_that_kinto_does_not_take_is_refused(target):
    with pytest.raises(ValidationError, match="is no record id"):
        Ref(target)


def test_a_reference_is_stored_as_the_id(payments):
    class Order(Model, bucket="payments", collection="receipts"):
        customer: Ref["Customer"] | None = None

    order = Order(customer=Ref("abc"))
    assert order.changes() == {"customer": "abc"}
    order.save()
    assert Order.objects.get(id=order.id).customer == Ref("abc")
    assert Order.objects.filter(customer="abc").count() == 1


class Supplier(Model, bucket="payments", collection="suppliers"):
    name: str = ""


class Buyer(Model, bucket="payments", collection="buyers"):
    name: str = ""


class LargeBuyer(Buyer):
    pass


class Deal(Model, bucket="payments", collection="receipts"):
    buyer: Ref[Buyer] | None = None
    both: list[Ref[Buyer] | Ref[Supplier]] | None = None
    any: Ref | None = None  # type: ignore[type-arg]


REFUSED = "expected a Ref to a Buyer, got one to a Supplier"


def test_a_reference_to_a_record_of_another_model_is_refused():
    deal = Deal(buyer=Ref(Supplier(id="s")))
    with pytest.raises(ValidationError, match=f"buyer: {REFUSED}"):
        deal.changes()
    for wrong in (Supplier(id="s"), Ref(Supplier(id="s"))):
        with pytest.raises(ValidationError, match=REFUSED):
            Deal.objects.filter(buyer=wrong)


def test_a_reference_that_was_read_is_not_taken_for_one_to_another_model(payments):
    class Delivery(Model, bucket="payments", collection="receipts"):
        supplier: Ref[Supplier]

    delivery = Delivery.objects.create(supplier=Ref("s"))
    with pytest.raises(ValidationError, match=REFUSED):
        Deal.objects.create(buyer=Delivery.objects.get(id=delivery.id).supplier)


def test_what_may_be_of_the_model_is_taken():
    again = type(Model)("Buyer", (Model,), {}, bucket="payments", collection="buyers")
    unbound = type(Model)("Unbound", (Model,), {})
    for target in ("b", Buyer(id="b"), LargeBuyer(id="b"), again(id="b"), unbound(id="b")):
        assert Deal(buyer=Ref(target)).changes()["buyer"] == "b"
    assert Deal(any=Ref(Supplier(id="s"))).changes()["any"] == "s"
    assert Deal(both=[Ref(Supplier(id="s")), Ref(Buyer(id="b"))]).changes()["both"] == ["s", "b"]
