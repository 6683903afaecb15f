import json
import time

import pytest

from kintomodel.protocol import operations
from kintomodel.protocol.values import survives
from kintomodel.query.branching import LONGEST_QUERY, Branch, branch, encode, encode_all
from kintomodel.query.conditions import EVERYTHING, And, Comparison, Not, Or

# Below every string and above every boolean: the ends of the numbers.
LOW, HIGH = "-1.7976931348623157e+308", "1.7976931348623157e+308"


def at(name, operator, value=None):
    return Comparison(tuple(name.split(".")), operator, value)


def fixed(operator, value):
    """Of a field of dates, moments or times."""
    return Comparison(("a",), operator, value, is_fixed_form=True)


def exactly(params):
    return Branch(params, EVERYTHING)


def asked(condition):
    return branch(condition.parts if isinstance(condition, And) else (condition,))


@pytest.mark.parametrize(
    ("condition", "params"),
    [
        (at("a", "eq", "x"), {"eq_a": '"x"'}),
        (at("a", "eq", "2"), {"eq_a": '"2"'}),
        (at("a", "eq", 2), {"eq_a": "2"}),
        (at("a", "eq", "true"), {"eq_a": '"true"'}),
        (at("a", "eq", True), {"eq_a": "true"}),
        (at("a", "eq", None), {"eq_a": "null"}),
        (at("a", "eq", "a,b"), {"eq_a": '"a,b"'}),
        (at("a", "eq", ""), {"eq_a": '""'}),
        (at("a", "eq", 'q"\\\n'), {"eq_a": '"q\\"\\\\\\n"'}),
        (at("a", "eq", "é😀"), {"eq_a": '"é😀"'}),
        (at("a", "eq", 2**64 - 1), {"eq_a": "18446744073709551615"}),
        (at("a", "ne", 1), {"not_a": "1"}),
        (at("a", "ne", None), {"not_a": "null"}),
        (at("a", "in", ["x", 2, None]), {"in_a": '"x",2,null'}),
        (at("a", "in", ["a,b", ""]), {"in_a": '"a\\u002cb",""'}),
        (at("a", "not_in", ["x", "a,b"]), {"exclude_a": '"x","a\\u002cb"'}),
        (at("a", "exists", True), {"has_a": "true"}),
        (at("a", "exists", False), {"has_a": "false"}),
        (at("a.b", "eq", 1), {"eq_a.b": "1"}),
        (at("min_age", "eq", 5), {"eq_min_age": "5"}),
        (at("_x", "eq", 1), {"eq__x": "1"}),
        (at("größe", "ge", 1), {"max_größe": HIGH, "min_größe": "1"}),
        (EVERYTHING, {}),
    ],
)
def test_values_are_sent_as_json_with_an_explicit_operator(condition, params):
    assert asked(condition) == exactly(params)


@pytest.mark.parametrize(
    ("operator", "value", "params"),
    [
        ("gt", 2, {"gt_a": "2", "max_a": HIGH}),
        ("ge", 2, {"min_a": "2", "max_a": HIGH}),
        ("lt", 2, {"lt_a": "2", "min_a": LOW}),
        ("le", 2.5, {"max_a": "2.5", "min_a": LOW}),
    ],
)
def test_a_bound_keeps_other_types_out(operator, value, params):
    assert asked(at("a", operator, value)) == exactly(params)


MOMENT = "2026-11-23T12:00:00.000000+00:00"


@pytest.mark.parametrize(
    ("operator", "value", "params"),
    [
        ("gt", "2026-11-23", {"gt_a": '"2026-11-23"', "lt_a": LOW}),
        ("ge", "09:30:00.000000", {"min_a": '"09:30:00.000000"', "lt_a": LOW}),
        ("lt", MOMENT, {"lt_a": f'"{MOMENT}"', "min_a": '""'}),
    ],
)
def test_all_collations_order_texts_of_a_fixed_form_alike(operator, value, params):
    assert asked(fixed(operator, value)) == exactly(params)


@pytest.mark.parametrize("value", ["09:30:00.000000-02:00", "2026-11-23\n", "x"])
def test_a_value_that_is_not_of_the_fixed_form_is_compared_here(value):
    condition = fixed("gt", value)
    assert asked(condition) == Branch({"min_a": '""', "lt_a": LOW}, condition)


