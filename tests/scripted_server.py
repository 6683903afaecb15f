"""A server on a raw socket that answers from a script, for what a real one does not do on demand."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, BinaryIO

import attrs

JSON_HEADERS = {"Content-Type": "application/json"}


@attrs.frozen
class Answer:
    """What to do with one request. body: bytes, or what becomes JSON.

    missing: bytes of the body that are announced and not sent, before the connection is closed;
    stall: send nothing (or, with missing, nothing more) until the server ends.
    """

    status: int = 200
    body: object = b""
    headers: Mapping[str, str] = attrs.field(factory=dict)
    missing: int = 0
    stall: bool = False

    def to_bytes(self) -> bytes:
        plain = isinstance(self.body, bytes)
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        headers = {**({} if plain else JSON_HEADERS), "Content-Length": str(len(body) + self.missing)}
        lines = [f"HTTP/1.1 {self.status} Scripted"]
        lines += [f"{name}: {value}" for name, value in {**headers, **self.headers}.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


@attrs.frozen
class Close:
    """Close the connection. after_reading: the request is read first."""

    after_reading: bool = True


@attrs.frozen
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class ScriptedServer:
    """Answers one request after the other; the last line of the script is repeated.

    requests: those that were read; connections: how many were accepted.
    """

    def __init__(self, *script: Answer | Close) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self._script = list(script) or [Answer(body={})]
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._spawn(self._accept)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"

    def __enter__(self) -> ScriptedServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        # Closing alone does not wake a thread that waits in accept() or recv().
        for one in [self._listener, *self._open]:
            with suppress(OSError):  # its other end may have been closed before
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(10)

    def _spawn(self, work: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _next(self) -> Answer | Close:
        with self._lock:
            return self._script.pop(0) if len(self._script) > 1 else self._script[0]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            self._spawn(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as stream:
                while self._exchange(connection, stream):
                    pass
        except OSError:
            pass  # the client closed it, or the server ends

    def _exchange(self, connection: socket.socket, stream: BinaryIO) -> bool:
        """Serve one request; is there a next one on this connection?"""
        first = stream.readline()
        if not first:
            return False
        step = self._next()
        if step == Close(after_reading=False):
            return False
        self.requests.append(_read(first, stream))
        if isinstance(step, Close):
            return False
        if step.missing or not step.stall:
            connection.sendall(step.to_bytes())
        if step.stall:
            self._ended.wait(10)
        return not step.missing


def _read(first: bytes, stream: BinaryIO) -> Request:
    method, target, _ = first.decode().split()
    headers: dict[str, str] = {}
    for line in iter(stream.readline, b"\r\n"):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Request(method, target, headers, body)
