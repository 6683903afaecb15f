"""Everything that is asked of Kinto: requests as values that read their own answers.

>>> str(read("/buckets/shop"))
'GET /buckets/shop'
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar
from urllib.parse import parse_qsl, urlencode

import attrs

from ..errors import KintoError, UnreadableResponse
from . import responses
from .objects import Page, PageHead, Response, ServerInfo, StoredObject, Unchanged
from .values import JSON, JSONObject, Secret, Text

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
P = TypeVar("P", Page, PageHead)


@attrs.frozen
class Operation(Generic[T_co]):
    """One request. path: below the API's root. parse: from a 2xx answer to the result.

    Inside a flow `result = yield from operation` performs it.
    """

    method: str
    path: str
    parse: Callable[[Response], T_co]
    params: Mapping[str, str] = attrs.field(factory=dict, kw_only=True)
    headers: Mapping[str, str] = attrs.field(factory=dict, kw_only=True)
    body: JSON = attrs.field(default=None, kw_only=True)
    has_repeatable_parts: bool = attrs.field(default=False, kw_only=True)
    """Of a batch: may each of its requests be sent again?"""
    after_failures: int = attrs.field(default=0, kw_only=True)
    """How often this step of a flow failed: it is sent after a wait that grows with them."""
    takes_unchanged: bool = attrs.field(default=False, kw_only=True)
    """Is "304 Not Modified" an answer for parse, and no refusal?"""

    def read(self, response: Response) -> T_co:
        """The result; raises the ResponseError that a refusal stands for."""
        unchanged = self.takes_unchanged and response.status == responses.NOT_MODIFIED
        if not 200 <= response.status < 300 and not unchanged:
            raise responses.refusal(response, self.method, self.path)
        return self._parsed(response, self.parse)

    def each_object(self, head: PageHead) -> Iterator[tuple[JSONObject, Text | None]]:
        """The objects of the page that it answered with; see responses.each_object()."""
        try:
            yield from responses.each_object(head.response)
        except UnreadableResponse as error:
            raise self._unreadable(head.response, error) from None

    def all_objects(self, head: PageHead) -> list[JSONObject]:
        """The same all at once; see responses.all_objects()."""
        return self._parsed(head.response, responses.all_objects)

    def _parsed(self, response: Response, parse: Callable[[Response], T]) -> T:
        try:
            return parse(response)
        except UnreadableResponse as error:
            raise self._unreadable(response, error) from None

    def _unreadable(self, response: Response, error: UnreadableResponse) -> UnreadableResponse:
        return UnreadableResponse(
            f"{self.method} {self.path}: {error}",
            status=response.status,
            method=self.method,
            path=self.path,
            attempts=response.attempts,
        )

    @property
    def is_read(self) -> bool:
        return self.method in ("GET", "HEAD")

    @property
    def is_repeatable(self) -> bool:
        """May it be sent again when it is not known whether it was received?

        A PUT, PATCH or DELETE may: with a precondition it is refused the second time, without one
        it has the same effect twice. A POST may not, but for a batch of those that may.
        """
        return self.method != "POST" or self.has_repeatable_parts

    def __iter__(self) -> Generator[Operation[Any], Any, T_co]:
        answer = yield self
        if isinstance(answer, Raised):
            raise answer.error
        result: T_co = answer
        return result

    def __str__(self) -> str:
        query = f"?{urlencode(self.params)}" if self.params else ""
        lines = [f"{self.method} {self.path}{query}"]
        if isinstance(self.headers, Secret):
            lines.append(f"  {self.headers!r}")
        else:
            lines += [f"  {name}: {value}" for name, value in self.headers.items()]
        if isinstance(self.body, Secret):
            lines.append(f"  {self.body!r}")
        elif self.body is not None:
            lines.append("  " + json.dumps(self.body, ensure_ascii=False))
        return "\n".join(lines)


class Raised(NamedTuple):
    """What a flow is sent in the place of a result: what its operation raised.

    It is not thrown, as Python 3.11 loses its way there: after throw() into a flow within a flow,
    debuggers and coverage no longer see what the caller does.
    """

    error: KintoError


Flow: TypeAlias = Generator[Operation[Any], Any, T]
"""Several operations in a row: yields each, is sent its result or Raised, returns T."""


def drive(flow: Flow[T], answer: Callable[[Operation[Any]], Any]) -> T:
    """What the flow returns once each of its operations got its answer."""
    try:
        operation = next(flow)
        while True:
            operation = flow.send(answer(operation))
    except StopIteration as end:
        value: T = end.value
        return value


def create(
    path: object, data: JSONObject, permissions: Mapping[str, list[str]] | None = None
) -> Operation[StoredObject]:
    """Store an object under an id of our own; Conflict if there is one.

    A PUT: a POST to an id that exists answers 200 and drops the data (Kinto 26.5).
    """
    return _write("PUT", path, {"If-None-Match": "*"}, data, permissions)


def replace(
    path: object,
    data: JSONObject,
    permissions: Mapping[str, list[str]] | None = None,
    *,
    last_modified: int | None = None,
) -> Operation[StoredObject]:
    """Put new data in the place of the old. permissions: all of them, or None to leave them.

    last_modified: milliseconds; Conflict if it was written since. None: no precondition.
    """
    return _write("PUT", path, if_match(last_modified), data, permissions)


def overwrite(
    path: object, data: JSONObject, permissions: Mapping[str, list[str]] | None = None
) -> Operation[StoredObject]:
    """Put an object there, whatever is there; Overwritten if anything was."""
    return attrs.evolve(replace(path, data, permissions), parse=responses.put_object)


def update(
    path: object,
    data: JSONObject | None = None,
    permissions: Mapping[str, list[str]] | None = None,
    *,
    last_modified: int | None = None,
) -> Operation[StoredObject]:
    """Change the attributes and permissions that are named, each as a whole, and no others.

    A plain PATCH means the same alone and in a batch; merge and JSON patches do not (Kinto 26.5).
    """
    return _write("PATCH", path, if_match(last_modified), data, permissions)


def delete(path: object, *, last_modified: int | None = None) -> Operation[int]:
    """Delete an object; the result is the time of the deletion in milliseconds."""
    return Operation("DELETE", str(path), responses.deletion, headers=if_match(last_modified))


def read(path: object, *, unless_changed_since: int | None = None) -> Operation[StoredObject]:
    """Ask for one object, with its permissions as far as we may see them.

    unless_changed_since: milliseconds; the answer is Conflict if it was written since.
    https://docs.kinto-storage.org/en/stable/api/1.x/timestamps.html
    """
    return Operation("GET", str(path), responses.stored_object, headers=if_match(unless_changed_since))


def list_page(
    endpoint: str, params: Mapping[str, str] | None = None, *, last_modified: int | None = None
) -> Operation[Page]:
    """Ask for the first page of a listing. last_modified: of the whole list, as for read()."""
    return Operation("GET", endpoint, responses.page, params=params or {}, headers=if_match(last_modified))


def list_page_head(endpoint: str, params: Mapping[str, str]) -> Operation[PageHead]:
    """The same, but that the objects are left to be read, with each_object()."""
    return Operation("GET", endpoint, responses.page_head, params=params)


def list_if_changed(
    endpoint: str, params: Mapping[str, str] | None = None, *, since: int | None = None
) -> Operation[Page | Unchanged]:
    """Ask for the first page of a listing; Unchanged if the time of the whole list is since.

    since: milliseconds; None: whatever that time is. The page has one.
    Only for a first page: to others Kinto 26.5 answers 304 as well, and in a batch 500.
    """
    return Operation(
        "GET",
        endpoint,
        responses.page_if_changed,
        params=params or {},
        headers={} if since is None else {"If-None-Match": f'"{since}"'},
        takes_unchanged=since is not None,
    )


def next_page(operation: Operation[P], page: P, *, last_modified: int | None = None) -> Operation[P] | None:
    """The operation for the page after this one; None on the last.

    last_modified: milliseconds; Conflict if anything in the list was written since. None: as for
    this page.
    """
    if page.next_query is None:
        return None
    params = dict(parse_qsl(page.next_query, keep_blank_values=True))
    return attrs.evolve(operation, params=params, headers={**operation.headers, **if_match(last_modified)})


def count(
    endpoint: str, params: Mapping[str, str] | None = None, *, last_modified: int | None = None
) -> Operation[int]:
    """How many objects match. Tombstones and _limit do not count. last_modified: as for list_page()."""
    return Operation("HEAD", endpoint, responses.total, params=params or {}, headers=if_match(last_modified))


def delete_page(endpoint: str, params: Mapping[str, str] | None = None) -> Operation[Page]:
    """Delete what matches of a listing; the result shows what was deleted, as tombstones.

    One answer deletes no more than a page: as long as next_query is set, the same is to be asked
    again (following it would skip objects, seen on Kinto 26.5).
    """
    return Operation("DELETE", endpoint, responses.page, params=params or {})


def server_info() -> Operation[ServerInfo]:
    return Operation("GET", "/", responses.server_info)


def heartbeat() -> Operation[JSONObject]:
    """Ask whether the server and its back ends are up: {name: bool}, or ServerError."""
    return Operation("GET", "/__heartbeat__", responses.json_object)


def if_match(last_modified: int | None) -> dict[str, str]:
    return {} if last_modified is None else {"If-Match": f'"{last_modified}"'}


def _write(
    method: str,
    path: object,
    headers: Mapping[str, str],
    data: JSONObject | None,
    permissions: Mapping[str, list[str]] | None,
) -> Operation[StoredObject]:
    body: JSONObject = {}
    if data is not None:
        body["data"] = data
    if permissions:
        body["permissions"] = {name: list(held) for name, held in permissions.items()}
    return Operation(method, str(path), responses.stored_object, headers=headers, body=body)
