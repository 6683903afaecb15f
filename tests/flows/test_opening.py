import pytest

from kintomodel.errors import BadRequest, Conflict, Forbidden, NotFound
from kintomodel.flows import opening
from kintomodel.protocol import changes, operations, probing
from kintomodel.protocol.changes import Write
from kintomodel.protocol.paths import BucketPath, CollectionPath

from ..playing import FORBIDDEN, MISSING, conflict, play, stored

BUCKET = BucketPath("b")
COLLECTION = CollectionPath("b", "c")
CREATE = changes.create(COLLECTION, {"a": 1})


def test_what_is_there_is_read():
    assert play(opening.read(BUCKET), stored()) == (stored(), [operations.read(BUCKET)])


def test_the_probe_of_a_missing_bucket_can_never_write():
    with pytest.raises(NotFound, match="no such bucket"):
        play(opening.read(BUCKET), FORBIDDEN, conflict())
    flow = opening.read(BUCKET)
    next(flow)
    probe = flow.send(operations.Raised(FORBIDDEN))
    assert (probe.method, probe.body, probe.headers) == ("PUT", None, {"If-Match": '"1"'})


@pytest.mark.parametrize(
    "answer", [FORBIDDEN, BadRequest("read-only", status=405), conflict(id="b"), stored()]
)
def test_otherwise_the_server_alone_knows(answer):
    with pytest.raises(Forbidden):
        play(opening.read(BUCKET), FORBIDDEN, answer)


@pytest.mark.parametrize(
    "flow",
    [opening.read(COLLECTION), opening.save(CREATE), opening.delete(Write(operations.delete(COLLECTION)))],
)
def test_of_other_objects_the_bucket_is_asked_for(flow):
    with pytest.raises(NotFound, match="no bucket /buckets/b") as caught:
        play(flow, FORBIDDEN, conflict())
    assert caught.value.errno == probing.MISSING_PARENT


@pytest.mark.parametrize("flow", [opening.save(CREATE), opening.delete(Write(operations.delete(COLLECTION)))])
def test_a_write_that_is_forbidden_stays_so(flow):
    with pytest.raises(Forbidden):
        play(flow, FORBIDDEN, FORBIDDEN)


def test_exists_is_no_for_what_is_missing():
    assert play(opening.exists(COLLECTION), stored())[0] is True
    assert play(opening.exists(COLLECTION), MISSING)[0] is False


def test_an_object_that_is_there_is_read_instead_of_created():
    result, asked = play(opening.create_or_read(CREATE), conflict(), stored(a=2))
    assert result == stored(a=2)
    assert asked == [CREATE.operation, operations.read(COLLECTION)]
    assert play(opening.create_or_read(CREATE), stored(a=1))[0] == stored(a=1)


def test_those_who_may_not_create_read_what_is_there():
    assert play(opening.create_or_read(CREATE), FORBIDDEN, stored(a=2))[0] == stored(a=2)
    with pytest.raises(Forbidden, match=r"^no$"):
        play(opening.create_or_read(CREATE), FORBIDDEN, MISSING)


def test_what_is_there_and_hidden_is_said_to_be():
    with pytest.raises(Forbidden, match="it exists, but you may not see it"):
        play(opening.create_or_read(CREATE), conflict(), FORBIDDEN)


def test_creating_what_is_there_is_a_conflict():
    with pytest.raises(Conflict):
        play(opening.create(CREATE), conflict())
