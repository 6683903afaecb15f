from datetime import datetime, timedelta, timezone

import pytest

from kintomodel.errors import UsageError
from kintomodel.query import history

MOMENT = datetime(2026, 11, 23, 12, 0, 0, 500_000, timezone.utc)


def test_filters_are_sent_as_json_with_their_operator():
    assert history.params({"action": "create", "uri": None}, None, None) == {"eq_action": '"create"'}


@pytest.mark.parametrize("moment", [MOMENT, MOMENT.astimezone(timezone(timedelta(hours=5))), 1795435200500])
def test_bounds_leave_out_what_was_purged(moment):
    assert history.params({}, moment, moment) == {
        "gt_last_modified": "1795435200500",
        "lt_last_modified": "1795435200500",
        "not_deleted": "true",
    }


def test_unknown_filters_are_refused():
    with pytest.raises(UsageError, match=r"no filter 'colour', only action, .*, since, before"):
        history.params({"colour": "red"}, None, None)


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"action": "craete"}, "action is one of create, update, delete, got 'craete'"),
        ({"resource_name": "recrod"}, "resource_name is one of bucket, collection, group, record"),
    ],
)
def test_values_that_no_entry_has_are_refused(filters, message):
    with pytest.raises(UsageError, match=message):
        history.params(filters, None, None)


@pytest.mark.parametrize("moment", ["2026-01-01", 1.5, True])
def test_a_bound_that_is_no_moment_is_refused(moment):
    with pytest.raises(UsageError, match="since and before are a datetime, or milliseconds"):
        history.params({}, moment, None)


def test_an_entry_is_typed():
    entry = history.entry(
        {
            "id": "1", "last_modified": 2, "date": "2026-11-23T12:00:00.500000+00:00", "action": "create",
            "uri": "/buckets/b", "user_id": "account:a", "resource_name": "bucket", "bucket_id": "b",
            "target": {"data": {"id": "b"}, "permissions": {"write": ["account:a"]}},
        }
    )  # fmt: skip
    assert entry.date == MOMENT
    assert (entry.data, entry.permissions) == ({"id": "b"}, {"write": ("account:a",)})
    assert (entry.collection_id, entry.group_id, entry.record_id) == (None, None, None)


def test_a_page_is_as_long_as_asked():
    operation = history.first_page("/buckets/b/history", {"eq_action": '"create"'}, 10)
    assert operation.params == {"eq_action": '"create"', "_limit": "10"}


def test_a_filter_that_kinto_does_not_know_is_refused():
    with pytest.raises(UsageError, match="'colection_id', only action"):
        history.params({"colection_id": "receipts"}, None, None)
