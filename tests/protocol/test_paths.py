import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintomodel.errors import ValidationError
from kintomodel.protocol.paths import BucketPath, CollectionPath, GroupPath, RecordPath, check_id

ids = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9_-]*", fullmatch=True)


@given(ids)
def test_an_id_that_kinto_takes_is_accepted(id):
    assert check_id("record", id) == id


@given(st.text().filter(lambda text: not re.fullmatch("[a-zA-Z0-9][a-zA-Z0-9_-]*", text)))
def test_any_other_text_is_refused(text):
    with pytest.raises(ValidationError):
        check_id("record", text)


@pytest.mark.parametrize(
    "value", ["", "a/b", "../a", "a?b", "-a", "_a", "a b", "é", "a\n", "a%2Fb", "٣", None, 1, b"a"]
)
def test_what_would_lead_elsewhere_is_refused(value):
    with pytest.raises(ValidationError, match="is no bucket id: Kinto takes letters, digits"):
        BucketPath(value)


def test_a_message_about_an_id_is_one_line():
    with pytest.raises(ValidationError) as caught:
        check_id("record", "a\nb")
    assert "\n" not in str(caught.value)


@given(ids, ids, ids)
def test_paths_are_those_of_kinto(bucket, inner, record):
    assert str(BucketPath(bucket)) == f"/buckets/{bucket}"
    assert str(CollectionPath(bucket, inner)) == f"/buckets/{bucket}/collections/{inner}"
    assert str(GroupPath(bucket, inner)) == f"/buckets/{bucket}/groups/{inner}"
    assert str(RecordPath(bucket, inner, record)) == f"/buckets/{bucket}/collections/{inner}/records/{record}"


def test_plural_endpoints_stand_below_their_parent():
    assert BucketPath("b").collections == "/buckets/b/collections"
    assert BucketPath("b").groups == "/buckets/b/groups"
    assert CollectionPath("b", "c").records == "/buckets/b/collections/c/records"


def test_a_collection_knows_the_paths_of_its_records():
    assert CollectionPath("b", "c").record("r") == RecordPath("b", "c", "r")


def test_a_record_has_a_short_name_for_messages():
    assert RecordPath("b", "c", "r").name == "b/c/r"


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: CollectionPath("/", "c"), "bucket"),
        (lambda: CollectionPath("b", "/"), "collection"),
        (lambda: GroupPath("/", "g"), "bucket"),
        (lambda: GroupPath("b", "/"), "group"),
        (lambda: RecordPath("b", "/", "r"), "collection"),
        (lambda: RecordPath("b", "c", "/"), "record"),
        (lambda: CollectionPath("b", "c").record("/"), "record"),
    ],
)
def test_each_part_is_checked_by_its_name(make, kind):
    with pytest.raises(ValidationError, match=f"^'/' is no {kind} id"):
        make()
