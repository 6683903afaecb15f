"""Offline buffer: what could not be sent is kept on a local Kinto, replayed, and cleared once confirmed."""

from __future__ import annotations

import pytest

from kintomodel import Client, Conflict, KintoError, Model, TransportError
from kintomodel.testing import record


class Reading(Model, bucket="device", collection="readings"):
    value: float


@pytest.fixture
def remote(client: Client) -> Client:
    client.create_bucket("device").create_collection("readings")
    return client


@pytest.fixture
def local(kinto_client: Client) -> Client:
    """Of another server."""
    kinto_client.create_bucket("device").create_collection("readings")
    return kinto_client


def note(reading: Reading, remote: Client, local: Client) -> None:
    """What the device does with each reading."""
    try:
        reading.save(using=remote)
    except TransportError:
        reading.save(using=local)


def replay(remote: Client, local: Client) -> None:
    """What it does once it is online again."""
    buffered = list(Reading.objects.using(local))
    report = Reading.objects.using(remote).sync(buffered).apply()
    refused = {outcome.object.id for outcome in report.failures}
    for reading in buffered:
        if reading.id not in refused:
            try:
                reading.delete()  # guarded: one that changed meanwhile stays
            except Conflict:
                continue


def ids(client: Client) -> set[str]:
    return {reading.id for reading in Reading.objects.using(client)}


def test_what_was_confirmed_is_cleared_and_keeps_its_id(remote: Client, local: Client) -> None:
    offline = Client("http://127.0.0.1:9/v1", retries=0)
    note(Reading(id="sent", value=0.5), remote, local)
    for number in range(30):
        note(Reading(id=f"kept{number}", value=number / 2), offline, local)
    assert len(ids(local)) == 30
    replay(remote, local)
    assert ids(local) == set()
    assert ids(remote) == {"sent", *(f"kept{number}" for number in range(30))}
    assert Reading.objects.using(remote).get(id="kept7").value == 3.5


def test_what_was_not_confirmed_is_not_cleared(remote: Client, local: Client) -> None:
    for id in ("mine", "taken"):
        Reading(id=id, value=1.0).save(using=local)
    plan = Reading.objects.using(remote).sync(Reading.objects.using(local))
    Reading(id="taken", value=9.0).save(using=remote)
    report = plan.apply()
    assert [outcome.object.id for outcome in report.failures] == ["taken"]
    assert Reading.objects.using(remote).get(id="taken").value == 9.0


def test_nothing_is_cleared_while_the_remote_is_away(local: Client) -> None:
    Reading(id="mine", value=1.0).save(using=local)
    with pytest.raises(KintoError):
        replay(Client("http://127.0.0.1:9/v1", retries=0), local)
    assert ids(local) == {"mine"}


def test_a_second_replay_clears_what_the_first_one_sent(remote: Client, local: Client) -> None:
    Reading(id="mine", value=1.0).save(using=local)
    Reading.objects.using(local).copy_to(remote).raise_for_failures()  # and then the power went
    with record(remote) as sent:
        replay(remote, local)
    assert not sent.writes
    assert (ids(local), ids(remote)) == (set(), {"mine"})
