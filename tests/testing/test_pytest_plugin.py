import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def run_pytest(tmp_path: Path, environment: dict[str, str]):
    """Run a test file of its own in a pytest of its own; gives what it printed."""

    def run(source: str) -> str:
        (tmp_path / "test_it.py").write_text(source)
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-v", "test_it.py"]
        if not _registered():
            command[3:3] = ["-p", "kintomodel.testing.pytest_plugin"]
        ran = subprocess.run(
            command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True, timeout=60
        )
        return ran.stdout

    return run


def _registered() -> bool:
    from importlib.metadata import entry_points

    return any(point.value == "kintomodel.testing.pytest_plugin" for point in entry_points(group="pytest11"))


def test_the_client_finds_an_empty_server_in_each_test(run_pytest):
    output = run_pytest(
        "import pytest, requests\n"
        "@pytest.mark.parametrize('round', [1, 2])\n"
        "def test_empty(kinto_server, kinto_client, round):\n"
        "    assert kinto_client.url == kinto_server.url\n"
        "    assert kinto_client.server_info().user.id == 'account:tester'\n"
        "    buckets = kinto_server.url + '/buckets'\n"
        "    assert requests.get(buckets, auth=kinto_server.auth).json()['data'] == []\n"
        "    requests.put(buckets + '/shop', auth=kinto_server.auth).raise_for_status()\n"
    )
    assert "2 passed" in output


def test_one_server_serves_the_whole_run(run_pytest):
    output = run_pytest(
        "urls = set()\n"
        "def test_one(kinto_server): urls.add(kinto_server.url)\n"
        "def test_two(kinto_server): urls.add(kinto_server.url); assert len(urls) == 1\n"
    )
    assert "2 passed" in output


def test_without_kinto_only_the_tests_that_use_it_fail_and_in_one_line(run_pytest):
    output = run_pytest(
        "import sys\n"
        "sys.modules['kinto'] = None\n"
        "def test_without(): pass\n"
        "def test_with(kinto_client): pass\n"
    )
    assert "1 passed, 1 error" in output
    assert '\nKinto is not installed: pip install "kintomodel[server]"\n' in output
    assert "Traceback" not in output
    assert "pytest_plugin.py" not in output


def test_pytest_starts_without_kinto_and_without_loading_it(run_pytest):
    output = run_pytest(
        "import sys\n"
        "def test_it(): assert not {'kinto', 'pyramid', 'waitress', 'sqlalchemy'} & set(sys.modules)\n"
    )
    assert "1 passed" in output
