"""Parts of records and values are those of the whole records, whatever is stored and asked."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kintomodel import Count, Model, field
from kintomodel.protocol.values import sendable

from .test_oracle import NAMES, Absent, collections, inner, looks, store, stored_at, trees, tried, written


class Anything(Model, bucket="payments", collection="receipts"):
    """Without the names that Kinto cannot select, which are read whole."""

    a: Any = None
    b: Any = None
    any_c: Any = None
    min_d: Any = None
    hidden: Any = field(default=None, key="_h")


PLAIN = sorted(NAMES.keys() - {"odd", "dotted", "b__x y"})
FIELDS = ["a", "b", "any_c", "min_d", "hidden"]


@tried(0.2)
@given(data=st.data(), stored=collections, page_size=st.integers(1, 5))
def test_parts_and_values_are_those_of_the_whole_records(payments, data, stored, page_size):
    shown = store(payments, stored)
    known = [item for one in stored for value in one.values() for item in (value, *inner(value))]
    plain = looks(known).filter(lambda look: look.name in PLAIN)
    queryset = Anything.objects.filter(written(data.draw(trees(plain))))
    order = data.draw(st.lists(st.tuples(st.sampled_from(PLAIN), st.booleans()), max_size=2))
    queryset = queryset.order_by(*(f"{'-' if descending else ''}{name}" for name, descending in order))
    whole = list(queryset)
    # PostgreSQL gives back large floats as integers.
    by_id: dict[str, Any] = {one["id"]: sendable(one) for one in shown}

    only = data.draw(st.lists(st.sampled_from(FIELDS), min_size=1, unique=True))
    parts = list(queryset.only(*only).iterator(page_size=page_size))
    assert [one.id for one in parts] == [one.id for one in whole]
    for part, one in zip(parts, whole, strict=True):
        assert {name: vars(part)[name] for name in only} == {name: getattr(one, name) for name in only}
        assert not vars(part).keys() & (set(FIELDS) - set(only))
        assert part.changes() == {}
    for part, one in zip(parts[:1], whole, strict=False):
        assert [getattr(part, name) for name in FIELDS] == [getattr(one, name) for name in FIELDS]
        assert (part.extra, part.changes()) == (one.extra, {})

    names = data.draw(st.lists(st.sampled_from(PLAIN), min_size=1, max_size=3, unique=True))
    rows = list(queryset.values_list(*names).iterator(page_size=page_size))
    at = [[stored_at(by_id[one.id], NAMES[name]) for name in names] for one in whole]
    assert repr(rows) == repr([tuple(None if value is Absent else value for value in row) for row in at])
    counts = queryset.aggregate(n=Count(), **{f"n{at}": Count(name) for at, name in enumerate(names)})
    assert counts == {
        "n": len(whole),
        **{f"n{place}": sum(row[place] not in (None, Absent) for row in at) for place in range(len(names))},
    }
    assert {repr(value) for value in queryset.distinct_values(names[0])} <= {repr(row[0]) for row in at}
