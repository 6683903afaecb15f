"""Many records: while others write, read only, by several workers, with their permissions."""

import gc
import pickle
import subprocess
import sys
from copy import copy
from pathlib import Path

import pytest

from kintomodel import Model, UsageError, field
from kintomodel.protocol import operations
from kintomodel.testing import KintoServer, postgresql, record
from tests.restless_writer import RestlessWriter

RECORDS = "/buckets/payments/collections/receipts/records"
REFUSAL = (
    r"payments/receipts/r000: it was read with readonly=True: refresh\(\) it before it is changed or saved$"
)


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: int = 0
    tags: list[str] = field(factory=list)


def create(client, ids):
    creations = [
        operations.create(f"{RECORDS}/{id}", {"amount": at, "note": "kept"}) for at, id in enumerate(ids)
    ]
    assert not any(isinstance(result, Exception) for result in client.connection.perform_all(creations))


@pytest.fixture
def few(payments):
    """Five of them, r000 to r004, of which the amounts go up."""
    create(payments, [f"r{at:03}" for at in range(5)])
    return payments


@pytest.fixture
def receipts(payments):
    """120 of them, r000 to r119."""
    create(payments, [f"r{at:03}" for at in range(120)])
    return payments


def ids(found):
    return [one.id for one in found]


def asked(recording):
    return [(one.method, one.params.get("_sort"), one.params.get("_limit")) for one in recording.operations]


def test_pages_are_asked_for_one_after_the_other_and_no_more_than_there_are(few):
    with record(few) as recording:
        assert ids(Receipt.objects.iterator(page_size=2)) == [f"r{at:03}" for at in range(5)]
        assert [one.method for one in recording.operations] == ["GET"] * 3
        recording.clear()
        assert len(Receipt.objects.all()[:2]) == 2
        assert len(recording) == 1


def test_an_iterator_that_is_given_up_has_asked_for_one_page_more_at_most(few):
    with record(few) as recording:
        for _ in Receipt.objects.iterator(page_size=2):
            break
        few.close()
        assert len(recording) <= 2


def test_a_list_keeps_the_text_of_what_the_server_has_until_it_is_asked_for_it(few):
    # The garbage collector looks at each dict that is there, again and again, and at no text.
    found = list(Receipt.objects.all())
    assert not any(isinstance(one, dict) for record in found for one in gc.get_referents(vars(record)))
    found[0].amount = 7
    found[0].save()
    assert Receipt.objects.get(id=found[0].id).extra == {"note": "kept"}


def test_a_readonly_record_has_its_fields_and_nothing_else(few):
    first = next(Receipt.objects.iterator(readonly=True))
    assert (first.id, first.amount, first.tags) == ("r000", 0, [])
    assert first.last_modified is not None
    assert first._state.stored is None
    assert "account:tester" in first.permissions.write
    assert first == Receipt.objects.get(id="r000")


