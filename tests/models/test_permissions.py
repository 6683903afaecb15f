"""Who may read and write a record, as attributes of the model."""

from __future__ import annotations

import pytest

from kintomodel import (
    Authenticated,
    Conflict,
    Everyone,
    Model,
    PermissionsNotVisible,
    UsageError,
    ValidationError,
    account,
    field,
    group,
)
from kintomodel.protocol import operations
from kintomodel.testing import record

ME = "account:tester"
FRIENDS = "/buckets/payments/groups/friends"


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: int = 0
    tags: list[str] = field(factory=list)


class Mine(Model, bucket="default", collection="receipts"):
    amount: int = 0


@pytest.fixture
def sent(payments):
    with record(payments) as recording:
        yield recording


@pytest.fixture
def receipt(payments):
    return Receipt.objects.create(id="abc", amount=1)


@pytest.fixture
def bob(payments, server):
    """The client of somebody who may write the bucket."""
    auth = server.create_account("bob", "secret")
    payments.connection.perform(operations.update("/buckets/payments", None, {"write": ["account:bob"]}))
    with server.client(auth) as client:
        yield client


def held(receipt_id="abc"):
    """What the server has: (read, write)."""
    permissions = Receipt.objects.get(id=receipt_id).permissions
    return set(permissions.read), set(permissions.write)


def test_a_new_record_is_for_its_maker(receipt):
    assert held() == (set(), {ME})
    assert set(receipt.permissions.write) == {ME}


def test_a_principal_is_added_and_saved(receipt, sent):
    before = receipt.last_modified
    receipt.permissions.read += "group:friends"
    assert "group:friends" in receipt.permissions.read
    assert FRIENDS in receipt.permissions.read
    receipt.save()
    assert (sent.last.method, sent.last.headers) == ("PATCH", {"If-Match": f'"{before}"'})
    assert sent.last.body == {"permissions": {"read": [FRIENDS]}}
    assert held() == ({FRIENDS}, {ME})


ALL = [Everyone, account("carol"), group("friends")]
EDITS = {
    "assign": (lambda one: setattr(one, "read", ALL), {"system.Everyone", "account:carol", FRIENDS}),
    "assign one": (lambda one: setattr(one, "read", "account:carol"), {"account:carol"}),
    "add": (lambda one: one.read.add(Authenticated), {"system.Authenticated", "account:bob", FRIENDS}),
    "remove": (lambda one: one.read.remove("account:bob"), {FRIENDS}),
    "discard": (lambda one: one.read.discard("group:friends"), {"account:bob"}),
    "discard nobody": (lambda one: one.read.discard("account:nobody"), {"account:bob", FRIENDS}),
    "clear": (lambda one: one.read.clear(), set()),
    "by name": (lambda one: one["read"].update("account:carol"), {"account:bob", "account:carol", FRIENDS}),
}


@pytest.mark.parametrize(("edit", "expected"), EDITS.values(), ids=EDITS)
def test_whatever_the_edit_the_server_has_it_after_a_save(receipt, edit, expected):
    receipt.permissions.read = ["account:bob", "group:friends"]
    receipt.save()
    edit(receipt.permissions)
    receipt.save()
    assert held() == (expected, {ME})


def test_operators_edit_too(receipt):
    receipt.permissions.read |= {"account:bob", "account:carol"}
    receipt.permissions.read += ["account:dave"]
    receipt.permissions.read -= "account:bob"
    receipt.save()
    assert held() == ({"account:carol", "account:dave"}, {ME})


def test_who_is_not_there_cannot_be_removed(receipt):
    with pytest.raises(KeyError, match="account:bob"):
        receipt.permissions.read.remove("account:bob")


def test_data_and_permissions_are_one_request(receipt, sent):
    before = receipt.last_modified
    receipt.amount = 2
    receipt.permissions.read += Everyone
    receipt.save()
    (operation,) = sent
    assert operation.headers == {"If-Match": f'"{before}"'}
    assert operation.body == {"data": {"amount": 2}, "permissions": {"read": ["system.Everyone"]}}


def test_an_edit_that_changes_nothing_sends_nothing(receipt, sent):
    receipt.permissions.read += []
    receipt.permissions.write = [ME]
    receipt.permissions.read.add(Everyone)
    receipt.permissions.read.discard(Everyone)
    receipt.save()
    assert len(sent) == 0


def test_an_update_is_sent_at_once_and_keeps_what_else_is_unsaved(receipt, sent):
    receipt.amount = 2
    receipt.tags.append("late")
    receipt.extra["note"] = "x"
    receipt.permissions.write += "account:carol"
    receipt.permissions.update(read=["account:bob"])
    assert sent.last.body == {"permissions": {"read": ["account:bob"]}}
    assert held() == ({"account:bob"}, {ME})
    assert receipt.changes() == {"amount": 2, "tags": ["late"], "note": "x"}
    receipt.save()
    assert held() == ({"account:bob"}, {ME, "account:carol"})
    found = Receipt.objects.get(id="abc")
    assert (found.amount, found.tags, found.extra) == (2, ["late"], {"note": "x"})


def test_an_update_is_guarded(receipt):
    other = Receipt.objects.get(id="abc")
    other.amount = 2
    other.save()
    with pytest.raises(Conflict) as caught:
        receipt.permissions.update(read=[Everyone])
    assert caught.value.record is receipt
    assert (caught.value.base["amount"], caught.value.theirs["amount"]) == (1, 2)
    assert held() == (set(), {ME})


