"""What a dry run knows of its server, and what it does not."""

from __future__ import annotations

import threading
from typing import Any

import attrs
import pytest

from kintomodel import (
    Client,
    ConnectionFailed,
    Forbidden,
    NotFound,
    ResponseError,
    ServerError,
    Unauthorized,
)
from kintomodel.flows import bulk
from kintomodel.protocol import operations
from kintomodel.protocol.changes import Write
from kintomodel.protocol.objects import Response
from kintomodel.protocol.operations import Operation
from kintomodel.testing import KintoServer, record
from kintomodel.transport.connection import Connection
from kintomodel.transport.dry_run import DryRun, DryRunTransport

ROOT = {"project_version": "26.5.0", "settings": {}, "capabilities": {}, "user": {"id": "account:bob"}}
RECORD = "/buckets/b/collections/c/records/r"


def shown(id: str, permissions: dict[str, list[str]] | None = None, **data: Any) -> Response:
    body = {"data": {"id": id, "last_modified": 1000, **data}, "permissions": permissions or {}}
    return Response(200, {"etag": '"1000"'}, body)


MISSING = Response(404, body={"errno": 110})
NO_COLLECTION = Response(404, body={"errno": 111, "details": {"resource_name": "collection"}})
FORBIDDEN = Response(403, body={"errno": 121})
UNKNOWN = Response(401, body={"errno": 104})
EMPTY = Response(200, body={"data": []})


class Shelf:
    """A server that only shows what stands on it. What is not there is forbidden."""

    def __init__(self, answers: dict[str, Response | Exception], root: dict[str, Any] = ROOT) -> None:
        self.answers = {"/": Response(200, body=root), **answers}
        self.sent: list[Operation[Any]] = []
        self.closed = False

    def __repr__(self) -> str:
        return "<Shelf>"

    def send(self, operation: Operation[Any]) -> Response:
        assert operation.is_read
        self.sent.append(operation)
        answer = self.answers.get(operation.path, FORBIDDEN)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        self.closed = True


def dry(
    answers: dict[str, Response | Exception], root: dict[str, Any] = ROOT
) -> tuple[DryRunTransport, Shelf, DryRun]:
    shelf, kept = Shelf(answers, root), DryRun()
    return DryRunTransport(shelf, kept), shelf, kept


def answered(operation: Operation[Any], answers: dict[str, Any], root: dict[str, Any] = ROOT) -> Response:
    return dry(answers, root)[0].send(operation)


def test_it_stands_in_front_of_another_transport() -> None:
    transport, shelf, _ = dry({})
    assert repr(transport) == "<DryRunTransport <Shelf>>"
    transport.close()
    assert shelf.closed


READ = operations.read(RECORD)
PUT, PATCH, DELETE = operations.create(RECORD, {}), operations.update(RECORD, {}), operations.delete(RECORD)


@pytest.mark.parametrize("answer", [Response(503), NO_COLLECTION, Response(304)])
@pytest.mark.parametrize("write", [PUT, PATCH, DELETE], ids=lambda one: one.method)
def test_what_is_wrong_with_reading_is_wrong_with_writing(write: Operation[Any], answer: Response) -> None:
    """As the answer to a write that was sent once: else a deletion could be taken for done before."""
    assert answered(write, {RECORD: attrs.evolve(answer, attempts=3)}) == answer


def test_a_silent_server_is_one_to_writes_too() -> None:
    transport, _, kept = dry({RECORD: ConnectionFailed("broken")})
    with pytest.raises(ConnectionFailed):
        transport.send(PUT)
    assert len(kept) == 0


def test_without_the_root_nothing_is_rehearsed() -> None:
    with pytest.raises(ServerError):
        answered(PUT, {"/": Response(503)})


def test_a_server_that_is_read_only_takes_no_writes() -> None:
    assert answered(PUT, {RECORD: MISSING}, {**ROOT, "settings": {"readonly": True}}).status == 405


