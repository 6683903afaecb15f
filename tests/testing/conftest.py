import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """The variables for a Python that finds kintomodel, be it installed or not."""
    folders = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, folders))}


@pytest.fixture(scope="session")
def killed_after_a_line(environment: dict[str, str]) -> Callable[..., str]:
    """Run a program until it prints a line, kill it with SIGKILL and return the line."""

    def run(source: str, *arguments: str) -> str:
        command = [sys.executable, "-c", source, *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stdout is not None
            line = process.stdout.readline().strip()
            process.send_signal(signal.SIGKILL)
        return line

    return run


@pytest.fixture(scope="session")
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait until the condition holds, or fail after 15 seconds."""

    def wait(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 15
        while not condition():
            assert time.monotonic() < end, "it did not come about in 15 s"
            time.sleep(0.02)

    return wait


@pytest.fixture(scope="session")
def process_runs() -> Callable[[int], bool]:
    """Whether there is such a process. One that has ended and that nobody waited for is none."""

    def runs(pid: int) -> bool:
        shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], stdout=subprocess.PIPE, text=True)
        return bool(shown.stdout.strip()) and not shown.stdout.startswith("Z")

    return runs
