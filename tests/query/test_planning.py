import pytest

from kintomodel.query.branching import LONGEST_QUERY, Branch
from kintomodel.query.conditions import EVERYTHING, NOTHING, And, Comparison, Not, Or
from kintomodel.query.planning import MOST_BRANCHES, plan
from kintomodel.query.query import Query, Sort


def at(name, operator, value=None):
    return Comparison(tuple(name.split(".")), operator, value)


def one_of(*names, value=1):
    return Or(tuple(at(name, "eq", value) for name in names))


def params(condition):
    return [branch.params for branch in plan(condition).branches]


def by(name, descending=False, missing_first=False):
    return Sort((name,), descending, scalars=True, missing_first=missing_first)


def lanes(condition, *keys, **rest):
    found = plan(condition).lanes(Query(condition, keys, **rest))
    return None if found is None else [[branch.params for branch in lane] for lane in found]


def test_where_nothing_can_match_nothing_is_asked():
    assert plan(NOTHING).branches == ()
    assert plan(And((at("a", "eq", 1), Not(EVERYTHING)))).branches == ()


def test_conditions_that_all_hold_are_one_listing():
    planned = plan(And((at("a", "eq", 1), at("b", "like", "x"))))
    assert planned.branches == (planned.whole,)
    assert not planned.is_exact
    assert plan(at("a", "eq", 1)).is_exact


def test_each_alternative_is_a_listing():
    planned = plan(one_of("a", "b"))
    assert planned.branches == (Branch({"eq_a": "1"}), Branch({"eq_b": "1"}))
    assert planned.whole == Branch({}, one_of("a", "b"))
    assert not planned.is_exact


def test_what_holds_in_any_case_is_part_of_each_alternative():
    condition = And((at("c", "eq", 2), one_of("a", "b"), Not(at("d", "gt", 1))))
    residual = Not(at("d", "gt", 1))
    assert plan(condition).branches == (
        Branch({"eq_c": "2", "eq_a": "1"}, residual),
        Branch({"eq_c": "2", "eq_b": "1"}, residual),
    )
    assert plan(condition).whole == Branch({"eq_c": "2"}, And((one_of("a", "b"), residual)))


def test_alternatives_of_alternatives():
    condition = Or((And((at("a", "eq", 1), one_of("b", "c"))), at("d", "gt", 5)))
    assert [list(one)[:2] for one in params(condition)] == [
        ["eq_a", "eq_b"],
        ["eq_a", "eq_c"],
        ["max_d", "gt_d"],
    ]


def test_alternatives_of_one_attribute_are_one_listing():
    assert params(one_of("a", "a", value=7)) == [{"eq_a": "7"}]
    several = Or((at("a", "eq", "x"), at("a", "in", ["y", "z"]), at("b", "eq", 3)))
    assert params(several) == [{"in_a": '"x","y","z"'}, {"eq_b": "3"}]


def test_values_that_are_decoded_in_different_ways_are_not_put_together():
    condition = Or((at("a", "eq", "1"), Comparison(("a",), "eq", "1.0", float)))
    assert plan(condition).branches == (Branch({}, condition),)


@pytest.mark.parametrize(
    "weak", [at("b", "like", "x"), at("b", "ne", 1), at("b", "exists", False), at("x-y", "eq", 1)]
)
def test_an_alternative_that_leaves_out_little_makes_it_one_listing(weak):
    condition = Or((at("a", "eq", 1), weak))
    assert plan(condition).branches == (Branch({}, condition),)


def test_too_many_alternatives_are_one_listing():
    enough = one_of(*(f"a{number}" for number in range(MOST_BRANCHES)))
    assert len(params(enough)) == MOST_BRANCHES
    many = one_of(*(f"a{number}" for number in range(MOST_BRANCHES + 1)))
    assert plan(many).branches == (Branch({}, many),)


def test_of_several_disjunctions_those_that_would_be_too_many_are_checked_here():
    first, second = one_of("a", "b"), one_of("c", "d", "e", "f", "g")
    planned = plan(And((first, second)))
    assert planned.branches == (Branch({"eq_a": "1"}, second), Branch({"eq_b": "1"}, second))


