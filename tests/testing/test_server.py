import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from kintomodel.errors import ConnectionFailed, UsageError
from kintomodel.testing import KintoServer, postgresql

needs_postgresql = pytest.mark.skipif(
    postgresql.unavailable() is not None, reason=str(postgresql.unavailable())
)


@pytest.fixture(scope="module", params=["memory", pytest.param("postgresql", marks=needs_postgresql)])
def running(request: pytest.FixtureRequest) -> Iterator[KintoServer]:
    with KintoServer(request.param) as server:
        yield server


@pytest.fixture
def server(running: KintoServer) -> KintoServer:
    running.flush()
    return running


def root(server: KintoServer, auth: tuple[str, str] | None = None) -> dict:
    return requests.get(f"{server.url}/", auth=auth or server.auth, timeout=30).json()


def put(server: KintoServer, path: str, auth: tuple[str, str] | None = None, **body: object) -> int:
    answer = requests.put(f"{server.url}{path}", auth=auth or server.auth, json=body, timeout=30)
    return answer.status_code


def status(server: KintoServer, path: str, auth: tuple[str, str] | None = None) -> int:
    return requests.get(f"{server.url}{path}", auth=auth or server.auth, timeout=30).status_code


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_account_of_the_server_is_known_to_it(server: KintoServer):
    assert root(server)["user"]["id"] == f"account:{server.auth[0]}"


def test_the_account_of_the_server_may_create_buckets(server: KintoServer):
    assert put(server, "/buckets/shop") == 201


def test_a_wrong_password_is_refused(server: KintoServer):
    assert put(server, "/buckets/shop", (server.auth[0], "wrong")) == 401


def test_nobody_is_let_in_without_an_account(server: KintoServer):
    assert put(server, "/buckets/shop", ("stranger", "secret")) == 401


def test_a_flushed_server_is_empty(server: KintoServer):
    put(server, "/buckets/shop")
    put(server, "/buckets/shop/collections/receipts")
    server.flush()
    answer = requests.get(f"{server.url}/buckets", auth=server.auth, timeout=30)
    assert answer.json()["data"] == []


def test_the_account_survives_a_flush_and_others_do_not(server: KintoServer):
    bob = server.create_account("bob", "hush")
    assert status(server, "/accounts/bob", bob) == 200
    server.flush()
    assert put(server, "/buckets/a") == 201
    assert put(server, "/buckets/b", bob) == 401


def test_kinto_itself_can_be_asked_to_flush(server: KintoServer):
    put(server, "/buckets/shop")
    assert requests.post(f"{server.url}/__flush__", timeout=30).status_code == 202
    server.flush()
    assert put(server, "/buckets/shop") == 201


def test_an_account_can_be_created_twice(server: KintoServer):
    assert server.create_account("bob", "hush") == ("bob", "hush")
    assert server.create_account("bob", "hush") == ("bob", "hush")
    assert root(server, ("bob", "hush"))["user"]["id"] == "account:bob"


def test_an_account_can_be_given_another_password(server: KintoServer):
    before = server.create_account("bob", "old")
    assert put(server, "/buckets/a", before) == 201
    after = server.create_account("bob", "new")
    assert put(server, "/buckets/a", before) == 401
    assert put(server, "/buckets/a", after) == 200


@pytest.mark.parametrize("name", ["", "a/b", "a:b", "Ärger"])
def test_a_name_that_kinto_does_not_take_is_refused(server: KintoServer, name: str):
    with pytest.raises(UsageError, match="Kinto takes no account named"):
        server.create_account(name, "secret")


def test_a_password_that_bcrypt_does_not_take_is_refused(server: KintoServer):
    with pytest.raises(UsageError, match="72 bytes"):
        server.create_account("bob", "x" * 73)


