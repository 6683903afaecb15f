from decimal import Decimal
from typing import ClassVar

import pytest

from kintomodel import (
    Conflict,
    Everyone,
    F,
    Forbidden,
    Manager,
    Model,
    MultipleFound,
    NotFound,
    UsageError,
    ValidationError,
    field,
)
from kintomodel.protocol import operations
from kintomodel.testing.transports import record

RECORDS = "/buckets/payments/collections/receipts/records"


class ReceiptManager(Manager["Receipt"]):
    def large(self):
        return self.filter(F(Receipt.amount) >= 100)


class Receipt(Model, bucket="payments", collection="receipts"):
    objects: ClassVar[ReceiptManager] = ReceiptManager()
    everything: ClassVar[Manager["Receipt"]] = Manager()

    amount: Decimal
    currency: str = "EUR"


class Gift(Receipt, collection="gifts"):
    pass


class Homeless(Model):
    name: str = ""


class Bucketed(Model, bucket="payments"):
    name: str = ""


@pytest.fixture
def receipts(payments):
    for at, amount in enumerate((50, 100, 150)):
        Receipt.objects.create(id=f"r{at}", amount=amount)
    return payments


def ids(found):
    return [one.id for one in found]


def test_create_is_one_put(payments):
    with record(payments) as recording:
        made = Receipt.objects.create(amount=Decimal("12.50"))
        assert [one.method for one in recording.operations] == ["PUT"]
        assert recording.last.headers == {"If-None-Match": "*"}
    assert made.last_modified
    assert Receipt.objects.get(id=made.id).amount == Decimal("12.50")


def test_create_refuses_an_id_that_is_taken(receipts):
    with pytest.raises(Conflict):
        Receipt.objects.create(id="r0", amount=1)
    assert Receipt.objects.get(id="r0").amount == 50


def test_create_shares_at_once(payments):
    with record(payments) as recording:
        public = Receipt.objects.create(amount=1, public=True)
        shared = Receipt.objects.create(amount=1, permissions={"write": ["group:friends"]}, public=True)
        assert len(recording) == 2
    assert Everyone in Receipt.objects.get(id=public.id).permissions.read
    found = Receipt.objects.get(id=shared.id).permissions
    assert Everyone in found.read
    assert "/buckets/payments/groups/friends" in found.write


@pytest.mark.parametrize("fields", [{}, {"amount": 1, "curency": "EUR"}])
def test_create_refuses_what_is_no_field(payments, fields):
    with record(payments) as recording:
        with pytest.raises(TypeError):
            Receipt.objects.create(**fields)
        with pytest.raises(ValidationError, match="amount: expected a Decimal, got string"):
            Receipt.objects.create(amount="1")
        assert not recording.operations


def test_a_manager_does_what_its_querysets_do(receipts):
    objects = Receipt.objects
    assert ids(objects) == ids(objects.all()) == ids(objects.iterator(page_size=1)) == ["r0", "r1", "r2"]
    assert ids(objects.filter(amount__lt=150)) == ["r0", "r1"]
    assert ids(objects.exclude(amount__lt=150)) == ["r2"]
    assert ids(objects.order_by("-amount")) == ["r2", "r1", "r0"]
    assert ids(objects.none()) == []
    assert ids(objects[1:]) == ["r1", "r2"]
    assert objects[1].id == objects.get(amount=100).id == "r1"
    assert (objects.first().id, objects.last().id) == ("r0", "r2")
    assert objects.count() == 3
    assert objects.exists()


def test_a_manager_of_ones_own_adds_methods(receipts):
    assert ids(Receipt.objects.large()) == ["r1", "r2"]
    assert ids(Receipt.everything) == ["r0", "r1", "r2"]
    assert isinstance(Receipt.objects.using(bucket="other"), ReceiptManager)


def test_a_subclass_has_managers_of_its_own(receipts):
    assert Gift.objects.model is Gift
    assert Gift.objects is Gift.objects
    assert Gift.objects is not Receipt.objects
    assert Gift.everything.home.name == "payments/gifts"
    assert Receipt.objects.home.name == "payments/receipts"


