"""How a query is answered, for people to read."""

from __future__ import annotations

from typing import NamedTuple

from .branching import Branch, is_guard
from .planning import plan
from .query import Query, Sort


class PlannedRequest(NamedTuple):
    """One listing. request: the first of its pages, unescaped, without the guards.

    guards: the parameters beside it that only keep out values of another type, and deleted records.
    residual: the condition that is checked here, on what the server sends; None: nothing is left.
    """

    request: str
    guards: tuple[str, ...] = ()
    residual: str | None = None

    def __str__(self) -> str:
        lines = [self.request]
        if self.guards:
            lines.append(f"  guards: {' '.join(self.guards)}")
        if self.residual:
            lines.append(f"  checked here: {self.residual}")
        return "\n".join(lines)


class Explanation(NamedTuple):
    """How a query is answered. requests: one for each listing, whose records are merged; empty: none match.

    order: the keys by which all of it is put in order here; None: the server does that.
    round_trips: how many requests are expected, if each listing fits into one page. After several
    listings or pages, one more makes sure that nothing was written meanwhile; and one for each thousand
    objects, if any, that were written in the ten seconds before.
    """

    requests: tuple[PlannedRequest, ...] = ()
    order: str | None = None
    round_trips: int = 0

    def __str__(self) -> str:
        if not self.requests:
            return "no request: nothing can match"
        lines = [str(one) for one in self.requests]
        if self.order:
            lines.append(f"ordered here: {self.order}")
        return "\n".join([*lines, f"round trips: {self.round_trips}, and one for each further page"])


def explain(endpoint: str, query: Query) -> Explanation:
    """What snapshot() would ask for it."""
    planned = plan(query.condition)
    if not planned.branches or query.size == 0:
        return Explanation()
    lanes = planned.lanes(query)
    if lanes is None:
        by_id = explain(endpoint, Query(query.condition, (Sort(("id",)),)))
        return by_id._replace(order=",".join(map(str, query.order)))
    branches = [one for lane in lanes for one in lane]
    # A slice may be full before the end, but needs the first of each.
    needed = len(branches if query.stop is None else lanes)
    sort = "last_modified" if planned.is_by_time(query) else query.sort_param
    requests = tuple(_request(endpoint, sort, one) for one in branches)
    return Explanation(requests, None, needed + (needed > 1))


def _request(endpoint: str, sort: str | None, one: Branch) -> PlannedRequest:
    filters = {name: value for name, value in one.params.items() if not is_guard(name, value)}
    guards = tuple(f"{name}={value}" for name, value in one.params.items() if name not in filters)
    text = "&".join(f"{name}={value}" for name, value in {**filters, "_sort": sort}.items())
    return PlannedRequest(f"GET {endpoint}?{text}", guards, None if one.is_exact else str(one.residual))
