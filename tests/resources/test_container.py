"""Groups through buckets and collections."""

import pytest

from kintomodel.errors import Conflict, NotFound, UsageError, ValidationError
from kintomodel.resources.bucket import Bucket
from kintomodel.resources.client import Client
from kintomodel.resources.collection import Collection
from kintomodel.testing.transports import record as recorded


def test_groups_are_listed_in_the_order_of_their_names(bucket: Bucket, collection: Collection):
    for name in ("b", "a"):
        bucket.create_group(name, members=f"account:{name}")
    assert [(group.name, set(group.members)) for group in collection.get_all_groups()] == [
        ("a", {"account:a"}),
        ("b", {"account:b"}),
    ]


def test_a_group_that_is_there_is_a_conflict_or_left_as_it_is(bucket: Bucket):
    bucket.create_group("g", ["account:a"], data={"title": "G"})
    with pytest.raises(Conflict):
        bucket.create_group("g", ["account:b"])
    found = bucket.create_group("g", ["account:b"], if_not_exists=True)
    assert found.data == {"members": ["account:a"], "title": "G"}


def test_a_missing_group_is_said_to_be_missing(bucket: Bucket):
    with pytest.raises(NotFound):
        bucket.get_group("nope")
    with pytest.raises(NotFound):
        bucket.add_to_group("nope", "account:a")
    with pytest.raises(NotFound):
        bucket.delete_group("nope")
    bucket.delete_group("nope", missing_ok=True)


def test_members_are_checked_before_anything_is_sent(client: Client, bucket: Bucket):
    with recorded(client) as sent, pytest.raises(ValidationError):
        bucket.add_to_group("g", "system.Everyone")
    assert sent.operations == []


def test_members_may_be_given_in_the_data(bucket: Bucket):
    assert set(bucket.create_group("g", data={"members": ["account:a"]}).members) == {"account:a"}
    with pytest.raises(UsageError, match="twice"):
        bucket.create_group("h", "account:a", data={"members": ["account:b"]})