def test_more_values_than_a_url_takes_are_several_listings():
    values = [f"{number:036}" for number in range(LONGEST_QUERY // 40)]
    found = [branch.params["in_id"] for branch in plan(at("id", "in", values)).branches]
    assert len(found) == 2
    assert ",".join(found) == ",".join(f'"{value}"' for value in values)
    assert all(branch.is_exact for branch in plan(at("id", "in", values)).branches)


def test_none_of_no_values_is_asked_for():
    assert params(at("a", "in", [])) == []
    assert params(And((at("b", "eq", 1), at("a", "in", [])))) == []
    assert params(Or((at("b", "eq", 1), at("a", "in", [])))) == [{"eq_b": "1"}]


def test_far_more_values_are_compared_here():
    condition = at("id", "in", [f"{number:036}" for number in range(LONGEST_QUERY // 4)])
    assert plan(condition).branches == (Branch({}, condition),)


@pytest.mark.parametrize("value", [[1], {"a": 1}, 0.39723997685875156])
def test_values_that_kinto_cannot_be_asked_for_stay_one_listing(value):
    condition = at("a", "in", [value, *range(LONGEST_QUERY // 4)])
    assert plan(condition).branches == (Branch({}, condition),)


def test_an_order_of_kinto_is_one_lane():
    assert lanes(EVERYTHING) == [[{}]]
    assert lanes(EVERYTHING, backwards=True) == [[{}]]
    assert lanes(EVERYTHING, by("a")) == [[{}]]
    assert lanes(EVERYTHING, by("a"), backwards=True) == [[{}]]
    assert lanes(EVERYTHING, by("a", descending=True, missing_first=True)) == [[{}]]
    assert lanes(EVERYTHING, Sort(("id",), descending=True)) == [[{}]]


def test_where_all_is_read_those_without_the_key_of_a_descending_order_can_wait():
    assert lanes(EVERYTHING, by("a", descending=True)) == [[{}]]
    assert lanes(EVERYTHING, by("a", descending=True), by("b", descending=True), start=2) == [[{}]]
    assert lanes(EVERYTHING, by("b"), by("a", descending=True)) == [[{}]]


def test_of_a_slice_they_are_listed_after_the_others():
    present, absent = {"has_a": "true"}, {"has_a": "false"}
    key = by("a", descending=True)
    assert lanes(EVERYTHING, key, stop=5) == [[present, absent]]
    filtered = at("b", "eq", 1)
    assert lanes(filtered, key, stop=5) == [[{**present, "eq_b": "1"}, {**absent, "eq_b": "1"}]]


def test_those_that_are_to_come_first_are_listed_before_the_others():
    present, absent = {"has_a": "true"}, {"has_a": "false"}
    assert lanes(EVERYTHING, by("a", descending=True), backwards=True) == [[absent, present]]
    assert lanes(EVERYTHING, by("a", missing_first=True), stop=5) == [[absent, present]]


def test_of_a_key_after_the_first_they_are_merged():
    keys = (by("b"), by("a", descending=True))
    assert lanes(EVERYTHING, *keys, stop=5) == [[{"has_a": "true"}], [{"has_a": "false"}]]


def test_an_order_by_what_all_of_them_have_is_one_lane():
    condition = at("a", "eq", 1)
    assert lanes(condition, by("a", descending=True), stop=5) == [[{"eq_a": "1"}]]
    assert lanes(at("a", "exists", False), by("a", descending=True), stop=5) == [[{"has_a": "false"}]]
    keys = (by("a", descending=True), by("b", descending=True))
    present, absent = {"has_b": "true", "eq_a": "1"}, {"has_b": "false", "eq_a": "1"}
    assert lanes(condition, *keys, stop=5) == [[present], [absent]]


def test_an_order_that_takes_more_than_one_question_of_presence_is_made_here():
    assert lanes(EVERYTHING, by("a", descending=True), by("b", descending=True), stop=5) is None
    assert lanes(at("b", "exists", True), by("a", descending=True), stop=5) is None
    assert lanes(EVERYTHING, Sort(("a",))) is None


def test_each_alternative_has_its_lanes():
    assert lanes(one_of("b", "c"), by("a")) == [[{"eq_b": "1"}], [{"eq_c": "1"}]]
    assert lanes(one_of("a", "c"), by("a", descending=True), stop=5) == [
        [{"eq_a": "1"}],
        [{"has_a": "true", "eq_c": "1"}, {"has_a": "false", "eq_c": "1"}],
    ]
