"""Where a record is, and what it remembers of the server."""

import copy
import pickle

import pytest

from kintomodel import Client, Model, UsageError
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


def test_a_stored_record_keeps_its_id(payments):
    receipt = Receipt(id="abc")
    receipt.save()
    receipt.id = "other"
    for attempt in (receipt.save, receipt.delete, receipt.refresh):
        with pytest.raises(
            UsageError, match=r"payments/receipts/abc: a stored record keeps its id, got 'other'"
        ):
            attempt()
    receipt.id = "abc"
    receipt.refresh()
    assert Receipt.objects.count() == 1
