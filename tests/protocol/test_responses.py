import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintomodel import errors
from kintomodel.protocol import responses
from kintomodel.protocol.objects import Body, Page, Response, ServerInfo, StoredObject, Unchanged, User

COLLECTION = {"id": "c", "resource_name": "collection"}
DATE = "Mon, 23 Nov 2026 12:00:01 GMT"


def refusal(status, body=None, **others):
    return responses.refusal(Response(status, {}, body, **others), "PUT", "/buckets/b")


def kintos(code, errno, error, message=None, details=None):
    body = {"code": code, "errno": errno, "error": error}
    return body | ({"message": message} if message else {}) | ({"details": details} if details else {})


@pytest.mark.parametrize(
    ("status", "cls"),
    [
        (301, errors.UnreadableResponse),
        (304, errors.UnreadableResponse),
        (307, errors.UnreadableResponse),
        (400, errors.BadRequest),
        (401, errors.Unauthorized),
        (403, errors.Forbidden),
        (404, errors.UnreadableResponse),
        (405, errors.BadRequest),
        (406, errors.BadRequest),
        (409, errors.Conflict),
        (410, errors.UnreadableResponse),
        (412, errors.Conflict),
        (413, errors.PayloadTooLarge),
        (414, errors.PayloadTooLarge),
        (415, errors.BadRequest),
        (429, errors.BadRequest),
        (431, errors.PayloadTooLarge),
        (500, errors.ServerError),
        (503, errors.ServerError),
        (507, errors.ServerError),
    ],
)
def test_a_status_stands_for_an_error(status, cls):
    assert type(refusal(status)) is cls


@pytest.mark.parametrize(
    ("answer", "cls"),
    [
        (Response(404, body=kintos(404, 110, "Not Found")), errors.NotFound),
        (Response(404, body=kintos(404, 111, "Not Found", details=COLLECTION)), errors.NotFound),
        (Response(404, body=kintos(404, 111, "Not Found", "No resource")), errors.UnreadableResponse),
        (Response(404, body=kintos(404, 111, "Not Found", details=[1])), errors.UnreadableResponse),
        (Response(404, body=kintos(404, 116, "Not Found")), errors.BadRequest),
        (Response(410, body=kintos(410, 202, "Gone")), errors.BadRequest),
        (Response(404, {"content-type": "application/json"}), errors.NotFound),
        (Response(404, {"content-type": "text/html"}), errors.UnreadableResponse),
        (Response(404, {"content-type": "text/html"}, unreadable="<h1>"), errors.UnreadableResponse),
        (
            Response(404, {"content-type": "application/json"}, {"message": "no route"}),
            errors.UnreadableResponse,
        ),
    ],
)
def test_only_kinto_says_that_an_object_is_gone(answer, cls):
    assert type(responses.refusal(answer, "DELETE", "/buckets/b")) is cls


