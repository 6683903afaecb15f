"""Plan: how it reads, and what apply() makes of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from kintomodel import BulkError, Client, Conflict, ConnectionFailed, Model, Report, UsageError, field
from kintomodel.plans.showing import html, text
from kintomodel.protocol import operations
from kintomodel.protocol.objects import Response
from kintomodel.protocol.operations import Operation
from kintomodel.syncing.comparing import Change
from kintomodel.testing import record

from ..waiting import waits_of


class Note(Model, bucket="payments", collection="receipts"):
    text: str = ""
    tags: list[str] = field(factory=list)
    seen: int = field(default=0, owner="remote")


RECEIPTS = "/buckets/payments/collections/receipts/records"


def store(client: Client, id: str, **data: Any) -> None:
    client.connection.perform(operations.replace(f"{RECEIPTS}/{id}", data))


def remove(client: Client, id: str) -> None:
    client.connection.perform(operations.delete(f"{RECEIPTS}/{id}"))


def stored(client: Client) -> dict[str, Any]:
    listed = client.connection.perform(operations.list_page(RECEIPTS)).objects
    own = ("id", "last_modified")
    return {one["id"]: {key: one[key] for key in one if key not in own} for one in listed}


def stored_by(url: str) -> dict[str, Any]:
    """As another client sees it."""
    with Client(url, ("tester", "secret")) as other:
        return stored(other)


def plan_of_three(client: Client, **options: Any) -> Any:
    """One creation, one update, one deletion."""
    store(client, "old", text="a", tags=[])
    store(client, "gone", text="b")
    source = [{"id": "new", "text": "n"}, {"id": "old", "text": "z"}]
    return Note.objects.sync(source, delete=True, max_delete=1, **options)


def statuses(report: Report[Change]) -> dict[str, str]:
    return {outcome.object.id: outcome.status for outcome in report}


class Meddling:
    """In front of a transport: calls `meddle` before each operation that it is told to."""

    def __init__(self, client: Client, when: Callable[[Operation[Any]], bool], meddle: Callable[[], Any]):
        self._inner = client.connection.transport
        self._when = when
        self._meddle = meddle
        client.connection.transport = self

    def send(self, operation: Operation[Any]) -> Response:
        if self._when(operation):
            self._meddle()
        return self._inner.send(operation)

    def close(self) -> None:
        self._inner.close()


# how it reads


def test_a_plan_is_true_if_there_is_anything_to_do(payments: Client) -> None:
    plan = plan_of_three(payments)
    assert (bool(plan), len(plan)) == (True, 3)
    assert repr(plan) == ("<Plan for payments/receipts: 1 to create, 1 to update, 1 to delete, 0 unchanged>")
    assert repr(plan.changes[1]) == "<update old, text: 'a' -> 'z'>"
    empty = Note.objects.sync([])
    assert (bool(empty), len(empty), empty.unchanged) == (False, 0, 0)
    assert repr(empty) == "<Plan for payments/receipts: nothing to do, 0 unchanged>"


def test_it_prints_as_a_diff(payments: Client, capsys: pytest.CaptureFixture[str]) -> None:
    print(plan_of_three(payments))
    assert capsys.readouterr().out.splitlines() == [
        "1 to create, 1 to update, 1 to delete, 0 unchanged",
        '+ new {"text": "n", "tags": [], "seen": 0}',
        '~ old text: "a" -> "z"',
        "- gone",
    ]
    print(Note.objects.sync([]))
    assert capsys.readouterr().out == "nothing to do, 0 unchanged\n"


@pytest.mark.parametrize(
    ("environment", "in_colours"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_it_is_in_colours_on_a_terminal_that_wants_them(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], in_colours: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    shown = text("1 to delete", [Change("delete", "a")])
    assert shown == ("1 to delete\n\033[31m- a\033[0m" if in_colours else "1 to delete\n- a")


def test_what_is_long_or_does_not_print_is_shown_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    change = Change("update", "a", difference={"text": ("\x9b31m\u2028", "x" * 100)})
    assert text("", [change]).splitlines()[1] == (f'~ a text: "\\u009b31m\\u2028" -> "{"x" * 58}…')
    several = [Change("delete", str(number)) for number in range(1002)]
    assert text("", several).splitlines()[-2:] == [
        "- 999", "... and 2 more; see .creates, .updates, .deletes",
    ]  # fmt: skip


def test_a_notebook_shows_it_as_html(payments: Client) -> None:
    store(payments, "a", text="<b>")
    plan = Note.objects.sync([{"id": "a", "text": "&"}])
    assert plan._repr_html_() == (
        "<p><b>Plan</b>: 1 to update, 0 unchanged</p>"
        "<pre>~ a text: &quot;&lt;b&gt;&quot; -&gt; &quot;&amp;&quot;</pre>"
    )
    assert html("nothing to do", []) == "<p><b>Plan</b>: nothing to do</p>"


def test_it_can_be_kept_as_json(payments: Client) -> None:
    plan = plan_of_three(payments)
    (update,), (delete,) = plan.updates, plan.deletes
    assert json.loads(plan.to_json()) == {
        "creates": [{"id": "new", "data": {"text": "n", "tags": [], "seen": 0}}],
        "updates": [{"id": "old", "last_modified": update.last_modified, "changes": {"text": ["a", "z"]}}],
        "deletes": [{"id": "gone", "last_modified": delete.last_modified}],
        "unchanged": 0,
    }


# apply


def test_each_operation_is_guarded_by_what_the_plan_saw(payments: Client) -> None:
    plan = plan_of_three(payments)
    with record(payments) as sent:
        report = plan.apply()
    assert statuses(report) == {"new": "created", "old": "updated", "gone": "deleted"}
    requests = sent.writes[0].body["requests"]
    assert [one["headers"] for one in requests] == [
        {"If-None-Match": "*"},
        {"If-Match": f'"{plan.updates[0].last_modified}"'},
        {"If-Match": f'"{plan.deletes[0].last_modified}"'},
    ]


def test_a_plan_of_nothing_sends_nothing(payments: Client) -> None:
    plan = Note.objects.sync([])
    with record(payments) as sent:
        assert len(plan.apply(verify=True)) == 0
    assert not len(sent)


def test_progress_is_told_after_each_batch(payments: Client) -> None:
    plan = Note.objects.sync([{"id": f"n{number}"} for number in range(60)])
    told: list[tuple[int, int]] = []
    plan.apply(progress=lambda done, total: told.append((done, total)))
    assert told == [(25, 60), (50, 60), (60, 60)]


def test_an_error_of_progress_keeps_the_report(payments: Client) -> None:
    plan = Note.objects.sync([{"id": f"n{number}"} for number in range(60)])

    def stop(done: int, total: int | None) -> None:
        if done == 50:
            raise LookupError("enough")

    with pytest.raises(BulkError, match=r"^broken off by LookupError: enough; .* the 50 records") as caught:
        plan.apply(progress=stop)
    assert len(caught.value.report.created) == len(caught.value.report) == len(stored(payments)) == 50
    assert isinstance(caught.value.__cause__, LookupError)


def meddle(client: Client) -> None:
    """Somebody else creates, edits and edits."""
    store(client, "new", text="theirs", tags=["t"])
    store(client, "old", text="theirs", tags=["t"], seen=1)
    store(client, "gone", text="theirs")


THEIRS = {"text": "theirs", "tags": ["t"]}


def test_a_conflict_is_reported_with_both_sides(payments: Client) -> None:
    plan = plan_of_three(payments)
    meddle(payments)
    report = plan.apply()
    assert statuses(report) == dict.fromkeys(("new", "old", "gone"), "conflict")
    created, updated, deleted = (outcome.error for outcome in report)
    assert isinstance(updated, Conflict)
    assert (updated.base, updated.mine) == ({"text": "a", "tags": []}, {"text": "z", "tags": []})
    assert updated.theirs == {**THEIRS, "seen": 1}
    assert isinstance(created, Conflict)
    assert (created.base, created.theirs) == (None, THEIRS)
    assert isinstance(deleted, Conflict)
    assert (deleted.mine, deleted.theirs) == (None, {"text": "theirs"})
    assert stored(payments) == {"new": THEIRS, "old": {**THEIRS, "seen": 1}, "gone": {"text": "theirs"}}


def test_what_somebody_else_made_the_same_is_unchanged(payments: Client) -> None:
    plan = plan_of_three(payments)
    store(payments, "new", text="n", tags=[], seen=0)
    store(payments, "old", text="z", tags=[])
    remove(payments, "gone")
    assert statuses(plan.apply()) == dict.fromkeys(("new", "old", "gone"), "unchanged")


def test_mine_is_written_on_what_is_there(payments: Client) -> None:
    plan = plan_of_three(payments, on_conflict="mine")
    meddle(payments)
    report = plan.apply(verify=True)
    assert statuses(report) == {"new": "updated", "old": "updated", "gone": "deleted"}
    assert stored(payments) == {
        "new": {"text": "n", "tags": ["t"]},
        "old": {"text": "z", "tags": ["t"], "seen": 1},
    }


def test_mine_creates_again_what_was_deleted(payments: Client) -> None:
    plan = plan_of_three(payments, on_conflict="mine")
    remove(payments, "old")
    assert statuses(plan.apply())["old"] == "created"
    assert stored(payments)["old"] == {"text": "z", "tags": [], "seen": 0}


def test_theirs_is_left(payments: Client) -> None:
    plan = plan_of_three(payments, on_conflict="theirs")
    meddle(payments)
    report = plan.apply()
    assert statuses(report) == dict.fromkeys(("new", "old", "gone"), "unchanged")
    assert [outcome.error for outcome in report] == [None] * 3
    assert stored(payments)["old"] == {**THEIRS, "seen": 1}


def test_merge_writes_where_both_changed_different_attributes(payments: Client) -> None:
    plan = plan_of_three(payments, on_conflict="merge")
    store(payments, "old", text="a", tags=["t"])
    store(payments, "gone", text="theirs")
    store(payments, "new", text="theirs")
    assert statuses(plan.apply()) == {"new": "conflict", "old": "updated", "gone": "conflict"}
    assert stored(payments)["old"] == {"text": "z", "tags": ["t"]}


class Slip(Model, bucket="payments", collection="receipts"):
    text: str | None = field(default=None, omit_none=True)
    tags: list[str] = field(factory=list)


@pytest.mark.parametrize("side", ["mine", "merge"])
def test_a_key_is_taken_out_of_what_is_there(payments: Client, side: Any) -> None:
    store(payments, "a", text="a", tags=[], unknown=1)
    plan = Slip.objects.sync([{"id": "a", "text": None}], on_conflict=side)
    store(payments, "a", text="a", tags=["t"], unknown=2)
    assert statuses(plan.apply(verify=True)) == {"a": "updated"}
    assert stored(payments) == {"a": {"tags": ["t"], "unknown": 2}}


def test_merge_leaves_a_key_that_is_to_be_taken_out_and_was_edited(payments: Client) -> None:
    store(payments, "a", text="a")
    plan = Slip.objects.sync([{"id": "a", "text": None}], on_conflict="merge")
    store(payments, "a", text="theirs")
    assert statuses(plan.apply()) == {"a": "conflict"}
    assert stored(payments) == {"a": {"text": "theirs"}}


def test_merge_leaves_what_both_changed_or_one_deleted(payments: Client) -> None:
    for meddling in (lambda: store(payments, "old", text="theirs"), lambda: remove(payments, "old")):
        plan = plan_of_three(payments, on_conflict="merge")
        meddling()
        assert statuses(plan.apply())["old"] == "conflict"


def test_nothing_is_left_to_do_where_others_made_it_the_same(payments: Client) -> None:
    plan = plan_of_three(payments, on_conflict="mine")
    store(payments, "old", text="z", tags=["t"])
    store(payments, "new", text="n", tags=[], seen=4)
    assert statuses(plan.apply()) == {"new": "unchanged", "old": "unchanged", "gone": "deleted"}


def test_nothing_is_left_to_merge_where_others_did_the_same_and_more(payments: Client) -> None:
    plan = plan_of_three(payments, on_conflict="merge")
    store(payments, "old", text="z", tags=["t"])
    assert statuses(plan.apply())["old"] == "unchanged"


def test_mine_gives_up_on_somebody_who_writes_all_the_time(payments: Client) -> None:
    waits = waits_of(payments)
    plan = plan_of_three(payments, on_conflict="mine")
    turns = iter(range(1000))
    other = Client(payments.url, ("tester", "secret"))
    Meddling(
        payments,
        lambda operation: not operation.is_read,
        lambda: store(other, "old", text=f"theirs {next(turns)}"),
    )
    report = plan.apply()
    other.close()
    assert statuses(report)["old"] == "conflict"
    assert (next(turns), len(waits)) == (6, 5)


@pytest.mark.parametrize("is_deleted", [True, False])
def test_mine_leaves_a_deletion_that_is_done_or_out_of_scope(payments: Client, is_deleted: bool) -> None:
    plan = plan_of_three(payments, on_conflict="mine", scope={"text__ne": "kept"})
    other = Client(payments.url, ("tester", "secret"))
    store(other, "gone", text="theirs" if is_deleted else "kept")
    if is_deleted:
        Meddling(
            payments,
            lambda operation: operation.method == "GET" and operation.path.endswith("gone"),
            lambda: remove(other, "gone"),
        )
    assert statuses(plan.apply())["gone"] == ("unchanged" if is_deleted else "conflict")
    other.close()


def test_mine_does_not_touch_another_record_that_has_the_id(payments: Client) -> None:
    plan = Note.objects.sync([Note(id="a", text="x")], key="text", on_conflict="mine")
    store(payments, "a", text="y")
    assert statuses(plan.apply()) == {"a": "conflict"}
    assert stored(payments) == {"a": {"text": "y"}}


def test_what_mine_cannot_be_written_on_is_the_outcome(payments: Client) -> None:
    plan = Note.objects.sync([Note(id="a", text="x"), Note(id="b", text="y")], key="text", on_conflict="mine")
    store(payments, "a", text=5)
    report = plan.apply()
    assert statuses(report) == {"a": "invalid", "b": "created"}
    assert "payments/receipts/a: text: expected a string" in report.invalid[0].message


def test_a_refused_look_is_the_outcome(payments: Client) -> None:
    plan = plan_of_three(payments, on_conflict="mine")
    meddle(payments)

    def fail() -> None:
        raise ConnectionFailed("GET: cut")

    Meddling(payments, lambda operation: operation.method == "GET" and operation.path != "/", fail)
    assert statuses(plan.apply()) == dict.fromkeys(("new", "old", "gone"), "failed")


def test_the_rest_is_given_up_once_the_server_is_gone(payments: Client) -> None:
    plan = Note.objects.sync([{"id": f"n{number}"} for number in range(60)])
    payments.connection.batch_size()
    asked = []

    def fail() -> None:
        asked.append(1)
        raise ConnectionFailed("POST /batch: cut")

    Meddling(payments, lambda operation: True, fail)
    report = plan.apply()
    assert len(report.failed) == 60
    assert len(asked) <= 5


def test_what_failed_is_planned_again(payments: Client) -> None:
    plan = plan_of_three(payments)
    meddle(payments)
    with pytest.raises(UsageError, match=r"it is not of bulk work on records, .* anew, such as sync\(\)"):
        plan.apply().retry_failed()


def test_a_missing_collection_is_a_failure_of_each(payments: Client) -> None:
    plan = plan_of_three(payments)
    payments.bucket("payments").delete_collection("receipts")
    assert statuses(plan.apply()) == dict.fromkeys(("new", "old", "gone"), "missing")


def test_verify_reads_what_was_written_once(payments: Client) -> None:
    plan = plan_of_three(payments)
    payments.connection.batch_size()
    with record(payments) as sent:
        plan.apply(verify=True).raise_for_failures()
    assert [operation.path for operation in sent] == ["/batch", RECEIPTS]


@pytest.mark.parametrize("kind", ["create", "update", "delete"])
def test_verify_finds_what_another_made_of_it_at_the_same_time(payments: Client, kind: str) -> None:
    plan = plan_of_three(payments)
    other = Client(payments.url, ("tester", "secret"))
    changes = {
        "create": lambda: remove(other, "new"),
        "update": lambda: store(other, "old", text="theirs"),
        "delete": lambda: store(other, "gone", text="theirs"),
    }
    Meddling(payments, lambda operation: operation.path == RECEIPTS, changes[kind])
    report = plan.apply(verify=True)
    other.close()
    (conflict,) = report.failures
    assert (conflict.object.kind, conflict.status) == (kind, "conflict")
    assert "it is not as it was written" in conflict.message
    assert isinstance(conflict.error, Conflict)
    assert conflict.error.theirs == (None if kind == "create" else {"text": "theirs"})


def test_what_others_wrote_beside_it_is_no_conflict_for_verify(payments: Client) -> None:
    plan = plan_of_three(payments)
    other = Client(payments.url, ("tester", "secret"))

    def write_beside() -> None:
        other.connection.perform(operations.update(f"{RECEIPTS}/old", {"theirs": 1}))

    Meddling(payments, lambda operation: operation.path == RECEIPTS, write_beside)
    plan.apply(verify=True).raise_for_failures()
    other.close()
    assert stored(payments)["old"]["theirs"] == 1


def test_what_cannot_be_verified_has_failed(payments: Client) -> None:
    plan = plan_of_three(payments)

    def fail() -> None:
        raise ConnectionFailed("GET: cut")

    Meddling(payments, lambda operation: operation.path == RECEIPTS, fail)
    assert statuses(plan.apply(verify=True)) == dict.fromkeys(("new", "old", "gone"), "failed")
    assert set(stored_by(payments.url)) == {"new", "old"}


def test_nothing_is_verified_that_was_not_written(payments: Client) -> None:
    plan = plan_of_three(payments)
    meddle(payments)
    with record(payments) as sent:
        plan.apply(verify=True)
    assert RECEIPTS not in [operation.path for operation in sent]


def test_a_dry_run_verifies_what_it_rehearsed(payments: Client) -> None:
    plan = plan_of_three(payments)
    with payments.dry_run() as kept:
        report = plan.apply(verify=True)
        assert statuses(report) == {"new": "created", "old": "updated", "gone": "deleted"}
        assert statuses(plan.apply(verify=True)) == dict.fromkeys(("new", "old", "gone"), "unchanged")
    assert len(kept) == 6
    assert set(stored(payments)) == {"old", "gone"}


def test_a_dry_run_verifies_in_a_collection_of_its_own(payments: Client) -> None:
    with payments.dry_run():
        payments.bucket("payments").create_collection("drafts")
        drafts = Note.objects.using(collection="drafts")
        assert len(drafts.sync([{"id": "a"}, {"id": "b"}]).apply(verify=True).created) == 2
        assert len(drafts.all()) == 2
