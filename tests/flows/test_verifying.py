"""Writes under a lock: one batch, and one to look again."""

from kintomodel.errors import Conflict, PayloadTooLarge
from kintomodel.flows import verifying
from kintomodel.protocol import operations
from kintomodel.protocol.changes import Write

from ..playing import ok, play, stored

RECORDS = "/buckets/b/collections/c/records"
UPDATE = Write(operations.update(f"{RECORDS}/r", {"n": 2}, last_modified=900), {"n": 2, "m": 1})


def test_the_lock_is_created_before_the_writes_and_deleted_after_them():
    gone = ok({"id": "kintomodel-lock", "last_modified": 1001, "deleted": True})
    answers = [ok({"id": "kintomodel-lock", "last_modified": 999}), ok(stored(n=2).data), gone]
    results, asked = play(verifying.run([UPDATE]), answers, stored(n=2))
    assert results == [stored(n=2)]
    lock = f"{RECORDS}/kintomodel-lock"
    assert [(one["method"], one["path"]) for one in asked[0].body["requests"]] == [
        ("PUT", lock), ("PATCH", f"{RECORDS}/r"), ("DELETE", lock),
    ]  # fmt: skip
    # A schema that takes the record takes the lock.
    assert asked[0].body["requests"][0]["body"] == {"data": {"n": 2, "m": 1}}
    assert asked[1] == operations.read(f"{RECORDS}/r")


def test_what_is_stored_afterwards_decides():
    answers = [
        ok({"id": "kintomodel-lock", "last_modified": 999}),
        ok(stored(n=2).data),
        ok({"last_modified": 1}),
    ]
    (fine,), _ = play(verifying.run([UPDATE]), answers, stored(1002, n=2, more=True))
    (lost,), _ = play(verifying.run([UPDATE]), answers, stored(1002, n=3))
    assert fine == stored(n=2)
    assert isinstance(lost, Conflict)
    assert lost.existing == stored(1002, n=3).data


def test_one_that_is_too_large_is_its_error():
    too_large = PayloadTooLarge("too much", status=413)
    assert play(verifying.run([UPDATE]), too_large)[0] == [too_large]
