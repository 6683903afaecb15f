"""plan.apply(): what becomes of each change, whatever others do meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kintomodel import Client, Conflict, desired
from kintomodel.provisioning.plan import ServerPlan
from kintomodel.testing import KintoServer, record
from kintomodel.transport.http import HTTPTransport
from kintomodel.transport.retry import Patience, RetryTransport

from ..cutting import Cutting
from ..faulty_proxy import FaultyProxy, Message


def plan(client: Client, **given: Any) -> ServerPlan:
    return client.plan([desired.bucket("shop", **given)], delete=True)


def statuses(report: Any) -> list[str]:
    return [outcome.status for outcome in report]


@pytest.fixture
def admin() -> Iterator[Client]:
    """Of a server of which it may write the accounts."""
    rights = {"account_write_principals": "account:tester", "account_read_principals": "account:tester"}
    with KintoServer(settings=rights) as server, server.client() as client:
        yield client


def test_an_attribute_that_somebody_changed_otherwise_is_a_conflict(client: Client) -> None:
    bucket = client.create_bucket("shop", {"a": 1})
    planned = plan(client, data={"a": 2}, groups=[desired.group("g")])
    bucket.data["a"] = 3
    bucket.save()
    report = planned.apply()
    assert statuses(report) == ["conflict", "created"]
    assert "somebody gave 'a' another value meanwhile: plan it again" in report.failures[0].message
    assert bucket.refresh().data == {"a": 3}


def test_an_attribute_that_somebody_else_changed_is_kept(client: Client) -> None:
    bucket = client.create_bucket("shop", {"a": 1, "b": 1})
    planned = plan(client, data={"a": 2})
    bucket.data["b"] = 3
    bucket.save()
    assert statuses(planned.apply()) == ["updated"]
    assert bucket.refresh().data == {"a": 2, "b": 3}


def test_what_somebody_else_did_already_is_unchanged(client: Client) -> None:
    wanted = {"data": {"a": 2}, "groups": [desired.group("g", ["account:ann"])]}
    client.create_bucket("shop", {"a": 1})
    first, second = plan(client, **wanted), plan(client, **wanted)
    assert statuses(first.apply()) == ["updated", "created"]
    report = second.apply()
    assert statuses(report) == ["unchanged", "unchanged"]
    assert [outcome.id for outcome in report] == ["/buckets/shop", "/buckets/shop/groups/g"]


def test_members_that_somebody_else_added_already_are_unchanged(client: Client) -> None:
    client.create_bucket("shop").create_group("g")
    groups = [desired.group("g", ["account:ann"])]
    first, second = plan(client, groups=groups), plan(client, groups=groups)
    assert [statuses(one.apply()) for one in (first, second)] == [["updated"], ["unchanged"]]


def test_another_object_of_that_name_is_a_conflict(client: Client) -> None:
    bucket = client.create_bucket("shop")
    several = [
        desired.group("g", ["account:ann"], permissions={"read": ["account:ann"]}),
        desired.group("h", []),
    ]
    planned = plan(client, groups=several)
    bucket.create_group("g")
    bucket.create_group("h")
    report = planned.apply()
    assert statuses(report) == ["conflict", "unchanged"]
    assert "somebody created another one meanwhile: plan it again" in report.failures[0].message
    assert list(bucket.get_group("g").members) == []


@pytest.mark.parametrize(
    ("wanted", "theirs", "status"),
    [
        (
            {"data": {"read": "mine"}, "permissions": {"read": ["account:ann"]}},
            {"read": "theirs"},
            "conflict",
        ),
        ({"data": {"read": "mine"}, "permissions": {"read": ["account:ann"]}}, {"read": "mine"}, "unchanged"),
        ({"permissions": {"read": []}}, {}, "conflict"),
        ({"permissions": {"write": []}}, {}, "unchanged"),
        ({"permissions": {"write": ["account:bob"]}}, {}, "conflict"),
        ({"members": []}, {}, "conflict"),
        ({"members": None}, {}, "unchanged"),
        ({"members": ["account:eve", "account:zoe"]}, {}, "unchanged"),
        ({"members": ["account:zoe"]}, {}, "conflict"),
    ],
)
def test_an_object_that_somebody_created_meanwhile_is_to_be_as_wanted(
    client: Client, wanted: Any, theirs: Any, status: str
) -> None:
    bucket = client.create_bucket("shop")
    planned = plan(client, groups=[desired.group("g", **wanted)])
    bucket.create_group(
        "g", ["account:zoe", "account:eve"], data=theirs, permissions={"read": ["account:ann"]}
    )
    assert statuses(planned.apply()) == [status]
    assert bool(plan(client, groups=[desired.group("g", **wanted)])) is (status == "conflict")


def test_what_was_deleted_meanwhile_is_a_conflict_or_gone(client: Client) -> None:
    bucket = client.create_bucket("shop")
    for name in ("old", "g", "busy"):
        bucket.create_group(name)
    planned = plan(client, groups=[desired.group("g", ["account:ann"])])
    bucket.delete_group("old")
    bucket.delete_group("g")
    bucket.add_to_group("busy", ["account:ann"])
    report = planned.apply(delete=True)
    assert {one.id.rpartition("/")[2]: one.status for one in report} == {
        "g": "conflict", "old": "unchanged", "busy": "conflict",
    }  # fmt: skip
    assert isinstance(report.failures[0].error, Conflict)
    assert "it was deleted since it was read; plan it again" in report.failures[0].message
    assert bucket.get_group("busy").name == "busy"


def test_rights_that_somebody_takes_from_us_meanwhile_are_told(server: KintoServer, client: Client) -> None:
    bucket = client.create_bucket("shop", permissions={"write": ["account:bob"]})
    bucket.create_group("g", permissions={"write": ["account:bob"]})
    with server.client(server.create_account("bob", "secret")) as bob:
        planned = plan(bob, groups=[desired.group("g", permissions={"read": ["account:ann"]})])
        bucket.get_group("g").permissions.update(write=[])
        assert statuses(planned.apply()) == ["forbidden"]


def test_an_account_of_that_name_gets_the_password(admin: Client) -> None:
    admin.create_account("ann", "0ther")
    wanted = [desired.account("ann", "s3cret"), desired.bucket("shop")]
    planned = admin.plan(wanted)
    assert str(planned).splitlines()[1:] == [
        '~ /accounts/ann password: "***" -> "***"',
        '+ /buckets/shop {"data": {}}',
    ]
    assert "s3cret" not in f"{planned!r}{planned.changes!r}{planned.to_json()}"
    report = planned.apply()
    assert [(one.status, one.position) for one in report] == [("updated", 0), ("created", 1)]
    with Client(admin.url, ("ann", "s3cret")) as ann:
        assert ann.me().id == "account:ann"
    assert not admin.plan(wanted)


def test_our_own_password_is_changed_last(server: KintoServer, client: Client) -> None:
    client.create_bucket("shop")
    wanted = [desired.account("ann", "n3w"), desired.bucket("mine", groups=[desired.group("g")])]
    with server.client(server.create_account("ann", "s3cret")) as ann:
        planned = ann.plan(wanted)
        assert str(planned.changes[-1]) == "<update /accounts/ann>"
        with ann.dry_run():
            rehearsed = statuses(planned.apply())
        report = planned.apply()
    assert statuses(report) == rehearsed == ["created", "created", "updated"]
    assert [one.position for one in report] == [0, 1, 2]
    with server.client(("ann", "n3w")) as again:
        assert not again.plan(wanted)


def test_an_account_that_has_the_password_already_is_unchanged(server: KintoServer, admin: Client) -> None:
    planned = admin.plan([desired.account("ann", "s3cret")])
    assert statuses(planned.apply()) == ["created"]
    assert statuses(planned.apply()) == ["unchanged"]
    admin.change_password("ann", "0ther")
    report = planned.apply()
    assert statuses(report) == ["conflict"]
    assert report.failures[0].id == "/accounts/ann"
    server.flush()
    with server.client(server.create_account("bob", "s3cret")) as bob:
        planned = bob.plan([desired.account("bob", "n3w")])
        assert [statuses(planned.apply()) for _ in range(2)] == [["updated"], ["unchanged"]]


def test_an_account_that_is_not_ours_to_make_fails_alone(client: Client) -> None:
    report = client.plan([desired.account("ann", "s3cret"), desired.bucket("shop")]).apply()
    assert statuses(report) == ["invalid", "created"]
    assert repr(report.failures[0].object) == "<create /accounts/ann>"


def test_the_changes_show_what_they_do(client: Client) -> None:
    bucket = client.create_bucket("shop")
    bucket.create_group("old")
    planned = plan(client, groups=[desired.group("new")])
    assert [repr(one) for one in planned.changes] == [
        "<create /buckets/shop/groups/new>", "<delete /buckets/shop/groups/old>",
    ]  # fmt: skip
    assert planned.creates[0].data == {"data": {"members": []}}
    assert planned._repr_html_().startswith("<p><b>Plan</b>: 1 to create, 1 to delete, 1 unchanged</p><pre>")


def test_once_the_server_cannot_be_reached_the_rest_is_given_up(client: Client) -> None:
    size = client.server_info().batch_max_requests or 0
    planned = plan(client, groups=[desired.group(f"g{number}") for number in range(3 * size)])
    with record(client):
        client.connection.transport = HTTPTransport("http://127.0.0.1:9/v1")
        report = planned.apply()
    assert len(report.failed) == len(report) == 3 * size + 1
    assert [outcome.position for outcome in report] == list(range(len(report)))


def test_once_it_cannot_be_reached_for_an_account_the_rest_is_given_up(admin: Client) -> None:
    users = [desired.account(name, "s3cret") for name in ("ann", "bob", "zoe")]
    planned = admin.plan([*users, desired.bucket("shop")])
    cutting = Cutting(admin.connection.transport)
    cutting.fates = ["unsent", "unsent"]
    admin.connection.transport = cutting
    report = planned.apply()
    assert statuses(report) == ["failed"] * 4
    assert [outcome.id for outcome in report] == [one.id for one in planned.changes]
    assert [outcome.position for outcome in report] == list(range(4))
    assert cutting.methods == ["PUT", "GET"]
    assert statuses(planned.apply()) == ["created"] * 4


def test_our_own_password_stays_where_the_rest_did_not_arrive(server: KintoServer, client: Client) -> None:
    with server.client(server.create_account("ann", "s3cret")) as ann:
        planned = ann.plan([desired.account("ann", "n3w"), desired.bucket("mine")])
        cutting = Cutting(ann.connection.transport)
        cutting.fates = ["unsent"] * 4
        ann.connection.transport = cutting
        assert statuses(planned.apply()) == ["failed", "failed"]
        assert cutting.methods == ["PUT", "GET"] * 2
        assert ann.me().id == "account:ann"


def test_an_answer_that_was_lost_is_no_conflict_with_ourselves(server: KintoServer, client: Client) -> None:
    lost = iter([True])

    def choose(request: Message) -> Any:
        is_write = request.is_write and b'"PUT"' in request.body and next(lost, False)
        return "after" if is_write else "none"

    groups = [desired.group("g", ["account:ann"]), desired.group("h")]
    with FaultyProxy(server.url, choose) as proxy:
        carrier = HTTPTransport(proxy.url, server.auth, timeout=10)
        retrying = RetryTransport(carrier, Patience(2), sleep=lambda _: None, chance=lambda: 0.0)
        report = plan(Client(proxy.url, transport=retrying), groups=groups).apply()
    assert statuses(report) == ["created"] * 3
    assert proxy.faults["after"] == 1
    assert not plan(client, groups=groups)


def test_a_lost_removal_of_a_writer_is_made_again(server: KintoServer, client: Client) -> None:
    client.create_bucket("shop", permissions={"write": ["account:bob", "account:ann"]})
    cutting = Cutting(HTTPTransport(server.url, server.auth))

    def others_write() -> str:
        client.bucket("shop").permissions.update(read=["account:zoe"])
        return "unsent"

    planned = plan(Client(server.url, transport=cutting), permissions={"write": ["account:ann"]})
    cutting.fates = [others_write]
    assert statuses(planned.apply()) == ["updated"]
    assert set(client.bucket("shop").permissions.write) == {"account:ann", "account:tester"}
