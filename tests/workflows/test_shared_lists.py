"""Shared lists: some may edit, some may read, and a right is taken away without losing others' grants."""

from __future__ import annotations

import pytest

from kintomodel import Client, Everyone, Forbidden, Model
from kintomodel.testing import KintoServer, record

FRIENDS = "/buckets/lists/groups/friends"


class Entry(Model, bucket="lists", collection="entries"):
    text: str = ""


@pytest.fixture
def shared(client: Client) -> Client:
    bucket = client.create_bucket("lists")
    bucket.create_collection("entries")
    bucket.create_group("friends", members=["account:bob"])
    with client.activate():
        report = Entry.objects.bulk_create(
            Entry(id=f"e{at:02}", text="x", permissions={"read": [FRIENDS]}) for at in range(60)
        )
        report.raise_for_failures()
    return client


@pytest.fixture
def bob(server: KintoServer, shared: Client) -> Client:
    return server.client(server.create_account("bob", "s3cret"))


def test_members_edit_what_is_shared_with_them_and_read_the_rest(shared: Client, bob: Client) -> None:
    with shared.activate():
        entry = Entry.objects.get(id="e00")
        entry.permissions.write += "group:friends"
        entry.save()
    theirs = Entry.objects.using(bob)
    editable, readable = theirs.get(id="e00"), theirs.get(id="e01")
    editable.text = "bob was here"
    editable.save()
    readable.text = "and here"
    with pytest.raises(Forbidden):
        readable.save()
    with shared.activate():
        assert [Entry.objects.get(id=id).text for id in ("e00", "e01")] == ["bob was here", "x"]


def test_the_owner_asks_who_can_read_what(shared: Client) -> None:
    with shared.activate():
        Entry.objects.create(id="open", public=True)
        readers = {entry.id: set(entry.permissions.read) for entry in Entry.objects.with_permissions()}
    assert readers.pop("open") == {Everyone}
    assert set(map(frozenset, readers.values())) == {frozenset({FRIENDS})}


def test_a_right_is_taken_from_a_group_and_what_others_granted_meanwhile_stays(shared: Client) -> None:
    with shared.activate():
        entries = list(Entry.objects.with_permissions())
        for entry in entries:
            entry.permissions.read.discard(FRIENDS)
        other = Entry.objects.get(id="e07")
        other.permissions.update(read=[FRIENDS, "account:carol"])

        with record(shared) as sent:
            report = Entry.objects.bulk_save(entries, on_conflict="merge")
        report.raise_for_failures()
        assert len(report.updated) == 60
        # Three batches of 25, and what the one conflict took.
        assert [one.path for one in sent.writes].count("/batch") == 3

        readers = {entry.id: set(entry.permissions.read) for entry in Entry.objects.with_permissions()}
        assert readers.pop("e07") == {"account:carol"}
        assert set(map(frozenset, readers.values())) == {frozenset()}
