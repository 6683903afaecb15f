import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests import PreparedRequest, Request
from requests.auth import HTTPBasicAuth, HTTPDigestAuth

from kintomodel.errors import UsageError
from kintomodel.transport.auth import authorization

text = st.text(st.characters(exclude_categories=["Cs"]))
users = text.filter(lambda user: user and ":" not in user and not user.lower().strip().startswith("bearer"))


def header(auth) -> str | None:
    request = authorization(auth)(Request("GET", "http://localhost/v1").prepare())
    return request.headers.get("Authorization")


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@given(users, text)
def test_user_and_password_are_basic_authentication(user, password):
    assert header((user, password)) == basic(user, password)


@given(users.filter(lambda user: user == user.strip()), text)
def test_the_text_form_means_the_same(user, password):
    assert header(f"{user}:{password}") == basic(user, password)


@pytest.mark.parametrize("auth", ["bob:a b", "bob:a:b", "bob: x", "bob:", "bob:a ", "bob smith:pw"])
def test_a_password_may_hold_blanks_and_colons(auth):
    assert header(auth) == basic(*auth.split(":", 1))


def test_a_list_may_come_from_a_file_of_json():
    assert header(["bob", "pw"]) == basic("bob", "pw")


@pytest.mark.parametrize("auth", ["Bearer t0k.en", "  Bearer   t0k.en "])
def test_a_token_is_sent_as_it_is(auth):
    assert header(auth) == "Bearer t0k.en"


def test_a_token_may_hold_colons():
    assert header("Bearer a:b") == "Bearer a:b"


def test_without_credentials_nothing_is_set():
    assert header(None) is None


def test_what_requests_takes_is_used_as_it_is():
    assert header(HTTPBasicAuth("bob", "pw")) == basic("bob", "pw")
    digest = HTTPDigestAuth("bob", "pw")
    assert authorization(digest) is digest


def test_a_function_can_sign():
    def sign(request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = "Mine x"
        return request

    assert header(sign) == "Mine x"


REFUSED = [
    "",
    "s3cret",
    "Bearer ",
    ":s3cret",
    "Bearer s3cret\nX-Other: 1",
    "Bearer s3crét",
    ("bob",),
    ("bob", "s3cret", "x"),
    ("bob", 53),
    (b"bob", b"s3cret"),
    ("b:ob", "s3cret"),
    ("bob", "s3cret\ud800"),
    "bob:s3cret\ud800",
    53,
    {"user": "s3cret"},
    b"bob:s3cret",
]


@pytest.mark.parametrize("auth", REFUSED)
def test_other_forms_are_refused_without_showing_them(auth):
    with pytest.raises(UsageError) as caught:
        authorization(auth)
    assert "s3cr" not in f"{caught.value!r}"
    assert str(caught.value).isprintable()


@given(st.text())
def test_any_text_is_a_header_or_refused(auth):
    try:
        found = header(auth)
    except UsageError:
        return
    assert found is not None
    assert found.isascii()
    assert found.isprintable()


@pytest.mark.parametrize("auth", [("bob", "s3cret"), "bob:s3cret", "Bearer s3cret", "s3cret s3cret"])
def test_no_credentials_are_shown(auth):
    assert repr(authorization(auth)) == "<credentials>"


def test_it_shows_if_there_are_none():
    assert repr(authorization(None)) == "<anonymous>"
