"""Many operations in one request, and each answer back to its own operation.

https://docs.kinto-storage.org/en/stable/api/1.x/batch.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any, TypeVar
from urllib.parse import urlencode

from ..errors import BadRequest, PayloadTooLarge, ResponseError, UnreadableResponse
from . import responses
from .objects import Response
from .operations import Flow, Operation
from .values import JSON, JSONObject

T = TypeVar("T")

_FORBIDDEN = "/batch"


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most that size, read as they are wanted."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def is_batchable(operation: Operation[Any]) -> bool:
    """Kinto takes any path with "/batch" in it, such as that of a record batch1, for a recursion.

    To a 304 in a batch it answers 500 (26.5).
    """
    return _FORBIDDEN not in operation.path and not operation.takes_unchanged


def batch(operations: Sequence[Operation[Any]]) -> Operation[list[Response]]:
    """One request for all of them, in order; the result is an answer for each.

    It may be sent again when it is not known whether it was received, if each of them may.
    On PostgreSQL a 409 among the answers takes back what came before it: the answer to each of these
    is a 409 as well, whatever it said (Kinto 26.5).
    """
    return Operation(
        "POST",
        "/batch",
        _answers,
        body={"requests": [_request(operation) for operation in operations]},
        has_repeatable_parts=all(operation.is_repeatable for operation in operations),
        after_failures=max((operation.after_failures for operation in operations), default=0),
    )


def run(operations: Sequence[Operation[Any]]) -> Flow[list[Any]]:
    """Perform them in order, in one request; the result of each is its value or its ResponseError.

    Those whose path a batch cannot take are sent on their own when their turn comes, so there are
    batches before and after them. A single operation is sent as it is.
    """
    results: list[Any] = []
    for batchable, group in groupby(operations, is_batchable):
        several = list(group)
        if batchable and len(several) > 1:
            results += yield from together(several)
        else:
            for operation in several:
                results.append((yield from _alone(operation)))
    return results


def together(several: Sequence[Operation[Any]]) -> Flow[list[Any]]:
    """The same in one batch, even if there is only one. PayloadTooLarge if the server takes fewer."""
    try:
        answers = yield from batch(several)
    except BadRequest as error:
        if not has_too_many(error):
            raise
        message = f"POST /batch: {len(several)} requests are more than the server takes: send less at once"
        raise error.retold(PayloadTooLarge, message) from None
    if len(answers) != len(several):
        raise UnreadableResponse(
            f"POST /batch: {len(several)} requests got {len(answers)} answers; it is not known which",
            status=200,
            method="POST",
            path="/batch",
        )
    results: list[Any] = []
    for operation, answer in zip(several, answers, strict=True):
        try:
            results.append(operation.read(answer))
        except ResponseError as error:
            results.append(error)
    return results


def has_too_many(error: BadRequest) -> bool:
    """Does a refusal say that a batch has more requests than the server takes?"""
    details = error.details if error.path == "/batch" and isinstance(error.details, list) else ()
    return any(isinstance(one, dict) and one.get("name") == "requests" for one in details)


def _alone(operation: Operation[Any]) -> Flow[Any]:
    try:
        return (yield from operation)
    except ResponseError as error:
        return error


def _request(operation: Operation[Any]) -> JSONObject:
    query = f"?{urlencode(operation.params)}" if operation.params else ""
    request: JSONObject = {"method": operation.method, "path": operation.path + query}
    if operation.headers:
        request["headers"] = dict(operation.headers)
    if operation.body is not None:
        request["body"] = operation.body
    return request


def _answers(response: Response) -> list[Response]:
    found = responses.json_object(response).get("responses")
    if not isinstance(found, list) or not all(map(_is_answer, found)):
        raise responses.unreadable(response, "the answer to a batch holds no responses")
    answers = [_answer(one, response.attempts) for one in found]
    undone = max((at for at, one in enumerate(answers) if one.status == 409), default=0)
    return [_rolled_back(one) if one.status < 300 else one for one in answers[:undone]] + answers[undone:]


def _is_answer(one: JSON) -> bool:
    return (
        isinstance(one, dict)
        and isinstance(one.get("status"), int)
        and isinstance(one.get("headers", {}), dict)
    )


def _answer(one: JSONObject, attempts: int) -> Response:
    headers = {name.lower(): value for name, value in one.get("headers", {}).items()}
    return Response(one["status"], headers, one.get("body"), attempts=attempts)


def _rolled_back(answer: Response) -> Response:
    """What PostgreSQL took back with a later 409 of the same batch was not written, whatever it says."""
    body = {"error": "Conflict", "message": "rolled back with a later request of its batch"}
    return Response(409, answer.headers, body, attempts=answer.attempts)
