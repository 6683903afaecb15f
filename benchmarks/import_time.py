"""How long `import kintomodel` takes, as a ratio to the libraries that it stands on alone.

    python benchmarks/import_time.py [rounds]

Each round starts four interpreters one after the other: one that imports nothing, one that imports
requests, attrs and cattrs, one that imports kintomodel, which loads what is asked of it and no more,
and one that asks for all of its names. What is printed is the median over the rounds of the ratios of the
last two to the second, each less the first. Exit status 1 if that of the import is above 1.3.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT = 1.3
PROGRAMS = (
    "pass",
    "import requests, attrs, cattrs",
    "import kintomodel",
    "from kintomodel import *",
)


def seconds(program: str, environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
    return time.perf_counter() - started


def ratios(rounds: int) -> list[tuple[float, float]]:
    with tempfile.TemporaryDirectory() as cache:
        # With byte code, as an installed package has it, wherever it may be written.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        root = str(Path(__file__).parents[1])
        environment |= {"PYTHONPYCACHEPREFIX": cache, "PYTHONPATH": root}
        for program in PROGRAMS:
            seconds(program, environment)
        found = []
        for _ in range(rounds):
            bare, libraries, face, names = (seconds(program, environment) for program in PROGRAMS)
            found.append(((face - bare) / (libraries - bare), (names - bare) / (libraries - bare)))
    return found


def main() -> int:
    found = ratios(int(sys.argv[1]) if len(sys.argv) > 1 else 31)
    face, names = (statistics.median(several) for several in zip(*found, strict=True))
    print(f"import kintomodel / its libraries: {face:.2f}; with all of its names: {names:.2f}")
    return face > LIMIT


if __name__ == "__main__":
    sys.exit(main())
