"""Bulk work that is interrupted while results are taken in: the records know what was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

from kintomodel import Client, Conflict, Model


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: int = 0
    note: str = ""

    def after_save(self) -> None:
        after.append(self.id)
        if self.id in interrupting:
            raise interrupting.pop(self.id)

    after_delete = after_save


GET = "GET /buckets/payments/collections/receipts/records/r03"

after: list[str] = []
interrupting: dict[str, BaseException] = {}


@attrs.define
class Interrupted:
    """Ctrl-C once a request of which `at` is true was sent."""

    inner: Any
    at: Callable[[Any], bool]
    sent: list[str] = attrs.field(factory=list)

    def send(self, operation: Any) -> Any:
        self.sent.append(str(operation).partition("\n")[0])
        answer = self.inner.send(operation)
        if self.at(operation):
            raise KeyboardInterrupt
        return answer

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def nobody_interrupts() -> None:
    after.clear()
    interrupting.clear()


def receipts(number: int) -> list[Receipt]:
    return [Receipt(id=f"r{at:02}", amount=at) for at in range(number)]


def edited(client: Client) -> list[Receipt]:
    """Twenty stored ones with another amount, of which somebody else wrote r03."""
    Receipt.objects.bulk_create(receipts(20))
    several = list(Receipt.objects.using(client))
    theirs = Receipt.objects.get(id="r03")
    theirs.note = "theirs"
    theirs.save()
    after.clear()
    for one in several:
        one.amount += 100
    return several


@pytest.mark.parametrize("workers", [1, 2])
def test_after_an_interrupt_in_a_hook_nothing_is_written_twice(payments: Client, workers: int) -> None:
    several = receipts(60)
    interrupting["r02"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        Receipt.objects.bulk_create(several, workers=workers)
    assert after == ["r00", "r01", "r02"]
    stored = Receipt.objects.count()
    assert stored >= 25
    report = Receipt.objects.bulk_save(several)
    assert (len(report.unchanged), len(report.created)) == (stored, 60 - stored)


def test_after_an_interrupt_in_a_hook_what_is_deleted_is_new(payments: Client) -> None:
    several = receipts(20)
    Receipt.objects.bulk_create(several)
    interrupting["r02"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        Receipt.objects.bulk_delete(several)
    assert Receipt.objects.count() == 0
    assert {one.last_modified for one in several} == {None}


def test_an_interrupt_while_a_conflict_is_looked_at_leaves_that_conflict_alone(payments: Client) -> None:
    transport = Interrupted(payments.connection.transport, lambda one: str(one).startswith(GET))
    interrupted = Client(payments.url, transport=transport)
    several = edited(interrupted)
    with pytest.raises(KeyboardInterrupt):
        Receipt.objects.using(interrupted).bulk_save(several, on_conflict="merge")
    assert transport.sent[-2:] == ["POST /batch", GET]
    assert after == ["r00", "r01", "r02"]
    report = Receipt.objects.using(interrupted).bulk_save(several)
    assert [one.id for one in report.failures] == ["r03"]
    assert (len(report.conflicts), len(report.unchanged)) == (1, 19)


def test_an_interrupt_while_a_conflict_is_decided_leaves_that_conflict_alone(payments: Client) -> None:
    def decide(conflict: Conflict) -> dict[str, Any]:
        raise KeyboardInterrupt

    several = edited(payments)
    with pytest.raises(KeyboardInterrupt):
        Receipt.objects.bulk_save(several, on_conflict=decide)
    report = Receipt.objects.bulk_save(several)
    assert (len(report.conflicts), len(report.unchanged)) == (1, 19)


def test_an_interrupt_of_the_second_write_after_a_conflict_is_a_lost_answer(payments: Client) -> None:
    transport = Interrupted(payments.connection.transport, lambda one: one.method == "PATCH")
    interrupted = Client(payments.url, transport=transport)
    several = edited(interrupted)
    with pytest.raises(KeyboardInterrupt):
        Receipt.objects.using(interrupted).bulk_save(several, on_conflict="merge")
    merged = Receipt.objects.get(id="r03")
    assert (merged.amount, merged.note) == (103, "theirs")
    transport.at = lambda one: False
    report = Receipt.objects.using(interrupted).bulk_save(several)
    assert report.failures == ()
    assert Receipt.objects.get(id="r03").last_modified == merged.last_modified


def test_an_interrupt_of_the_generator_calls_no_hook_for_what_was_under_way(payments: Client) -> None:
    several = receipts(30)

    def given() -> Iterator[Receipt]:
        yield from several
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Receipt.objects.bulk_create(given(), workers=2)
    assert (Receipt.objects.count(), after) == (25, [])
    report = Receipt.objects.bulk_save(several)
    assert (len(report.unchanged), len(report.created)) == (25, 5)


def test_an_interrupt_is_raised_before_what_a_hook_raised(payments: Client) -> None:
    interrupting.update(r01=RuntimeError("first"), r30=KeyboardInterrupt(), r31=RuntimeError("never"))
    with pytest.raises(KeyboardInterrupt):
        Receipt.objects.bulk_create(receipts(50), workers=2)
    assert after[-1] == "r30"