@pytest.mark.parametrize("value", ["b", "Z", "é", "a-1", "2026 11", "-5", ":", "5", "2026-11-23", MOMENT])
@pytest.mark.parametrize("operator", ["gt", "ge", "lt", "le"])
def test_texts_that_a_collation_may_order_in_another_way_are_compared_here(operator, value):
    condition = at("a", operator, value)
    assert asked(condition) == Branch({"min_a": '""', "lt_a": LOW}, condition)


def test_two_bounds_need_no_guard():
    condition = And((at("a", "gt", 2), at("a", "le", 5)))
    assert asked(condition) == exactly({"gt_a": "2", "max_a": "5"})


@pytest.mark.parametrize("value", [True, None, [1], {"a": 1}])
def test_a_bound_of_another_type_is_looked_at_here(value):
    condition = at("a", "gt", value)
    assert asked(condition) == Branch({}, condition)


def test_bounds_of_two_types_are_not_mixed():
    other = at("a", "lt", "x")
    assert asked(And((at("a", "gt", 2), other))) == Branch({"gt_a": "2", "max_a": HIGH}, other)


def test_no_parameter_is_sent_twice():
    second = at("a", "gt", 3)
    assert asked(And((at("a", "gt", 2), second))) == Branch({"gt_a": "2", "max_a": HIGH}, second)
    second = at("a", "eq", 3)
    assert asked(And((at("a", "eq", 2), second))) == Branch({"eq_a": "2"}, second)


def test_a_guard_does_not_replace_a_filter():
    text = at("a", "like", "x")
    assert asked(And((at("a", "gt", 2), text))) == Branch({"gt_a": "2", "max_a": HIGH}, text)
    date = fixed("gt", "2026-11-23")
    assert asked(And((text, date))) == Branch({"gt_a": '"2026-11-23"', "lt_a": LOW}, text)


@pytest.mark.parametrize(
    "operator",
    ["like", "substring", "isubstring", "startswith", "istartswith", "endswith", "iendswith", "iexact"],
)
def test_texts_are_searched_here_among_strings(operator):
    for value in ("x", "2026-1", ""):
        condition = at("a", operator, value)
        assert asked(condition) == Branch({"min_a": '""', "lt_a": LOW}, condition)


def test_a_prefix_of_what_must_be_a_number_is_looked_at_here():
    prefix = at("a", "startswith", "1")
    assert asked(And((at("a", "ge", 1), prefix))) == Branch({"min_a": "1", "max_a": HIGH}, prefix)


@pytest.mark.parametrize(
    ("condition", "params"),
    [
        # On memory [1] is [true] in eq_, and 1 is true in in_.
        (at("a", "eq", [1]), {"eq_a": "[1]"}),
        (at("a", "eq", {"b": 1}), {"eq_a": '{"b":1}'}),
        (at("a", "ne", [1]), {}),
        (at("a", "in", [1, "x"]), {"in_a": '1,"x"'}),
        (at("a", "in", [0.0]), {"in_a": "0.0"}),
        (at("a", "in", [True]), {"in_a": "true"}),
        (at("a", "in", [[1]]), {}),
        (at("a", "not_in", [1]), {}),
        (at("a", "not_in", [False]), {}),
        (at("a", "not_in", [[1]]), {}),
        (at("a", "contains", ["x", "a,b"]), {"contains_a": '["x","a,b"]'}),
        (at("a", "contains", [1]), {}),
        (at("a", "contains", []), {}),
        (at("a", "contains_any", ["x"]), {"contains_any_a": '["x"]'}),
        (at("a", "contains_any", [1]), {}),
        (at("a", "contained_by", ["x"]), {}),
        # Kinto would read contains_any_x as contains_any of "x".
        (at("any_x", "contains", ["x"]), {}),
        (at("any_x", "contains_any", ["x"]), {"contains_any_any_x": '["x"]'}),
    ],
)
def test_where_the_back_ends_differ_it_is_looked_at_here_too(condition, params):
    assert asked(condition) == Branch(params, condition)


