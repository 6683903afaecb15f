"""From a condition to what Kinto is asked: one listing, or one for each alternative.

Kinto knows no "or" but that of several values of one attribute.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

import attrs

from ..protocol.values import JSON
from .branching import LONGEST_QUERY, Branch, branch, split
from .conditions import NOTHING, And, Comparison, Condition, Or, normal
from .query import Query

# Beyond it one listing of all that may match is read, and checked here.
MOST_BRANCHES = 8

Parts: TypeAlias = tuple[Condition, ...]
"""Conditions that all hold."""

Lane: TypeAlias = tuple[Branch, ...]
"""Listings of which each comes before the next in the order that is wanted."""


class Plan(NamedTuple):
    """branches: one for each alternative, an object may be in several; none if nothing can match.

    whole: all of it in one listing, for when objects change while several are read.
    """

    branches: tuple[Branch, ...]
    whole: Branch

    @property
    def is_exact(self) -> bool:
        """Does one listing answer it, with nothing left to be checked?"""
        return len(self.branches) == 1 and self.whole.is_exact

    def is_by_time(self, query: Query) -> bool:
        """May all of it be read in the order of the times? See scanning.snapshot()."""
        # Deleted objects are not counted.
        is_single = len(self.branches) == 1 and not self.whole.shows_deleted
        return is_single and query == Query(query.condition)

    def lanes(self, query: Query) -> tuple[Lane, ...] | None:
        """What gives the objects in the query's order, if it is merged.

        None where Kinto cannot give that order, so that it is made here.
        """
        if query.sort_param is None:
            return None
        lanes: list[Lane] = []
        for one in self.branches:
            found = _lanes(one, query)
            if found is None:
                return None
            lanes += found
        return tuple(lanes)


def plan(condition: Condition) -> Plan:
    """What to ask for the objects that the condition is true of."""
    whole = normal(condition)
    if whole == NOTHING:
        return Plan((), Branch({}, NOTHING))
    alternatives = _alternatives(whole)
    branches = tuple(map(branch, alternatives))
    if len(branches) == 1:
        return Plan(branches, branches[0])
    return Plan(branches, branch(whole.parts if isinstance(whole, And) else (whole,)))


def _lanes(one: Branch, query: Query) -> list[Lane] | None:
    """Kinto puts objects without the key where it wants: to have them elsewhere, ask for them apart.

    Where all is read anyway, those that come too early can wait (lanes.py).
    """
    apart = [key for key in query.order if not key.is_kintos and not one.requires(key.path)]
    if not apart or (query.stop is None and all(key.may_wait for key in apart)):
        return [(one,)]
    key = apart[0]
    name = f"has_{key}".replace("-", "")
    if len(apart) > 1 or any(param.startswith("has_") for param in one.params):
        return [(one,)] if one.params.get(name) == "false" and len(apart) == 1 else None
    present, absent = (one._replace(params={name: flag, **one.params}) for flag in ("true", "false"))
    both = (absent, present) if key.missing_first else (present, absent)
    return [both] if key == query.order[0] else [(part,) for part in both]


def _alternatives(whole: Condition) -> list[Parts]:
    """The parts of each branch: a disjunctive normal form, as far as it is worth its requests."""
    if isinstance(whole, Or):
        return _of_either(whole)
    if not isinstance(whole, And):
        return _of_values(whole)
    found: list[Parts] = [()]
    for part in whole.parts:
        options = _alternatives(part)
        if len(found) * len(options) > MOST_BRANCHES:
            options = [(part,)]
        found = [(*before, *option) for before in found for option in options]
    return found


def _of_either(whole: Or) -> list[Parts]:
    """One for each part, if the server leaves out much for each of them."""
    found = [option for part in _united(whole.parts) for option in _alternatives(part)]
    if len(found) > MOST_BRANCHES or not all(branch(option).is_selective for option in found):
        return [(whole,)]
    return found


def _united(parts: Iterable[Condition]) -> Iterable[Condition]:
    """Those that ask for values of one attribute as one that asks for any of them."""
    united: dict[object, Condition] = {}
    for part in parts:
        if not isinstance(part, Comparison) or part.operator not in ("eq", "in"):
            united[part] = part
            continue
        same = (part.path, part.decode)
        before = united.get(same)
        if isinstance(before, Comparison):
            values = [*_values(before), *_values(part)]
            united[same] = attrs.evolve(part, operator="in", value=values)
        else:
            united[same] = part
    return united.values()


def _values(part: Comparison) -> list[JSON]:
    return list(part.value) if part.operator == "in" else [part.value]


def _of_values(part: Condition) -> list[Parts]:
    """More values than fit into a URL, in several listings."""
    if not isinstance(part, Comparison) or part.operator != "in" or part.decode is not None:
        return [(part,)]
    found: list[Parts] = [(attrs.evolve(part, value=values),) for values in split(part.value, LONGEST_QUERY)]
    if len(found) > MOST_BRANCHES or not all(branch(option).is_selective for option in found):
        return [(part,)]
    return found
