"""Groups: their members, whatever others do to them at the same time."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from kintomodel.errors import Conflict, UsageError
from kintomodel.resources.bucket import Bucket
from kintomodel.resources.client import Client
from kintomodel.resources.group import Group
from kintomodel.testing import KintoServer
from kintomodel.testing.transports import record as recorded

CLIENTS = 8
EACH = 2


@pytest.fixture
def group(bucket: Bucket) -> Group:
    return bucket.create_group("moderators", ["account:a"])


def other(bucket: Bucket) -> Group:
    return bucket.get_group("moderators")


def test_saving_members_keeps_those_that_others_added(bucket: Bucket, group: Group):
    bucket.add_to_group("moderators", "account:theirs")
    group.members += "account:mine"
    group.members.discard("account:a")
    group.save()
    assert set(other(bucket).members) == {"account:theirs", "account:mine"} == set(group.members)


def test_saving_members_costs_one_patch_and_no_get(client: Client, group: Group):
    group.members = ["account:b", "account:a"]
    with recorded(client) as sent:
        group.save()
        group.save()
    assert [operation.body for operation in sent] == [{"data": {"members": ["account:a", "account:b"]}}]


def test_saving_more_than_members_is_guarded_as_a_whole(bucket: Bucket, group: Group):
    bucket.add_to_group("moderators", "account:theirs")
    group.members += "account:mine"
    group.data["title"] = "Moderators"
    with pytest.raises(Conflict):
        group.save()
    assert set(other(bucket).members) == {"account:a", "account:theirs"}


def test_force_makes_the_members_exactly_these(bucket: Bucket, group: Group):
    bucket.add_to_group("moderators", "account:theirs")
    group.members += "account:mine"
    group.save(force=True)
    assert set(other(bucket).members) == {"account:a", "account:mine"}


def test_other_data_and_permissions_are_saved_as_of_any_object(bucket: Bucket, group: Group):
    group.data["title"] = "Moderators"
    group.permissions.read += "account:b"
    group.save()
    assert other(bucket).data == {"title": "Moderators", "members": ["account:a"]}
    assert set(group.permissions.read) == {"account:b"}


def test_a_group_always_has_the_list_of_members(client: Client, bucket: Bucket):
    group = bucket.group("empty").create()
    assert group.data == {"members": []}


def test_one_without_the_list_can_be_added_to(client: Client, bucket: Bucket):
    group = bucket.create_group("odd")
    del group.data["members"]
    group.save()
    assert set(group.members) == set()
    assert set(bucket.add_to_group("odd", "account:a").members) == {"account:a"}


def test_saving_members_of_one_that_was_deleted_meanwhile_is_a_conflict(bucket: Bucket, group: Group):
    bucket.delete_group("moderators")
    group.members += "account:b"
    with pytest.raises(Conflict, match="it was deleted since it was read") as caught:
        group.save()
    assert caught.value.base == {"members": ["account:a"]}
    assert caught.value.mine == {"members": ["account:a", "account:b"]}
    assert caught.value.theirs is None


def test_members_that_are_in_it_already_cost_no_write(client: Client, bucket: Bucket, group: Group):
    with recorded(client) as sent:
        group.add_members("account:a")
        bucket.remove_from_group("moderators", "account:nobody")
    assert sent.writes == []


@pytest.mark.parametrize("verify", [False, True])
def test_members_that_others_changed_meanwhile_are_seen(bucket: Bucket, group: Group, *, verify: bool):
    """Nothing was to be done by what the object knows."""
    bucket.remove_from_group("moderators", "account:a")
    group.add_members("account:a", verify=verify)
    assert set(other(bucket).members) == {"account:a"} == set(group.members)
    bucket.add_to_group("moderators", "account:b")
    group.remove_members("account:b", verify=verify)
    assert set(other(bucket).members) == {"account:a"}
    group.clear_members()
    bucket.add_to_group("moderators", "account:b")
    group.clear_members(verify=verify)
    assert set(other(bucket).members) == set()


def test_changing_members_at_once_would_drop_unsaved_edits(group: Group):
    group.data["title"] = "Moderators"
    with pytest.raises(UsageError, match="unsaved changes"):
        group.add_members("account:b")


def test_assigning_the_view_itself_changes_nothing(group: Group):
    group.members = group.members
    assert group.change() is None


def test_members_of_another_group_can_be_assigned(bucket: Bucket, group: Group):
    copied = bucket.create_group("copy")
    copied.members = group.members
    copied.save()
    assert set(copied.members) == {"account:a"}


def test_a_group_is_a_principal(bucket: Bucket, group: Group):
    bucket.update_permissions(read=[group.principal])
    assert group.name == "moderators"
    assert set(bucket.permissions.read) == {"/buckets/payments/groups/moderators"}


def test_verifying_looks_again(client: Client, group: Group):
    with recorded(client) as sent:
        group.clear_members(verify=True)
    assert [operation.method for operation in sent] == ["PATCH", "GET"]
    assert set(group.members) == set()


def add_at_once(server: KintoServer, *, verify: bool) -> None:
    """Eight clients, each of which adds members and takes the same one out."""
    bucket = server.client().create_bucket("shared")
    bucket.create_group("moderators", ["account:gone"])

    def work(number: int) -> None:
        with server.client() as client:
            mine = client.bucket("shared")
            for turn in range(EACH):
                mine.add_to_group("moderators", f"account:{number}-{turn}", verify=verify)
            mine.remove_from_group("moderators", "account:gone", verify=verify)

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(work, range(CLIENTS)))
    assert set(bucket.get_group("moderators").members) == {
        f"account:{number}-{turn}" for number in range(CLIENTS) for turn in range(EACH)
    }


@pytest.mark.usefixtures("client")
def test_eight_clients_at_once_lose_no_member_if_they_look_again(server: KintoServer):
    """Without that, Kinto with PostgreSQL as it is set up by default loses some."""
    add_at_once(server, verify=True)


def test_eight_clients_at_once_lose_no_member_under_repeatable_read(strict_server: KintoServer):
    strict_server.flush()
    add_at_once(strict_server, verify=False)
