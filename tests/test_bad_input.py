"""Whatever is wrong, it is one readable error of ours, and nothing is lost or half done."""

from __future__ import annotations

import logging
import re
from datetime import datetime
from decimal import Decimal

import pytest

import kintomodel
from kintomodel import Client, KintoError, Model, UsageError, field
from kintomodel.protocol import operations
from kintomodel.testing import record
from tests.scripted_server import Answer, ScriptedServer

SECRET = "hunter2-very-secret"
RECEIPTS = "/buckets/payments/collections/receipts"


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: Decimal = Decimal(0)
    paid_at: datetime | None = None
    tags: list[str] = field(factory=list)


@pytest.fixture
def payments(client):
    """The active client of a server with payments/receipts, and one receipt in it."""
    client.connection.perform(operations.create("/buckets/payments", {}))
    client.connection.perform(operations.create(RECEIPTS, {}))
    with client.activate():
        Receipt.objects.create(id="abc", amount=Decimal(1))
        yield client


def failure(work):
    """The one error that it ends with."""
    with pytest.raises(KintoError) as caught:
        work()
    error = caught.value
    assert str(error).isprintable()
    assert SECRET not in f"{error!r} {error} {vars(error)}"
    return error


# what is refused before anything is sent

UNSENT = {
    "an unknown field in a filter": (
        lambda: Receipt.objects.filter(amuont=1),
        UsageError,
        "Receipt has no field 'amuont'; did you mean 'amount'?",
    ),
    "an unknown look-up": (
        lambda: Receipt.objects.filter(amount__gtee=1),
        UsageError,
        "Receipt.amount has no look-up 'gtee'; did you mean 'gte'?",
    ),
    "an unknown field in the constructor": (
        lambda: Receipt(amuont=1),
        UsageError,
        "Receipt has no field 'amuont'; did you mean 'amount'?",
    ),
    "an unknown field in create": (
        lambda: Receipt.objects.create(amuont=1),
        UsageError,
        "Receipt has no field 'amuont'; did you mean 'amount'?",
    ),
    "an unknown key of an order": (
        lambda: Receipt.objects.order_by("-amuont"),
        UsageError,
        "Receipt has no field 'amuont'; did you mean 'amount'?",
    ),
    "an unknown permission": (
        lambda: Receipt(permissions={"raed": []}),
        UsageError,
        "there is no permission 'raed' here, only read, write",
    ),
    "a wrong type in a record": (
        lambda: Receipt(id="new", amount="1", tags="a").save(),
        kintomodel.ValidationError,
        "payments/receipts/new: amount: expected a Decimal, got string '1'; "
        "tags: expected a list, got string 'a'",
    ),
    "a wrong type in a filter": (
        lambda: Receipt.objects.filter(amount="1"),
        kintomodel.ValidationError,
        "Receipt.amount: expected a Decimal, got string '1'",
    ),
    "a naive datetime in a record": (
        lambda: Receipt(id="new", paid_at=datetime(2026, 1, 1)).save(),
        kintomodel.ValidationError,
        "payments/receipts/new: paid_at: naive datetime 2026-01-01T00:00:00: "
        "give it a time zone, such as tzinfo=timezone.utc",
    ),
    "a naive datetime in a filter": (
        lambda: Receipt.objects.filter(paid_at__gte=datetime(2026, 1, 1)),
        kintomodel.ValidationError,
        "Receipt.paid_at: naive datetime 2026-01-01T00:00:00: "
        "give it a time zone, such as tzinfo=timezone.utc",
    ),
    "an invalid id to get": (
        lambda: Receipt.objects.get(id="../x"),
        kintomodel.ValidationError,
        "'../x' is no record id: Kinto takes letters, digits, '-' and '_', "
        "and the first one is a letter or a digit",
    ),
    "an invalid id to save": (
        lambda: Receipt(id="a b").save(),
        kintomodel.ValidationError,
        "'a b' is no record id: Kinto takes letters, digits, '-' and '_', "
        "and the first one is a letter or a digit",
    ),
    "an amount that no number holds": (
        lambda: Receipt(id="new", amount=Decimal("0.1234567890123456789")).save(),
        kintomodel.ValidationError,
        "payments/receipts/new: amount: 0.1234567890123456789 does not fit a JSON number exactly: "
        'declare it with field(store="text")',
    ),
    "an URL with credentials": (
        lambda: Client(f"http://me:{SECRET}@127.0.0.1/v1"),
        UsageError,
        "give credentials as auth=, not in the URL: URLs end up in logs",
    ),
}


@pytest.mark.parametrize(("work", "kind", "message"), UNSENT.values(), ids=UNSENT)
def test_it_is_refused_before_anything_is_sent(payments, work, kind, message):
    with record(payments) as sent:
        error = failure(work)
    assert (type(error), str(error)) == (kind, message)
    assert len(sent) == 0
    assert Receipt.objects.count() == 1


