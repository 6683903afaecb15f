"""A private PostgreSQL cluster in a temporary folder, gone when it is stopped or we end."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from ..errors import UsageError
from .child import Child

# A shell watches over the cluster, as PostgreSQL does not notice when we are gone. It must come to
# its end even when nobody is left to read what it says: hence no SIGPIPE.
# /tmp, as the path of a socket has 107 bytes at most, and the unprivileged user must get there.
# C.UTF-8 knows more letters than those of ASCII, but some systems lack it.
_PROGRAM = r"""
cd /
trap '' PIPE
folder=$(mktemp -d /tmp/kintomodel-XXXXXX) || exit
trap 'rm -rf "$folder"' EXIT
create() { "$1/initdb" -D "$folder/data" -U kinto -A trust -E UTF8 --no-sync --locale="$2" >&2; }
create "$1" C.UTF-8 || create "$1" C || exit
"$1/pg_ctl" start -w -D "$folder/data" -o "-k $folder -c listen_addresses= -c timezone=UTC \
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off" >&2 || exit
echo "$folder"
read -r end
"$1/pg_ctl" stop -w -m fast -D "$folder/data" >&2
"""


@contextmanager
def cluster(timeout: float, folders: Sequence[str] | None = None) -> Generator[str, None, None]:
    """Run PostgreSQL for a while; gives the URL of its database, which is empty. Takes 1 to 2 s.

    It is reached over a socket in its own folder, by nobody but us. Run as root, it becomes the
    user postgres or nobody, as it refuses to be root. timeout: seconds to wait for it to be up.
    folders: where to look for its programs, as in unavailable(). UsageError if there are none.
    """
    reason = unavailable(folders)
    if reason is not None:
        raise UsageError(reason)
    command = ["sh", "-c", _PROGRAM, "sh", str(programs(folders))]
    with Child("PostgreSQL", command, timeout=timeout, run_as=run_as(os.geteuid())) as program:
        yield f"postgresql://kinto@/postgres?host={program.hear()}"


def unavailable(folders: Sequence[str] | None = None) -> str | None:
    """Why PostgreSQL cannot be started here, in one line; None if it can. Starts nothing.

    folders: where to look for its programs; None: in usual_folders().
    """
    if find_spec("psycopg2") is None or find_spec("sqlalchemy") is None:
        return 'Kinto lacks its PostgreSQL driver: pip install "kinto[postgresql]"'
    if programs(folders) is None:
        return "there is no PostgreSQL server on this machine: no folder has initdb and pg_ctl"
    return None


def programs(folders: Sequence[str] | None = None) -> str | None:
    """The first of the folders, or of usual_folders(), that has initdb and pg_ctl; else None."""
    for folder in usual_folders() if folders is None else folders:
        if all(shutil.which(program, path=folder) for program in ("initdb", "pg_ctl")):
            return os.path.abspath(folder)
    return None


def usual_folders(debian: str = "/usr/lib/postgresql") -> Iterator[str]:
    """PATH, what pg_config says, and the versions on a Debian machine, newest first."""
    yield from os.get_exec_path()
    pg_config = shutil.which("pg_config")
    if pg_config is not None:
        answer = subprocess.run([pg_config, "--bindir"], stdout=subprocess.PIPE, text=True)
        yield answer.stdout.strip()
    # A version is "15" or, long ago, "9.6".
    versions = sorted(Path(debian).glob("[0-9]*"), key=lambda path: float(path.name), reverse=True)
    yield from (str(version / "bin") for version in versions)


def run_as(user: int) -> tuple[int, int] | None:
    """The user and group id that PostgreSQL gets when this user starts it; None if its own will do."""
    if user != 0:
        return None
    import pwd  # not there on Windows, where the pytest plugin must be importable all the same

    users = {entry.pw_name: (entry.pw_uid, entry.pw_gid) for entry in pwd.getpwall()}
    return users.get("postgres") or users["nobody"]
