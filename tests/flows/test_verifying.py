"""Writes under a lock: one batch, and one to look again."""

import pytest

from kintomodel.errors import Conflict, Forbidden, PayloadTooLarge, TransportError, UsageError
from kintomodel.flows import verifying
from kintomodel.protocol import operations
from kintomodel.protocol.changes import Write
from kintomodel.protocol.objects import Response
from kintomodel.protocol.values import Part

from ..playing import ok, play, stored

RECORDS = "/buckets/b/collections/c/records"
UPDATE = Write(operations.update(f"{RECORDS}/r", {"n": 2}, last_modified=900), {"n": 2, "m": 1})
OTHER = Write(operations.update(f"{RECORDS}/s", {"n": 5}, last_modified=900), {"n": 5})
LOCKED, UNLOCKED = ok({"id": "kintomodel-lock", "last_modified": 999}), ok({"last_modified": 1001})
TAKEN = Response(409)


def test_the_lock_is_created_before_the_writes_and_deleted_after_them():
    gone = ok({"id": "kintomodel-lock", "last_modified": 1001, "deleted": True})
    answers = [LOCKED, LOCKED, ok(stored(n=2).data), gone]
    results, asked = play(verifying.run([UPDATE]), answers, stored(n=2))
    assert results == [stored(n=2)]
    lock = f"{RECORDS}/kintomodel-lock"
    assert [(one["method"], one["path"]) for one in asked[0].body["requests"]] == [
        ("PUT", lock), ("PUT", lock), ("PATCH", f"{RECORDS}/r"), ("DELETE", lock),
    ]  # fmt: skip
    # A schema that takes the record takes the lock.
    assert asked[0].body["requests"][0]["body"] == {"data": {"n": 2, "m": 1}}
    assert asked[1] == operations.read(f"{RECORDS}/r")


def test_what_is_stored_afterwards_decides():
    answers = [LOCKED, LOCKED, ok(stored(n=2).data), UNLOCKED]
    (fine,), _ = play(verifying.run([UPDATE]), answers, stored(1002, n=2, more=True))
    (lost,), _ = play(verifying.run([UPDATE]), answers, stored(1002, n=3))
    assert fine == stored(n=2)
    assert isinstance(lost, Conflict)
    assert lost.existing == stored(1002, n=3).data


def test_one_that_is_too_large_is_its_error():
    too_large = PayloadTooLarge("too much", status=413)
    assert play(verifying.run([UPDATE]), too_large)[0] == [too_large]


def test_a_lock_that_meets_another_one_is_written_again_before_the_first_write():
    answers = [TAKEN, LOCKED, ok(stored(n=2).data), UNLOCKED]
    results, asked = play(verifying.run([UPDATE], look_again=False), answers)
    assert (results, len(asked)) == ([stored(n=2)], 1)


def test_what_was_taken_back_is_written_again_under_a_lock_of_its_own():
    first = [*[TAKEN] * 5, UNLOCKED]
    again = [LOCKED, LOCKED, ok(stored(n=2).data), UNLOCKED]
    other = [LOCKED, LOCKED, ok(stored(n=5).data), UNLOCKED]
    results, asked = play(verifying.run([UPDATE, OTHER], look_again=False), first, again, other)
    assert results == [stored(n=2), stored(n=5)]
    assert [len(one.body["requests"]) for one in asked] == [6, 4, 4]


def test_what_was_written_without_its_lock_is_not_verified():
    """The second transaction of the batch began with the write itself."""
    answers = [LOCKED, TAKEN, ok(stored(n=2).data), LOCKED, ok(stored(n=5).data), UNLOCKED]
    (loose, fine), _ = play(verifying.run([UPDATE, OTHER]), answers, stored(n=5))
    assert isinstance(loose, TransportError)
    assert str(loose).startswith("written, but not verified, as its lock was refused: PUT ")
    assert fine == stored(n=5)


def test_each_lock_has_the_data_of_its_own_write():
    """So a schema that refuses the first write refuses none of the locks of the others."""
    refused = Response(400)
    answers = [refused, refused, refused, LOCKED, ok(stored(n=5).data), UNLOCKED]
    (bad, fine), asked = play(verifying.run([UPDATE, OTHER], look_again=False), answers)
    assert (bad.status, fine) == (400, stored(n=5))
    bodies = [one["body"]["data"] for one in asked[0].body["requests"] if one["method"] == "PUT"]
    assert bodies == [{"n": 2, "m": 1}, {"n": 2, "m": 1}, {"n": 5}]


@pytest.mark.parametrize(
    ("shown", "data"),
    [(stored(n=1, m=1, schema=7), {"n": 2, "m": 1}), (Forbidden("no", status=403), {"n": 2})],
)
def test_the_lock_of_a_part_has_the_rest_of_what_is_stored(shown, data):
    part = UPDATE._replace(expected=Part({"n": 2}))
    answers = [LOCKED, LOCKED, ok(stored(n=2).data), UNLOCKED]
    results, asked = play(verifying.run([part], look_again=False), shown, answers)
    assert results == [stored(n=2)]
    assert asked[0] == operations.read(f"{RECORDS}/r")
    assert asked[1].body["requests"][0]["body"] == {"data": data}


def test_half_of_a_batch_is_for_writes():
    assert [verifying.capacity(size) for size in (4, 5, 25, 100)] == [1, 1, 11, 49]
    with pytest.raises(UsageError, match="verify=True needs batches of 4 requests, and this server takes 3"):
        verifying.capacity(3)
