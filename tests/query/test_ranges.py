import bisect
import itertools
import uuid

import hypothesis.strategies as st
import pytest
from hypothesis import given

from kintomodel.protocol.objects import Page
from kintomodel.query.conditions import EVERYTHING, And, Comparison, matches
from kintomodel.query.ranges import between, cuts, samples, split

RECORDS = "/buckets/shop/collections/things/records"
IDS = st.text("0123456789abz_-AZ", min_size=1, max_size=12)


def page(ids, more="_token=x"):
    return Page(tuple({"id": id, "last_modified": 1} for id in ids), more)


def sizes(ids, parts):
    """How many ids are in each part, if the sample is the first and last hundred of them."""
    bounds = cuts({*ids[:100], *ids[-100:]}, parts)
    places = [0, *(bisect.bisect_right(sorted(ids), bound) for bound in bounds), len(ids)]
    return [end - start for start, end in itertools.pairwise(places)]


def test_each_id_is_in_exactly_one_part():
    assert between(["b", "d"]) == [
        Comparison(("id",), "le", "b"),
        And((Comparison(("id",), "gt", "b"), Comparison(("id",), "le", "d"))),
        Comparison(("id",), "gt", "d"),
    ]
    assert between(["b"]) == [Comparison(("id",), "le", "b"), Comparison(("id",), "gt", "b")]
    assert between([]) == [EVERYTHING]


@given(st.sets(IDS, min_size=1), st.lists(IDS), st.integers(1, 20))
def test_whatever_the_sample_each_id_is_in_exactly_one_part(sample, ids, parts):
    bounds = cuts(sample, parts)
    assert bounds == sorted(set(bounds))
    conditions = between(bounds)
    assert len(conditions) <= parts
    for id in [*sample, *ids]:
        assert sum(matches(condition, {"id": id}) for condition in conditions) == 1


@pytest.mark.parametrize(
    "ids",
    [
        [str(uuid.UUID(int=at * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128)) for at in range(10_000)],
        [f"receipt-{at:07}" for at in range(10_000)],
        [str(at) for at in range(10_000)],
    ],
    ids=["at random", "counting up", "counting up without zeros"],
)
def test_the_parts_are_about_as_large_as_each_other(ids):
    found = sizes(ids, 16)
    assert sum(found) == 10_000
    assert max(found) < 2 * 10_000 / 16


def test_samples_are_of_the_newest_and_the_oldest():
    assert [str(one) for one in samples(RECORDS)] == [
        f"GET {RECORDS}?_sort={sort}last_modified&_limit=100&_fields=id" for sort in ("-", "")
    ]


def test_there_are_as_many_parts_as_are_wanted():
    ends = page([f"{at:03}" for at in range(100)]), page([f"{at:03}" for at in range(900, 1000)])
    assert len(split(*ends, 4)) == 4


def test_few_are_one_part():
    few = page(["a", "b"], None)
    assert split(few, few, 4) == [EVERYTHING]


def test_one_id_alone_makes_two_parts():
    assert split(page(["a"]), page(["a"]), 4) == between(["a"])
