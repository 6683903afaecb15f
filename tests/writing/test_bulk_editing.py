"""QuerySet.update() and delete(): whatever a query finds, each record guarded and told of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kintomodel import Client, ConnectionFailed, Model, UsageError, ValidationError, field
from kintomodel.protocol import operations
from kintomodel.testing import RecordingTransport, record
from kintomodel.transport.base import Transport

RECORDS = "/buckets/payments/collections/receipts/records"


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: int = 0
    status: str = "open"
    tags: list[str] = field(factory=list)


@pytest.fixture
def sent(payments: Client) -> Iterator[RecordingTransport]:
    Receipt.objects.bulk_create(Receipt(id=f"r{at:02}", amount=at) for at in range(40))
    with record(payments) as recording:
        yield recording


class Meddling:
    """Writes a record, as somebody else, just before the first batch is sent."""

    def __init__(self, inner: Transport, meddle: Any) -> None:
        self.inner, self.meddle = inner, meddle

    def send(self, operation: Any) -> Any:
        if operation.path == "/batch" and self.meddle is not None:
            meddle, self.meddle = self.meddle, None
            meddle()
        return self.inner.send(operation)

    def close(self) -> None:
        pass


def meddled(payments: Client, meddle: Any) -> Any:
    return Receipt.objects.using(
        Client(payments.url, transport=Meddling(payments.connection.transport, meddle))
    )


def change(**fields: Any) -> None:
    other = Receipt.objects.get(id="r30")
    for name, value in fields.items():
        setattr(other, name, value)
    other.save()


def test_what_matches_gets_the_values(sent: RecordingTransport) -> None:
    report = Receipt.objects.filter(amount__gte=10).order_by("-amount").update(status="paid", tags=["x"])
    assert len(report.updated) == 30
    assert [one.method for one in sent] == ["GET", "POST", "POST"]
    assert Receipt.objects.filter(status="paid", tags__contains="x").count() == 30
    again = Receipt.objects.filter(amount__gte=10).update(status="paid")
    assert (len(again.unchanged), again.unchanged[0].id) == (30, "r10")
    with pytest.raises(UsageError, match=r"outcome\.id"):
        _ = report.updated[0].object


def test_an_update_of_a_slice_is_of_that_slice(sent: RecordingTransport) -> None:
    report = Receipt.objects.order_by("-amount")[:3].update(amount=-1)
    assert [outcome.id for outcome in report.updated] == ["r39", "r38", "r37"]
    assert len(Receipt.objects.order_by("amount")[:3].delete().deleted) == 3
    assert (Receipt.objects.count(), Receipt.objects.filter(amount=-1).count()) == (37, 0)


def test_an_update_is_checked_before_anything_is_sent(sent: RecordingTransport) -> None:
    with pytest.raises(UsageError, match=r"^Receipt has no field 'amuont'; did you mean 'amount'\?"):
        Receipt.objects.all().update(amuont=1)
    with pytest.raises(UsageError, match=r"^update\(\) takes the new values of fields of Receipt"):
        Receipt.objects.all().update()
    with pytest.raises(ValidationError) as caught:
        Receipt.objects.all().update(amount="x", status=3)
    assert caught.value.problems == (
        "amount: expected an integer, got string 'x'", "status: expected a string, got number 3",
    )  # fmt: skip
    assert len(sent) == 0


def test_who_writes_meanwhile_is_a_conflict_and_retried_if_it_still_matches(payments: Client) -> None:
    Receipt.objects.bulk_create(Receipt(id=f"r{at:02}", amount=at) for at in range(29, 32))
    manager = meddled(payments, lambda: change(tags=["theirs"]))
    report = manager.filter(status="open").update(status="paid")
    assert [outcome.status for outcome in report] == ["updated", "conflict", "updated"]
    again = report.retry_failed()
    assert [(one.status, one.position) for one in again] == [("updated", 0), ("updated", 1), ("updated", 2)]
    assert (Receipt.objects.get(id="r30").tags, Receipt.objects.get(id="r30").status) == (["theirs"], "paid")


def test_what_does_not_match_any_more_is_left_alone(payments: Client) -> None:
    Receipt.objects.bulk_create(Receipt(id=f"r{at:02}", amount=at) for at in range(29, 32))
    manager = meddled(payments, lambda: change(status="void"))
    report = manager.filter(status="open").update(status="paid").retry_failed()
    assert [outcome.status for outcome in report] == ["updated", "missing", "updated"]
    assert report.missing[0].message.endswith("it is gone, or does not match any more")
    assert Receipt.objects.get(id="r30").status == "void"


def test_a_deletion_is_guarded_and_does_not_mind_who_was_first(payments: Client) -> None:
    Receipt.objects.bulk_create(Receipt(id=f"r{at:02}", amount=at) for at in range(29, 33))

    def meddle() -> None:
        change(amount=100)
        Receipt.objects.get(id="r29").delete()

    report = meddled(payments, meddle).filter(amount__gte=0).delete()
    assert [outcome.status for outcome in report] == ["unchanged", "conflict", "deleted", "deleted"]
    assert [one.id for one in Receipt.objects.all()] == ["r30"]
    assert len(report.retry_failed().deleted) == 3


def test_what_was_deleted_meanwhile_needs_no_deletion_when_it_is_retried(payments: Client) -> None:
    Receipt.objects.bulk_create(Receipt(id=f"r{at:02}", amount=at) for at in range(29, 33))

    def meddle() -> None:
        change(amount=100)
        Receipt.objects.filter(id="r31").update(status="void")

    report = meddled(payments, meddle).filter(status="open").delete()
    assert [outcome.status for outcome in report] == ["deleted", "conflict", "conflict", "deleted"]
    Receipt.objects.get(id="r30").delete()
    report = report.retry_failed()
    assert [outcome.status for outcome in report] == ["deleted", "unchanged", "missing", "deleted"]
    assert [one.id for one in Receipt.objects.all()] == ["r31"]


class Lost:
    """The first batch gets through, and nothing is heard of it, nor of what is asked then."""

    def __init__(self, inner: Transport) -> None:
        self.inner, self.was_sent, self.is_over = inner, False, False

    def send(self, operation: Any) -> Any:
        if self.is_over:
            return self.inner.send(operation)
        if not self.was_sent:
            response = self.inner.send(operation)
            self.was_sent = operation.path == "/batch"
        if self.was_sent:
            raise ConnectionFailed("cut")
        return response

    def close(self) -> None:
        pass


@pytest.fixture
def lost(payments: Client) -> Lost:
    Traced.objects.bulk_create(Traced(id=f"r{at}", amount=at) for at in range(3))
    after.clear()
    return Lost(payments.connection.transport)


class Traced(Receipt, bucket="payments", collection="receipts"):
    def after_save(self) -> None:
        after.append(self.id)

    after_delete = after_save


after: list[str] = []


def test_a_deletion_without_an_answer_is_one_of_ours_when_it_is_retried(payments: Client, lost: Lost) -> None:
    report = Traced.objects.using(Client(payments.url, transport=lost)).filter(status="open").delete()
    assert (len(report.failed), Traced.objects.count(), after) == (3, 0, [])
    lost.is_over = True
    report = report.retry_failed()
    assert (len(report.deleted), after) == (3, ["r0", "r1", "r2"])


def test_an_update_without_an_answer_is_one_of_ours_when_it_is_retried(payments: Client, lost: Lost) -> None:
    manager = Traced.objects.using(Client(payments.url, transport=lost))
    report = manager.filter(status="open").update(status="paid")
    assert (len(report.failed), Traced.objects.filter(status="paid").count(), after) == (3, 3, [])
    times = [one.last_modified for one in Traced.objects.all()]
    theirs = Traced.objects.get(id="r1")
    theirs.amount = 100
    theirs.save()
    after.clear()
    lost.is_over = True
    report = report.retry_failed()
    assert [one.status for one in report] == ["updated", "conflict", "updated"]
    assert after == ["r0", "r2"]
    now = list(Traced.objects.all())
    assert [one.last_modified in times for one in now] == [True, False, True]
    assert now[1].amount == 100


def test_all_is_to_be_said(sent: RecordingTransport) -> None:
    for everything in (Receipt.objects.all(), Receipt.objects.filter(), Receipt.objects.order_by("amount")):
        with pytest.raises(
            UsageError, match=r"this deletes all of payments/receipts: say delete\(all=True\)"
        ):
            everything.delete()
    assert len(sent) == 0
    assert len(Receipt.objects.none().delete()) == 0
    done: list[Any] = []
    report = Receipt.objects.all().delete(all=True, workers=2, progress=lambda *now: done.append(now))
    assert (len(report.deleted), done) == (40, [(25, None), (40, None)])
    assert Receipt.objects.count() == 0


def test_what_does_not_fit_the_model_is_told_and_left_alone(payments: Client) -> None:
    Receipt.objects.bulk_create([Receipt(id="r1"), Receipt(id="r3")])
    payments.connection.perform(operations.create(f"{RECORDS}/r2", {"amount": "much"}))
    for report in (
        Receipt.objects.all().update(amount=1),
        Receipt.objects.all().update(amount=2).retry_failed(),
        Receipt.objects.all().delete(all=True),
    ):
        assert [outcome.status for outcome in report][1] == "invalid"
        assert (report.invalid[0].id, report.invalid[0].position) == ("r2", 1)
        assert "r2: amount: expected an integer, got string 'much'" in report.invalid[0].message
    assert payments.bucket("payments").collection("receipts").count_records() == 1
