"""How far bulk work is: a function of the user's, or a bar by tqdm."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeAlias

from ..errors import UsageError

Tell: TypeAlias = Callable[[int, "int | None"], object]
Progress: TypeAlias = Tell | bool | None
"""Called with how many are done and how many there are, None if that is not known; True shows a bar."""


def silent(done: int, total: int | None) -> None:
    """For those who do not want to know."""


@contextmanager
def reporting(progress: Progress, total: int | None) -> Generator[Tell, None, None]:
    """What is to be called; UsageError if a bar is wanted and tqdm is not installed."""
    if callable(progress):
        yield progress
    elif progress is True:
        with _bar(total) as tell:
            yield tell
    elif progress is False or progress is None:
        yield silent
    else:
        raise UsageError(f"progress is a function of (done, total), or True for a bar, got {progress!r}")


@contextmanager
def _bar(total: int | None) -> Generator[Tell, None, None]:
    try:
        from tqdm import tqdm
    except ImportError:
        raise UsageError('progress=True needs tqdm: pip install "kintomodel[cli]"') from None
    with tqdm(total=total, unit="record") as bar:
        yield lambda done, _: bar.update(done - bar.n)
