"""Provision a server: accounts, a bucket, groups, a collection with a schema, permissions and records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kintomodel import Client, Everyone, UsageError, desired
from kintomodel.desired import Desired
from kintomodel.testing import RecordingTransport, record

SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}}


def wanted(**changed: Any) -> list[Desired]:
    """All of it; changed: other values for some of it."""
    given: dict[str, Any] = {
        "editors": ["account:ann"],
        "reviewers": ["account:bob"],
        "read": ["group:articles-reviewers"],
        "schema": SCHEMA,
        "records": {"first": {"title": "First"}, "second": {"title": "Second"}},
        **changed,
    }
    records = [desired.record(id, data) for id, data in given["records"].items()]
    articles = desired.collection(
        "articles",
        {"schema": given["schema"], "displayFields": ["title"]},
        permissions={"write": ["group:articles-editors"], "read": given["read"]},
        records=records,
    )
    groups = [
        desired.group("articles-editors", given["editors"]),
        desired.group("articles-reviewers", given["reviewers"], permissions={"read": Everyone}),
    ]
    return [
        desired.account("ann", "s3cret"),
        desired.account("bob", "pa55word"),
        desired.bucket("shop", permissions={"read": ["account:ann"]}, groups=groups, collections=[articles]),
    ]


def requests(sent: RecordingTransport) -> list[str]:
    """Each request; of a batch, how many it holds."""
    return [
        f"batch of {len(one.body['requests'])}" if one.path == "/batch" else f"{one.method} {one.path}"
        for one in sent
    ]


@pytest.fixture
def shop(client: Client) -> Client:
    """A server that holds all of it."""
    client.plan(wanted()).apply().raise_for_failures()
    return client


def members(client: Client) -> list[str]:
    return sorted(client.bucket("shop").group("articles-editors").members)


def test_everything_is_created_in_its_order(client: Client) -> None:
    plan = client.plan(wanted())
    assert str(plan).splitlines()[0] == "8 to create, 0 unchanged"
    with record(client) as sent:
        report = plan.apply()
    assert requests(sent) == ["PUT /accounts/ann", "PUT /accounts/bob", "batch of 6"]
    assert [one.object.id for one in report.created] == [
        "/accounts/ann",
        "/accounts/bob",
        "/buckets/shop",
        "/buckets/shop/groups/articles-editors",
        "/buckets/shop/groups/articles-reviewers",
        "/buckets/shop/collections/articles",
        "/buckets/shop/collections/articles/records/first",
        "/buckets/shop/collections/articles/records/second",
    ]
    collection = client.bucket("shop").get_collection("articles")
    assert collection.data == {"schema": SCHEMA, "displayFields": ["title"]}
    assert set(collection.permissions.write) == {
        "/buckets/shop/groups/articles-editors",
        "account:tester",
    }
    assert set(collection.permissions.read) == {"/buckets/shop/groups/articles-reviewers"}
    with Client(client.url, ("ann", "s3cret")) as ann:
        assert ann.me().id == "account:ann"
        ann.bucket("shop").collection("articles").create_record({"title": "By Ann"})


def test_a_second_run_reads_in_one_batch_and_writes_nothing(shop: Client) -> None:
    with record(shop) as sent:
        plan = shop.plan(wanted())
        assert not plan
        assert str(plan) == "nothing to do, 8 unchanged"
        assert len(plan.apply()) == 0
    assert requests(sent) == ["GET /accounts/ann", "GET /accounts/bob", "batch of 6"]
    assert {one["method"] for one in sent.last.body["requests"]} == {"GET"}


def test_a_plan_shows_differences_of_attributes_members_and_permissions(shop: Client) -> None:
    other = wanted(
        editors=["account:zoe"],
        read=[],
        records={"first": {"title": "1st"}, "third": {"title": "Third"}},
    )
    plan = shop.plan(other, delete=True)
    articles = "/buckets/shop/collections/articles"
    assert str(plan).splitlines() == [
        "1 to create, 3 to update, 1 to delete, 4 unchanged",
        "~ /buckets/shop/groups/articles-editors members: +account:zoe -account:ann",
        f"~ {articles} permissions.read: -/buckets/shop/groups/articles-reviewers",
        f'~ {articles}/records/first title: "First" -> "1st"',
        f'+ {articles}/records/third {{"data": {{"title": "Third"}}}}',
        f"- {articles}/records/second",
    ]
    shown = json.loads(plan.to_json())
    assert [one["id"] for one in shown["deletes"]] == [f"{articles}/records/second"]
    assert shown["updates"][0]["changes"] == {"members": [["account:ann"], ["account:zoe"]]}


def test_deleting_needs_to_be_confirmed(shop: Client) -> None:
    shop.bucket("shop").create_collection("drafts").create_record({}, id="d1")
    shop.bucket("shop").create_group("drafts-editors")
    plan = shop.plan(wanted(records={}), delete=True)
    with record(shop) as sent, pytest.raises(UsageError, match=r"this plan deletes 4 objects .*delete=True"):
        plan.apply()
    assert len(sent) == 0
    report = plan.apply(delete=True)
    assert [one.object.id for one in report.deleted] == [
        "/buckets/shop/collections/articles/records/first",
        "/buckets/shop/collections/articles/records/second",
        "/buckets/shop/collections/drafts",
        "/buckets/shop/groups/drafts-editors",
    ]
    assert not shop.plan(wanted(records={}), delete=True)


def test_without_delete_what_is_not_named_stays(shop: Client) -> None:
    shop.bucket("shop").create_collection("drafts")
    assert not shop.plan(wanted(records={}))


@pytest.mark.parametrize(
    ("only", "updates"), [("groups", ["members"]), ("permissions", ["permissions.read"])]
)
def test_a_part_of_it_leaves_the_rest_alone(shop: Client, only: str, updates: list[str]) -> None:
    other = wanted(editors=["account:zoe"], read=[], records={"third": {"title": "Third"}})
    plan = shop.plan(other, only=only, delete=True)
    assert [name for change in plan.updates for name in change.difference] == updates
    assert len(plan) == 1
    plan.apply().raise_for_failures()
    assert not shop.plan(other, only=only)
    assert len(shop.plan(other)) == 2


def test_adding_a_member_keeps_one_that_was_added_meanwhile(shop: Client) -> None:
    plan = shop.plan(wanted(editors=["account:ann", "account:bob"]))
    shop.bucket("shop").add_to_group("articles-editors", "account:zoe")
    with record(shop) as sent:
        report = plan.apply()
    assert [one.status for one in report] == ["updated"]
    assert [one.method for one in sent] == ["PATCH", "GET", "PATCH"]
    assert members(shop) == ["account:ann", "account:bob", "account:zoe"]


def test_giving_a_permission_keeps_one_that_was_given_meanwhile(shop: Client) -> None:
    plan = shop.plan(wanted(read=["group:articles-reviewers", "account:carol"]))
    collection = shop.bucket("shop").get_collection("articles")
    collection.permissions.read += "account:dan"
    collection.save()
    plan.apply().raise_for_failures()
    collection.refresh()
    assert set(collection.permissions.read) == {
        *("account:carol", "account:dan", "/buckets/shop/groups/articles-reviewers")
    }


def test_a_new_schema_lists_the_records_that_it_refuses(shop: Client) -> None:
    shop.bucket("shop").collection("articles").create_record({"text": "untitled"}, id="third")
    other = wanted(
        schema={**SCHEMA, "required": ["title"], "properties": {"title": {"maxLength": 6}}},
        records={"second": {"title": "2nd"}},
    )
    plan = shop.plan(other)
    articles = "/buckets/shop/collections/articles"
    assert [tuple(one) for one in plan.invalid] == [
        (f"{articles}/records/third", "'title' is a required property")
    ]
    assert str(plan).splitlines()[-1] == (
        f"! {articles}/records/third does not fit the new schema: 'title' is a required property"
    )
    assert json.loads(plan.to_json())["invalid"][0]["id"] == f"{articles}/records/third"
    plan.apply().raise_for_failures()
    assert shop.plan(other).invalid == ()


def test_a_dump_that_is_loaded_on_an_empty_server_is_dumped_again(shop: Client, tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    first.write_text(json.dumps(shop.dump(), indent=2))
    shop.delete_buckets(all=True)
    report = shop.plan(json.loads(first.read_text())).apply()
    assert len(report.created) == len(report) == 6
    second.write_text(json.dumps(shop.dump(["shop"]), indent=2))
    assert first.read_text() == second.read_text()
    assert not shop.plan(json.loads(second.read_text()), delete=True)


def test_a_run_that_broke_off_is_finished_by_the_next(client: Client) -> None:
    client.create_account("ann", "s3cret")
    client.create_bucket("shop").create_group("articles-editors", ["account:ann"])
    plan = client.plan(wanted())
    assert len(plan.creates) == 5
    plan.apply().raise_for_failures()
    assert not client.plan(wanted())


def test_a_dry_run_provisions_nothing(client: Client) -> None:
    with client.dry_run() as kept:
        client.plan(wanted()).apply().raise_for_failures()
        assert not client.plan(wanted())
    assert [operation.path for operation in kept][:3] == ["/accounts/ann", "/accounts/bob", "/buckets/shop"]
    assert len(client.plan(wanted()).creates) == 8