def test_a_manager_belongs_to_the_class():
    with pytest.raises(AttributeError, match=r"'objects' belongs to the class: use Receipt\.objects"):
        Receipt(amount=1).objects  # noqa: B018
    with pytest.raises(AttributeError, match=r"'everything' belongs to the class: use Receipt\.everything"):
        Receipt(amount=1).everything  # noqa: B018
    with pytest.raises(AttributeError, match=r"'objects' belongs to the class: use Homeless\.objects"):
        Homeless().objects  # noqa: B018


def test_using_goes_elsewhere(receipts, server):
    receipts.connection.perform(operations.create("/buckets/preview", {}))
    receipts.connection.perform(operations.create("/buckets/preview/collections/receipts", {}))
    preview = Receipt.objects.using(bucket="preview")
    preview.create(id="p", amount=1)
    assert ids(preview) == ["p"]
    assert ids(preview.using(bucket="payments")) == ["r0", "r1", "r2"]
    assert preview.using(collection="gifts").home.name == "preview/gifts"
    assert preview.get(id="p") != Receipt.objects.get(id="r0")
    with server.client() as another, record(another) as recording:
        assert ids(preview.using(another)) == ids(preview.using(another).using(bucket="preview")) == ["p"]
        assert len(recording) == 2


@pytest.mark.parametrize(
    ("work", "argument"),
    [
        (lambda: Receipt.objects.using("preview"), r"using\(\)"),
        (lambda: Receipt(amount=1).save(using="preview"), r"save\(using=\.\.\.\)"),
    ],
)
def test_a_name_in_the_place_of_a_client_is_refused_at_once(receipts, work, argument):
    wanted = rf"{argument} takes a Client, got 'preview'; another bucket is objects\.using\(bucket=\.\.\.\)"
    with record(receipts) as sent, pytest.raises(UsageError, match=wanted):
        work()
    assert len(sent) == 0


def test_an_id_in_the_place_of_a_condition_is_told_how_to_be_given(receipts):
    with (
        record(receipts) as sent,
        pytest.raises(UsageError, match=r"one record by its id is get\(id=\.\.\.\)"),
    ):
        Receipt.objects.get("r0")
    assert len(sent) == 0


def test_a_word_for_public_is_refused(receipts):
    with record(receipts) as sent:
        with pytest.raises(UsageError, match="public takes True or False, got 'no'"):
            Receipt.objects.create(amount=1, public="no")
        with pytest.raises(UsageError, match="public takes True or False, got 'no'"):
            receipts.create_bucket("b", public="no")
    assert len(sent) == 0


def test_a_model_without_a_home_is_named():
    with pytest.raises(UsageError, match="Homeless has no bucket: declare it as class Homeless"):
        Homeless.objects.all()
    with pytest.raises(UsageError, match="Bucketed has no collection: declare it as"):
        Bucketed.objects.all()
    assert Homeless.objects.using(bucket="b", collection="c").home.name == "b/c"


def test_get_or_create_gets(receipts):
    with record(receipts) as recording:
        found, is_new = Receipt.objects.get_or_create(id="r0", defaults={"amount": 7})
        assert [one.method for one in recording.operations] == ["GET"]
    assert (found.amount, is_new) == (50, False)


def test_get_or_create_creates(receipts):
    made, is_new = Receipt.objects.get_or_create({"amount": 7}, currency="USD")
    assert (made.amount, made.currency, is_new) == (7, "USD", True)
    assert Receipt.objects.get(currency="USD") == made


def test_get_or_create_does_not_choose(receipts):
    with pytest.raises(MultipleFound):
        Receipt.objects.get_or_create(currency="EUR", defaults={"amount": 7})


class Noted(Model, bucket="payments", collection="receipts"):
    note: str | None = field(omit_none=True)
    number: int = 0


def test_get_or_create_finds_none_where_it_takes_the_key_away(payments):
    made, is_new = Noted.objects.get_or_create(number=5, note=None)
    assert is_new
    assert Noted.objects.get_or_create(number=5, note=None) == (made, False)
    assert Noted.objects.update_or_create({"number": 6}, number=5, note=None) == (made, False)
    assert Noted.objects.get_or_create(note=None) == (made, False)
    payments.connection.perform(operations.replace(f"{RECORDS}/null", {"number": 7, "note": None}))
    assert Noted.objects.get_or_create(number=7, note=None)[0].id == "null"
    assert Noted.objects.get_or_create(number=7, note="a")[1]


class Meanwhile(Manager["Late"]):
    """Somebody else creates the record between our look and our creation."""

    def create(self, **fields):
        super().create(**{**fields, "name": "theirs"})
        return super().create(**fields)


