"""The permissions of one object as attributes; no server is asked."""

from collections.abc import Mapping
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintomodel.errors import PermissionsNotVisible, UsageError, ValidationError
from kintomodel.protocol.permissions import Authenticated, Everyone, account, group
from kintomodel.resources.permissions import (
    CollectionPermissions,
    GroupPermissions,
    Permission,
    PrincipalSet,
    RecordPermissions,
)

FRIENDS = "/buckets/shop/groups/friends"
NAMES = st.sampled_from("abcd")


@attrs.define
class Owner:
    """Shows what it has, and keeps what it is sent."""

    shown: Mapping[str, Any] | None = None
    loaded: int = 0
    sent: list[Mapping[str, list[str]]] = attrs.field(factory=list)

    def load_permissions(self) -> Mapping[str, Any] | None:
        self.loaded += 1
        return self.shown

    def send_permissions(self, changed: Mapping[str, list[str]]) -> None:
        self.sent.append(changed)


def known(**permissions: Any) -> RecordPermissions:
    return RecordPermissions("shop", known=permissions)


class TestPrincipalSet:
    def test_a_group_is_found_by_either_spelling(self):
        permissions = known(read=[FRIENDS])
        assert "group:friends" in permissions.read
        assert group("friends", "shop") in permissions.read
        assert "group:enemies" not in permissions.read
        assert 3 not in permissions.read

    def test_a_lone_principal_is_taken_wherever_several_are(self):
        permissions = known(read=["a"])
        permissions.read += "group:friends"
        permissions.read |= Everyone
        permissions.read -= "a"
        permissions.read.update("bb", ["cc", account("dd")])
        assert permissions.changed() == {"read": [FRIENDS, "system.Everyone", "bb", "cc", "account:dd"]}
        assert known(read=["a"]).read + "bb" == {"a", "bb"}

    def test_it_is_a_set(self):
        read = known(read=["a", "b"]).read
        assert read == {"b", "a"}
        assert len(read) == 2
        assert read & {"a", "z"} == {"a"}
        assert repr(read) == "{'a', 'b'}"

    def test_removing_what_is_not_there_is_an_error(self):
        permissions = known(read=["a", "b"])
        with pytest.raises(KeyError, match="'z' is not in it"):
            permissions.read.remove(["a", "z"])
        permissions.read.remove("a")
        permissions.read.discard(Authenticated)
        assert permissions.changed() == {"read": ["b"]}
        permissions.read.clear()
        assert permissions.changed() == {"read": []}

    def test_it_stays_valid_when_the_server_shows_something_new(self):
        permissions = known(read=["a"])
        read = permissions.read
        permissions.accept({"read": ["z"]})
        assert set(read) == {"z"}

    @given(st.frozensets(NAMES), st.lists(st.tuples(st.booleans(), NAMES)))
    def test_it_behaves_like_a_set_whatever_is_done(
        self, start: frozenset[str], steps: list[tuple[bool, str]]
    ):
        permissions, expected = known(read=start), set(start)
        for adding, name in steps:
            (permissions.read.add if adding else permissions.read.discard)(name)
            (expected.add if adding else expected.discard)(name)
        assert permissions.read == expected
        assert bool(permissions.changed()) == (expected != start)


class TestKnowing:
    def test_what_is_not_known_is_asked_for_once_when_it_is_read(self):
        owner = Owner({"read": ["a"]})
        permissions = RecordPermissions("shop", owner)
        assert owner.loaded == 0
        assert set(permissions.read) == {"a"}
        assert set(permissions.write) == set()
        assert owner.loaded == 1

    def test_assigning_asks_for_nothing(self):
        owner = Owner({"read": ["a"]})
        permissions = RecordPermissions("shop", owner)
        permissions.read = ["b"]
        assert permissions.changed() == {"read": ["b"]}
        assert set(permissions.read) == {"b"}
        assert owner.loaded == 0

    def test_what_the_server_hides_is_not_nobody(self):
        owner = Owner(None)
        permissions = RecordPermissions("shop", owner)
        for _ in range(2):
            with pytest.raises(PermissionsNotVisible, match="who holds 'read'"):
                permissions.read += "a"
        assert owner.loaded == 1
        with pytest.raises(PermissionsNotVisible):
            permissions.as_dict()
        permissions.read = "a"
        permissions.write = []
        assert permissions.as_dict() == {"read": ["a"], "write": []}

    def test_without_anybody_to_ask_it_is_hidden(self):
        with pytest.raises(PermissionsNotVisible):
            list(RecordPermissions("shop").read)

    def test_the_same_in_another_order_is_no_change(self):
        permissions = known(read=["a", "b"])
        permissions.read = ["b", "a"]
        assert permissions.changed() == {}

    def test_edits_survive_what_is_learned_and_not_what_is_accepted(self):
        permissions = known(read=["a"])
        permissions.read += "b"
        permissions.write += "c"
        permissions.know({"read": ["z"]})
        assert permissions.changed() == {"read": ["a", "b"], "write": ["c"]}
        permissions.settle(["read"], {"read": ["a", "b"]})
        assert permissions.changed() == {"write": ["c"]}
        permissions.accept({"read": ["a"]})
        assert permissions.changed() == {}

    def test_reprs_say_what_is_known(self):
        assert repr(known(read=["a"])) == "<RecordPermissions {'read': ['a']}>"
        assert repr(RecordPermissions("shop")) == "<RecordPermissions (not loaded) {}>"


