"""Bulk loader: JSON lines from a file, typed, in bounded memory; a kill and a second run end the same."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kintomodel import Client, Model
from kintomodel.testing import record

from ..faulty_proxy import Fault, FaultyProxy, Message

ROOT = Path(__file__).parents[2]


class Item(Model, bucket="large", collection="items"):
    name: str
    number: int = 0


@pytest.fixture
def large(client: Client) -> Iterator[Client]:
    client.create_bucket("large").create_collection("items")
    with client.activate():
        yield client


def written(path: Path, count: int) -> Path:
    with path.open("w") as file:
        for number in range(count):
            file.write(json.dumps({"id": f"r{number:06}", "name": "x" * 50, "number": number}) + "\n")
    return path


def test_a_kill_in_the_middle_and_a_second_run_end_in_the_same_state(large: Client, tmp_path: Path) -> None:
    path = written(tmp_path / "items.jsonl", 120)
    batches: list[int] = []

    def choose(request: Message) -> Fault:
        batches.extend([1] * request.is_write)
        return "after" if len(batches) > 2 else "none"  # done, and nobody heard of it

    proxy = FaultyProxy(large.url, choose)
    with proxy, Client(proxy.url, ("tester", "secret"), retries=0) as broken:
        report = Item.objects.using(broken).load(path)
    assert (len(report.created), len(report.failed)) == (50, 70)
    assert [one.position for one in report.failures] == list(range(51, 121))
    with record(large) as sent:
        again = Item.objects.load(path)
    assert (len(again.unchanged), len(again.created)) == (75, 45)
    assert [len(one.body["requests"]) for one in sent.writes] == [25, 20]
    assert [one.number for one in Item.objects] == list(range(120))
    assert len(Item.objects.load(path).unchanged) == 120


PROGRAM = """
import json, sys, tracemalloc
from pathlib import Path
from kintomodel import Model
from kintomodel.files.dumping import File, _check

class Item(Model):
    name: str
    number: int = 0

def peak(path):
    tracemalloc.start()
    count = _check(File(Item, Path(path)), "raise")
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return count, found

print(json.dumps([peak(path) for path in sys.argv[1:]]))
"""


@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv"])
def test_a_file_is_checked_in_bounded_memory(tmp_path: Path, suffix: str) -> None:
    """In a process of its own: of ten times the rows, little more than the ids is held."""
    sizes = (1000, 10_000)
    for size in sizes:
        lines = written(tmp_path / f"{size}.jsonl", size).read_text().splitlines()
        if suffix == "json":
            (tmp_path / f"{size}.json").write_text("[" + ",\n".join(lines) + "]")
        elif suffix == "csv":
            rows = [",".join(map(str, json.loads(line).values())) for line in lines]
            (tmp_path / f"{size}.csv").write_text("\n".join(["id,name,number", *rows]))
    paths = [str(tmp_path / f"{size}.{suffix}") for size in sizes]
    command = [sys.executable, "-c", PROGRAM, *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    (few, small), (many, large) = json.loads(done.stdout)
    assert (few, many) == sizes
    assert large - small < 1_500_000  # the rows themselves take 9 MB
