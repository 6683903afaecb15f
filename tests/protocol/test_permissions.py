import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintomodel.errors import UsageError, ValidationError
from kintomodel.protocol.permissions import (
    Authenticated,
    Everyone,
    Principal,
    account,
    group,
    principals,
)

named = st.sampled_from(
    ["account:bob", "system.Everyone", "/buckets/shop/groups/g", "basicauth:12", "group:g"]
)


def test_the_two_principals_of_kinto_itself():
    assert (Everyone, Authenticated) == ("system.Everyone", "system.Authenticated")


def test_a_principal_is_sent_as_it_stands():
    assert json.dumps([account("bob")]) == '["account:bob"]'
    assert isinstance(group("friends"), Principal)


def test_an_account_is_given_by_its_name_alone():
    with pytest.raises(ValidationError, match=r"account\('account:bob'\): give the name alone"):
        account("account:bob")


def test_a_group_of_another_bucket_is_its_path():
    assert group("friends", bucket="club") == "/buckets/club/groups/friends"


@pytest.mark.parametrize("arguments", [("a/b", "club"), ("friends", "c/lub")])
def test_a_group_path_has_valid_ids(arguments):
    with pytest.raises(ValidationError):
        group(*arguments)


@pytest.mark.parametrize("given", ["group:friends", group("friends"), ["group:friends"]])
def test_a_group_without_a_bucket_is_one_of_the_own_bucket(given):
    assert principals(given, "shop") == ("/buckets/shop/groups/friends",)


def test_one_principal_may_stand_for_a_list_of_one():
    assert principals("account:bob", "shop") == principals(["account:bob"], "shop") == ("account:bob",)


def test_several_come_from_any_iterable():
    assert principals(iter([Everyone, account("bob")]), "shop") == ("system.Everyone", "account:bob")


@given(st.lists(named))
def test_each_principal_is_there_once_and_the_order_stays(several):
    found = principals(several, "shop")
    assert len(set(found)) == len(found)
    assert principals([*found, *several], "shop") == found


@given(st.lists(named))
def test_the_result_is_of_plain_strings(several):
    assert all(type(one) is str for one in principals([Principal(one) for one in several], "shop"))


@pytest.mark.parametrize("given", [None, 1, True])
def test_what_is_no_principal_is_refused(given):
    with pytest.raises(UsageError, match="expected a principal or several, got"):
        principals(given, "shop")


@pytest.mark.parametrize("given", [[None], [1], b"account:bob", [["account:bob"]]])
def test_what_holds_no_principals_is_refused(given):
    with pytest.raises(UsageError, match="a principal is a string such as 'account:bob', got"):
        principals(given, "shop")


@pytest.mark.parametrize("given", ["", " ", " account:bob", "account:bob\n", "a\0b", "\ud800"])
def test_a_text_that_kinto_cannot_keep_is_refused(given):
    with pytest.raises(ValidationError, match="principal") as caught:
        principals(given, "shop")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("given", ["group:", "group:a b", "group:/buckets/b/groups/g"])
def test_a_group_needs_a_name_that_kinto_takes(given):
    with pytest.raises(ValidationError, match="is no group id"):
        principals(given, "shop")


def test_a_group_of_the_default_bucket_needs_the_real_id_of_that():
    with pytest.raises(ValidationError, match="by its real id only"):
        principals("group:friends", "default")
    assert principals(Everyone, "default") == ("system.Everyone",)
    for make in (lambda: group("x", "default"), lambda: principals("/buckets/default/groups/x", "b")):
        with pytest.raises(ValidationError, match="by its real id only"):
            make()
