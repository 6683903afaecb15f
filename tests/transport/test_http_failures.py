"""No answer came: what HTTPTransport says then, and what it does not."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

import pytest
import requests

from kintomodel.errors import ConnectionFailed, Timeout, TransportError, UsageError
from kintomodel.protocol import operations
from kintomodel.transport.http import HTTPTransport
from kintomodel.transport.retry import RetryTransport

from ..scripted_server import Answer, Close

READ = operations.read("/buckets/b")
AUTH = ("bob", "s3cret")


@pytest.fixture
def nobody():
    """The URL of a port on which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/v1"


def failure(transport, operation=READ):
    with pytest.raises(TransportError) as caught:
        transport.send(operation)
    text = "".join(traceback.format_exception(caught.value))
    assert "s3cret" not in text
    assert "Ym9iOnMzY3JldA" not in text
    assert str(caught.value).isprintable()
    assert " at 0x" not in f"{caught.value} {caught.value!r}"
    return caught.value


def test_nobody_listens(nobody):
    error = failure(HTTPTransport(nobody, AUTH))
    assert type(error) is ConnectionFailed
    assert re.fullmatch(
        rf"GET {nobody}/buckets/b: \[Errno \d+\] Connection refused; is the server running there\?",
        str(error),
    )


def test_a_server_without_https_is_said_to_be_one():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse():
            with listener.accept()[0] as connection:
                connection.recv(64)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=refuse)
        thread.start()
        error = failure(HTTPTransport(f"https://127.0.0.1:{listener.getsockname()[1]}/v1", AUTH))
        thread.join(10)
    assert type(error) is ConnectionFailed
    assert "SSL" in str(error)
    assert str(error).endswith("; does the server speak https there, with a certificate that is trusted?")


def test_the_host_is_not_known():
    error = failure(HTTPTransport("http://kinto.invalid/v1", AUTH))
    assert type(error) is ConnectionFailed
    assert str(error).startswith("GET http://kinto.invalid/v1/buckets/b: ")


@pytest.mark.parametrize("script", [Close(after_reading=True), Close(after_reading=False)])
def test_the_server_hangs_up_without_an_answer(carry, script):
    transport, server = carry(script, auth=AUTH)
    assert type(failure(transport)) is ConnectionFailed
    assert server.connections == 1


def test_the_answer_breaks_off(carry):
    transport, server = carry(Answer(200, b'{"data": {}}', missing=5), auth=AUTH)
    error = failure(transport)
    assert type(error) is ConnectionFailed
    assert str(error) == f"GET {server.url}/buckets/b: the answer broke off; is the server running there?"


def test_the_answer_cannot_be_unpacked(carry):
    transport, _ = carry(Answer(200, b"not gzip", {"Content-Encoding": "gzip"}), auth=AUTH)
    assert "the answer broke off" in str(failure(transport))


PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture
def environment(monkeypatch):
    """Sets a variable where there are no others for proxies and certificates."""
    for name in (*PROXIES, "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch.setenv


@pytest.mark.parametrize(
    ("name", "proxy"),
    [
        ("HTTP_PROXY", "http://"),
        ("HTTP_PROXY", "ftp://bob:s3cret@127.0.0.1:3128"),
        ("HTTP_PROXY", "http://bob:s3cret/more@127.0.0.1:31"),
        ("ALL_PROXY", "strange://127.0.0.1:1080"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_told_from_the_url_of_the_server(environment, name, proxy):
    environment(name, proxy)
    with pytest.raises(
        UsageError, match=r"^GET http://kinto\.invalid/v1/buckets/b: the proxy that the environment names "
    ) as caught:
        HTTPTransport("http://kinto.invalid", AUTH).send(READ)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there_is_named(environment, nobody, scheme):
    environment(f"{scheme.upper()}_PROXY", nobody.replace("//", "//bob:s3cret@").removesuffix("/v1"))
    error = failure(HTTPTransport(f"{scheme}://kinto.invalid", AUTH))
    assert type(error) is ConnectionFailed
    assert "Connection refused; a proxy that the environment names stands in between" in str(error)


def test_certificates_that_are_not_there_are_named(environment):
    environment("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    with pytest.raises(UsageError, match=r"^there are no trusted certificates at /nowhere/ca\.pem, which"):
        HTTPTransport("https://127.0.0.1:1", AUTH).send(READ)


def test_an_error_of_the_users_own_auth_is_left_alone(nobody):
    def sign(request):
        raise FileNotFoundError("no token there")

    with pytest.raises(FileNotFoundError, match="no token there"):
        HTTPTransport(nobody, sign).send(READ)


def test_another_error_of_requests_is_named_without_what_it_holds(nobody):
    def sign(request):
        raise requests.exceptions.InvalidHeader("Authorization: s3cret")

    with pytest.raises(ConnectionFailed, match="/buckets/b: InvalidHeader; is the server") as caught:
        HTTPTransport(nobody, sign).send(READ)
    assert "s3cret" not in str(caught.value)


def test_what_is_no_http_is_no_answer(carry):
    class Nonsense(Answer):
        def to_bytes(self):
            return b"SSH-2.0-OpenSSH\r\n\r\n"

    transport, _ = carry(Nonsense(stall=False), auth=AUTH)
    assert type(failure(transport)) is ConnectionFailed


@pytest.mark.parametrize("timeout", [0.2, (5.0, 0.2)])
def test_no_answer_comes_in_time(carry, timeout):
    transport, server = carry(Answer(stall=True), auth=AUTH, timeout=timeout)
    started = time.monotonic()
    error = failure(transport)
    assert time.monotonic() - started < 3
    assert type(error) is Timeout
    assert str(error) == f"GET {server.url}/buckets/b: no answer in time; is the server running there?"


def test_the_time_is_over_in_the_middle_of_an_answer(carry):
    transport, _ = carry(Answer(200, b'{"data": {}}', missing=5, stall=True), auth=AUTH, timeout=0.2)
    assert type(failure(transport)) is Timeout


def test_the_cause_is_not_what_the_caller_was_busy_with(nobody):
    try:
        raise KeyError("s3cret of the caller")
    except KeyError:
        with pytest.raises(ConnectionFailed, match="Connection refused"):
            HTTPTransport(nobody).send(READ)


def test_a_cause_without_words_is_named_by_its_class(nobody):
    def sign(request):
        raise requests.exceptions.ConnectionError

    with pytest.raises(ConnectionFailed, match="/buckets/b: ConnectionError; is the server"):
        HTTPTransport(nobody, sign).send(READ)


@pytest.mark.parametrize("timeout", [None, 1, 0.5, (1, 2.5), (None, 1)])
def test_a_timeout_is_seconds_or_none(timeout):
    HTTPTransport("http://localhost", timeout=timeout)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), "5", (1,), (1, 2, 3), (1, 0), [1, 2]])
def test_other_timeouts_are_refused_at_once(timeout):
    with pytest.raises(UsageError, match=r"^timeout is seconds, more than 0, or a tuple"):
        HTTPTransport("http://localhost", timeout=timeout)


def test_a_lost_answer_is_asked_for_again_over_http(carry):
    transport, server = carry(Close(), Answer(200, b"{", missing=9), Answer(200, {"data": {}}))
    response = RetryTransport(transport, sleep=lambda wait: None).send(READ)
    assert (response.status, response.attempts) == (200, 3)
    assert (len(server.requests), server.connections) == (3, 3)


FORKING = """
import os, sys
from kintomodel.protocol import operations
from kintomodel.transport.http import HTTPTransport

transport = HTTPTransport(sys.argv[1])
transport.send(operations.read("/parent"))
child = os.fork()
transport.send(operations.read("/parent" if child else "/child"))
transport.close()
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_opens_a_connection_of_its_own(scripted):
    server = scripted(Answer(200, {"data": {}}))
    # In a process of its own: this one has threads, with which Python 3.12 warns of a fork.
    subprocess.run(
        [sys.executable, "-c", FORKING, server.url], check=True, timeout=30, cwd=Path(__file__).parents[2]
    )
    assert sorted(request.target for request in server.requests) == ["/v1/child", "/v1/parent", "/v1/parent"]
    assert server.connections == 2
