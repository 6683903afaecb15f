import pytest

from kintomodel.errors import (
    BadRequest,
    Conflict,
    ConnectionFailed,
    Forbidden,
    NotFound,
    ServerError,
    Timeout,
    TransportError,
    Unauthorized,
    UnreadableResponse,
)
from kintomodel.flows import settling
from kintomodel.protocol import operations
from kintomodel.protocol.changes import Lost
from kintomodel.protocol.objects import Overwritten, ServerInfo, StoredObject, User

from ..playing import MISSING, play

PATH = "/buckets/b/collections/c/records/r"
LOST = ConnectionFailed("the answer broke off")
BAD_GATEWAY = ServerError("a proxy lost the server", status=502)


def stored(last_modified=1300, permissions=None, **data):
    return StoredObject({"id": "r", "last_modified": last_modified, **data}, permissions)


def conflict(attempts, existing=None):
    details = None if existing is None else {"existing": existing}
    return Conflict("it changed", status=412, details=details, attempts=attempts)


class Drive:
    """Runs a flow by hand: answers are sent, errors are thrown."""

    def __init__(self, flow):
        self.flow = flow
        self.asked = [next(flow)]

    def answer(self, value):
        try:
            step = self.flow.throw(value) if isinstance(value, Exception) else self.flow.send(value)
        except StopIteration as end:
            return end.value
        self.asked.append(step)
        return step


CREATE = operations.create(PATH, {"n": 1})
UPDATE = operations.update(PATH, {"n": 2}, last_modified=1200)
LOOK = operations.read(PATH)


def test_a_write_that_is_answered_is_one_request():
    drive = Drive(settling.write(CREATE, {"n": 1}))
    assert drive.answer(stored(n=1)) == stored(n=1)
    assert drive.asked == [CREATE]


@pytest.mark.parametrize("existing", [None, {"n": 1}])
def test_a_conflict_at_the_first_attempt_is_raised(existing):
    drive = Drive(settling.write(CREATE, {"n": 1}))
    with pytest.raises(Conflict):
        drive.answer(conflict(1, existing))


def test_other_refusals_are_raised():
    with pytest.raises(Forbidden):
        Drive(settling.write(CREATE, {"n": 1})).answer(Forbidden("no", status=403))


@pytest.mark.parametrize("existing", [None, {"id": "r", "last_modified": 1300, "n": 1}])
def test_a_conflict_with_ourselves_is_none(existing):
    drive = Drive(settling.write(CREATE, {"n": 1}))
    assert drive.answer(conflict(2, existing)) == LOOK
    assert drive.answer(stored(n=1)) == stored(n=1)


def test_a_conflict_that_shows_other_data_costs_no_look():
    drive = Drive(settling.write(CREATE, {"n": 1}))
    with pytest.raises(Conflict):
        drive.answer(conflict(2, {"id": "r", "last_modified": 1300, "n": 5}))
    assert drive.asked == [CREATE]


def test_a_conflict_after_which_there_is_other_data_is_raised():
    drive = Drive(settling.write(UPDATE, {"n": 2}))
    assert drive.answer(conflict(2)) == LOOK
    with pytest.raises(Conflict):
        drive.answer(stored(n=7))


@pytest.mark.parametrize("lost", [LOST, Timeout("no answer in time"), BAD_GATEWAY])
def test_a_write_whose_answer_was_lost_is_looked_for(lost):
    drive = Drive(settling.write(UPDATE, {"n": 2, "kept": True}))
    assert drive.answer(lost) == LOOK
    assert drive.answer(stored(n=2, kept=True)) == stored(n=2, kept=True)


def test_a_write_that_postgresql_rolled_back_is_not_looked_for():
    """Somebody else may have written the same."""
    with pytest.raises(ServerError):
        play(settling.write(UPDATE, {"n": 2}), ServerError("no", status=503, errno=201))
    drive = Drive(settling.write(UPDATE, {"n": 2}))
    assert drive.answer(ServerError("no", status=503, errno=201, attempts=2)) == LOOK


