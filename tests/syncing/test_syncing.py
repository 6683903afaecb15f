"""sync(): which item stands for which record, what differs, and what is refused."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest

from kintomodel import Client, F, Model, Q, UsageError, ValidationError, field
from kintomodel.protocol import operations
from kintomodel.testing import record


class Status(Enum):
    open = "open"
    void = "void"


@attrs.define
class Address:
    city: str
    zip: int | None = None


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: Decimal = Decimal(0)
    currency: str = "EUR"
    paid_at: datetime | None = None
    tags: list[str] = field(factory=list)
    address: Address | None = None
    status: Status = Status.open
    kind: str = field(key="type", default="sale")
    note: str = field(default="", owner="remote")


class Package(Model, bucket="payments", collection="receipts"):
    name: str
    version: float | None = None
    size: int = 0


class Tight(Model, bucket="payments", collection="receipts"):
    amount: int


class Loose(Model, bucket="payments", collection="receipts"):
    amount: Any = None
    attachment: dict[str, Any] | None = None


class Priced(Model, bucket="payments", collection="receipts"):
    price: Decimal = field(default=Decimal(0), store="text")
    token: UUID = field(factory=uuid4)


class Slip(Model, bucket="payments", collection="receipts"):
    amount: int = 0
    note: str | None = field(default=None, omit_none=True, key="remark")
    theirs: str | None = field(default=None, omit_none=True, owner="remote")


class Homeless(Model):
    amount: int = 0


RECEIPTS = "/buckets/payments/collections/receipts/records"
NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)


def store(client: Client, id: str, **data: Any) -> None:
    client.connection.perform(operations.replace(f"{RECEIPTS}/{id}", data))


def stored(client: Client, id: str) -> dict[str, Any]:
    data = client.connection.perform(operations.read(f"{RECEIPTS}/{id}")).data
    return {key: value for key, value in data.items() if key not in ("id", "last_modified")}


def only(plan: Any) -> Any:
    (change,) = plan.changes
    return change


# items


def test_records_and_dicts_are_taken_alike(payments: Client) -> None:
    plan = Receipt.objects.sync([Receipt(id="a", amount=Decimal(1)), {"id": "b", "amount": Decimal(1)}])
    first, second = plan.creates
    assert (first.kind, first.id, second.id) == ("create", "a", "b")
    assert first.data == second.data == {
        "amount": 1, "currency": "EUR", "paid_at": None, "tags": [], "address": None, "status": "open",
        "type": "sale", "note": "",
    }  # fmt: skip
    plan.apply().raise_for_failures()
    assert stored(payments, "a") == first.data


def test_a_dict_may_hold_json_that_reads_as_the_value(payments: Client) -> None:
    values = {
        "amount": 12.5, "paid_at": "2026-11-23T13:00:00+01:00", "address": {"city": "Paris"},
        "status": "void", "kind": "gift",
    }  # fmt: skip
    python = {
        "amount": Decimal("12.5"), "paid_at": NOON, "address": Address("Paris"), "status": Status.void,
        "kind": "gift",
    }  # fmt: skip
    first, second = Receipt.objects.sync([{"id": "a", **values}, {"id": "b", **python}]).creates
    assert first.data == second.data
    assert first.data["paid_at"] == "2026-11-23T12:00:00.000000+00:00"


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"id": "a", "amuont": 1}, r"source\[1\]: Receipt has no field 'amuont'; did you mean 'amount'\?"),
        ({"id": "a", "type": "sale"}, r"source\[1\]: Receipt has no field 'type'; .* server calls 'kind'"),
        ({"id": "a", "permissions": {}}, r"source\[1\]: Receipt has no field 'permissions'"),
        ({"id": "a", 7: 1}, r"source\[1\]: Receipt has no field 7"),
        ({"id": "a", "extra": {"type": 1}}, r"source\[1\]: extra\['type'\]: extra is for attributes"),
        ({"id": "a", "extra": {"deleted": True}}, r"source\[1\]: extra\['deleted'\]"),
        ({"amount": 1}, r"source\[1\]: it has no id to be found by"),
        ("a", r"source\[1\]: expected a Receipt or a dict of its fields, got string 'a'"),
        (Package(name="a"), r"source\[1\]: expected a Receipt or a dict"),
    ],
)
def test_what_is_no_record_is_refused_by_its_position(payments: Client, item: Any, message: str) -> None:
    with record(payments) as sent, pytest.raises(UsageError, match=message):
        Receipt.objects.sync([{"id": "fine"}, item])
    assert not sent.writes


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"id": "a", "amount": "12,5"}, r"source\[1\]: amount: expected a number, got string '12,5'"),
        ({"id": "a", "paid_at": datetime(2026, 1, 1)}, r"source\[1\]: paid_at: naive datetime"),
        (
            {"id": "a", "amount": 0.39723997685875156},
            "amount: 0.39723997685875156 does not fit a JSON number",
        ),
        ({"id": "a", "address": {"city": 5}}, r"source\[1\]: address.city: expected a string, got number 5"),
        ({"id": "a", "kind": 1, "currency": 2}, r"kind: expected a string.*; currency: expected a string"),
        ({"id": "a", "kind": "\0"}, r"source\[1\].type: Kinto cannot store the character NUL"),
        (
            {"id": "a", "extra": 1},
            r"source\[1\]: extra: expected a dict of undeclared attributes, got number 1",
        ),
        ({"id": "a b"}, r"source\[1\]: 'a b' is no record id"),
        ({"id": 5}, r"source\[1\]: 5 is no record id"),
        (Receipt(id="a", amount="1"), r"source\[1\]: amount: expected a Decimal, got string '1'"),  # type: ignore[arg-type]
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_its_position(
    payments: Client, item: Any, message: str
) -> None:
    with record(payments) as sent, pytest.raises(ValidationError, match=message):
        Receipt.objects.sync([{"id": "fine"}, item])
    assert not sent.writes


def test_a_decimal_that_no_number_holds_is_refused(payments: Client) -> None:
    with pytest.raises(ValidationError, match="does not fit a JSON number exactly"):
        Receipt.objects.sync([{"id": "a", "amount": Decimal("0.1234567890123456789")}])


@pytest.mark.parametrize("source", ["abc", b"abc", {"id": "a"}, Receipt(id="a"), 7, None])
def test_a_source_is_several_items(payments: Client, source: Any) -> None:
    with record(payments) as sent, pytest.raises(UsageError, match=r"sync\(\) takes several records"):
        Receipt.objects.sync(source)
    assert not len(sent)


def test_a_record_whose_permissions_were_edited_is_refused(payments: Client) -> None:
    edited = Receipt(id="a")
    edited.permissions.read += "account:bob"
    with pytest.raises(UsageError, match=r"source\[0\]: its permissions were edited"):
        Receipt.objects.sync([edited])


def test_a_model_without_a_place_syncs_where_it_is_told(payments: Client) -> None:
    objects = Homeless.objects.using(bucket="payments", collection="receipts")
    objects.sync([Homeless(id="a", amount=3), {"id": "b"}]).apply().raise_for_failures()
    assert [one.amount for one in objects.order_by("id")] == [3, 0]


# updates


def test_a_field_that_a_dict_lacks_is_left_as_it_is(payments: Client) -> None:
    store(payments, "a", amount=5, currency="USD")
    plan = Receipt.objects.sync([{"id": "a", "amount": 6}, {"id": "b", "amount": 6}])
    with record(payments) as sent:
        plan.apply().raise_for_failures()
    assert stored(payments, "a") == {"amount": 6, "currency": "USD"}
    assert stored(payments, "b")["currency"] == "EUR"
    create, update = sent.writes[0].body["requests"]
    assert create["headers"] == {"If-None-Match": "*"}
    assert update["headers"] == {"If-Match": f'"{plan.updates[0].last_modified}"'}
    assert update["body"] == {"data": {"amount": 6}}


def test_a_dict_that_lacks_what_has_no_default_can_only_update(payments: Client) -> None:
    store(payments, "a", amount=5)
    assert not Tight.objects.sync([{"id": "a"}])
    with pytest.raises(ValidationError, match=r"source\[1\]/b: amount: missing"):
        Tight.objects.sync([{"id": "a"}, {"id": "b"}])


def test_the_difference_names_each_field_with_its_old_and_new_value(payments: Client) -> None:
    store(payments, "a", amount=5, type="gift", address={"city": "Paris", "planet": "Earth"}, seen=1)
    wanted = Receipt(id="a", amount=Decimal(6), kind="sale", address=Address("Rome"), tags=["x"])
    change = only(Receipt.objects.sync([wanted]))
    assert change.difference == {
        "amount": (5, 6),
        "kind": ("gift", "sale"),
        "tags": ([], ["x"]),
        "address": (
            {"city": "Paris", "planet": "Earth"},
            {"city": "Rome", "zip": None, "planet": "Earth"},
        ),
    }
    Receipt.objects.sync([wanted]).apply().raise_for_failures()
    assert stored(payments, "a")["seen"] == 1
    assert not Receipt.objects.sync([wanted])


def test_the_same_value_in_another_form_is_no_difference(payments: Client) -> None:
    store(payments, "a", amount=5.0, paid_at="2026-11-23T12:00:00Z", address={"city": "Paris"})
    wanted = Receipt(id="a", amount=Decimal(5), paid_at=NOON, address=Address("Paris"))
    plan = Receipt.objects.sync([wanted])
    assert (bool(plan), plan.unchanged) == (False, 1)


def test_a_float_that_kinto_rounds_is_no_difference_the_next_time(payments: Client) -> None:
    source = [{"id": "a", "amount": 0.39723997685875156}]
    assert Loose.objects.sync(source).apply().created
    assert not Loose.objects.sync(source)


def test_true_is_not_one(payments: Client) -> None:
    store(payments, "a", amount=True)
    assert only(Loose.objects.sync([{"id": "a", "amount": 1}])).difference == {"amount": (True, 1)}


def test_a_stored_value_that_does_not_fit_is_replaced(payments: Client) -> None:
    store(payments, "a", amount="twelve")
    plan = Tight.objects.sync([{"id": "a", "amount": 12}])
    assert only(plan).difference == {"amount": ("twelve", 12)}
    plan.apply().raise_for_failures()
    assert Tight.objects.get(id="a").amount == 12


def test_a_stored_record_without_a_required_field_gets_it(payments: Client) -> None:
    store(payments, "a")
    assert only(Tight.objects.sync([{"id": "a", "amount": 12}])).difference == {"amount": (None, 12)}


def test_what_the_server_adds_is_no_difference(payments: Client) -> None:
    collection = payments.bucket("payments").get_collection("receipts")
    collection.data["schema"] = {"type": "object"}
    collection.save()
    store(payments, "a", amount=1, attachment={"hash": "x"})
    assert stored(payments, "a")["schema"]
    source = [{"id": "a", "amount": 1, "last_modified": 7, "schema": 8, "attachment": None}]
    assert not Loose.objects.sync(source)
    assert not Loose.objects.sync([Loose(id="a", amount=1)])
    assert Loose.objects.sync([Loose(id="b", amount=1)]).creates[0].data == {"amount": 1}


def test_undeclared_attributes_are_compared_only_where_the_source_has_them(payments: Client) -> None:
    store(payments, "a", amount=1, seen=1)
    assert not Tight.objects.sync([Tight(id="a", amount=1)])
    mine = Tight.objects.get(id="a")
    mine.extra["seen"] = 2
    for item in (mine, {"id": "a", "extra": {"seen": 2}}):
        assert only(Tight.objects.sync([item])).difference == {"seen": (1, 2)}


def test_undeclared_attributes_within_objects_are_kept_and_compared(payments: Client) -> None:
    store(payments, "a", address={"city": "Paris", "zip": None, "floor": 1, "door": "b"})
    source = [{"id": "a", "address": {"city": "Paris", "floor": 1}}]
    assert not Receipt.objects.sync(source)
    Receipt.objects.sync(
        [{"id": "a", "address": {"city": "Paris", "floor": 2}}, {**source[0], "id": "b"}]
    ).apply()
    assert stored(payments, "a")["address"] == {"city": "Paris", "zip": None, "floor": 2, "door": "b"}
    assert stored(payments, "b")["address"] == {"city": "Paris", "zip": None, "floor": 1}
    assert not Receipt.objects.sync([{"id": "a", "address": Address("Paris")}])


def test_what_editors_own_is_sent_once_and_never_overwritten(payments: Client) -> None:
    source = [Receipt(id="a", note="ours", currency="EUR")]
    Receipt.objects.sync(source).apply().raise_for_failures()
    assert stored(payments, "a")["note"] == "ours"
    store(payments, "a", **{**stored(payments, "a"), "note": "theirs", "currency": "USD"})
    assert not Receipt.objects.sync(source, preserve=["currency"])
    assert not Receipt.objects.sync(source, preserve="currency")
    assert only(Receipt.objects.sync(source)).difference == {"currency": ("USD", "EUR")}


@pytest.mark.parametrize("item", [Slip(id="a", amount=1), {"id": "a", "note": None, "theirs": None}])
def test_none_takes_out_the_key_of_a_field_that_it_leaves_out(payments: Client, item: Any) -> None:
    permissions = {"read": ["account:bob"]}
    data = {"amount": 1, "remark": "old", "theirs": "kept", "unknown": 1}
    payments.connection.perform(operations.create(f"{RECEIPTS}/a", data, permissions))
    plan = Slip.objects.sync([item])
    assert only(plan).difference == {"note": ("old", None)}
    with record(payments) as sent:
        plan.apply(verify=True).raise_for_failures()
    (request,) = sent.writes
    assert (request.method, request.headers["If-Match"]) == ("PUT", f'"{only(plan).last_modified}"')
    assert stored(payments, "a") == {"amount": 1, "theirs": "kept", "unknown": 1}
    assert set(Slip.objects.get(id="a").permissions.read) == {"account:bob"}
    assert not Slip.objects.sync([item])


def test_a_new_record_lacks_the_key_of_a_field_that_none_leaves_out(payments: Client) -> None:
    plan = Slip.objects.sync([Slip(id="a"), {"id": "b", "note": None}, {"id": "c", "theirs": None}])
    assert [one.data for one in plan.creates] == [{"amount": 0}] * 3


def test_a_null_of_others_is_left_where_none_leaves_out_the_key(payments: Client) -> None:
    store(payments, "a", amount=1, remark=None)
    assert not Slip.objects.sync([{"id": "a", "note": None}])


def test_a_key_that_is_taken_out_counts_for_compare_preserve_and_scope(payments: Client) -> None:
    store(payments, "a", amount=1, remark="old")
    item = {"id": "a", "amount": 2, "note": None}
    assert not Slip.objects.sync([{"id": "a", "note": None}], preserve=["note"])
    assert not Slip.objects.sync([{"id": "a", "note": None}], compare=["amount"])
    assert len(Slip.objects.sync([item], compare=["note"])) == 1
    with pytest.raises(UsageError, match="a is outside of the scope"):
        Slip.objects.sync([item], scope={"note": "old"})


def test_a_record_that_was_read_in_part_takes_out_no_key_that_was_not_read(payments: Client) -> None:
    store(payments, "a", amount=1, remark="old")
    (part,) = Slip.objects.only("amount")
    assert not Slip.objects.sync([part])


def test_a_key_may_be_left_out_by_none(payments: Client) -> None:
    store(payments, "a", amount=1)
    assert only(Slip.objects.sync([{"note": None, "amount": 2}], key="note")).id == "a"


def test_only_the_fields_to_compare_make_a_difference(payments: Client) -> None:
    store(payments, "a", amount=1, currency="EUR", tags=["x"])
    source = [{"id": "a", "amount": 2, "tags": ["y"]}]
    assert not Receipt.objects.sync(source, compare=["currency"])
    change = only(Receipt.objects.sync(source, compare=["amount"]))
    assert change.difference == {"amount": (1, 2), "tags": (["x"], ["y"])}


# keys


def test_a_natural_key_keeps_the_ids_that_are_there(payments: Client) -> None:
    store(payments, "kept", name="a", version=1, size=1)
    source = [{"name": "a", "version": 1.0, "size": 2}, {"name": "a", "version": 2.5}]
    plan = Package.objects.sync(source, key=("name", "version"))
    assert (plan.updates[0].id, plan.updates[0].difference) == ("kept", {"size": (1, 2)})
    plan.apply().raise_for_failures()
    assert len({one.id for one in Package.objects}) == 2
    assert not Package.objects.sync(source, key=["name", "version"])


def test_a_key_may_be_of_the_default(payments: Client) -> None:
    store(payments, "kept", name="a")
    assert only(Package.objects.sync([{"name": "a", "size": 3}], key=("version", "name"))).id == "kept"


def test_a_new_record_has_the_id_of_its_item_if_that_has_one(payments: Client) -> None:
    plan = Package.objects.sync([Package(id="mine", name="a"), {"name": "b"}], key="name")
    assert plan.creates[0].id == "mine"
    assert len(plan.creates[1].id) == 36


def test_two_items_with_one_key_are_refused(payments: Client) -> None:
    store(payments, "a", name="a")
    for name in ("a", "b"):
        source = [{"name": "x"}, {"name": name}, {"name": name}]
        with pytest.raises(UsageError, match=rf"source\[1\] and source\[2\] .* name='{name}'"):
            Package.objects.sync(source, key="name")
    with pytest.raises(UsageError, match=r"source\[0\] and source\[1\] stand for one record: id='q'"):
        Package.objects.sync([{"id": "q", "name": "a"}] * 2)


@pytest.mark.parametrize("name", ["a", "b"])
@pytest.mark.parametrize("delete", [True, False])
def test_two_records_with_one_key_are_refused(payments: Client, name: str, delete: bool) -> None:
    for id in ("one", "two"):
        store(payments, id, name=name)
    message = rf"payments/receipts has several records with name='{name}', one of them two"
    with pytest.raises(UsageError, match=message):
        Package.objects.sync([{"name": "a"}], key="name", delete=delete, max_delete=1.0)


def test_a_key_that_an_item_lacks_is_refused(payments: Client) -> None:
    with pytest.raises(UsageError, match=r"source\[0\]: it lacks 'name', which it is to be found by"):
        Package.objects.sync([{"size": 1}], key="name")


def test_a_key_that_does_not_fit_is_refused_with_its_record(payments: Client) -> None:
    store(payments, "odd", name=5)
    with pytest.raises(ValidationError, match="payments/receipts/odd: name: expected a string"):
        Package.objects.sync([{"name": "a"}], key="name")


def test_a_key_that_kinto_would_change_is_refused(payments: Client) -> None:
    with pytest.raises(ValidationError, match=r"source\[0\]: version: Kinto does not keep"):
        Package.objects.sync([{"name": "a", "version": 0.39723997685875156}], key="version")


def test_decimals_of_equal_value_are_one_key(payments: Client) -> None:
    many = "0.12345678901234567890123456789012345"
    store(payments, "a", price="1.50")
    store(payments, "b", price=many + "1")
    store(payments, "c", price="-0")
    source: list[dict[str, Any]] = [{"price": "1.5"}, {"price": many + "10"}, {"price": Decimal("0.00")}]
    assert not Priced.objects.sync(source, key="price", delete=True)
    plan = Priced.objects.sync([{"price": many + "2"}, {"price": "1E+999999999"}], key="price")
    assert len(plan.creates) == 2
    with pytest.raises(UsageError, match=r"source\[0\] and source\[1\] stand for one record: price='1E\+1'"):
        Priced.objects.sync([{"price": "10"}, {"price": "10.0"}], key="price")


def test_a_default_that_is_new_each_time_is_no_key(payments: Client) -> None:
    with pytest.raises(UsageError, match=r"source\[0\]: it lacks 'token', which it is to be found by"):
        Priced.objects.sync([{"price": "1"}], key="token")
    store(payments, "a", price="1")
    with pytest.raises(UsageError, match="payments/receipts/a: it lacks 'token'"):
        Priced.objects.sync([], key="token")


def test_a_record_that_was_read_in_part_can_only_update(payments: Client) -> None:
    store(payments, "a", name="a", size=3)
    payments.bucket("copies").create()
    payments.bucket("copies").create_collection("receipts")
    copies = Package.objects.using(bucket="copies")
    with pytest.raises(
        UsageError, match=r"source\[0\]: a is to be created, but only some of its fields were"
    ):
        copies.sync(Package.objects.only("name"))
    copies.create(id="a", name="b", size=5)
    copies.sync(Package.objects.only("name")).apply().raise_for_failures()
    (copied,) = copies.all()
    assert (copied.name, copied.size) == ("a", 5)
    assert (
        len(copies.sync([*Package.objects.only("name", "size", "version"), Package(name="c")], key="name"))
        == 2
    )


def test_a_key_may_be_nested(payments: Client) -> None:
    store(payments, "a", address={"city": "Paris", "zip": 1.0}, tags=["x"])
    source = [Receipt(address=Address("Paris", 1), tags=["x"])]
    assert not Receipt.objects.sync(source, key=("address", "tags"))


# deletion, scope


def test_nothing_is_deleted_unless_told(payments: Client) -> None:
    store(payments, "a")
    store(payments, "b")
    assert not Receipt.objects.sync([{"id": "a"}])
    plan = Receipt.objects.sync([{"id": "a"}], delete=True, max_delete=0.5)
    assert [(one.kind, one.id) for one in plan.changes] == [("delete", "b")]
    assert [one.id for one in plan.apply().deleted[0:1] for one in [one.object]] == ["b"]
    assert [one.id for one in Receipt.objects] == ["a"]


def test_too_many_deletions_are_refused_with_their_numbers(payments: Client) -> None:
    for number in range(20):
        store(payments, f"r{number}")
    keep = [{"id": f"r{number}"} for number in range(17)]
    message = "this would delete 3 of 20 records of payments/receipts, which is more than max_delete=0.1"
    with pytest.raises(UsageError, match=message):
        Receipt.objects.sync(keep, delete=True)
    assert len(Receipt.objects.sync([*keep, {"id": "r17"}], delete=True).deletes) == 2
    assert len(Receipt.objects.sync(keep, delete=True, max_delete=0.15).deletes) == 3


def test_the_share_that_may_be_deleted_is_exact(payments: Client) -> None:
    Receipt.objects.sync([{"id": f"r{number}"} for number in range(100)]).apply()
    plan = Receipt.objects.sync([{"id": f"r{number}"} for number in range(71)], delete=True, max_delete=0.29)
    assert len(plan.deletes) == 29


def test_an_empty_source_deletes_only_if_all_may_go(payments: Client) -> None:
    store(payments, "a")
    with pytest.raises(UsageError, match=r"the source is empty.* all 1 records of payments/receipts"):
        Receipt.objects.sync([], delete=True, max_delete=0.9)
    assert len(Receipt.objects.sync(iter([]), delete=True, max_delete=1).deletes) == 1
    assert not Receipt.objects.sync([])


@pytest.mark.parametrize("scope", [{"currency": "EUR"}, Q(currency="EUR"), F(Receipt.currency) == "EUR"])
def test_records_outside_of_the_scope_are_left_alone(payments: Client, scope: Any) -> None:
    store(payments, "a", currency="EUR")
    store(payments, "b", currency="USD")
    plan = Receipt.objects.sync([{"id": "c"}], delete=True, scope=scope, max_delete=1)
    assert [(one.kind, one.id) for one in plan.changes] == [("create", "c"), ("delete", "a")]


@pytest.mark.parametrize("id", ["a", "new"])
def test_an_item_outside_of_the_scope_is_refused(payments: Client, id: str) -> None:
    store(payments, "a", currency="EUR")
    message = rf"source\[0\]: {id} is outside of the scope, currency == 'EUR'"
    with pytest.raises(UsageError, match=message):
        Receipt.objects.sync([{"id": id, "currency": "USD"}], scope={"currency": "EUR"})
    with pytest.raises(UsageError, match=message):
        Receipt.objects.sync([{"id": id, "currency": "USD"}], scope={"currency": "EUR"}, compare=["amount"])


def test_a_dict_that_lacks_what_the_scope_asks_for_is_inside_by_what_is_stored(payments: Client) -> None:
    store(payments, "a", currency="USD")
    plan = Receipt.objects.sync([{"id": "a", "amount": 3}], scope={"currency": "USD"})
    assert len(plan.updates) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"key": "nmae"}, "key: Package has no field 'nmae'; did you mean 'name'"),
        ({"key": ()}, "key is the name of a field"),
        ({"key": None}, "key takes the name of a field, or several of them, got None"),
        ({"preserve": 5}, "preserve takes the name of a field, or several of them, got 5"),
        ({"compare": ["nope"]}, "compare: Package has no field 'nope'"),
        ({"preserve": ["id"]}, "preserve: Package has no field 'id'"),
        ({"max_delete": 2}, "max_delete is a share of the records, from 0 to 1, got 2"),
        ({"max_delete": True}, "max_delete is a share"),
        ({"max_delete": "all"}, "max_delete is a share"),
        ({"on_conflict": "ours"}, "on_conflict is"),
        ({"on_conflict": print}, "on_conflict is"),
        ({"scope": 3}, "3 is no condition"),
        ({"scope": {"nmae": 3}}, "Package has no field 'nmae'"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_anything_is_sent(
    nowhere: Client, options: Any, message: str
) -> None:
    with record(nowhere) as sent, pytest.raises(UsageError, match=message):
        Package.objects.sync([{"id": "a", "name": "a"}], **options)
    assert not len(sent)


def test_an_owner_is_remote_or_nobody() -> None:
    with pytest.raises(UsageError, match='owner is "remote" or None'):
        field(owner="me")  # type: ignore[call-overload]


# what save() would refuse


class Checked(Model, bucket="payments", collection="receipts"):
    amount: int = field(default=0, validator=attrs.validators.ge(0))
    most: int = 10

    def clean(self) -> None:
        if self.amount > self.most:
            raise ValueError(f"{self.amount} is more than {self.most}")


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        ({"id": "new", "amount": -1}, "amount: 'amount' must be >= 0: -1"),
        ({"id": "old", "amount": -1}, "amount: 'amount' must be >= 0: -1"),
        ({"id": "new", "amount": 11}, "11 is more than 10"),
        ({"id": "old", "amount": 51}, "51 is more than 50"),
        (Checked(id="new", amount=11), "11 is more than 10"),
    ],
)
def test_what_save_would_refuse_is_refused_by_its_position(payments: Client, item: Any, problem: str) -> None:
    store(payments, "old", amount=1, most=50)
    with pytest.raises(ValidationError) as caught:
        Checked.objects.sync([{"id": "fine", "amount": 5}, item])
    assert str(caught.value) == f"source[1]: {problem}"
    assert caught.value.problems == (problem,)


def test_what_is_stored_already_is_not_looked_at(payments: Client) -> None:
    store(payments, "old", amount=-1, most=50)
    assert only(Checked.objects.sync([{"id": "old", "amount": -1, "most": 60}])).data["most"] == 60
    assert not Checked.objects.sync([{"id": "old", "amount": -1}])


# what the source lacks itself


class Token(Model, bucket="payments", collection="receipts"):
    amount: int = 0
    token: UUID = field(factory=uuid4)
    note: str = ""


def test_what_a_default_made_up_for_a_record_is_nothing_that_it_wants(payments: Client) -> None:
    store(payments, "a", amount=1)
    assert not Token.objects.sync(Token.objects.all())
    record = Token.objects.get(id="a")
    assert record.changes() == {}
    record.token = uuid4()
    assert only(Token.objects.sync([record])).difference["token"][1] == str(record.token)


def test_what_a_record_of_the_source_lacks_is_taken_out(payments: Client) -> None:
    store(payments, "a", amount=1)
    source = list(Token.objects.all())
    store(payments, "a", amount=1, note="stale", token=str(uuid4()))
    plan = Token.objects.sync(source)
    assert set(only(plan).difference) == {"note", "token"}
    plan.apply().raise_for_failures()
    assert stored(payments, "a") == {"amount": 1}


def test_the_default_itself_may_stay_where_a_record_of_the_source_lacks_it(payments: Client) -> None:
    store(payments, "a", amount=1)
    source = list(Token.objects.all())
    store(payments, "a", amount=1, note="")
    assert not Token.objects.sync(source)


# what a class leaves out of comparisons


@attrs.define
class Remark:
    text: str
    author: str = attrs.field(default="", eq=False)


@attrs.define(eq=False)
class Place:
    city: str


class Remarked(Model, bucket="payments", collection="receipts"):
    remark: Remark
    place: Place | None = None
    several: list[Remark] = field(factory=list)


def test_what_a_class_does_not_compare_is_a_difference_all_the_same(payments: Client) -> None:
    one = Remarked(id="a", remark=Remark("x", "ann"), place=Place("Paris"), several=[Remark("y", "ann")])
    one.save()
    assert not Remarked.objects.sync([one])
    for name, value in (("remark", Remark("x", "bob")), ("several", [Remark("y", "bob")])):
        assert set(only(Remarked.objects.sync([{"id": "a", name: value}])).difference) == {name}
    one.remark.author = one.several[0].author = "bob"
    assert set(one.changes()) == {"remark", "several"}
    one.save()
    assert Remarked.objects.get(id="a").remark.author == "bob"


# a key that changed


def test_a_record_is_not_created_in_the_place_of_one_that_is_deleted(payments: Client) -> None:
    store(payments, "a", amount=1, currency="EUR")
    source = [{"id": "a", "amount": 2, "currency": "USD"}]
    with pytest.raises(UsageError, match=r"source\[0\]: a is the id of a record with another currency"):
        Receipt.objects.sync(source, key="currency", delete=True, max_delete=1.0)
    assert stored(payments, "a") == {"amount": 1, "currency": "EUR"}
