import pytest

from kintomodel.errors import BadRequest, Conflict, Forbidden
from kintomodel.flows import listing
from kintomodel.protocol import operations
from kintomodel.protocol.objects import Page, Response
from kintomodel.query import scanning
from kintomodel.query.conditions import EVERYTHING, NOTHING
from kintomodel.query.filters import condition

from ..playing import conflict, ok, play


def page(*ids, more=False):
    objects = tuple({"id": one, "last_modified": 1, "n": one} for one in ids)
    return Page(objects, "_token=x&_limit=2" if more else None)


def test_pages_are_followed_to_the_last():
    found = []
    first = operations.list_page("/list", {"_limit": "2"})
    _, asked = play(scanning.each(listing.pages(first), found.extend), page("a", "b", more=True), page("c"))
    assert [data["id"] for data in found] == ["a", "b", "c"]
    assert [one.params for one in asked] == [{"_limit": "2"}, {"_token": "x", "_limit": "2"}]


def test_everything_is_deleted_by_asking_the_same_until_nothing_is_left():
    deletion = operations.delete_page("/list", {})
    result, asked = play(listing.delete_all("/list", EVERYTHING, 25), page("a", "b", more=True), page("c"))
    assert result == 3
    assert asked == [deletion, deletion]


def test_a_server_that_deletes_nothing_more_is_not_asked_for_ever():
    result, _ = play(listing.delete_all("/list", EVERYTHING, 25), page("a", more=True), page(more=True))
    assert result == 1


def test_nothing_is_asked_if_nothing_can_match():
    assert play(listing.delete_all("/list", NOTHING, 25)) == (0, [])


@pytest.mark.parametrize("filters", [{"n__endswith": "x"}, {"n__exists": True}])
def test_what_the_server_cannot_be_told_is_read_and_deleted_one_by_one(filters):
    found = Page(tuple({"id": one, "last_modified": 7, "n": one + "x"} for one in "abc"))
    answers = [
        ok({"id": "a", "last_modified": 8, "deleted": True}),
        Response(403),
        Response(404, body={"errno": 110}),
    ]
    result, asked = play(listing.delete_all("/list", condition(filters), 25), found, answers)
    assert result == 1
    assert [one["path"] for one in asked[1].body["requests"]] == ["/list/a", "/list/b", "/list/c"]
    assert asked[1].body["requests"][0]["headers"] == {"If-Match": '"7"'}


def residual(*found):
    return Page(tuple({"id": id, "last_modified": since, "n": "x"} for id, since in found))


def test_what_somebody_wrote_meanwhile_is_read_again_and_what_is_not_ours_is_not():
    result, asked = play(
        listing.delete_all("/list", condition({"n__exists": True}), 25),
        residual(("a", 7), ("b", 7)), [Response(412), Response(403)], residual(("a", 9), ("b", 7)), 10,
    )  # fmt: skip
    assert result == 1
    assert asked[3] == operations.delete("/list/a", last_modified=9)


def test_what_is_written_all_the_time_is_left_in_the_end_and_that_is_said():
    first = [residual(("a", 7), ("b", 7)), [ok({"id": "b", "last_modified": 8}), Response(412)]]
    answers = [residual(("a", 7)), conflict()] * (listing.RETRIES - 1)
    with pytest.raises(Conflict, match=r"DELETE /list: 1 that match .*; 1 are deleted: try again later"):
        play(listing.delete_all("/list", condition({"n__exists": True}), 25), *first, *answers)


@pytest.mark.parametrize(
    "refusal", [BadRequest("no", status=405), Forbidden("no", status=403, path="/batch")]
)
def test_what_is_refused_as_a_whole_is_an_error(refusal):
    with pytest.raises(type(refusal)):
        play(
            listing.delete_all("/list", condition({"n__exists": True}), 25),
            residual(("a", 7), ("b", 7)),
            refusal,
        )
