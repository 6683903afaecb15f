"""Where a record is, and what it remembers of the server."""

import copy
import json
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from kintomodel import Client, Model, UsageError, field
from kintomodel.mapping.codec import codec_of
from kintomodel.mapping.state import Home, State, home_of
from kintomodel.protocol.paths import CollectionPath


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: int = 0


class Unbound(Model):
    name: str = ""


def test_a_model_has_a_place():
    home = home_of(Receipt.__kinto__)
    assert home == Home(CollectionPath("payments", "receipts"))
    assert home.name == "payments/receipts"


def test_another_place_can_be_named():
    assert home_of(Receipt.__kinto__, bucket="preview").name == "preview/receipts"
    assert home_of(Unbound.__kinto__, bucket="a", collection="b").name == "a/b"


@pytest.mark.parametrize(
    ("place", "missing"), [({}, "bucket"), ({"collection": "b"}, "bucket"), ({"bucket": "a"}, "collection")]
)
def test_a_model_without_a_place_is_nowhere(place, missing):
    with pytest.raises(UsageError, match=f"Unbound has no {missing}: declare it as class Unbound"):
        home_of(Unbound.__kinto__, **place)


def test_the_client_is_the_default_one_at_the_time_of_asking():
    home = home_of(Receipt.__kinto__)
    with Client("http://one.test/v1").activate() as one:
        assert home.connection is one.connection
        assert home.url == "http://one.test/v1"
    with Client("http://other.test/v1").activate() as other:
        assert home.connection is other.connection


def test_a_client_of_its_own_comes_before_the_default():
    mine = Client("http://mine.test/v1")
    home = home_of(Receipt.__kinto__, mine)
    with Client("http://other.test/v1").activate():
        assert home.connection is mine.connection
        assert home.url == mine.url


def test_a_place_is_the_same_whoever_asks_for_it():
    assert home_of(Receipt.__kinto__, Client("http://mine.test/v1")) == home_of(Receipt.__kinto__)


def test_a_connection_is_not_pickled():
    home = home_of(Receipt.__kinto__, Client("http://mine.test/v1"))
    assert pickle.loads(pickle.dumps(home)).client is None
    assert copy.deepcopy(home) is home


def test_a_state_begins_empty():
    state = State()
    assert (state.home, state.stored, state.permissions, state.extra, state.lost) == (None,) * 5


STORED = {"id": "abc", "last_modified": 5, "amount": 3, "rest": 1}
TEXT = json.dumps(STORED)


@pytest.fixture(params=[None, TEXT, TEXT.encode()], ids=["of data", "of a text", "of bytes"])
def read(request):
    def read(model: type[Model] = Receipt, *, readonly: bool = False) -> Any:
        home = home_of(model.__kinto__)
        return codec_of(model.__kinto__).reader(home, readonly=readonly)(dict(STORED), request.param)

    return read


def test_a_record_that_was_read_gets_its_state_when_it_is_asked_for(read):
    receipt = read()
    assert "_state" not in vars(receipt)
    state = receipt._state
    assert (state.stored["rest"], state.readonly, state.home.name) == (1, False, "payments/receipts")
    assert receipt._state is state
    assert vars(receipt).keys() == {"_state", "id", "amount", "last_modified"}


@pytest.mark.parametrize(("length", "is_kept"), [(10, True), (3000, False)])
def test_a_long_text_is_not_kept_beside_the_values_that_the_fields_have(length, is_kept):
    stored = STORED | {"rest": "x" * length}
    receipt = codec_of(Receipt.__kinto__).reader(home_of(Receipt.__kinto__))(stored, json.dumps(stored))
    assert receipt._state.stored == stored
    assert (receipt._state.stored is stored) is not is_kept


class Numbered(Model, bucket="payments", collection="receipts"):
    amount: int = 0
    number: UUID = field(factory=uuid4)


def test_what_a_default_made_up_is_remembered_and_no_change(read):
    record = read(Numbered)
    assert record._state.made == {"number": record.number}
    assert record.changes() == {}
    assert record._state.stored == STORED


def test_of_one_that_is_readonly_nothing_is_kept(read):
    state = read(readonly=True)._state
    assert (state.stored, state.readonly) == (None, True)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_of_a_record_that_was_read_has_a_state_of_its_own(read, copied):
    receipt = read()
    other = copied(receipt)
    other.extra["rest"] = 2
    assert (receipt.extra, other.extra) == ({"rest": 1}, {"rest": 2})
    assert other._state.home == receipt._state.home


def test_threads_that_ask_at_the_same_time_get_the_same_state(read):
    with ThreadPoolExecutor(2) as executor:
        for _ in range(200):
            receipt = read()
            together = threading.Barrier(2)

            def state(receipt=receipt, together=together):
                together.wait()
                return receipt._state

            one, other = executor.submit(state), executor.submit(state)
            assert one.result() is other.result()
            assert one.result().stored["rest"] == 1


def test_what_users_keep_in_private_attributes_stays_theirs(read):
    receipt = read()
    receipt._where, receipt._kept = "shelf 7", "mine"
    assert receipt._state.stored["rest"] == 1
    assert (receipt._where, receipt._kept) == ("shelf 7", "mine")


class Asked:
    def __getattr__(self, name):
        return f"no {name}"


class Mixed(Asked, Model, bucket="payments", collection="receipts"):
    amount: int


class Open(Model, bucket="payments", collection="receipts"):
    amount: int

    def __getattr__(self, name):
        return self.extra[name]


@pytest.mark.parametrize("model", [Mixed, Open])
def test_who_has_a_getattr_of_his_own_is_not_asked_for_the_state(read, model):
    record = read(model)
    assert record._state.stored == STORED
    assert record.rest == ("no rest" if model is Mixed else 1)


def test_a_record_that_nobody_made_has_no_state():
    with pytest.raises(AttributeError, match="_state"):
        getattr(Receipt.__new__(Receipt), "_state")  # noqa: B009 - the checkers know of it


def test_a_stored_record_keeps_its_id(payments):
    receipt = Receipt(id="abc")
    receipt.save()
    receipt.id = "other"
    for attempt in (receipt.save, receipt.delete, receipt.refresh):
        with pytest.raises(
            UsageError, match=r"payments/receipts/abc: a stored record keeps its id, got 'other'"
        ):
            attempt()
    with pytest.raises(UsageError, match="a stored record keeps its id"):
        receipt.extra  # noqa: B018
    elsewhere = Client(payments.url.replace("127.0.0.1", "localhost"), auth=("a", "b"))
    with pytest.raises(UsageError, match="a stored record keeps its id"):
        receipt.save(using=elsewhere)
    receipt.id = "abc"
    receipt.refresh()
    assert Receipt.objects.count() == 1
