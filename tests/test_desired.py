"""kintomodel.desired: what is wanted, as values or as plain data."""

from __future__ import annotations

from typing import Any

import pytest

from kintomodel import UsageError, ValidationError, desired


def test_a_value_shows_what_is_in_it_and_no_password() -> None:
    assert repr(desired.account("ann", "s3cret")) == "<desired account ann>"
    bucket = desired.bucket("shop", groups=[], collections=[desired.collection("articles")])
    assert repr(bucket) == "<desired bucket shop with 0 groups, 1 collections>"


def test_values_do_not_change_with_what_they_are_made_of() -> None:
    data: dict[str, Any] = {"tags": ["a"], "last_modified": 3}
    held = ["account:ann"]
    record = desired.record("r1", data, permissions={"read": held})
    data["tags"].append("b")
    held.append("account:bob")
    assert record == desired.record("r1", {"tags": ["a"]}, permissions={"read": ["account:ann"]})


def test_members_are_taken_from_the_data_as_well() -> None:
    assert desired.group("g", data={"members": ["account:ann"], "a": 1}).members == ("account:ann",)
    assert desired.group("g", "account:ann").members == ("account:ann",)
    assert desired.group("g", data={"a": 1}).members is None


def test_plain_data_say_the_same_as_values() -> None:
    plain = {
        "accounts": {"ann": {"password": "s3cret"}},
        "buckets": {
            "shop": {
                "data": {"id": "shop", "a": 1},
                "permissions": {"read": ["account:ann"]},
                "groups": {"editors": {"data": {"members": ["account:ann"]}}},
                "collections": {
                    "articles": {"data": {}, "records": {"r1": {"data": {"n": 1}, "permissions": {}}}},
                    "drafts": {},
                },
            },
            "bare": {},
        },
    }
    articles = desired.collection("articles", {}, records=[desired.record("r1", {"n": 1}, permissions={})])
    assert desired.read(plain) == [
        desired.account("ann", "s3cret"),
        desired.bucket(
            "shop",
            {"a": 1},
            permissions={"read": ["account:ann"]},
            groups=[desired.group("editors", ["account:ann"], data={})],
            collections=[articles, desired.collection("drafts")],
        ),
        desired.bucket("bare"),
    ]


@pytest.mark.parametrize(
    ("make", "error", "problem"),
    [
        (
            lambda: desired.group("g", ["account:a"], data={"members": []}),
            UsageError,
            "group 'g': the members are given twice, once in the data",
        ),
        (lambda: desired.group("g", ["system.Everyone"]), ValidationError, "cannot be in a group"),
        (lambda: desired.record("r1", [1]), UsageError, "record 'r1': the data of an object is a dict, got"),
        (
            lambda: desired.record("r1", {"id": "r2"}),
            UsageError,
            "record 'r1' cannot have the id 'r2' that is in its data",
        ),
        (
            lambda: desired.bucket("b", permissions=["read"]),
            UsageError,
            "bucket 'b': permissions are a dict of lists, got",
        ),
        (
            lambda: desired.bucket("b", groups=[desired.collection("c")]),
            UsageError,
            r"bucket 'b': its groups are values of desired.group\(\), got <desired collection c>",
        ),
        (
            lambda: desired.bucket("b", groups=desired.group("g")),  # type: ignore[arg-type]
            UsageError,
            r"bucket 'b': its groups are several values of desired.group\(\), got <desired group g>",
        ),
        (
            lambda: desired.collection("c", records=[{"id": "r1"}]),
            UsageError,
            r"collection 'c': its records are values of desired.record\(\), got {'id': 'r1'}",
        ),
        (
            lambda: desired.read({"bucket": {}}),
            UsageError,
            "desired: it has 'bucket', and only accounts, buckets is known there",
        ),
        (
            lambda: desired.read({"buckets": []}),
            UsageError,
            r"desired: buckets of it are a dict of their ids, got \[\]",
        ),
        (
            lambda: desired.read({"buckets": {"b": None}}),
            UsageError,
            "desired: bucket b is described by a dict, got None",
        ),
        (
            lambda: desired.read({"buckets": {"b": {"collections": {"c": {"members": []}}}}}),
            UsageError,
            "desired: bucket b, collection c has 'members'",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(make: Any, error: type[Exception], problem: str) -> None:
    with pytest.raises(error, match=problem):
        make()
