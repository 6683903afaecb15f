"""Run mypy, pyright and ty over this folder, and hold what they report against the `#!` marks.

python tests/typing/check.py: exit status 1, and a line for each difference, if there are any.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

FOLDER = Path(__file__).parent
FILES = sorted(path for path in FOLDER.glob("*.py") if path.name != "check.py")
_MARK = re.compile(r"#!((?: \w+)+)\s*$")
_REPORT = re.compile(r"(?P<file>[^:]+):(?P<line>\d+):(?:\d+:)? (?P<message>error.*)")

Places = dict[tuple[str, int], set[str]]


def expected() -> Places:
    """{(file, line): checkers} of the marks."""
    places: Places = {}
    for path in FILES:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            mark = _MARK.search(line)
            if mark:
                places[path.name, number] = set(mark[1].split())
    return places


def output_of(*command: str) -> str:
    result = subprocess.run(
        [sys.executable, "-m", *command, *map(str, FILES)],
        # mypy takes this folder for the root of its modules, and the checkout for that of the package.
        env=os.environ | {"MYPYPATH": f"{FOLDER}{os.pathsep}{FOLDER.parents[1]}"},
        capture_output=True,
        text=True,
        check=False,
        cwd=FOLDER.parents[1],
    )
    if result.returncode not in (0, 1):
        raise SystemExit(f"{command[0]} failed:\n{result.stdout}{result.stderr}")
    return result.stdout


def from_lines(checker: str, text: str, places: Places) -> None:
    for line in text.splitlines():
        found = _REPORT.match(line)
        if found:
            places[Path(found["file"]).name, int(found["line"])].add(checker)


def reported() -> Places:
    """{(file, line): checkers} of what they say."""
    places: Places = defaultdict(set)
    from_lines(
        "mypy",
        output_of("mypy", "--strict", "--explicit-package-bases", "--no-error-summary", "--no-incremental"),
        places,
    )
    from_lines("ty", output_of("ty", "check", "--output-format", "concise"), places)
    for report in json.loads(output_of("pyright", "--outputjson"))["generalDiagnostics"]:
        if report["severity"] == "error":
            places[Path(report["file"]).name, report["range"]["start"]["line"] + 1].add("pyright")
    return places


def main() -> int:
    wanted, found = expected(), reported()
    different = [
        place for place in sorted(wanted.keys() | found.keys()) if wanted.get(place) != found.get(place)
    ]
    for name, line in different:
        marks, checkers = wanted.get((name, line), set()), found.get((name, line), set())
        print(
            f"{name}:{line}: expected {sorted(marks) or 'nobody'}, reported by {sorted(checkers) or 'nobody'}"
        )
    print(f"{len(wanted)} marked lines, {len(different)} differences")
    return bool(different)


if __name__ == "__main__":
    sys.exit(main())
