"""Model as a class: construction, access by class and instance, equality, copies."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from datetime import datetime, timezone
from decimal import Decimal

import attrs
import pytest

import kintomodel
from kintomodel import Client, F, Model, UsageError, field


@attrs.define
class Address:
    city: str


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: Decimal
    currency: str = "EUR"
    tags: list[str] = field(factory=list)
    address: Address | None = None


class Invoice(Receipt):
    pass


# construction


def test_a_new_record_has_an_id_of_its_own():
    one, other = Receipt(amount=Decimal(1)), Receipt(amount=Decimal(1))
    assert re.fullmatch(r"[0-9a-f-]{36}", one.id)
    assert one.id != other.id
    assert (one.last_modified, one.modified_at, one.extra) == (None, None, {})


def test_the_id_can_be_given():
    assert Receipt(id="abc", amount=Decimal(1)).id == "abc"


def test_the_repr_shows_the_fields():
    assert repr(Receipt(id="abc", amount=Decimal(1))) == (
        "Receipt(id='abc', last_modified=None, amount=Decimal('1'), currency='EUR', tags=[], address=None)"
    )


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("amuont", "did you mean 'amount'?"),
        ("permission", "did you mean 'permissions'?"),
        ("zzz", "there are add"),
    ],
)
def test_a_typo_in_the_constructor_gives_a_suggestion(wrong, hint):
    with pytest.raises(UsageError) as caught:
        Receipt(amount=Decimal(1), **{wrong: 1})
    assert isinstance(caught.value, TypeError)
    assert str(caught.value).startswith(f"Receipt has no field {wrong!r}; {hint}")


def test_the_first_typo_is_the_one_that_is_named():
    with pytest.raises(UsageError, match="no field 'curency'"):
        Receipt(amount=Decimal(1), curency=1, amuont=1)


def test_a_missing_argument_is_named():
    with pytest.raises(TypeError, match="Receipt needs 'amount'"):
        Receipt()


@pytest.mark.parametrize("name", ["last_modified", "_state"])
def test_what_the_server_sets_is_no_argument(name):
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        Receipt(amount=Decimal(1), **{name: 3})


def test_a_method_of_attrs_runs_after_construction():
    class Doubled(Model, abstract=True):
        amount: int

        def __attrs_post_init__(self):
            self.double = 2 * self.amount

    assert Doubled(amount=2).double == 4


# access


def test_on_the_class_a_field_is_an_expression():
    assert repr(Receipt.amount) == "<field amount>"
    assert repr(Invoice.address.city) == "<field address.city>"
    assert [repr(one) for one in (Receipt.id, Receipt.last_modified, Receipt.modified_at)] == [
        "<field id>",
        "<field last_modified>",
        "<field modified_at>",
    ]


def test_a_typo_on_the_class_gives_a_suggestion():
    with pytest.raises(
        AttributeError, match=r"type object 'Receipt' has no attribute 'amuont'; did you mean 'amount'\?"
    ):
        Receipt.amuont  # noqa: B018
    with pytest.raises(AttributeError, match=r"type object 'Receipt' has no attribute '_nothing'$"):
        Receipt._nothing  # noqa: B018
    with pytest.raises(AttributeError, match=r"type object 'Model' has no attribute 'amount'$"):
        Model.amount  # noqa: B018


def test_objects_belongs_to_the_class():
    receipt = Receipt(amount=Decimal(1))
    with pytest.raises(AttributeError, match=r"'objects' belongs to the class: use Receipt\.objects"):
        receipt.objects  # noqa: B018
    with pytest.raises(AttributeError, match="'Receipt' object has no attribute 'amuont'"):
        receipt.amuont  # noqa: B018
    assert not hasattr(receipt, "objects")


def test_a_deleted_attribute_is_missing():
    receipt = Receipt(amount=Decimal(1))
    del receipt.amount
    with pytest.raises(AttributeError, match="'Receipt' object has no attribute 'amount'"):
        receipt.amount  # noqa: B018


def test_modified_at_is_the_moment_of_the_last_write(payments):
    receipt = Receipt(amount=Decimal(1))
    receipt.save()
    assert receipt.modified_at.tzinfo is timezone.utc
    assert receipt.modified_at == datetime.fromtimestamp(receipt.last_modified / 1000, timezone.utc)
    assert [one.id for one in Receipt.objects.filter(F(Receipt.modified_at) >= receipt.modified_at)] == [
        receipt.id
    ]
    with pytest.raises(AttributeError, match="the server sets modified_at"):
        receipt.modified_at = receipt.modified_at


# equality


def test_records_are_equal_by_where_they_are(client):
    with client.activate():
        one, other = Receipt(id="abc", amount=Decimal(1)), Receipt(id="abc", amount=Decimal(2))
    assert one == other
    assert len({one, other}) == 1
    assert one != Receipt(id="other", amount=Decimal(1))
    assert one != Invoice(id="abc", amount=Decimal(1))
    assert one != "abc"


def test_a_record_of_another_collection_is_another():
    class Elsewhere(Model):
        name: str

    class Here(Elsewhere, bucket="a", collection="b"):
        pass

    assert Here(id="abc", name="x") != Elsewhere(id="abc", name="x")


# copies


@pytest.fixture
def stored(payments):
    """A record that the server has, with an edit of everything that can be edited."""
    receipt = Receipt.objects.create(amount=Decimal(1), tags=["a"], address=Address("Paris"))
    receipt.extra["note"] = ["x"]
    receipt.save()
    receipt.extra["note"].append("y")
    receipt.tags.append("b")
    receipt.permissions.read += "account:bob"
    return receipt


COPIES = [copy.copy, copy.deepcopy, lambda record: pickle.loads(pickle.dumps(record))]


@pytest.mark.parametrize("make", COPIES, ids=["copy", "deepcopy", "pickle"])
def test_a_copy_keeps_what_is_known_and_what_is_unsaved(stored, make):
    duplicate = make(stored)
    assert duplicate == stored
    assert duplicate.last_modified == stored.last_modified
    assert duplicate.changes() == stored.changes() == {"tags": ["a", "b"], "note": ["x", "y"]}
    duplicate.save()
    found = Receipt.objects.get(id=stored.id)
    assert (found.tags, found.extra, set(found.permissions.read)) == (
        ["a", "b"],
        {"note": ["x", "y"]},
        {"account:bob"},
    )


@pytest.mark.parametrize("make", COPIES, ids=["copy", "deepcopy", "pickle"])
def test_saving_a_copy_leaves_the_original_as_it_was(stored, make):
    duplicate = make(stored)
    duplicate.amount = Decimal(5)
    duplicate.permissions.read += "account:carol"
    duplicate.save()
    assert stored.amount == 1
    assert stored.last_modified < duplicate.last_modified
    assert set(stored.permissions.read) == {"account:bob"}
    with pytest.raises(kintomodel.Conflict):
        stored.save()


@pytest.mark.parametrize("make", COPIES, ids=["copy", "deepcopy", "pickle"])
def test_a_copy_of_a_new_record_is_new_and_keeps_its_permissions(payments, make):
    receipt = Receipt(amount=Decimal(1), permissions={"read": ["account:bob"]})
    duplicate = make(receipt)
    duplicate.save()
    assert set(Receipt.objects.get(id=receipt.id).permissions.read) == {"account:bob"}


def test_copies_share_their_client_and_pickles_do_not(client, payments):
    other = Client(client.url, auth=("nobody", "x"))
    receipt = Receipt.objects.create(amount=Decimal(1))
    receipt._state.home = attrs.evolve(receipt._state.home, client=other)
    assert copy.copy(receipt)._state.home.client is other
    assert copy.deepcopy(receipt)._state.home.client is other
    assert pickle.loads(pickle.dumps(receipt))._state.home.client is None


def test_a_shallow_copy_shares_the_values():
    receipt = Receipt(amount=Decimal(1), tags=["a"])
    assert copy.copy(receipt).tags is receipt.tags
    assert copy.deepcopy(receipt).tags is not receipt.tags


def test_a_record_can_be_printed_before_anything_is_connected():
    record = Receipt.__new__(Receipt)
    assert not hasattr(record, "_state")


def test_a_mistyped_attribute_is_refused():
    class Cached(Receipt):
        rate = 2

        @property
        def total(self):
            return self._total

        @total.setter
        def total(self, value):
            self._total = value

    cached = Cached(amount=Decimal(1))
    cached.total, cached.rate, cached.currency = 5, 3, "USD"
    assert (cached.total, cached.rate, cached.currency) == (5, 3, "USD")
    with pytest.raises(
        AttributeError, match="'Cached' object has no attribute 'amuont'; did you mean 'amount'"
    ):
        cached.amuont = 5
    assert not hasattr(cached, "amuont")


def test_a_model_may_have_a_setattr_of_its_own():
    class Noting(Receipt):
        def __setattr__(self, name, value):
            vars(self).setdefault("_set", []).append(name)
            super().__setattr__(name, value)

    class Below(Noting):
        pass

    noting = Below(amount=Decimal(1))
    noting.amount = Decimal(2)
    assert noting._set.count("amount") == 2


def test_evolve_makes_a_new_record_with_the_edited_permissions():
    receipt = Receipt(amount=Decimal(1), permissions={"read": ["account:bob"]})
    other = attrs.evolve(receipt, id="other", amount=Decimal(2))
    assert (other.id, other.amount, set(other.permissions.read)) == ("other", 2, {"account:bob"})
    other.permissions.read += "account:eve"
    assert set(receipt.permissions.read) == {"account:bob"}
    third = Receipt(amount=Decimal(1))
    third.permissions = other.permissions
    assert set(third.permissions.read) == {"account:bob", "account:eve"}


@pytest.mark.parametrize("given", [None, "x", 5])
def test_permissions_are_a_dict(payments, given):
    receipt = Receipt(amount=Decimal(1))
    with pytest.raises(UsageError, match="permissions takes"):
        receipt.permissions = given
    with pytest.raises(UsageError, match="permissions takes"):
        Receipt(amount=Decimal(1), permissions=given)
    if given is not None:
        with pytest.raises(UsageError, match="permissions takes"):
            Receipt.objects.create(amount=Decimal(1), permissions=given)


def test_the_signature_names_the_fields():
    shown = inspect.signature(Receipt)
    assert list(shown.parameters) == ["permissions", "id", "amount", "currency", "tags", "address"]
    assert shown.return_annotation is inspect.Signature.empty


def test_two_records_of_no_collection_are_the_same_by_their_ids():
    class Homeless(Model):
        name: str = ""

    assert Homeless(id="a") == Homeless(id="a")
    assert Homeless(id="a") != Homeless(id="b")


def test_a_constructor_of_ones_own_calls_that_of_attrs():
    class Priced(Model, bucket="payments", collection="receipts"):
        amount: int
        currency: str = "EUR"

        def __init__(self, price: str) -> None:
            self.__attrs_init__(amount=int(price))

    assert Priced("5").changes() == {"amount": 5, "currency": "EUR"}
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'price'"):
        Priced()

    class Inherited(Priced):
        def __init__(self, amount: int) -> None:
            super(Priced, self).__init__(amount=amount)

    with pytest.raises(UsageError, match=r"Inherited\.__init__ calls self\.__attrs_init__\(\.\.\.\), not"):
        Inherited(amount=5)

    class Forgetful(Priced):
        def __init__(self, amount: int) -> None:
            self.amount = amount

    with pytest.raises(AttributeError, match=r"^Forgetful\.__init__ has to call self\.__attrs_init__"):
        Forgetful(5).changes()


def test_the_class_lists_its_fields_for_those_who_complete_names():
    assert {"id", "last_modified", "amount", "currency", "objects", "save"} <= {*dir(Receipt), "objects"}
