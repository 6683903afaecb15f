"""mutate() and verify=True: changes of a record by several writers at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kintomodel import Client, Conflict, Model, NotFound, TransportError, UsageError
from kintomodel.protocol import operations
from kintomodel.testing import KintoServer, record
from kintomodel.transport.http import HTTPTransport
from kintomodel.transport.retry import RetryTransport

RECORDS = "/buckets/payments/collections/counters/records"


class Counter(Model, bucket="payments", collection="counters"):
    value: int = 0
    name: str = ""


@pytest.fixture
def counters(payments: Client) -> Client:
    payments.bucket("payments").create_collection("counters")
    Counter(id="c").save()
    payments.connection.batch_size()
    return payments


def increment(counter: Counter) -> None:
    counter.value += 1


def stored(id: str = "c") -> int:
    return Counter.objects.get(id=id).value


class Meddling:
    """Calls a function before or after a write of a record passes."""

    def __init__(self, client: Client, meddle: Any, after: bool = False) -> None:
        self.inner, self.meddle, self.after = client.connection.transport, meddle, after

    def send(self, operation: Any) -> Any:
        is_write = not operation.is_read
        if is_write and not self.after:
            self.meddle()
        response = self.inner.send(operation)
        if is_write and self.after:
            self.meddle()
        return response

    def close(self) -> None:
        pass


# mutate


def test_a_record_is_loaded_changed_and_saved(counters: Client) -> None:
    with record(counters) as sent:
        counter = Counter.mutate("c", increment)
    assert [one.method for one in sent] == ["GET", "PATCH"]
    assert sent.last.headers["If-Match"]
    assert (counter.value, stored(), counter.changes()) == (1, 1, {})
    with record(counters) as sent:
        Counter.objects.using(counters).mutate("c", lambda counter: None)
    assert [one.method for one in sent] == ["GET"]
    with pytest.raises(NotFound):
        Counter.mutate("nope", increment)


@pytest.mark.parametrize("verify", [False, True])
def test_it_is_done_again_on_what_others_wrote(counters: Client, verify: bool) -> None:
    times = [1, 2]

    def somebody_is_faster() -> None:
        if times:
            times.pop()
            Counter.mutate("c", increment)

    mine = Client(counters.url, transport=Meddling(counters, somebody_is_faster))
    assert Counter.objects.using(mine).mutate("c", increment, verify=verify).value == 3
    assert stored() == 3


def test_who_always_loses_gets_the_last_conflict(counters: Client) -> None:
    waits: list[float] = []
    carrier = RetryTransport(HTTPTransport(counters.url, ("tester", "secret")), sleep=waits.append)
    unhurried = Client(counters.url, transport=carrier)
    mine = Client(counters.url, transport=Meddling(unhurried, lambda: Counter.mutate("c", increment)))
    with record(mine) as sent, pytest.raises(Conflict):
        Counter.objects.using(mine).mutate("c", increment)
    assert stored() == 12
    assert [one.after_failures for one in sent if one.is_read] == [0, 1, 2, 3, 4, 5, 5, 5, 5, 5, 5, 5]
    assert len(waits) == 11
    unhurried.close()


def test_what_the_function_raises_comes_through_and_nothing_is_sent(counters: Client) -> None:
    def refuse(counter: Counter) -> None:
        raise LookupError("no")

    with record(counters) as sent, pytest.raises(LookupError):
        Counter.mutate("c", refuse)
    assert sent.writes == []


# verify


def test_a_verified_save_is_one_batch_under_a_lock_and_a_look(counters: Client) -> None:
    counter = Counter.objects.get(id="c")
    counter.value = 5
    with record(counters) as sent:
        counter.save(verify=True)
    assert [(one.method, one.path) for one in sent] == [("POST", "/batch"), ("GET", f"{RECORDS}/c")]
    assert [one["method"] for one in sent.writes[0].body["requests"]] == ["PUT", "PUT", "PATCH", "DELETE"]
    assert (stored(), Counter.objects.count(), counter.changes()) == (5, 1, {})
    with record(counters) as sent:
        counter.save(verify=True)
    assert len(sent) == 0


def test_a_stale_record_is_a_conflict_under_the_lock_as_well(counters: Client) -> None:
    counter = Counter.objects.get(id="c")
    Counter.mutate("c", increment)
    counter.name = "mine"
    with pytest.raises(Conflict):
        counter.save(verify=True)
    counter.save(verify=True, on_conflict="merge")
    assert (stored(), Counter.objects.get(id="c").name) == (1, "mine")


@pytest.fixture
def strict(counters: Client) -> Client:
    """With a schema that wants both fields."""
    properties = {"value": {"type": "integer", "maximum": 100}, "name": {"type": "string"}}
    schema = {"type": "object", "properties": properties, "required": ["value", "name"]}
    path = "/buckets/payments/collections/counters"
    counters.connection.perform(operations.update(path, {"schema": schema}))
    return counters


def test_what_the_schema_refuses_leaves_the_others_their_locks(strict: Client) -> None:
    several = [Counter(id="a", value=999), Counter(id="b"), Counter(id="d", value=999), Counter(id="e")]
    report = Counter.objects.bulk_create(several, verify=True)
    assert [one.status for one in report] == ["invalid", "created", "invalid", "created"]
    assert sorted(one.id for one in Counter.objects.all()) == ["b", "c", "e"]


def test_what_was_read_in_part_is_verified_where_the_schema_wants_the_rest(strict: Client) -> None:
    counter = Counter.objects.only("value").get(id="c")
    counter.value = 5
    with record(strict) as sent:
        counter.save(verify=True)
    assert [one.method for one in sent] == ["GET", "POST", "GET"]
    assert stored() == 5


def overwrite(client: Client, **data: Any) -> None:
    client.connection.perform(operations.update(f"{RECORDS}/c", data))


def test_what_others_wrote_over_it_is_a_conflict(counters: Client) -> None:
    mine = Client(
        counters.url, transport=Meddling(counters, lambda: overwrite(counters, value=9), after=True)
    )
    counter = Counter.objects.using(mine).get(id="c")
    counter.value = 5
    with pytest.raises(Conflict, match="somebody else wrote over it at the same time") as caught:
        counter.save(verify=True)
    conflict = caught.value
    versions = (conflict.base or {}, conflict.mine or {}, conflict.theirs or {})
    assert [one["value"] for one in versions] == [0, 5, 9]


def test_what_others_wrote_beside_it_is_fine(counters: Client) -> None:
    mine = Client(
        counters.url, transport=Meddling(counters, lambda: overwrite(counters, name="x"), after=True)
    )
    counter = Counter.objects.using(mine).get(id="c")
    counter.value = 5
    counter.save(verify=True)
    assert (stored(), Counter.objects.get(id="c").name) == (5, "x")


def test_what_others_deleted_after_it_is_a_conflict_with_nobody(counters: Client) -> None:
    def delete() -> None:
        counters.connection.perform(operations.delete(f"{RECORDS}/c"))

    mine = Client(counters.url, transport=Meddling(counters, delete, after=True))
    counter = Counter.objects.using(mine).get(id="c")
    counter.value = 5
    with pytest.raises(Conflict) as caught:
        counter.save(verify=True)
    assert caught.value.theirs is None


def test_bulk_work_is_verified_batch_by_batch(counters: Client) -> None:
    several = [Counter(id=f"n{at:02}", value=at) for at in range(30)]
    with record(counters) as sent:
        report = Counter.objects.bulk_create(several, verify=True)
    assert len(report.created) == 30
    assert [len(one.body["requests"]) for one in sent.writes] == [24, 11, 24, 11, 18, 8]
    for one in several:
        one.value += 100
    overwrite(counters, value=1)
    stale = Counter.objects.get(id="c")
    Counter.mutate("c", increment)
    stale.value = 50
    report = Counter.objects.bulk_save([*several, stale], verify=True)
    assert (len(report.updated), len(report.conflicts)) == (30, 1)
    assert [stored(one.id) for one in several[:3]] == [100, 101, 102]


def test_without_the_right_to_create_the_lock_a_write_is_in_doubt(
    counters: Client, server: KintoServer
) -> None:
    bob = server.client(server.create_account("bob", "secret"))
    counters.connection.perform(
        operations.update(f"{RECORDS}/c", None, {"write": ["account:bob"], "read": ["account:bob"]})
    )
    counter = Counter.objects.using(bob).get(id="c")
    counter.value = 5
    with pytest.raises(TransportError, match=r"written, but not verified, as its lock was refused: .* 403"):
        counter.save(verify=True)
    assert stored() == 5
    counter.save()  # it knows its own write
    assert counter.changes() == {}
    with pytest.raises(NotFound):
        Counter.objects.using(collection="nowhere").bulk_create([Counter()], verify=True).missing[
            0
        ].object.refresh()


def test_a_lost_answer_is_looked_into_and_not_repeated_without_the_lock(counters: Client) -> None:
    class Cutting(Meddling):
        """The batch arrives or does not, and is never answered."""

        def send(self, operation: Any) -> Any:
            if operation.path == "/batch":
                if self.after:
                    self.inner.send(operation)
                raise TransportError("cut")
            return self.inner.send(operation)

    for arrives, value in ((True, 5), (False, 5)):
        mine = Client(counters.url, transport=Cutting(counters, None, after=arrives))
        counter = Counter.objects.using(mine).get(id="c")
        counter.value = 5 if arrives else 6
        if arrives:
            counter.save(verify=True)
        else:
            with pytest.raises(TransportError):
                counter.save(verify=True)
        assert stored() == value


def test_a_look_that_fails_leaves_it_in_doubt(counters: Client) -> None:
    class Blind(Meddling):
        def send(self, operation: Any) -> Any:
            if operation.is_read and self.after:
                raise TransportError("cut")
            self.after = self.after or operation.path == "/batch"
            return self.inner.send(operation)

    mine = Client(counters.url, transport=Blind(counters, None))
    counter = Counter.objects.using(mine).get(id="c")
    counter.value = 5
    with pytest.raises(TransportError, match="written, but not verified, as it cannot be read: "):
        counter.save(verify=True)
    assert stored() == 5


def test_a_path_that_a_batch_does_not_take_cannot_be_verified(counters: Client) -> None:
    with pytest.raises(UsageError, match="it cannot be verified"):
        Counter(id="batch1").save(verify=True)
    report = Counter.objects.bulk_create([Counter(id="batch1"), Counter(id="n1")], verify=True)
    assert len(report.failed) == 2
    Counter(id="batch1").save()


# many at once


def race(client: Client, threads: int, times: int, *, verify: bool) -> int:
    """How many increments were reported as done."""

    def work(_: int) -> int:
        done = 0
        for _ in range(times):
            try:
                Counter.objects.using(client).mutate("c", increment, verify=verify)
            except Conflict:
                continue
            done += 1
        return done

    with ThreadPoolExecutor(threads) as executor:
        return sum(executor.map(work, range(threads)))


@pytest.fixture
def loose_server(servers: Callable[..., KintoServer]) -> KintoServer:
    running: KintoServer = servers("postgresql")
    return running


def counting(server: KintoServer, threads: int, times: int, *, verify: bool) -> None:
    server.flush()
    with server.client() as client, client.activate():
        client.create_bucket("payments").create_collection("counters")
        Counter(id="c").save()
        done = race(client, threads, times, verify=verify)
        assert (stored(), Counter.objects.count()) == (done, 1)
        assert done > 0


def test_no_increment_is_lost_with_repeatable_read(strict_server: KintoServer) -> None:
    counting(strict_server, 4, 5, verify=False)


def test_no_increment_is_lost_by_those_who_verify(loose_server: KintoServer) -> None:
    counting(loose_server, 4, 8, verify=True)


@pytest.mark.slow
@pytest.mark.parametrize("level", ["repeatable read", "default"])
def test_no_increment_of_many_is_lost(request: pytest.FixtureRequest, level: str) -> None:
    server = request.getfixturevalue("strict_server" if level == "repeatable read" else "loose_server")
    counting(server, 8, 200, verify=level == "default")
