import threading

import pytest

from kintomodel.errors import ConnectionFailed
from kintomodel.protocol import batch, operations
from kintomodel.protocol.objects import Response
from kintomodel.resources.client import Client
from kintomodel.testing import RecordingTransport, record

READ = operations.read("/buckets/b")
WRITE = operations.create("/buckets/b", {})
INFO = {"project_version": "26.5.0", "settings": {}, "capabilities": {}}


class Answering:
    """Answers all but deletions; those are lost."""

    closed = False

    def __repr__(self):
        return "<Answering>"

    def send(self, operation):
        if operation.method == "DELETE":
            raise ConnectionFailed("lost")
        return Response(200, body=INFO)

    def close(self):
        self.closed = True


@pytest.fixture
def sent():
    return RecordingTransport(Answering())


def test_it_keeps_what_was_sent_and_passes_on_the_answer(sent):
    assert sent.send(READ) == Response(200, body=INFO)
    sent.send(WRITE)
    assert sent.operations == list(sent) == [READ, WRITE]
    assert len(sent) == 2
    assert sent.last == WRITE
    assert sent.exchanges[0] == (READ, Response(200, body=INFO))


def test_writes_are_all_but_get_and_head(sent):
    several = [READ, WRITE, operations.count("/buckets"), batch.batch([READ])]
    for operation in several:
        sent.send(operation)
    assert sent.writes == [several[1], several[3]]


def test_what_got_no_answer_is_kept_too(sent):
    lost = operations.delete("/buckets/b")
    with pytest.raises(ConnectionFailed):
        sent.send(lost)
    assert sent.exchanges == [(lost, None)]


def test_it_can_forget(sent):
    sent.send(READ)
    sent.clear()
    assert (list(sent), len(sent), sent.writes) == ([], 0, [])


def test_there_is_no_last_one_of_none(sent):
    with pytest.raises(AssertionError, match="nothing was sent"):
        sent.last  # noqa: B018


def test_what_it_gives_does_not_change_later(sent):
    sent.send(READ)
    before = sent.operations
    sent.send(WRITE)
    assert before == [READ]


def test_threads_can_share_it(sent):
    threads = [threading.Thread(target=lambda: [sent.send(READ) for _ in range(100)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sent.operations == [READ] * 400


def test_it_shows_and_closes_what_it_stands_in_front_of(sent):
    assert repr(sent) == "<RecordingTransport of 0 operations, <Answering>>"
    sent.close()
    assert sent.inner.closed


def test_a_client_is_recorded_inside_of_a_block():
    inner = Answering()
    client = Client("http://localhost", transport=inner)
    client.server_info()
    with record(client) as sent:
        client.server_info()
        assert sent.operations == [operations.server_info()]
    client.server_info()
    assert len(sent) == 1
    assert client.connection.transport is inner


def test_a_block_that_fails_stops_recording_too():
    inner = Answering()
    client = Client("http://localhost", transport=inner)
    with pytest.raises(ConnectionFailed), record(client):
        client.connection.perform(operations.delete("/buckets/b"))
    assert client.connection.transport is inner
