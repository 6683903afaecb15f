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