@pytest.mark.parametrize(
    ("answers", "put", "others"),
    [
        # a bucket that is missing, or hidden
        ({}, 404, 404),
        ({"/buckets/b": UNKNOWN, "/buckets/b/collections/c": UNKNOWN, RECORD: UNKNOWN}, 401, 401),
        ({"/buckets/b": shown("b"), "/buckets/b/collections/c": NO_COLLECTION}, 404, 404),
        # a record that is not for us; without /permissions nobody says what we may do instead
        ({"/buckets/b": shown("b"), "/buckets/b/collections/c": shown("c")}, 403, 403),
        ({"/buckets/b": shown("b"), "/buckets/b/collections/c": shown("c"), RECORD: MISSING}, 201, 404),
        ({"/buckets/b": shown("b"), "/buckets/b/collections/c": shown("c"), RECORD: shown("r")}, 412, 200),
    ],
)
def test_the_refusal_is_that_of_a_write(answers: dict[str, Any], put: int, others: int) -> None:
    assert [answered(one, answers).status for one in (PUT, PATCH, DELETE)] == [put, others, others]


@pytest.mark.parametrize("status", [200, 403])
def test_rights_are_those_that_the_server_lists(status: int) -> None:
    root = {**ROOT, "capabilities": {"permissions_endpoint": {}}}
    entries = [{"uri": "/buckets/b/collections/c", "permissions": ["record:create", "read"]}]
    answers = {
        "/buckets/b": shown("b"),
        "/buckets/b/collections/c": shown("c"),
        RECORD: shown("r"),
        "/permissions": Response(status, body={"data": entries}),
    }
    transport, shelf, _ = dry(answers, root)
    unknown = status != 200
    assert transport.send(PATCH).status == (200 if unknown else 403)
    assert transport.send(PUT).status == 412
    asked = [one.params["in_uri"] for one in shelf.sent if one.path == "/permissions"]
    assert asked[0] == f'"/buckets/b/collections/c","/buckets/b","{RECORD}"'
    assert len(asked) == (2 if unknown else 1)


def test_whoever_may_not_read_a_list_does_not_learn_what_it_lacks() -> None:
    """Somebody who may create records deletes one of their own."""
    root = {**ROOT, "capabilities": {"permissions_endpoint": {}}}
    entries = [{"uri": "/buckets/b/collections/c", "permissions": ["record:create"]}]
    answers = {
        "/buckets/b/collections/c": shown("c"),
        RECORD: shown("r", {"write": ["account:bob"]}),
        "/permissions": Response(200, body={"data": entries}),
    }
    transport, _, _ = dry(answers, root)
    assert transport.send(DELETE).status == 200
    assert [transport.send(one).status for one in (READ, DELETE, PUT, PATCH)] == [403, 403, 201, 200]


def test_a_batch_whose_reads_break_off_is_rehearsed_once() -> None:
    """What was answered before is found to be done, as after a lost answer."""
    paths = [f"{RECORD}{at}" for at in range(3)]
    faults = [paths[1]]

    class Breaking(Shelf):
        def send(self, operation: Operation[Any]) -> Response:
            if operation.path in faults:
                faults.remove(operation.path)
                raise ConnectionFailed("broken")
            return super().send(operation)

    collection = {"/buckets/b/collections/c": shown("c", {"write": ["account:bob"]})}
    kept = DryRun()
    connection = Connection(DryRunTransport(Breaking({**dict.fromkeys(paths, MISSING), **collection}), kept))
    results = connection.run(bulk.run([Write(operations.create(path, {}), {}) for path in paths]))
    assert [one.id for one in results] == ["r0", "r1", "r2"]
    assert [one.path for one in kept] == paths
    assert faults == []


def test_a_parent_is_read_once() -> None:
    answers = {f"{RECORD}{at}": MISSING for at in range(5)} | {
        "/buckets/b/collections/c": shown("c", {"write": ["account:bob"]})
    }
    transport, shelf, _ = dry(answers)
    for at in range(5):
        assert transport.send(operations.create(f"{RECORD}{at}", {})).status == 201
    assert [one.path for one in shelf.sent].count("/buckets/b/collections/c") == 1
    assert len(shelf.sent) == 1 + 1 + 5


