"""only(): records of which some fields were read, and what becomes of the others."""

from __future__ import annotations

import copy
import pickle

import attrs
import pytest

from kintomodel import Conflict, F, Model, UsageError, ValidationError, field
from kintomodel.protocol import operations
from kintomodel.testing import record
from kintomodel.writing import changes


@attrs.define
class Address:
    city: str


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: int
    currency: str = "EUR"
    tags: list[str] = field(factory=list)
    address: Address | None = None
    kind: str = field(key="type", default="sale")


class Odd(Model, bucket="payments", collection="receipts"):
    amount: int
    dotted: int = field(key="a.b", default=0)
    dashed: int = field(key="x-y", default=0)


RECEIPTS = "/buckets/payments/collections/receipts/records"
DATA = {
    "amount": 5,
    "currency": "USD",
    "tags": ["new"],
    "address": {"city": "Rome", "floor": 3},
    "type": "gift",
    "note": "x",
}


@pytest.fixture
def sent(payments):
    payments.connection.perform(operations.create(f"{RECEIPTS}/abc", DATA))
    with record(payments) as recording:
        yield recording


def stored(client, id="abc"):
    data = client.connection.perform(operations.read(f"{RECEIPTS}/{id}")).data
    return {key: value for key, value in data.items() if key not in ("id", "last_modified")}


def methods(recording):
    return [one.method for one in recording]


def partial(*names):
    return Receipt.objects.only(*(names or ("amount",))).get()


def test_only_what_is_named_is_asked_for(sent):
    (found,) = Receipt.objects.only("amount", "kind").filter(currency="USD").order_by("-amount")
    assert sent.last.params["_fields"] == "amount,type,currency"
    assert (found.id, found.amount, found.kind, found.last_modified > 0) == ("abc", 5, "gift", True)
    assert {"currency", "tags", "address"}.isdisjoint(vars(found))
    assert methods(sent) == ["GET"]


def test_fields_are_named_by_expressions_too(sent):
    (found,) = Receipt.objects.all().only(Receipt.amount, F(Receipt.kind))
    assert sorted(vars(found)) == ["_state", "amount", "id", "kind", "last_modified"]


def test_the_last_only_counts_and_the_id_is_always_there(sent):
    found = Receipt.objects.only("amount").only("id", "modified_at").get()
    assert sent.last.params["_fields"] == "id"
    assert (found.id, found.modified_at is not None) == ("abc", True)
    assert "amount" not in vars(found)


def test_a_filter_by_time_asks_for_the_mark_of_the_deleted(sent):
    assert Receipt.objects.only("amount").filter(last_modified__gt=0).get().amount == 5
    assert sent.last.params["_fields"] == "amount,deleted"


def test_a_part_that_the_query_looks_at_is_no_field_that_was_read(sent):
    found = Receipt.objects.only("amount").filter(address__city__endswith="me").get()
    assert sent.last.params["_fields"] == "amount,address.city"
    sent.clear()
    assert found.address == Address("Rome")
    assert methods(sent) == ["GET"]


def test_what_is_checked_and_ordered_here_is_asked_for_as_well(sent):
    Receipt.objects.create(id="def", amount=7)
    query = Receipt.objects.only("kind").filter(currency__iendswith="d").order_by("extra__note")
    assert [one.kind for one in query] == ["gift"]
    assert sent.last.params["_fields"] == "type,currency,note"


@pytest.mark.parametrize("name", ["dotted", "dashed"])
def test_names_that_kinto_cannot_select_are_read_whole(payments, sent, name):
    payments.connection.perform(operations.create(f"{RECEIPTS}/odd", {"amount": 1, "a.b": 2, "x-y": 3}))
    sent.clear()
    found = Odd.objects.only("amount", name).filter(amount=1).get()
    assert "_fields" not in sent.last.params
    assert (found.amount, found.dotted, found.dashed) == (1, 2, 3)
    assert methods(sent) == ["GET"]


def test_too_many_names_for_an_address_are_read_whole(payments):
    names = [f"a{'x' * 100}{at}" for at in range(20)]
    wide = type(Model)(
        "Wide",
        (Model,),
        {"__annotations__": dict.fromkeys(names, int), **dict.fromkeys(names, 1), "__module__": __name__},
        bucket="payments",
        collection="receipts",
    )
    wide.objects.create()
    with record(payments) as recording:
        wide.objects.only(*names).get()
    assert "_fields" not in recording.last.params


