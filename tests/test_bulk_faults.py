"""Bulk writes of two writers through networks that break: what the reports say is what is stored."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TypeAlias

import pytest

from kintomodel import Client, Model, Report
from kintomodel.testing import KintoServer

from .faulty_proxy import FaultyProxy, Message, at_random
from .test_faults import FAULTS, through


class Note(Model, bucket="notes", collection="notes"):
    number: int


Work: TypeAlias = Callable[["Writer"], Report[Note]]


class Writer:
    """One of those who write at the same time. number: 1 or 2; its values are its own."""

    def __init__(self, number: int, server: KintoServer, proxy: FaultyProxy, workers: int) -> None:
        self.number, self.workers = number, workers
        self.manager = Note.objects.using(through(proxy, server, retries=6))
        self.notes: list[Note] = []

    def value(self, at: int) -> int:
        return self.number * 1_000_000 + at


@pytest.fixture
def calm() -> threading.Event:
    """Set it, and the networks do not break any more."""
    return threading.Event()


@pytest.fixture(params=[1, 4], ids=["1 worker", "4 workers"])
def writers(
    request: pytest.FixtureRequest, server: KintoServer, client: Client, calm: threading.Event
) -> Iterator[list[Writer]]:
    client.create_bucket("notes").create_collection("notes")
    with ExitStack() as stack:
        several = []
        for number in (1, 2):
            seeded = at_random(number, 0.12, FAULTS)

            def choose(message: Message, seeded: Callable[[Message], str] = seeded) -> str:
                return "none" if calm.is_set() else seeded(message)

            proxy = stack.enter_context(FaultyProxy(server.url, choose, seed=number))
            several.append(Writer(number, server, proxy, request.param))
        yield several


def at_once(writers: Iterable[Writer], calm: threading.Event, work: Work) -> list[Report[Note]]:
    """What they report; of what they could not find out once the networks are calm again."""
    calm.clear()
    with ThreadPoolExecutor(2) as executor:
        reports = list(executor.map(work, writers))
    calm.set()
    return [report.retry_failed() if report.failed else report for report in reports]


def stored(client: Client) -> dict[str, int]:
    return {note.id: note.number for note in Note.objects.using(client).all()}


def check(writer: Writer, report: Report[Note], held: dict[str, int]) -> None:
    assert len(report) == len(writer.notes)
    for note, outcome in zip(writer.notes, report, strict=True):
        assert outcome.object is note
        if outcome.status in ("created", "updated", "unchanged"):
            assert held[note.id] == note.number, outcome
        elif outcome.status == "deleted":
            assert note.id not in held, outcome
        else:
            assert outcome.status == "conflict", outcome
            assert held[note.id] != note.number, outcome


def life(writers: list[Writer], client: Client, calm: threading.Event, number: int, shared: int) -> None:
    """Both create, change and delete that many, and both try to create the shared ones."""
    first, second = writers
    for writer in writers:
        writer.notes = [
            Note(id=f"shared{at}" if at < shared else f"w{writer.number}-{at}", number=writer.value(at))
            for at in range(number)
        ]
    create: Work = lambda writer: writer.manager.bulk_create(writer.notes, workers=writer.workers)  # noqa: E731
    reports = at_once(writers, calm, create)
    held = stored(client)
    assert len(held) == 2 * number - shared
    for writer, report in zip(writers, reports, strict=True):
        check(writer, report, held)
    assert sum(len(report.created) for report in reports) == len(held)

    for writer, report in zip(writers, reports, strict=True):
        writer.notes = [outcome.object for outcome in report.created]
        for note in writer.notes:
            note.number = -note.number
    save: Work = lambda writer: writer.manager.bulk_save(writer.notes, workers=writer.workers)  # noqa: E731
    reports = at_once(writers, calm, save)
    held = stored(client)
    for writer, report in zip(writers, reports, strict=True):
        check(writer, report, held)
        assert len(report.updated) == len(report)

    for writer in writers:
        writer.notes = writer.notes[::2]
    delete: Work = lambda writer: writer.manager.bulk_delete(writer.notes, workers=writer.workers)  # noqa: E731
    reports = at_once(writers, calm, delete)
    left = stored(client)
    for writer, report in zip(writers, reports, strict=True):
        check(writer, report, left)
    assert len(left) == len(held) - len(first.notes) - len(second.notes)


def shared_by(server: KintoServer, number: int) -> int:
    """Only PostgreSQL creates an object once: in memory Kinto looks and then writes (26.5)."""
    return number // 5 if server.backend == "postgresql" else 0


def test_the_reports_of_two_writers_are_what_is_stored(
    server: KintoServer, client: Client, writers: list[Writer], calm: threading.Event
) -> None:
    life(writers, client, calm, 60, shared_by(server, 60))


@pytest.mark.slow
def test_the_reports_of_ten_thousand_writes_are_what_is_stored(
    server: KintoServer, client: Client, writers: list[Writer], calm: threading.Event
) -> None:
    life(writers, client, calm, 2000, shared_by(server, 2000))


def test_of_two_who_change_the_same_records_and_verify_one_succeeds(
    server: KintoServer, client: Client, writers: list[Writer], calm: threading.Event
) -> None:
    if server.backend == "memory":
        pytest.skip("in memory there are no transactions")
    Note.objects.using(client).bulk_create(Note(id=f"n{at}", number=at) for at in range(40))
    for writer in writers:
        writer.notes = list(Note.objects.using(writer.manager._client).all())
        for note in writer.notes:
            note.number = writer.value(note.number)
    verify: Work = lambda writer: writer.manager.bulk_save(  # noqa: E731
        writer.notes, workers=writer.workers, verify=True
    )
    reports = at_once(writers, calm, verify)
    held = stored(client)
    for writer, report in zip(writers, reports, strict=True):
        check(writer, report, held)
    statuses = [{one.status, other.status} for one, other in zip(*reports, strict=True)]
    assert statuses == [{"updated", "conflict"}] * 40
