"""Clients: making them, the buckets they lead to, and what needs a plugin."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from kintomodel.errors import (
    BadRequest,
    BulkError,
    Conflict,
    ConnectionFailed,
    Forbidden,
    Unauthorized,
    UnreadableResponse,
    UnsupportedByServer,
    UsageError,
)
from kintomodel.protocol.grants import PermissionsEntry
from kintomodel.resources import client as client_module
from kintomodel.resources.bucket import Bucket
from kintomodel.resources.client import Client, connect, current_client
from kintomodel.resources.collection import Collection
from kintomodel.testing import KintoServer
from kintomodel.testing.transports import record as recorded

NOWHERE = "http://127.0.0.1:9/v1"


@pytest.fixture
def no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever other tests connected to is the default again afterwards."""
    monkeypatch.setattr(client_module, "_default", None)
    monkeypatch.delenv("KINTO_SERVER", raising=False)
    monkeypatch.delenv("KINTO_AUTH", raising=False)


@pytest.mark.usefixtures("no_default")
class TestDefault:
    def test_without_any_it_says_what_to_do(self):
        with pytest.raises(UsageError, match=r"call kintomodel\.connect"):
            current_client()

    def test_connecting_makes_it_the_default_and_sends_nothing(self):
        client = connect(NOWHERE, ("alice", "s3cret"))
        assert current_client() is client
        assert repr(client) == f"<Client {NOWHERE}>"

    def test_the_environment_says_where_and_who(self, server: KintoServer, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("KINTO_SERVER", server.url)
        assert connect().server_info().user is None
        monkeypatch.setenv("KINTO_AUTH", ":".join(server.auth))
        assert connect().me().id == "account:tester"

    def test_auth_given_counts_more_than_the_environment(
        self, server: KintoServer, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("KINTO_SERVER", server.url)
        monkeypatch.setenv("KINTO_AUTH", "nobody:wrong")
        assert connect(auth=server.auth).me().id == "account:tester"

    def test_without_an_address_it_says_so(self):
        with pytest.raises(UsageError, match="KINTO_SERVER"):
            connect()

    def test_a_block_has_its_own_in_this_thread_alone(self):
        outer, inner = connect(NOWHERE), Client(NOWHERE)
        seen: list[Client] = []
        with inner.activate():
            assert current_client() is inner
            thread = threading.Thread(target=lambda: seen.append(current_client()))
            thread.start()
            thread.join()
        assert seen == [outer]
        assert current_client() is outer

    def test_a_task_hands_its_own_to_to_thread_and_not_to_an_executor(self):
        outer, inner = connect(NOWHERE), Client(NOWHERE)

        async def ask() -> tuple[Client, Client]:
            loop = asyncio.get_running_loop()
            return await asyncio.to_thread(current_client), await loop.run_in_executor(None, current_client)

        with inner.activate():
            assert asyncio.run(ask()) == (inner, outer)


def test_it_closes_its_connections_and_can_go_on(server: KintoServer):
    with server.client() as client:
        client.me()
    assert client.me().id == "account:tester"


def test_a_transport_of_ones_own_is_used(server: KintoServer, client: Client):
    other = Client(server.url, transport=client.connection.transport)
    assert other.me() == client.me()


def test_waiting_until_it_is_ready(client: Client):
    client.wait_ready()
    with pytest.raises(ConnectionFailed):
        Client(NOWHERE, retries=0).wait_ready(timeout=0.05, interval=0.01)


class TestBuckets:
    def test_they_are_listed_in_the_order_of_their_names(self, client: Client, bob: Client):
        client.create_bucket("b", {"title": "B"})
        client.create_bucket("a")
        bob.create_bucket("theirs")
        bob.create_bucket("shared", public=True)
        with recorded(client) as sent:
            found = [(bucket.name, bucket.data) for bucket in client.buckets()]
        assert found == [("a", {}), ("b", {"title": "B"}), ("shared", {})]
        assert len(sent) == 1

    def test_all_of_ours_are_deleted_if_that_is_said(self, client: Client, bob: Client, bucket: Bucket):
        theirs = bob.create_bucket("theirs", public=True)
        client.create_bucket("b")
        with pytest.raises(UsageError, match="all=True"):
            client.delete_buckets()
        assert client.delete_buckets(all=True) == 2
        assert [one.name for one in client.buckets()] == [theirs.name]

    def test_those_that_are_named_are_deleted(self, client: Client, bucket: Bucket):
        client.create_bucket("kept")
        assert client.delete_buckets(["payments", "nope"]) == 1
        assert [one.name for one in client.buckets()] == ["kept"]
        with pytest.raises(UsageError, match="several names"):
            client.delete_buckets("kept")
        with pytest.raises(UsageError, match="several names"):
            client.delete_buckets(3)  # type: ignore[arg-type]
        with pytest.raises(UsageError):
            client.delete_buckets(["kept"], all=True)

    def test_one_that_is_not_ours_stops_none_of_the_others(self, client: Client, bob: Client):
        for name in ("p", "q"):
            client.create_bucket(name)
        bob.create_bucket("bobs", public=True)
        with pytest.raises(BulkError, match=r"1 of 4 failed \(1 forbidden\)") as caught:
            client.delete_buckets(["p", "bobs", "nope", "q"])
        statuses = [outcome.status for outcome in caught.value.report]
        assert statuses == ["deleted", "forbidden", "unchanged", "deleted"]
        assert [one.name for one in client.buckets()] == ["bobs"]


@pytest.mark.parametrize("retries", [-1, "3", 1.5, True, None])
def test_a_number_of_retries_that_is_none_is_refused(retries: Any):
    with pytest.raises(UsageError, match="retries is a number of times"):
        Client(NOWHERE, retries=retries)


class TestPermissions:
    @pytest.mark.parametrize("size", [0, "3", True])
    def test_a_size_that_no_page_has_is_refused_at_the_call(self, client: Client, size: Any):
        with pytest.raises(UsageError, match="page_size="):
            client.permissions(page_size=size)

    def test_every_page_of_them_is_listed(self, client: Client, bucket: Bucket, collection: Collection):
        for number in range(5):
            collection.create_record(id=f"r{number}")
        bucket.create_group("g")
        found = list(client.permissions(page_size=2))
        uris = [entry.uri for entry in found]
        assert uris == sorted(uris)
        assert {f"{collection.path}/records/r{number}" for number in range(5)} <= set(uris)
        group = next(entry for entry in found if entry.uri == "/buckets/payments/groups/g")
        assert group == PermissionsEntry(
            group.uri, "group", ("read", "write"), bucket_id="payments", group_id="g"
        )

    def test_what_was_shared_is_among_them(self, client: Client, bob: Client, collection: Collection):
        collection.create_record(id="r1", permissions={"read": "account:bob"})
        shared = [entry for entry in bob.permissions() if entry.resource_name == "record"]
        assert [(entry.record_id, entry.permissions) for entry in shared] == [("r1", ("read",))]


@pytest.mark.parametrize("tail", ["/v1", "/buckets"])
def test_nothing_counts_as_missing_where_the_url_is_wrong(server: KintoServer, client: Client, tail: str):
    client.create_bucket("b").create_collection("c").create_record(id="r")
    astray = Client(server.url + tail, server.auth)
    bucket = astray.bucket("b")
    collection = bucket.collection("c")
    for ask in (
        bucket.exists,
        collection.exists,
        collection.record("r").exists,
        lambda: bucket.delete(missing_ok=True),
        lambda: astray.delete_buckets(["b"]),
    ):
        with pytest.raises((UnreadableResponse, BulkError), match="the server knows no such path: check the"):
            ask()


class TestAccounts:
    def test_anonymous_users_sign_up(self, server: KintoServer, client: Client):
        anonymous = Client(server.url)
        account = anonymous.create_account("zoe", "old")
        assert (account.id, account.principal, account.data) == ("zoe", "account:zoe", {})
        zoe = Client(server.url, ("zoe", "old"))
        assert zoe.me().id == "account:zoe"
        zoe.change_password("zoe", "new")
        with pytest.raises(Unauthorized):
            zoe.me()
        zoe = Client(server.url, ("zoe", "new"))
        zoe.delete_account("zoe")
        assert anonymous.create_account("zoe", "again").id == "zoe"

    def test_a_name_that_is_taken_is_a_conflict_that_shows_no_hash(self, server: KintoServer, client: Client):
        with pytest.raises(Conflict) as caught:
            Client(server.url).create_account("tester", "x")
        assert "$2b$" not in f"{caught.value!r} {vars(caught.value)}"

    def test_who_is_logged_in_is_told_that_he_signs_up_without_auth(self, bob: Client):
        with pytest.raises(BadRequest) as caught:
            bob.create_account("eve", "s3cret")
        assert str(caught.value).endswith(
            "Username and account ID do not match.; only an administrator creates accounts for others; "
            "to sign up, use a Client without auth="
        )

    def test_others_accounts_are_not_ours(self, client: Client, bob: Client):
        with pytest.raises((Forbidden, BadRequest)):
            client.change_password("bob", "x")
        with pytest.raises(Forbidden):
            client.delete_account("bob")

    def test_nobody_is_told_who_he_is(self, server: KintoServer):
        with pytest.raises(Unauthorized, match="auth="):
            Client(server.url).me()


@pytest.fixture(scope="module")
def bare() -> Iterator[KintoServer]:
    """A server without the plugins. Everybody may create buckets, as nobody can log in."""
    with KintoServer(
        settings={
            "includes": "kinto.plugins.accounts",
            "multiauth.policies": "account",
            "experimental_permissions_endpoint": False,
        }
    ) as running:
        yield running


def test_a_missing_plugin_is_named(bare: KintoServer):
    client = bare.client()
    bucket = client.create_bucket("b")
    for ask, capability in (
        (lambda: list(bucket.history()), "history"),
        (bucket.purge_history, "history"),
        (lambda: list(client.permissions()), "permissions_endpoint"),
        (lambda: client.bucket("default"), "default_bucket"),
    ):
        with pytest.raises(UnsupportedByServer, match=capability) as caught:
            ask()
        assert caught.value.capability == capability


def test_without_the_plugin_default_is_a_name_like_any_other(bare: KintoServer):
    client = bare.client()
    with client.batch() as batch:
        created = batch.create(client.bucket("b2"))
    created.result().path = attrs.evolve(created.result().path, bucket="default")
    created.result().create()
    assert client.bucket("default").name == "default"


def test_a_check_takes_collections_and_writes_nothing_in_a_dry_run(client):
    with (
        recorded(client) as sent,
        pytest.raises(UsageError, match=r"check\(\) takes collections"),
    ):
        client.check("b/c")
    assert len(sent) == 0
    collection = client.create_bucket("b").create_collection("c")
    with client.dry_run() as kept:
        assert len(client.check(collection)) == 1
        assert len(kept) == 0


def test_a_check_tells_what_the_server_cannot_guarantee(client):
    with recorded(client) as sent:
        findings = client.check()
    assert [one.subject for one in findings] == ["storage_isolation_level"]
    assert len(sent) == 1
