"""A Kinto of several processes, filled with records before it listens: what reading.py reads from.

Run as a program it is that server: its first line of stdin says what to run, it answers with its port,
and it ends, with all of its processes, at the end of stdin.
"""

from __future__ import annotations

import gc
import json
import os
import socket
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from kintomodel.testing.child import Child

BUCKET, COLLECTION = "/buckets/payments", "/buckets/payments/collections/receipts"
AUTH = ("tester", "secret")
THREADS = 8

_SETTINGS = {
    "multiauth.policies": "basicauth",  # any password will do, so that none has to be hashed
    "userid_hmac_secret": "kintomodel",
    "bucket_read_principals": "system.Everyone",
    "paginate_by": 10_000,
}


def receipt(at: int) -> dict[str, Any]:
    """Ten fields, with a Decimal, a datetime, a list and a nested object among them."""
    return {
        "amount": at / 4,
        "currency": "EUR" if at % 3 else "USD",
        "paid_at": f"2026-{at % 12 + 1:02}-{at % 28 + 1:02}T12:{at % 60:02}:00.000000+00:00",
        "tags": ["new", f"batch-{at % 100}", "imported"],
        "address": {"street": f"Main street {at}", "city": "Paris", "zip": f"{at % 100_000:05}"},
        "quantity": at % 50,
        "paid": at % 2 == 0,
        "note": f"The receipt of the customer number {at}",
        "rate": at % 7 / 8,
        "status": "open",
    }


@contextmanager
def running(count: int, database: str | None = None, processes: int = 1) -> Generator[str, None, None]:
    """The URL of a server with so many records. database: the URL of a PostgreSQL; None: in memory."""
    wanted = json.dumps({"count": count, "database": database, "processes": processes})
    with Child("Kinto", [sys.executable, __file__], timeout=300.0) as server:
        yield f"http://127.0.0.1:{server.ask(wanted)}/v1"


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr
    wanted = json.loads(sys.stdin.readline())
    settings = dict(_SETTINGS)
    if wanted["database"]:
        for role in ("storage", "permission", "cache"):
            settings |= {
                f"{role}_backend": f"kinto.core.{role}.postgresql",
                f"{role}_url": wanted["database"],
            }
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    alive, end = os.pipe()  # the children see its end when this process is gone, however it went
    if wanted["database"]:
        filler = os.fork()
        if not filler:
            load(settings, wanted["count"])
            os._exit(0)
        assert os.waitpid(filler, 0)[1] == 0
    for _ in range(wanted["processes"]):
        if not os.fork():
            os.close(end)
            threading.Thread(target=lambda: os.read(alive, 1) or os._exit(0), daemon=True).start()
            application = load(settings, 0 if wanted["database"] else wanted["count"])
            # Once in thirty pages its garbage collector would stop it for 120 ms, whoever asked.
            gc.collect()
            gc.freeze()
            create_server = import_module("waitress").create_server
            create_server(application, sockets=[listener], threads=THREADS).run()
    print(listener.getsockname()[1], file=answers, flush=True)
    sys.stdin.read(1)


def load(settings: dict[str, Any], count: int) -> Any:
    """The WSGI application, with so many records in its back ends."""
    application = import_module("kinto").main({}, **settings)
    registry = application.registry
    for backend in (registry.storage, registry.permission, registry.cache):
        backend.initialize_schema()
    if count:
        fill(registry, count)
        import_module("transaction").commit()
    return application


def fill(registry: Any, count: int) -> None:
    user = user_id(registry.settings)
    create = registry.storage.create
    create(resource_name="bucket", parent_id="", obj={"id": "payments"})
    create(resource_name="collection", parent_id=BUCKET, obj={"id": "receipts"})
    registry.permission.add_principal_to_ace(BUCKET, "write", user)
    # Spread like those made at random.
    ids = [f"{at * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}" for at in range(count)]
    if hasattr(registry.storage, "client"):
        insert(registry.storage, ids)
    else:
        for at, id in enumerate(ids):
            create(resource_name="record", parent_id=COLLECTION, obj={"id": id, **receipt(at)})
    for id in sorted(ids)[:1000]:
        registry.permission.add_principal_to_ace(f"{COLLECTION}/records/{id}", "write", user)


def insert(storage: Any, ids: list[str]) -> None:
    """Past Kinto, whose triggers on PostgreSQL make of 100,000 records the work of minutes."""
    execute_values = import_module("psycopg2.extras").execute_values
    rows = [(id, COLLECTION, 1_700_000_000_000 + at, json.dumps(receipt(at))) for at, id in enumerate(ids)]
    with storage.client.connect() as session:
        cursor = session.connection().connection.cursor()
        cursor.execute("ALTER TABLE objects DISABLE TRIGGER USER")
        execute_values(
            cursor,
            "INSERT INTO objects (id, parent_id, resource_name, last_modified, data, deleted) VALUES %s",
            rows,
            template="(%s, %s, 'record', from_epoch(%s), %s::jsonb, FALSE)",
            page_size=1000,
        )
        cursor.execute("ALTER TABLE objects ENABLE TRIGGER USER")
        # As the server itself does within a minute: else it is chance how the first rounds are planned.
        cursor.execute("ANALYZE objects")


def user_id(settings: dict[str, Any]) -> str:
    hmac_digest = import_module("kinto.core.utils").hmac_digest
    return "basicauth:" + str(hmac_digest(settings["userid_hmac_secret"], ":".join(AUTH)))


if __name__ == "__main__":
    main()
