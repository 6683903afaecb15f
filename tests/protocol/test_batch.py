import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintomodel.errors import (
    BadRequest,
    Conflict,
    NotFound,
    PayloadTooLarge,
    TransportError,
    UnreadableResponse,
)
from kintomodel.protocol import batch, operations
from kintomodel.protocol.objects import Response, StoredObject

from ..playing import play


def read(id):
    return operations.read(f"/buckets/b/collections/c/records/{id}")


def create(id):
    return operations.create(f"/buckets/b/collections/c/records/{id}", {"n": 1})


def shown(id):
    return {"data": {"id": id, "last_modified": 1}}


def answered(*several):
    """The answer to a batch: (status, body) pairs."""
    return Response(200, body={"responses": [{"status": status, "body": body} for status, body in several]})


def performed(flow, *answers):
    """What the flow asked for, and its result. answers: a result to send, or an error to throw."""
    asked = []
    step = next(flow, None)
    try:
        for answer in answers:
            asked.append(step)
            step = flow.throw(answer) if isinstance(answer, Exception) else flow.send(answer)
    except StopIteration as end:
        return asked, end.value
    raise AssertionError(f"not at its end, but at {step}")


@given(st.lists(st.integers()), st.integers(1, 30))
def test_chunks_hold_all_in_order(items, size):
    found = list(batch.chunks(items, size))
    assert [item for chunk in found for item in chunk] == items
    assert all(len(chunk) == size for chunk in found[:-1])
    assert all(1 <= len(chunk) <= size for chunk in found)


def test_chunks_are_read_as_they_are_wanted():
    items = iter(range(10))
    assert next(batch.chunks(items, 4)) == [0, 1, 2, 3]
    assert next(items) == 4


def test_a_batch_holds_the_requests_as_they_would_be_sent_alone():
    listing = operations.list_page("/buckets", {"_sort": "id", "eq_a": '"b&c"'})
    made = batch.batch([create("r1"), listing, operations.delete("/buckets/b")])
    assert (made.method, made.path, made.headers) == ("POST", "/batch", {})
    assert made.body == {
        "requests": [
            {
                "method": "PUT",
                "path": "/buckets/b/collections/c/records/r1",
                "headers": {"If-None-Match": "*"},
                "body": {"data": {"n": 1}},
            },
            {"method": "GET", "path": "/buckets?_sort=id&eq_a=%22b%26c%22"},
            {"method": "DELETE", "path": "/buckets/b"},
        ]
    }


def test_equal_batches_are_equal():
    assert batch.batch([read("a")]) == batch.batch([read("a")])


def test_a_batch_may_be_repeated_if_each_of_its_requests_may():
    post = operations.Operation("POST", "/buckets", operations.responses.stored_object)
    assert batch.batch([create("a"), read("b")]).is_repeatable
    assert not batch.batch([create("a"), post]).is_repeatable


def test_a_batch_waits_as_long_as_the_one_of_its_requests_that_failed_most_often():
    several = [attrs.evolve(create("a"), after_failures=failures) for failures in (1, 3, 0)]
    assert [batch.batch(several).after_failures, batch.batch([]).after_failures] == [3, 0]


def test_one_alone_can_be_sent_in_a_batch_as_well():
    results, asked = play(batch.together([create("a")]), [Response(409)])
    assert [asked[0].path, results[0].status] == ["/batch", 409]


def test_each_answer_is_given_with_its_headers_and_the_attempts_of_the_batch():
    one = {"status": 200, "headers": {"ETag": '"12"'}, "body": {"data": []}}
    response = Response(200, {}, {"responses": [one, {"status": 404}]}, attempts=2)
    assert batch.batch([read("a"), read("b")]).read(response) == [
        Response(200, {"etag": '"12"'}, {"data": []}, attempts=2),
        Response(404, attempts=2),
    ]


def test_what_a_later_409_takes_back_was_not_written():
    response = answered((201, shown("a")), (412, {}), (409, {}), (201, shown("d")))
    answers = batch.batch([create(id) for id in "abcd"]).read(response)
    assert [answer.status for answer in answers] == [409, 412, 409, 201]
    assert "rolled back with a later request" in answers[0].body["message"]


ODD = [None, [], {}, {"responses": None}, {"responses": {}}, {"responses": [None]}, {"responses": [{}]}]
ODD += [{"responses": [{"status": 200, "headers": None}]}, {"responses": [{"status": "200"}]}]


