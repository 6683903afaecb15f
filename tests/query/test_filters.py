import pytest

from kintomodel.errors import UsageError, ValidationError
from kintomodel.query.conditions import EVERYTHING, And, Comparison, matches
from kintomodel.query.filters import condition, sort
from kintomodel.query.query import Sort


def test_without_filters_everything_matches():
    assert condition(None) == condition({}) == EVERYTHING


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("a", 1, Comparison(("a",), "eq", 1)),
        ("a__b__c", "x", Comparison(("a", "b", "c"), "eq", "x")),
        ("a__gte", 1, Comparison(("a",), "ge", 1)),
        ("a__b__lte", 1, Comparison(("a", "b"), "le", 1)),
        ("in", 1, Comparison(("in",), "eq", 1)),
        ("a__in", (1, 2), Comparison(("a",), "in", [1, 2])),
        ("a__exists", False, Comparison(("a",), "exists", False)),
        ("a__like", "x*", Comparison(("a",), "like", "x*")),
        ("a__is_null", True, Comparison(("a",), "eq", None)),
        ("a__b__is_null", False, Comparison(("a", "b"), "ne", None)),
        ("is_null", 1, Comparison(("is_null",), "eq", 1)),
        ("a__contained_by", ["x"], Comparison(("a",), "contained_by", ["x"])),
    ],
)
def test_a_key_is_a_path_and_perhaps_an_operator(key, value, expected):
    assert condition({key: value}) == And((expected,))


def test_all_of_them_have_to_be_true():
    both = condition({"a__gt": 1, "b": "x"})
    assert matches(both, {"a": 2, "b": "x"})
    assert not matches(both, {"a": 2, "b": "y"})


@pytest.mark.parametrize("key", ["", "__", "a____b", "a__", "__gte", 3, None])
def test_an_empty_name_is_refused(key):
    with pytest.raises(UsageError, match="is no filter"):
        condition({key: 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [("a__in", "x"), ("a__contains", 1), ("a__exists", 1), ("a__startswith", 1), ("a__is_null", 1)],
)
def test_a_value_of_the_wrong_type_is_refused(key, value):
    with pytest.raises(UsageError, match=f"{key!r} takes"):
        condition({key: value})


def test_a_value_that_kinto_cannot_read_is_refused():
    with pytest.raises(ValidationError, match="filter a"):
        condition({"a": float("nan")})


def test_an_order_is_text():
    assert sort("-a, b.c") == (Sort(("a",), True), Sort(("b", "c")))
    assert sort(None) == ()


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("i__gtt", "gt"),
        ("a__icontains", "contains"),
        ("a__exist", "exists"),
        ("a__isnull", "is_null"),
        ("a__eq", "exact"),
        ("a__not", "ne"),
        ("a__nin", "not_in"),
        ("a__min", "gte"),
        ("a__regex", "like"),
        ("a__range", "gte and lte"),
        ("a__between", "gte and lte"),
        ("a__has", "exists"),
        ("a__b__isnul", "is_null"),
        ("a__istartswith", "startswith"),
        ("a__iexact", "like"),
    ],
)
def test_what_is_almost_an_operator_is_refused(key, meant):
    with pytest.raises(UsageError, match=rf"did you mean {meant}\b"):
        condition({key: 1})
    path = tuple(key.split("__"))
    assert condition({f"{key}__exact": 1}) == And((Comparison(path, "eq", 1),))


@pytest.mark.parametrize("filters", [["a"], "a", 3])
def test_filters_are_a_dict(filters):
    with pytest.raises(UsageError, match="filters are a dict"):
        condition(filters)


def test_an_order_that_is_no_text_is_refused():
    with pytest.raises(UsageError, match="sort is a text"):
        sort(["a"])


@pytest.mark.parametrize("key", ["price__net", "a__city", "order__lines"])
def test_names_that_data_has_are_no_slips(key):
    assert condition({key: 1}) == And((Comparison(tuple(key.split("__")), "eq", 1),))
