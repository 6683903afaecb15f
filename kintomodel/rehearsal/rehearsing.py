"""One write, as Kinto would perform it: from the object as it is to the answer and the object after it.

What only the server can check is taken to be right: a collection's schema, above all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..protocol.objects import Response, StoredObject
from ..protocol.operations import Operation
from ..protocol.permissions import KNOWN
from ..protocol.values import JSON, JSONObject, copy
from . import refusals
from .places import Place


class Writer(NamedTuple):
    """Who writes. principal: under which Kinto gives the right to write to whoever writes.

    principals: all that they are. is_added: does the server give that right (explicit_permissions)?
    """

    principal: str
    principals: frozenset[str]
    is_added: bool = True


class Rehearsed(NamedTuple):
    """stored: the object after a write that was done; None after its deletion."""

    response: Response
    stored: StoredObject | None = None

    @property
    def is_done(self) -> bool:
        return self.response.status < 300


def write(
    operation: Operation[Any],
    place: Place,
    stored: StoredObject | None,
    *,
    moment: int,
    writer: Writer,
    schema: int | None = None,
) -> Rehearsed:
    """A PUT, PATCH or DELETE of one object by somebody who may.

    stored: None where there is none. moment: milliseconds, later than what is stored. schema: the
    time of the collection's schema, which Kinto writes into its records.
    """
    body = operation.body or {}
    problem = _problem(operation, place, stored, body)
    if problem is not None:
        return Rehearsed(problem)
    if operation.method == "DELETE":
        return Rehearsed(answer(tombstone(place.id, moment)))
    data = _data(operation.method, place, stored, body)
    forced = data.get("last_modified")
    if type(forced) is not int or (stored is not None and forced <= stored.last_modified):
        forced = moment
    data.update(last_modified=forced)
    if schema is not None:
        data["schema"] = schema
    permissions = _permissions(operation.method, place, stored, body.get("permissions") or {}, writer)
    after = StoredObject(data, permissions)
    return Rehearsed(shown(after, 201 if stored is None else 200), after)


def shown(stored: StoredObject, status: int = 200) -> Response:
    """The answer that shows an object. Permissions that we may not see are an empty object to Kinto."""
    permissions = {name: list(held) for name, held in (stored.permissions or {}).items()}
    return answer(copy(stored.data), status, permissions=permissions)


def answer(data: JSON, status: int = 200, **others: JSON) -> Response:
    """data: an object, or several."""
    several = data if isinstance(data, list) else [data]
    moment = max((one["last_modified"] for one in several), default=0)
    return Response(status, {"etag": f'"{moment}"'}, {"data": data, **others})


def tombstone(id: str, moment: int) -> JSONObject:
    return {"id": id, "last_modified": moment, "deleted": True}


def precondition(headers: Mapping[str, str], stored: StoredObject | None) -> Response | None:
    """The refusal, where one of If-Match and If-None-Match: * is not met."""
    wanted = headers.get("If-Match")
    if headers.get("If-None-Match") == "*":
        is_met = stored is None
    elif stored is None:
        is_met = wanted is None
    else:
        is_met = wanted in (None, "*", f'"{stored.last_modified}"')
    return None if is_met else refusals.modified(stored)


def _problem(
    operation: Operation[Any], place: Place, stored: StoredObject | None, body: JSONObject
) -> Response | None:
    known = KNOWN[place.kind]
    for name in body.get("permissions") or {}:
        if name not in known:
            return refusals.invalid("permissions", f'"{name}" is not one of {", ".join(known)}')
    if stored is None and operation.method != "PUT":
        return refusals.missing(place)
    failed = precondition(operation.headers, stored)
    if failed is None and operation.method == "PATCH" and not body:
        return refusals.invalid("data", "Provide at least one of data or permissions")
    if failed is None and body.get("data", {}).get("id", place.id) != place.id:
        return refusals.invalid("id", "Object id does not match existing object")
    return failed


def _data(method: str, place: Place, stored: StoredObject | None, body: JSONObject) -> JSONObject:
    before = {} if stored is None else stored.data
    given = body.get("data")
    data: JSONObject = {**before, **(given or {})} if method == "PATCH" or given is None else {**given}
    # A group that is created without any data has no members at all (Kinto 26.5).
    if place.kind == "group" and (method == "PATCH" or given is not None):
        data.setdefault("members", [])
    return {"id": place.id, **copy(data)}


def _permissions(
    method: str,
    place: Place,
    stored: StoredObject | None,
    wanted: Mapping[str, list[str] | None],
    writer: Writer,
) -> dict[str, tuple[str, ...]] | None:
    """As the server shows them after the write; None where that depends on what it did not show."""
    given = {name: tuple(held) for name, held in wanted.items() if held is not None}
    before = {} if stored is None else stored.permissions
    after: dict[str, tuple[str, ...]]
    if given and (method == "PUT" or given.keys() >= set(KNOWN[place.kind])):
        after = given
    elif before is None:
        return None
    else:
        after = {**before, **given}
    if writer.is_added:
        after["write"] = (*after.get("write", ()), writer.principal)
    elif not writer.principals.intersection(after.get("write", ())):
        return None
    return {name: tuple(dict.fromkeys(held)) for name, held in after.items() if held}
