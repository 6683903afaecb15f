"""client.dry_run(): everything is read for real, nothing is written."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest

from kintomodel import (
    BadRequest,
    Client,
    Collection,
    Conflict,
    Everyone,
    Forbidden,
    NotFound,
    Unauthorized,
    UsageError,
    desired,
)
from kintomodel.flows import accounts
from kintomodel.protocol import operations, responses
from kintomodel.protocol.operations import Operation
from kintomodel.testing import KintoServer, record
from kintomodel.transport.dry_run import DryRun


def stored(client: Client) -> list[Any]:
    """All that is in the buckets, with its times."""
    found: list[Any] = []
    for bucket in client.buckets():
        inside = [bucket, *bucket.get_all_groups()]
        for collection in bucket.get_all_collections():
            inside += [collection, *collection.get_all_records()]
        found += [(str(one.path), one.last_modified, one.refresh().permissions.as_dict()) for one in inside]
    return found


@contextmanager
def dry(client: Client) -> Iterator[DryRun]:
    """A dry run, after which the server is what it was, and was asked nothing but to read."""
    before = stored(client)
    with record(client) as sent:
        with client.dry_run() as kept:
            yield kept
        assert {operation.method for operation in sent.operations} <= {"GET", "HEAD"}
    assert stored(client) == before


def buckets(client: Client) -> Any:
    bucket = client.create_bucket("new", {"a": 1}, public=True)
    bucket.data["b"] = 2
    bucket.save()
    bucket.permissions.update(read=["account:bob"])
    shown = bucket.refresh().data, bucket.permissions.as_dict()
    client.create_bucket("payments", if_not_exists=True)
    bucket.delete()
    return (
        shown,
        bucket.exists(),
        client.delete_buckets(["payments", "nope"]),
        client.delete_buckets(all=True),
    )


def fan_out(client: Client) -> Any:
    bucket = client.bucket("payments")
    bucket.permissions.record_create += "account:zoe"
    bucket.save()
    return [one.refresh().permissions.as_dict() for one in bucket.get_all_collections()]


def collections(client: Client) -> Any:
    bucket = client.bucket("payments")
    bucket.create_collection("new", {"displayFields": ["a"]}, permissions={"record_create": [Everyone]})
    new = bucket.get_collection("new")
    record = new.create_record({"a": 1}, permissions={"read": ["group:g"]})
    bucket.delete_collection("receipts")
    return [
        new.data, new.permissions.as_dict(), record.permissions.as_dict(), new.record(record.id).exists(),
        bucket.collection("receipts").exists(), new.delete_all(), new.record(record.id).exists(),
    ]  # fmt: skip


def groups(client: Client) -> Any:
    bucket = client.bucket("payments")
    bucket.create_group("new", ["account:a", "account:b"])
    bucket.add_to_group("new", ["account:c"], verify=True)
    bucket.remove_from_group("new", ["account:a"])
    members = sorted(bucket.get_group("new").members)
    bucket.clear_group("g")
    bucket.delete_group("new")
    return members, list(bucket.get_group("g").members), bucket.group("new").exists()


def records(client: Client) -> Any:
    collection = client.bucket("payments").collection("receipts")
    record = collection.get_record("r1")
    record.data["amount"] = 5
    del record.data["tags"]
    record.permissions.read += "account:bob"
    record.save()
    other = collection.get_record("r1")
    other.data["amount"] = 6
    other.save()
    record.data["amount"] = 7
    with pytest.raises(Conflict) as caught:
        record.save()
    sides = caught.value.base, caught.value.mine, caught.value.theirs
    collection.update_record_permissions(id="r2", read=["account:zoe"])
    report = collection.delete_records(["r2", "nope"])
    with pytest.raises(NotFound):
        collection.get_record("r2")
    collection.create_record({"n": 1}, id="r2")
    record.save(force=True)
    return (
        sides,
        report.counts if hasattr(report, "counts") else repr(report),
        record.data,
        collection.delete_all(),
    )


def in_batches(client: Client) -> Any:
    collection = client.bucket("payments").collection("receipts")
    with client.batch() as batch:
        made = [batch.create(collection.record(f"n{at}", {"n": at})) for at in range(30)]
        taken = batch.create(collection.record("r1", {}))
        read = batch.refresh(collection.record("n3"))
        unwritten = batch.refresh(collection.record("r2"))
        gone = batch.delete(collection.record("n4"))
    shown = (
        made[5].result().data,
        type(taken.error),
        read.result().data,
        unwritten.result().data,
        gone.object.exists(),
    )
    return shown, repr(batch.report)


def filtered_deletion(client: Client) -> Any:
    collection = client.bucket("payments").collection("receipts")
    return collection.delete_all({"amount__gte": 2}), collection.record("r1").exists()


def history(client: Client) -> Any:
    return client.bucket("payments").purge_history(resource_name="record")


EVERYTHING = [buckets, fan_out, collections, groups, records, in_batches, filtered_deletion, history]


@pytest.fixture
def full(collection: Collection) -> Collection:
    """payments/receipts with two records, and a group."""
    for number in (1, 2):
        collection.create_record({"amount": number, "tags": []}, id=f"r{number}", permissions={"read": ["a"]})
    collection.create_group("g", ["account:x"])
    return collection


@pytest.mark.parametrize("work", EVERYTHING, ids=lambda work: work.__name__)
def test_it_comes_to_what_the_same_comes_to_for_real(
    client: Client, full: Collection, work: Callable[[Client], Any]
) -> None:
    with dry(client) as kept:
        rehearsed = work(client)
    assert len(kept) > 0
    assert str(rehearsed) == str(work(client))


def test_what_would_have_been_sent_is_kept_in_order(client: Client, full: Collection) -> None:
    with dry(client) as kept:
        record = full.create_record({"a": 1}, id="n")
        full.delete_record("r1")
        with pytest.raises(Conflict):
            full.create_record(id="n")
    assert [(one.method, one.path.rpartition("/")[2]) for one in kept] == [
        ("PUT", "n"), ("DELETE", "r1"), ("PUT", "n"),
    ]  # fmt: skip
    assert kept.operations == list(kept)
    assert str(kept) == (
        f'PUT {record.path}\n  If-None-Match: *\n  {{"data": {{"a": 1}}}}\n'
        f"DELETE {full.record('r1').path}\n"
        f'PUT {record.path}\n  If-None-Match: *\n  {{"data": {{}}}}\n  would be refused: 412'
    )
    assert repr(kept) == "<DryRun of 3 writes>"


def test_a_dry_run_without_writes_says_so(client: Client) -> None:
    with dry(client) as kept:
        assert list(client.buckets()) == []
    assert (len(kept), str(kept)) == (0, "nothing would be written")


def test_times_grow_beyond_all_that_was_shown(client: Client, full: Collection) -> None:
    with dry(client):
        shown = full.get_record("r2").last_modified
        times = [full.create_record().last_modified for _ in range(5)]
        with client.batch() as batch:
            several = [batch.create(full.record(data={})) for _ in range(5)]
        times += [one.result().last_modified for one in several]
    assert [shown, *times] == sorted({shown, *times})


def test_it_is_over_with_its_block_even_if_that_raises(client: Client, full: Collection) -> None:
    with suppress(ZeroDivisionError), client.dry_run():
        full.delete_record("r1")
        raise ZeroDivisionError
    full.delete_record("r1")
    assert not full.record("r1").exists()


def test_one_dry_run_at_a_time(client: Client) -> None:
    with client.dry_run():
        with pytest.raises(UsageError, match="already"), client.dry_run():
            pass
        client.create_bucket("b")
    with client.dry_run() as kept:
        client.create_bucket("b")
    assert len(kept) == 1


def test_it_covers_threads_and_whatever_shares_the_connection(client: Client, full: Collection) -> None:
    clone = copy.copy(client)
    with dry(client) as kept, ThreadPoolExecutor(8) as threads:
        sources = [
            full,
            clone.bucket("payments").collection("receipts"),
            copy.copy(client).bucket("payments").collection("receipts"),
            Client(client.url, transport=client.connection.transport)
            .bucket("payments")
            .collection("receipts"),
        ]
        made = list(threads.map(lambda at: sources[at % 4].create_record({"at": at}), range(40)))
        assert [full.get_record(one.id).data["at"] for one in made] == list(range(40))
    assert len(kept) == len({one.last_modified for one in made}) == 40


def test_a_recording_that_ends_within_the_block_ends_no_dry_run(client: Client, full: Collection) -> None:
    with ExitStack() as block, ExitStack() as recording:
        recording.enter_context(record(client))
        block.enter_context(client.dry_run())
        recording.close()
        full.delete_record("r1")
    assert full.record("r1").exists()


def test_a_recording_that_outlives_the_block_records_what_is_sent(client: Client, full: Collection) -> None:
    with ExitStack() as recording:
        with client.dry_run():
            sent = recording.enter_context(record(client))
            full.delete_record("r1")
        full.delete_record("r1")
    assert [one.method for one in sent.writes] == ["DELETE", "DELETE"]
    assert not full.record("r1").exists()


def test_passwords_are_not_kept(server: KintoServer, client: Client) -> None:
    with Client(server.url) as anonymous, dry(client), anonymous.dry_run() as kept:
        account = anonymous.create_account("zoe", "s3cret")
        assert (account.id, account.data) == ("zoe", {})
        with pytest.raises(Conflict) as caught:
            anonymous.create_account("zoe", "s3cret")
    assert "s3cret" not in f"{kept}{kept.operations!r}{caught.value.details}"
    assert '{"data": {"password": "***"}}' in str(kept)
    with pytest.raises(Unauthorized):
        server.client(("zoe", "s3cret")).me()


def test_an_account_of_ours_is_changed_and_deleted(server: KintoServer, client: Client) -> None:
    zoe = server.client(server.create_account("zoe", "s3cret"))
    with record(zoe) as sent, zoe.dry_run() as kept:
        assert zoe.change_password("zoe", "b3tter").principal == "account:zoe"
        zoe.delete_account("zoe")
        with pytest.raises(NotFound):
            zoe.change_password("zoe", "b3tter")
        with pytest.raises(Forbidden):
            zoe.delete_account("tester")
    assert sent.writes == []
    # What we may not read is not asked to be deleted.
    assert [one.method for one in kept] == ["PATCH", "DELETE", "PATCH"]
    assert zoe.me().id == "account:zoe"


def test_a_rehearsed_password_is_known_and_not_shown(server: KintoServer, client: Client) -> None:
    server.create_account("zoe", "s3cret")
    with server.client(("zoe", "s3cret")) as zoe, record(zoe) as sent, zoe.dry_run():
        transport = zoe.connection.transport

        def state(password: str) -> str:
            return zoe.connection.run(accounts.state("zoe", password))

        assert (state("s3cret"), state("b3tter")) == ("same", "other")
        zoe.connection.perform(operations.update("/accounts/zoe", {"note": "x"}))
        assert (state("s3cret"), state("b3tter")) == ("same", "other")
        zoe.change_password("zoe", "b3tter")
        assert (state("s3cret"), state("b3tter")) == ("other", "same")
        shown = transport.send(operations.read("/accounts/zoe")).body["data"]
        assert (shown["note"], "password" in shown) == ("x", False)
        zoe.delete_account("zoe")
        assert (state("b3tter"), state("s3cret")) == ("missing", "missing")
    assert sent.writes == []


def test_a_plan_sees_the_passwords_that_it_would_have_changed(server: KintoServer) -> None:
    rights = {"account_write_principals": "account:tester", "account_read_principals": "account:tester"}
    with KintoServer(server.backend, settings=rights) as strict, strict.client() as client:

        def plans() -> list[str]:
            several = []
            for password in ("one", "two", "two"):
                plan = client.plan([desired.account("ann", password)])
                several.append(str(plan))
                plan.apply()
            return several

        with client.dry_run():
            rehearsed = plans()
        assert rehearsed == plans()


def test_the_default_bucket_is_not_made(client: Client) -> None:
    """Kinto makes it, and its collections, for a GET."""
    real = client.me().bucket
    with dry(client) as kept:
        bucket = client.bucket("default")
        assert (bucket.id, list(bucket.permissions.write)) == (real, ["account:tester"])
        path = "/buckets/default/collections/c/records/r"
        assert client.connection.perform(operations.create(path, {"a": 1})).data["a"] == 1
        assert client.connection.perform(operations.read(path)).id == "r"
        assert bucket.get_collection("c").data == {}
        client.connection.perform(operations.create("/buckets/default/groups/g", {}))
        client.connection.perform(operations.update("/buckets/default", {"n": 1}))
    assert [one.path.split("/")[2] for one in kept] == ["default"] * 3
    assert list(client.buckets()) == []


def test_the_default_bucket_of_nobody_is_refused(server: KintoServer, client: Client) -> None:
    with Client(server.url) as anonymous, anonymous.dry_run(), pytest.raises(Unauthorized):
        anonymous.connection.perform(operations.read("/buckets/default"))


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/__flush__"), ("POST", "/buckets"), ("PUT", "/buckets"), ("DELETE", "/__user_data__/a")],
)
def test_what_cannot_be_rehearsed_is_refused(
    client: Client, full: Collection, method: str, path: str
) -> None:
    with dry(client) as kept, pytest.raises(UsageError, match="was not sent"):
        client.connection.perform(Operation(method, path, responses.json_object, body={}))
    assert len(kept) == 0


def test_a_filtered_deletion_takes_what_was_rehearsed_as_well(client: Client, full: Collection) -> None:
    with dry(client):
        full.delete_record("r2")
        assert full.delete_all({"amount": 2}) == 0
        full.create_record({"amount": 1}, id="n")
        full.create_record({"amount": 3}, id="m")
        assert full.delete_all({"amount": 1}) == 2
        assert [one.id for one in full.get_all_records()] == ["m"]
        with pytest.raises(UsageError, match="_limit"):
            client.connection.perform(operations.delete_page(str(full.path.records), {"_limit": "1"}))


@pytest.mark.parametrize("params", [{"like_id": "*"}, {"min_tags": "[]"}])
def test_a_filter_that_what_was_rehearsed_may_match_is_refused(
    client: Client, full: Collection, params: dict[str, str]
) -> None:
    """Each back end of Kinto has a meaning of its own for it."""
    with dry(client) as kept:
        full.delete_record("r1")
        listing = operations.list_page(str(full.path.records), params)
        assert {one["id"] for one in client.connection.perform(listing).objects} <= {"r2"}
        full.create_record({"amount": 1})
        for ask in (operations.list_page, operations.count, operations.delete_page):
            with pytest.raises(UsageError, match="cannot tell which of the objects that it wrote match"):
                client.connection.perform(ask(str(full.path.records), params))
    assert len(kept) == 2


def test_lists_show_what_was_rehearsed(client: Client, full: Collection) -> None:
    with dry(client):
        full.create_record(id="n")
        full.update_record_permissions(id="r2", read=[])
        full.delete_record("r1")
        assert [(one.id, one.last_modified) for one in full.get_all_records()] == [
            (id, full.get_record(id).last_modified) for id in ("n", "r2")
        ]
        assert full.count_records() == 2
        new = client.create_bucket("new").create_collection("c")
        assert (list(new.get_all_records()), new.count_records()) == ([], 0)
        new.create_record(id="n")
        assert ([one.id for one in new.get_all_records()], new.count_records()) == (["n"], 1)
        assert [one.id for one in client.buckets()] == ["new", "payments"]
        full.destroy()
        with pytest.raises(NotFound, match="collection"):
            list(full.get_all_records())
        with pytest.raises(NotFound, match="collection"):
            full.count_records()


def test_what_is_listed_can_be_written_again(client: Client, full: Collection) -> None:
    for _ in range(2):
        with dry(client):
            for turn in range(3):
                for one in [*full.get_all_records(), *client.bucket("payments").get_all_groups()]:
                    one.data["turn"] = turn
                    one.save()
            assert [one.data["turn"] for one in full.get_all_records()] == [2, 2]
            for one in full.get_all_records():
                one.delete()
            assert full.count_records() == 0


def test_what_somebody_wrote_meanwhile_is_a_conflict_in_lists_too(
    server: KintoServer, client: Client, full: Collection
) -> None:
    theirs = server.client().bucket("payments").collection("receipts")
    with client.dry_run():
        full.create_record(id="n")
        listed = {one.id: one for one in full.get_all_records()}
        theirs.delete_record("r1")
        listed["r1"].data["amount"] = 9
        with pytest.raises(Conflict):
            listed["r1"].save()
        listed["n"].data["amount"] = 9
        listed["n"].save()


def test_a_guarded_list_that_was_changed_is_refused(
    server: KintoServer, client: Client, full: Collection
) -> None:
    theirs = server.client().bucket("payments").collection("receipts")
    path = str(full.path.records)

    def time(since: int | None = None) -> Any:
        return client.connection.perform(operations.list_page(path, last_modified=since)).last_modified

    with client.dry_run():
        before = time()
        full.create_record(id="n")
        with pytest.raises(Conflict):
            time(before)
        after = time()
        assert after > before
        assert time(after) == after
        theirs.create_record(id="theirs")
        with pytest.raises(Conflict):
            time(after)
        assert time() > after
        with pytest.raises(Conflict):
            time(after)


def test_changes_and_tombstones_are_those_of_the_server(client: Client, full: Collection) -> None:
    everything = full.changes(page_size=1)
    seen = {one.id for one in everything}
    with dry(client):
        full.create_record(id="n")
        full.delete_record("r1")
        assert seen == {one.id for one in full.changes(page_size=1)} == {"r1", "r2"}
        later = full.changes(everything.next, page_size=1)
        assert {one.id for one in later} <= seen
        deleted = operations.list_page(
            str(full.path.records), {"gt_last_modified": "0", "eq_deleted": "true"}
        )
        assert client.connection.perform(deleted).objects == ()
    full.create_record(id="real")
    assert "real" in {one.id for one in full.changes(later.next)}


def test_a_list_that_is_asked_for_by_ids_shows_what_was_rehearsed(client: Client, full: Collection) -> None:
    with dry(client):
        full.create_record({"a": 1}, id="z9")
        full.create_record({"a": 2}, id="a0")
        full.delete_record("r1")

        def found(filters: dict[str, Any], **options: Any) -> list[str]:
            return [one.id for one in full.get_all_records(filters, **options)]

        assert found({"id__in": ["z9", "r1", "a0", "r2", "none"]}, page_size=1) == ["a0", "r2", "z9"]
        assert found({"id": "r1"}) == []
        assert found({"id": "r2"}) == ["r2"]
        assert found({"id__in": ["z9"], "a": 1}) == ["z9"]
        client.bucket("payments").delete()
        with pytest.raises(Forbidden):
            found({"id": "z9"})


def test_ids_are_read_as_the_server_reads_them(client: Client, full: Collection) -> None:
    def listed(value: str) -> list[str]:
        page = operations.list_page(full.path.records, {"in_id": value, "_sort": "id"})
        return [data["id"] for data in client.connection.perform(page).objects]

    with dry(client):
        full.create_record({}, id="z9")
        full.delete_record("r1")
        assert listed('r1,z9,"r2"') == ["r2", "z9"]
        with pytest.raises(BadRequest):
            listed("1")


def test_a_part_of_what_was_rehearsed_is_not_shown(client: Client, full: Collection) -> None:
    operation = Operation("GET", str(full.record("r1").path), responses.json_object, params={"_fields": "a"})
    with dry(client):
        assert "permissions" not in client.connection.perform(operation)
        full.delete_record("r1")
        with pytest.raises(UsageError, match="as a whole"):
            client.connection.perform(operation)


def test_a_guarded_read_of_what_was_rehearsed_finds_that_out(client: Client, full: Collection) -> None:
    seen = full.get_record("r1")
    with dry(client):
        seen.data["amount"] = 9
        before = seen.last_modified
        seen.save()
        with pytest.raises(Conflict):
            client.connection.perform(operations.read(seen.path, unless_changed_since=before))


def test_what_is_wrong_with_a_write_is_said(client: Client, full: Collection) -> None:
    path = str(full.record("r1").path)
    with dry(client) as kept:
        for body in ({}, {"data": {"id": "other"}}, {"permissions": {"foo": []}}):
            with pytest.raises(BadRequest):
                client.connection.perform(Operation("PATCH", path, responses.stored_object, body=body))
        with pytest.raises(ValueError, match="JSON"):
            client.connection.perform(operations.update(path, {"a": float("nan")}))
    assert len(kept) == 3


def test_a_time_of_their_own_is_taken_as_kinto_takes_it(client: Client, full: Collection) -> None:
    path = str(full.record("n").path)
    with dry(client):
        assert client.connection.perform(operations.create(path, {"last_modified": 5})).last_modified == 5
        assert client.connection.perform(operations.update(path, {"last_modified": 5})).last_modified > 5


def test_an_object_with_the_mark_of_a_tombstone_is_one_all_the_same(client: Client, full: Collection) -> None:
    """With a filter on the time, tombstones are listed, too."""
    full.delete_record("r2")
    full.create_record(id="r3")
    client.connection.perform(operations.update(full.record("r3").path, {"deleted": True}))
    deletion = operations.delete_page(str(full.path.records), {"gt_last_modified": "1"})
    with dry(client):
        rehearsed = client.connection.perform(deletion)
    assert sorted(one["id"] for one in rehearsed.objects) == ["r1", "r3"]
