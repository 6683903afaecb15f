"""A proxy that makes a server of this machine as far away as another continent: see reading.py.

Run as a program it reads the port of the server and the milliseconds of a round trip from stdin,
answers with its own port, and ends at the end of stdin.
"""

from __future__ import annotations

import queue
import socket
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from kintomodel.testing.child import Child


@contextmanager
def far_away(url: str, milliseconds: float) -> Generator[str, None, None]:
    """The URL of the same server, but with round trips of so many milliseconds."""
    with Child("The proxy", [sys.executable, __file__], timeout=30.0) as proxy:
        port = proxy.ask(f"{urlsplit(url).port} {milliseconds}")
        yield f"http://127.0.0.1:{port}/v1"


def main() -> None:
    port, milliseconds = sys.stdin.readline().split()
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    threading.Thread(
        target=accept, args=(listener, int(port), float(milliseconds) / 1000), daemon=True
    ).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read(1)


def accept(listener: socket.socket, port: int, delay: float) -> None:
    while True:
        client, _ = listener.accept()
        server = socket.create_connection(("127.0.0.1", port))
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        late: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        for work, arguments in (
            (receive, (client, late, delay)),
            (deliver, (late, server)),
            (pass_on, (server, client)),
        ):
            threading.Thread(target=work, args=arguments, daemon=True).start()


def receive(source: socket.socket, late: queue.SimpleQueue[tuple[float, bytes]], delay: float) -> None:
    """All of the delay is on the way to the server, where little is sent at a time."""
    data = b"-"
    while data:
        try:
            data = source.recv(65536)
        except OSError:
            data = b""
        late.put((time.monotonic() + delay, data))


def deliver(late: queue.SimpleQueue[tuple[float, bytes]], target: socket.socket) -> None:
    with suppress(OSError):
        while True:
            moment, data = late.get()
            time.sleep(max(0.0, moment - time.monotonic()))
            if not data:
                target.shutdown(socket.SHUT_WR)
                return
            target.sendall(data)


def pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    main()