def test_a_write_that_did_not_arrive_is_a_lost_one():
    drive = Drive(settling.write(UPDATE, {"n": 2}))
    drive.answer(LOST)
    with pytest.raises(ConnectionFailed) as caught:
        drive.answer(stored(1200, n=1))
    assert caught.value is LOST


def test_the_object_as_it_was_before_is_no_sign_of_a_write():
    # A write of what is there already moves the time all the same.
    drive = Drive(settling.write(operations.update(PATH, {"n": 1}, last_modified=1200), {"n": 1}))
    drive.answer(LOST)
    with pytest.raises(ConnectionFailed):
        drive.answer(stored(1200, n=1))


@pytest.mark.parametrize(
    "second", [NotFound("no", status=404), Timeout("again"), ServerError("oh", status=500)]
)
def test_where_looking_fails_the_first_error_is_raised_alone(second):
    drive = Drive(settling.write(CREATE, {"n": 1}))
    drive.answer(LOST)
    with pytest.raises(ConnectionFailed) as caught:
        drive.answer(second)
    assert caught.value is LOST
    assert caught.value.__suppress_context__


SHARE = operations.update(PATH, permissions={"read": ["account:bob"], "write": []}, last_modified=1200)


@pytest.mark.parametrize(
    ("shown", "done"),
    [
        ({"read": ("account:bob",), "write": ()}, True),
        ({"read": ("account:bob",)}, True),
        ({"read": ("account:bob",), "write": ("account:me", "account:eve")}, False),
        ({"read": ("account:bob", "account:eve"), "write": ("account:me",)}, False),
        ({"write": ("account:me",)}, False),
        (None, False),
    ],
)
def test_permissions_are_compared(shown, done):
    drive = Drive(settling.write(SHARE, {"n": 1}))
    drive.answer(LOST)
    if done:
        assert drive.answer(stored(n=1, permissions=shown)).permissions == shown
    else:
        with pytest.raises(ConnectionFailed):
            drive.answer(stored(n=1, permissions=shown))


def info(user=None, **settings):
    return ServerInfo("26", "1.23", "", settings, {}, user)


ONE_MORE = stored(n=1, permissions={"read": ("account:bob",), "write": ("account:me",)})


def test_one_more_writer_is_the_one_whom_kinto_adds():
    """Or one whom the write was to take away, if it never arrived."""
    drive = Drive(settling.write(SHARE, {"n": 1}))
    drive.answer(LOST)
    assert drive.answer(ONE_MORE) == operations.server_info()
    assert drive.answer(info(User("account:me"))) == ONE_MORE


@pytest.mark.parametrize(
    "answer",
    [info(User("account:you")), info(), info(User("account:me"), explicit_permissions=False), MISSING],
    ids=["another", "anonymous", "nobody is added", "unknown"],
)
def test_one_more_writer_who_is_none_of_us_is_no_sign_of_a_write(answer):
    drive = Drive(settling.write(SHARE, {"n": 1}))
    drive.answer(LOST)
    drive.answer(ONE_MORE)
    with pytest.raises(ConnectionFailed) as caught:
        drive.answer(answer)
    assert caught.value is LOST


DELETE = operations.delete(PATH, last_modified=1200)


def test_a_deletion_that_is_answered_gives_its_time():
    drive = Drive(settling.delete(DELETE))
    assert drive.answer(1300) == 1300
    assert drive.asked == [DELETE]


def test_what_is_not_there_cannot_be_deleted():
    with pytest.raises(NotFound):
        Drive(settling.delete(DELETE)).answer(NotFound("no", status=404))


def test_what_is_gone_at_the_second_attempt_was_deleted_by_the_first():
    assert Drive(settling.delete(DELETE)).answer(NotFound("no", status=404, attempts=2)) is None


@pytest.mark.parametrize("lost", [LOST, BAD_GATEWAY])
def test_a_deletion_whose_answer_was_lost_is_looked_for(lost):
    drive = Drive(settling.delete(DELETE))
    assert drive.answer(lost) == LOOK
    assert drive.answer(NotFound("no", status=404)) is None


BUCKET = operations.delete("/buckets/b", last_modified=1200)
HIDDEN = Forbidden("no", status=403, attempts=2)
NO_BUCKET = Conflict("it changed", status=412)


