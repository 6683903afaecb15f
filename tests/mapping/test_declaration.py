"""What a class may declare, and what is refused while it is being defined."""

from __future__ import annotations

import inspect
import typing
import typing as tp
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Generic, TypeVar
from typing import ClassVar as Constant

import attrs
import pytest
import typing_extensions

from kintomodel import Field, Manager, Model, UsageError, field
from kintomodel.mapping.codec import codec_of

T = TypeVar("T")
U = TypeVar("U")


def fields_of(model):
    return set(model.__kinto__.fields)


def types_of(model):
    return {name: info.type for name, info in model.__kinto__.resolve().items()}


# names that cannot be fields


@pytest.mark.parametrize(
    "name", ["save", "delete", "refresh", "changes", "extra", "objects", "permissions", "id", "last_modified"]
)
def test_a_field_does_not_hide_what_the_model_has_itself(name):
    message = rf"Bad\.{name}: Model has '{name}' itself; call the field something else, as in `{name}_: "
    with pytest.raises(UsageError, match=message):
        type(Model)("Bad", (Model,), {"__annotations__": {name: "str"}})


@pytest.mark.parametrize("name", ["id", "last_modified"])
def test_the_advice_for_a_name_of_kintos_is_taken_itself(name):
    with pytest.raises(UsageError, match=rf", as in `{name}_: \.\.\.`$"):
        type(Model)("Bad", (Model,), {"__annotations__": {name: "str"}})
    assert fields_of(type(Model)("Good", (Model,), {"__annotations__": {f"{name}_": "str"}})) == {f"{name}_"}


KEYWORDS = {
    name: method.__name__
    for method in (Manager.update_or_create, Manager.get_or_create, Manager.create)
    for name, one in inspect.signature(method).parameters.items()
    if one.kind is not inspect.Parameter.VAR_KEYWORD and name not in ("self", "permissions")
}


def test_the_keywords_of_the_manager_are_known():
    assert {"defaults", "public"} <= KEYWORDS.keys()


@pytest.mark.parametrize("name", KEYWORDS)
def test_a_field_is_not_taken_for_a_keyword_of_the_manager(name):
    with pytest.raises(UsageError, match=rf"Bad\.{name}: objects\.{KEYWORDS[name]}\(\) has '{name}' itself"):
        type(Model)("Bad", (Model,), {"__annotations__": {name: "bool"}})


@pytest.mark.parametrize("name", ["public", "save"])
def test_nor_does_one_that_comes_from_a_mixin(name):
    mixin = attrs.make_class("Mixin", {name: attrs.field(default=1)}, kw_only=True)
    with pytest.raises(UsageError, match=rf"Bad\.{name}: .* has '{name}' itself"):
        type(Model)("Bad", (mixin, Model), {})


@pytest.mark.parametrize("key", ["id", "last_modified", "schema", "deleted", "__permissions__"])
def test_a_key_that_kinto_keeps_for_itself_is_refused(key):
    with pytest.raises(UsageError, match=rf"Bad\.name: Kinto keeps the key '{key}' for itself"):

        class Bad(Model):
            name: str = field(key=key)


@pytest.mark.parametrize("name", ["a__b", "a___b", "a__"])
def test_a_name_with_two_underscores_is_refused(name):
    with pytest.raises(UsageError) as caught:
        type(Model)("Bad", (Model,), {"__annotations__": {name: "str"}})
    better = "a_" if name == "a__" else "a_b"
    assert str(caught.value) == (
        f"Bad.{name}: '__' divides names in look-ups; declare `{better}: ... = field(key={name!r})`"
    )


@pytest.mark.parametrize("name", ["schema", "deleted"])
def test_a_name_that_is_such_a_key_needs_another_key(name):
    with pytest.raises(UsageError, match="for itself"):
        type(Model)("Bad", (Model,), {"__annotations__": {name: "str"}})

    namespace = {"__annotations__": {name: "str"}, name: field(key="x")}
    assert fields_of(type(Model)("Good", (Model,), namespace, abstract=True)) == {name}


def test_a_field_is_public():
    with pytest.raises(UsageError, match=r"declare `hidden: \.\.\. = field\(key='_hidden'\)`, or a ClassVar"):

        class Bad(Model):
            _hidden: int = 0


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("a\0b", "Kinto cannot store the character NUL"),
        ("", "a key is not empty"),
        ("\ud800", "a lone surrogate"),
    ],
)
def test_a_key_is_one_that_kinto_can_store(key, message):
    with pytest.raises(UsageError, match=rf"Bad\.name: {message}"):

        class Bad(Model):
            name: str = field(key=key)


def test_two_fields_have_two_keys():
    with pytest.raises(UsageError, match="Bad: one and other have one key, 'one'"):

        class Bad(Model):
            one: str
            other: str = field(key="one")


@pytest.mark.parametrize("keyword", ["bucket", "collection"])
@pytest.mark.parametrize("value", ["a b", "", "_x", 3])
def test_a_place_has_ids_that_kinto_takes(keyword, value):
    with pytest.raises(UsageError, match=rf"Bad: {value!r} is no {keyword} id: Kinto takes letters"):

        class Bad(Model, **{keyword: value}):
            pass


