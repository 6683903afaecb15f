"""client.dump(): a server as plain data."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from kintomodel import Client, NotFound, ServerError, UsageError
from kintomodel.protocol import operations
from kintomodel.protocol.objects import Page, Response
from kintomodel.provisioning import dumping
from kintomodel.testing import KintoServer, record
from kintomodel.transport.base import Transport

from ..playing import ok, play, stored


def test_it_is_in_order_whatever_the_server_makes_of_it(client: Client) -> None:
    bucket = client.create_bucket("shop", {"z": [{"b": 1, "a": 2}], "a": 1}, permissions={"read": ["b", "a"]})
    bucket.create_group("editors", ["account:bob"])
    bucket.create_collection("c").create_record({"n": 1}, id="r1", public=True)
    shown = client.dump(["shop"])["buckets"]["shop"]
    assert list(shown) == ["data", "permissions", "groups", "collections"]
    assert list(shown["data"]) == ["a", "z"]
    assert list(shown["data"]["z"][0]) == ["a", "b"]
    assert shown["permissions"] == {
        "read": ["a", "b"], "write": ["account:tester"], "collection:create": [], "group:create": [],
    }  # fmt: skip
    assert shown["collections"]["c"]["records"] == {
        "r1": {"data": {"n": 1}, "permissions": {"read": ["system.Everyone"], "write": ["account:tester"]}}
    }


def test_large_floats_are_dumped_as_such(client: Client) -> None:
    """PostgreSQL gives them back as integers, which nobody could send again."""
    collection = client.create_bucket("shop").create_collection("c")
    collection.create_record({"n": 1e20, "several": [{"n": -1e19}], "whole": 2**64 - 1}, id="r1")
    shown = client.dump()
    assert shown["buckets"]["shop"]["collections"]["c"]["records"]["r1"]["data"] == {
        "n": 1e20, "several": [{"n": -1e19}], "whole": 2**64 - 1,
    }  # fmt: skip
    assert not client.plan(shown)


def test_records_can_be_left_out_and_are_then_left_alone(client: Client) -> None:
    client.create_bucket("shop").create_collection("c").create_record({"n": 1})
    with record(client) as sent:
        shown = client.dump(records=False)
    assert "records" not in shown["buckets"]["shop"]["collections"]["c"]
    assert len(sent) == 6  # the root, and three lists of which two have one object each
    assert not client.plan(shown, delete=True)


def test_permissions_that_we_may_not_see_are_not_there(server: KintoServer, client: Client) -> None:
    client.create_bucket("shop", permissions={"read": ["account:bob"]}).create_group("g", ["account:ann"])
    with server.client(server.create_account("bob", "secret")) as bob:
        assert bob.dump(["shop"]) == {
            "buckets": {
                "shop": {
                    "data": {},
                    "groups": {"g": {"data": {"members": ["account:ann"]}}},
                    "collections": {},
                }
            }
        }


def test_lists_that_we_may_not_see_are_not_there(server: KintoServer, client: Client) -> None:
    client.create_bucket("box", permissions={"collection_create": ["account:bob"]}).create_group("g")
    with server.client(server.create_account("bob", "secret")) as bob:
        bob.create_bucket("mine")
        shown = bob.dump()["buckets"]
        assert {name: list(bucket) for name, bucket in shown.items()} == {
            "box": ["data", "collections"], "mine": ["data", "permissions", "groups", "collections"],
        }  # fmt: skip
        assert not bob.plan({"buckets": shown}, delete=True)


def test_records_that_we_may_not_list_any_more_are_not_there(server: KintoServer, client: Client) -> None:
    bucket = client.create_bucket("shop", permissions={"collection_create": ["account:bob"]})
    collection = bucket.create_collection("a", permissions={"read": ["account:bob"]})
    take = partial(collection.permissions.update, read=[])
    with server.client(server.create_account("bob", "secret")) as bob:
        path = "/buckets/shop/collections/a/records"
        bob.connection.transport = Meddling(bob.connection.transport, path, take)
        assert bob.dump() == {"buckets": {"shop": {"data": {}, "collections": {"a": {"data": {}}}}}}


class Meddling:
    """In front of a transport: does something before the first request for a path is sent."""

    def __init__(self, inner: Transport, path: str, act: Callable[[], object]) -> None:
        self.inner, self.path, self.act = inner, path, act

    def send(self, operation: Any) -> Response:
        asked = [operation.path, *(one["path"] for one in (operation.body or {}).get("requests", ()))]
        if self.path in asked:
            self.path = ""
            self.act()
        return self.inner.send(operation)

    def close(self) -> None:
        self.inner.close()


@pytest.mark.parametrize(
    ("before", "name", "left"),
    [
        ("/buckets/shop", "shop", {}),
        ("/buckets/shop/groups", "shop", {}),
        ("/buckets/shop/collections", "shop", {}),
        ("/buckets/shop/collections/a/records", "shop", {}),
        ("/buckets/shop/collections/a", "a", {"b": []}),
        ("/buckets/shop/collections/a/records", "a", {"b": []}),
        ("/buckets/shop/collections/a/records/r1", "a", {"a": [], "b": []}),
        ("/buckets/shop/collections/a/records/r1", "r1", {"a": ["r2"], "b": []}),
    ],
)
def test_what_is_deleted_meanwhile_is_not_there(
    server: KintoServer, client: Client, before: str, name: str, left: Any
) -> None:
    bucket = client.create_bucket("shop")
    client.create_bucket("other")
    collection = bucket.create_collection("a")
    bucket.create_collection("b")
    for id in ("r1", "r2"):
        collection.create_record({}, id=id)
    acts = {
        "shop": lambda: client.delete_buckets(["shop"]),
        "a": lambda: collection.delete(force=True),
        "r1": lambda: collection.delete_record("r1"),
    }
    with server.client() as meddled:
        meddled.connection.transport = Meddling(meddled.connection.transport, before, acts[name])
        shown = meddled.dump()["buckets"]
    assert shown.pop("other")
    collections = shown.pop("shop", {}).get("collections", {})
    assert {id: list(one["records"]) for id, one in collections.items()} == left
    assert not shown


def test_a_bucket_of_that_name_that_is_deleted_meanwhile_is_told(server: KintoServer, client: Client) -> None:
    client.create_bucket("shop")
    with server.client() as meddled:
        delete = lambda: client.delete_buckets(["shop"])  # noqa: E731
        meddled.connection.transport = Meddling(meddled.connection.transport, "/buckets/shop/groups", delete)
        with pytest.raises(NotFound, match="there is no such bucket"):
            meddled.dump(["shop"])


def test_other_refusals_are_told() -> None:
    page = Page((stored(id="a").data, stored(id="b").data))
    with pytest.raises(ServerError):
        play(dumping.dump(None, 25, records=False), page, [ok(stored(id="a").data), Response(500)])


def test_principals_that_are_nobody_are_not_there(client: Client) -> None:
    """To Kinto any text is a principal; to a plan this is the group, whose members would get rights."""
    nobody = ["group:editors", "group:a b", " account:ann", "/buckets/default/groups/editors"]
    held = {"read": [*nobody, "account:ann", "/buckets/shop/groups/editors"]}
    client.connection.perform(operations.create("/buckets/shop", {}, held))
    shown = client.dump()
    assert shown["buckets"]["shop"]["permissions"]["read"] == ["/buckets/shop/groups/editors", "account:ann"]
    plan = client.plan(shown)
    (difference,) = plan.updates[0].difference.values()
    assert str(difference) == " ".join(f"-{one}" for one in sorted(nobody))
    plan.apply().raise_for_failures()
    assert not client.plan(client.dump())


def test_a_bucket_that_is_missing_is_told(client: Client) -> None:
    with pytest.raises(NotFound):
        client.dump(["nope"])
    with pytest.raises(UsageError, match=r"dump\(\) takes several names of buckets, got 'shop'"):
        client.dump("shop")
