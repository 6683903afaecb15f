import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kintomodel.errors import ConnectionFailed, UsageError
from kintomodel.testing import postgresql

Eventually = Callable[[Callable[[], bool]], None]

pytestmark = pytest.mark.skipif(postgresql.unavailable() is not None, reason=str(postgresql.unavailable()))

REAL = postgresql.programs() or ""


@pytest.fixture
def fake() -> Iterator[Callable[[str, str], list[str]]]:
    """Write programs of the given texts to stand for initdb and pg_ctl; gives the folders to search."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="kintomodel-fake-") as folder:
        Path(folder).chmod(0o777)  # the unprivileged user must get there, and leave notes

        def write(initdb: str, pg_ctl: str) -> list[str]:
            for name, text in (("initdb", initdb), ("pg_ctl", pg_ctl)):
                program = Path(folder, name)
                program.write_text(f"#!/bin/sh\n{text}\n")
                program.chmod(0o755)
            return [folder]

        yield write


def folder_of(url: str) -> Path:
    return Path(url.partition("?host=")[2])


def query(url: str, text: str) -> str:
    import psycopg2

    connection = psycopg2.connect(url)
    with connection.cursor() as cursor:
        cursor.execute(text)
        (answer,) = cursor.fetchone()
    connection.close()
    return answer


def test_a_cluster_answers_and_its_folder_is_removed_afterwards():
    with postgresql.cluster(timeout=30) as url:
        assert query(url, "SELECT current_user") == "kinto"
        assert query(url, "SHOW timezone") == "UTC"
        assert query(url, "SHOW listen_addresses") == ""
        assert folder_of(url).is_dir()
    assert not folder_of(url).exists()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgresql.cluster(timeout=30) as url:
        yield url


def test_it_knows_letters_beyond_ascii(url: str):
    assert query(url, "SELECT lower('GRÜN')") == "grün"


def test_its_socket_has_a_path_that_is_short_enough(url: str):
    assert len(str(folder_of(url) / ".s.PGSQL.5432")) < 107


def test_nobody_else_can_reach_it(url: str):
    assert folder_of(url).stat().st_mode & 0o777 == 0o700


def test_it_is_removed_after_an_exception():
    with pytest.raises(ZeroDivisionError), postgresql.cluster(timeout=30) as url:
        raise ZeroDivisionError
    assert not folder_of(url).exists()


def test_two_clusters_run_side_by_side():
    with postgresql.cluster(timeout=30) as one, postgresql.cluster(timeout=30) as two:
        assert folder_of(one) != folder_of(two)
        assert query(one, "SELECT 'one'") + query(two, "SELECT 'two'") == "onetwo"


def test_it_ends_and_is_removed_when_we_are_killed(
    killed_after_a_line: Callable[..., str],
    process_runs: Callable[[int], bool],
    eventually: Eventually,
):
    line = killed_after_a_line(
        "import time\n"
        "from pathlib import Path\n"
        "from kintomodel.testing import postgresql\n"
        "with postgresql.cluster(timeout=30) as url:\n"
        "    folder = Path(url.partition('?host=')[2])\n"
        "    pid = Path(folder, 'data/postmaster.pid').read_text().split()[0]\n"
        "    print(folder, pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    folder, pid = line.split()
    eventually(lambda: not process_runs(int(pid)) and not Path(folder).exists())


def test_it_is_stopped_and_removed_when_we_are_killed_while_it_starts(
    fake: Callable[[str, str], list[str]],
    killed_after_a_line: Callable[..., str],
    eventually: Eventually,
):
    (folder,) = fake(
        'echo "$2" > "${0%/*}/data"; while test ! -e "${0%/*}/go"; do sleep 0.02; done',
        'echo "$1" >> "${0%/*}/calls"',
    )
    killed_after_a_line(
        "import os, sys, threading, time\n"
        "from kintomodel.testing import postgresql\n"
        "def tell():\n"
        "    while not os.path.exists(sys.argv[1] + '/data'):\n"
        "        time.sleep(0.02)\n"
        "    print('initdb runs', flush=True)\n"
        "threading.Thread(target=tell).start()\n"
        "with postgresql.cluster(timeout=30, folders=[sys.argv[1]]):\n"
        "    pass\n",
        folder,
    )
    Path(folder, "go").touch()
    data = Path(Path(folder, "data").read_text().strip())
    eventually(lambda: not data.parent.exists())
    assert Path(folder, "calls").read_text().split() == ["start", "stop"]


def test_where_the_locale_is_missing_another_is_taken(fake: Callable[[str, str], list[str]]):
    folders = fake(
        f'case "$*" in *C.UTF-8) exit 1; esac\nexec {REAL}/initdb "$@"', f'exec {REAL}/pg_ctl "$@"'
    )
    with postgresql.cluster(timeout=30, folders=folders) as url:
        assert query(url, "SHOW lc_ctype") == "C"
        assert query(url, "SHOW server_encoding") == "UTF8"


def test_a_cluster_that_does_not_come_up_says_why_and_leaves_nothing(
    fake: Callable[[str, str], list[str]],
):
    folders = fake('echo "$2" > "${0%/*}/data"; echo "the disk is full" >&2; exit 1', "exit 1")
    with (
        pytest.raises(ConnectionFailed, match="PostgreSQL has ended; it wrote:\nthe disk is full"),
        postgresql.cluster(timeout=30, folders=folders),
    ):
        pass
    assert not Path(Path(folders[0], "data").read_text().strip()).parent.exists()


def test_without_its_programs_it_is_unavailable_and_refused():
    reason = "there is no PostgreSQL server on this machine: no folder has initdb and pg_ctl"
    assert postgresql.unavailable(folders=[]) == reason
    with pytest.raises(UsageError, match=re.escape(reason)), postgresql.cluster(1, folders=[]):
        pass


@pytest.mark.parametrize("module", ["psycopg2", "sqlalchemy"])
def test_without_its_driver_it_is_unavailable(module: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    assert postgresql.unavailable() == ('Kinto lacks its PostgreSQL driver: pip install "kinto[postgresql]"')


def test_its_programs_are_found_in_the_path_first(
    fake: Callable[[str, str], list[str]], monkeypatch: pytest.MonkeyPatch
):
    (folder,) = fake("", "")
    monkeypatch.setenv("PATH", folder, prepend=os.pathsep)
    assert postgresql.programs() == folder


def test_they_are_looked_for_where_pg_config_says_and_in_the_newest_version_of_debian(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for version in ("9.6", "15", "14"):
        (tmp_path / version).mkdir()
    pg_config = tmp_path / "pg_config"
    pg_config.write_text("#!/bin/sh\necho /opt/postgresql/bin\n")
    pg_config.chmod(0o755)
    debian = [f"{tmp_path}/{version}/bin" for version in ("15", "14", "9.6")]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert list(postgresql.usual_folders(str(tmp_path))) == [str(tmp_path), "/opt/postgresql/bin", *debian]
    monkeypatch.setenv("PATH", "/no/such/folder")
    assert list(postgresql.usual_folders(str(tmp_path))) == ["/no/such/folder", *debian]


def test_root_becomes_another_user_and_nobody_else_does():
    user_and_group = postgresql.run_as(0)
    assert user_and_group is not None
    assert 0 not in user_and_group
    assert postgresql.run_as(1000) is None