def test_a_bucket_that_is_gone_at_the_second_attempt_was_deleted_by_the_first():
    """Kinto says 403 of a missing bucket."""
    drive = Drive(settling.delete(BUCKET))
    assert drive.answer(HIDDEN).method == "PUT"
    assert drive.answer(NO_BUCKET) is None


def test_a_bucket_whose_deletion_was_lost_is_looked_for():
    drive = Drive(settling.delete(BUCKET))
    drive.answer(LOST)
    drive.answer(HIDDEN)
    assert drive.answer(NO_BUCKET) is None


def test_a_bucket_that_is_hidden_is_not_deleted():
    drive = Drive(settling.delete(BUCKET))
    drive.answer(HIDDEN)
    with pytest.raises(Forbidden):
        drive.answer(HIDDEN)
    with pytest.raises(Forbidden):
        Drive(settling.delete(BUCKET)).answer(Forbidden("no", status=403))


@pytest.mark.parametrize("found", [stored(1200), Forbidden("no", status=403), Timeout("again")])
def test_a_deletion_that_may_not_have_arrived_is_a_lost_one(found):
    drive = Drive(settling.delete(DELETE))
    drive.answer(LOST)
    with pytest.raises(ConnectionFailed) as caught:
        drive.answer(found)
    assert caught.value is LOST


@pytest.mark.parametrize(
    ("data", "expected", "same"),
    [
        ({"id": "r", "last_modified": 5, "schema": 4, "a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": [{"b": 0.3972399768587515}]}, {"a": [{"b": 0.39723997685875156}]}, True),
        ({"a": [{"b": 0.3972399768587515}]}, {"a": [{"b": 0.4972399768587515}]}, False),
        ({"schema": {"type": "object"}}, {"schema": {}}, False),
        ({"a": 1, "b": None}, {"a": 1}, False),
        ({"a": 1}, {"a": 1, "b": None}, False),
    ],
)
def test_data_is_the_same_but_for_what_the_server_adds(data, expected, same):
    assert settling.same(data, expected) is same


def test_an_answer_that_is_none_of_kintos_tells_nothing():
    page = UnreadableResponse("a page of a proxy", status=200)
    drive = Drive(settling.write(CREATE, {"n": 1}))
    assert drive.answer(page) == LOOK
    assert drive.answer(stored(n=1)) == stored(n=1)
    deletion = Drive(settling.delete(DELETE))
    assert deletion.answer(page) == LOOK
    assert deletion.answer(MISSING) is None


