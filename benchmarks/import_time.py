"""How long `import kintomodel` takes, as a ratio to the libraries that it stands on alone.

    python benchmarks/import_time.py [rounds]

Each round starts three interpreters one after the other: one that imports nothing, one that imports
requests, attrs and cattrs, and one that imports kintomodel. What is printed is the median over the
rounds of the ratio of the last two, each less the first. Exit status 1 above 1.3.
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
PROGRAMS = ("pass", "import requests, attrs, cattrs", "import kintomodel")


def seconds(program: str, environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
    return time.perf_counter() - started


def ratios(rounds: int) -> list[float]:
    with tempfile.TemporaryDirectory() as cache:
        # With byte code, as an installed package has it, wherever it may be written.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        root = str(Path(__file__).parents[1])
        environment |= {"PYTHONPYCACHEPREFIX": cache, "PYTHONPATH": root}
        for program in PROGRAMS:
            seconds(program, environment)
        found = []
        for _ in range(rounds):
            bare, libraries, ours = (seconds(program, environment) for program in PROGRAMS)
            found.append((ours - bare) / (libraries - bare))
    return found


def main() -> int:
    found = ratios(int(sys.argv[1]) if len(sys.argv) > 1 else 31)
    ratio = statistics.median(found)
    quarter, _, three_quarters = statistics.quantiles(found, n=4)
    spread = f"half of the rounds {quarter:.2f} to {three_quarters:.2f}"
    print(f"import kintomodel / its libraries: {ratio:.2f} ({spread})")
    return ratio > LIMIT


if __name__ == "__main__":
    sys.exit(main())
