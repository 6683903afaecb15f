"""A proxy on a raw socket that stands before a real server and breaks what passes, as it is told."""

from __future__ import annotations

import json
import random
import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import BinaryIO, Literal, TypeAlias
from urllib.parse import urlsplit

import attrs

Fault: TypeAlias = Literal[
    "none",  # pass on
    "before",  # cut before the server sees anything
    "during",  # cut in the middle of the request
    "after",  # the server has answered, the client hears nothing
    "truncate",  # half of the answer
    "refuse",  # a status of our own, the server sees nothing
    "lose",  # a status of our own, though the server did it
]

REFUSALS = (409, 429, 503)
LOSSES = (502, 503, 504)


@attrs.frozen
class Message:
    """A request or an answer as it came: start line, headers and body."""

    head: bytes
    body: bytes

    @property
    def bytes(self) -> bytes:
        return self.head + self.body

    @property
    def is_write(self) -> bool:
        return not self.head.startswith((b"GET ", b"HEAD "))


class FaultyProxy:
    """choose: from a request to what is done to it; it is called under a lock, in the order of arrival.

    faults: how often each was done. Give its url to a client in place of the server's.
    """

    def __init__(self, server_url: str, choose: Callable[[Message], Fault], *, seed: int = 0) -> None:
        parts = urlsplit(server_url)
        self._target = (parts.hostname or "", parts.port or 80)
        self._choose = choose
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: set[socket.socket] = set()
        self.faults: Counter[Fault] = Counter()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}{parts.path}"

    def __enter__(self) -> FaultyProxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        for one in list(self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """One connection of a client, with one of its own to the server, until either is cut."""
        with client, socket.create_connection(self._target) as server, suppress(OSError):
            self._sockets |= {client, server}
            from_client, from_server = client.makefile("rb"), server.makefile("rb")
            while (request := _message(from_client)) is not None:
                with self._lock:
                    fault = self._choose(request)
                    self.faults[fault] += 1
                if not self._pass_on(fault, request, client, server, from_server):
                    return

    def _pass_on(
        self, fault: Fault, request: Message, client: socket.socket, server: socket.socket, answers: BinaryIO
    ) -> bool:
        """False to cut the connection."""
        if fault == "before":
            return False
        if fault == "refuse":
            client.sendall(self._status(REFUSALS))
            return True
        if fault == "during":
            server.sendall(request.bytes[: len(request.bytes) // 2])
            return False
        server.sendall(request.bytes)
        answer = _message(answers, is_head=request.head.startswith(b"HEAD "))
        if answer is None or fault == "after":
            return False
        if fault == "truncate":
            client.sendall(answer.bytes[: len(answer.head) + len(answer.body) // 2])
            return len(answer.body) < 2
        client.sendall(self._status(LOSSES) if fault == "lose" else answer.bytes)
        return True

    def _status(self, among: tuple[int, ...]) -> bytes:
        with self._lock:
            status = self._random.choice(among)
            retry_after = "Retry-After: 0\r\n" if self._random.random() < 0.5 else ""
        body = json.dumps({"code": status, "errno": 999, "error": "Fault"}).encode()
        head = f"HTTP/1.1 {status} Fault\r\nContent-Type: application/json\r\n{retry_after}"
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def at_random(seed: int, share: float, faults: tuple[Fault, ...]) -> Callable[[Message], Fault]:
    """Of all requests this share gets one of these faults; the same for the same seed and order."""
    chance = random.Random(seed)

    def choose(_: Message) -> Fault:
        return chance.choice(faults) if chance.random() < share else "none"

    return choose


def _message(stream: BinaryIO, *, is_head: bool = False) -> Message | None:
    """The next one; None at the end of the stream."""
    head = b""
    length = 0
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return None
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
        head += line
    if is_head or b" 304 " in head.partition(b"\r\n")[0] or b" 204 " in head.partition(b"\r\n")[0]:
        return Message(head, b"")
    body = stream.read(length)
    return Message(head, body) if len(body) == length else None
