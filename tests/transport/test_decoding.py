import json
import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintomodel.transport.decoding import decoder

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
