import pytest

from kintomodel.query.placing import comparable, is_other_collation, is_read_back, keys_of, missing
from kintomodel.query.query import Query, Sort

UP, DOWN = Sort(("n",), scalars=True), Sort(("n",), descending=True, scalars=True)


def keys(sort, data):
    return keys_of(data, Query(sort=(sort,)).order)


def thing(n, id="a"):
    return {"id": id, "last_modified": 1, **({} if n is None else {"n": n})}


@pytest.mark.parametrize(
    ("sort", "before", "after", "expected"),
    [
        (UP, thing("a"), thing("B"), True),
        (UP, thing("B"), thing("a"), False),
        (DOWN, thing("B"), thing("a"), True),
        (UP, thing(2), thing(1), False),
        (UP, thing(1, "b"), thing(1, "a"), True),
        (UP, thing(1), thing(1), False),
    ],
)
def test_texts_in_another_order_tell_of_another_collation(sort, before, after, expected):
    order = Query(sort=(sort,)).order
    assert is_other_collation(keys(sort, before), keys(sort, after), order) is expected


@pytest.mark.parametrize(("n", "expected"), [(1, True), ("x", True), (1e30, False), (2**64, False)])
def test_kinto_goes_on_from_what_it_reads_as_it_is_written(n, expected):
    assert is_read_back(keys(UP, thing(n))) is expected


def test_an_object_without_the_key_of_a_descending_order_waits():
    order = Query(sort=(DOWN,)).order
    assert missing(keys(DOWN, thing(None)), order) == 0
    assert missing(keys(DOWN, thing(1)), order) is None


def test_places_compare_as_the_order_wants():
    up, down = Query(sort=(UP,)).order, Query(sort=(DOWN,)).order
    one, two = (keys(UP, thing(n)) for n in (1, 2))
    assert comparable(one, up) < comparable(two, up)
    assert comparable(two, down) < comparable(one, down)
    assert comparable(one, down) == comparable(one, down)