def test_a_typo_in_a_class_keyword_is_found_when_the_class_is_defined():
    with pytest.raises(TypeError, match=r"class .*Bad\(\.\.\., buckt=\.\.\.\): did you mean 'bucket'\?"):

        class Bad(Model, buckt="payments"):
            pass


def test_a_mixin_may_have_class_keywords_of_its_own():
    class Coloured:
        def __init_subclass__(cls, *, colour, **others):
            super().__init_subclass__(**others)
            cls.colour = colour

    class Receipt(Model, Coloured, colour="red", bucket="payments"):
        amount: int

    assert Receipt.colour == "red"
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'colour'"):

        class Bad(Model, Coloured):
            pass


def test_a_field_needs_an_annotation():
    with pytest.raises(UsageError, match=r"Bad: amount: a field needs an annotation with its type"):

        class Bad(Model):
            currency: str
            amount = field(default=3)


@pytest.mark.parametrize("default", [[], {}, set()])
def test_records_do_not_share_a_default(default):
    with pytest.raises(
        UsageError, match=r"Bad\.tags: all records would share this default: use field\(factory="
    ):

        class Bad(Model):
            tags: Any = default


def test_a_new_default_for_an_inherited_field_needs_its_annotation():
    class Base(Model, abstract=True):
        currency: str = "EUR"

    with pytest.raises(UsageError, match=r"Bad\.currency: a new default needs its annotation again"):

        class Bad(Base):
            currency = "USD"

    class Good(Base):
        currency: str = "USD"

    assert (Good().currency, Base().currency) == ("USD", "EUR")


def test_a_storage_form_is_for_fields_of_its_type():
    class Bad(Model):
        name: str = field(store="text")
        when: str = field(store="epoch_ms")

    with pytest.raises(UsageError, match=r"Bad\.name: store='text' is for Decimal fields"):
        Bad(name="x", when="y").changes()


def test_a_storage_form_reaches_inside_of_the_type():
    class Receipt(Model, bucket="payments", collection="receipts"):
        prices: dict[str, list[Decimal | None]] = field(store="text")
        times: tuple[datetime, ...] = field(store="epoch_ms", default=())

    assert Receipt(prices={"a": [Decimal("1.50"), None]}).changes() == {
        "prices": {"a": ["1.50", None]},
        "times": [],
    }
    assert types_of(Receipt)["prices"] == dict[str, list[Decimal | None]]


# what is no field


def test_class_variables_are_no_fields_by_whatever_name():
    class Receipt(Model, abstract=True):
        one: ClassVar[int] = 1
        two: tp.ClassVar[int] = 2
        three: typing_extensions.ClassVar = 3
        four: Constant[dict[str, int]] = {}
        five: typing.ClassVar[list[int]] = []
        _six: ClassVar[int] = 6
        amount: int = 0

    assert fields_of(Receipt) == {"amount"}
    assert (Receipt.one, Receipt.two, Receipt.three, Receipt._six) == (1, 2, 3, 6)


def test_names_that_only_look_like_class_variables_are_fields():
    class ClassVariable:
        pass

    class Receipt(Model, abstract=True):
        one: ClassVariable
        two: int

    assert fields_of(Receipt) == {"one", "two"}


def test_methods_properties_and_nested_classes_are_no_fields():
    class Receipt(Model, abstract=True):
        amount: int

        class Line:
            pass

        @property
        def double(self) -> int:
            return 2 * self.amount

        def triple(self) -> int:
            return 3 * self.amount

    receipt = Receipt(amount=2)
    assert (receipt.double, receipt.triple()) == (4, 6)
    assert fields_of(Receipt) == {"amount"}


# inheritance


def test_abstract_bases_share_fields_and_places():
    class Stored(Model, bucket="payments", abstract=True):
        created_by: str = "me"

    class Dated(Model, abstract=True):
        when: str = "now"

    class Receipt(Dated, Stored, collection="receipts"):
        amount: int

    class Invoice(Receipt, collection="invoices"):
        pass

    assert fields_of(Receipt) == {"created_by", "when", "amount"}
    assert (Receipt.__kinto__.bucket, Receipt.__kinto__.collection) == ("payments", "receipts")
    assert (Invoice.__kinto__.bucket, Invoice.__kinto__.collection) == ("payments", "invoices")
    assert Receipt(amount=1).changes() == {"created_by": "me", "when": "now", "amount": 1}


def test_a_model_without_a_place_says_what_it_lacks():
    class Nowhere(Model):
        name: str

    class Half(Model, bucket="payments"):
        name: str

    with pytest.raises(
        UsageError, match=r"Nowhere has no bucket: declare it as class Nowhere\(Model, bucket="
    ):
        Nowhere(name="x").save()
    with pytest.raises(
        UsageError, match=r"Half has no collection: .* or name it in Half\.objects\.using\(\.\.\.\)"
    ):
        Half.objects.count()


