import json
import logging
import threading
import warnings
from importlib.metadata import version

import attrs
import pytest
import requests

from kintomodel.errors import KintoError, UnreadableResponse, UsageError
from kintomodel.protocol import operations
from kintomodel.transport.connection import Connection
from kintomodel.transport.http import DEFAULT_TIMEOUT, HTTPTransport, root_url

from ..scripted_server import Answer

READ = operations.read("/buckets/b")
OK = Answer(body={"data": {"id": "b", "last_modified": 1200}})


def in_threads(count, work):
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# --- What is sent


def test_an_operation_becomes_a_request(carry):
    transport, server = carry(OK)
    transport.send(operations.update("/buckets/b", {"name": "Zoë"}, last_modified=1200))
    request = server.requests[0]
    assert (request.method, request.target) == ("PATCH", "/v1/buckets/b")
    assert request.headers["if-match"] == '"1200"'
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept"] == "application/json"
    assert json.loads(request.body) == {"data": {"name": "Zoë"}}


def test_parameters_are_escaped(carry):
    transport, server = carry(Answer(body={"data": []}))
    transport.send(operations.list_page("/buckets", {"eq_a": '"b & c,é"', "_sort": "id"}))
    assert server.requests[0].target == "/v1/buckets?eq_a=%22b+%26+c%2C%C3%A9%22&_sort=id"


def test_a_path_that_is_no_plain_text_is_escaped(carry):
    transport, server = carry(OK)
    transport.send(operations.read("/accounts/zoë b?"))
    assert server.requests[0].target.startswith("/v1/accounts/zo%C3%AB%20b")


def test_what_is_no_host_is_told_each_time():
    transport = HTTPTransport("http://*.example.com/v1")
    for _ in range(2):
        with pytest.raises(UsageError, match="expected the URL of a Kinto server"):
            transport.send(READ)


def test_the_cookie_of_a_load_balancer_comes_back_to_it(carry):
    transport, server = carry(Answer(body=OK.body, headers={"Set-Cookie": "node=2; Path=/"}))
    transport.send(READ)
    transport.send(READ)
    assert [one.headers.get("cookie") for one in server.requests] == [None, "node=2"]


def test_what_an_auth_waits_for_is_of_its_request_alone(carry):
    answered = []

    def auth(request):
        request.register_hook("response", lambda answer, **_: answered.append(answer.status_code))
        return request

    transport, _ = carry(OK, auth=auth)
    for _ in range(3):
        transport.send(READ)
    assert answered == [200] * 3


def test_without_a_body_nothing_is_said_of_its_type(carry):
    transport, server = carry(OK)
    transport.send(operations.delete("/buckets/b"))
    assert "content-type" not in server.requests[0].headers


def test_credentials_of_an_operation_count_more_than_those_of_the_client(carry):
    transport, server = carry(OK, auth=("alice", "s3cret"))
    transport.send(attrs.evolve(READ, headers={"Authorization": "Basic em9lOng="}))
    transport.send(READ)
    assert [one.headers["authorization"] for one in server.requests] == [
        "Basic em9lOng=",
        "Basic YWxpY2U6czNjcmV0",
    ]


def test_headers_can_be_added_to_every_request(carry):
    transport, server = carry(OK, headers={"X-Tenant": "7", "User-Agent": "till"})
    transport.send(READ)
    transport.send(READ)
    assert [(one.headers["x-tenant"], one.headers["user-agent"]) for one in server.requests] == [
        ("7", "till")
    ] * 2


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Key": "s3cret\r\nX-Other: 1"},
        {"X-Key": " s3cret"},
        {"X-Key": "s3cr€t"},
        {"X-Key": b"s3cret"},
        {"X Key": "s3cret"},
        {1: "s3cret"},
    ],
)
def test_headers_that_cannot_be_sent_are_refused_at_once_without_their_value(headers):
    with pytest.raises(UsageError) as caught:
        HTTPTransport("http://localhost", headers=headers)
    assert "s3cr" not in str(caught.value)


# --- What is received


def test_an_answer_has_lower_case_headers_and_decoded_json(carry):
    transport, _ = carry(Answer(201, {"data": {"n": 2**60}}, {"ETag": '"12"'}))
    response = transport.send(READ)
    assert (response.status, response.body) == (201, {"data": {"n": 2**60}})
    assert response.headers["etag"] == '"12"'


@pytest.mark.parametrize("status", [400, 403, 404, 412, 429, 500, 503])
def test_a_refusal_is_an_answer(carry, status):
    transport, _ = carry(Answer(status, {"errno": 1}))
    assert transport.send(READ).status == status


