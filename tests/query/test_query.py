import pytest

from kintomodel.query.query import Query, Sort, in_order


def by(name, descending=False, scalars=True):
    return Sort(tuple(name.split(".")), descending, scalars)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        (Query(), "id"),
        (Query(backwards=True), "-id"),
        (Query(sort=(by("a"),)), "a,-last_modified,id"),
        (Query(sort=(by("a"),), backwards=True), "-a,last_modified,-id"),
        (Query(sort=(by("a", True), by("b.c"))), "-a,b.c,-last_modified,id"),
        (Query(sort=(by("a"), Sort(("id",)))), "a,id"),
        (Query(sort=(Sort(("last_modified",)),)), "last_modified,id"),
        (Query(sort=(Sort(("last_modified",), True),)), "-last_modified,id"),
        (Query(sort=(by("_x"),)), "_x,-last_modified,id"),
    ],
)
def test_the_order_is_a_total_one(query, param):
    assert query.sort_param == param


@pytest.mark.parametrize("path", [("x-y",), ("a b",), ("a.b",), ("a", "b.c"), ("$",)])
def test_kinto_is_not_asked_for_an_order_that_it_ignores(path):
    assert Query(sort=(Sort(path, scalars=True),)).sort_param is None


def test_kinto_is_not_asked_for_an_order_where_arrays_may_be():
    assert Query(sort=(by("a"), by("b", scalars=False))).sort_param is None


def test_a_slice_has_a_size():
    assert Query().size is None
    assert Query(start=2, stop=5).size == 3
    assert Query(start=5, stop=5).size == 0


def test_only_a_wish_is_an_order():
    assert not Query().is_ordered
    assert Query(sort=(by("a"),)).is_ordered


def test_a_sort_can_be_read():
    assert str(by("a.b", True)) == "-a.b"


def test_objects_are_put_in_order_as_kinto_does():
    values = [True, {}, None, "b", 2, [1], "a", 1.5, False]
    objects = [{"v": value, "last_modified": at} for at, value in enumerate(values)]
    objects.append({"last_modified": 100})
    ascending = [None, "a", "b", 1.5, 2, False, True, [1], {}, "missing"]

    def found(query):
        return [data.get("v", "missing") for data in in_order(objects, query.order)]

    assert found(Query(sort=(by("v"),))) == ascending
    assert found(Query(sort=(by("v", True),))) == [*ascending[-2::-1], "missing"]
    assert found(Query(sort=(by("v"),), backwards=True)) == ascending[::-1]
    assert found(Query(sort=(by("v", True),), backwards=True)) == ["missing", *ascending[:-1]]
    kintos = by("v", True)._replace(missing_first=True)
    assert found(Query(sort=(kintos,))) == ascending[::-1]
    assert found(Query(sort=(by("v")._replace(missing_first=True),))) == ["missing", *ascending[:-1]]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (by("a"), True),
        (by("a", True), False),
        (by("a")._replace(missing_first=True), False),
        (by("a", True)._replace(missing_first=True), True),
        (by("id", True), True),
        (Sort(("last_modified",), True), True),
    ],
)
def test_kinto_has_one_place_for_objects_without_the_key(key, expected):
    assert key.is_kintos is expected
    assert key.reversed.is_kintos is expected
    assert key.reversed.reversed == key


def test_ties_are_broken_by_the_latest_write():
    objects = [{"v": 1, "last_modified": at} for at in (2, 1, 3)]
    query = Query(sort=(by("v"),))
    assert [data["last_modified"] for data in in_order(objects, query.order)] == [3, 2, 1]
    backwards = Query(sort=(by("v"),), backwards=True)
    assert [data["last_modified"] for data in in_order(objects, backwards.order)] == [1, 2, 3]
