"""Bulk work beside kinto-http's batch, on one Kinto in memory: time, and our process's own seconds.

    python benchmarks/bulk_writing.py [records] [rounds]

And where there is a PostgreSQL: creations, changes and deletions in four collections by two threads that
share a client, beside the same by one, on a Kinto of four processes.

Each round creates, changes and deletes the records with both, one after the other, kinto-http first in
every other round. What is printed are the medians of the ratios ours / theirs, of the time and of the CPU
of the client. Exit status 1 if the whole takes more than 1.0 times the time, or 1.0 times the CPU, or the
two threads more than 0.65 times the time of one.
"""

from __future__ import annotations

import logging
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import kinto_http
import kinto_processes

from kintomodel import Client, Model
from kintomodel.testing import KintoServer, postgresql

LIMIT = 1.0
LIMIT_OF_TWO = 0.65
COLLECTIONS = 4
STEPS = ("create", "change", "delete")


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


def ours(client: Client, number: int) -> list[Spent]:
    objects = Receipt.objects.using(client)
    receipts: list[Receipt] = []

    def create() -> None:
        receipts.extend(Receipt(id=f"r{at}", amount=at, note="x" * 50) for at in range(number))
        objects.bulk_create(receipts).raise_for_failures()

    def change() -> None:
        for receipt in receipts:
            receipt.paid = True
        objects.bulk_save(receipts).raise_for_failures()

    return [spent(create), spent(change), spent(lambda: objects.bulk_delete(receipts).raise_for_failures())]


def theirs(client: Any, number: int) -> list[Spent]:
    """With the guards that kinto-http has; it keeps no state, so what it sends is known beforehand."""
    answers: list[Any] = []

    def create() -> None:
        with client.batch(bucket="payments", collection="receipts") as batch:
            for at in range(number):
                data = {"amount": at, "currency": "EUR", "paid": False, "note": "x" * 50}
                batch.create_record(id=f"r{at}", data=data)
        answers[:] = batch.results()

    def change() -> None:
        with client.batch(bucket="payments", collection="receipts") as batch:
            for one in answers:
                batch.patch_record(
                    id=one["data"]["id"], data={"paid": True}, if_match=one["data"]["last_modified"]
                )
        answers[:] = batch.results()

    def delete() -> None:
        with client.batch(bucket="payments", collection="receipts") as batch:
            for one in answers:
                batch.delete_record(id=one["data"]["id"], if_match=one["data"]["last_modified"])

    return [spent(create), spent(change), spent(delete)]


def ratios(number: int, rounds: int) -> list[list[Spent]]:
    found = []
    # Without the history, which makes every write slower than the one before.
    with KintoServer(settings={"includes": "kinto.plugins.accounts"}) as server, server.client() as client:
        other = kinto_http.Client(server_url=server.url, auth=server.auth)

        def fresh(run: Callable[[Any, int], list[Spent]], one: Any) -> list[Spent]:
            server.flush()
            client.create_bucket("payments").create_collection("receipts")
            return run(one, number)

        work = [lambda: fresh(theirs, other), lambda: fresh(ours, client)]
        for at in range(-1, rounds):
            first = work[at % 2]()
            second = work[1 - at % 2]()
            mine, others = (second, first) if at % 2 == 0 else (first, second)
            pairs = [*zip(mine, others, strict=True), (_sum(mine), _sum(others))]
            found.append([Spent(a.seconds / b.seconds, a.cpu / b.cpu) for a, b in pairs])
    return found[1:]  # the first one of all makes what is made once


def _sum(several: list[Spent]) -> Spent:
    return Spent(sum(one.seconds for one in several), sum(one.cpu for one in several))


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
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    found = ratios(number, rounds)
    for at, step in enumerate((*STEPS, "whole")):
        seconds = statistics.median(one[at].seconds for one in found)
        cpu = statistics.median(one[at].cpu for one in found)
        print(f"{step} {number} records, ours / kinto-http: {seconds:.2f} of the time, {cpu:.2f} of the CPU")
    is_slow = seconds > LIMIT or cpu > LIMIT
    reason = postgresql.unavailable()
    if reason is not None:
        print(f"not measured: two threads on four collections: {reason}")
        return is_slow
    two = statistics.median(ratios_of_two(max(number // 10, 25), rounds))
    print(f"mixed work on {COLLECTIONS} collections, two threads / one: {two:.2f} of the time")
    return is_slow or two > LIMIT_OF_TWO


if __name__ == "__main__":
    sys.exit(main())
