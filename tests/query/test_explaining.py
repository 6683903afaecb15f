import pytest

from kintomodel.query.conditions import EVERYTHING, NOTHING, And, Comparison, Or
from kintomodel.query.explaining import Explanation, PlannedRequest, explain
from kintomodel.query.query import Query, Sort

LIST = "GET /records"
EQUAL = Comparison(("a",), "eq", 1)
ABOVE = Comparison(("b",), "gt", 5)
LIKE = Comparison(("c",), "like", "x")
LOW, HIGH = "-1.7976931348623157e+308", "1.7976931348623157e+308"


def explained(condition=EVERYTHING, *keys, **rest):
    return explain("/records", Query(condition, keys, **rest))


def by(name, descending=False, scalars=True):
    return Sort((name,), descending, scalars)


@pytest.mark.parametrize(
    ("explanation", "expected"),
    [
        (explained(), Explanation((PlannedRequest(f"{LIST}?_sort=last_modified"),), None, 1)),
        (explained(NOTHING), Explanation()),
        (explained(stop=0), Explanation()),
        (
            explained(EQUAL, by("a")),
            Explanation((PlannedRequest(f"{LIST}?eq_a=1&_sort=a,-last_modified,id"),), None, 1),
        ),
        (
            explained(And((ABOVE, LIKE))),
            Explanation(
                (
                    PlannedRequest(
                        f"{LIST}?gt_b=5&_sort=last_modified",
                        (f"max_b={HIGH}", 'min_c=""', f"lt_c={LOW}"),
                        "c like 'x'",
                    ),
                ),
                None,
                1,
            ),
        ),
        (
            explained(Or((EQUAL, ABOVE))),
            Explanation(
                (
                    PlannedRequest(f"{LIST}?eq_a=1&_sort=id"),
                    PlannedRequest(f"{LIST}?gt_b=5&_sort=id", (f"max_b={HIGH}",)),
                ),
                None,
                3,
            ),
        ),
        (
            explained(EVERYTHING, by("d", descending=True)),
            Explanation((PlannedRequest(f"{LIST}?_sort=-d,-last_modified,id"),), None, 1),
        ),
        (
            explained(EVERYTHING, by("d"), backwards=True, stop=None),
            Explanation((PlannedRequest(f"{LIST}?_sort=-d,last_modified,-id"),), None, 1),
        ),
        (
            explained(EVERYTHING, by("d", descending=True), backwards=True),
            Explanation(
                (
                    PlannedRequest(f"{LIST}?has_d=false&_sort=d,last_modified,-id"),
                    PlannedRequest(f"{LIST}?has_d=true&_sort=d,last_modified,-id"),
                ),
                None,
                3,
            ),
        ),
        (
            explained(EQUAL, by("d", scalars=False), stop=3),
            Explanation((PlannedRequest(f"{LIST}?eq_a=1&_sort=id"),), "d,-last_modified,id", 1),
        ),
    ],
)
def test_a_query_is_explained_as_one_value(explanation, expected):
    assert explanation == expected


def test_a_slice_needs_the_first_listing_of_each_lane_only():
    assert explained(EVERYTHING, by("d", descending=True), stop=20).round_trips == 1
    assert explained(Or((EQUAL, ABOVE)), stop=20).round_trips == 3


def test_deleted_objects_are_kept_out_by_a_guard():
    explanation = explained(Comparison(("last_modified",), "gt", 5))
    request = PlannedRequest(f"{LIST}?gt_last_modified=5&_sort=id", ("not_deleted=true",))
    assert explanation.requests == (request,)


def test_an_explanation_can_be_read():
    two = f"{LIST}?eq_a=1&_sort=id\n{LIST}?in_b=5,6&_sort=id\nround trips: 3, and one for each further page"
    assert str(explained(Or((EQUAL, Comparison(("b",), "in", [5, 6]))))) == two
    assert str(explained(NOTHING)) == "no request: nothing can match"
    assert str(explained(And((ABOVE, LIKE)), by("d", scalars=False))) == (
        f"{LIST}?gt_b=5&_sort=id\n"
        f'  guards: max_b={HIGH} min_c="" lt_c={LOW}\n'
        "  checked here: c like 'x'\n"
        "ordered here: d,-last_modified,id\n"
        "round trips: 1, and one for each further page"
    )
