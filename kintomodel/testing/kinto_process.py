"""The program of the process that runs the real Kinto: server.py starts it by its path.

It imports nothing of kintomodel, and nothing imports it. Kinto needs a process of its own because
it replaces the json module inside requests (seen on 26.5).

The first line of stdin says what to run: {"settings": {...}, "port": 0, "account": [name,
password]}. The answer is {"port": 41234} once it listens. Then each line is ["flush"] or
["account", name, password], answered with {}. What cannot be done is answered with
{"refused": reason}. An empty line, or the end of stdin, ends the process.
"""

import functools
import gc
import json
import os
import sys
import threading
from importlib import import_module
from typing import Any

THREADS = 8


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr  # so that a stray print() is no answer
    wanted = json.loads(sys.stdin.readline())
    # What loading makes is no garbage: not to look for it saves 0.2 s here and 0.1 s at the end.
    gc.disable()
    application = load(wanted["settings"])
    gc.freeze()
    gc.enable()
    registry = application.registry
    set_account(registry, *wanted["account"])
    answer = listen(application, wanted["port"])
    print(json.dumps(answer), file=answers, flush=True)
    for line in iter(sys.stdin.readline, ""):
        if line == "\n":
            break
        command, *arguments = json.loads(line)
        if command == "flush":
            flush(registry)
            arguments = wanted["account"]
        answer = set_account(registry, *arguments)
        print(json.dumps(answer), file=answers, flush=True)


def load(settings: dict[str, Any]) -> Any:
    """The WSGI application, its back ends ready."""
    # Run by its path, Python looks for modules in this folder first: kinto might find ours.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [folder for folder in sys.path if folder != here]
    kinto = import_module("kinto")
    bcrypt: Any = import_module("bcrypt")
    # With bcrypt's own 12 rounds a new account costs 0.2 s, and so does its first login. Kinto
    # has no setting for it.
    bcrypt.gensalt = functools.partial(bcrypt.gensalt, 4)
    application = kinto.main({}, **settings)
    for backend in _backends(application.registry):
        backend.initialize_schema()
    return application


def listen(application: Any, port: int) -> dict[str, Any]:
    """Serve in a thread that dies with the process. Port 0 takes a free one."""
    create_server = import_module("waitress").create_server
    try:
        server = create_server(application, host="127.0.0.1", port=port, threads=THREADS)
    except OSError as error:
        return {"refused": f"Kinto cannot use port {port}: {error.strerror}"}
    threading.Thread(target=server.run, daemon=True).start()
    return {"port": server.effective_port}


def flush(registry: Any) -> None:
    """Empty the back ends. Not through HTTP: a server set to be readonly or retired obeys too."""
    for backend in _backends(registry):
        backend.flush()


def set_account(registry: Any, name: str, password: str) -> dict[str, str]:
    """Create the account, or give it this password."""
    views = import_module("kinto.plugins.accounts.views")
    if not views.AccountIdGenerator().match(name):
        return {"refused": f"Kinto takes no account named {name!r}"}
    try:
        account = {"id": name, "password": views.hash_password(password)}
    except ValueError as error:  # longer than 72 bytes, says bcrypt 5
        return {"refused": str(error)}
    registry.storage.update(resource_name="account", parent_id=name, object_id=name, obj=account)
    registry.permission.add_principal_to_ace(f"/accounts/{name}", "write", f"account:{name}")
    import_module("transaction").commit()
    # The password that it had before is held as verified.
    secret = registry.settings["userid_hmac_secret"]
    key = views.utils.hmac_digest(secret, views.ACCOUNT_CACHE_KEY.format(name))
    registry.cache.delete(key)
    return {}


def _backends(registry: Any) -> tuple[Any, Any, Any]:
    return registry.storage, registry.permission, registry.cache


if __name__ == "__main__":  # pragma: no branch - it is never imported
    main()