REFUSALS = [
    BadRequest("slow down", status=429, attempts=2),
    Unauthorized("expired", status=401, attempts=2),
    Forbidden("no longer", status=403, attempts=2),
    BadRequest("readonly", status=405, attempts=2),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
def test_a_refusal_of_a_repetition_says_nothing_of_the_first_attempt(refusal):
    drive = Drive(settling.write(CREATE, {"n": 1}))
    assert drive.answer(refusal) == LOOK
    assert drive.answer(stored(n=1)) == stored(n=1)
    drive = Drive(settling.write(UPDATE, {"n": 2}))
    assert drive.answer(refusal) == LOOK
    with pytest.raises(type(refusal)):
        drive.answer(stored(1200, n=1))
    deletion = Drive(settling.delete(DELETE))
    assert deletion.answer(refusal) == LOOK
    assert deletion.answer(MISSING) is None
    deletion = Drive(settling.delete(DELETE))
    deletion.answer(refusal)
    with pytest.raises(type(refusal)):
        deletion.answer(stored(1200))


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
@pytest.mark.parametrize("is_deletion", [False, True])
def test_where_it_cannot_be_looked_at_either_it_is_in_doubt(refusal, is_deletion):
    drive = Drive(settling.delete(DELETE) if is_deletion else settling.write(UPDATE, {"n": 2}))
    drive.answer(refusal)
    with pytest.raises(
        TransportError, match="the first attempt got none, and may have been carried out"
    ) as caught:
        drive.answer(refusal)
    assert settling.is_in_doubt(caught.value)
    assert caught.value.__cause__ is refusal


def test_a_deletion_that_meets_a_change_was_not_done():
    with pytest.raises(Conflict):
        Drive(settling.delete(DELETE)).answer(conflict(2))


def test_a_redirected_write_was_not_done():
    with pytest.raises(UnreadableResponse):
        Drive(settling.write(CREATE, {"n": 1})).answer(UnreadableResponse("moved", status=301))


def test_a_write_to_a_path_that_kinto_does_not_know_was_not_done():
    with pytest.raises(UnreadableResponse):
        Drive(settling.write(CREATE, {"n": 1})).answer(UnreadableResponse("no path", status=404, errno=111))


def test_a_write_that_was_sent_before_may_be_in_its_own_way():
    drive = Drive(settling.write(CREATE, {"n": 1}, is_doubted=True))
    assert drive.answer(conflict(1)) == LOOK
    assert drive.answer(stored(n=1)) == stored(n=1)
    assert Drive(settling.delete(DELETE, is_doubted=True)).answer(MISSING) is None


def test_what_was_sent_before_may_have_found_itself_there():
    there = Overwritten(*stored(n=1))
    assert type(Drive(settling.write(CREATE, {"n": 1})).answer(there)) is Overwritten
    assert type(Drive(settling.write(CREATE, {"n": 1}, is_doubted=True)).answer(there)) is StoredObject


def test_what_a_conflict_shows_will_do_where_the_object_cannot_be_read():
    drive = Drive(settling.write(UPDATE, {"n": 2}))
    assert drive.answer(conflict(2, {"id": "r", "last_modified": 1300, "n": 2})) == LOOK
    assert drive.answer(LOST) == stored(n=2)


def test_it_will_not_do_for_permissions_which_a_conflict_does_not_show():
    shared = operations.update(PATH, {"n": 2}, {"read": ["account:bob"]}, last_modified=1200)
    drive = Drive(settling.write(shared, {"n": 2}))
    drive.answer(conflict(2, {"id": "r", "last_modified": 1300, "n": 2}))
    with pytest.raises(TransportError, match="the first attempt got none, and may have been carried out"):
        drive.answer(LOST)


@pytest.mark.parametrize("status", [409, 412])
def test_a_conflict_that_shows_nothing_is_in_doubt_where_it_cannot_be_looked_at(status):
    refusal = Conflict("they met", status=status, attempts=2)
    drive = Drive(settling.write(UPDATE, {"n": 2}))
    drive.answer(refusal)
    with pytest.raises(TransportError) as caught:
        drive.answer(LOST)
    assert caught.value.__cause__ is refusal


def test_what_a_write_named_is_looked_for_and_nothing_else():
    operation = operations.update(PATH, {"n": 2}, {"write": ["a"]})
    shown = {"read": ("c",), "write": ("a", "us")}
    written = stored(n=2, permissions=shown)
    assert settling.holds(stored(n=2, more=1, permissions={**shown, "read": ()}), operation, written)
    assert not settling.holds(stored(n=3, permissions=shown), operation, written)
    assert not settling.holds(stored(more=1, permissions=shown), operation, written)
    assert not settling.holds(stored(n=2, permissions={"write": ("b",)}), operation, written)
    assert not settling.holds(stored(n=2, permissions={"write": ("a", "us", "b")}), operation, written)
    assert not settling.holds(stored(n=2), operation, written)
    assert settling.holds(stored(n=2), operations.update(PATH, {"n": 2}), stored(n=2))


def test_our_own_write_is_known_unless_somebody_wrote_after_it():
    refusal = conflict(1, {"id": "r", "last_modified": 1300, "n": 1})
    shown = stored(n=1, permissions={"write": ("account:bob", "account:me")})
    lost = Lost({"n": 1}, {"write": ["account:bob"]})
    us, others = info(User("account:me")), info(User("account:you"))
    assert play(settling.own_write(PATH, lost, refusal), shown, us) == (
        shown,
        [LOOK, operations.server_info()],
    )
    assert play(settling.own_write(PATH, lost, refusal), shown, others)[0] is None
    assert play(settling.own_write(PATH, lost, refusal), stored(1400, n=1)) == (None, [LOOK])
    assert play(settling.own_write(PATH, Lost({"n": 2}, {}), refusal)) == (None, [])
