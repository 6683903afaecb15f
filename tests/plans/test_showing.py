"""What a plan prints: sets by what comes and goes, warnings after the changes."""

import pytest

from kintomodel.plans.planned import Planned
from kintomodel.plans.showing import Members, text
from kintomodel.syncing.comparing import Change


def test_a_set_shows_what_comes_and_what_goes() -> None:
    assert str(Members(["a", "b"], ["b", "c\x1b", "d"])) == "+c\\u001b +d -a"
    change = Change("update", "x", difference={"members": Members(["a"], [])})
    assert text("1 to update", [change]).splitlines()[1:] == ["~ x members: -a"]


def test_warnings_follow_the_changes_and_end_somewhere() -> None:
    shown = text("nothing to do", [], [f"w{number}\x1b" for number in range(1002)]).splitlines()
    assert shown[1] == "! w0\\u001b"
    assert shown[1000:] == ["! w999\\u001b", "... and 2 more warnings"]


def test_a_plan_of_its_own_says_where_it_is_of() -> None:
    with pytest.raises(NotImplementedError):
        repr(Planned[Change]((), (), (), 0))
