"""Single writes through a network that breaks: what is reported is what is stored."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kintomodel import Client, KintoError, Model, ResponseError, TransportError, Unauthorized
from kintomodel.testing import KintoServer
from kintomodel.transport.http import HTTPTransport
from kintomodel.transport.retry import Patience, RetryTransport

from .faulty_proxy import Fault, FaultyProxy, Message, at_random

FAULTS: tuple[Fault, ...] = ("before", "during", "after", "truncate", "refuse", "lose")


class Note(Model, bucket="notes", collection="notes"):
    number: int


@pytest.fixture
def notes(client: Client) -> Client:
    client.create_bucket("notes").create_collection("notes")
    return client


def through(proxy: FaultyProxy, server: KintoServer, retries: int) -> Client:
    carrier = HTTPTransport(proxy.url, server.auth, timeout=10)
    return Client(
        proxy.url,
        transport=RetryTransport(carrier, Patience(retries), sleep=lambda _: None, chance=lambda: 0.0),
    )


def stored(client: Client) -> dict[str, int]:
    return {note.id: note.number for note in Note.objects.using(client).all()}


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_reported_as_done_is_stored_and_nothing_else(
    server: KintoServer, notes: Client, seed: int
) -> None:
    """A write whose fate could not be found out is a TransportError or a 5xx: it may be either way."""
    expected: dict[str, int | None] = {}
    unknown: set[str] = set()
    with FaultyProxy(server.url, at_random(seed, 0.35, FAULTS), seed=seed) as proxy:
        with through(proxy, server, retries=4).activate():
            for number in range(60):
                note = Note(number=number)
                try:
                    note.save()
                    expected[note.id] = number
                    note.number = -number - 1
                    note.save()
                    expected[note.id] = -number - 1
                    if number % 3 == 0:
                        note.delete()
                        expected[note.id] = None
                except (TransportError, ResponseError) as error:
                    if isinstance(error, ResponseError) and error.status not in (409, 429, 502, 503, 504):
                        raise
                    unknown.add(note.id)
        assert set(proxy.faults) >= set(FAULTS)
    found = stored(notes)
    for id, number in expected.items():
        assert id in unknown or found.get(id) == number
    assert found.keys() <= expected.keys() | unknown


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_alone_is_healed_by_one_repetition(
    server: KintoServer, notes: Client, fault: Fault
) -> None:
    """Each operation is broken once."""
    broken: list[bytes] = []

    def choose(request: Message) -> Fault:
        if not request.is_write or request.bytes in broken:
            return "none"
        broken.append(request.bytes)
        return fault

    with FaultyProxy(server.url, choose) as proxy, through(proxy, server, retries=1).activate():
        note = Note(number=1)
        note.save()
        note.number = 2
        note.save()
        assert stored(notes) == {note.id: 2}
        note.delete()
        assert proxy.faults[fault] == 3
    assert stored(notes) == {}


def test_without_retries_a_lost_answer_is_looked_into(server: KintoServer, notes: Client) -> None:
    choices: list[Fault] = ["after", "none", "lose", "none", "after", "none"]
    proxy = FaultyProxy(server.url, lambda _: choices.pop(0))
    with proxy, through(proxy, server, retries=0).activate():
        note = Note(number=1)
        note.save()
        note.number = 2
        note.save()
        assert stored(notes) == {note.id: 2}
        note.delete()
    assert (stored(notes), choices) == ({}, [])


def test_a_write_that_never_arrived_is_an_error_and_changes_nothing(
    server: KintoServer, notes: Client
) -> None:
    proxy = FaultyProxy(server.url, lambda request: "before" if request.is_write else "none")
    with proxy, through(proxy, server, retries=1).activate():
        note = Note(number=1)
        with pytest.raises(KintoError):
            note.save()
        assert note.last_modified is None
    assert stored(notes) == {}
    note.save(using=notes)
    assert stored(notes) == {note.id: 1}


@pytest.mark.parametrize("retries", [0, 1])
@pytest.mark.parametrize("fault", ["before", "after"])
def test_what_is_done_to_an_account_is_told_right(
    server: KintoServer, client: Client, *, retries: int, fault: Fault
) -> None:
    faults: list[Fault] = []
    proxy = FaultyProxy(server.url, lambda request: faults.pop() if request.is_write and faults else "none")

    def as_user(auth: tuple[str, str] | None) -> Client:
        carrier = HTTPTransport(proxy.url, auth, timeout=10)
        patience = Patience(retries)
        return Client(proxy.url, transport=RetryTransport(carrier, patience, sleep=lambda _: None))

    with proxy:
        steps: list[tuple[Client, Callable[[Client], object]]] = [
            (as_user(None), lambda user: user.create_account("zoe", "old")),
            (as_user(("zoe", "old")), lambda user: user.change_password("zoe", "new")),
            (as_user(("zoe", "new")), lambda user: user.delete_account("zoe")),
        ]
        for user, step in steps:
            faults.append(fault)
            if fault == "before" and not retries:
                with pytest.raises(TransportError):
                    step(user)
            step(user)
            assert proxy.faults[fault] == 1
            proxy.faults.clear()
    with pytest.raises(Unauthorized):
        server.client(("zoe", "new")).me()


@pytest.mark.parametrize("retries", [0, 1])
@pytest.mark.parametrize("together", [False, True])
def test_a_bucket_whose_deletion_was_not_answered_is_deleted(
    server: KintoServer, client: Client, *, retries: int, together: bool
) -> None:
    """Kinto says 403 of it the second time."""
    for name in ("one", "two"):
        client.create_bucket(name)
    faults: list[Fault] = ["after"]
    proxy = FaultyProxy(server.url, lambda request: faults.pop() if request.is_write and faults else "none")
    with proxy:
        mine = through(proxy, server, retries)
        if together:
            with mine.batch() as batch:
                for name in ("one", "two"):
                    batch.delete(mine.bucket(name))
            assert len(batch.report.deleted) == 2
        else:
            mine.bucket("one").delete()
        assert proxy.faults["after"] == 1
    assert [bucket.name for bucket in client.buckets()] == ([] if together else ["two"])
