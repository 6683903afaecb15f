"""Bulk work beside kinto-http's batch, on one Kinto in memory: time, and our process's own seconds.

    python benchmarks/bulk_writing.py [records]

And where there is a PostgreSQL: creations, changes and deletions in four collections by two threads that
share a client, beside the same by one, on a Kinto of four processes.

Both create, change and delete that many records, in turns of 100 (kinto-http first in every other turn), as a
server can be half as fast again a few seconds later. What is printed is the ratio ours / theirs of the sums,
of the time and of the CPU of the client. Exit status 1 if the whole takes more than 1.0 times the time, or
1.0 times the CPU, or the two threads more than 0.65 times the time of one.
"""

from __future__ import annotations

import logging
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import kinto_http
import kinto_processes

from kintomodel import Client, Model
from kintomodel.testing import KintoServer, postgresql

LIMIT = 1.0
LIMIT_OF_TWO = 0.65
COLLECTIONS = 4
STEPS = ("create", "change", "delete")
TURN = 100
ROUNDS_OF_TWO = 5


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: int
    currency: str = "EUR"
    paid: bool = False
    note: str = ""


class Spent(NamedTuple):
    seconds: float
    cpu: float


def spent(work: Callable[[], Any]) -> Spent:
    begun, cpu = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - begun, time.process_time() - cpu)


class Ours:
    def __init__(self, client: Client) -> None:
        client.bucket("payments").create_collection("ours")
        self._objects = Receipt.objects.using(client, collection="ours")
        self._receipts: list[Receipt] = []

    def create(self, turn: slice) -> None:
        self._receipts[turn] = [
            Receipt(id=f"r{at}", amount=at, note="x" * 50) for at in range(turn.start, turn.stop)
        ]
        self._objects.bulk_create(self._receipts[turn]).raise_for_failures()

    def change(self, turn: slice) -> None:
        for receipt in self._receipts[turn]:
            receipt.paid = True
        self._objects.bulk_save(self._receipts[turn]).raise_for_failures()

    def delete(self, turn: slice) -> None:
        self._objects.bulk_delete(self._receipts[turn]).raise_for_failures()


class Theirs:
    """With the guards that kinto-http has; it keeps no state, so what it sends is known beforehand."""

    def __init__(self, server: KintoServer) -> None:
        self._client = kinto_http.Client(server_url=server.url, auth=server.auth)
        self._client.create_collection(bucket="payments", id="theirs")
        self._answers: list[Any] = []

    def create(self, turn: slice) -> None:
        with self._client.batch(bucket="payments", collection="theirs") as batch:
            for at in range(turn.start, turn.stop):
                data = {"amount": at, "currency": "EUR", "paid": False, "note": "x" * 50}
                batch.create_record(id=f"r{at}", data=data)
        self._answers[turn] = batch.results()

    def change(self, turn: slice) -> None:
        with self._client.batch(bucket="payments", collection="theirs") as batch:
            for one in self._answers[turn]:
                batch.patch_record(
                    id=one["data"]["id"], data={"paid": True}, if_match=one["data"]["last_modified"]
                )
        self._answers[turn] = batch.results()

    def delete(self, turn: slice) -> None:
        with self._client.batch(bucket="payments", collection="theirs") as batch:
            for one in self._answers[turn]:
                batch.delete_record(id=one["data"]["id"], if_match=one["data"]["last_modified"])


def ratios(number: int) -> dict[str, Spent]:
    """Ours / theirs, by the step, and of all of them."""
    # Without the history, which makes every write slower than the one before.
    with KintoServer(settings={"includes": "kinto.plugins.accounts"}) as server, server.client() as client:
        client.create_bucket("payments")
        ours, theirs = Ours(client), Theirs(server)
        totals = {step: _step(ours, theirs, step, number) for step in STEPS}
    totals["whole"] = tuple(map(_sum, zip(*totals.values(), strict=True)))
    return {
        step: Spent(mine.seconds / others.seconds, mine.cpu / others.cpu)
        for step, (mine, others) in totals.items()
    }


def _step(ours: Ours, theirs: Theirs, step: str, number: int) -> tuple[Spent, ...]:
    """What both of them spent."""
    found: dict[object, list[Spent]] = {ours: [], theirs: []}
    for at, start in enumerate(range(0, number, TURN)):
        turn = slice(start, min(start + TURN, number))
        for side in (theirs, ours) if at % 2 else (ours, theirs):
            found[side].append(spent(partial(getattr(side, step), turn)))
    return tuple(map(_sum, found.values()))


def _sum(several: Iterable[Spent]) -> Spent:
    seconds, cpu = zip(*several, strict=True)
    return Spent(sum(seconds), sum(cpu))


def mixed(client: Client, names: list[str], number: int, threads: int) -> float:
    """Seconds of the work on these new collections, each of which is one thread's."""
    bucket = client.bucket("payments")
    for name in names:
        bucket.create_collection(name)

    def work(name: str) -> None:
        objects = Receipt.objects.using(client, collection=name)
        receipts = [Receipt(id=f"r{at}", amount=at, note="x" * 50) for at in range(number)]
        objects.bulk_create(receipts).raise_for_failures()
        for receipt in receipts:
            receipt.paid = True
        objects.bulk_save(receipts).raise_for_failures()
        objects.bulk_delete(receipts[::2]).raise_for_failures()

    def all_of_it() -> None:
        with ThreadPoolExecutor(threads) as executor:
            list(executor.map(work, names))

    return spent(all_of_it).seconds


def ratios_of_two(number: int, rounds: int) -> list[float]:
    """Of the time that two threads take, to that of one."""
    found = []
    with (
        postgresql.cluster(60.0) as database,
        kinto_processes.running(1, database, 4) as url,
        Client(url, auth=kinto_processes.AUTH) as client,
    ):
        for at in range(-1, rounds):
            seconds = {}
            for threads in (1, 2) if at % 2 else (2, 1):
                names = [f"round{at + 1}-{threads}-{one}" for one in range(COLLECTIONS)]
                seconds[threads] = mixed(client, names, number, threads)
            found.append(seconds[2] / seconds[1])
    return found[1:]


def main() -> int:
    # It warns of each request of a batch that succeeded.
    logging.getLogger("kinto_http").setLevel(logging.CRITICAL)
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    for step, found in ratios(number).items():
        print(
            f"{step} {number} records, ours / kinto-http: {found.seconds:.3f} of the time, "
            f"{found.cpu:.3f} of the CPU"
        )
    is_slow = found.seconds > LIMIT or found.cpu > LIMIT
    reason = postgresql.unavailable()
    if reason is not None:
        print(f"not measured: two threads on four collections: {reason}")
        return is_slow
    two = statistics.median(ratios_of_two(max(number // 20, 25), ROUNDS_OF_TWO))
    print(f"mixed work on {COLLECTIONS} collections, two threads / one: {two:.2f} of the time")
    return is_slow or two > LIMIT_OF_TWO


if __name__ == "__main__":
    sys.exit(main())
