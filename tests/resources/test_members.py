"""The members of a group as a set."""

from typing import Any

import attrs
import pytest

from kintomodel.errors import UsageError, ValidationError
from kintomodel.protocol.permissions import user_ids
from kintomodel.resources.members import MemberSet


@attrs.define
class Holder:
    data: dict[str, Any]

    @property
    def members(self) -> MemberSet:
        return MemberSet(self)


@pytest.fixture
def group() -> Holder:
    return Holder({"members": ["a", "b"]})


def test_it_is_a_view_of_the_list_in_the_data(group: Holder):
    members = group.members
    members.add("c")
    assert group.data == {"members": ["a", "b", "c"]}
    group.data["members"] = ["z"]
    assert list(members) == ["z"]
    assert len(members) == 1
    assert repr(members) == "{'z'}"


def test_a_lone_member_is_taken_wherever_several_are(group: Holder):
    members = group.members
    members += "cc"
    members |= ["dd", "a"]
    members -= "b"
    members.discard(["nobody", "a"])
    assert group.data["members"] == ["cc", "dd"]
    assert members + "ee" == {"cc", "dd", "ee"}


def test_no_operator_splits_a_lone_member_into_letters(group: Holder):
    members = group.members
    assert members | "cc" == {"a", "b", "cc"} == "cc" | members
    assert members - "a" == {"b"}
    assert "cc" - members == {"cc"}
    assert members & "a" == {"a"} == "a" & members
    assert members ^ "cc" == {"a", "b", "cc"} == "cc" ^ members
    assert not members.isdisjoint("a")
    assert members.isdisjoint("ab")
    members &= "a"
    members ^= "cc"
    assert set(group.data["members"]) == {"a", "cc"}
    members.update("dd", ["ee", "a"])
    members.remove("dd")
    with pytest.raises(KeyError):
        members.remove("dd")
    assert members == {"a", "cc", "ee"}


def test_it_is_a_set(group: Holder):
    assert "a" in group.members
    assert group.members == {"a", "b"}
    assert group.members & {"a", "z"} == {"a"}
    group.members.clear()
    assert group.data["members"] == []


def test_a_group_without_the_list_has_no_members():
    assert list(Holder({}).members) == []


@pytest.mark.parametrize("given", ["", " a", "/buckets/b/groups/g", "group:g", "system.Everyone"])
def test_what_kinto_takes_for_no_user_is_refused(given: str):
    with pytest.raises(ValidationError, match="cannot be in a group"):
        user_ids(given)


@pytest.mark.parametrize(
    ("given", "problem"), [("account:a\0", "cannot store the character NUL"), ("a\ud800", "a lone surrogate")]
)
def test_what_kinto_cannot_store_is_refused(given: str, problem: str):
    with pytest.raises(ValidationError, match=f"the member '.*': .*{problem}"):
        user_ids(["account:bob", given])


@pytest.mark.parametrize("given", [3, [3], None, [["account:bob"]]])
def test_what_is_no_text_is_refused(given: Any):
    with pytest.raises(UsageError, match="member"):
        user_ids(given)
