"""Flows without a server: what they ask, and what they make of the answers."""

from __future__ import annotations

from typing import Any

from kintomodel.errors import Conflict, ConnectionFailed, Forbidden, NotFound, ServerError
from kintomodel.protocol import responses
from kintomodel.protocol.objects import Page, PageHead, Response, StoredObject
from kintomodel.protocol.operations import Operation, Raised

LOST = ConnectionFailed("the answer broke off")
MISSING = NotFound("gone", status=404)
FORBIDDEN = Forbidden("no", status=403)
BROKEN = ServerError("oh", status=500)


def stored(last_modified: int = 1000, permissions: Any = None, id: str = "r", **data: Any) -> StoredObject:
    return StoredObject({"id": id, "last_modified": last_modified, **data}, permissions)


def conflict(attempts: int = 1, **existing: Any) -> Conflict:
    details = {"existing": existing} if existing else None
    return Conflict("it changed", status=412, details=details, attempts=attempts)


def heard(operation: Operation[Any], answer: Any) -> Any:
    """The answer as the operation reads it: a page may be asked for without its objects."""
    if operation.parse is not responses.page_head or not isinstance(answer, Page):
        return answer
    response = Response(200, {}, {"data": list(answer.objects)})
    return PageHead(response, answer.next_query, answer.last_modified)


def play(flow: Any, *answers: Any) -> tuple[Any, list[Operation[Any]]]:
    """The result of the flow, and what it asked. Answers that are errors are raised in there."""
    asked = []
    try:
        step = next(flow)
        for answer in answers:
            asked.append(step)
            step = flow.send(Raised(answer) if isinstance(answer, Exception) else heard(step, answer))
    except StopIteration as end:
        return end.value, asked
    raise AssertionError(f"the flow goes on: {step}")


def ok(data: dict[str, Any]) -> Response:
    """An answer inside of a batch."""
    return Response(200, body={"data": data})
