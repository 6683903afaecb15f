import pickle

import pytest

from kintomodel.errors import (
    BadRequest,
    BulkError,
    Conflict,
    Forbidden,
    KintoError,
    NotFound,
    PermissionsNotVisible,
    ServerError,
    Timeout,
    Unauthorized,
    ValidationError,
)
from kintomodel.protocol.report import FAILURES, Outcome, Report, failure


def report():
    return Report(
        (
            Outcome("created", "a", 0),
            Outcome("updated", "b", 1),
            Outcome("unchanged", "c", 2),
            Outcome("deleted", "d", 3),
            failure("e", 4, Conflict("somebody\nwas faster", status=412)),
            failure("f", 5, ValidationError("bad")),
            failure("g", 6, Forbidden("no", status=403)),
            failure("h", 7, NotFound("gone", status=404)),
            failure("i", 8, Timeout("late")),
        )
    )


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Conflict("x", status=412), "conflict"),
        (ValidationError("x"), "invalid"),
        (BadRequest("x", status=400), "invalid"),
        (BadRequest("x", status=405), "failed"),
        (Forbidden("x", status=403), "forbidden"),
        (Unauthorized("x", status=401), "forbidden"),
        (PermissionsNotVisible("x"), "forbidden"),
        (NotFound("x", status=404), "missing"),
        (ServerError("x", status=500), "failed"),
        (Timeout("x"), "failed"),
    ],
)
def test_an_error_stands_for_a_status(error: KintoError, status: str):
    outcome = failure("a", 3, error)
    assert (outcome.status, outcome.position, outcome.message) == (status, 3, "x")
    assert outcome.is_failure


@pytest.mark.parametrize(
    ("name", "objects"),
    [
        ("created", "a"), ("updated", "b"), ("unchanged", "c"), ("deleted", "d"), ("conflicts", "e"),
        ("invalid", "f"), ("forbidden", "g"), ("missing", "h"), ("failed", "i"), ("failures", "efghi"),
    ],
)  # fmt: skip
def test_outcomes_are_sorted_by_what_happened(name: str, objects: str):
    assert [outcome.object for outcome in getattr(report(), name)] == list(objects)


def test_it_is_a_collection_of_outcomes_in_order():
    assert len(report()) == 9
    assert [outcome.position for outcome in report()] == list(range(9))
    assert {outcome.status for outcome in report() if outcome.is_failure} == FAILURES


def test_failures_are_raised_as_one_error_with_the_report():
    whole = report()
    with pytest.raises(BulkError, match=r"5 of 9 failed \(1 conflict, 1 invalid, .*first is \[4\]") as caught:
        whole.raise_for_failures()
    assert caught.value.report is whole
    Report((Outcome("created", "a", 0),)).raise_for_failures()
    Report(()).raise_for_failures()


def test_its_repr_fits_on_one_screen():
    lines = repr(report()).splitlines()
    assert lines[0].startswith("<Report of 9: 1 created, 1 updated, 1 unchanged, 1 deleted, 1 conflict")
    assert lines[1] == "  [4] conflict: 'e': somebody was faster"
    many = Report(tuple(failure("x" * 500, at, ValidationError("y")) for at in range(1000)))
    assert len(repr(many).splitlines()) == 12
    assert max(map(len, repr(many).splitlines())) < 100
    assert repr(many).endswith("... and 990 more failures")
    assert repr(Report()) == "<Report of 0: nothing to do>"
    assert str(Outcome("created", "a", 0)) == "[0] created: 'a'"


def test_why_it_failed_is_never_cut_off():
    why = "PUT /buckets/payments/collections/receipts/records/a: 404 Not Found: " + "y" * 500
    cut = failure("x" * 500, 0, NotFound(why, status=404))
    by_id = failure("x" * 500, 0, NotFound(why, status=404), "a")
    assert str(cut) == f"[0] missing: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...: {why}"
    assert str(by_id) == f"[0] missing: a: {why}"
    for outcome in (cut, by_id):
        assert why in repr(Report((outcome,)))
        assert why in Report((outcome,))._repr_html_()
        with pytest.raises(BulkError, match=why):
            Report((outcome,)).raise_for_failures()


def test_what_was_not_kept_is_shown_by_its_id():
    unread = failure(None, 3, ValidationError("a: amount: missing"), "a")
    assert str(unread) == "[3] invalid: a: a: amount: missing"
    assert "<td>a</td><td>a: amount: missing</td>" in Report((unread,))._repr_html_()


def test_its_html_is_escaped():
    html = Report((failure("<b>", 0, ValidationError("<script>")),))._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "<table>" in html
    assert "<table>" not in Report()._repr_html_()
    many = Report(tuple(failure("x", at, ValidationError("y")) for at in range(12)))
    assert many._repr_html_().endswith("<p>... and 2 more failures</p>")


def test_it_survives_pickling():
    assert len(pickle.loads(pickle.dumps(report())).failures) == 5
