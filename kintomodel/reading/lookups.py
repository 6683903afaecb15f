"""From what a user writes, amount__gte=10, to a condition on what is stored.

Checked against the fields: a name, a look-up or a value that does not fit is refused here.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from cattrs import StructureHandlerNotFoundError

from ..errors import UsageError, ValidationError
from ..mapping.codec import no_storage_form
from ..mapping.declaration import Declaration
from ..mapping.expressions import FieldExpression, Q
from ..mapping.fields import suggestion
from ..mapping.terms import Order, Term
from ..protocol.values import JSON, check
from ..query.conditions import EVERYTHING, NOTHING, And, Comparison, Condition, Not, Or
from ..query.query import Sort
from .targets import Target, names_in, target

# The look-ups that compare with one value, and the operators that they stand for.
_ONE = {"exact": "eq", "ne": "ne", "gt": "gt", "gte": "ge", "lt": "lt", "lte": "le"}
_SEVERAL = {"in": "in", "not_in": "not_in"}
_TEXT = {
    "iexact": "iexact", "like": "like", "icontains": "isubstring", "startswith": "startswith",
    "istartswith": "istartswith", "endswith": "endswith", "iendswith": "iendswith",
}  # fmt: skip
_LIST = {"contains": "contains", "contains_any": "contains_any", "contained_by": "contained_by"}
_YES_OR_NO = ("is_null", "exists")
LOOKUPS = frozenset({*_ONE, *_SEVERAL, *_TEXT, *_LIST, *_YES_OR_NO})


def condition(declaration: Declaration, written: Q) -> Condition:
    """What the records must be like. UsageError or ValidationError if it makes no sense."""
    parts = tuple(
        _term(declaration, part) if isinstance(part, Term) else condition(declaration, part)
        for part in written.parts
    )
    if written.relation == "not":
        return Not(parts[0])
    return Or(parts) if written.relation == "or" else And(parts)


def sort_keys(
    declaration: Declaration, given: Iterable[str | Order | FieldExpression[Any]]
) -> tuple[Sort, ...]:
    """The keys of an order: names, with - for descending and __ or . between nested ones."""
    keys = []
    for one in given:
        order = _order(one)
        found = target(declaration, order.path)
        if not found.is_sortable:
            raise UsageError(f"{found}: Kinto cannot order by {found.type_name} values")
        keys.append(Sort(found.path, order.descending, scalars=not found.is_anything))
    return tuple(keys)


def _order(given: object) -> Order:
    if isinstance(given, Order):
        return given
    if isinstance(given, FieldExpression):
        return given.asc()
    if isinstance(given, str):
        descending = given.startswith("-")
        return Order(names_in(given[descending:]), descending)
    raise UsageError(f'order_by() takes names such as "-paid_at", or fields, got {given!r}')


def _term(declaration: Declaration, term: Term) -> Condition:
    path, lookup = (term.path, term.lookup) if term.lookup else _split(declaration, term.path[0])
    found = target(declaration, path)
    if lookup in _YES_OR_NO:
        return _presence(found, lookup, term.value)
    if lookup in _ONE:
        return _one(found, lookup, term.value)
    if lookup in _SEVERAL:
        values = tuple(_value(found, one) for one in _iterable(found, lookup, term.value))
        if not values:
            return NOTHING if lookup == "in" else EVERYTHING
        return Comparison(found.path, _SEVERAL[lookup], list(values), found.decode(*values))
    if lookup == "contains" and found.is_anything and isinstance(term.value, str):
        # As Python's `in`: part of a text, or an item of a list.
        return Or((_text(found, lookup, term.value), _elements(found, lookup, term.value)))
    if lookup in _TEXT or (lookup == "contains" and found.is_text and not found.is_list):
        return _text(found, lookup, term.value)
    return _elements(found, lookup, term.value)


def _split(declaration: Declaration, keyword: str) -> tuple[tuple[str, ...], str]:
    """The path and the look-up of amount__gte. A field called like a look-up is a field first.

    A key of a dict, which nobody declared, is not: settings__exact__exact asks for that.
    """
    names = names_in(keyword, dots=False)
    if len(names) > 1 and names[-1] in LOOKUPS:
        try:
            is_declared = target(declaration, names[:-1]).declares(names[-1])
        except UsageError:
            is_declared = names[:-1] == ("extra",)
        if not is_declared:
            return names[:-1], names[-1]
    elif len(names) > 1:
        try:
            target(declaration, names)
        except UsageError as error:
            raise _unknown_lookup(declaration, names, error) from None
    return names, "exact"


def _unknown_lookup(declaration: Declaration, names: tuple[str, ...], error: UsageError) -> UsageError:
    """amount__gtee: a mistyped look-up rather than a mistyped field, if the rest is one."""
    try:
        rest = target(declaration, names[:-1])
    except UsageError:
        return error
    if rest.has_inner:
        return error
    return UsageError(f"{rest} has no look-up {names[-1]!r}; {suggestion(names[-1], LOOKUPS)}")


def _presence(found: Target, lookup: str, wanted: object) -> Condition:
    if not isinstance(wanted, bool):
        raise UsageError(f"{found}: {lookup} takes True or False, got {wanted!r}")
    if lookup == "exists":
        return Comparison(found.path, "exists", wanted)
    return Comparison(found.path, "eq" if wanted else "ne", None)


def _one(found: Target, lookup: str, value: object) -> Condition:
    if lookup not in ("exact", "ne") and not found.is_ordered:
        raise UsageError(
            f"{found}: {found.type_name} values have no order that Kinto knows, {lookup} needs one"
        )
    stored = _value(found, value)
    if stored is None and lookup not in ("exact", "ne"):
        return NOTHING
    decode = found.decode(stored) if stored is not None else None
    return Comparison(found.path, _ONE[lookup], stored, decode, found.is_fixed_form)


def _text(found: Target, lookup: str, value: object) -> Condition:
    if not found.is_text:
        raise UsageError(f"{found} holds {found.type_name}: {lookup} is for texts")
    if not isinstance(value, str):
        raise UsageError(f"{found}: {lookup} takes a text, got {value!r}")
    check(value, str(found))
    return Comparison(found.path, _TEXT.get(lookup, "substring"), value)


def _elements(found: Target, lookup: str, value: object) -> Condition:
    if not found.is_list:
        raise UsageError(f"{found} holds {found.type_name}: {lookup} is for lists and sets")
    is_one = lookup == "contains" and not isinstance(value, (list, tuple, set, frozenset))
    several = [value] if is_one else _iterable(found, lookup, value)
    element = found.element
    stored = [_value(element, one) for one in several]
    return Comparison(found.path, lookup, stored, element.decode(*stored))


def _iterable(found: Target, lookup: str, values: object) -> list[Any]:
    if isinstance(values, (str, bytes, dict)) or not isinstance(values, Iterable):
        raise UsageError(f"{found}: {lookup} takes several values, got {values!r}")
    return list(values)


def _value(found: Target, value: object) -> JSON:
    """As it is stored. None is null, and fits every field."""
    if isinstance(value, FieldExpression):
        raise UsageError(f"{found}: Kinto compares a field with a value, not with {value!r}")
    if value is None:
        return None
    try:
        stored = found.write(value)
    except StructureHandlerNotFoundError as error:
        raise no_storage_form(found.name, found.type, error) from None
    except (ValueError, TypeError) as error:
        raise ValidationError(f"{found}: {error}") from None
    if not isinstance(stored, Decimal):
        check(stored, str(found))
    return stored