@pytest.mark.parametrize("is_ours", [True, False])
def test_without_explicit_permissions_the_writer_gets_none(is_ours: bool) -> None:
    """A server with explicit_permissions = false shows them to those who hold them by another name."""
    user = {"id": "account:bob", "principals": ["system.Everyone"]}
    root = {**ROOT, "settings": {"explicit_permissions": False}, "user": user}
    answers = {RECORD: MISSING, "/buckets/b/collections/c": shown("c", {"write": ["account:bob"]})}
    wanted = {"write": ["system.Everyone" if is_ours else "account:zoe"]}
    response = answered(operations.create(RECORD, {}, wanted), answers, root)
    assert (response.status, response.body["permissions"]) == (201, wanted if is_ours else {})


def test_permissions_that_are_replaced_as_a_whole_are_known() -> None:
    answers = {"/buckets/b/collections/c": shown("c", {"write": ["account:bob"]}), RECORD: shown("r")}
    part = answered(operations.update(RECORD, None, {"read": ["a"]}), answers)
    assert part.body["permissions"] == {}
    whole = answered(operations.update(RECORD, None, {"read": ["a"], "write": []}), answers)
    assert whole.body["permissions"] == {"read": ["a"], "write": ["account:bob"]}


@pytest.mark.parametrize("collection", [shown("c", schema={}), shown("c"), FORBIDDEN])
def test_records_get_the_time_of_the_schema_of_their_collection(collection: Response) -> None:
    root = {**ROOT, "capabilities": {"schema": {}}}
    answers = {
        "/buckets/b": shown("b", {"write": ["account:bob"]}),
        "/buckets/b/collections/c": collection,
        RECORD: shown("r", {"write": ["account:bob"]}),
    }
    data = answered(PATCH, answers, root).body["data"]
    has_schema = collection.status == 200 and "schema" in collection.body["data"]
    assert data.get("schema") == (1000 if has_schema else None)


@pytest.mark.parametrize(("capabilities", "expected"), [({}, 200), ({"permissions_endpoint": {}}, 403)])
def test_a_history_is_purged_by_those_who_may_write_the_bucket(
    capabilities: dict[str, Any], expected: int
) -> None:
    page = Response(200, body={"data": [{"id": "e", "last_modified": 5}]})
    answers = {"/buckets/b": shown("b"), "/buckets/b/history": page, "/permissions": EMPTY}
    response = answered(
        operations.delete_page("/buckets/b/history"), answers, {**ROOT, "capabilities": capabilities}
    )
    assert response.status == expected


def test_a_list_is_read_to_its_end() -> None:
    pages = [
        Response(200, {"next-page": "http://x/v1/y?_token=t"}, {"data": [{"id": "r"}]}),
        Response(200, body={"data": [{"id": "s"}]}),
    ]

    class Paging(Shelf):
        def send(self, operation: Operation[Any]) -> Response:
            return pages.pop(0) if operation.path.endswith("/records") else super().send(operation)

    shelf = Paging({"/buckets/b/collections/c": shown("c", {"write": ["account:bob"]})})
    deletion = operations.delete_page("/buckets/b/collections/c/records")
    response = DryRunTransport(shelf, DryRun()).send(deletion)
    assert [one["id"] for one in response.body["data"]] == ["r", "s"]


@pytest.mark.parametrize("answer", [Response(412), FORBIDDEN])
def test_a_list_that_cannot_be_read_is_not_deleted(answer: Response) -> None:
    endpoint = "/buckets/b/collections/c/records"
    assert answered(operations.delete_page(endpoint), {endpoint: attrs.evolve(answer, attempts=2)}) == answer


def test_a_list_of_ids_is_refused_as_the_server_refuses_it() -> None:
    transport, _, _ = dry({RECORD: shown("r"), "/buckets/b/collections/c": shown("c", {"write": ["x"]})})
    assert transport.send(operations.update(RECORD, {"a": 1})).status == 200
    listing = operations.list_page(RECORD.rpartition("/")[0], {"in_id": '"r"', "_sort": "id"})
    assert transport.send(listing).status == 403


def test_a_list_in_a_deleted_bucket_is_refused_like_the_rest(client: Client) -> None:
    bucket = client.create_bucket("b")
    with client.dry_run():
        bucket.delete()
        for refused in (bucket.get_all_collections, bucket.get_all_groups):
            with pytest.raises(Forbidden):
                list(refused())
        with pytest.raises(Forbidden):
            client.connection.perform(operations.delete_page("/buckets/b/groups"))


