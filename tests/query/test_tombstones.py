import time
from datetime import datetime, timezone

import pytest

from kintomodel.protocol.objects import Page
from kintomodel.query.scanning import Found
from kintomodel.query.tombstones import Tombstone, is_tombstone, tombstone, tombstones


def test_a_tombstone_knows_the_moment_of_the_deletion():
    found = tombstone({"id": "a", "last_modified": 1795435200500, "deleted": True})
    assert found == Tombstone("a", 1795435200500)
    assert found.deleted_at == datetime(2026, 11, 23, 12, 0, 0, 500_000, timezone.utc)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"id": "a", "last_modified": 1, "deleted": True}, True),
        ({"id": "a", "last_modified": 1, "deleted": True, "n": 1}, False),
        ({"id": "a", "last_modified": 1, "deleted": False}, False),
        ({"id": "a", "last_modified": 1}, False),
    ],
)
def test_a_record_with_an_attribute_of_that_name_is_none(data, expected):
    assert is_tombstone(data) is expected


def test_of_a_moment_too_far_ahead_for_kinto_younger_ones_are_found_here():
    # Of a time that somebody chose.
    now = int(time.time() * 1000)
    day = 24 * 60 * 60 * 1000
    stream = tombstones("/records", now + 2 * day, 10)
    asked = next(stream)
    assert now < int(asked.params["gt_last_modified"]) < now + day
    older, younger = ({"id": "a", "last_modified": now + days * day, "deleted": True} for days in (2, 3))
    assert stream.send(Page((older, younger))) == Found([younger])
