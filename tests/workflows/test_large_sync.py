"""A large collection of which little changed: read once, written little, held little."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kintomodel.testing import KintoServer
from kintomodel.testing.server import Backend

ROOT = Path(__file__).parents[2]

PROGRAM = """
import json, sys, tracemalloc
from kintomodel import Client, Model

class Item(Model, bucket="large", collection="items"):
    name: str
    number: int = 0

class Counting:
    # A recording would hold all pages.
    def __init__(self, inner):
        self.inner, self.reads, self.writes = inner, 0, 0

    def send(self, operation):
        self.reads += operation.path.endswith("/records")
        self.writes += len(operation.body["requests"]) if operation.path == "/batch" else 0
        return self.inner.send(operation)

def source(count, changed=False, backwards=False):
    for number in range(count)[::-1 if backwards else 1]:
        value = -1 if changed and number % 100 == 0 else number
        yield {"id": f"r{number:06}", "name": "x" * 100, "number": value}

def measured(items):
    counting = client.connection.transport = Counting(client.connection.transport)
    tracemalloc.start()
    plan = Item.objects.sync(items)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    plan.apply().raise_for_failures()
    client.connection.transport = counting.inner
    return {"reads": counting.reads, "writes": counting.writes, "peak": peak, "unchanged": plan.unchanged}

url, user, password, count = sys.argv[1:]
count = int(count)
client = Client(url, (user, password))
with client.activate():
    client.create_bucket("large").create_collection("items")
    Item.objects.sync(source(count)).apply().raise_for_failures()
    found = {
        "one percent": measured(source(count, changed=True)),
        "again": measured(source(count, changed=True)),
        "small source": measured(source(100, changed=True)),
        "backwards": measured(source(count, changed=True, backwards=True)),
    }
print(json.dumps(found))
"""


def results(server: KintoServer, count: int) -> dict[str, dict[str, Any]]:
    """Of a child process, so that nothing else is measured."""
    command = [sys.executable, "-c", PROGRAM, server.url, *server.auth, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    print(found)  # shown by pytest -s
    return found


def check(server: KintoServer, count: int) -> None:
    found = results(server, count)
    pages = count // 500
    for case in found.values():
        assert case["reads"] == pages
    assert (found["one percent"]["writes"], found["one percent"]["unchanged"]) == (
        count // 100,
        count * 99 // 100,
    )
    assert (found["again"]["writes"], found["again"]["unchanged"]) == (0, count)
    # A page takes about half a megabyte while it is read, and a key that found its partner 150 bytes.
    assert found["one percent"]["peak"] < 1_000_000 + 250 * count
    assert found["small source"]["peak"] < 1_000_000
    # Half of each side is held before the first partners are found.
    assert found["backwards"]["peak"] < 1_000_000 + 800 * count


# Without the history, whose memory back end takes longer for each entry the more there are.
SETTINGS = {
    "includes": "kinto.plugins.accounts kinto.plugins.flush",
    "paginate_by": 500,
    "batch_max_requests": 100,
}


def test_five_thousand_of_which_one_in_a_hundred_changed() -> None:
    with KintoServer(settings=SETTINGS) as server:
        check(server, 5000)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["memory", "postgresql"])
def test_fifty_thousand_of_which_one_in_a_hundred_changed(backend: Backend) -> None:
    with KintoServer(backend, settings=SETTINGS) as server:
        check(server, 50_000)