class Late(Model, bucket="payments", collection="receipts"):
    objects: ClassVar[Meanwhile] = Meanwhile()
    name: str = ""


def test_get_or_create_gets_what_was_created_meanwhile(payments):
    found, is_new = Late.objects.get_or_create(id="late", defaults={"name": "ours"})
    assert (found.name, is_new) == ("theirs", False)


def test_update_or_create_updates(receipts):
    with record(receipts) as recording:
        found, is_new = Receipt.objects.update_or_create(id="r0", defaults={"currency": "USD"})
        assert [one.method for one in recording.operations] == ["GET", "PATCH"]
        assert recording.last.body == {"data": {"currency": "USD"}}
        assert "If-Match" in recording.last.headers
        recording.clear()
        Receipt.objects.update_or_create(id="r0", defaults={"currency": "USD"})
        assert [one.method for one in recording.operations] == ["GET"]
    assert (found.currency, is_new) == ("USD", False)
    assert Receipt.objects.get(id="r0").currency == "USD"


def test_update_or_create_creates(receipts):
    made, is_new = Receipt.objects.update_or_create(id="new", defaults={"amount": 7})
    assert (made.amount, is_new) == (7, True)
    assert Receipt.objects.update_or_create(id="new")[1] is False


def test_update_or_create_refuses_what_is_no_field(receipts):
    with pytest.raises(UsageError, match="Receipt has no field 'curency'"):
        Receipt.objects.update_or_create(id="r0", defaults={"curency": "USD"})


def test_update_or_create_of_a_missing_collection_says_so(payments):
    with pytest.raises(NotFound):
        Gift.objects.update_or_create(id="x", defaults={"amount": 1})


@pytest.mark.parametrize("method", ["get_or_create", "update_or_create"])
def test_a_taken_id_with_other_values_is_a_conflict(receipts, method):
    with pytest.raises(Conflict):
        getattr(Receipt.objects, method)(id="r0", currency="JPY", defaults={"amount": 7})


@pytest.fixture
def creator(receipts, server):
    """The client of somebody who may create records, and see no others than his own."""
    auth = server.create_account("bob", "secret")
    receipts.bucket("payments").collection("receipts").update_permissions(record_create=["account:bob"])
    with server.client(auth) as client:
        yield client


@pytest.mark.parametrize("method", ["get_or_create", "update_or_create"])
def test_who_may_only_create_records_gets_a_new_one_and_then_his_own(creator, method):
    objects = Receipt.objects.using(creator)
    with record(creator) as recording:
        made, is_new = getattr(objects, method)({"amount": 7}, id="own")
    assert [one.method for one in recording.operations] == ["GET", "PUT"]
    assert (made.amount, is_new) == (7, True)
    assert getattr(objects, method)({"amount": 7}, id="own") == (made, False)


@pytest.mark.parametrize("method", ["get_or_create", "update_or_create"])
def test_a_record_that_may_not_be_seen_is_there_all_the_same(creator, method):
    with pytest.raises(Forbidden, match="records/r0: it exists, but you may not see it: take another id"):
        getattr(Receipt.objects.using(creator), method)({"amount": 7}, id="r0")
    assert Receipt.objects.get(id="r0").amount == 50


def test_who_may_not_read_creates_nothing_without_an_id(server, receipts):
    with server.client(server.create_account("eve", "secret")) as client, record(client) as recording:
        objects = Receipt.objects.using(client)
        with pytest.raises(Forbidden):
            objects.get_or_create({"amount": 7}, currency="USD")
        assert [one.method for one in recording.operations] == ["GET"]
        with pytest.raises(Forbidden):
            objects.get_or_create({"amount": 7}, id="new")


@pytest.mark.parametrize("method", ["get_or_create", "update_or_create"])
def test_unknown_defaults_are_refused_before_anything_is_sent(receipts, method):
    with (
        record(receipts) as recording,
        pytest.raises(UsageError, match="no field 'curency'; did you mean 'currency'"),
    ):
        getattr(Receipt.objects, method)(id="r0", defaults={"curency": "USD"})
    assert not recording.operations


def test_a_manager_reverses_and_explains(receipts):
    assert next(iter(Receipt.objects.reverse())) == Receipt.objects.last()
    assert Receipt.objects.explain() == Receipt.objects.all().explain()