def test_a_new_record_has_nothing_to_update(sent):
    with pytest.raises(UsageError, match="payments/receipts/abc is not stored, so it has no permissions yet"):
        Receipt(id="abc").permissions.update(read=[Everyone])
    assert len(sent) == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda: Receipt.objects.create(
            id="abc", permissions={"read": "group:friends", "write": ["account:bob"]}
        ),
        lambda: Receipt(id="abc", permissions={"read": "group:friends", "write": ["account:bob"]}),
    ],
)
def test_a_record_can_be_made_with_permissions(payments, make):
    make().save()
    assert held() == ({FRIENDS}, {ME, "account:bob"})


def test_permissions_can_be_assigned_as_a_dict(receipt):
    receipt.permissions = {"read": [Everyone]}
    receipt.save()
    assert held() == ({"system.Everyone"}, {ME})


def test_a_public_record_can_be_read_by_everybody(payments):
    Receipt.objects.create(id="abc", public=True, permissions={"read": ["account:bob"]})
    assert held() == ({"system.Everyone", "account:bob"}, {ME})


@pytest.mark.parametrize(
    "attempt",
    [
        lambda one: Receipt(permissions={"raed": []}),
        lambda one: setattr(one, "permissions", {"read": [Everyone], "raed": []}),
        lambda one: one.permissions["raed"],
    ],
)
def test_a_typo_is_refused(receipt, attempt):
    with pytest.raises(UsageError, match="there is no permission 'raed' here, only read, write"):
        attempt(receipt)
    assert receipt.permissions.changed() == {}


def test_a_typo_in_an_attribute_is_refused(receipt):
    with pytest.raises(AttributeError, match="raed"):
        receipt.permissions.raed += "x"
    with pytest.raises(AttributeError, match="raed"):
        receipt.permissions.raed = ["x"]


def test_the_groups_of_a_default_bucket_need_its_real_id(client):
    with client.activate():
        with pytest.raises(
            ValidationError, match="Kinto knows the groups of your default bucket by its real id only"
        ):
            Mine(permissions={"read": "group:friends"})
        Mine.objects.create(permissions={"read": [Everyone]})


def test_on_the_class_it_is_the_descriptor():
    assert type(Receipt.permissions).__name__ == "_PermissionsField"


# unknown is not nobody


def test_a_listed_record_asks_for_its_permissions_once(receipt, sent):
    receipt.permissions.update(read=["account:bob"])
    (found,) = Receipt.objects.all()
    sent.clear()
    assert set(found.permissions.read) == {"account:bob"}
    assert set(found.permissions.write) == {ME}
    assert [(one.method, one.path) for one in sent] == [
        ("GET", "/buckets/payments/collections/receipts/records/abc")
    ]
    found.permissions.read += "account:carol"
    found.save()
    assert held() == ({"account:bob", "account:carol"}, {ME})
    assert [one.method for one in sent] == ["GET", "PATCH", "GET"]


def test_assigning_to_a_listed_record_asks_for_nothing(receipt, sent):
    (found,) = Receipt.objects.all()
    sent.clear()
    found.permissions.read = [Everyone]
    found.save()
    assert [one.method for one in sent] == ["PATCH"]
    assert held() == ({"system.Everyone"}, {ME})


def test_an_edit_after_somebody_elses_does_not_undo_it(receipt):
    (found,) = Receipt.objects.all()
    receipt.permissions.update(read=["account:bob"])
    found.permissions.read += "account:carol"
    with pytest.raises(Conflict):
        found.save()
    assert held() == ({"account:bob"}, {ME})


@pytest.mark.parametrize("find", [lambda: Receipt.objects.get(id="abc"), lambda: Receipt.objects.first()])
def test_what_is_not_shown_is_not_nobody(receipt, bob, find):
    receipt.permissions.update(read=["account:dave"])
    with bob.activate():
        found = find()
        for attempt in (
            lambda: set(found.permissions.read),
            lambda: "account:dave" in found.permissions.read,
            lambda: found.permissions.read.add("account:bob"),
        ):
            with pytest.raises(PermissionsNotVisible, match="Assign a whole list to replace it"):
                attempt()
        found.amount = 2
        found.save()
        # Whoever writes becomes one of the writers, and may see them.
        assert set(found.permissions.write) == {ME, "account:bob"}
    assert held() == ({"account:dave"}, {ME, "account:bob"})


def test_what_is_not_shown_is_asked_for_only_once(receipt, bob):
    with bob.activate(), record(bob) as sent:
        (found,) = Receipt.objects.all()
        sent.clear()
        for _ in range(3):
            with pytest.raises(PermissionsNotVisible):
                len(found.permissions.read)
    assert len(sent) == 1


def test_what_is_not_shown_can_be_replaced(receipt, bob):
    with bob.activate():
        found = Receipt.objects.get(id="abc")
        found.permissions.read = ["account:carol"]
        found.save()
    assert held() == ({"account:carol"}, {ME, "account:bob"})


def test_taking_an_attribute_away_never_wipes_permissions_that_are_not_shown(payments, bob):
    owned = Receipt(id="abc", permissions={"read": ["account:dave"]})
    owned.extra["note"] = "x"
    owned.save()
    with bob.activate():
        found = Receipt.objects.get(id="abc")
        found.extra.clear()
        found.permissions.write = ["account:bob"]
        with pytest.raises(PermissionsNotVisible):
            found.save()
        found.refresh()
        found.extra.clear()
        found.save()
    assert held() == ({"account:dave"}, {ME, "account:bob"})
    assert Receipt.objects.get(id="abc").extra == {}
