"""client.plan(): what it finds, what it asks for, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kintomodel import (
    Client,
    Forbidden,
    PermissionsNotVisible,
    Unauthorized,
    UnsupportedByServer,
    UsageError,
    ValidationError,
    desired,
)
from kintomodel.protocol.objects import Response
from kintomodel.protocol.operations import Operation
from kintomodel.testing import KintoServer, record


@pytest.fixture
def bob(server: KintoServer, client: Client) -> Iterator[Client]:
    with server.client(server.create_account("bob", "secret")) as one:
        yield one


def shop(**given: Any) -> list[desired.Desired]:
    return [desired.bucket("shop", **given)]


def lines(plan: object) -> list[str]:
    return str(plan).splitlines()


@pytest.mark.parametrize(
    ("wanted", "only", "error", "problem"),
    [
        (
            "shop",
            None,
            UsageError,
            r"plan\(\) takes a list of what is wanted, such as .*, got 'shop'",
        ),
        (desired.bucket("shop"), None, UsageError, r"plan\(\) takes a list .*, got <desired bucket shop>"),
        (
            [desired.group("g")],
            None,
            UsageError,
            r"plan\(\) takes desired.account\(\) and desired.bucket\(\) values",
        ),
        (shop() + shop(), None, UsageError, r"plan\(\): /buckets/shop is wanted twice"),
        ([desired.bucket("default")], None, UsageError, "the default bucket is known by its real id"),
        ([desired.bucket("a b")], None, ValidationError, "'a b' is no bucket id"),
        (
            shop(permissions={"raed": []}),
            None,
            UsageError,
            "/buckets/shop: there is no permission 'raed' here",
        ),
        (shop(permissions={3: []}), None, UsageError, "/buckets/shop: there is no permission 3 here"),
        (
            shop(permissions={"collection:create": ["account:a"], "collection_create": ["account:b"]}),
            None,
            UsageError,
            "/buckets/shop: the permission collection:create is given twice",
        ),
        (shop(permissions={"read": 3}), None, UsageError, "expected a principal or several, got 3"),
        (shop(data={"a": "\0"}), None, ValidationError, "/buckets/shop: data.a: Kinto cannot store"),
        (shop(data={"deleted": 1}), None, ValidationError, "Kinto keeps the key 'deleted' for itself"),
        ([desired.account("ann", "")], None, ValidationError, "a password is a text of 1 to 72 bytes"),
        ([desired.account("ann", 3)], None, ValidationError, "a password is a text"),  # type: ignore[arg-type]
        ([desired.account("/", "x")], None, ValidationError, "'/' is no account id"),
        ([desired.account("a", "x")] * 2, None, UsageError, r"plan\(\): the account a is wanted twice"),
        ([], "group", UsageError, r"plan\(\): only takes accounts, buckets, .*permissions, got 'group'"),
        ([], 3, UsageError, r"plan\(\): only takes accounts, .*permissions, got 3"),
        ([], [], UsageError, r"plan\(\): only names at least one of accounts"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(
    nowhere: Client, wanted: Any, only: Any, error: type[Exception], problem: str
) -> None:
    with record(nowhere) as sent, pytest.raises(error, match=problem):
        nowhere.plan(wanted, only=only)
    assert len(sent) == 0


def test_nothing_wanted_is_nothing_to_do(client: Client) -> None:
    plan = client.plan([])
    assert not plan
    assert repr(plan) == "<ServerPlan for a server: nothing to do, 0 unchanged>"


def test_our_own_right_to_write_is_no_difference(client: Client, bob: Client) -> None:
    wanted = shop(permissions={"write": ["account:bob"]})
    client.plan(wanted).apply()
    assert not client.plan(wanted)
    assert lines(bob.plan(wanted))[1:] == ["~ /buckets/shop permissions.write: -account:tester"]


def test_a_client_whose_account_comes_later_is_known_then(server: KintoServer, client: Client) -> None:
    wanted = shop(permissions={"write": ["account:bob"]})
    with server.client(("late", "secret")) as late:
        with pytest.raises(Unauthorized):
            late.plan(wanted)
        server.create_account("late", "secret")
        late.plan(wanted).apply().raise_for_failures()
        with record(late) as sent:
            assert not late.plan(wanted)
    assert [one.path for one in sent] == ["/buckets/shop"]


def test_a_server_that_gives_no_rights_of_its_own_is_told_so() -> None:
    with KintoServer(settings={"explicit_permissions": False}) as server, server.client() as client:
        client.plan(shop(permissions={"write": ["account:tester", "account:bob"]})).apply()
        plan = client.plan(shop(permissions={"write": ["account:bob"]}))
        assert lines(plan)[1:] == ["~ /buckets/shop permissions.write: -account:tester"]


def test_an_anonymous_client_is_everyone() -> None:
    settings = {"bucket_create_principals": "system.Everyone"}
    with KintoServer(settings=settings) as server, Client(server.url) as anonymous:
        anonymous.create_bucket("shop", permissions={"write": ["account:bob"]})
        assert not anonymous.plan(shop(permissions={"write": ["account:bob"]}))


def test_permissions_that_are_hidden_cannot_be_planned(client: Client, bob: Client) -> None:
    bucket = client.create_bucket("shop", permissions={"write": ["account:bob"]})
    bucket.create_group("editors")
    groups = [desired.group("editors", ["account:ann"], permissions={"read": []})]
    with pytest.raises(PermissionsNotVisible, match="/buckets/shop/groups/editors: Kinto does not show you"):
        bob.plan(shop(groups=groups))
    plan = bob.plan(shop(groups=[desired.group("editors", ["account:ann"])]))
    assert lines(plan)[1:] == ["~ /buckets/shop/groups/editors members: +account:ann"]


def test_a_bucket_of_others_is_forbidden(client: Client, bob: Client) -> None:
    client.create_bucket("shop")
    with pytest.raises(Forbidden):
        bob.plan(shop())


def test_a_server_that_takes_no_writes_is_compared_all_the_same() -> None:
    """It takes no batches either."""
    with KintoServer(settings={"readonly": True, "bucket_read_principals": "system.Everyone"}) as server:
        groups = [desired.group(f"g{number}") for number in range(30)]
        with server.client() as client, record(client) as sent:
            plan = client.plan([desired.bucket("a"), *shop(groups=groups)])
    assert len(plan.creates) == 32
    assert [one.path for one in sent].count("/batch") == 1


def test_what_is_missing_and_not_in_the_scope_is_named(client: Client) -> None:
    wanted = shop(groups=[desired.group("editors", permissions={"read": []})])
    with pytest.raises(
        UsageError, match=r"plan\(only=...\): /buckets/shop is missing: plan it without only="
    ):
        client.plan(wanted, only="groups")
    client.create_bucket("shop")
    with pytest.raises(UsageError, match="/buckets/shop/groups/editors is missing"):
        client.plan(wanted, only=["permissions"])
    with pytest.raises(UsageError, match="/buckets/shop/collections/a is missing"):
        client.plan(
            shop(collections=[desired.collection("a", records=[desired.record("r")])]), only="records"
        )
    assert len(client.plan(wanted, only="groups").creates) == 1


def test_what_is_in_a_missing_one_is_not_asked_for(server: KintoServer, client: Client) -> None:
    size = client.server_info().batch_max_requests or 0
    records = [desired.record(f"r{number}") for number in range(3 * size)]
    wanted = shop(collections=[desired.collection("a", records=records)])
    with record(client) as sent:
        plan = client.plan(wanted)
    assert len(plan.creates) == 2 + len(records)
    assert [one.path for one in sent] == ["/", "/batch", "/buckets/shop"]
    client.create_bucket("shop")
    with pytest.raises(UsageError, match="/collections/a is missing"):
        client.plan(wanted, only="records")


def test_one_that_is_missing_in_a_bucket_that_others_hide_is_found_out(client: Client, bob: Client) -> None:
    """With more than one batch, the first one tells that the bucket is missing."""
    groups = [desired.group(f"g{number}") for number in range(30)]
    plan = bob.plan(shop(groups=groups))
    assert len(plan.creates) == 31
    plan.apply().raise_for_failures()
    assert not bob.plan(shop(groups=groups))


def test_new_children_have_what_the_bucket_wants_for_them(client: Client) -> None:
    bucket = client.create_bucket("shop")
    bucket.permissions.record_read = ["account:reader"]
    bucket.permissions.group_write = ["account:chief"]
    bucket.save()
    wanted = shop(
        groups=[desired.group("editors")],
        collections=[desired.collection("a"), desired.collection("b", permissions={"read": ["account:ann"]})],
    )
    client.plan(wanted).apply().raise_for_failures()
    assert set(bucket.get_collection("a").permissions.read) == {"account:reader"}
    assert set(bucket.get_collection("b").permissions.read) == {"account:ann"}
    assert set(bucket.get_group("editors").permissions.write) == {"account:chief", "account:tester"}
    assert not client.plan(wanted)


def test_what_is_named_is_all_whatever_the_bucket_wants_for_its_children(client: Client) -> None:
    bucket = client.create_bucket("shop")
    collection = bucket.create_collection("a")
    bucket.permissions.record_read = ["account:reader"]
    bucket.save()
    collection.refresh().permissions.update(read=[])
    dump = client.dump()
    assert not client.plan(dump)
    client.delete_buckets(["shop"])
    client.plan(dump).apply().raise_for_failures()
    assert client.dump() == dump
    bucket.get_collection("a").permissions.update(read=["account:reader"])
    plan = client.plan(shop(collections=[desired.collection("a", permissions={"read": []})]))
    assert lines(plan)[1:] == ["~ /buckets/shop/collections/a permissions.read: -account:reader"]


def test_a_new_bucket_may_want_them_as_well(client: Client) -> None:
    data = {"child_permissions": {"record_read": ["account:reader"]}}
    client.plan(shop(data=data, collections=[desired.collection("a")])).apply()
    assert set(client.bucket("shop").get_collection("a").permissions.read) == {"account:reader"}


def test_attributes_that_are_not_named_stay(client: Client) -> None:
    client.create_bucket("shop", {"a": 1, "b": None})
    assert not client.plan(shop(data={"b": None}))
    plan = client.plan(shop(data={"b": False, "c": 0.1}))
    assert lines(plan)[1:] == ["~ /buckets/shop b: null -> false", "~ /buckets/shop c: null -> 0.1"]
    assert repr(plan.updates[0]) == "<update /buckets/shop, b: None -> False, c: None -> 0.1>"
    plan.apply().raise_for_failures()
    assert client.bucket("shop").data == {"a": 1, "b": False, "c": 0.1}


def test_a_group_that_has_no_list_of_members_gets_one_when_it_is_wanted(client: Client) -> None:
    client.create_bucket("shop")
    client.connection.perform(
        Operation("PUT", "/buckets/shop/groups/bare", lambda response: response, body={"permissions": {}})
    )
    assert not client.plan(shop(groups=[desired.group("bare", [])]))
    client.plan(shop(groups=[desired.group("bare", ["account:ann"])])).apply().raise_for_failures()
    assert client.bucket("shop").get_group("bare").data == {"members": ["account:ann"]}


def test_a_server_without_accounts_says_so() -> None:
    class Bare:
        """Kinto with no plugin."""

        def send(self, operation: Operation[Any]) -> Response:
            assert operation.path == "/"
            root = {"project_version": "26", "http_api_version": "1.23", "url": "", "settings": {}}
            return Response(200, body={**root, "capabilities": {}})

        def close(self) -> None: ...

    client = Client("http://localhost/v1", transport=Bare())
    with pytest.raises(UnsupportedByServer, match=r"plan\(\): the server lacks the capability 'accounts'"):
        client.plan([desired.account("ann", "s3cret")])
    assert not client.plan([desired.account("ann", "s3cret")], only="records")
