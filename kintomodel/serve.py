"""The command `serve`: a Kinto to try things on, until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence

from .errors import KintoError
from .testing import KintoServer

_RUNNING = """\
Kinto is running, with the {backend} back end:

    export KINTO_SERVER={url}
    export KINTO_AUTH={user}:{password}

Everything in it is gone when it ends. Press Ctrl-C to end it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m kintomodel")
    serve = parser.add_subparsers(required=True, metavar="COMMAND").add_parser(
        "serve", help="run a real Kinto on this machine, empty, until Ctrl-C"
    )
    serve.add_argument("--port", type=int, default=0, metavar="N", help="default: a free one")
    serve.add_argument("--backend", choices=["memory", "postgresql"], default="memory")
    return run(parser.parse_args(arguments))


def run(options: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM. options: port, backend."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        with KintoServer(options.backend, port=options.port) as server:
            user, password = server.auth
            text = _RUNNING.format(backend=server.backend, url=server.url, user=user, password=password)
            print(text, flush=True)
            ended.wait()
    except KintoError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("Kinto has ended.")
    return 0