@pytest.mark.parametrize(
    "use",
    [
        lambda one: one.save(),
        lambda one: one.save(force=True, on_conflict="mine"),
        lambda one: one.delete(missing_ok=True),
        lambda one: one.changes(),
        lambda one: one.extra,
        lambda one: one.permissions.update(read=["account:bob"]),
    ],
)
@pytest.mark.parametrize("change", [lambda one: one, copy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_readonly_record_is_not_written(few, use, change):
    first = change(next(Receipt.objects.iterator(readonly=True)))
    first.amount = 7
    with record(few) as recording, pytest.raises(UsageError, match=REFUSAL):
        use(first)
    assert not recording.operations


def test_a_readonly_record_is_not_moved(few):
    first = next(Receipt.objects.iterator(readonly=True))
    with pytest.raises(UsageError, match=REFUSAL):
        first.save(using=few)
    assert first._state.readonly


def test_refresh_makes_of_a_readonly_record_one_like_any_other(few):
    first = next(Receipt.objects.iterator(readonly=True))
    first.refresh()
    assert first.extra == {"note": "kept"}
    first.amount = 7
    first.save()
    found = Receipt.objects.get(id="r000")
    assert (found.amount, found.extra) == (7, {"note": "kept"})
    first.delete()


@pytest.mark.parametrize("workers", [2, 32])
def test_workers_find_each_record_once(receipts, workers):
    everything = [f"r{at:03}" for at in range(120)]
    assert sorted(ids(Receipt.objects.iterator(page_size=20, workers=workers))) == everything
    some = Receipt.objects.filter(amount__gte=10, id__gt="r010").exclude(id__lte="r020").filter(id__lt="r100")
    assert sorted(ids(some.iterator(page_size=20, workers=workers))) == everything[21:100]


SAMPLES = [("GET", "-last_modified", "100"), ("GET", "last_modified", "100")]


def test_workers_cost_two_requests_more_and_those_of_their_ranges(receipts):
    with record(receipts) as recording:
        assert len(list(Receipt.objects.iterator(workers=2))) == 120
        found = asked(recording)
    assert sorted(found[:2]) == SAMPLES
    assert found[2:] == [("GET", "id", "1000")] * 6


def test_for_few_records_there_is_one_range(payments):
    create(payments, ["a", "b"])
    with record(payments) as recording:
        assert ids(Receipt.objects.iterator(workers=4)) == ["a", "b"]
        found = asked(recording)
    assert (sorted(found[:2]), found[2:]) == (SAMPLES, [("GET", "id", "1000")])


def test_workers_have_nothing_to_do_where_nothing_can_match(payments):
    with record(payments) as recording:
        assert list(Receipt.objects.none().iterator(workers=4)) == []
        assert not recording.operations


@pytest.mark.parametrize("workers", [0, 33, -1, 1.5, None, "4"])
def test_there_are_as_many_workers_as_make_sense(workers):
    with pytest.raises(UsageError, match="workers is a number from 1 to 32, got"):
        Receipt.objects.iterator(workers=workers)


@pytest.mark.parametrize(
    "query",
    [
        Receipt.objects.order_by("amount"),
        Receipt.objects.reverse(),
        Receipt.objects.all()[:10],
        Receipt.objects.all()[10:],
    ],
)
def test_workers_keep_no_order(query):
    with pytest.raises(UsageError, match="several workers find records in any order"):
        query.iterator(workers=2)


class Writer(RestlessWriter):
    """Changes, creates and deletes records until it is stopped."""

    def writes(self, chance):
        for id in chance.sample(self.movable, 3):
            yield operations.update(f"{RECORDS}/{id}", {"amount": chance.randint(0, 2000)})
        yield operations.create(f"{RECORDS}/{chance.getrandbits(64):016x}", {"amount": 1})
        if self.deletable:
            yield operations.delete(f"{RECORDS}/{self.deletable.pop()}")


@pytest.mark.parametrize(
    ("size", "page_size"), [(400, 20), pytest.param(20_000, 1000, marks=pytest.mark.slow)]
)
def test_while_others_write_nothing_is_missed_and_nothing_comes_twice(server, payments, size, page_size):
    names = [f"{at * 0x9E3779B97F4A7C15 % 2**64:016x}" for at in range(size)]
    create(payments, names)
    lasting, deletable = names[: size * 3 // 4], names[size * 3 // 4 :]
    with server.client() as another, Writer(another, lasting, deletable) as writer:
        for workers in (1, 4):
            before = writer.written
            found = ids(Receipt.objects.iterator(page_size=page_size, workers=workers))
            assert writer.written > before
            assert len(found) == len(set(found))
            assert set(lasting) <= set(found)
        for query in (Receipt.objects.filter(amount__gte=0), Receipt.objects.order_by("amount")):
            found = ids(query.iterator(page_size=page_size))
            assert len(found) == len(set(found))
            assert set(lasting) <= set(found)


def test_records_come_with_their_permissions(receipts):
    shared = Receipt.objects.get(id="r001")
    shared.permissions.read += "account:bob"
    shared.save()
    receipts.connection.batch_size()
    with record(receipts) as recording:
        found = list(Receipt.objects.filter(amount__lt=60).with_permissions())
        assert ids(found) == [f"r{at:03}" for at in range(60)]
        assert [set(one.permissions.read) for one in found[:2]] == [set(), {"account:bob"}]
        assert all("account:tester" in one.permissions.write for one in found)
        assert [one.path for one in recording.operations] == [RECORDS, "/batch", "/batch", "/batch"]
        assert sorted(len(one.body["requests"]) for one in recording.writes) == [10, 25, 25]
    found[0].amount = 5
    found[0].save()
    assert Receipt.objects.get(id="r000").extra == {"note": "kept"}


def test_permissions_come_with_all_ways_of_reading(receipts):
    query = Receipt.objects.with_permissions()
    with record(receipts) as recording:
        for found in (
            [query.get(id="r001")],
            [query.order_by("-amount").first()],
            query[3:5],
            query.iterator(readonly=True),
            query.filter(id__lt="r050").iterator(workers=2),
        ):
            found = list(found)
            recording.clear()
            assert all("account:tester" in one.permissions.write for one in found)
            assert not recording.operations
        assert query.exists()
        assert query.count() == 120
        assert len(recording) == 2


def test_permissions_that_kinto_hides_are_not_loaded_again(server, few):
    with server.client(server.create_account("bob", "bob")) as bob:
        collection = "/buckets/payments/collections/receipts"
        few.connection.perform(operations.update(collection, None, {"read": ["account:bob"]}))
        found = list(Receipt.objects.using(bob).with_permissions()[:2])
        with record(bob) as recording:
            assert [repr(one.permissions.read) for one in found] == ["(not visible)"] * 2
            assert not recording.operations


@pytest.mark.skipif(postgresql.unavailable() is not None, reason="there is no PostgreSQL")
def test_from_a_server_that_is_readonly_permissions_come_one_by_one():
    with postgresql.cluster(30) as url:
        storage = {f"{role}_backend": f"kinto.core.{role}.postgresql" for role in ("storage", "permission")}
        settings = {**storage, "storage_url": url, "permission_url": url}
        with KintoServer(settings=settings) as server, server.client() as client:
            client.create_bucket("payments").create_collection("receipts")
            create(client, ["a", "b", "c"])
        with KintoServer(settings={**settings, "readonly": True}) as server, server.client() as client:
            with client.activate(), record(client) as recording:
                found = list(Receipt.objects.with_permissions())
                assert [set(one.permissions.write) for one in found] == [{"account:tester"}] * 3
            assert [one.method for one in recording.operations] == ["GET", "GET", "POST", "GET", "GET", "GET"]


MEASURING = """
import json, resource, sys
from kintomodel import Client, Model, field
from kintomodel.protocol.objects import Response

class Receipt(Model, bucket="payments", collection="receipts"):
    amount: float = 0.0
    tags: list[str] = field(factory=list)
    note: str = ""
    address: dict[str, str] = field(factory=dict)

RECORDS = [
    {"id": f"{at:032}", "last_modified": at, "amount": at / 4, "tags": ["new", f"batch-{at}"],
     "note": f"The receipt of the customer number {at}", "address": {"street": f"Main {at}", "zip": str(at)}}
    for at in range(1000)
]
BODY = json.dumps({"data": RECORDS}).encode()
PAGES = int(sys.argv[1])

class Pages:
    sent = 0

    def send(self, operation):
        if operation.params.get("_limit") == "10":
            return Response(200, {}, {"data": RECORDS[:10]})
        self.sent += 1
        headers = {"next-page": "http://x/y?_token=z"} if self.sent < PAGES else {}
        return Response(200, headers, json.loads(BODY))

    def close(self):
        pass

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

found = Receipt.objects.using(Client("http://x", transport=Pages()))
assert len(list(found.all()[:10])) == 10
before = peak()
assert sum(1 for _ in found.iterator(readonly=True)) == PAGES * 1000
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak is counted in other units")
@pytest.mark.parametrize("pages", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_reading_many_takes_the_memory_of_two_pages(pages):
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", MEASURING, str(pages)]
    done = subprocess.run(command, check=True, cwd=root, stdout=subprocess.PIPE, text=True)
    assert float(done.stdout) < 8
