from datetime import datetime, timezone

import pytest

from kintomodel.query.tombstones import Tombstone, is_tombstone, tombstone


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