def test_accounts_can_be_created_by_several_threads(server: KintoServer):
    names = [f"user{number}" for number in range(8)]
    threads = [threading.Thread(target=server.create_account, args=(name, name)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [status(server, f"/accounts/{name}", (name, name)) for name in names] == [200] * 8


def test_anybody_may_make_an_account_over_http(server: KintoServer):
    answer = requests.put(f"{server.url}/accounts/carol", json={"data": {"password": "hush"}}, timeout=30)
    assert answer.status_code == 201
    assert root(server, ("carol", "hush"))["user"]["id"] == "account:carol"


def test_it_has_the_plugins_and_settings_that_tests_need(server: KintoServer):
    shown = root(server)
    assert {
        "accounts",
        "default_bucket",
        "flush_endpoint",
        "history",
        "permissions_endpoint",
        "schema",
    } <= set(shown["capabilities"])
    assert shown["settings"]["batch_max_requests"] == 25


def test_clients_of_it_are_the_server_account_or_whom_they_are_told_to_be(server: KintoServer):
    bob = server.create_account("bob", "hush")
    users = []
    for auth in (None, bob):
        with server.client(auth) as client:
            user = client.server_info().user
            assert user is not None
            users.append(user.id)
    assert users == ["account:tester", "account:bob"]


def test_the_log_shows_what_kinto_wrote(server: KintoServer):
    assert "HTTPS is not enabled" in server.log


def test_two_servers_run_side_by_side(server: KintoServer):
    with KintoServer() as other:
        assert other.url != server.url
        put(server, "/buckets/shop")
        assert status(other, "/buckets/shop") == 403


def test_settings_are_laid_over_ours_with_or_without_their_prefix():
    settings = {
        "kinto.paginate_by": 2,
        "batch_max_requests": "7",
        "kinto.experimental_permissions_endpoint": False,
    }
    with KintoServer(settings=settings) as server:
        shown = root(server)
        assert shown["settings"]["batch_max_requests"] == 7
        assert "permissions_endpoint" not in shown["capabilities"]
        for name in "abc":
            put(server, f"/buckets/{name}")
        answer = requests.get(f"{server.url}/buckets", auth=server.auth, timeout=30)
        assert len(answer.json()["data"]) == 2


def test_a_server_that_is_readonly_and_retired_can_be_flushed_all_the_same():
    with KintoServer(settings={"kinto.readonly": True, "kinto.eos": "2000-01-01"}) as server:
        server.flush()
        assert status(server, "/buckets") == 410


@needs_postgresql
def test_postgresql_can_be_told_its_isolation_level():
    settings = {"kinto.storage_isolation_level": "REPEATABLE READ"}
    with KintoServer("postgresql", settings=settings) as server:
        put(server, "/buckets/shop")
        put(server, "/buckets/shop/collections/receipts")
        record = f"{server.url}/buckets/shop/collections/receipts/records/r"
        fresh = requests.put(record, auth=server.auth, json={"data": {}}, timeout=30).headers["ETag"]
        wins = _race(record, server.auth, fresh)
        assert wins == 1


def _race(url: str, auth: tuple[str, str], etag: str) -> int:
    """How many of 8 writers of the same version are told that they won."""
    statuses = []

    def write() -> None:
        answer = requests.put(url, auth=auth, json={"data": {}}, headers={"If-Match": etag}, timeout=30)
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses.count(200)


def test_the_environment_does_not_change_its_settings(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("READONLY", "true")
    monkeypatch.setenv("KINTO_BATCH_MAX_REQUESTS", "3")
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    with KintoServer() as server:
        shown = root(server)["settings"]
    assert (shown["readonly"], shown["batch_max_requests"]) == (False, 25)


def test_it_can_be_given_a_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with KintoServer(port=port) as server:
        assert server.url == f"http://127.0.0.1:{port}/v1"


def test_a_port_that_is_taken_is_refused_in_one_line(running: KintoServer):
    port = port_of(running.url)
    with pytest.raises(UsageError, match=rf"^Kinto cannot use port {port}: Address already in use$"):
        KintoServer(port=port).start()


def test_a_stopped_server_listens_no_more_and_keeps_its_log():
    with KintoServer() as server:
        port = port_of(server.url)
        assert listens(port)
    assert not listens(port)
    assert "HTTPS is not enabled" in server.log
    server.stop()


def test_a_stopped_server_can_be_started_again_and_is_empty():
    server = KintoServer()
    for _ in range(2):
        with server:
            assert put(server, "/buckets/shop") == 201


def test_it_is_stopped_after_an_exception():
    server = KintoServer()
    with pytest.raises(ZeroDivisionError), server:
        _ = server.url, 1 / 0
    assert repr(server) == "<KintoServer memory not running>"


def test_starting_twice_is_refused(running: KintoServer):
    with pytest.raises(UsageError, match="this KintoServer runs already"):
        running.start()


@pytest.mark.parametrize("use", [lambda server: server.url, KintoServer.client, KintoServer.flush])
def test_before_its_start_it_is_of_no_use(use: Callable[[KintoServer], object]):
    with pytest.raises(UsageError, match="this KintoServer does not run: call start"):
        use(KintoServer())
    assert KintoServer().log == ""


def test_its_repr_says_where_it_is_and_no_password(running: KintoServer):
    assert repr(running) == f"<KintoServer {running.backend} at {running.url}>"
    assert repr(KintoServer()) == "<KintoServer memory not running>"


@pytest.mark.parametrize("port", [-1, 65536, 99999, "80", True, None])
def test_a_port_that_is_none_is_refused(port: Any):
    with pytest.raises(UsageError, match="a port is a number from 0 to 65535, got "):
        KintoServer(port=port)


def test_an_unknown_back_end_is_refused():
    with pytest.raises(UsageError, match='expected the back end "memory" or "postgresql", got \'redis\''):
        KintoServer("redis")  # type: ignore[arg-type]


def test_a_missing_kinto_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "kinto", None)  # as if it were not installed
    with pytest.raises(UsageError) as raised:
        KintoServer().start()
    assert str(raised.value) == 'Kinto is not installed: pip install "kintomodel[server]"'


def test_a_missing_driver_of_postgresql_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "psycopg2", None)  # as if it were not installed
    with pytest.raises(UsageError) as raised:
        KintoServer("postgresql").start()
    assert str(raised.value) == 'Kinto lacks its PostgreSQL driver: pip install "kinto[postgresql]"'


def test_a_kinto_that_does_not_come_up_shows_its_log():
    server = KintoServer(settings={"kinto.storage_backend": "no.such.backend"})
    with pytest.raises(ConnectionFailed, match=r"Kinto has ended; it wrote:(.|\n)*No module named 'no'"):
        server.start()
    assert "No module named 'no'" in server.log
    with pytest.raises(UsageError, match="does not run"):
        server.flush()


def test_waiting_for_it_is_bounded():
    with pytest.raises(ConnectionFailed, match=r"Kinto said nothing for 0\.01 s"):
        KintoServer(timeout=0.01).start()


def test_it_ends_when_we_are_killed(
    killed_after_a_line: Callable[..., str], eventually: Callable[[Callable[[], bool]], None]
):
    url = killed_after_a_line(
        "import time\n"
        "from kintomodel.testing import KintoServer\n"
        "with KintoServer() as server:\n"
        "    print(server.url, flush=True)\n"
        "    time.sleep(60)\n"
    )
    eventually(lambda: not listens(port_of(url)))