@pytest.mark.parametrize("body", ODD)
def test_what_is_no_answer_to_a_batch_is_refused(body):
    with pytest.raises(UnreadableResponse, match=r"^POST /batch: 200, "):
        batch.batch([read("a")]).read(Response(200, body=body))


@pytest.mark.parametrize(
    ("path", "batchable"),
    [
        ("/buckets/b", True),
        ("/buckets/batch", False),
        ("/buckets/b/collections/batches", False),
        ("/buckets/b/collections/c/records/batch1", False),
        ("/buckets/a-batch", True),
    ],
)
def test_kinto_takes_some_paths_for_a_recursion(path, batchable):
    assert batch.is_batchable(operations.read(path)) is batchable


def test_what_may_be_answered_304_is_not_batchable():
    assert batch.is_batchable(operations.list_if_changed("/buckets"))
    assert not batch.is_batchable(operations.list_if_changed("/buckets", since=1))


def test_nothing_to_do_sends_nothing():
    with pytest.raises(StopIteration) as end:
        next(batch.run([]))
    assert end.value.value == []


def test_one_operation_is_sent_alone():
    asked, results = performed(batch.run([read("a")]), StoredObject(shown("a")["data"]))
    assert asked == [read("a")]
    assert results == [StoredObject(shown("a")["data"])]


def test_a_refusal_of_one_operation_is_its_result():
    error = NotFound("no", status=404)
    assert performed(batch.run([read("a")]), error) == ([read("a")], [error])


def test_each_result_is_a_value_or_a_refusal():
    several = [read("a"), read("b")]
    answers = [Response(200, body=shown("a")), Response(404, body={"errno": 110}, attempts=3)]
    asked, (first, second) = performed(batch.run(several), answers)
    assert asked == [batch.batch(several)]
    assert first == StoredObject(shown("a")["data"])
    assert isinstance(second, NotFound)
    assert (second.path, second.attempts) == (several[1].path, 3)


def test_what_was_rolled_back_is_a_conflict():
    several = [create("a"), create("b")]
    answers = batch.batch(several).read(answered((201, shown("a")), (409, {})))
    _, results = performed(batch.run(several), answers)
    assert [type(result) for result in results] == [Conflict, Conflict]


def test_what_a_batch_cannot_take_is_sent_alone_when_its_turn_comes():
    several = [read("a"), read("b"), read("batch1"), read("c"), read("batch2")]
    refused = NotFound("no", status=404)
    asked, results = performed(
        batch.run(several),
        [Response(200, body=shown("a")), Response(200, body=shown("b"))],
        StoredObject(shown("batch1")["data"]),
        StoredObject(shown("c")["data"]),
        refused,
    )
    assert asked == [batch.batch(several[:2]), *several[2:]]
    assert results == [*(StoredObject(shown(id)["data"]) for id in ("a", "b", "batch1", "c")), refused]


def test_a_batch_of_one_is_sent_alone():
    value = StoredObject(shown("a")["data"])
    asked, _ = performed(batch.run([read("a"), read("batch1")]), value, value)
    assert asked == [read("a"), read("batch1")]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_as_many_answers_as_requests_must_come(count):
    with pytest.raises(UnreadableResponse, match=rf"^POST /batch: 2 requests got {count} answers"):
        performed(batch.run([read("a"), read("b")]), [Response(200, body=shown("a"))] * count)


@pytest.mark.parametrize("error", [BadRequest("no", status=400), TransportError("lost")])
def test_a_batch_that_fails_as_a_whole_raises(error):
    with pytest.raises(type(error)):
        play(batch.run([read("a"), read("b")]), error)


def test_a_batch_with_more_requests_than_the_server_takes_is_too_large():
    details = [{"name": "requests", "location": None, "description": "Number of requests is limited to 1"}]
    refused = BadRequest("POST /batch: 400", status=400, method="POST", path="/batch", details=details)
    with pytest.raises(
        PayloadTooLarge, match=r"^POST /batch: 2 requests are more than the server takes: "
    ) as at:
        play(batch.run([read("a"), read("b")]), refused)
    assert (at.value.status, at.value.path) == (400, "/batch")


@pytest.mark.parametrize(
    ("path", "details"),
    [("/batch", None), ("/batch", ["requests", {"name": "data"}]), ("/b/r", [{"name": "requests"}])],
)
def test_other_refusals_are_not_about_the_number_of_requests(path, details):
    assert not batch.has_too_many(BadRequest("no", status=400, path=path, details=details))
