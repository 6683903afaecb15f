"""Filters of plain data, as a dict: {"status": "open", "amount__gte": 10}.

>>> str(condition({"amount__gte": 10, "address__city": "Paris"}))
"(amount >= 10) & (address.city == 'Paris')"
"""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import UsageError
from .conditions import And, Comparison, Condition
from .query import Sort
from .values import JSON, check

# The names that the models have for them, too.
OPERATORS = {
    "exact": "eq", "ne": "ne", "gt": "gt", "gte": "ge", "lt": "lt", "lte": "le", "in": "in",
    "not_in": "not_in", "exists": "exists", "startswith": "startswith", "endswith": "endswith",
    "like": "like", "contains": "contains", "contains_any": "contains_any",
}  # fmt: skip
_LISTS = frozenset({"in", "not_in", "contains", "contains_any"})


def condition(filters: Mapping[str, JSON] | None) -> Condition:
    """All of them at once. A key is a path, `__` between its parts, that may end in an operator."""
    return And(tuple(_comparison(key, value) for key, value in (filters or {}).items()))


def sort(keys: str | None) -> tuple[Sort, ...]:
    """ "-paid_at,id" -> the same as values. None: any order that loses nothing."""
    names = [key.strip() for key in keys.split(",")] if keys else []
    return tuple(Sort(tuple(name.lstrip("-").split(".")), name.startswith("-")) for name in names)


def _comparison(key: str, value: JSON) -> Comparison:
    *parents, last = key.split("__")
    operator = OPERATORS.get(last) if parents else None
    path = tuple(parents) if operator else (*parents, last)
    if not all(path):
        raise UsageError(
            f"{key!r} is no filter: write the name of an attribute, then perhaps __gte or the like"
        )
    if parents and operator is None:
        _refuse_a_slip(key, last)
    operator = operator or "eq"
    check(value, f"filter {key}")
    if operator in _LISTS:
        if not isinstance(value, (list, tuple)):
            raise UsageError(f"the filter {key!r} takes a list, got {value!r}")
        return Comparison(path, operator, list(value))
    if operator == "exists" and not isinstance(value, bool):
        raise UsageError(f"the filter {key!r} takes True or False, got {value!r}")
    if operator in ("startswith", "endswith", "like") and not isinstance(value, str):
        raise UsageError(f"the filter {key!r} takes a string, got {value!r}")
    return Comparison(path, operator, value)


def _refuse_a_slip(key: str, last: str) -> None:
    """UsageError for what is almost an operator, but not for short names that data has: price__net."""
    import difflib  # takes a millisecond, and is wanted only where there may be an error to explain

    near = difflib.get_close_matches(last, OPERATORS, cutoff=0.78)
    if near and (len(last) > 4 or last.startswith(("gt", "lt"))):
        raise UsageError(
            f"{key!r} ends in no operator; did you mean {' or '.join(near)}? If {last!r} is an attribute, "
            f"write {key}__exact"
        )
