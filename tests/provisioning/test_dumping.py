"""client.dump(): a server as plain data."""

from __future__ import annotations

import pytest

from kintomodel import Client, NotFound, UsageError
from kintomodel.testing import KintoServer, record


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


def test_a_bucket_that_is_missing_is_told(client: Client) -> None:
    with pytest.raises(NotFound):
        client.dump(["nope"])
    with pytest.raises(UsageError, match=r"dump\(\) takes several names of buckets, got 'shop'"):
        client.dump("shop")