@pytest.mark.parametrize("value", [0.39723997685875156, 1e300, 1e23, 2.0**63, 1.5e16, 5e-324])
def test_a_float_that_kinto_reads_as_its_neighbour_is_compared_here(value):
    numbers = {"min_a": LOW, "max_a": HIGH}
    for operator in ("eq", "gt", "le"):
        condition = at("a", operator, value)
        assert asked(condition) == Branch(numbers, condition)
    for operator, operand in (("ne", value), ("in", [value]), ("not_in", [value]), ("eq", [value])):
        condition = at("a", operator, operand)
        assert asked(condition) == Branch({}, condition)


def test_large_integers_are_sent_but_inside_of_containers_compared_here():
    assert asked(at("a", "eq", 2**63)) == exactly({"eq_a": str(2**63)})
    condition = at("a", "eq", {"b": [2**63]})
    assert asked(condition) == Branch({}, condition)


def test_presence_comes_first_and_once():
    # On memory a has_ filter throws away those before it.
    second = at("c", "exists", False)
    planned = asked(And((at("a", "eq", 1), at("b", "exists", True), second)))
    assert planned == Branch({"has_b": "true", "eq_a": "1"}, second)
    assert list(planned.params) == ["has_b", "eq_a"]


def test_guards_come_before_the_rest():
    planned = asked(And((at("b", "eq", 1), at("a", "like", "x"))))
    assert list(planned.params) == ["min_a", "lt_a", "eq_b"]


@pytest.mark.parametrize("path", [("x-y",), ("x y",), ("a.b",), ("a", "b.c"), ("",), ("deleted",)])
def test_names_that_kinto_misreads_are_not_sent(path):
    condition = Comparison(path, "eq", 1)
    assert asked(condition) == Branch({}, condition)


def test_what_is_decoded_is_compared_here():
    condition = Comparison(("a",), "eq", "1.5", float)
    assert asked(condition) == Branch({}, condition)


@pytest.mark.parametrize(
    ("operator", "value", "params"),
    [
        ("eq", "1e5", {"eq_id": '"1e5"'}),
        ("ne", "a", {"not_id": '"a"'}),
        ("in", ["1", "null"], {"in_id": '"1","null"'}),
        ("not_in", ["1"], {"exclude_id": '"1"'}),
        ("gt", "a", {"gt_id": '"a"'}),
        ("ge", "a", {"min_id": '"a"'}),
        ("lt", "a", {"lt_id": '"a"'}),
        ("le", "a", {"max_id": '"a"'}),
    ],
)
def test_ids_are_quoted_and_need_no_guard(operator, value, params):
    assert asked(at("id", operator, value)) == exactly(params)


@pytest.mark.parametrize(
    ("operator", "value"),
    [("eq", 1), ("in", ["a", None]), ("gt", 1), ("exists", True), ("startswith", "a"), ("contains", ["a"])],
)
def test_kinto_is_asked_nothing_of_ids_that_it_answers_with_400(operator, value):
    condition = at("id", operator, value)
    assert asked(condition) == Branch({}, condition)


@pytest.mark.parametrize(
    ("operator", "name"),
    [("eq", "eq"), ("ne", "not"), ("gt", "gt"), ("ge", "min"), ("lt", "lt"), ("le", "max")],
)
def test_timestamps_are_plain_integers_and_tombstones_are_kept_out(operator, name):
    params = {f"{name}_last_modified": "1003", "not_deleted": "true"}
    assert asked(at("last_modified", operator, 1003)) == exactly(params)
    assert asked(at("last_modified", operator, 1003.0)) == exactly(params)


@pytest.mark.parametrize(
    ("operator", "value"),
    [("gt", 1.5), ("gt", -1), ("gt", 2**53), ("gt", "1003"), ("eq", None), ("in", [1003]), ("exists", True)],
)
def test_kinto_is_asked_nothing_of_timestamps_that_it_misreads(operator, value):
    condition = at("last_modified", operator, value)
    assert asked(condition) == Branch({}, condition)


def test_moments_too_far_ahead_for_kinto_are_compared_here():
    now = int(time.time() * 1000)
    near, far = (at("last_modified", "lt", now + hours * 3_600_000) for hours in (11, 13))
    assert asked(near) == exactly({"lt_last_modified": str(near.value), "not_deleted": "true"})
    assert asked(far) == Branch({}, far)


