"""The types of fields: wherever the names in their annotations come from."""

from __future__ import annotations

import dataclasses
import typing
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal, Optional, TypedDict, TypeVar, Union

import attrs
import pytest

from kintomodel import Model, Ref, UsageError, field
from kintomodel.mapping.annotations import inner_fields, replaced, transformed, without_none

if TYPE_CHECKING:
    from nowhere import Phantom

    from tests.mapping.other_module import Book

T = TypeVar("T")


class Author(Model, bucket="payments", collection="receipts"):
    name: str
    books: list[Ref[Book]] = field(factory=list)
    friend: Ref[Author] | None = None


def types_of(model):
    return {name: info.type for name, info in model.__kinto__.resolve().items()}


def test_two_modules_may_need_each_other():
    from tests.mapping.other_module import Book

    assert types_of(Author)["books"] == list[Ref[Book]]
    assert types_of(Author)["friend"] == Optional[Ref[Author]]  # noqa: UP045
    assert types_of(Book)["author"] == Optional[Ref[Author]]  # noqa: UP045


def test_two_models_of_a_function_may_need_each_other():
    class Order(Model, abstract=True):
        customer: Ref[Customer]
        parent: Ref[Order] | None = None

    class Customer(Model, bucket="payments"):
        orders: list[Ref[Order]]

    assert types_of(Order) == {"customer": Ref[Customer], "parent": Ref[Order] | None}
    assert types_of(Customer) == {"orders": list[Ref[Order]]}


def test_a_name_means_the_nearest_model():
    def define():
        class Order(Model, abstract=True):
            customer: Ref[Customer]

        class Customer(Model, bucket="payments"):
            pass

        return Order, Customer

    first, customer = define()
    assert types_of(first) == {"customer": Ref[customer]}
    second, another = define()
    assert types_of(second) == {"customer": Ref[another]}
    assert another is not customer


def test_a_name_that_several_models_have_is_refused():
    def define():
        class Twin(Model, bucket="payments"):
            pass

    def define_too():
        class Twin(Model, bucket="payments"):
            pass

    define()
    define_too()

    class Order(Model, abstract=True):
        twin: Ref[Twin]  # noqa: F821

    with pytest.raises(
        UsageError, match=r"names 'Twin', .* nor the only model of that name: .*define.*, .*define_too"
    ):
        Order.__kinto__.resolve()


def test_a_class_that_is_defined_before_is_found_in_the_function():
    @attrs.define
    class Address:
        city: str

    class Receipt(Model, abstract=True):
        address: Address

    assert types_of(Receipt) == {"address": Address}


def test_a_class_inside_of_the_model_is_found():
    class Receipt(Model, bucket="payments", collection="receipts"):
        @attrs.define
        class Line:
            price: Decimal

        lines: list[Line]

    assert types_of(Receipt) == {"lines": list[Receipt.Line]}
    assert Receipt(lines=[Receipt.Line(Decimal(1))]).changes() == {"lines": [{"price": 1}]}


def test_strings_inside_of_a_type_are_names_as_well():
    class Order(Model, abstract=True):
        one: list["Author"]  # noqa: UP037
        two: Optional["Decimal"]  # noqa: UP037, UP045

    assert types_of(Order) == {"one": list[Author], "two": Decimal | None}
    namespace = {
        "__annotations__": {"one": Ref["Author"], "two": Literal["a", "Decimal"]},
        "__module__": __name__,
    }
    evaluated = type(Model)("Evaluated", (Model,), namespace, abstract=True)
    assert types_of(evaluated) == {"one": Ref[Author], "two": Literal["a", "Decimal"]}


def test_a_name_that_nobody_knows_is_named():
    class Order(Model, bucket="payments", collection="receipts"):
        phantom: Phantom | None = None

    message = (
        r"Order\.phantom: the annotation 'Phantom \| None' names 'Phantom', "
        r"which is neither in tests\.mapping\.test_annotations nor a model$"
    )
    for attempt in (
        lambda: Order().changes(),
        lambda: Order.phantom,
        lambda: Order.objects.filter(phantom=None),
    ):
        with pytest.raises(UsageError, match=message):
            attempt()


