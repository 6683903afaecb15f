"""From references to the records they name: one at a time, many at once, and those that are not there."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from typing import Any, Literal, NewType

import attrs
import pytest

from kintomodel import Client, F, Forbidden, Model, NotFound, Ref, ServerError, UsageError, field
from kintomodel.mapping.references import holds_references, references_in, referred
from kintomodel.protocol import operations
from kintomodel.protocol.objects import Response
from kintomodel.reading.prefetching import DanglingRef
from kintomodel.testing import record


class Company(Model, bucket="payments", collection="companies"):
    name: str = ""


class Customer(Model, bucket="payments", collection="customers"):
    name: str = ""
    company: Ref[Company] | None = None
    owner: Ref[Customer] | None = None


@attrs.define
class Line:
    product: Ref[Company] | None = None


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: int = 0
    customer: Ref[Customer] | None = None
    supplier: Ref[Customer] | None = None
    others: list[Ref[Customer]] = field(factory=list)
    line: Line | None = None
    lines: dict[str, Line] = field(factory=dict)
    either: Ref[Customer] | Ref[Company] | None = None
    anybody: Ref[Any] | None = None


class Elsewhere(Model, bucket="archive", collection="customers"):
    name: str = ""


RECEIPTS = "/buckets/payments/collections/receipts/records"


@pytest.fixture
def shop(payments):
    for collection in ("customers", "companies"):
        payments.connection.perform(operations.create(f"/buckets/payments/collections/{collection}", {}))
    for at in range(3):
        Company.objects.create(id=f"co{at}", name=f"Company {at}")
        Customer.objects.create(id=f"cu{at}", name=f"Customer {at}", company=Ref(f"co{at}"), owner=Ref("cu0"))
    return payments


@pytest.fixture
def sent(shop):
    with record(shop) as recording:
        yield recording


def paths(recording):
    return [one.path.removeprefix("/buckets/").replace("/collections", "") for one in recording.operations]


def test_a_reference_gets_its_record_once(sent):
    Receipt.objects.create(id="r", customer=Ref("cu1"), line=Line(Ref("co1")), lines={"a": Line(Ref("co2"))})
    for receipt in (Receipt.objects.get(id="r"), Receipt.objects.all()[0]):
        sent.clear()
        assert (receipt.customer.get().name, receipt.customer.get().name) == ("Customer 1", "Customer 1")
        assert isinstance(receipt.customer.get(), Customer)
        assert receipt.customer.get().company.get().name == "Company 1"
        assert receipt.line.product.get().name == "Company 1"
        assert receipt.lines["a"].product.get().name == "Company 2"
        assert paths(sent) == [
            "payments/customers/records/cu1",
            "payments/companies/records/co1",
            "payments/companies/records/co1",
            "payments/companies/records/co2",
        ]
        assert receipt.changes() == {}
        receipt.customer.get().name = "New"
        receipt.customer.get().save()
        receipt.customer.get().name = "Customer 1"
        receipt.customer.get().save()


def test_another_id_is_another_record(sent):
    receipt = Receipt.objects.create(customer=Ref("cu1"))
    assert receipt.customer.get().name == "Customer 1"
    receipt.customer.id = "cu2"
    assert receipt.customer.get().name == "Customer 2"


def test_a_reference_that_leads_nowhere_is_not_found(shop):
    receipt = Receipt.objects.create(customer=Ref("nobody"))
    with pytest.raises(NotFound, match="nobody"):
        receipt.customer.get()


def test_a_reference_to_a_record_is_to_that_very_one(sent):
    customer = Customer(name="new")
    receipt = Receipt(customer=Ref(customer))
    assert receipt.customer.get() is customer
    assert not sent.operations
    receipt.save()
    assert receipt.customer.get() is customer


def test_a_reference_made_by_hand_leads_somewhere_once_it_is_saved(shop):
    receipt = Receipt(customer=Ref("cu1"), others=[Ref("cu2")])
    with pytest.raises(
        UsageError, match=r"Ref\('cu1'\) does not know yet of which model it is: save the record"
    ):
        receipt.customer.get()
    receipt.save()
    assert (receipt.customer.get().name, receipt.others[0].get().name) == ("Customer 1", "Customer 2")
    receipt.supplier = Ref("cu0")
    receipt.save()
    assert receipt.supplier.get().name == "Customer 0"


@pytest.mark.parametrize("name", ["either", "anybody"])
def test_a_type_that_does_not_say_the_model_leads_nowhere(shop, name):
    Receipt.objects.create(id="r", **{name: Ref("cu1")})
    receipt = Receipt.objects.get(id="r")
    with pytest.raises(UsageError, match="does not know yet of which model it is"):
        getattr(receipt, name).get()
    with pytest.raises(UsageError, match=r"prefetch\(\) follows fields of Ref\[model\]"):
        Receipt.objects.prefetch(name)
    assert Receipt.objects.check_refs() == []


def test_what_is_no_model_is_nothing_to_refer_to(payments):
    class Odd(Model, bucket="payments", collection="receipts"):
        line: Ref[Line] | None = None

    odd = Odd.objects.create(line=Ref("abc"))
    with pytest.raises(UsageError, match=r"Ref\[Line\]: a reference leads to a model"):
        odd.line.get()


def test_references_stay_on_the_server_and_in_the_bucket_of_their_record(shop, kinto_client):
    class Note(Model, bucket="payments", collection="receipts"):
        customer: Ref[Customer] | None = None
        other: Ref[Elsewhere] | None = None

    for bucket in map(kinto_client.create_bucket, ("preview", "archive")):
        for collection in ("receipts", "customers"):
            bucket.create_collection(collection)
    Customer.objects.using(kinto_client, bucket="preview").create(id="cu1", name="preview")
    Elsewhere.objects.using(kinto_client).create(id="cu1", name="archive")
    preview = Note.objects.using(kinto_client, bucket="preview")
    preview.create(id="n", customer=Ref("cu1"), other=Ref("cu1"))
    for note in (preview.get(id="n"), preview.prefetch("customer", "other").get(id="n")):
        assert (note.customer.get().name, note.other.get().name) == ("preview", "archive")
    assert preview.check_refs() == []


def test_a_record_that_moves_forgets_what_it_referred_to(shop, kinto_client):
    receipt = Receipt.objects.create(customer=Ref("cu1"))
    assert receipt.customer.get().name == "Customer 1"
    payments = kinto_client.create_bucket("payments")
    for name in ("receipts", "customers"):
        payments.create_collection(name)
    Customer.objects.using(kinto_client).create(id="cu1", name="There")
    mine = Customer(name="mine")
    receipt.supplier = Ref(mine)
    receipt.save(using=kinto_client)
    assert receipt.customer.get().name == "There"
    assert receipt.supplier.get() is mine


@pytest.mark.parametrize(
    "again",
    [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_copy_leads_to_the_same(shop, again):
    receipt = Receipt.objects.create(customer=Ref("cu1"), supplier=Ref("cu2"))
    receipt.customer.get()
    twin = again(receipt)
    assert (twin.customer.get().name, twin.supplier.get().name) == ("Customer 1", "Customer 2")


# prefetch


def store(count=6):
    for at in range(count):
        Receipt.objects.create(
            id=f"r{at}",
            amount=at,
            customer=Ref(f"cu{at % 2}"),
            supplier=Ref("cu2") if at == 0 else None,
            others=[Ref("cu0"), Ref("cu1")],
            line=Line(Ref("co2")) if at == 1 else None,
        )


def test_prefetch_is_one_query_for_each_model(sent):
    store()
    sent.clear()
    receipts = list(
        Receipt.objects.prefetch("customer__company", "supplier").prefetch(F(Receipt.others), "line__product")
    )
    assert paths(sent) == [
        "payments/receipts/records",
        "payments/customers/records",
        "payments/companies/records",
        "payments/companies/records",
    ]
    assert sorted(sent.operations[1].params["in_id"].split(",")) == ['"cu0"', '"cu1"', '"cu2"']
    sent.clear()
    for receipt in receipts:
        assert receipt.customer.get().company.get().name
        assert [one.get().name for one in receipt.others] == ["Customer 0", "Customer 1"]
    assert receipts[0].supplier.get().name == "Customer 2"
    assert receipts[1].line.product.get().name == "Company 2"
    assert receipts[0].customer.get() is receipts[2].customer.get()
    assert not sent.operations


def test_prefetch_goes_with_all_that_reads_records(sent):
    store()
    wanted = Receipt.objects.filter(amount__lt=4).prefetch("customer")
    for read in (
        lambda: list(wanted.iterator(page_size=2)),
        lambda: [wanted.first(), wanted[1], wanted.last()],
        lambda: [wanted.get(id="r1")],
        lambda: list(wanted.in_bulk(["r1", "r2"]).values()),
        lambda: list(wanted.only("amount")),
    ):
        receipts = read()
        sent.clear()
        assert {one.customer.get().name for one in receipts} <= {"Customer 0", "Customer 1"}
        assert not sent.operations
    assert wanted.count() == 4
    assert list(wanted.none()) == []
    assert paths(sent) == ["payments/receipts/records"]


def test_an_iterator_reads_references_page_by_page(sent):
    store(4)
    sent.clear()
    list(Receipt.objects.prefetch("customer").iterator(page_size=2))
    # The next page is on its way while the references of one are read.
    assert sorted(paths(sent)) == ["payments/customers/records"] * 2 + ["payments/receipts/records"] * 2


def test_prefetch_asks_for_a_part_with_the_references_in_it(sent):
    store(1)
    sent.clear()
    (found,) = Receipt.objects.only("amount").prefetch("customer__owner")
    assert sent.operations[0].params["_fields"] == "amount,customer"
    assert (found.customer.get().owner.get().name, "supplier" in vars(found)) == ("Customer 0", False)
    assert len(sent) == 3


def test_prefetch_leaves_alone_what_is_not_there(shop):
    Receipt.objects.create(customer=Ref("nobody"), supplier=Ref("cu1"))
    (receipt,) = Receipt.objects.prefetch("customer__company", "supplier")
    assert receipt.supplier.get().name == "Customer 1"
    with pytest.raises(NotFound):
        receipt.customer.get()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("custmer", "Receipt has no field 'custmer'; did you mean 'customer'"),
        ("customer__compny", "Customer has no field 'compny'; did you mean 'company'"),
        ("amount", r"Receipt.amount holds int: prefetch\(\) follows fields of Ref\[model\]"),
        ("customer__name", r"Customer.name holds str: prefetch\(\) follows"),
        ("line", r"Receipt.line holds Line: prefetch\(\) follows"),
    ],
)
def test_what_leads_to_no_reference_is_refused_unsent(name, message):
    with pytest.raises(UsageError, match=message):
        Receipt.objects.prefetch(name)


# check_refs


def test_references_to_nothing_are_listed(sent):
    store(2)
    Receipt.objects.create(
        id="bad", customer=Ref("cu9"), others=[Ref("cu0"), Ref("cu8")], line=Line(Ref("co9"))
    )
    Receipt.objects.create(id="too", customer=Ref("cu9"))
    sent.clear()
    assert Receipt.objects.check_refs() == [
        DanglingRef("bad", "customer", "cu9"),
        DanglingRef("bad", "others", "cu8"),
        DanglingRef("bad", "line", "co9"),
        DanglingRef("too", "customer", "cu9"),
    ]
    assert sent.operations[0].params["_fields"] == "customer,supplier,others,line,lines,either,anybody"
    assert [one.method for one in sent].count("GET") in (3, 4, 5)
    assert Receipt.objects.filter(id="too").check_refs() == [DanglingRef("too", "customer", "cu9")]
    assert Receipt.objects.filter(id="r1").check_refs() == []


def test_a_model_without_references_has_none_to_check(payments):
    with record(payments) as recording:
        assert Company.objects.check_refs() == []
    assert not recording.operations


def test_what_may_not_be_read_counts_as_being_there(server, shop):
    reader = server.client(server.create_account("reader", "secret"))
    shop.bucket("payments").update_permissions(read=[])
    everyone = {"read": ["system.Everyone"]}
    shop.connection.perform(operations.update("/buckets/payments/collections/receipts", None, everyone))
    shop.connection.perform(
        operations.update("/buckets/payments/collections/customers/records/cu0", None, everyone)
    )
    Receipt.objects.create(id="r", customer=Ref("cu0"), supplier=Ref("cu1"))
    with reader:
        with pytest.raises(Forbidden):
            Receipt.objects.using(reader).get(id="r").supplier.get()
        assert Receipt.objects.using(reader).check_refs() == []


def test_a_collection_that_is_missing_is_an_error(payments):
    Receipt.objects.create(customer=Ref("cu1"))
    with pytest.raises(NotFound):
        Receipt.objects.check_refs()


class Failing:
    """In front of a transport: for the record "nobody" the server fails."""

    def __init__(self, inner):
        self.inner = inner

    def send(self, operation):
        return Response(500) if operation.path.endswith("/nobody") else self.inner.send(operation)

    def close(self):
        self.inner.close()


def test_a_record_of_which_nothing_can_be_said_is_an_error(shop):
    Receipt.objects.create(customer=Ref("nobody"))
    failing = Client(shop.url, transport=Failing(shop.connection.transport))
    with pytest.raises(ServerError):
        Receipt.objects.using(failing).check_refs()


# the types


@pytest.mark.parametrize(
    ("cls", "model"),
    [
        (Ref[Customer], Customer),
        (Ref[Customer] | None, Customer),
        (list[Ref[Customer]], Customer),
        (tuple[Ref[Customer], ...], Customer),
        (dict[str, Ref[Customer]], Customer),
        (Ref, None),
        (Ref["Customer"], None),
        (Ref[Customer] | Ref[Company], None),
        (tuple[Ref[Customer], Ref[Company]], None),
        (str, None),
        (list[str], None),
    ],
)
def test_the_model_that_a_type_leads_to(cls, model):
    assert referred(cls) is model


@dataclass
class Data:
    items: list[Ref[Customer]]
    again: Data | None = None


@attrs.define
class Address:
    city: str
    next: Address | None = None


@attrs.define
class Unknown:
    city: Nowhere  # noqa: F821 - a class that this module does not know


Named = NewType("Named", Line)


def test_references_are_found_wherever_they_are():
    assert holds_references(Data | None)
    assert holds_references(dict[str, Line])
    assert holds_references(Named)
    for other in (Address | int, Unknown, Literal["a", 1], Any):
        assert not holds_references(other)
    value = Data([Ref("a")], Data([Ref("b")]))
    found = references_in({"x": value, "y": (Line(Ref("c")), 3, None)})
    assert [one.id for one in found] == ["a", "b", "c"]
