import pytest

from kintomodel.protocol.objects import Page, Response, ServerInfo, StoredObject, User


def server_info(settings):
    return ServerInfo("26.5.0", "1.23", "http://localhost/v1/", settings, {})


def test_a_stored_object_knows_its_id_and_time():
    stored = StoredObject({"id": "a", "last_modified": 1200, "total": 3})
    assert (stored.id, stored.last_modified) == ("a", 1200)


def test_permissions_that_were_not_shown_are_none_and_not_empty():
    assert StoredObject({"id": "a", "last_modified": 1}).permissions is None
    assert StoredObject({}, {}) != StoredObject({}, None)


def test_an_answer_came_at_the_first_attempt_unless_it_says_otherwise():
    assert Response(200) == Response(200, {}, None, None, 1)


def test_a_page_is_the_last_one_unless_it_says_otherwise():
    assert Page(()).next_query is None


def test_a_user_needs_no_default_bucket():
    assert User("account:bob").bucket is None


def test_the_server_says_how_much_a_batch_takes():
    assert server_info({"batch_max_requests": 25}).batch_max_requests == 25


@pytest.mark.parametrize("settings", [{}, {"batch_max_requests": None}, {"batch_max_requests": 0}])
def test_a_server_may_set_no_limit(settings):
    assert server_info(settings).batch_max_requests is None
