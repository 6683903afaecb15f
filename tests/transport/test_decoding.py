import json
import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintomodel.transport.decoding import decoder, splitter

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def same(one, other):
    """Of the same types as well, and NaN is NaN."""
    return repr(one) == repr(other)


@given(JSON, st.booleans())
def test_what_is_read_is_what_json_reads(value, ascii_only):
    content = json.dumps(value, ensure_ascii=ascii_only).encode(errors="surrogatepass")
    assert same(decoder()(content), json.loads(content))


@pytest.mark.parametrize(
    "content",
    [
        b"18446744073709551616",
        b"-9223372036854775809",
        b"1e30",
        b"1e400",
        b"NaN",
        b'"\\ud800"',
        b'{"a":1,"a":2}',
    ],
)
def test_numbers_and_texts_beyond_the_ordinary_are_those_of_json(content):
    assert same(decoder()(content), json.loads(content))


@pytest.mark.parametrize("content", [b"", b"[1,]", b'"\xff"', b"<html>", b"[" * 100_000])
def test_what_is_no_json_is_refused_as_by_json(content):
    with pytest.raises((ValueError, RecursionError)):
        decoder()(content)


def test_without_the_extra_it_is_json(monkeypatch):
    assert decoder() is not json.loads
    monkeypatch.setitem(sys.modules, "msgspec", None)
    assert decoder.__wrapped__() is json.loads
    assert math.isnan(decoder.__wrapped__()(b"NaN"))


@pytest.fixture(scope="module", params=["msgspec", "json"])
def split(request):
    if request.param == "msgspec":
        return splitter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "msgspec", None)
        return splitter.__wrapped__()


def members(split, content):
    """What it gives, and what it raises."""
    given = []
    try:
        given.extend(split(content))
    except (ValueError, RecursionError) as error:
        return given, error
    return given, None


@given(st.lists(JSON), st.booleans(), st.none() | st.just(2))
def test_a_page_is_split_into_its_members_and_their_texts(split, values, ascii_only, indent):
    page = json.dumps({"data": values}, ensure_ascii=ascii_only, indent=indent)
    content = page.encode(errors="surrogatepass")
    given, error = members(split, content)
    # json alone reads half of a surrogate pair that is not escaped, and says where one ends by itself.
    if error is None:
        assert same([value for value, _ in given], json.loads(content)["data"])
        assert all(same(decoder()(text), value) for value, text in given)
    else:
        assert given == []
        assert not values or "surrogate" in str(error) or "utf-8" in str(error)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"<html>",
        b'{"data": 1}',
        b'{"data": [1',
        b'{"data": [1,]}',
        b'{"data": [1 2]}',
        b'{"data": [1]',
        b'{"data": [1]} x',
        b'{"data": ["\xff"]}',
        b'{"data": [' + b"[" * 100_000,
    ],
)
def test_what_is_no_page_is_not_split_to_its_end(split, content):
    given, error = members(split, content)
    assert error is not None
    assert given in ([], [(1, "1")], [(1, b"1")])


def test_numbers_beyond_the_ordinary_keep_their_texts(split):
    content = b'{"data": [{"n": NaN, "m": 18446744073709551616, "o": 1e400}, {"n": "\\ud800"}]}'
    given, _ = members(split, content)
    assert same([value for value, _ in given], json.loads(content)["data"])
    assert [decoder()(text) for _, text in given][1] == {"n": "\ud800"}
