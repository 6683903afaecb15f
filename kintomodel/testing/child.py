"""Child: a program of ours that ends when we end, and the lines we exchange with it."""

from __future__ import annotations

import os
import selectors
import subprocess
import tempfile
import threading
from collections.abc import Sequence

from typing_extensions import Self

from ..errors import ConnectionFailed

LOG_TAIL = 4000
"""Bytes of the program's stderr that are shown."""

_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
_KEPT_PREFIXES = ("PYTHON", "LC_", "COVERAGE")


class Child:
    """A running program that reads lines on its stdin and answers each with a line on its stdout.

    It must end by itself at an empty line and at the end of its stdin: that comes when our
    process ends in any way, SIGKILL included. So nothing outlives us.
    name: of the program, for messages. timeout: seconds to wait for each line. patience: seconds
    that it has to end, before it is killed. run_as: user and group id to run as, if not ours.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        timeout: float,
        patience: float = 15.0,
        run_as: tuple[int, int] | None = None,
    ) -> None:
        user, group = run_as or (None, None)
        self._name = name
        self._timeout = timeout
        self._patience = patience
        self._turn = threading.Lock()
        # Appending, as both of us move the one position of an open file. It has no name: nothing
        # of it is left if we are killed.
        self._log_file = tempfile.TemporaryFile("a+b")  # noqa: SIM115 - stop() closes it
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log_file,
                bufsize=0,  # what could not be sent is not to be sent again when stdin is closed
                env=_environment(),
                start_new_session=True,  # Ctrl-C is for us; we end the child in our order
                user=user,
                group=group,
                extra_groups=None if user is None else [],
            )
        except BaseException:
            self._log_file.close()
            raise
        self._log_at_end = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> str:
        """The end of what the program wrote on its stderr; still there after it was stopped."""
        if self._log_file.closed:
            return self._log_at_end
        size = os.fstat(self._log_file.fileno()).st_size
        tail = os.pread(self._log_file.fileno(), LOG_TAIL, max(0, size - LOG_TAIL))
        return tail.decode(errors="replace").strip()

    def ask(self, line: str) -> str:
        """Send a line and wait for the answer. Threads take turns."""
        assert self._process.stdin is not None
        with self._turn:
            try:
                self._process.stdin.write(line.encode() + b"\n")
            except (BrokenPipeError, ValueError):  # ValueError: it was stopped
                raise self._failure("has ended") from None
            return self.hear()

    def hear(self) -> str:
        """Wait for the next line. If none comes, stop it and raise ConnectionFailed with its log."""
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            answered = selector.select(self._timeout)
        line = self._process.stdout.readline() if answered else b""
        if not line:
            self.stop()  # an answer that came later would be taken for that to the next question
            raise self._failure("has ended" if answered else f"said nothing for {self._timeout:g} s")
        return line.decode().rstrip("\n")

    def stop(self) -> None:
        """Ask the program to end, wait until it has, and kill it if it does not. Twice is fine."""
        if self._log_file.closed:
            return
        try:
            # The empty line is for the case that a fork of ours still holds the pipe open.
            self._process.communicate(b"\n", timeout=self._patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._log_at_end = self.log
        self._log_file.close()

    def _failure(self, what: str) -> ConnectionFailed:
        wrote = f"it wrote:\n{self.log}" if self.log else "it wrote nothing"
        return ConnectionFailed(f"{self._name} {what}; {wrote}")


def _environment() -> dict[str, str]:
    # Kinto takes any variable that is named like one of its settings (READONLY=true, seen on
    # 26.5), and PostgreSQL every PG*: only what Python and the system need is passed on. Kinto
    # warns as it starts, so that PYTHONWARNINGS=error would keep it from starting.
    return {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or (name.startswith(_KEPT_PREFIXES) and name != "PYTHONWARNINGS")
    }