def test_an_answer_may_be_empty(carry):
    transport, _ = carry(Answer(headers={"Total-Objects": "7"}))
    response = transport.send(operations.count("/buckets"))
    assert (response.body, response.unreadable) == (None, None)
    assert operations.count("/buckets").read(response) == 7


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"<html>\r\n  <b>Hello</b></html>", "<html> <b>Hello</b></html>"),
        (b"x" * 5000, "x" * 200),
        ("é".encode() * 300, "é" * 200),
        (b'{"data": ', '{"data":'),
        (b"\xff\xfe\x00", "\ufffd\ufffd\x00"),
        (b"[" * 100_000, "[" * 200),
    ],
)
def test_what_is_no_json_is_kept_in_short(carry, body, shown):
    transport, _ = carry(Answer(200, body))
    response = transport.send(READ)
    assert (response.body, response.unreadable) == (None, shown)


def test_a_body_that_is_no_json_is_one_readable_error(carry):
    transport, _ = carry(Answer(200, b"<html>\nWelcome</html>", {"Content-Type": "text/html"}))
    with pytest.raises(UnreadableResponse) as caught:
        Connection(transport).perform(READ)
    assert str(caught.value) == (
        "GET /buckets/b: 200, expected a JSON object, got '<html> Welcome</html>'; "
        "is this the URL of a Kinto server?"
    )


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirection_is_not_followed(carry, scripted, status):
    elsewhere = scripted(OK)
    transport, server = carry(Answer(status, b"", {"Location": f"{elsewhere.url}/x"}), auth="bob:s3cret")
    with pytest.raises(UnreadableResponse, match=f"^GET /buckets/b: {status}, a redirection; "):
        Connection(transport).perform(READ)
    assert (len(server.requests), elsewhere.connections) == (1, 0)


@pytest.mark.parametrize("location", ["http://[", "http://a b:x/", "\xff", ""])
def test_a_redirection_to_nowhere_is_one_as_well(carry, location):
    transport, _ = carry(Answer(302, b"", {"Location": location}))
    assert transport.send(READ).status == 302


def test_the_next_page_is_asked_of_our_own_host(carry, scripted):
    elsewhere = scripted(OK)
    first = Answer(200, {"data": [{"id": "a"}]}, {"Next-Page": f"{elsewhere.url}/buckets?_token=x%2By"})
    transport, server = carry(first, Answer(200, {"data": [{"id": "b"}]}), auth="bob:s3cret")
    pages = list(Connection(transport).pages(operations.list_page("/buckets")))
    assert [page.objects for page in pages] == [({"id": "a"},), ({"id": "b"},)]
    assert [request.target for request in server.requests] == ["/v1/buckets", "/v1/buckets?_token=x%2By"]
    assert elsewhere.connections == 0


# --- Sessions


def test_a_connection_is_used_again(carry):
    transport, server = carry(OK)
    for _ in range(5):
        transport.send(READ)
    assert (len(server.requests), server.connections) == (5, 1)


def test_threads_that_take_turns_share_a_connection(carry):
    transport, server = carry(OK)
    for _ in range(3):
        in_threads(1, lambda: transport.send(READ))
    assert (len(server.requests), server.connections) == (3, 1)


def test_threads_that_send_at_the_same_time_have_connections_of_their_own(carry):
    meeting = threading.Barrier(3)

    class Together(requests.auth.AuthBase):
        def __call__(self, request):
            meeting.wait(10)
            return request

    transport, server = carry(OK, auth=Together())
    in_threads(3, lambda: transport.send(READ))
    assert (len(server.requests), server.connections) == (3, 3)


def test_a_connection_that_the_server_gave_up_is_opened_anew(carry):
    transport, server = carry(Answer(200, {}, {"Connection": "close"}))
    transport.send(READ)
    transport.send(READ)
    assert server.connections == 2


def test_a_closed_transport_can_be_used_again(carry):
    transport, server = carry(OK)
    transport.send(READ)
    transport.close()
    transport.send(READ)
    assert server.connections == 2


# --- Credentials


@pytest.mark.parametrize(
    ("auth", "header"),
    [(("bob", "pw"), "Basic Ym9iOnB3"), ("bob:pw", "Basic Ym9iOnB3"), ("Bearer t", "Bearer t")],
)
def test_each_request_is_signed(carry, auth, header):
    transport, server = carry(OK, auth=auth)
    transport.send(READ)
    in_threads(1, lambda: transport.send(READ))
    assert [request.headers.get("authorization") for request in server.requests] == [header] * 2


