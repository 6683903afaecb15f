"""How much memory work takes at its peak."""

import gc
import tracemalloc
from collections.abc import Callable


def peak(work: Callable[[], None]) -> int:
    """The most bytes in use at one time."""
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
