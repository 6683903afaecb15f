"""Filters of plain data, as a dict: {"status": "open", "amount__gte": 10}.

>>> str(condition({"amount__gte": 10, "address__city": "Paris"}))
"(amount >= 10) & (address.city == 'Paris')"
"""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import UsageError
from ..protocol.values import JSON, check
from .conditions import And, Comparison, Condition
from .query import Sort

# The names that the models have for them, too.
OPERATORS = {
    "exact": "eq", "ne": "ne", "gt": "gt", "gte": "ge", "lt": "lt", "lte": "le", "in": "in",
    "not_in": "not_in", "exists": "exists", "startswith": "startswith", "endswith": "endswith",
    "like": "like", "contains": "contains", "contains_any": "contains_any", "contained_by": "contained_by",
    "is_null": "eq",
}  # fmt: skip
_LISTS = frozenset({"in", "not_in", "contains", "contains_any", "contained_by"})
_YES_OR_NO = frozenset({"exists", "is_null"})

# What Kinto, Django and others call them, and other words that a user may try.
_ELSEWHERE = {
    "eq": "exact", "equals": "exact", "neq": "ne", "not": "ne", "ge": "gte", "min": "gte", "le": "lte",
    "max": "lte", "nin": "not_in", "exclude": "not_in", "isnull": "is_null", "has": "exists",
    "regex": "like", "iregex": "like", "search": "like", "iexact": "like", "icontains": "contains",
    "range": "gte and lte", "between": "gte and lte",
}  # fmt: skip


def condition(filters: Mapping[str, JSON] | None) -> Condition:
    """All of them at once. A key is a path, `__` between its parts, that may end in an operator."""
    if filters is not None and not isinstance(filters, Mapping):
        raise UsageError(f'filters are a dict such as {{"amount__gte": 10}}, got {filters!r}')
    return And(tuple(_comparison(key, value) for key, value in (filters or {}).items()))


def sort(keys: str | None) -> tuple[Sort, ...]:
    """ "-paid_at,id" -> the same as values. None: any order that loses nothing."""
    if keys is not None and not isinstance(keys, str):
        raise UsageError(f'sort is a text such as "-amount,name", got {keys!r}')
    names = [key.strip() for key in keys.split(",")] if keys else []
    return tuple(Sort(tuple(name.lstrip("-").split(".")), name.startswith("-")) for name in names)


def _comparison(key: str, value: JSON) -> Comparison:
    *parents, last = key.split("__") if isinstance(key, str) else ("",)
    name = last if parents and last in OPERATORS else None
    path = tuple(parents) if name else (*parents, last)
    if not all(path):
        raise UsageError(
            f"{key!r} is no filter: write the name of an attribute, then perhaps __gte or the like"
        )
    if parents and name is None:
        _refuse_a_slip(key, last)
    check(value, f"filter {key}")
    name = name or "exact"
    if name in _LISTS:
        if not isinstance(value, (list, tuple)):
            raise UsageError(f"the filter {key!r} takes a list, got {value!r}")
        return Comparison(path, OPERATORS[name], list(value))
    if name in _YES_OR_NO and not isinstance(value, bool):
        raise UsageError(f"the filter {key!r} takes True or False, got {value!r}")
    if name in ("startswith", "endswith", "like") and not isinstance(value, str):
        raise UsageError(f"the filter {key!r} takes a string, got {value!r}")
    if name == "is_null":
        return Comparison(path, "eq" if value else "ne", None)
    return Comparison(path, OPERATORS[name], value)


def _refuse_a_slip(key: str, last: str) -> None:
    """UsageError for what is almost an operator, but not for short names that data has: price__net."""
    import difflib  # takes a millisecond, and is wanted only where there may be an error to explain

    near = difflib.get_close_matches(last, OPERATORS, cutoff=0.78)
    is_near = near and (len(last) > 4 or last.startswith(("gt", "lt")))
    meant = _ELSEWHERE.get(last) or (" or ".join(near) if is_near else None)
    if meant:
        raise UsageError(
            f"{key!r} ends in no operator; did you mean {meant}? If {last!r} is an attribute, "
            f"write {key}__exact"
        )
