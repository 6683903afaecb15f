"""Incremental consumer: a program that keeps a copy of some collections up to date.

It reads everything once, in bounded memory, stores a token for each collection, and goes on from there.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from kintomodel import Client, Collection, Forbidden, Model, NotFound, ResponseError, Tombstone
from kintomodel.protocol import operations, tokens
from kintomodel.protocol.operations import Operation
from kintomodel.protocol.paths import CollectionPath
from kintomodel.testing import KintoServer, RecordingTransport, record

NAMES = ["certificates", "domains", "onecrl", "plugins", "tracking"]


class Entry(Model, bucket="blocklists", collection="onecrl"):
    value: int = 0


class Consumer:
    """Its copy of each collection is {id: last_modified}; its tokens are in a file."""

    def __init__(self, file: Path, client: Client) -> None:
        self.file = file
        self.overlap = 10.0
        self.objects = {name: Entry.objects.using(client, collection=name) for name in NAMES}
        self.copies: dict[str, dict[str, int | None]] = {name: {} for name in NAMES}

    def run(self) -> dict[str, tuple[bool, int]]:
        """For each collection that has changed: whether all was read again, and how many changes."""
        tokens, news = self.tokens, {}
        for name, objects in self.objects.items():
            changes = objects.changes(since=tokens.get(name), overlap=self.overlap)
            if not changes:
                tokens[name] = changes.next
                continue
            copy = {} if changes.is_full else self.copies[name]
            count = 0
            for change in changes:
                count += 1
                if isinstance(change, Tombstone):
                    copy.pop(change.id, None)
                else:
                    copy[change.id] = change.last_modified
            self.copies[name], tokens[name] = copy, changes.next
            news[name] = (changes.is_full, count)
        self._store(tokens)
        return news

    @property
    def tokens(self) -> dict[str, str]:
        return json.loads(self.file.read_text()) if self.file.exists() else {}

    def _store(self, tokens: dict[str, str]) -> None:
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps(tokens))
        os.replace(fresh, self.file)


@pytest.fixture
def client(server: KintoServer) -> Iterator[Client]:
    server.flush()
    with server.client() as one:
        provision(one)
        yield one


def provision(client: Client) -> None:
    bucket = client.create_bucket("blocklists")
    for name in NAMES:
        # To one of several who are the first to ask for a list, Kinto 26.5 answers 500 (PostgreSQL).
        bucket.create_collection(name).count_records()


def collection_of(client: Client, name: str) -> Collection:
    return client.bucket("blocklists").get_collection(name)


def fill(client: Client, name: str, count: int) -> None:
    endpoint = collection_of(client, name).path.records
    creations = (operations.create(f"{endpoint}/r{at:06}", {"value": at}) for at in range(count))
    assert not any(isinstance(result, Exception) for result in client.connection.perform_all(creations))


def stored(client: Client, name: str) -> dict[str, int | None]:
    return {one.id: one.last_modified for one in collection_of(client, name).get_all_records()}


def asked(sent: RecordingTransport) -> list[str]:
    return [one.path.removeprefix("/buckets/blocklists/collections/") for one in sent]


def idle(consumer: Consumer) -> None:
    """Let the time of the overlap go by."""
    consumer.overlap = 0.1
    end = time.monotonic() + 15
    while any(
        not tokens.read(text, f"blocklists/{name}").is_settled for name, text in consumer.tokens.items()
    ):
        assert time.monotonic() < end, "it did not come to rest in 15 s"
        time.sleep(0.1)
        consumer.run()
    consumer.overlap = 10.0


def test_the_first_run_reads_all_and_the_second_asks_once_for_each_collection(client, tmp_path):
    for name in NAMES[1:]:
        fill(client, name, 3)
    fill(client, NAMES[0], 210)
    consumer = Consumer(tmp_path / "tokens", client)
    with record(client) as sent:
        first = consumer.run()
        assert first == {NAMES[0]: (True, 210), **dict.fromkeys(NAMES[1:], (True, 3))}
        reads = [[name, *[f"{name}/records"] * (3 if name == NAMES[0] else 1)] for name in NAMES]
        assert asked(sent) == [path for read in reads for path in read]
        assert consumer.copies == {name: stored(client, name) for name in NAMES}
        idle(consumer)
        sent.clear()
        assert consumer.run() == {}
        assert asked(sent) == [f"{name}/records" for name in NAMES]
        assert [response.status for _, response in sent.exchanges if response] == [304] * 5
        assert len(sent.exchanges) == 5


def test_just_after_the_first_run_the_second_asks_once_for_each_collection_too(client, tmp_path):
    for name in NAMES:
        fill(client, name, 3)
    consumer = Consumer(tmp_path / "tokens", client)
    consumer.run()
    with record(client) as sent:
        assert consumer.run() == {}
        assert asked(sent) == [f"{name}/records" for name in NAMES]


def test_after_three_edits_and_a_deletion_there_are_four_changes_in_that_collection(client, tmp_path):
    for name in NAMES:
        fill(client, name, 6)
    consumer = Consumer(tmp_path / "tokens", client)
    consumer.run()
    idle(consumer)
    objects = Entry.objects.using(client)
    for id in ("r000001", "r000003", "r000005"):
        entry = objects.get(id=id)
        entry.value = -1
        entry.save()
    objects.get(id="r000002").delete()
    with record(client) as sent:
        assert consumer.run() == {"onecrl": (False, 4)}
        expected = [path for name in NAMES for path in [f"{name}/records", *[name] * (name == "onecrl")]]
        assert asked(sent) == expected
    assert consumer.copies == {name: stored(client, name) for name in NAMES}


def test_after_the_server_was_flushed_everything_is_read(server, client, tmp_path):
    for name in NAMES:
        fill(client, name, 6)
    consumer = Consumer(tmp_path / "tokens", client)
    consumer.run()
    before = consumer.tokens
    server.flush()
    with pytest.raises((NotFound, Forbidden)):
        consumer.run()
    assert consumer.tokens == before
    provision(client)
    fill(client, "domains", 2)
    assert consumer.run() == {name: (True, 2 if name == "domains" else 0) for name in NAMES}
    assert consumer.copies == {name: stored(client, name) for name in NAMES}


class Writers:
    """Some threads that write to one collection until the block ends: batches, and one at a time."""

    def __init__(self, server: KintoServer, path: CollectionPath) -> None:
        self._server, self._path = server, path
        self._stop = threading.Event()
        works = [self._batches, self._batches, self._singles, self._edits]
        self._threads = [threading.Thread(target=self._run, args=(work,)) for work in works]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self, work: Callable[[Client, random.Random], None]) -> None:
        with self._server.client() as client:
            chance = random.Random(work.__name__)
            while not self._stop.is_set():
                # Where two writes meet, one is refused: that is the writers' concern.
                with suppress(ResponseError):
                    work(client, chance)

    def _creation(self) -> Operation[Any]:
        return operations.create(self._path.record(str(uuid4())), {"value": 0})

    def _batches(self, client: Client, _: random.Random) -> None:
        for _result in client.connection.perform_all([self._creation() for _ in range(25)]):
            pass

    def _singles(self, client: Client, _: random.Random) -> None:
        client.connection.perform(self._creation())

    def _edits(self, client: Client, chance: random.Random) -> None:
        first = operations.list_page(self._path.records, {"_limit": "20"})
        for data in client.connection.perform(first).objects:
            path = self._path.record(data["id"])
            change = (
                operations.delete(path) if chance.random() < 0.3 else operations.update(path, {"value": 1})
            )
            with suppress(ResponseError):
                client.connection.perform(change)


@pytest.mark.parametrize("seconds", [3, pytest.param(60, marks=pytest.mark.slow)])
def test_a_second_writer_that_batches_while_we_poll_never_hides_a_change(server, client, seconds):
    objects = Entry.objects.using(client, collection="onecrl")
    token: str | None = None
    copy: dict[str, int | None] = {}
    given: list[tuple[str, int | None]] = []

    def poll() -> int:
        nonlocal token
        # A batch may take long where the machine is busy.
        changes = objects.changes(since=token, overlap=60)
        before = len(given)
        for change in changes:
            given.append((change.id, change.last_modified))
            if isinstance(change, Tombstone):
                copy.pop(change.id, None)
            else:
                copy[change.id] = change.last_modified
        token = changes.next
        return len(given) - before

    end = time.monotonic() + seconds
    with Writers(server, objects.home.path):
        while time.monotonic() < end:
            poll()
    poll()
    assert poll() == 0
    assert copy == stored(client, "onecrl")
    assert len(given) == len(set(given)) > 20
