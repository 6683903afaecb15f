"""A rehearsed sequence of writes is answered as the same one for real, and leaves the server as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kintomodel import Client, UsageError
from kintomodel.protocol import batch, operations, responses
from kintomodel.protocol.objects import Response
from kintomodel.protocol.operations import Operation
from kintomodel.testing import KintoServer, record

from ..reading.test_oracle import EXAMPLES

# own: the guest sees nothing of it; shared: the guest's rights differ from object to object.
OBJECTS = [
    "/buckets/own", "/buckets/shared", "/buckets/new",
    "/buckets/shared/groups/g", "/buckets/shared/groups/new", "/buckets/new/groups/g",
    "/buckets/shared/collections/c", "/buckets/shared/collections/read", "/buckets/shared/collections/create",
    "/buckets/shared/collections/schema", "/buckets/shared/collections/new", "/buckets/new/collections/new",
    "/buckets/shared/collections/c/records/r1", "/buckets/shared/collections/c/records/r2",
    "/buckets/shared/collections/c/records/new", "/buckets/shared/collections/read/records/r1",
    "/buckets/shared/collections/read/records/new", "/buckets/shared/collections/create/records/r1",
    "/buckets/shared/collections/create/records/new", "/buckets/shared/collections/schema/records/r1",
    "/buckets/shared/collections/schema/records/new", "/buckets/shared/collections/new/records/new",
    "/buckets/new/collections/new/records/new",
]  # fmt: skip
LISTS = [
    "/buckets/shared/collections/c/records", "/buckets/shared/collections/read/records",
    "/buckets/shared/collections/create/records", "/buckets/shared/collections/new/records",
    "/buckets/shared/groups", "/buckets/shared/collections", "/buckets/new/collections", "/buckets",
]  # fmt: skip
# From the guest, who may create such objects: a dry run takes them for missing.
HIDDEN = ["/buckets/own", "/buckets", "/buckets/shared/collections/create/records/r1"]

data = st.sampled_from(
    [{}, {"a": 1}, {"a": 2, "n": {"x": [1, None]}}, {"b": "é"}, {"members": ["account:zoe"]}, {"id": "other"}]
)
held = st.lists(st.sampled_from(["account:bob", "account:zoe", "system.Everyone"]), max_size=2, unique=True)
permissions = st.dictionaries(
    st.sampled_from(["read", "write"]), held | st.none(), max_size=2
) | st.sampled_from([{"record:create": ["account:zoe"]}, {"foo": []}])
bodies = st.fixed_dictionaries({}, optional={"data": data, "permissions": permissions})
preconditions = st.sampled_from(["", "", "", "If-None-Match", "fresh", "stale", "any"])


@attrs.frozen
class Step:
    method: str
    path: str
    body: Any = None
    condition: str = ""
    params: dict[str, str] = attrs.Factory(dict)

    def operation(self, etag: str) -> Operation[Any]:
        headers = {
            "": {},
            "If-None-Match": {"If-None-Match": "*"},
            "fresh": {"If-Match": etag},
            "stale": {"If-Match": '"2"'},
            "any": {"If-Match": "*"},
        }[self.condition]
        return Operation(
            self.method, self.path, responses.json_object, headers=headers, body=self.body, params=self.params
        )


objects = st.sampled_from(OBJECTS)
puts = st.builds(Step, st.sampled_from(["PUT", "PATCH"]), objects, bodies, preconditions)
deletions = st.builds(Step, st.just("DELETE"), objects, st.none(), preconditions)
emptyings = st.builds(
    Step, st.just("DELETE"), st.sampled_from(LISTS), params=st.sampled_from([{}, {}, {"eq_a": "1"}])
)
FILTERS: list[dict[str, str]] = [
    {}, {}, {"_sort": "id"}, {"_sort": "-id", "gt_id": "c"}, {"in_id": '"r1","new"'}, {"eq_a": "1"},
    {"not_a": "1", "_fields": "a,n.x"}, {"has_a": "true", "max_a": "1"}, {"min_a": "2", "_fields": "b"},
    {"contains_any_n.x": "[1]"}, {"exclude_b": '"\u00e9"', "_sort": "-b"}, {"lt_b": '"z"', "min_b": '""'},
]  # fmt: skip
listings = st.builds(
    Step, st.sampled_from(["GET", "HEAD"]), st.sampled_from(LISTS), params=st.sampled_from(FILTERS)
)
steps = st.lists(st.one_of(puts, puts, deletions, emptyings, listings), min_size=1, max_size=7)


def set_up(server: KintoServer) -> tuple[Client, Client]:
    server.flush()
    alice, bob = server.client(), server.client(server.create_account("bob", "b0b"))
    alice.create_bucket("own")
    shared = alice.create_bucket("shared", permissions={"group_create": ["account:bob"]})
    shared.create_group("g", ["account:x"], permissions={"read": ["account:bob"]})
    schema = {"schema": {"type": "object"}}
    rights: list[tuple[str, Any, str]] = [
        ("c", {}, "write"),
        ("read", {}, "read"),
        ("create", {}, "record:create"),
    ]
    for name, metadata, right in [*rights, ("schema", schema, "write")]:
        collection = shared.create_collection(name, metadata, permissions={right: ["account:bob"]})
        collection.create_record({"a": 1}, id="r1", permissions={"read": ["account:zoe"]})
    collection = shared.collection("read")
    collection.create_record({"a": 1}, id="r2", permissions={"write": ["account:bob"]})
    return alice, bob


def snapshot(alice: Client) -> list[Any]:
    """All that is on the server, with its times."""
    return [
        (bucket.data, bucket.last_modified, [[one.data, one.last_modified] for one in inside])
        for bucket in alice.buckets()
        for collection in bucket.get_all_collections()
        for inside in ([collection, *collection.get_all_records()], [*bucket.get_all_groups()])
    ]


def comparable(step: Step, response: Response) -> Any:
    """The answer without its times and texts; the order of principals means nothing to Kinto."""
    if step.method == "HEAD":
        return response.status, response.headers.get("total-objects"), [], {}
    body = response.body if isinstance(response.body, dict) else {}
    found = body.get("data")
    several = found if isinstance(found, list) else [found]
    plain = [timeless(one) for one in several if one is not None]
    plain.sort(key=lambda one: str(one.get("id")))
    details = body.get("details")
    existing = timeless(details["existing"]) if isinstance(details, dict) and "existing" in details else None
    missing = details if isinstance(details, dict) and "resource_name" in details else None
    held = {name: sorted(principals) for name, principals in body.get("permissions", {}).items()}
    return response.status, body.get("errno"), plain, held, existing, missing


HELD = 3


def timeless(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "last_modified": 0, **({"schema": 0} if type(data.get("schema")) is int else {})}


def perform(client: Client, several: list[Step], *, together: bool) -> Iterator[Any]:
    """The answers; after each write that stands alone, that to a GET of the object."""
    send = client.connection.transport.send
    etag = '"3"'
    chosen: list[Operation[Any]] = []
    for step in several:
        if step.condition == "fresh":
            etag = send(operations.read(step.path)).headers.get("etag", '"3"')
        chosen.append(step.operation(etag))
        if not together:
            yield step, comparable(step, send(chosen[-1]))
            if step.path in OBJECTS:
                yield step, comparable(step, send(operations.read(step.path)))
    if together:
        answers = batch.batch(chosen).read(send(batch.batch(chosen)))
        yield from zip(several, map(comparable, several, answers), strict=True)


def is_without_content(path: str) -> bool:
    return "/records" in path or "/groups" in path


def rehearse(client: Client, alice: Client, several: list[Step], *, together: bool) -> list[Any]:
    """The same in a dry run, as far as it can tell."""
    answers: list[Any] = []
    before = snapshot(alice)
    # UsageError: a filter that what was rehearsed may match
    with record(client) as sent, client.dry_run() as dry, suppress(UsageError):
        for answer in perform(client, several, together=together):
            answers.append(answer)
    assert sent.writes == []
    writes = [step for step, _ in answers if step.method not in ("GET", "HEAD")]
    assert together or len(dry) >= len(writes) // 2
    assert snapshot(alice) == before
    return answers


@pytest.mark.parametrize("who", ["owner", "guest"])
@given(several=steps, together=st.booleans())
@settings(
    max_examples=max(1, EXAMPLES // 20),
    deadline=None,
    database=None,
    # A failure takes many requests: to shrink it takes longer than to read it.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_dry_run_answers_as_the_server_does(
    server: KintoServer, who: str, several: list[Step], together: bool
) -> None:
    alice, bob = set_up(server)
    with alice, bob:
        client = alice if who == "owner" else bob
        if who == "guest":
            several = [one for one in several if one.path not in HIDDEN]
        if together:
            # What is in a deleted bucket or collection is there until the end of the batch (Kinto 26.5).
            several = [one for one in several if one.method != "DELETE" or is_without_content(one.path)]
        rehearsed = rehearse(client, alice, several, together=together)
        for expected, found in zip(perform(client, several, together=together), rehearsed, strict=False):
            if who == "guest" and not found[1][HELD]:
                # Whom else the server lets in, it shows after a write only: to a dry run, never.
                expected[1][HELD].clear()
            assert found == expected