def test_pages_keep_the_order(payments):
    for at in range(7):
        Receipt.objects.create(id=f"r{at}", amount=at % 3)
    query = Receipt.objects.only("kind").order_by("amount", "-id")
    assert [one.id for one in query.iterator(page_size=2)] == ["r6", "r3", "r0", "r4", "r1", "r5", "r2"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("amuont",), "Receipt has no field 'amuont'; did you mean 'amount'"),
        (("address__city",), r"Receipt.address.city: only\(\) reads whole fields, values\(\) parts of them"),
        (("extra__note",), r"only\(\) reads whole fields"),
        ((), r"only\(\) names the fields to be read"),
        ((3,), "a field is named, as in 'amount' or F"),
    ],
)
def test_what_only_cannot_read_is_refused_unsent(names, message):
    with pytest.raises(UsageError, match=message):
        Receipt.objects.only(*names)


# reading the others


def test_a_field_that_was_not_read_loads_the_record_once(sent):
    found = partial()
    sent.clear()
    assert (found.currency, found.tags, found.address, found.kind) == (
        "USD",
        ["new"],
        Address("Rome"),
        "gift",
    )
    assert found.extra == {"note": "x"}
    assert [str(one) for one in sent] == [f"GET {RECEIPTS}/abc"]
    assert found.permissions.write
    assert found.changes() == {}
    found.save()
    assert len(sent) == 1


def test_the_extra_attributes_load_the_record_as_well(payments, sent):
    found = partial()
    sent.clear()
    assert found.extra == {"note": "x"}
    del found.extra["note"]
    found.save()
    assert methods(sent) == ["GET", "PUT"]
    assert stored(payments) == {key: value for key, value in DATA.items() if key != "note"}


def test_a_missing_key_has_its_default_in_each_case(payments):
    payments.connection.perform(operations.create(f"{RECEIPTS}/bare", {"amount": 1}))
    found = partial("amount", "currency")
    assert vars(found)["currency"] == "EUR"
    assert (found.kind, found.tags) == ("sale", [])
    assert found.changes() == {}


def test_what_does_not_fit_is_named_when_it_is_read(payments):
    payments.connection.perform(operations.create(f"{RECEIPTS}/bad", {"currency": 3, "type": 4}))
    with pytest.raises(ValidationError) as caught:
        partial("amount", "currency")
    assert str(caught.value) == (
        "payments/receipts/bad: amount: missing; currency: expected a string, got number 3"
    )
    found = partial("tags")
    with pytest.raises(ValidationError, match="payments/receipts/bad: kind: expected a string"):
        found.kind  # noqa: B018
    with pytest.raises(ValidationError, match="payments/receipts/bad: amount: missing"):
        found.amount  # noqa: B018


def test_what_somebody_wrote_meanwhile_is_a_conflict_for_the_save(sent):
    found = partial()
    other = Receipt.objects.get(id="abc")
    other.amount, other.currency = 6, "CHF"
    other.save()
    assert (found.amount, found.currency) == (5, "CHF")
    assert found.changes() == {}
    found.tags = ["late"]
    with pytest.raises(Conflict):
        found.save()
    found.save(on_conflict="merge")
    assert (found.amount, found.tags, found.currency) == (6, ["late"], "CHF")


# writing


def test_a_save_sends_what_changed_and_erases_nothing(payments, sent):
    found = partial()
    found.amount = 6
    found.currency = "EUR"
    assert found.changes() == {"amount": 6, "currency": "EUR"}
    sent.clear()
    found.save()
    (patch,) = sent
    assert (patch.method, patch.body) == ("PATCH", {"data": {"amount": 6, "currency": "EUR"}})
    assert patch.headers["If-Match"]
    assert stored(payments) == {**DATA, "amount": 6, "currency": "EUR"}
    sent.clear()
    assert (found.kind, found.extra, found.changes()) == ("gift", {"note": "x"}, {})
    found.save()
    assert not sent.operations


def test_nothing_is_sent_where_nothing_changed(sent):
    found = partial()
    sent.clear()
    found.save()
    assert not sent.operations


def test_a_field_set_to_its_default_is_sent_as_nobody_knows_what_is_there(payments, sent):
    found = partial()
    found.kind = "sale"
    found.save()
    assert stored(payments)["type"] == "sale"


def test_a_nested_field_set_unread_keeps_what_its_class_does_not_know(payments, sent):
    found = partial()
    found.address = Address("Oslo")
    sent.clear()
    found.save()
    assert methods(sent) == ["GET", "PATCH"]
    assert stored(payments)["address"] == {"city": "Oslo", "floor": 3}


