import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintomodel.errors import Conflict, Forbidden
from kintomodel.flows import fanout
from kintomodel.flows.fanout import Edit
from kintomodel.protocol import changes, operations
from kintomodel.protocol.objects import Page, Response
from kintomodel.protocol.paths import BucketPath, CollectionPath

from ..playing import FORBIDDEN, MISSING, conflict, play, stored

BUCKET = BucketPath("b")
NAMES = st.frozensets(st.sampled_from("abcd"))


def listing(*ids, more=False):
    return Page(tuple({"id": one, "last_modified": 1} for one in ids), "_token=x" if more else None)


def shown(id, since=1, **permissions):
    return Response(200, body={"data": {"id": id, "last_modified": since}, "permissions": permissions})


@given(held=NAMES, one=NAMES, other=NAMES)
def test_the_later_edit_counts(held, one, other):
    assert set(Edit().adding(one).removing(other).apply(held)) == (held | one) - other
    assert set(Edit().removing(one).adding(other).apply(held)) == (held - one) | other
    assert set(Edit(tuple(one)).adding(other).apply(held)) == one | other


def test_an_edit_keeps_the_order_and_names_each_once():
    assert Edit(added=frozenset("zb")).apply(["c", "a", "b"]) == ["c", "a", "b", "z"]


def test_what_is_kept_for_a_child_depends_on_its_kind():
    data = {"child_permissions": {"record_create": ["a"], "group_read": ["b"], "record_read": [], "x": ["c"]}}
    assert fanout.for_new_child("collection", data) == {"record:create": ["a"]}
    assert fanout.for_new_child("group", data) == {"read": ["b"]}
    assert fanout.for_new_child("group", {"child_permissions": [1]}) == {}


def test_the_creation_of_a_child_has_the_permissions_of_both_sources():
    write = changes.create(CollectionPath("b", "c"), {"a": 1}, {"read": ["x", "y"], "write": ["x"]})
    data = {"child_permissions": {"record_read": ["z", "y"], "record_create": ["z"], "group_write": ["g"]}}
    whole = {"read": ["z", "y", "x"], "record:create": ["z"], "write": ["x"]}
    assert fanout.inheriting(write, "collection", data) == changes.create(
        CollectionPath("b", "c"), {"a": 1}, whole
    )
    assert fanout.inheriting(write, "collection", {}) is write


@pytest.mark.parametrize("refusal", [FORBIDDEN, MISSING])
def test_a_bucket_that_may_not_be_read_gives_its_children_nothing(refusal):
    assert play(fanout.bucket_data(BUCKET), refusal)[0] == {}


def test_remembering_what_is_kept_already_costs_no_write():
    data = {"child_permissions": {"record_read": ["a"]}}
    _, asked = play(fanout.remember(BUCKET, {"record_read": Edit(("a",))}), stored(**data))
    assert asked == [operations.read(BUCKET)]


def test_children_are_listed_to_the_last_page():
    found, _ = play(fanout.children(BUCKET, "collection"), listing("c", more=True), listing("d"))
    assert found == [CollectionPath("b", "c"), CollectionPath("b", "d")]


def test_held_is_what_is_held_on_every_child_that_is_still_there():
    flow = fanout.held_by_children(BUCKET, "record_read", 25)
    answers = [shown("c", read=["x", "y"]), Response(404, body={"errno": 110}), shown("e", read=["y", "z"])]
    assert play(flow, listing("c", "d", "e"), answers)[0] == {"y"}
    assert play(fanout.held_by_children(BUCKET, "group_read", 25), listing())[0] is None


def test_a_child_that_cannot_be_read_is_an_error_not_nobody():
    flow = fanout.held_by_children(BUCKET, "record_read", 25)
    with pytest.raises(Forbidden):
        play(flow, listing("c"), FORBIDDEN)


def test_a_child_that_changed_meanwhile_is_edited_again():
    held = {"read": ("x",)}
    answers = [listing("c"), stored(1, held), conflict(), stored(5, {"read": ("x", "z")}), stored(6, held)]
    report, asked = play(fanout.spread(BUCKET, {"record_read": Edit(added=frozenset("y"))}, 25), *answers)
    assert [outcome.status for outcome in report] == ["updated"]
    assert asked[-1] == operations.update(
        CollectionPath("b", "c"), None, {"read": ["x", "z", "y"]}, last_modified=5
    )


def test_what_happens_to_children_is_told_of_each():
    held = {"read": ("x", "y")}
    edits = {"record_read": Edit(added=frozenset("y"))}
    unchanged = stored(1, held)
    assert [one.status for one in play(fanout.spread(BUCKET, edits, 1), listing("c"), unchanged)[0]] == [
        "unchanged"
    ]
    assert list(play(fanout.spread(BUCKET, edits, 1), listing("c"), MISSING)[0]) == []
    gone = play(fanout.spread(BUCKET, edits, 1), listing("c", "d", "e"), unchanged, MISSING, unchanged)[0]
    assert [one.position for one in gone] == [0, 1]
    two = [Response(404, body={"errno": 110}), shown("d", read=["x", "y"])]
    gone = play(fanout.spread(BUCKET, edits, 2), listing("c", "d", "e"), two, unchanged)[0]
    assert [one.position for one in gone] == [0, 1]
    two = play(fanout.spread(BUCKET, edits, 1), listing("c", "d"), unchanged, FORBIDDEN)[0]
    assert [(one.status, one.position) for one in two] == [("unchanged", 0), ("forbidden", 1)]


def test_a_child_that_others_never_stop_writing_is_reported():
    held = {"read": ("x",)}
    again = [stored(1, held), conflict()] * 12
    flow = fanout.spread(BUCKET, {"record_read": Edit(("y",))}, 25)
    report, _ = play(flow, listing("c"), stored(1, held), conflict(), *again)
    assert [outcome.status for outcome in report] == ["conflict"]
    assert isinstance(report.conflicts[0].error, Conflict)


def test_edits_of_groups_ask_for_groups_only():
    flow = fanout.spread(BUCKET, {"group_write": Edit(("y",))}, 25)
    report, asked = play(flow, listing("g"), stored(1, {}), stored(2, {}))
    assert [one.path for one in asked] == ["/buckets/b/groups", "/buckets/b/groups/g", "/buckets/b/groups/g"]
    assert [outcome.object for outcome in report.updated] == ["/buckets/b/groups/g"]
    assert attrs.asdict(report.updated[0])["position"] == 0
