"""before_save and the like: run around single and bulk work alike."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from kintomodel import BulkError, Client, Model, UsageError, ValidationError

EVENTS: list[tuple[str, str]] = []


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: int = 0
    saves: int = 0
    broken: ClassVar[set[str]] = set()

    def note(self, event: str) -> None:
        EVENTS.append((event, self.id))
        if event in self.broken:
            raise LookupError(event)

    def before_save(self) -> None:
        self.note("before_save")
        if self.amount < 0:
            raise ValidationError("nothing below zero")
        if self.changes():
            self.saves += 1

    def after_save(self) -> None:
        assert self.changes() == {}
        self.note("after_save")

    def before_delete(self) -> None:
        self.note("before_delete")

    def after_delete(self) -> None:
        assert self.last_modified is None
        self.note("after_delete")

    def after_load(self) -> None:
        assert self.last_modified
        self.note("after_load")


@pytest.fixture
def events(payments: Client) -> list[tuple[str, str]]:
    EVENTS.clear()
    Receipt.broken.clear()
    return EVENTS


def names(events: list[tuple[str, str]]) -> list[str]:
    found = [event for event, _ in events]
    events.clear()
    return found


def test_hooks_run_around_what_happens_to_one_record(events: list[tuple[str, str]]) -> None:
    receipt = Receipt.objects.create(id="r1", amount=1)
    assert (names(events), receipt.saves) == (["before_save", "after_save"], 1)
    receipt.save()
    assert names(events) == ["before_save"]
    receipt.refresh()
    Receipt.objects.get(id="r1")
    list(Receipt.objects.all())
    assert names(events) == ["after_load"] * 3
    receipt.delete()
    assert names(events) == ["before_delete", "after_delete"]
    with pytest.raises(UsageError, match="it is not stored"):
        receipt.delete()
    assert names(events) == []


def test_hooks_run_in_bulk_work(events: list[tuple[str, str]]) -> None:
    several = [Receipt(id=f"r{at}", amount=at) for at in (1, 2)]
    report = Receipt.objects.bulk_save([*several, Receipt(id="r3", amount=-1)], workers=2)
    assert events == [
        ("before_save", "r1"), ("before_save", "r2"), ("before_save", "r3"),
        ("after_save", "r1"), ("after_save", "r2"),
    ]  # fmt: skip
    assert [outcome.status for outcome in report] == ["created", "created", "invalid"]
    events.clear()
    Receipt.objects.bulk_save(several)
    assert names(events) == ["before_save"] * 2
    Receipt.objects.filter(amount__gte=0).update(amount=5)
    assert names(events) == ["after_load", "before_save"] * 2 + ["after_save"] * 2
    Receipt.objects.bulk_delete(several[:1], force=True)
    Receipt.objects.all().delete(all=True)
    assert names(events) == ["before_delete", "after_delete", "after_load", "before_delete", "after_delete"]


def test_hooks_after_what_others_did_are_not_run(events: list[tuple[str, str]]) -> None:
    Receipt.objects.create(id="r1")
    mine, theirs = Receipt.objects.get(id="r1"), Receipt.objects.get(id="r1")
    theirs.amount = 2
    theirs.save()
    mine.amount = 3
    events.clear()
    mine.save(on_conflict="theirs")
    assert names(events) == ["before_save"]
    theirs.delete()
    events.clear()
    mine.delete(missing_ok=True)
    assert names(events) == ["before_delete"]


@pytest.mark.parametrize(
    ("event", "statuses", "count"),
    [("before_save", ["failed"], 0), ("after_save", ["created", "created"], 2)],
)
def test_a_hook_that_breaks_off_bulk_work_leaves_a_true_report(
    events: list[tuple[str, str]], event: str, statuses: list[str], count: int
) -> None:
    def produce() -> Any:
        yield Receipt(id="r1")
        if event == "before_save":
            Receipt.broken.add(event)
        yield Receipt(id="r2")

    if event == "after_save":
        Receipt.broken.add(event)
    with pytest.raises(BulkError, match=f"broken off by LookupError: {event};") as caught:
        Receipt.objects.bulk_create(produce())
    assert [outcome.status for outcome in caught.value.report] == statuses
    Receipt.broken.clear()
    assert Receipt.objects.count() == count