class TestSending:
    def test_updating_sends_whole_lists_at_once(self):
        owner = Owner()
        permissions = RecordPermissions("shop", owner)
        permissions.update(read="group:friends", write=[])
        assert owner.sent == [{"read": [FRIENDS], "write": []}]

    def test_there_must_be_something_to_update(self):
        with pytest.raises(UsageError, match="save it first"):
            known().update(read="a")


class TestNames:
    def test_underscores_stand_for_colons(self):
        permissions = CollectionPermissions("shop", known={})
        permissions.record_create += "a"
        permissions["record_create"] |= "b"
        permissions["record:create"].add("c")
        assert permissions.changed() == {"record:create": ["a", "b", "c"]}
        permissions.assign({"record_create": "z"})
        assert permissions.changed() == {"record:create": ["z"]}

    @pytest.mark.parametrize("name", ["reed", "record_create", ""])
    def test_a_wrong_name_is_refused_with_those_that_there_are(self, name: str):
        permissions = known()
        with pytest.raises(UsageError, match="here, only read, write"):
            permissions[name] = "a"
        with pytest.raises(UsageError):
            _ = permissions[name]
        with pytest.raises(UsageError):
            permissions.assign({"read": "a", name: "b"})
        assert permissions.changed() == {}

    def test_they_can_be_gone_through(self):
        assert list(GroupPermissions("shop")) == ["read", "write"]
        assert isinstance(known()["read"], PrincipalSet)
        assert isinstance(RecordPermissions.read, Permission)

    def test_who_can_read_includes_who_can_write(self):
        permissions = known(read=["a"], write=["b"])
        assert permissions.who_can("read") == {"a", "b"}
        assert permissions.who_can("write") == {"b"}


@pytest.mark.parametrize("principal", ["", " a", "group:", "group:a b", "a\0"])
def test_what_can_be_no_principal_is_refused(principal: str):
    with pytest.raises(ValidationError):
        known().read.add(principal)


@pytest.mark.parametrize("principal", [3, [3], None])
def test_what_is_no_text_is_refused(principal: Any):
    with pytest.raises(UsageError, match="principal"):
        known().read.add(principal)


class TestStandOn:
    """Edits, made again on top of what others granted and took away meanwhile."""

    def test_what_was_added_and_taken_away_is_done_again(self):
        permissions = known(read=["account:ann", "account:bob"])
        permissions.read += "account:zoe"
        permissions.read -= "account:bob"
        permissions.stand_on({"read": ["account:bob", "account:carol"]})
        assert permissions.changed() == {"read": ["account:carol", "account:zoe"]}

    def test_what_nobody_edited_is_theirs(self):
        permissions = known(read=["account:ann"])
        permissions.stand_on({"read": ["account:bob"]})
        assert permissions.changed() == {}
        assert permissions.read == {"account:bob"}

    def test_a_list_that_was_assigned_unseen_stays_that_list(self):
        permissions = RecordPermissions("shop")
        permissions.read = ["account:zoe"]
        permissions.stand_on({"read": ["account:bob"]})
        assert permissions.changed() == {"read": ["account:zoe"]}

    def test_what_is_hidden_now_is_not_merged_with(self):
        permissions = known(read=["account:ann"])
        permissions.read += "account:zoe"
        permissions.stand_on(None)
        assert permissions.changed() == {"read": ["account:ann", "account:zoe"]}

    @given(st.sets(NAMES), st.sets(NAMES), st.sets(NAMES))
    def test_it_is_a_three_way_merge(self, base, mine, theirs):
        permissions = known(read=base)
        permissions.read = mine
        permissions.stand_on({"read": theirs})
        assert set(permissions.read) == (theirs - (base - mine)) | (mine - base)