def test_plain_and_abstract_mixins_add_methods():
    class Named:
        def title(self) -> str:
            return f"No. {self.number}"

    class Printable(ABC):
        @abstractmethod
        def to_text(self) -> str: ...

    class Receipt(Model, Named, Printable, bucket="payments", collection="receipts"):
        number: int

        def to_text(self) -> str:
            return self.title()

    class Incomplete(Model, Printable):
        number: int

    assert Receipt(number=3).to_text() == "No. 3"
    assert isinstance(Receipt(number=3), Printable)
    with pytest.raises(TypeError, match="abstract"):
        Incomplete(number=3)


def test_each_class_has_a_manager_of_the_declared_kind():
    class ReceiptManager(Manager["Receipt"]):
        def cheap(self):
            return self.filter(amount__lt=10)

    class Receipt(Model, bucket="payments", collection="receipts"):
        amount: int
        objects: ClassVar[ReceiptManager] = ReceiptManager()
        archive: ClassVar[ReceiptManager] = ReceiptManager()

    class Invoice(Receipt, collection="invoices"):
        pass

    assert type(Invoice.objects) is ReceiptManager
    assert (Receipt.objects.model, Invoice.objects.model) == (Receipt, Invoice)
    assert Receipt.objects is Receipt.objects is not Receipt.archive
    assert Invoice.objects.home.path.collection == "invoices"
    with pytest.raises(AttributeError, match=r"'archive' belongs to the class: use Receipt\.archive"):
        Receipt(amount=1).archive  # noqa: B018


# generic models


def test_type_variables_stand_for_what_each_class_gives_them():
    class Pair(Model, Generic[T, U], abstract=True):
        first: T
        second: dict[str, U | None] | None = None

    class Swapped(Pair[U, T], Generic[T, U], abstract=True):
        third: list[T] = field(factory=list)

    class Plain(Swapped[Decimal, int]):
        pass

    class Child(Plain):
        pass

    wanted = {"first": int, "second": dict[str, Decimal | None] | None, "third": list[Decimal]}
    assert types_of(Plain) == types_of(Child) == wanted


def test_a_type_variable_without_a_value_is_its_bound_or_anything():
    Number = TypeVar("Number", bound=int)

    class Open(Model, Generic[T, Number]):
        one: T
        two: list[Number]

    assert types_of(Open) == {"one": Any, "two": list[int]}


# defaults


def test_a_default_that_depends_on_the_record_is_no_change(payments):
    class Receipt(Model, bucket="payments", collection="receipts"):
        amount: int = 1
        double: int = attrs.field(default=attrs.Factory(lambda self: 2 * self.amount, takes_self=True))

    class Bare(Model, bucket="payments", collection="receipts"):
        amount: int

    Bare(id="abc", amount=4).save()
    receipt = Receipt.objects.get(id="abc")
    assert (receipt.double, receipt.changes()) == (8, {})
    receipt.double = 9
    assert receipt.changes() == {"double": 9}


def test_a_default_that_can_be_made_at_some_times_only_is_new_each_time():
    ready = []

    def make() -> int:
        return ready.pop()

    class Receipt(Model, bucket="payments", collection="receipts"):
        amount: int = attrs.field(factory=make)

    assert Receipt.__kinto__.fields["amount"].is_new_each_time
    codec_of(Receipt.__kinto__)
    ready.append(5)
    assert Receipt().amount == 5


def test_field_may_be_declared_as_an_expression_for_the_checkers():
    class Receipt(Model, abstract=True):
        amount: Field[Decimal]
        label: Field[str] = Field(default="x")

    assert types_of(Receipt) == {"amount": Decimal, "label": str}
    assert Receipt(amount=Decimal(1)).label == "x"


# what is no model


class Plain:
    created: int = 0


class PlainChild(attrs.define(type("Defined", (), {"__annotations__": {"made": int}}))):
    """Of a class of attrs, but none itself."""

    created: int


@pytest.mark.parametrize("base", [Plain, PlainChild])
def test_what_another_class_annotates_is_refused_as_it_would_be_no_field(base):
    message = rf"^Bad\.created: {base.__name__} is no model, so this is no field: make it one, .* a ClassVar$"
    with pytest.raises(UsageError, match=message):
        type(Model)("Bad", (base, Model), {})


def test_another_class_may_annotate_what_the_model_has_and_what_is_no_field():
    class Counting:
        limit: ClassVar[int] = 5
        _cache: dict[str, int]
        id: str
        total: int
        amount: int

        def double(self) -> int:
            return 2 * self.amount

    class Receipt(Counting, Model):
        amount: int = 1

        @property
        def total(self) -> int:
            return self.amount

    assert fields_of(Receipt) == {"amount"}
    assert (Receipt(amount=2).double(), Receipt(amount=2).total) == (4, 2)


@pytest.mark.parametrize(
    "decorator", [attrs.define, attrs.define(slots=False), attrs.frozen, dataclass, dataclass(slots=True)]
)
def test_a_model_is_not_made_a_class_of_attrs_or_a_dataclass_again(decorator):
    with pytest.raises(
        UsageError, match=r"Receipt: Model makes it a class of attrs itself: take away the decorator$"
    ):

        @decorator
        class Receipt(Model, bucket="payments", collection="receipts"):
            amount: int = 0