def test_a_field_that_only_ends_like_the_timestamp_brings_no_tombstones():
    assert asked(at("x_last_modified", "eq", 1)) == exactly({"eq_x_last_modified": "1"})
    assert asked(at("a.last_modified", "eq", 1)) == exactly({"eq_a.last_modified": "1"})


def test_a_condition_on_deleted_is_not_lost_beside_the_timestamp():
    deleted = at("deleted", "ne", 5)
    planned = asked(And((at("last_modified", "gt", 0), deleted)))
    assert planned == Branch({"gt_last_modified": "0", "not_deleted": "true"}, deleted)


def test_alternatives_and_negated_bounds_are_looked_at_here():
    either = Or((at("a", "eq", 1), at("b", "eq", 1)))
    not_above = Not(at("c", "gt", 1))
    planned = asked(And((at("d", "eq", 1), either, not_above)))
    assert planned == Branch({"eq_d": "1"}, And((either, not_above)))


def test_a_value_too_long_for_a_url_is_compared_here():
    long = at("a", "eq", "x" * LONGEST_QUERY)
    assert asked(And((at("b", "eq", 1), long))) == Branch({"eq_b": "1"}, long)


def test_length_is_that_in_the_url():
    long = at("a", "eq", "😀" * (LONGEST_QUERY // 6))
    assert asked(long) == Branch({}, long)


def test_a_bound_too_long_for_a_url_leaves_no_guard():
    long, date = at("b", "eq", "x" * (LONGEST_QUERY - 10)), fixed("gt", "2026-11-23")
    assert asked(And((long, date))) == Branch({"eq_b": encode(long.value)}, date)


@pytest.mark.parametrize("value", ["", "a,b", '"', "\u2028", 1, 1.5, None, True, [1, "a"], {"a": [None]}])
def test_a_value_can_be_read_back(value):
    assert json.loads(encode(value)) == value


def test_commas_are_escaped_between_several_values():
    assert [json.loads(one) for one in encode_all(["a,b", 1, ""]).split(",")] == ["a,b", 1, ""]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (at("a", "eq", 1), True),
        (at("a", "in", [1, 2]), True),
        (at("a", "gt", 1), True),
        (fixed("le", "2026-11-23"), True),
        (at("a", "le", "2026-11-23"), False),
        (at("a", "startswith", "x"), False),
        (at("a", "contains", ["x"]), True),
        (at("a", "exists", True), True),
        (at("id", "gt", "a"), True),
        (at("last_modified", "gt", 5), True),
        (at("a", "exists", False), False),
        (at("a", "ne", 1), False),
        (at("a", "not_in", ["x"]), False),
        (at("a", "like", "x"), False),
        (at("a", "contains", [1]), False),
        (EVERYTHING, False),
    ],
)
def test_only_what_leaves_out_much_is_selective(condition, expected):
    assert asked(condition).is_selective is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (at("a", "eq", None), True),
        (at("a", "in", ["x"]), True),
        (at("a", "gt", 1), True),
        (at("a", "lt", "x"), True),
        (at("a", "like", "x"), True),
        (at("a", "contains_any", ["x"]), True),
        (at("a", "exists", True), True),
        (at("a", "exists", False), False),
        (at("a", "ne", None), False),
        (at("a", "not_in", ["x"]), False),
        (at("a.b", "eq", 1), False),
        (at("b", "eq", 1), False),
    ],
)
def test_it_is_known_which_keys_all_of_them_have(condition, expected):
    assert asked(condition).requires(("a",)) is expected


@pytest.mark.parametrize("value", [0.0, -0.0, 0.1, 1.5, 48.856614, 1700000000.123456, 1e22, 2.0**49])
def test_the_floats_of_daily_life_survive(value):
    assert survives(value)


@pytest.mark.parametrize("value", [0.39723997685875156, 123456789.12345679, 1e23, 5e-324, 2.0**63])
def test_floats_that_kinto_reads_as_others_do_not_survive(value):
    assert not survives(value)


def test_a_float_that_survives_comes_back(client):
    floats = [0.1, 48.856614, -1700000000.123456, 99999999.99, 1e22, 9007199254740.991, 1.7e-9]
    assert all(map(survives, floats))
    stored = client.connection.perform(operations.create("/buckets/floats", {"v": floats}))
    read = client.connection.perform(operations.read("/buckets/floats"))
    assert stored.data["v"] == read.data["v"] == floats
