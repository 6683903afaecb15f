"""What an answer means: the value it holds, or the error it stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http.client import responses as responses_by_status
from typing import Any

from ..errors import (
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    PayloadTooLarge,
    ResponseError,
    ServerError,
    Unauthorized,
    UnreadableResponse,
)
from .objects import Overwritten, Page, PageHead, Response, ServerInfo, StoredObject, Unchanged, User
from .paths import BUCKETS
from .values import JSON, JSONObject, Text

_ETAG = r'"(\d+)"'
NOT_MODIFIED = 304
_MISSING = 110  # errno of a 404: the object
MISSING_PARENT = 111  # errno of a 404: not the object, but its collection, which the details name, is missing
_OTHERS_ACCOUNT = "account ID do not match"  # in a 400 to who is logged in, and no administrator
BACKEND_FAILED = 201  # errno of a 503 of Kinto's own: PostgreSQL refused, and all was rolled back (26.5)

_ERRORS: dict[int, type[ResponseError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    412: Conflict,
    413: PayloadTooLarge,
    414: PayloadTooLarge,
    431: PayloadTooLarge,
}

_GONE = (404, 410)

_ADVICE_OF_NO_OBJECT: dict[type[ResponseError], str] = {
    BadRequest: "the server does not offer this, or no longer",
    UnreadableResponse: "this is not how Kinto says it: check the URL, and any proxy in front of the server",
}
_ADVICE_OF_NO_PATH = (
    "the server knows no such path: check the URL, which is that of the API's root, such as "
    "http://localhost:8888/v1, and whether the server has the plugin for it"
)

_ADVICE = {
    401: "check the user and password, or the token, given as auth=",
    403: "you lack the permission, or its bucket does not exist (Kinto says the same of both): "
    "ask its owner, or create the bucket first",
    405: "the server is read-only, or does not offer this",
    409: "it collided with other writes, or breaks a uniqueness rule: try again",
    412: "it is there already, or was changed since it was read: read it and try again",
    413: "send less at once",
    414: "use fewer or shorter filter values",
    429: "too many requests: try again later",
    431: "use fewer or shorter filter values",
}


def refusal(response: Response, method: str, path: str) -> ResponseError:
    """The error that an answer other than 2xx stands for."""
    status = response.status
    body = response.body if isinstance(response.body, dict) else {}
    errno, details = body.get("errno"), body.get("details")
    cause = _cause(response, errno, details)
    reason = _reason(response, body)
    advice = _ADVICE_OF_NO_OBJECT.get(cause) if status in _GONE else None
    if cause is UnreadableResponse and errno == MISSING_PARENT:
        advice = _ADVICE_OF_NO_PATH
    return cause(
        f"{method} {path}: {reason}; {advice or _advice(status, path, errno, reason)}",
        status=status,
        method=method,
        path=path,
        errno=errno if isinstance(errno, int) else None,
        details=details,
        attempts=response.attempts,
    )


def _cause(response: Response, errno: object, details: object) -> type[ResponseError]:
    status = response.status
    if status < 400:
        return UnreadableResponse
    # What does not say that an object is gone must not be taken for that.
    is_parent = errno == MISSING_PARENT and isinstance(details, dict) and "resource_name" in details
    if status not in _GONE or errno == _MISSING or is_parent:
        return _ERRORS.get(status) or (ServerError if status >= 500 else BadRequest)
    if errno == MISSING_PARENT:
        return UnreadableResponse  # of a path that it does not know, Kinto says no more than that
    if errno is not None:
        return BadRequest
    is_without_body = response.body is None and response.unreadable is None
    is_json = response.headers.get("content-type", "").startswith("application/json")
    return NotFound if is_without_body and is_json else UnreadableResponse


def is_undone(response: Response) -> bool:
    """Was a write that was answered like this surely not carried out? Not of a batch.

    409, 429: refused. 503: only if it is Kinto's own; that of a proxy does not say.
    """
    errno = response.body.get("errno") if isinstance(response.body, dict) else None
    return response.status in (409, 429) or (response.status == 503 and errno == BACKEND_FAILED)


def unreadable(response: Response, problem: str) -> UnreadableResponse:
    """The error for an answer that Kinto does not give; Operation.read() adds what was asked."""
    message = f"{response.status}, {problem}; is this the URL of a Kinto server?"
    return UnreadableResponse(message, status=response.status)


def _reason(response: Response, body: Mapping[str, Any]) -> str:
    if 300 <= response.status < 400:
        return f"{response.status}, a redirection"
    # Not the details: those of a 412 may hold data that must not reach a log.
    words = [str(body[key]) for key in ("error", "message") if body.get(key)]
    if not words:
        words = [response.unreadable or responses_by_status.get(response.status, "no explanation")]
    return " ".join(f"{response.status} {': '.join(dict.fromkeys(words))}".split())


def _advice(status: int, path: str, errno: object, reason: str) -> str:
    if status < 400:
        return "give the URL of the API's root itself, such as http://localhost:8888/v1"
    if status in _GONE:
        return _advice_of_missing(path, errno)
    if status >= 500:
        return "the server failed: try again later"
    if status == 403 and not path.startswith(BUCKETS):
        return "you lack the permission: ask the server's administrator"
    if status == 400 and _OTHERS_ACCOUNT in reason:
        return "only an administrator creates accounts for others; to sign up, use a Client without auth="
    return _ADVICE.get(status, "the server does not accept this request")


def _advice_of_missing(path: str, errno: object) -> str:
    if errno is None:  # without a body, as to a HEAD
        it = "its collection" if path.endswith("/records") else "it"
        return f"{it} does not exist, or the URL is wrong: create it first, or check the URL"
    if errno == MISSING_PARENT:
        # Of a record in a missing bucket Kinto says the same, of a listing it would say 403.
        either = "its bucket or " if "/records/" in path else ""
        return f"{either}its collection does not exist: create it first"
    return "it does not exist, or no longer"


def _object(response: Response) -> JSONObject:
    if isinstance(response.body, dict):
        return response.body
    found = "nothing" if response.body is None else type(response.body).__name__
    raise unreadable(response, f"expected a JSON object, got {response.unreadable or found!r}")


def _member(response: Response, key: str, kind: type) -> Any:
    value = _object(response).get(key)
    if isinstance(value, kind):
        return value
    raise _not_kintos(response, key)


def _not_kintos(response: Response, key: str) -> UnreadableResponse:
    return unreadable(response, f"the answer's {key!r} is missing or not what Kinto sends")


def stored_object(response: Response) -> StoredObject:
    """The object that a single GET, PUT, POST or PATCH answers with."""
    data = _member(response, "data", dict)
    if not isinstance(data.get("id"), str) or not isinstance(data.get("last_modified"), int):
        raise _not_kintos(response, "data")
    # An object without a single visible permission is one whose permissions we may not see.
    if not response.body.get("permissions"):
        return StoredObject(data)
    permissions = {}
    for name, held in _member(response, "permissions", dict).items():
        if not isinstance(held, list):
            raise _not_kintos(response, "permissions")
        permissions[name] = tuple(held)
    return StoredObject(data, permissions)


def put_object(response: Response) -> StoredObject:
    """The same of a PUT without a precondition: Overwritten, unless it was created or nobody can tell."""
    stored = stored_object(response)
    return Overwritten(*stored) if response.status == 200 and response.attempts == 1 else stored


def deletion(response: Response) -> int:
    """The time of the deletion, in milliseconds."""
    moment = _member(response, "data", dict).get("last_modified")
    if not isinstance(moment, int):
        raise _not_kintos(response, "data")
    return moment


def page(response: Response) -> Page:
    """Part of a listing. Of the next page's URL only the query is kept.

    Kinto builds that URL from the request's Host header: following it as it stands could carry
    the credentials to another host.
    """
    head = page_head(response)
    return Page(objects(response), head.next_query, head.last_modified, clock(response))


def page_head(response: Response) -> PageHead:
    """The same of a page of which each_object() is read later."""
    following = response.headers.get("next-page")
    query = following.partition("?")[2] if following else None
    return PageHead(response, query, etag(response))


def objects(response: Response) -> tuple[JSONObject, ...]:
    """Those of a page."""
    found = _member(response, "data", list)
    if not all(isinstance(data, dict) for data in found):
        raise _not_kintos(response, "data")
    return tuple(found)


def each_object(response: Response) -> Iterator[tuple[JSONObject, Text | None]]:
    """The same, one after the other, each with its id, and its text where that is at hand.

    What is wrong may be found after some of them. Each is decoded when its turn comes, so that those before
    it are gone if nobody keeps them: the garbage collector would look at all of a page, again and again.
    """
    given = 0
    try:
        for data, text in response.split():
            yield _named(response, data), text
            given += 1
        return
    except (ValueError, RecursionError):
        rest = objects(response)[given:]
    for data in rest:
        yield _named(response, data), None


def all_objects(response: Response) -> list[JSONObject]:
    """The same all at once, without their texts, which takes half the time."""
    return [_named(response, data) for data in objects(response)]


def _named(response: Response, data: JSON) -> JSONObject:
    if type(data) is dict and type(data.get("id")) is str:
        return data
    raise _not_kintos(response, "data")


def page_if_changed(response: Response) -> Page | Unchanged:
    """UnreadableResponse if a page names no time of the list."""
    if response.status == NOT_MODIFIED:
        return Unchanged(clock(response))
    if etag(response) is None:
        raise unreadable(response, "the answer names no time of the list (no ETag)")
    return page(response)


def clock(response: Response) -> int | None:
    """The server's time of the answer in milliseconds, to the second; None where it names none."""
    moment = http_date(response.headers.get("date", ""))
    return None if moment is None else int(moment.timestamp()) * 1000


