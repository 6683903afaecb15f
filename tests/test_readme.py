"""What the README shows and says is so."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from kintomodel.resources.client import Client
from kintomodel.testing import KintoServer

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.rst").read_text()
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def test_the_code_of_the_readme_runs(
    client: Client, server: KintoServer, capsys: pytest.CaptureFixture[str]
) -> None:
    block = README.split(".. code-block:: python\n\n")[1].split("\nEditors complete")[0]
    shown = 'kintomodel.connect("http://localhost:8888/v1", auth=("alice", "s3cret"))'
    code = textwrap.dedent(block)
    assert shown in code
    here = f"kintomodel.connect({server.url!r}, auth={server.auth!r})"
    exec(compile(code.replace(shown, here), "README.rst", "exec"), {"__name__": "readme"})
    assert capsys.readouterr().out.endswith(" 12.5\n")


@pytest.mark.parametrize("extra", ["server", "cli", "yaml", "schema"])
def test_the_extras_for_users_are_those_of_the_package(extra: str) -> None:
    assert f"``kintomodel[{extra}]``" in README
    assert f"\n{extra} =\n" in (ROOT / "setup.cfg").read_text()


def test_ci_runs_the_test_command_of_the_readme_and_nothing_else() -> None:
    commands = [line.strip() for line in README.splitlines() if line.startswith("    python -m pip install")]
    assert commands == [
        'python -m pip install -e ".[server]" && python examples/receipts.py',
        "python -m pip install tox && tox",
    ]
    assert 'eval "$(sed' in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_each_example_runs_on_a_server_of_the_environment(
    example: Path, server: KintoServer, client: Client
) -> None:
    """client: for the emptied server that it stands for."""
    del client
    where = {"KINTO_SERVER": server.url, "KINTO_AUTH": ":".join(server.auth)}
    result = run(example, os.environ | where)
    assert result.returncode == 0, result.stderr
    assert server.url in result.stdout


def test_the_receipts_example_brings_its_own_server() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KINTO_")}
    result = run(ROOT / "examples" / "receipts.py", environment)
    assert result.returncode == 0, result.stderr
    assert "Two writers: mine 0, theirs 13.5; theirs is kept" in result.stdout
    assert "Deleted: 0 are left" in result.stdout


def test_an_example_that_cannot_connect_says_so_in_one_line() -> None:
    environment = os.environ | {"KINTO_SERVER": "http://127.0.0.1:9/v1", "KINTO_AUTH": "tester:secret"}
    result = run(ROOT / "examples" / "receipts.py", environment)
    assert result.returncode == 1
    assert result.stderr.startswith("error: GET http://127.0.0.1:9/v1/: ")
    assert result.stderr.count("\n") == 1


def run(example: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(example)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
