"""Objects by their ids, in as few requests as their addresses allow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .branching import LONGEST_QUERY, split
from .conditions import And, Comparison
from .query import Query

# The rest of the query's length is for the other filters.
_LONGEST = LONGEST_QUERY * 5 // 6


def chunks(ids: Iterable[str]) -> Iterator[list[str]]:
    """The ids, each once, in lists that an address has room for."""
    return split(dict.fromkeys(ids), _LONGEST)


def among(query: Query, ids: list[str]) -> Query:
    """The same query of these objects only. The ids come first, as what is left of a long query is
    checked here.
    """
    return query._replace(condition=And((Comparison(("id",), "in", ids), query.condition)))