class Noted(Model, bucket="payments", collection="receipts"):
    amount: int
    note: str | None = field(omit_none=True)


def test_none_takes_away_a_key_that_was_not_read(payments, sent):
    found = Noted.objects.only("amount").get()
    found.note = None
    sent.clear()
    found.save()
    assert methods(sent) == ["GET", "PUT"]
    assert stored(payments) == {key: value for key, value in DATA.items() if key != "note"}


@pytest.mark.parametrize(
    "manner", [{}, {"verify": True}, {"force": True}, {"on_conflict": "merge"}], ids=repr
)
def test_none_takes_away_a_key_that_was_read_and_no_other(payments, sent, manner):
    found = Noted.objects.only("note").get()
    found.note = None
    sent.clear()
    found.save(**manner)
    assert methods(sent)[0] == "GET"
    assert stored(payments) == {key: value for key, value in DATA.items() if key != "note"}


def test_a_null_goes_only_by_force_and_no_other_key_with_it(payments, sent):
    payments.connection.perform(operations.update(f"{RECEIPTS}/abc", {"note": None}))
    found = Noted.objects.only("note").get()
    sent.clear()
    found.save()
    assert not sent.operations
    found.save(force=True)
    assert stored(payments) == {key: value for key, value in DATA.items() if key != "note"}


def test_bulk_work_does_not_take_a_key_out_of_a_record_that_was_read_in_part(payments, sent):
    found = Noted.objects.only("note").get()
    found.note = None
    (failure,) = Noted.objects.bulk_save([found]).failures
    assert "it was read in part: refresh() it before" in failure.message
    assert stored(payments) == DATA


def test_such_a_record_is_never_readonly(payments):
    with pytest.raises(UsageError, match=r"never readonly: leave out only\(\) or readonly="):
        Receipt.objects.only("amount").iterator(readonly=True)


def _is_short(record, attribute, value):
    if len(value) > 3:
        raise ValueError("too long")


class Strict(Model, bucket="payments", collection="receipts"):
    amount: int
    currency: str = field(validator=_is_short)


def test_all_that_is_wrong_with_it_is_said_without_reading_the_rest(payments, sent):
    found = Strict.objects.only("amount").get()
    found.amount = "many"
    sent.clear()
    with pytest.raises(ValidationError, match="amount: expected an integer"):
        found.save()
    assert not sent.operations


def test_what_writes_many_does_not_write_such_a_record(sent):
    found = partial()
    found.address = Address("Oslo")
    with pytest.raises(
        UsageError, match=r"abc: it was read in part: refresh\(\) it before a nested field is set"
    ):
        changes.write(found)


def test_a_forced_save_sends_no_more_than_what_was_read_and_set(payments, sent):
    found = partial("currency")
    found.kind = "sale"
    sent.clear()
    found.save(force=True)
    assert sent.last.body == {"data": {"type": "sale"}}
    assert stored(payments) == {**DATA, "type": "sale"}


def test_permissions_of_a_part_are_sent_alone(payments, sent):
    found = partial()
    found.permissions.update(read=["account:bob"])
    assert stored(payments) == DATA
    assert (found.kind, found.changes()) == ("gift", {})


def test_a_refresh_makes_it_whole(sent):
    found = partial()
    found.amount = 9
    sent.clear()
    found.refresh()
    assert (found.amount, found.kind, found.extra) == (5, "gift", {"note": "x"})
    assert methods(sent) == ["GET"]


@pytest.mark.parametrize("choice", ["merge", "mine"])
def test_both_sides_changes_are_merged(payments, sent, choice):
    found = partial()
    found.amount = 6
    other = Receipt.objects.get(id="abc")
    other.currency = "CHF"
    other.extra["note"] = "y"
    other.save()
    found.save(on_conflict=choice)
    assert stored(payments) == {**DATA, "amount": 6, "currency": "CHF", "note": "y"}
    assert (found.currency, found.extra) == ("CHF", {"note": "y"})


def test_whether_a_field_that_was_set_unread_overlaps_nobody_knows(payments, sent):
    found = partial()
    found.currency = "SEK"
    other = Receipt.objects.get(id="abc")
    other.amount = 7
    other.save()
    with pytest.raises(Conflict, match="both sides changed currency"):
        found.save(on_conflict="merge")
    found.save(on_conflict="mine")
    assert stored(payments) == {**DATA, "amount": 7, "currency": "SEK"}