def test_a_refusal_carries_the_facts():
    error = refusal(404, kintos(404, 110, "Not Found", details={"id": "b"}), attempts=2)
    assert error.__dict__ == {
        "status": 404,
        "method": "PUT",
        "path": "/buckets/b",
        "errno": 110,
        "details": {"id": "b"},
        "attempts": 2,
    }


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (
            400,
            kintos(400, 107, "Invalid parameters", "data in body: 'a' is required"),
            "PUT /buckets/b: 400 Invalid parameters: data in body: 'a' is required; "
            "the server does not accept this request",
        ),
        (
            401,
            kintos(401, 104, "Unauthorized", "Please authenticate."),
            "PUT /buckets/b: 401 Unauthorized: Please authenticate.; "
            "check the user and password, or the token, given as auth=",
        ),
        (
            404,
            kintos(404, 110, "Not Found"),
            "PUT /buckets/b: 404 Not Found; it does not exist, or no longer",
        ),
        (
            404,
            kintos(404, 111, "Not Found", "Not Found", COLLECTION),
            "PUT /buckets/b: 404 Not Found; its collection does not exist: create it first",
        ),
        (
            404,
            kintos(404, 111, "Not Found", "Not Found"),
            "PUT /buckets/b: 404 Not Found; the server knows no such path: check the URL, which is that of "
            "the API's root, such as http://localhost:8888/v1, and whether the server has the plugin for it",
        ),
        (
            410,
            kintos(410, 202, "Gone", "This service is no longer available"),
            "PUT /buckets/b: 410 Gone: This service is no longer available; "
            "the server does not offer this, or no longer",
        ),
        (
            404,
            None,
            "PUT /buckets/b: 404 Not Found; "
            "this is not how Kinto says it: check the URL, and any proxy in front of the server",
        ),
        (
            412,
            kintos(412, 114, "Precondition Failed", "Resource was modified meanwhile"),
            "PUT /buckets/b: 412 Precondition Failed: Resource was modified meanwhile; "
            "it is there already, or was changed since it was read: read it and try again",
        ),
        (503, [], "PUT /buckets/b: 503 Service Unavailable; the server failed: try again later"),
        (499, None, "PUT /buckets/b: 499 no explanation; the server does not accept this request"),
        (
            307,
            None,
            "PUT /buckets/b: 307, a redirection; "
            "give the URL of the API's root itself, such as http://localhost:8888/v1",
        ),
    ],
)
def test_a_message_says_what_was_asked_what_came_and_what_to_do(status, body, message):
    assert str(refusal(status, body)) == message


@pytest.mark.parametrize(
    ("status", "path", "advice"),
    [
        (404, "/buckets/b/collections/c/records/r", "; its bucket or its collection does not exist"),
        (404, "/buckets/b/collections/c/records", "; its collection does not exist: create it first"),
        (403, "/buckets/b", "or create the bucket first"),
        (403, "/accounts/zoe", "; you lack the permission: ask the server's administrator"),
        (403, "/permissions", "; you lack the permission: ask the server's administrator"),
    ],
)
def test_the_advice_depends_on_what_was_asked(status, path, advice):
    response = Response(status, {}, kintos(status, 111, "No", details=COLLECTION))
    assert advice in str(responses.refusal(response, "PUT", path))


@pytest.mark.parametrize(
    ("path", "it"), [("/collections/c/records", "its collection"), ("/collections", "it")]
)
def test_to_a_head_nobody_tells_whether_its_url_is_wrong(path, it):
    answer = Response(404, {"content-type": "application/json"})
    error = responses.refusal(answer, "HEAD", f"/buckets/b{path}")
    assert str(error).endswith(
        f"; {it} does not exist, or the URL is wrong: create it first, or check the URL"
    )


def test_a_record_called_records_has_its_collection():
    body = kintos(404, 110, "Not Found")
    error = responses.refusal(Response(404, body=body), "GET", "/buckets/b/collections/c/records/records")
    assert str(error).endswith("it does not exist, or no longer")


def test_a_refusal_that_is_no_json_is_quoted():
    assert "502 <h1>Bad Gateway</h1>;" in str(refusal(502, unreadable="<h1>Bad Gateway</h1>"))


def test_a_message_does_not_show_what_the_conflicting_object_holds():
    error = refusal(412, kintos(412, 114, "Precondition Failed", details={"existing": {"pin": "1234"}}))
    assert error.existing == {"pin": "1234"}
    assert "1234" not in f"{error} {error!r}"


@given(
    st.dictionaries(
        st.sampled_from(["error", "message", "errno", "details"]), st.none() | st.text() | st.integers()
    )
)
def test_a_message_is_one_line_whatever_the_server_says(body):
    error = refusal(400, body)
    assert len(str(error).splitlines()) == 1
    assert error.errno is None or isinstance(error.errno, int)


