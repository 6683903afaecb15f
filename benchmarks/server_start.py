"""How long KintoServer takes to come up, beside a process that only imports Kinto.

Prints the seconds and their ratio; exits 1 if it takes 2 seconds or more, or 3 times the import.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from kintomodel.testing import KintoServer

ROUNDS = 7
MOST_SECONDS = 2.0
MOST_RATIO = 3.0


def seconds_to_start() -> float:
    begun = time.perf_counter()
    with KintoServer():
        return time.perf_counter() - begun


def seconds_to_import() -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import kinto, waitress"], check=True)
    return time.perf_counter() - begun


def main() -> int:
    rounds = [(seconds_to_start(), seconds_to_import()) for _ in range(ROUNDS)]
    start = statistics.median(start for start, _ in rounds)
    ratio = statistics.median(start / imported for start, imported in rounds)
    print(f"KintoServer is up after {start:.2f} s, {ratio:.2f} times the import of Kinto alone")
    return start >= MOST_SECONDS or ratio >= MOST_RATIO


if __name__ == "__main__":
    sys.exit(main())
