import pytest

from kintomodel.errors import BadRequest, Conflict, Forbidden, NotFound
from kintomodel.flows.completing import Completion
from kintomodel.protocol.objects import Response, StoredObject
from kintomodel.protocol.operations import Raised
from kintomodel.query.conditions import EVERYTHING, Comparison

RECORDS = "/buckets/shop/collections/things/records"
GONE = Response(404, body={"errno": 110})
NO_COLLECTION = Response(404, body={"errno": 111, "details": {"resource_name": "collection"}})
NO_BATCHES = BadRequest("no", status=405, method="POST", path="/batch")


def thing(id, at=1, **data):
    return {"id": id, "last_modified": at, **data}


def answer(id, at=1, permissions=("alice",), **data):
    shown = {"permissions": {"write": list(permissions)}} if permissions else {}
    return Response(200, body={"data": thing(id, at, **data), **shown})


def completed(listed, answers, condition=EVERYTHING, completion=None):
    """What is asked, and what is found. answers: of Kinto; errors are raised."""
    flow = (completion or Completion(RECORDS, condition)).with_permissions(listed)
    asked, left = [], iter(answers)
    try:
        step = next(flow)
        while True:
            asked.append(step)
            one = next(left)
            step = flow.send(Raised(one) if isinstance(one, Exception) else step.parse(one))
    except StopIteration as end:
        assert next(left, None) is None
        return asked, end.value


def batch_of(*answers):
    parts = [{"status": one.status, "headers": {}, "body": one.body} for one in answers]
    return Response(200, body={"responses": parts})


def ids(found):
    return [one.id for one in found]


def paths(operation):
    return [part["path"] for part in operation.body["requests"]]


def test_each_object_comes_with_its_permissions():
    answers = [batch_of(answer("a", n=1), answer("b", permissions=()))]
    asked, found = completed([thing("a", n=1), thing("b")], answers)
    assert found == [StoredObject(thing("a", n=1), {"write": ("alice",)}), StoredObject(thing("b"))]
    assert [paths(one) for one in asked] == [[f"{RECORDS}/a", f"{RECORDS}/b"]]


def test_one_alone_needs_no_batch():
    asked, found = completed([thing("c")], [answer("c")])
    assert [str(one) for one in asked] == [f"GET {RECORDS}/c"]
    assert ids(found) == ["c"]


def test_one_that_was_written_since_comes_as_it_is_now_if_it_still_matches():
    condition = Comparison(("n",), "ge", 5)
    listed = [thing("a", n=5), thing("b", n=5), thing("c", n=5)]
    answers = [batch_of(answer("a", at=2, n=6), answer("b", at=2, n=4), answer("c", n=5))]
    _, found = completed(listed, answers, condition)
    assert [one.data for one in found] == [thing("a", at=2, n=6), thing("c", n=5)]


def test_one_that_is_gone_is_left_out():
    _, found = completed([thing("a"), thing("b")], [batch_of(GONE, answer("b"))])
    assert ids(found) == ["b"]


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (NO_COLLECTION, NotFound),
        (Response(403, body={"errno": 121}), Forbidden),
    ],
)
def test_other_refusals_are_raised(refusal, error):
    with pytest.raises(error):
        completed([thing("a"), thing("b")], [batch_of(answer("a"), refusal)])


def test_where_there_are_no_batches_each_is_asked_for_alone():
    completion = Completion(RECORDS, EVERYTHING)
    listed, answers = [thing("a"), thing("b")], [answer("a"), answer("b")]
    asked, found = completed(listed, [NO_BATCHES, *answers], completion=completion)
    assert ids(found) == ["a", "b"]
    assert [one.method for one in asked] == ["POST", "GET", "GET"]
    asked, found = completed(listed, answers, completion=completion)
    assert ids(found) == ["a", "b"]
    assert [one.method for one in asked] == ["GET", "GET"]


@pytest.mark.parametrize(
    "error", [BadRequest("no", status=400, method="POST", path="/batch"), Conflict("no", status=409)]
)
def test_a_batch_that_is_refused_otherwise_is_an_error(error):
    with pytest.raises(type(error)):
        completed([thing("a"), thing("b")], [error])


def test_a_path_that_no_batch_takes_is_asked_for_alone():
    answers = [answer("batch1"), batch_of(answer("a"), answer("b"))]
    asked, found = completed([thing("batch1"), thing("a"), thing("b")], answers)
    assert ids(found) == ["batch1", "a", "b"]
    assert [one.method for one in asked] == ["GET", "POST"]