def http_date(header: str) -> datetime | None:
    """The moment that a header names, None where it is no date."""
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)


def etag(response: Response) -> int | None:
    """The moment of the last change, in milliseconds, or None where the answer names none."""
    found = re.fullmatch(_ETAG, response.headers.get("etag", ""))
    return int(found[1]) if found else None


def total(response: Response) -> int:
    """The number of objects that a HEAD counts."""
    for header in ("total-objects", "total-records"):
        number = response.headers.get(header, "")
        if number.isdecimal():
            return int(number)
    raise unreadable(response, "the answer names no total")


def json_object(response: Response) -> JSONObject:
    """The answer as it stands, where it has no shape of its own."""
    return _object(response)


def server_info(response: Response) -> ServerInfo:
    root = _object(response)
    shown = root.get("user")
    return ServerInfo(
        version=str(_member(response, "project_version", str)),
        http_api_version=str(root.get("http_api_version", "")),
        url=str(root.get("url", "")),
        settings=_member(response, "settings", dict),
        capabilities=_member(response, "capabilities", dict),
        user=_user(shown) if isinstance(shown, dict) else None,
    )


def _user(shown: Mapping[str, JSON]) -> User:
    return User(str(shown.get("id", "")), tuple(shown.get("principals") or ()), shown.get("bucket"))
