from typing import Any

import attrs
import pytest

from kintomodel.errors import (
    Conflict,
    ConnectionFailed,
    Forbidden,
    PayloadTooLarge,
    TransportError,
    UnreadableResponse,
)
from kintomodel.flows import bulk
from kintomodel.protocol import batch, operations
from kintomodel.protocol.changes import Write
from kintomodel.protocol.objects import Response
from kintomodel.protocol.operations import Operation

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
    answers = [ok(DATA[0]), Response(412), Response(404, body={"errno": 110}), Response(403)]
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
    results, _ = play(bulk.run([DELETE, READ]), [Response(404, body={"errno": 110}, attempts=2), ok(DATA[3])])
    assert results == [None, stored(1000, id="4", n=4)]


@pytest.mark.parametrize("loss", [LOST, BROKEN, UnreadableResponse("a page of a proxy", status=200)])
def test_after_a_loss_each_is_looked_at_and_written_if_it_was_not(loss):
    results, asked = play(
        bulk.run(ALL),
        loss,
        stored(n=1),  # was written
        stored(900, n=0), stored(n=2),  # was not
        stored(900), FORBIDDEN, stored(900),  # was not deleted, and cannot be
        stored(n=4),  # is only read
    )  # fmt: skip
    assert results == [stored(n=1), stored(n=2), FORBIDDEN, stored(n=4)]
    assert asked[1:] == [
        LOOKS[0], LOOKS[1], UPDATE.operation, LOOKS[2], DELETE.operation, LOOKS[2], READ.operation,
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
        [ok(DATA[0]), ok(DATA[1])],
        too_large,  # even alone
    )
    assert results == [stored(id="1", n=1), stored(id="2", n=2), too_large]
    assert [asked[2].path, len(asked)] == ["/r/4", 3]


def test_a_batch_that_is_refused_is_the_error_of_each():
    results, _ = play(bulk.run([CREATE, UPDATE]), FORBIDDEN)
    assert results == [FORBIDDEN, FORBIDDEN]


def test_a_batch_that_is_refused_after_it_was_lost_may_have_been_accepted():
    refused = Forbidden("no", status=403, attempts=2)
    was_not = stored(900, n=0)
    results, asked = play(bulk.run([CREATE, UPDATE]), refused, stored(n=1), was_not, FORBIDDEN, was_not)
    assert results == [stored(n=1), FORBIDDEN]
    assert asked[1:] == [LOOKS[0], LOOKS[1], UPDATE.operation, LOOKS[1]]


def test_what_is_refused_after_a_loss_and_cannot_be_looked_at_is_in_doubt_alone():
    """Such as with a token that is no longer valid, or where we may only create."""
    again = [FORBIDDEN, FORBIDDEN, FORBIDDEN]  # looked at, written, looked at
    results, _ = play(bulk.run([CREATE, UPDATE]), LOST, *again, stored(n=2))
    assert "may have been carried out all the same" in str(results[0])
    assert (type(results[0]), results[1].data["n"]) == (TransportError, 2)


def test_what_is_repeated_after_a_loss_may_be_in_its_own_way():
    """The first time it was still under way when it was looked for."""
    results, asked = play(bulk.run([CREATE]), LOST, MISSING, conflict(1), stored(n=1))
    assert results == [stored(n=1)]
    assert asked == [CREATE.operation, LOOKS[0], CREATE.operation, LOOKS[0]]


class Colliding:
    """Answers batches as PostgreSQL does: a 409 takes back what came before it in its batch.

    fates: what becomes of each request, in the order in which they come: a 409, another status, or done.
    """

    def __init__(self, *fates: int) -> None:
        self.fates = list(fates)
        self.done: list[str] = []
        self.sizes: list[int] = []
        self.waits: list[int] = []

    def run(self, flow: Any) -> list[Any]:
        try:
            step = next(flow)
            while True:
                step = flow.send(batch.batch([]).read(Response(200, body={"responses": self.answers(step)})))
        except StopIteration as end:
            return end.value

    def answers(self, operation: Operation[Any]) -> list[dict[str, Any]]:
        assert operation.path == "/batch"
        requests = operation.body["requests"]
        self.sizes.append(len(requests))
        self.waits.append(operation.after_failures)
        answers, kept = [], len(self.done)
        for request in requests:
            status = self.fates.pop(0) if self.fates else 200
            id = request["path"].rpartition("/")[2]
            if status == 409:
                del self.done[kept:]
            elif status == 200:
                self.done.append(id)
            answers.append({"status": status, "body": {"data": {"id": id, "last_modified": 1000}}})
        return answers


