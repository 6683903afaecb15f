import pytest

from kintomodel.errors import Conflict, ValidationError
from kintomodel.protocol import accounts
from kintomodel.protocol.objects import Response

from .playing import play

HASH = "$2b$12$secret"


def shown(flow):
    """What becomes of an answer that holds the hash."""
    operation = next(flow)
    body = {"data": {"id": "zoe", "last_modified": 1, "password": HASH, "age": 3}, "permissions": {}}
    return operation, operation.read(Response(201, body=body))


@pytest.mark.parametrize(
    ("make", "method", "headers"),
    [
        (accounts.create_account, "PUT", {"If-None-Match": "*"}),
        (accounts.change_password, "PATCH", {}),
    ],
)
def test_the_hash_of_the_password_goes_no_further(make, method, headers):
    operation, account = shown(make("zoe", "s3cret"))
    assert (operation.method, operation.path, operation.headers) == (method, "/accounts/zoe", headers)
    assert account == accounts.Account("zoe", 1, {"age": 3})
    assert account.principal == "account:zoe"
    assert HASH not in repr(account)


@pytest.mark.parametrize("flow", [accounts.create_account("zoe", "x"), accounts.delete_account("zoe")])
def test_not_in_an_error_either(flow):
    details = {"existing": {"id": "zoe", "password": HASH}}
    with pytest.raises(Conflict) as caught:
        play(flow, Conflict("there", status=412, details=details))
    assert caught.value.existing is None
    assert HASH not in repr(vars(caught.value))


def test_deleting_one_has_no_result():
    assert play(accounts.delete_account("zoe"), 3)[0] is None


@pytest.mark.parametrize("password", ["", "x" * 73, "ä" * 37, "a\0", None, 3])
def test_a_password_that_kinto_fails_at_is_refused_without_showing_it(password):
    with pytest.raises(ValidationError, match="a password is") as caught:
        accounts.create_account("zoe", password)
    assert not password or str(password) not in str(caught.value)


@pytest.mark.parametrize("id", ["a.b+c@example.org", "0", "a_b-c"])
def test_account_ids_may_be_addresses(id):
    assert next(accounts.delete_account(id)).path == f"/accounts/{id}"


@pytest.mark.parametrize("id", ["", "../x", "a b", "@a", "ä", None, "a/b", "a?b"])
def test_others_are_refused(id):
    with pytest.raises(ValidationError, match="is no account id"):
        next(accounts.delete_account(id))
