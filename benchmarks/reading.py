"""How long it takes to read many records, as ratios to kinto-http, which hands out dicts.

    python benchmarks/reading.py [rounds]

A collection of 10,000 records of ten fields, with a Decimal, a datetime, a list and a nested object among
them, is read from a Kinto of four processes on PostgreSQL, from one in memory, and over a line with
round trips of 20 ms. Each round does all of it once, one after the other; what is printed is the
median over the rounds of each ratio, and its bound. Exit status 1 above one of them. The bound of the
processor time is for the extra `fast`; without it list() takes 1.7 times that of kinto-http.
"""

from __future__ import annotations

import gc
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sized
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import attrs
import kinto_http
import kinto_processes
from delaying_proxy import far_away

from kintomodel import Client, Manager, Model, PrincipalSet, field
from kintomodel.testing import postgresql

RECORDS = 10_000
MANY = 100_000
WITH_PERMISSIONS = 300
ROUND_TRIP = 20.0
MEGABYTES = 8.0


@attrs.define
class Address:
    street: str
    city: str
    zip: str


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: Decimal
    currency: str
    paid_at: datetime | None = None
    tags: list[str] = field(factory=list)
    address: Address | None = None
    quantity: int = 0
    paid: bool = False
    note: str = ""
    rate: float = 0.0
    status: str = "open"


class Cost(NamedTuple):
    """In seconds. processor: of this process alone."""

    wall: float
    processor: float


class Reader(NamedTuple):
    """The same collection, for both clients."""

    theirs: Any
    ours: Manager[Receipt]

    def their_list(self, page_size: int = 1000) -> list[Any]:
        records: list[Any] = self.theirs.get_records(_limit=page_size, pages=RECORDS)
        return records

    def our_list(self) -> list[Receipt]:
        return list(self.ours.all())

    def our_workers(self, page_size: int = 1000) -> list[str]:
        return [one.id for one in self.ours.iterator(workers=4, page_size=page_size)]

    def with_permissions(self) -> list[PrincipalSet]:
        return [one.permissions.write for one in self.ours.with_permissions()[:WITH_PERMISSIONS]]

    def one_by_one(self) -> list[PrincipalSet]:
        ids = [one.id for one in self.ours.all()[:WITH_PERMISSIONS]]
        return [self.ours.get(id=id).permissions.write for id in ids]


def reader(url: str) -> Reader:
    theirs = kinto_http.Client(
        server_url=url, auth=kinto_processes.AUTH, bucket="payments", collection="receipts"
    )
    return Reader(theirs, Receipt.objects.using(Client(url, auth=kinto_processes.AUTH)))


def cost(work: Callable[[], Sized], expected: int) -> Cost:
    gc.collect()  # or it would pay for what another made before
    wall, processor = time.perf_counter(), time.process_time()
    found = work()
    taken = Cost(time.perf_counter() - wall, time.process_time() - processor)
    assert len(found) == expected
    return taken


def costs(rounds: int, works: Mapping[str, Callable[[], Sized]], expected: int) -> dict[str, list[Cost]]:
    """Of each round after the first, which makes the connections."""
    found: dict[str, list[Cost]] = {name: [] for name in works}
    for _ in range(rounds + 1):
        for name, work in works.items():
            found[name].append(cost(work, expected))
    return {name: several[1:] for name, several in found.items()}


def report(what: str, ours: Iterable[float], theirs: Iterable[float], bound: float) -> bool:
    """Is the median of the ratios above its bound?"""
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    ratio = statistics.median(ratios)
    print(f"{what}: {ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f}), at most {bound:.2f}", flush=True)
    return ratio > bound


def reading(rounds: int, where: str, url: str, bound: float) -> list[bool]:
    here = reader(url)
    works = {"theirs": here.their_list, "list": here.our_list, "workers": here.our_workers}
    found = costs(rounds, works, RECORDS)
    wall = {name: [one.wall for one in several] for name, several in found.items()}
    processor = {name: [one.processor for one in several] for name, several in found.items()}
    failed = [
        report(f"{where}: list(objects.all()) / get_records()", wall["list"], wall["theirs"], bound),
        report(f"{where}: its processor time", processor["list"], processor["theirs"], 1.5),
    ]
    if where == "PostgreSQL":
        what = f"{where}: iterator(workers=4) / get_records()"
        failed.append(report(what, wall["workers"], wall["theirs"], 0.8))
    return failed


def permissions(rounds: int, where: str, url: str, bound: float) -> bool:
    here = reader(url)
    works = {"theirs": here.one_by_one, "ours": here.with_permissions}
    found = costs(rounds, works, WITH_PERMISSIONS)
    wall = {name: [one.wall for one in several] for name, several in found.items()}
    return report(f"{where}: with_permissions() / as many GETs", wall["ours"], wall["theirs"], bound)


def reading_far_away(rounds: int, url: str) -> bool:
    here = reader(url)
    works = {"theirs": lambda: here.their_list(100), "workers": lambda: here.our_workers(100)}
    found = costs(rounds, works, RECORDS)
    wall = {name: [one.wall for one in several] for name, several in found.items()}
    what = f"{ROUND_TRIP:.0f} ms away, page 100: iterator(workers=4) / get_records()"
    return report(what, wall["workers"], wall["theirs"], 0.35)


def growth(url: str) -> float:
    """Megabytes by which reading grows this process at its peak; run in a process of its own."""
    found = Receipt.objects.using(Client(url, auth=kinto_processes.AUTH))
    assert len(list(found.all()[:10])) == 10
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert sum(1 for _ in found.iterator(readonly=True)) == MANY
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def memory(url: str) -> bool:
    command = [sys.executable, __file__, "growth", url]
    grown = float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    what = f"iterator(readonly=True) over {MANY:,} records grows the process by"
    print(f"{what} {grown:.1f} MB, at most {MEGABYTES:.0f} MB", flush=True)
    return grown > MEGABYTES


def main() -> int:
    if sys.argv[1:2] == ["growth"]:
        print(growth(sys.argv[2]))
        return 0
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    failed = []
    with postgresql.cluster(60.0) as database, kinto_processes.running(RECORDS, database, 4) as url:
        failed += reading(rounds, "PostgreSQL", url, 1.0)
        failed.append(permissions(rounds, "PostgreSQL", url, 0.75))
        with far_away(url, ROUND_TRIP) as far:
            failed.append(reading_far_away(max(3, rounds // 3), far))
            failed.append(permissions(3, f"{ROUND_TRIP:.0f} ms away", far, 0.2))
    with kinto_processes.running(RECORDS) as url:
        failed += reading(rounds, "memory", url, 1.25)
    with postgresql.cluster(60.0) as database, kinto_processes.running(MANY, database, 1) as url:
        failed.append(memory(url))
    return any(failed)


if __name__ == "__main__":
    sys.exit(main())
