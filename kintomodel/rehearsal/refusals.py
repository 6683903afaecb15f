"""How Kinto refuses, for those who answer in its place.

https://docs.kinto-storage.org/en/stable/api/1.x/errors.html
"""

from __future__ import annotations

from http.client import responses as responses_by_status

import attrs

from ..protocol.objects import Response, StoredObject
from ..protocol.responses import MISSING_PARENT
from ..protocol.values import JSON, JSONObject, copy
from .places import Place

MISSING = 110  # errno of a 404: the object itself

_ERRNOS = {400: 107, 401: 104, 403: 121, 404: MISSING, 405: 115, 412: 114}


def forbidden(*, is_anonymous: bool) -> Response:
    """Kinto says the same of a missing bucket."""
    if is_anonymous:
        return _refusal(401, "Please authenticate yourself to use this endpoint.")
    return _refusal(403, "This user cannot access this resource.")


def missing(place: Place, *, is_parent: bool = False) -> Response:
    """is_parent: it is asked for something in there."""
    details = {"id": place.id, "resource_name": place.kind}
    return _refusal(404, errno=MISSING_PARENT if is_parent else MISSING, details=details)


def modified(stored: StoredObject | None) -> Response:
    """A precondition failed. stored: the object, None where there is none."""
    details = None if stored is None else {"existing": copy(stored.data)}
    headers = {} if stored is None else {"etag": f'"{stored.last_modified}"'}
    refused = _refusal(412, "Resource was modified meanwhile", details=details)
    return attrs.evolve(refused, headers=headers)


def invalid(name: str, description: str) -> Response:
    """name: the part of the body that is wrong."""
    details = [{"location": "body", "name": name, "description": description}]
    return _refusal(400, f"{name} in body: {description}", details=details)


def not_allowed() -> Response:
    """By a server that is read-only."""
    return _refusal(405, "Method not allowed on this endpoint.")


def _refusal(status: int, message: str | None = None, *, errno: int = 0, details: JSON = None) -> Response:
    reason = responses_by_status[status]
    body: JSONObject = {"code": status, "errno": errno or _ERRNOS[status], "error": reason}
    if message:
        body["message"] = message
    if details is not None:
        body["details"] = details
    return Response(status, body=body)
