"""field(): keys, defaults, and what it refuses."""

from typing import Any

import attrs
import pytest

from kintomodel import Field, Model, UsageError, field
from kintomodel.mapping.fields import suggestion


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: int
    kind: str = field(default="sale", key="type")
    tags: list[str] = field(factory=list)
    secret: str = field(default="x", repr=False)
    label: Field[str] = Field(default="none", key="text")


def test_the_key_on_the_server_may_be_another():
    assert Receipt(amount=1, kind="gift").changes() == {
        "amount": 1,
        "type": "gift",
        "tags": [],
        "secret": "x",
        "text": "none",
    }


def test_a_default_may_be_made_for_each_record():
    one, other = Receipt(amount=1), Receipt(amount=2)
    one.tags.append("late")
    assert other.tags == []


def test_a_field_can_be_left_out_of_the_repr():
    text = repr(Receipt(id="abc", amount=1))
    assert text == "Receipt(id='abc', last_modified=None, amount=1, kind='sale', tags=[], label='none')"


def test_the_repr_is_that_of_attrs():
    class Shown(Model):
        secret: str = attrs.field(repr=lambda value: "*" * len(value))
        itself: Any = None

    shown = Shown(id="abc", secret="s3cret")
    shown.itself = [shown]
    assert repr(shown) == "Shown(id='abc', last_modified=None, secret=******, itself=[...])"


def test_required_fields_may_come_after_those_with_a_default():
    class Later(Model, abstract=True):
        first: int = 1
        second: str

    assert Later(second="x").first == 1


def test_a_storage_form_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match='store is "text" or "epoch_ms", got \'number\''):
        field(store="number")


@pytest.mark.parametrize("wrong", [3, [3], "x", None])
def test_a_validator_is_a_function(wrong):
    with pytest.raises(UsageError, match="validator is a function, or several of them, got"):
        field(default=0, validator=wrong)


def test_a_suggestion_is_what_is_near():
    assert suggestion("amuont", ["amount", "kind"]) == "did you mean 'amount'?"


def test_without_anything_near_all_are_named():
    assert suggestion("zzz", ["kind", "amount"]) == "there are amount, kind"