def test_a_function_of_the_conflict_gets_whole_data(payments, sent):
    found = partial()
    found.amount = 6
    other = Receipt.objects.get(id="abc")
    other.amount = 7
    other.save()

    def both(conflict):
        assert conflict.mine == {**DATA, "amount": 6}
        assert conflict.base == DATA
        return {**conflict.mine, "amount": conflict.mine["amount"] + conflict.theirs["amount"]}

    found.save(on_conflict=both)
    assert stored(payments) == {**DATA, "amount": 13}


@pytest.mark.parametrize("choice", ["merge", "mine"])
def test_what_was_deleted_cannot_be_made_of_a_part(payments, sent, choice):
    found = partial()
    Receipt.objects.get(id="abc").delete()
    found.amount = 6
    with pytest.raises(Conflict):
        found.save(on_conflict=choice)
    assert Receipt.objects.count() == 0


def test_a_part_that_was_deleted_cannot_be_saved_again(sent):
    found = partial()
    sent.clear()
    found.delete()
    assert methods(sent) == ["DELETE"]
    for attempt in (found.save, found.changes, lambda: found.kind):
        with pytest.raises(UsageError, match="abc: only part of it was read before it was deleted"):
            attempt()
    found.currency, found.tags, found.address, found.kind = "USD", [], None, "gift"
    with pytest.raises(UsageError, match="only part of it was read before it was deleted"):
        found.save()
    assert found.extra == {}
    assert len(sent) == 1


def test_a_part_that_became_whole_can(payments, sent):
    found = partial()
    assert (found.currency, found.tags, found.address, found.kind) == (
        "USD",
        ["new"],
        Address("Rome"),
        "gift",
    )
    found.delete()
    found.save()
    assert stored(payments) == {**DATA, "address": {"city": "Rome"}}


def test_a_part_that_is_saved_elsewhere_is_read_first(payments, sent, kinto_client):
    kinto_client.create_bucket("payments").create_collection("receipts")
    found = partial()
    found.amount = 6
    sent.clear()
    found.save(using=kinto_client)
    assert methods(sent) == ["GET"]
    assert stored(kinto_client) == {**DATA, "address": {"city": "Rome"}, "amount": 6}
    assert stored(payments) == DATA


# copies


@pytest.mark.parametrize(
    "again",
    [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_copy_of_a_part_is_a_part(payments, sent, again):
    twin = again(partial())
    assert "kind" not in vars(twin)
    twin.amount = 8
    twin.save()
    assert stored(payments) == {**DATA, "amount": 8}
    assert twin.kind == "gift"


def test_evolve_reads_the_rest(sent):
    twin = attrs.evolve(partial(), amount=1)
    assert (twin.kind, twin.amount, twin.last_modified) == ("gift", 1, None)


def test_the_repr_asks_for_nothing(sent):
    found = partial()
    sent.clear()
    assert repr(found) == (
        f"Receipt(id='abc', last_modified={found.last_modified}, amount=5, currency=<not read>, "
        "tags=<not read>, address=<not read>, kind=<not read>)"
    )
    assert not sent.operations


def test_names_that_are_no_fields_are_still_none(sent):
    found = partial()
    sent.clear()
    with pytest.raises(AttributeError, match="has no attribute 'amuont'"):
        found.amuont  # noqa: B018
    assert not hasattr(found, "objects")
    assert not sent.operations


def test_a_new_record_without_an_attribute_asks_for_nothing(payments):
    new = Receipt(amount=1)
    del new.amount
    with record(payments) as recording:
        with pytest.raises(AttributeError, match="amount"):
            new.amount  # noqa: B018
        with pytest.raises(AttributeError, match="amount"):
            new.save()
        assert not recording.operations


def test_what_the_class_does_with_new_objects_is_done_with_parts(payments, sent):
    class Checked(Model, bucket="payments", collection="receipts"):
        amount: int = attrs.field(validator=attrs.validators.ge(0), converter=abs)
        currency: str = "EUR"
        double: int = attrs.field(default=attrs.Factory(lambda self: self.amount * 2, takes_self=True))

        def __attrs_post_init__(self):
            self.label = f"{self.amount} {self.currency}"

    sent.clear()
    found = Checked.objects.only("amount", "double", "currency").get()
    assert (found.label, found.double) == ("5 USD", 10)
    assert methods(sent) == ["GET"]
