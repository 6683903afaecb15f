"""Bulk work takes as much memory for many records as for few."""

from __future__ import annotations

import gc
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator

import pytest

from kintomodel import Client, Model
from kintomodel.protocol.objects import Response
from kintomodel.testing import KintoServer, postgresql

MEGABYTE = 2**20


class Row(Model, bucket="payments", collection="rows"):
    number: int
    text: str = ""


class Accepting:
    """A transport that says of every write that it was done."""

    def __init__(self) -> None:
        self.time = 1000

    def send(self, operation):
        if operation.path == "/":
            root = {"settings": {"batch_max_requests": 25}, "capabilities": {}, "project_version": "26.5"}
            return Response(200, body=root)
        answers = [self.answer(one) for one in operation.body["requests"]]
        return Response(200, body={"responses": answers})

    def answer(self, request):
        self.time += 1
        data = {**request["body"]["data"], "id": request["path"].rpartition("/")[2]}
        body = {"data": {**data, "last_modified": self.time}, "permissions": {"write": ["account:us"]}}
        return {"status": 201, "path": request["path"], "headers": {}, "body": body}

    def close(self):
        pass


def rows(number: int) -> Iterator[Row]:
    return (Row(number=at, text="x" * 200) for at in range(number))


def peak(client: Client, number: int, workers: int) -> float:
    """Megabytes above the start."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        report = Row.objects.using(client).bulk_create(rows(number), workers=workers)
        after = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(report.created) == number
    return (after - before) / MEGABYTE


@pytest.mark.parametrize("workers", [1, 4])
def test_a_generator_of_many_records_takes_the_bytes_of_its_report_alone(workers: int) -> None:
    with Client("http://nowhere/v1", transport=Accepting()) as client:
        few, many = (peak(client, number, workers) for number in (2_500, 7_500))
        # A record that was kept would be more than a thousand bytes.
        assert many - few < 5_000 * 500 / MEGABYTE


# A process of its own shows what the system gives it, at its peak, and is not slowed down by tracing.
_GROWTH = """
import resource
import sys

from kintomodel import Client
from tests.writing.test_bulk_memory import Accepting, Row, rows

def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

url, auth, workers = sys.argv[1:]
with Client(url, auth=auth, transport=None if auth else Accepting()) as client:
    objects = Row.objects.using(client)
    objects.bulk_create(rows(25)).raise_for_failures()
    before = megabytes()
    report = objects.bulk_create(rows(100_000), workers=int(workers))
    print(megabytes() - before)
assert len(report.created) == 100_000
"""


def growth(url: str, auth: str, workers: int) -> float:
    """Megabytes above the start, with 100,000 records. auth: empty where every write is just accepted."""
    command = [sys.executable, "-c", _GROWTH, url, auth, str(workers)]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


@pytest.mark.parametrize("workers", [1, 4])
def test_a_generator_of_100_000_records_stays_under_32_megabytes(workers: int) -> None:
    assert growth("http://nowhere/v1", "", workers) < 32


@pytest.mark.slow
@pytest.mark.skipif(postgresql.unavailable() is not None, reason="no PostgreSQL")
@pytest.mark.parametrize("workers", [1, 4])
def test_a_generator_of_100_000_records_for_a_real_server_does_so_too(workers: int) -> None:
    # In memory, each of them takes Kinto longer than the one before; with its history on PostgreSQL as well.
    settings = {"includes": "kinto.plugins.accounts"}
    with KintoServer("postgresql", settings=settings) as server, server.client() as client:
        client.create_bucket("payments").create_collection("rows")
        assert growth(server.url, ":".join(server.auth), workers) < 32
        assert Row.objects.using(client).count() == 100_025
