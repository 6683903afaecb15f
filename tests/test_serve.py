import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from kintomodel import serve
from kintomodel.testing import KintoServer, postgresql

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    folders = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, folders))}
    started = []

    def start(*arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "kintomodel", *arguments]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def read_announcement(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    lines = []
    while "Ctrl-C" not in "".join(lines[-1:]):
        lines.append(process.stdout.readline())
        assert lines[-1], f"it ended early: {process.communicate()}"
    return "".join(lines)


def value(text: str, name: str) -> str:
    return text.partition(f"export {name}=")[2].partition("\n")[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "backend",
    [
        "memory",
        pytest.param(
            "postgresql",
            marks=pytest.mark.skipif(
                postgresql.unavailable() is not None, reason=str(postgresql.unavailable())
            ),
        ),
    ],
)
def test_serve_tells_where_it_is_and_ends_with_ctrl_c_and_sigterm(start: Start, backend: str, number: int):
    process = start("serve", "--backend", backend)
    text = read_announcement(process)
    user, password = value(text, "KINTO_AUTH").split(":")
    root = requests.get(value(text, "KINTO_SERVER") + "/", auth=(user, password), timeout=30)
    assert root.json()["user"]["id"] == "account:tester"
    assert f"with the {backend} back end" in text
    process.send_signal(number)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors) == (0, "Kinto has ended.\n", "")


def test_serve_takes_the_port_it_is_told_and_says_in_one_line_if_it_cannot(start: Start):
    with KintoServer() as other:
        port = other.url.partition("127.0.0.1:")[2].partition("/")[0]
        process = start("serve", "--port", port)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (1, "")
    assert errors == f"error: Kinto cannot use port {port}: Address already in use\n"


@pytest.mark.parametrize("arguments", [[], ["swerve"], ["serve", "--port", "high"]])
def test_a_wrong_command_line_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as raised:
        serve.main(arguments)
    assert raised.value.code == 2
    assert "usage: python -m kintomodel" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["99999", "-1"])
def test_a_port_that_is_none_is_refused_in_one_line(start: Start, port: str):
    output, errors = start("serve", "--port", port).communicate(timeout=30)
    assert (output, errors) == ("", f"error: a port is a number from 0 to 65535, got {port}\n")
