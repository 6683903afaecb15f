"""Writes that others see late.

On PostgreSQL a write has its time before anybody can see it: then the time of its list may be later
already, and stays (Kinto 26.5). By the clock of the web server, as its Date says it. All in milliseconds.
"""

from __future__ import annotations

LONGEST_WRITE = 10_000
"""More than a write takes, a batch being one."""


def are_over(time: int, clock: int | None, longest: int = LONGEST_WRITE) -> bool:
    """Is every write done, by that clock, that began by that time?"""
    return clock is not None and clock > time + longest


def settled(time: int, clock: int | None, longest: int = LONGEST_WRITE) -> int:
    """Up to when all writes are done, when a list of that time was read by that clock."""
    if are_over(time, clock, longest):
        return time
    # The time is ahead of the clock if somebody chose it.
    return max(0, min(time, time if clock is None else clock) - longest)