@pytest.mark.parametrize("annotation", ["list[", "typing.Nothing", "1 / 0"])
def test_an_annotation_that_is_no_type_is_named(annotation):
    namespace = {"__annotations__": {"value": annotation}, "__module__": __name__}
    model = type(Model)("Broken", (Model,), namespace, abstract=True)
    with pytest.raises(UsageError, match=r"Broken\.value: the annotation .* means no type: "):
        model.__kinto__.resolve()


def test_an_inner_class_that_names_what_its_module_lacks_is_an_error_of_ours():
    class Hidden:
        pass

    @attrs.define
    class Outer:
        hidden: Hidden

    @dataclasses.dataclass
    class Other:
        hidden: Hidden

    class Receipt(Model, bucket="payments", collection="receipts"):
        one: Outer | None = None

    class Invoice(Model, bucket="payments", collection="receipts"):
        one: Other | None = None

    for model in (Receipt, Invoice):
        with pytest.raises(UsageError, match=r"an annotation names 'Hidden', which is not in tests\.mapping"):
            model().changes()
        with pytest.raises(UsageError, match=r"an annotation names 'Hidden', which is not in tests\.mapping"):
            model.objects.filter(one__hidden=1)


def test_a_class_of_a_module_that_is_gone_has_no_names():
    namespace = {"__annotations__": {"value": "int"}, "__module__": "a.module.that.is.gone"}
    mixin = type("Mixin", (), dict(namespace))
    model = type(Model)("Orphan", (mixin, Model), {"__annotations__": {"value": "int"}}, abstract=True)
    assert types_of(model) == {"value": int}


# the tools


def test_none_is_taken_out_of_a_union():
    assert without_none(Optional[int]) is without_none(int | None) is int  # noqa: UP045
    assert without_none(Union[int, str, None]) == int | str  # noqa: UP007
    assert without_none(list[int]) == list[int]


def test_a_class_is_replaced_wherever_it_stands():
    types = {int: str}
    assert replaced(int, types) is str
    assert replaced(dict[int, list[int | None]], types) == dict[str, list[str | None]]
    assert replaced(Annotated[int, "x"], types) == Annotated[str, "x"]
    assert replaced(Literal[1], types) == Literal[1]


def test_a_type_that_is_not_changed_is_the_same_object():
    kind = dict[str, list[int | None]]
    assert transformed(kind, lambda part: part) is kind


def test_the_attributes_of_whatever_becomes_an_object_are_known():
    @attrs.define
    class Attributes(typing.Generic[T]):
        a: T
        b: int = 0

    @dataclasses.dataclass
    class Data:
        c: int

    class Typed(TypedDict):
        d: int

    assert inner_fields(Attributes[str]) == {"a": str, "b": int}
    assert inner_fields(Attributes) == {"a": T, "b": int}
    assert inner_fields(Data) == {"c": int}
    assert inner_fields(Typed) == {"d": int}
    assert inner_fields(int) is inner_fields(list[int]) is None


class Counted:
    """A mixin with an __init_subclass__ of its own, in the module of the model."""

    def __init_subclass__(cls, **settings):
        super().__init_subclass__(**settings)


def test_a_mixin_of_the_same_module_may_have_an_init_subclass():
    Whole = int

    class Receipt(Counted, Model, bucket="payments", collection="receipts"):
        amount: Whole = 0

    assert types_of(Receipt) == {"amount": int}
    assert Whole is int


def test_a_model_may_be_defined_where_no_module_has_a_name():
    names = {}
    exec(
        "from __future__ import annotations\n"
        "from kintomodel import Model\n"
        "Amount = int\n"
        'class Receipt(Model, bucket="payments", collection="receipts"):\n'
        "    amount: Amount = 0\n",
        names,
    )
    assert names["Receipt"](amount=1).changes() == {"amount": 1}
