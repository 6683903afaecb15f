"""Asking a listing for some attributes of its objects only."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator
from typing import Any, TypeVar

import attrs

from ..protocol.operations import Operation
from .conditions import Comparison, Condition, Not, Path
from .query import Query

Y = TypeVar("Y")
R = TypeVar("R")

_NAME = re.compile(r"\w+")
_ALWAYS_SENT: tuple[Path, ...] = (("id",), ("last_modified",))
# Beside the filters, of which there are 6000 characters at most, on a line of 8 kB.
_LONGEST = 1000


def fields(paths: Iterable[Path], query: Query) -> str | None:
    """Kinto's _fields for these attributes and all that the query looks at; None to ask for all.

    Kinto cannot select names with dots or dashes, and takes blanks for a part of them (26.5).
    """
    filtered = list(_paths(query.condition))
    looked_at = [*paths, *filtered, *(key.path for key in query.order)]
    wanted = dict.fromkeys(path for path in looked_at if path not in _ALWAYS_SENT)
    if ("last_modified",) in filtered:
        # With a filter on it Kinto shows deleted objects, which nothing else gives away (26.5).
        wanted[("deleted",)] = None
    names = [
        ".".join(path) for path in wanted if not any(path[:end] in wanted for end in range(1, len(path)))
    ]
    text = ",".join(names or ["id"])
    selectable = all(_NAME.fullmatch(key) for path in wanted for key in path)
    return text if selectable and len(text) <= _LONGEST else None


def project(flow: Generator[Y, Any, R], selected: str | None) -> Generator[Y, Any, R]:
    """The same flow or stream, with these attributes only on each page that it asks for."""
    return flow if selected is None else _projected(flow, selected)


def _projected(flow: Generator[Any, Any, R], selected: str) -> Generator[Any, Any, R]:
    try:
        step = next(flow)
        while True:
            if isinstance(step, Operation) and step.method == "GET":
                step = attrs.evolve(step, params={**step.params, "_fields": selected})
            step = flow.send((yield step))
    except StopIteration as end:
        result: R = end.value
        return result


def _paths(condition: Condition) -> Iterator[Path]:
    if isinstance(condition, Comparison):
        yield condition.path
    elif isinstance(condition, Not):
        yield from _paths(condition.part)
    else:
        for part in condition.parts:
            yield from _paths(part)