def test_a_stored_object_has_data_and_permissions():
    body = {"data": {"id": "a", "last_modified": 1}, "permissions": {"read": ["x"], "write": []}}
    assert responses.stored_object(Response(200, body=body)) == StoredObject(
        {"id": "a", "last_modified": 1}, {"read": ("x",), "write": ()}
    )


@pytest.mark.parametrize("shown", [{}, {"permissions": {}}, {"permissions": None}])
def test_permissions_that_are_not_shown_are_not_known(shown):
    body = {"data": {"id": "a", "last_modified": 1}, **shown}
    assert responses.stored_object(Response(200, body=body)).permissions is None


def test_a_deletion_gives_its_time():
    body = {"data": {"id": "a", "last_modified": 1200, "deleted": True}}
    assert responses.deletion(Response(200, body=body)) == 1200


def test_a_page_keeps_the_query_of_the_next_one_and_no_host():
    headers = {"next-page": "http://elsewhere.example/v1/x?_limit=2&_token=ab%3D", "etag": '"1200"'}
    found = responses.page(Response(200, headers, {"data": [{"id": "a"}]}))
    assert found == Page(({"id": "a"},), "_limit=2&_token=ab%3D", 1200)


def test_the_last_page_has_no_next_one():
    assert responses.page(Response(200, {}, {"data": []})) == Page((), None, None)


@pytest.mark.parametrize(
    ("header", "clock"),
    [
        (DATE, 1795435201000),
        ("Mon, 23 Nov 2026 12:00:01 -0000", 1795435201000),
        ("Mon, 23 Nov 2026 13:00:01 +0100", 1795435201000),
        ("soon", None),
        ("Mon, 23 Nov 99999 12:00:01 GMT", None),
    ],
)
def test_a_page_knows_the_clock_of_its_server(header, clock):
    assert responses.page(Response(200, {"date": header}, {"data": []})).clock == clock


def test_a_page_that_did_not_change_is_no_page():
    assert responses.page_if_changed(Response(304)) == Unchanged(None)
    assert responses.page_if_changed(Response(304, {"date": DATE})) == Unchanged(1795435201000)
    changed = Response(200, {"etag": '"1200"'}, {"data": []})
    assert responses.page_if_changed(changed) == Page((), None, 1200)


@pytest.mark.parametrize("header", ["", "1200", 'W/"1200"', '"abc"', '"12", "13"', '"-1"', '"True"'])
def test_an_etag_that_is_no_time_is_none(header):
    assert responses.etag(Response(200, {"etag": header})) is None


@given(st.integers(min_value=0))
def test_an_etag_is_a_time(moment):
    assert responses.etag(Response(200, {"etag": f'"{moment}"'})) == moment


@pytest.mark.parametrize("header", ["total-objects", "total-records"])
def test_a_head_counts(header):
    assert responses.total(Response(200, {header: "12"})) == 12


def test_a_json_object_is_given_as_it_stands():
    assert responses.json_object(Response(200, body={"storage": True})) == {"storage": True}


ROOT = {
    "project_name": "kinto",
    "project_version": "26.5.0",
    "http_api_version": "1.23",
    "url": "http://localhost:8888/v1/",
    "settings": {"batch_max_requests": 25},
    "capabilities": {"history": {}},
}


def test_the_root_tells_about_the_server():
    assert responses.server_info(Response(200, body=ROOT)) == ServerInfo(
        version="26.5.0",
        http_api_version="1.23",
        url="http://localhost:8888/v1/",
        settings={"batch_max_requests": 25},
        capabilities={"history": {}},
        user=None,
    )


@pytest.mark.parametrize(
    ("shown", "user"),
    [
        ({"id": "account:bob"}, User("account:bob")),
        (
            {"id": "account:bob", "principals": ["account:bob", "system.Everyone"], "bucket": "12"},
            User("account:bob", ("account:bob", "system.Everyone"), "12"),
        ),
    ],
)
def test_the_root_tells_who_we_are(shown, user):
    assert responses.server_info(Response(200, body=ROOT | {"user": shown})).user == user