@pytest.mark.parametrize("name", [name for name in UNSENT if name.startswith("an unknown")])
def test_a_typo_is_a_type_error_as_well(payments, name):
    with pytest.raises(TypeError):
        UNSENT[name][0]()


# what the server refuses

OPERATIONS = {
    "count": lambda manager: manager.count(),
    "list": lambda manager: list(manager.all()),
    "get": lambda manager: manager.get(id="abc"),
    "create": lambda manager: manager.create(id="new"),
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_wrong_password_is_refused(payments, operation, caplog):
    with caplog.at_level(logging.DEBUG), Client(payments.url, auth=("tester", SECRET), retries=0) as stranger:
        error = failure(lambda: operation(Receipt.objects.using(stranger)))
    assert type(error) is kintomodel.Unauthorized
    assert "401 Unauthorized" in str(error)
    assert str(error).endswith("check the user and password, or the token, given as auth=")
    assert SECRET not in caplog.text
    assert SECRET not in repr(stranger)
    assert Receipt.objects.count() == 1


@pytest.mark.parametrize("operation", list(OPERATIONS.values())[:3], ids=list(OPERATIONS)[:3])
def test_a_missing_bucket_is_named_as_one_of_two_causes(payments, operation):
    error = failure(lambda: operation(Receipt.objects.using(bucket="nowhere")))
    assert type(error) is kintomodel.Forbidden
    assert "/buckets/nowhere/collections/receipts" in str(error)
    assert "you lack the permission, or its bucket does not exist" in str(error)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_missing_collection_is_named(payments, operation):
    error = failure(lambda: operation(Receipt.objects.using(collection="nowhere")))
    assert type(error) is kintomodel.NotFound
    assert isinstance(error, LookupError)
    # To a HEAD Kinto says no more than 404.
    assert re.search("collection does not exist(: create it first|, or the URL is wrong: .*)$", str(error))


def test_a_missing_record_is_named(payments):
    error = failure(lambda: Receipt.objects.get(id="nowhere"))
    assert type(error) is kintomodel.NotFound
    assert str(error) == (f"GET {RECEIPTS}/records/nowhere: 404 Not Found; it does not exist, or no longer")


def test_a_record_written_meanwhile_is_a_conflict_without_its_data(payments):
    receipt = Receipt.objects.get(id="abc")
    other = Receipt.objects.get(id="abc")
    other.extra["note"] = SECRET
    other.save()
    receipt.amount = Decimal(2)
    with pytest.raises(kintomodel.Conflict) as caught:
        receipt.save()
    assert "412 Precondition Failed" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.theirs["note"] == SECRET
    assert Receipt.objects.get(id="abc").amount == 1


# what is no Kinto


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_server_that_is_down_is_named(operation):
    with ScriptedServer() as gone:
        url = gone.url
    with Client(url, auth=("tester", SECRET), retries=0) as client:
        error = failure(lambda: operation(Receipt.objects.using(client)))
    assert type(error) is kintomodel.ConnectionFailed
    assert url in str(error)
    assert str(error).endswith("is the server running there?")


PAGE = Answer(200, b"<html>\n<h1>It works!</h1></html>", headers={"Content-Type": "text/html"})


@pytest.mark.parametrize("operation", list(OPERATIONS.values())[1:], ids=list(OPERATIONS)[1:])
def test_a_body_that_is_not_json_is_shown(operation):
    with ScriptedServer(PAGE) as scripted, Client(scripted.url, auth=("tester", SECRET)) as client:
        error = failure(lambda: operation(Receipt.objects.using(client)))
    assert type(error) is kintomodel.UnreadableResponse
    assert "<html> <h1>It works!</h1></html>" in str(error)
    assert str(error).endswith("is this the URL of a Kinto server?")


@pytest.mark.parametrize(
    "body", [[], {}, {"data": []}, {"data": {"id": "abc"}}, {"data": {"last_modified": 1}}]
)
def test_json_that_is_not_kintos_is_refused(body):
    with ScriptedServer(Answer(200, body)) as scripted, Client(scripted.url) as client:
        error = failure(lambda: Receipt.objects.using(client).get(id="abc"))
    assert type(error) is kintomodel.UnreadableResponse


def test_an_unreadable_answer_to_a_save_leaves_the_record_as_it_was():
    with ScriptedServer(PAGE) as scripted, Client(scripted.url) as client, client.activate():
        receipt = Receipt(id="abc", amount=Decimal(1))
        failure(receipt.save)
    assert receipt.last_modified is None
    assert receipt.changes()["amount"] == 1
