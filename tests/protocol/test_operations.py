import attrs
import pytest

from kintomodel.errors import NotFound, UnreadableResponse
from kintomodel.protocol import operations, responses
from kintomodel.protocol.objects import Overwritten, Page, Response, StoredObject, Unchanged
from kintomodel.protocol.operations import Operation
from kintomodel.protocol.paths import CollectionPath, RecordPath

PATH = RecordPath("shop", "receipts", "r1")
URL = "/buckets/shop/collections/receipts/records/r1"
RECORDS = CollectionPath("shop", "receipts").records


def stored(method, **others):
    return Operation(method, URL, responses.stored_object, **others)


def test_a_creation_is_a_guarded_put():
    expected = stored("PUT", headers={"If-None-Match": "*"}, body={"data": {"total": 3}})
    assert operations.create(PATH, {"total": 3}) == expected


def test_a_creation_can_carry_permissions():
    created = operations.create(PATH, {}, {"read": ("account:bob",)})
    assert created.body == {"data": {}, "permissions": {"read": ["account:bob"]}}


@pytest.mark.parametrize("permissions", [None, {}])
def test_permissions_that_are_not_named_are_not_sent(permissions):
    assert operations.create(PATH, {}, permissions).body == {"data": {}}


def test_a_permission_can_be_taken_from_everybody():
    assert operations.update(PATH, permissions={"read": []}).body == {"permissions": {"read": []}}


def test_a_replacement_is_a_put():
    expected = stored("PUT", headers={"If-Match": '"1200"'}, body={"data": {"total": 3}})
    assert operations.replace(PATH, {"total": 3}, last_modified=1200) == expected
    assert operations.replace(PATH, {"total": 3}) == attrs.evolve(expected, headers={})


def test_an_update_is_a_patch():
    expected = stored("PATCH", headers={"If-Match": '"1200"'}, body={"data": {"total": 4}})
    assert operations.update(PATH, {"total": 4}, last_modified=1200) == expected


def test_an_update_of_nothing_touches_the_object():
    assert operations.update(PATH) == stored("PATCH", body={})


def test_a_deletion_gives_its_time():
    operation = operations.delete(PATH, last_modified=1200)
    assert operation == Operation("DELETE", URL, responses.deletion, headers={"If-Match": '"1200"'})
    assert operation.read(Response(200, body={"data": {"last_modified": 1300}})) == 1300


def test_an_object_is_read_with_or_without_a_precondition():
    assert operations.read(PATH) == stored("GET")
    assert operations.read(PATH, unless_changed_since=1200) == stored("GET", headers={"If-Match": '"1200"'})


@pytest.mark.parametrize(
    ("status", "attempts", "kind"), [(200, 1, Overwritten), (201, 1, StoredObject), (200, 2, StoredObject)]
)
def test_a_put_tells_if_something_was_there(status, attempts, kind):
    answer = Response(status, body={"data": {"id": "r1", "last_modified": 1}}, attempts=attempts)
    assert type(operations.overwrite(PATH, {"a": 1}).read(answer)) is kind


def test_the_first_moment_of_all_is_a_precondition_too():
    assert operations.if_match(0) == {"If-Match": '"0"'}


def test_a_listing_takes_parameters():
    operation = operations.list_page(RECORDS, {"_limit": "2"}, last_modified=1200)
    assert operation == Operation(
        "GET", RECORDS, responses.page, params={"_limit": "2"}, headers={"If-Match": '"1200"'}
    )
    assert operations.list_page(RECORDS) == Operation("GET", RECORDS, responses.page)


def test_the_next_page_has_the_parameters_that_the_server_gave():
    first = operations.list_page(RECORDS, {"_limit": "2"})
    following = operations.next_page(first, Page((), "_limit=2&_token=a%2Bb%3D&eq_v="))
    assert following == operations.list_page(RECORDS, {"_limit": "2", "_token": "a+b=", "eq_v": ""})


def test_there_is_none_after_the_last_page():
    assert operations.next_page(operations.list_page(RECORDS), Page(())) is None


