import pytest

from kintomodel.query.late_writes import LONGEST_WRITE, are_over, settled

TIME = 50_000


@pytest.mark.parametrize(
    ("clock", "over", "until"),
    [
        (TIME + LONGEST_WRITE + 1, True, TIME),
        (TIME + LONGEST_WRITE, False, TIME - LONGEST_WRITE),
        (None, False, TIME - LONGEST_WRITE),
        # Somebody chose a time ahead of the clock.
        (TIME - 1000, False, TIME - 1000 - LONGEST_WRITE),
        (0, False, 0),
    ],
)
def test_writes_are_seen_by_all_when_the_longest_would_be_over(clock, over, until):
    assert (are_over(TIME, clock), settled(TIME, clock)) == (over, until)
