"""Stored records that a planned schema refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from typing import NamedTuple

from ..flows import listing
from ..protocol.operations import Flow
from ..protocol.values import JSON, JSONObject
from ..query import scanning
from . import schemas
from .changing import ObjectChange


class InvalidRecord(NamedTuple):
    """A stored record that a new schema refuses: it can be read, and not written before it fits.

    id: its path. problem: the first one, as the server would say it.
    """

    id: str
    problem: str

    def __str__(self) -> str:
        return f"{self.id} does not fit the new schema: {self.problem}"


def invalid_records(
    updates: Iterable[ObjectChange], deletes: Iterable[ObjectChange]
) -> Flow[list[InvalidRecord]]:
    """Of each collection whose schema changes; one GET a page. What the plan makes of a record counts."""
    several = list(updates)
    planned = {change.id: change.attributes for change in several}
    gone = {change.id for change in deletes}
    invalid: list[InvalidRecord] = []
    for change in several:
        schema = change.attributes.get("schema")
        if isinstance(schema, dict) and change.is_of_collection:
            invalid += yield from _of_collection(change.id, schema, planned, gone)
    return invalid


def _of_collection(
    path: str, schema: JSONObject, planned: Mapping[str, JSONObject], gone: Set[str]
) -> Flow[list[InvalidRecord]]:
    invalid: list[InvalidRecord] = []
    problem: Callable[[Mapping[str, JSON]], str | None] | None = None

    def check(page: Iterable[JSONObject]) -> None:
        nonlocal problem
        for data in page:
            # Not before there is a record: an empty collection needs no validator.
            problem = problem or schemas.checker(schema, path)
            id = f"{path}/records/{data['id']}"
            found = None if id in gone else problem({**data, **planned.get(id, {})})
            if found is not None:
                invalid.append(InvalidRecord(id, found))

    yield from scanning.each(listing.everything(f"{path}/records"), check)
    return invalid