def test_a_guest_deletes_what_is_theirs_of_a_list(server: KintoServer, client: Client) -> None:
    collection = client.create_bucket("b", public=True).create_collection("c")
    for number in range(3):
        collection.create_record({"n": number}, id=f"r{number}")
    bob = server.client(server.create_account("bob", "b0b"))
    theirs = bob.bucket("b").collection("c")
    with bob.dry_run(), pytest.raises(Forbidden):
        theirs.delete_all()
    with bob.dry_run(), pytest.raises(Forbidden):
        theirs.delete_all({"n": 1})
    collection.update_record_permissions(id="r0", write=["account:bob"])
    with record(bob) as sent, bob.dry_run():
        assert theirs.delete_all({"n": 1}) == 0
        assert theirs.delete_all() == 1
    assert sent.writes == []
    assert collection.count_records() == 3


def test_whoever_may_only_create_lists_what_they_created(server: KintoServer, client: Client) -> None:
    permissions = {"record:create": ["account:bob"]}
    collection = client.create_bucket("b").create_collection("c", permissions=permissions)
    collection.create_record(id="r")
    bob = server.client(server.create_account("bob", "b0b"))
    theirs = bob.bucket("b").collection("c")
    with bob.dry_run():
        assert list(theirs.get_all_records()) == []
        theirs.create_record(id="n")
        assert [one.id for one in theirs.get_all_records()] == ["n"]
        assert theirs.count_records() == 1


def test_nobody_writes_what_they_may_only_read(server: KintoServer, client: Client) -> None:
    collection = client.create_bucket("b", public=True).create_collection("c")
    collection.create_record({"n": 1}, id="r")
    with Client(server.url) as anonymous, record(anonymous) as sent, anonymous.dry_run():
        one = anonymous.bucket("b").collection("c").get_record("r")
        one.data["n"] = 2
        with pytest.raises(Unauthorized):
            one.save()
        with pytest.raises(Unauthorized):
            anonymous.create_bucket("new")
    assert sent.writes == []


def test_everybody_may_create_where_everybody_may(server: KintoServer, client: Client) -> None:
    permissions = {"record:create": ["system.Everyone"]}
    collection = client.create_bucket("b").create_collection("c", permissions=permissions)
    with Client(server.url) as anonymous, anonymous.dry_run():
        theirs = anonymous.bucket("b").collection("c")
        rehearsed = theirs.create_record({"n": 1}, id="r").permissions.as_dict()
    with Client(server.url) as anonymous:
        assert anonymous.bucket("b").collection("c").create_record(id="r").permissions.as_dict() == rehearsed
    assert collection.count_records() == 1


def test_an_unlisted_plugin_path_below_what_was_deleted_is_asked_of_the_server(client: Client) -> None:
    bucket = client.create_bucket("b")
    with client.dry_run():
        bucket.create_collection("c")
        bucket.delete()
        with pytest.raises(ResponseError):
            client.connection.perform(operations.read("/buckets/b/snapshot/collections/c@1"))
        with pytest.raises(NotFound):
            bucket.collection("c").create_record()


def test_threads_read_while_another_one_waits_for_its_answer() -> None:
    reading, released = threading.Event(), threading.Event()

    class Slow(Shelf):
        def send(self, operation: Operation[Any]) -> Response:
            if operation.path.endswith("/slow"):
                reading.set()
                assert released.wait(10)
            return super().send(operation)

    transport = DryRunTransport(Slow({}), DryRun())
    thread = threading.Thread(target=transport.send, args=(operations.read("/buckets/slow"),))
    thread.start()
    assert reading.wait(10)
    assert transport.send(operations.read("/buckets/b")).status == 403
    released.set()
    thread.join()


def test_after_its_end_everything_is_sent() -> None:
    transport, shelf, kept = dry({"/buckets/b": shown("b")})
    transport.end()
    with pytest.raises(AssertionError):  # a Shelf takes no writes
        transport.send(operations.update("/buckets/b", {}))
    assert (len(kept), shelf.sent) == (0, [])
