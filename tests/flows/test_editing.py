import pytest

from kintomodel.errors import Conflict
from kintomodel.flows import editing
from kintomodel.protocol import operations
from kintomodel.protocol.paths import GroupPath

from ..playing import conflict, play, stored

PATH = GroupPath("b", "g")
READ = operations.read(PATH)
ADD_X = editing.membership(PATH, editing.with_members(["x"]))


def patch(*members, since):
    return operations.update(PATH, {"members": list(members)}, last_modified=since)


def group(last_modified, *members):
    return stored(last_modified, id="g", members=list(members))


def test_it_reads_and_writes_back_under_guard():
    result, asked = play(editing.edit(PATH, ADD_X), group(1, "a"), group(2, "a", "x"))
    assert result == group(2, "a", "x")
    assert asked == [READ, patch("a", "x", since=1)]


def test_what_is_known_need_not_be_read():
    _, asked = play(editing.edit(PATH, ADD_X, known=group(1)), group(2, "x"))
    assert asked == [patch("x", since=1)]


def test_what_is_so_already_is_not_written():
    assert play(editing.edit(PATH, ADD_X), group(1, "x")) == (group(1, "x"), [READ])


def test_where_nothing_is_to_be_done_by_what_is_known_the_server_is_asked():
    result, asked = play(editing.edit(PATH, ADD_X, known=group(1, "x")), group(2), group(3, "x"))
    assert result == group(3, "x")
    assert asked == [READ, patch("x", since=2)]


def test_verifying_looks_where_nothing_is_to_be_done_too():
    result, asked = play(editing.edit(PATH, ADD_X, verify=True), group(1, "x"), group(1, "x"))
    assert result == group(1, "x")
    assert asked == [READ, editing.later(READ, 1)]


def test_after_a_conflict_it_reads_again_later_and_keeps_what_others_did():
    result, asked = play(
        editing.edit(PATH, ADD_X, known=group(1)), conflict(), group(5, "b"), group(6, "b", "x")
    )
    assert result == group(6, "b", "x")
    assert asked == [patch("x", since=1), editing.later(READ, 1), patch("b", "x", since=5)]
    assert asked[1].after_failures == 1


def test_after_many_conflicts_the_last_is_raised():
    answers = [conflict(), group(1)] * (editing.TRIES - 1)
    with pytest.raises(Conflict):
        play(editing.edit(PATH, ADD_X, known=group(1)), *answers, conflict())


def test_verifying_ends_when_nobody_wrote_since():
    result, asked = play(editing.edit(PATH, ADD_X, known=group(1), verify=True), group(2, "x"), group(2, "x"))
    assert result == group(2, "x")
    assert asked[1] == editing.later(READ, 1)


def test_verifying_goes_on_while_others_write():
    result, asked = play(
        editing.edit(PATH, ADD_X, known=group(1), verify=True),
        group(2, "x"), group(3, "x", "y"), group(3, "x", "y"),
    )  # fmt: skip
    assert result == group(3, "x", "y")
    assert len(asked) == 3


def test_a_change_that_was_lost_is_made_again():
    result, asked = play(
        editing.edit(PATH, ADD_X, known=group(1), verify=True),
        group(2, "x"), group(3, "y"), group(4, "y", "x"), group(4, "y", "x"),
    )  # fmt: skip
    assert result == group(4, "y", "x")
    assert asked[2] == patch("y", "x", since=3)


def test_verifying_gives_up_looking_at_a_group_that_never_rests():
    looks = [group(3 + at, "x", str(at)) for at in range(5)]
    result, _ = play(editing.edit(PATH, ADD_X, known=group(1), verify=True), group(2, "x"), *looks)
    assert result == looks[-1]


def test_a_change_that_is_lost_every_time_is_an_error_after_a_limited_number_of_writes():
    answers = [group(2, "x"), group(2)] * editing.TRIES
    with pytest.raises(Conflict, match="given up after 12 tries"):
        play(editing.edit(PATH, ADD_X, known=group(1), verify=True), *answers)


def test_members_are_added_and_removed_once_each():
    alter = editing.with_members(["b", "c", "c"], ["a"])
    assert alter(["a", "b", "d"]) == ["b", "d", "c"]
    assert editing.members(stored()) == []