def creations(number: int) -> list[Write]:
    return [Write(operations.create(f"/r/{at}", {"n": 1}), {"n": 1}) for at in range(number)]


def ids(results: list[Any]) -> list[str]:
    return [one.id for one in results]


def test_what_was_taken_back_is_sent_again_and_what_came_after_it_was_done():
    server = Colliding(200, 409)
    results = server.run(bulk.run(creations(25)))
    assert ids(results) == [str(at) for at in range(25)]
    assert sorted(server.done, key=int) == ids(results)
    assert (server.sizes, server.waits) == ([25, 2], [0, 1])


def test_a_batch_whose_last_one_always_meets_others_is_halved_until_it_is_alone():
    """The others are not held up by it, and it is given up in the end."""

    class Taken(Colliding):
        def answers(self, operation: Operation[Any]) -> list[dict[str, Any]]:
            several = operation.body["requests"]
            self.fates = [409 if one["path"] == "/r/24" else 200 for one in several]
            return super().answers(operation)

    server = Taken()
    results = server.run(bulk.run(creations(25)))
    assert ids(results[:24]) == sorted(server.done, key=int) == [str(at) for at in range(24)]
    assert (type(results[24]), results[24].status) == (Conflict, 409)
    assert server.sizes == [25, 13, 12, 6, 6, 3, 3, 2, 1, 1, 1, 1, 1]
    assert server.waits == [0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 4, 4]


def test_what_always_meets_others_is_given_up_after_some_rounds():
    server = Colliding(*[409] * 10_000)
    results = server.run(bulk.run(creations(100)))
    assert {(type(one), one.status) for one in results} == {(Conflict, 409)}
    assert len(server.sizes) < 100 * (bulk.ROUNDS - 4)
    assert server.sizes.count(1) >= 100


def test_a_batch_that_is_refused_with_a_409_itself_is_halved_too():
    refused = Conflict("no", status=409)
    results, asked = play(bulk.run([CREATE, UPDATE]), refused, [ok(DATA[0])], [ok(DATA[1])])
    assert results == [stored(id="1", n=1), stored(id="2", n=2)]
    assert [one.path for one in asked] == ["/batch"] * 3


def test_what_was_refused_for_lack_of_what_was_taken_back_is_sent_again_after_it():
    """Such as a record whose collection was to be created before it, in the same batch."""
    server = Colliding(409, 404, 403)
    results = server.run(bulk.run(creations(4)))
    assert ids(results) == ["0", "1", "2", "3"]
    assert (server.done, server.sizes) == (["3", "0", "1", "2"], [4, 2, 1])


def test_what_was_lost_before_it_met_others_may_be_in_its_own_way():
    """The batch came through twice: the first time late, so that the second one met it."""
    answers = [Response(409, attempts=2), ok(DATA[1])]
    results, asked = play(bulk.run([CREATE, UPDATE]), answers, [Response(412)], stored(n=1))
    assert results == [stored(n=1), stored(id="2", n=2)]
    assert asked[2:] == [LOOKS[0]]


def test_one_that_no_batch_takes_is_sent_on_its_own_again():
    alone = Write(operations.create("/r/batch", {"n": 1}), {"n": 1})
    results, asked = play(bulk.run([alone]), Conflict("met others", status=409), stored(n=1))
    assert results == [stored(n=1)]
    assert asked == [alone.operation, attrs.evolve(alone.operation, after_failures=1)]