def test_a_netrc_file_is_not_used(carry, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login eve password s3cret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    transport, server = carry(OK)
    transport.send(READ)
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize("auth", [("bob", "s3cret"), "bob:s3cret", "Bearer s3cret"])
def test_credentials_are_not_shown(carry, caplog, auth):
    transport, server = carry(OK, auth=auth)
    with caplog.at_level(logging.DEBUG):
        transport.send(READ)
    secret = server.requests[0].headers["authorization"].partition(" ")[2]
    for text in (repr(transport), repr(Connection(transport)), caplog.text):
        assert secret not in text
        assert "s3cret" not in text


# --- Log and alerts


def test_each_request_is_a_line_in_the_log(carry, caplog):
    transport, _ = carry(Answer(404, {}))
    with caplog.at_level(logging.DEBUG, "kintomodel"):
        transport.send(READ)
    (line,) = (record for record in caplog.records if record.name == "kintomodel")
    assert line.levelno == logging.DEBUG
    assert line.getMessage().startswith("GET /buckets/b 404 ")
    assert line.getMessage().endswith(" ms")


def test_an_alert_is_a_warning_once(carry):
    alert = '{"code": "soft-eol", "message": "move on"}'
    transport, server = carry(Answer(200, {}, {"Alert": alert}))
    with pytest.warns(DeprecationWarning, match="alerts: ") as caught:
        transport.send(READ)
    transport.send(READ)
    assert [str(one.message) for one in caught] == [f"{server.url} alerts: {alert}"]


def test_another_alert_is_another_warning(carry):
    transport, _ = carry(Answer(200, {}, {"Alert": "soft"}), Answer(410, {}, {"Alert": "hard"}))
    with pytest.warns(DeprecationWarning, match="alerts: soft"):
        transport.send(READ)
    with pytest.warns(DeprecationWarning, match="alerts: hard"):
        transport.send(READ)


def test_an_alert_points_to_the_users_line(carry):
    transport, _ = carry(Answer(200, OK.body, {"Alert": "soft"}))
    with pytest.warns(DeprecationWarning, match="soft") as caught:
        Connection(transport).perform(READ)
    assert caught[0].filename == __file__


def test_where_warnings_are_errors_an_alert_breaks_off_no_write(carry, caplog):
    created = Answer(201, OK.body, {"Alert": "soft"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        transport, server = carry(created)
        assert transport.send(operations.create("/buckets/b", {})).status == 201
        assert f"{server.url} alerts: soft" in caplog.messages
        transport, _ = carry(created)
        with pytest.raises(DeprecationWarning, match="alerts: soft"):
            transport.send(READ)


def test_without_an_alert_there_is_no_warning(carry):
    transport, _ = carry(OK)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        transport.send(READ)


# --- The URL


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("http://localhost:8888", "http://localhost:8888/v1"),
        ("http://localhost:8888/", "http://localhost:8888/v1"),
        ("http://localhost:8888/v1", "http://localhost:8888/v1"),
        ("https://example.com/kinto/v1///", "https://example.com/kinto/v1"),
        ("HTTP://Example.com", "http://Example.com/v1"),
        ("http://[::1]:8888/v1", "http://[::1]:8888/v1"),
        ("http://bücher.example", "http://bücher.example/v1"),
    ],
)
def test_the_root_of_the_api_is_completed(url, root):
    assert root_url(url) == root
    assert repr(HTTPTransport(url)) == f"<HTTPTransport {root}>"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8888",
        "localhost:8888/v1",
        "ftp://localhost/v1",
        "http://",
        "http://:8888",
        "http://[::1",
        "http://localhost:port/v1",
        "http://localhost:99999/v1",
        "http://localhost:0/v1",
        "http://local host/v1",
        "http://local..host/v1",
        f"http://{'x' * 64}.example/v1",
        "http://localhost/v1\n",
        "http://localhost/v1?a=1",
        "http://localhost/v1#a",
        None,
        8888,
        b"http://localhost",
    ],
)
def test_what_is_no_url_of_an_api_is_refused(url):
    with pytest.raises(UsageError) as caught:
        root_url(url)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "url",
    [
        "http://bob:s3cret@localhost/v1",
        "http://s3cret@localhost/v1",
        "http://bob:12/s3cret@localhost/v1",
        "http://bob:s3cret#@localhost/v1",
        "bob:s3cret@localhost",
        "http://bob:s3cret@",
        "http://localhost/v1?token=s3cret",
    ],
)
def test_a_url_takes_no_credentials_and_does_not_show_them(url):
    with pytest.raises(UsageError) as caught:
        HTTPTransport(url)
    assert "s3cret" not in str(caught.value)


def test_a_host_that_cannot_be_one_is_refused_when_it_is_used():
    transport = HTTPTransport("http://*.example")
    with pytest.raises(UsageError, match="expected the URL of a Kinto server"):
        transport.send(READ)


# --- A real Kinto


def test_it_speaks_to_kinto(kinto_server):
    kinto_server.flush()
    transport = HTTPTransport(kinto_server.url, kinto_server.auth)
    connection = Connection(transport)
    info = connection.perform(operations.server_info())
    assert info.version == version("kinto")
    assert info.user is not None
    stored = connection.perform(operations.create("/buckets/b", {"name": "Zoë", "n": 2**63}))
    assert stored.data == {"id": "b", "last_modified": stored.last_modified, "name": "Zoë", "n": 2**63}
    assert connection.perform(operations.count("/buckets")) == 1
    with pytest.raises(KintoError, match=r"^PUT /buckets/b: 412 "):
        connection.perform(operations.create("/buckets/b", {}))
    assert connection.perform(operations.delete("/buckets/b")) > stored.last_modified
    transport.close()


def test_the_default_timeouts_are_short_to_connect_and_longer_to_read():
    assert DEFAULT_TIMEOUT == (3.05, 30.0)
