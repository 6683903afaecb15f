"""objects.deleted(): what was deleted, and that no query takes it for a record."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from kintomodel import Model, Q, UsageError
from kintomodel.protocol import operations
from kintomodel.query.tombstones import Tombstone, milliseconds
from kintomodel.testing import record

RECEIPTS = "/buckets/payments/collections/receipts/records"


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: int = 0


@pytest.fixture
def times(payments):
    """When r0, r1 and r2 of five were deleted; one of the others says itself that it is."""
    for at in range(4):
        Receipt.objects.create(id=f"r{at}", amount=at)
    payments.connection.perform(operations.create(f"{RECEIPTS}/own", {"amount": 9}))
    payments.connection.perform(operations.update(f"{RECEIPTS}/own", {"deleted": True}))
    return [payments.connection.perform(operations.delete(f"{RECEIPTS}/r{at}")) for at in range(3)]


def ids(found):
    return [one.id for one in found]


def test_what_was_deleted_is_listed_with_its_time(times):
    assert list(Receipt.objects.deleted()) == [Tombstone(f"r{at}", time) for at, time in enumerate(times)]
    (first, *_) = Receipt.objects.deleted()
    assert first.deleted_at == datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=times[0])


def test_since_is_a_time_of_either_form(payments, times):
    moment = datetime.fromtimestamp(times[0] / 1000, timezone.utc)
    paris = moment.astimezone(timezone(timedelta(hours=1)))
    for since in (times[0], moment, paris, moment + timedelta(microseconds=10)):
        assert ids(Receipt.objects.deleted(since=since)) == ["r1", "r2"]
    assert ids(Receipt.objects.deleted(moment - timedelta(milliseconds=1))) == ["r0", "r1", "r2"]
    for long_ago in (0, -5, datetime(1960, 1, 1, tzinfo=timezone.utc)):
        assert len(list(Receipt.objects.deleted(long_ago))) == 3
    assert list(Receipt.objects.deleted(times[2])) == []
    for ahead in (10**7, 10**8, 10**15, 10**30):
        assert list(Receipt.objects.deleted(times[2] + ahead)) == []


def test_tombstones_come_page_by_page(payments, times):
    with record(payments) as recording:
        found = Receipt.objects.deleted(page_size=1)
        assert not recording.operations
        assert next(found).id == "r0"
        # The first page has the one that only says that it is deleted; the third is under way, or there.
        assert [str(one) for one in recording.operations[3:]] == []
        assert ids(found) == ["r1", "r2"]
    assert len(recording) == 4
    assert all(one.method == "GET" for one in recording)


def test_all_pages_of_many_are_read(payments):
    for at in range(30):
        Receipt.objects.create(id=f"r{at}")
    payments.connection.run(iter_delete())
    found = ids(Receipt.objects.deleted(page_size=7))
    assert sorted(found) == sorted(f"r{at}" for at in range(30))


def iter_delete():
    yield from operations.delete_page(RECEIPTS)


def test_what_was_created_again_is_no_longer_deleted(times):
    Receipt.objects.create(id="r1")
    assert ids(Receipt.objects.deleted()) == ["r0", "r2"]


def test_nothing_is_deleted_in_a_new_collection(payments):
    assert list(Receipt.objects.deleted()) == []


@pytest.mark.parametrize("wrong", ["1", 1.5, True, datetime(2026, 1, 1)])
def test_what_is_no_time_is_refused(wrong):
    with pytest.raises(UsageError, match="since is milliseconds since 1970 or a datetime with a time zone"):
        Receipt.objects.deleted(wrong)
    with pytest.raises(UsageError, match="page_size is a positive number"):
        Receipt.objects.deleted(page_size=0)


def test_times_are_rounded_down():
    assert milliseconds(datetime(1970, 1, 1, 0, 0, 1, 999, tzinfo=timezone.utc)) == 1000
    assert milliseconds(None) == 0


@pytest.mark.parametrize(
    "condition",
    [
        Q(last_modified__gt=0),
        Q(last_modified__gte=0, amount__ne=77),
        Q(modified_at__gt=datetime(2000, 1, 1, tzinfo=timezone.utc)),
        Q(last_modified__ne=5) & ~Q(amount=77),
        Q(last_modified__gt=0) | Q(amount=77),
        ~Q(last_modified__lt=5),
        Q(last_modified__gt=0, amount__exists=True),
        Q(modified_at__lt=datetime(9000, 1, 1, tzinfo=timezone.utc)),
        ~Q(last_modified__gte=2**60),
    ],
    ids=repr,
)
def test_no_query_shows_what_was_deleted(times, condition):
    # "own" looks deleted to Kinto, beside a filter on last_modified.
    wanted = Receipt.objects.filter(condition).exclude(id="own")
    assert ids(wanted) == ["r3"]
    assert (wanted.count(), wanted.exists()) == (1, True)
    assert list(wanted.values_list("id", flat=True)) == ["r3"]
    assert ids(wanted.only("amount")) == ["r3"]
    assert list(wanted.in_bulk(["r0", "r3"])) == ["r3"]
    assert not Receipt.objects.filter(condition, id="r0").exists()