def test_the_next_page_can_be_guarded():
    following = operations.next_page(operations.list_page(RECORDS), Page((), "a=1"), last_modified=7)
    assert following == operations.list_page(RECORDS, {"a": "1"}, last_modified=7)


def test_the_next_page_of_a_guarded_one_is_guarded():
    following = operations.next_page(operations.list_page(RECORDS, last_modified=7), Page((), "a=1"))
    assert following == operations.list_page(RECORDS, {"a": "1"}, last_modified=7)


def test_a_listing_can_be_asked_for_only_if_it_changed():
    operation = operations.list_if_changed(RECORDS, {"_limit": "2"}, since=1200)
    assert (operation.headers, operation.params) == ({"If-None-Match": '"1200"'}, {"_limit": "2"})
    assert operation.read(Response(304)) == Unchanged()
    assert operation.read(Response(200, {"etag": '"1300"'}, {"data": []})) == Page((), None, 1300)


def test_where_no_condition_was_sent_an_unchanged_listing_is_no_answer():
    operation = operations.list_if_changed(RECORDS)
    assert (operation.headers, operation.params) == ({}, {})
    for one in (operation, operations.list_page(RECORDS)):
        with pytest.raises(UnreadableResponse, match="304"):
            one.read(Response(304))


def test_a_count_has_no_body_to_read():
    assert operations.count(RECORDS) == Operation("HEAD", RECORDS, responses.total)
    assert operations.count(RECORDS, {"eq_a": "1"}).params == {"eq_a": "1"}


def test_a_deletion_of_many_shows_what_it_deleted():
    assert operations.delete_page(RECORDS) == Operation("DELETE", RECORDS, responses.page)
    assert operations.delete_page(RECORDS, {"eq_a": "1"}).params == {"eq_a": "1"}


def test_the_server_is_asked_about_itself():
    assert operations.server_info() == Operation("GET", "/", responses.server_info)
    assert operations.heartbeat() == Operation("GET", "/__heartbeat__", responses.json_object)


def test_an_operation_reads_its_own_answer():
    response = Response(200, body={"data": {"id": "r1", "last_modified": 1}})
    assert operations.read(PATH).read(response) == StoredObject({"id": "r1", "last_modified": 1})


def test_a_refusal_is_raised():
    with pytest.raises(NotFound, match=f"^GET {URL}: 404 "):
        operations.read(PATH).read(Response(404, body={"errno": 110}))


def test_an_answer_that_cannot_be_read_says_what_was_asked():
    with pytest.raises(UnreadableResponse) as caught:
        operations.read(PATH).read(Response(200, unreadable="<html>", attempts=2))
    error = caught.value
    assert str(error) == (
        f"GET {URL}: 200, expected a JSON object, got '<html>'; is this the URL of a Kinto server?"
    )
    assert (error.status, error.method, error.path, error.attempts) == (200, "GET", URL, 2)


@pytest.mark.parametrize(
    ("method", "reads", "repeatable"),
    [
        ("GET", True, True),
        ("HEAD", True, True),
        ("PUT", False, True),
        ("PATCH", False, True),
        ("DELETE", False, True),
        ("POST", False, False),
    ],
)
def test_all_but_a_post_may_be_sent_again(method, reads, repeatable):
    operation = stored(method)
    assert (operation.is_read, operation.is_repeatable) == (reads, repeatable)


def test_a_batch_of_what_may_be_sent_again_may_be_so_itself():
    assert stored("POST", has_repeatable_parts=True).is_repeatable


def test_an_operation_is_a_flow_of_one_step():
    def flow():
        return (yield from operations.heartbeat())

    running = flow()
    assert next(running) == operations.heartbeat()
    with pytest.raises(StopIteration) as end:
        running.send({"storage": True})
    assert end.value.value == {"storage": True}


def test_an_operation_can_be_shown():
    operation = operations.update(PATH, {"name": "Zoë"}, last_modified=1200)
    assert str(operation) == f'PATCH {URL}\n  If-Match: "1200"\n  {{"data": {{"name": "Zoë"}}}}'
    assert str(operations.count(RECORDS, {"eq_a": '"b c"'})) == f"HEAD {RECORDS}?eq_a=%22b+c%22"
