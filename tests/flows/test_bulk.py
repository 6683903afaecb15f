import pytest

from kintomodel.errors import Conflict, ConnectionFailed, PayloadTooLarge, UnreadableResponse
from kintomodel.flows import bulk
from kintomodel.protocol import operations
from kintomodel.protocol.changes import Write
from kintomodel.protocol.objects import Response

from ..playing import BROKEN, FORBIDDEN, LOST, MISSING, conflict, ok, play, stored

CREATE = Write(operations.create("/r/1", {"n": 1}), {"n": 1})
UPDATE = Write(operations.update("/r/2", {"n": 2}, last_modified=900), {"n": 2})
DELETE = Write(operations.delete("/r/3", last_modified=900))
READ = Write(operations.read("/r/4"))
ALL = [CREATE, UPDATE, DELETE, READ]
LOOKS = [operations.read(f"/r/{number}") for number in (1, 2, 3)]
DATA = [{"id": str(at), "last_modified": 1000, "n": at} for at in (1, 2, 3, 4)]


def test_nothing_asks_for_nothing():
    assert play(bulk.run([])) == ([], [])


def test_each_result_comes_from_one_request_in_order():
    results, asked = play(bulk.run(ALL), [ok(one) for one in DATA])
    assert [asked[0].path, len(asked)] == ["/batch", 1]
    assert [getattr(one, "id", one) for one in results] == ["1", "2", 1000, "4"]


def test_a_refusal_is_the_result_of_its_own_request():
    answers = [ok(DATA[0]), Response(412), Response(404), Response(403)]
    results, _ = play(bulk.run(ALL), answers)
    assert results[0].id == "1"
    assert [type(one).__name__ for one in results[1:]] == ["Conflict", "NotFound", "Forbidden"]


def test_a_conflict_with_ourselves_is_found_out():
    """The batch was sent twice: the second time, its first effect was in the way."""
    answers = [Response(412, attempts=2), Response(412, attempts=2)]
    results, asked = play(bulk.run([CREATE, UPDATE]), answers, stored(n=1), stored(900, n=0))
    assert results[0] == stored(n=1)
    assert isinstance(results[1], Conflict)
    assert asked[1:] == LOOKS[:2]


def test_a_deletion_that_was_done_by_the_first_of_two_batches_is_done():
    results, _ = play(bulk.run([DELETE, READ]), [Response(404, attempts=2), ok(DATA[3])])
    assert results == [None, stored(1000, id="4", n=4)]


@pytest.mark.parametrize("loss", [LOST, BROKEN, UnreadableResponse("a page of a proxy", status=200)])
def test_after_a_loss_each_is_looked_at_and_written_if_it_was_not(loss):
    results, asked = play(
        bulk.run(ALL),
        loss,
        stored(n=1),  # was written
        stored(900, n=0), stored(n=2),  # was not
        stored(900), FORBIDDEN,  # was not deleted, and cannot be
        stored(n=4),  # is only read
    )  # fmt: skip
    assert results == [stored(n=1), stored(n=2), FORBIDDEN, stored(n=4)]
    assert asked[1:] == [
        LOOKS[0], LOOKS[1], UPDATE.operation, LOOKS[2], DELETE.operation, READ.operation,
    ]  # fmt: skip


def test_after_a_loss_a_deleted_one_is_done():
    results, _ = play(bulk.run([DELETE, CREATE]), LOST, MISSING, MISSING, stored(n=1))
    assert results == [None, stored(n=1)]


def test_after_a_second_loss_the_rest_is_given_up():
    again = ConnectionFailed("still down")
    results, asked = play(bulk.run(ALL), LOST, stored(n=1), LOST, again, again)
    assert results == [stored(n=1), again, again, again]
    assert len(asked) == 5


def test_one_alone_is_sent_without_a_batch():
    results, asked = play(bulk.run([CREATE]), conflict())
    assert isinstance(results[0], Conflict)
    assert asked == [CREATE.operation]


def test_one_alone_that_the_server_fails_at_is_its_error():
    results, asked = play(bulk.run([CREATE]), BROKEN, MISSING)
    assert results == [BROKEN]
    assert asked == [CREATE.operation, LOOKS[0]]


def test_a_batch_that_is_too_large_is_sent_in_halves():
    too_large = PayloadTooLarge("too much", status=413)
    results, asked = play(
        bulk.run([CREATE, UPDATE, READ]),
        too_large,
        too_large,  # even alone
        [ok(DATA[1]), ok(DATA[3])],
    )
    assert results == [too_large, stored(id="2", n=2), stored(id="4", n=4)]
    assert [asked[1].path, len(asked)] == ["/r/1", 3]


def test_a_batch_that_is_refused_is_the_error_of_each():
    results, _ = play(bulk.run([CREATE, UPDATE]), FORBIDDEN)
    assert results == [FORBIDDEN, FORBIDDEN]
