from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintomodel.errors import UsageError
from kintomodel.protocol import tokens
from kintomodel.protocol.tokens import Token

NOW = 1795433763055
IDLE = Token("payments/receipts", NOW, NOW, NOW)
BUSY = IDLE._replace(settled=NOW - 5000, seen=frozenset({b"abcdef", b"ghijkl"}))

times = st.integers(0, 2**53)
everything = st.builds(
    Token,
    st.from_regex(r"[a-zA-Z0-9_-]{1,20}/[a-zA-Z0-9_-]{1,20}", fullmatch=True),
    times,
    times,
    times,
    st.frozensets(st.binary(min_size=6, max_size=6)),
    st.booleans(),
)


def text_of(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


@given(everything)
def test_a_token_survives_as_text(token):
    text = str(token)
    assert tokens.read(text, token.place) == token
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_the_token_of_an_idle_collection_is_small():
    assert len(str(IDLE)) < 100
    assert len(str(BUSY)) - len(str(IDLE)) == 16
    assert (IDLE.is_settled, BUSY.is_settled) == (True, False)


@given(everything, st.data())
def test_a_text_that_lost_something_is_no_token(token, data):
    text = str(token)
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    with pytest.raises(UsageError, match=r"a token is what changes\.next gives, or None for all, got "):
        tokens.read(cut, token.place)


@given(st.text() | st.binary() | st.integers() | st.binary().map(text_of))
def test_anything_else_is_no_token(text):
    with pytest.raises(UsageError, match=r"a token is what changes\.next gives"):
        tokens.read(text, "payments/receipts")


@pytest.mark.parametrize(
    "raw",
    [
        b'[2,"p/r",1,1,1,0,0]\n',
        b'[true,"p/r",1,1,1,0,0]\n',
        b"[1,7,1,1,1,0,0]\n",
        b'[1,"p/r","1",1,1,0,0]\n',
        b'[1,"p/r",1,1.5,1,0,0]\n',
        b'[1,"p/r",1,1,-1,0,0]\n',
        b'[1,"p/r",1,1,true,0,0]\n',
        b'[1,"p/r",1,1,1,0,1]\n',
        b'[1,"p/r",1,1,1,0,1]\nabc',
        b'[1,"p/r",1,1,1,0,1]\nabcdefabcdef',
        b'[1,"p/r",1,1,1,0,{}]\n',
        b'[1,"p/r",1,1,1,0,0]',
        b'[1, "p/r",1,1,1,0,0]\n',
        b'[1,"p/r",1,1,1]\n',
        b'[1,"p/r",1,1,1,2,0]\n',
        b'[1,"p/r",1,1,1,false,0]\n',
        b"7\n",
        b'"abcdef"\n',
        b"[" * 100_000,
        b"\xff\n",
    ],
)
def test_what_only_looks_like_one_is_no_token(raw):
    with pytest.raises(UsageError, match=r"a token is what changes\.next gives"):
        tokens.read(text_of(raw), "p/r")


def test_a_token_of_another_collection_is_refused():
    with pytest.raises(
        UsageError,
        match=r"^this token is of payments/receipts, and not of payments/orders: keep one for each",
    ):
        tokens.read(str(IDLE), "payments/orders")


def test_a_version_is_that_of_an_object_at_a_time_with_what_it_holds():
    data = {"id": "a", "last_modified": 1, "n": [1, {"m": 2}]}
    assert tokens.version(data) == tokens.version({"n": [1, {"m": 2}], "last_modified": 1, "id": "a"})
    others = [
        {**data, "last_modified": 2},
        {**data, "id": "a1"},
        {**data, "n": [1, {"m": 3}]},
        {**data, "n": [True, {"m": 2}]},
        {"id": "a", "last_modified": 1},
        {"id": "a", "last_modified": 1, "deleted": True},
    ]
    assert len({tokens.version(one) for one in [data, *others]}) == 7


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), (0, -0.0), (10**22, 1e22), (12345678901234567, 1.2345678901234567e16), (2**53, 2.0**53)],
)
def test_a_version_is_the_same_however_a_number_comes_back(one, other):
    assert tokens.version({"n": one}) == tokens.version({"n": other})
