import json

import pytest

from kintomodel.errors import (
    BadRequest,
    Conflict,
    NotFound,
    ServerError,
    TransportError,
    Unauthorized,
    UnreadableResponse,
    ValidationError,
)
from kintomodel.flows import accounts
from kintomodel.protocol.objects import Response
from kintomodel.protocol.responses import BACKEND_FAILED

from ..playing import BROKEN, FORBIDDEN, LOST, MISSING, conflict, play

HASH = "$2b$12$secret"
ZOE = accounts.Account("zoe", 1, {})


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


@pytest.mark.parametrize(
    ("flow", "before"), [(accounts.create_account("zoe", "x"), []), (accounts.delete_account("zoe"), [ZOE])]
)
def test_not_in_an_error_either(flow, before):
    details = {"existing": {"id": "zoe", "password": HASH}}
    with pytest.raises(Conflict) as caught:
        play(flow, *before, Conflict("there", status=412, details=details))
    assert caught.value.existing is None
    assert HASH not in repr(vars(caught.value))


def test_deleting_one_has_no_result():
    assert play(accounts.delete_account("zoe"), ZOE, 3)[0] is None


def test_a_password_is_sent_and_not_shown():
    _, asked = play(accounts.create_account("zoe", "s3cret"), conflict(2), ZOE)
    assert [json.loads(json.dumps(one.body)) for one in asked] == [{"data": {"password": "s3cret"}}, None]
    assert [dict(one.headers) for one in asked] == [
        {"If-None-Match": "*"},
        {"Authorization": "Basic em9lOnMzY3JldA=="},
    ]
    assert [str(one) for one in asked] == [
        "PUT /accounts/zoe\n  If-None-Match: *\n  <not shown>",
        "GET /accounts/zoe\n  <not shown>",
    ]
    assert "s3cret" not in repr(asked)
    assert "em9l" not in repr(asked)


REFUSED = Unauthorized("who?", status=401, attempts=2)


UNREADABLE = UnreadableResponse("a page of a proxy", status=200)
FAILED = ServerError("the back end failed", status=503, errno=BACKEND_FAILED)


@pytest.mark.parametrize("error", [conflict(2), REFUSED, LOST, BROKEN, UNREADABLE])
def test_an_account_whose_answer_was_lost_is_looked_at_with_its_password(error):
    assert play(accounts.create_account("zoe", "x"), error, ZOE)[0] == ZOE
    assert play(accounts.change_password("zoe", "x"), error, ZOE)[0] == ZOE
    with pytest.raises(type(error), match=str(error)):
        play(accounts.create_account("zoe", "x"), error, Unauthorized("other", status=401))


@pytest.mark.parametrize("error", [REFUSED, NotFound("gone", status=404, attempts=2)])
def test_an_account_that_was_there_and_is_not_on_the_second_attempt_is_deleted(error):
    assert play(accounts.delete_account("zoe"), ZOE, error)[0] is None
    error.attempts = 1
    with pytest.raises(type(error)):
        play(accounts.delete_account("zoe"), ZOE, error)
    error.attempts = 2


@pytest.mark.parametrize("error", [LOST, BROKEN, UNREADABLE])
def test_a_deletion_without_an_answer_is_looked_into(error):
    assert play(accounts.delete_account("zoe"), ZOE, error, MISSING)[0] is None
    for found in (ZOE, FORBIDDEN):
        with pytest.raises(type(error), match=str(error)):
            play(accounts.delete_account("zoe"), ZOE, error, found)


SLOW_DOWN = BadRequest("slow down", status=429, attempts=2)


def test_a_refusal_of_a_repetition_says_nothing_of_the_first_attempt():
    assert play(accounts.create_account("zoe", "x"), SLOW_DOWN, ZOE)[0] == ZOE
    assert play(accounts.delete_account("zoe"), ZOE, SLOW_DOWN, MISSING)[0] is None
    with pytest.raises(BadRequest, match="slow down"):
        play(accounts.delete_account("zoe"), ZOE, SLOW_DOWN, ZOE)
    for flow, answers in (
        (accounts.create_account("zoe", "x"), [SLOW_DOWN, LOST]),
        (accounts.delete_account("zoe"), [ZOE, SLOW_DOWN, LOST]),
    ):
        with pytest.raises(TransportError, match=r"slow down .* may have been carried out all the same"):
            play(flow, *answers)


def test_what_kinto_says_it_did_not_do_is_not_looked_into():
    for flow, answers in (
        (accounts.create_account("zoe", "x"), [FAILED]),
        (accounts.delete_account("zoe"), [ZOE, FAILED]),
    ):
        with pytest.raises(ServerError, match="the back end failed"):
            play(flow, *answers)


@pytest.mark.parametrize("password", ["", "x" * 73, "ä" * 37, "a\0", "\ud800", None, 3])
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