@pytest.mark.parametrize(
    ("read", "response"),
    [
        (responses.stored_object, Response(200)),
        (responses.stored_object, Response(200, body=[])),
        (responses.stored_object, Response(200, body={})),
        (responses.stored_object, Response(200, body={"data": []})),
        (responses.stored_object, Response(200, body={"data": {}})),
        (responses.stored_object, Response(200, body={"data": {"id": 1, "last_modified": 1}})),
        (responses.stored_object, Response(200, body={"data": {"id": "a", "last_modified": "1"}})),
        (
            responses.stored_object,
            Response(200, body={"data": {"id": "a", "last_modified": 1}, "permissions": ["x"]}),
        ),
        (
            responses.stored_object,
            Response(200, body={"data": {"id": "a", "last_modified": 1}, "permissions": {"read": None}}),
        ),
        (responses.deletion, Response(200, body={"data": {"id": "a"}})),
        (responses.page, Response(200, body={"data": {}})),
        (responses.page, Response(200, body={"data": ["a"]})),
        (responses.total, Response(200)),
        (responses.total, Response(200, {"total-objects": "many"})),
        (responses.server_info, Response(200, body={})),
        (responses.server_info, Response(200, body=ROOT | {"settings": None})),
        (responses.server_info, Response(200, body=ROOT | {"capabilities": []})),
    ],
)
def test_what_kinto_does_not_send_is_refused(read, response):
    with pytest.raises(errors.UnreadableResponse, match="is this the URL of a Kinto server") as caught:
        read(response)
    assert caught.value.status == 200


def test_a_page_of_something_else_is_quoted():
    with pytest.raises(errors.UnreadableResponse, match="got '<html>Welcome</html>'"):
        responses.json_object(Response(200, unreadable="<html>Welcome</html>"))


A, B = {"id": "a"}, {"id": "b", "n": 1}


def answer(body, *given):
    """With a body of which so many members are told one from the other, and then no more."""

    def split():
        yield from given
        raise ValueError

    return Response(200, {}, body, split=split)


@pytest.mark.parametrize("given", [(), [(A, b"a")], [(A, b"a"), (B, b"b")]])
def test_objects_come_with_their_texts_as_far_as_there_are_any(given):
    found = list(responses.each_object(answer({"data": [A, B]}, *given)))
    assert found == [*given, *((data, None) for data in [A, B][len(given) :])]


def test_objects_come_one_after_the_other():
    turns = []

    def split():
        for data in (A, B):
            turns.append(data)
            yield data, b"text"

    found = responses.each_object(Response(200, split=split))
    assert turns == []
    assert next(found) == (A, b"text")
    assert turns == [A]
    assert list(found) == [(B, b"text")]


@pytest.mark.parametrize("wrong", [1, None, [], {}, {"id": 1}])
def test_what_is_no_object_with_an_id_is_refused_where_it_stands(wrong):
    for response in (answer(None, (A, b"a"), (wrong, b"x")), answer({"data": [A, wrong]}, (A, b"a"))):
        found = responses.each_object(response)
        assert next(found) == (A, b"a")
        with pytest.raises(errors.UnreadableResponse, match="'data' is missing or not what Kinto sends"):
            next(found)


def test_an_answer_is_what_it_says_whenever_its_body_was_decoded():
    headers = {"etag": '"1"'}
    decoded = Response(200, headers, {"data": []})
    late = Response(200, headers, decode=lambda: Body({"data": []}))
    assert late == decoded
    assert late != Response(200, headers, decode=lambda: Body(unreadable="<html>"))
    assert late != (200, headers, {"data": []}, None, 1)
    assert repr(late) == repr(decoded) == """Response(200, {'etag': '"1"'}, {'data': []}, None, 1)"""
