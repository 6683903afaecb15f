"""What the server last showed: an object, a page of them, the server itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeVar

import attrs

from .values import JSON, JSONObject, Text

T_co = TypeVar("T_co", covariant=True)


class Maker(Protocol[T_co]):
    """Makes something of an object. text: its JSON, where that is at hand."""

    def __call__(self, data: JSONObject, text: Text | None = None) -> T_co: ...


class Body(NamedTuple):
    """decoded: JSON, None if there is nothing. unreadable: the first 200 characters of what is not JSON."""

    decoded: JSON = None
    unreadable: str | None = None


def _without_text() -> Iterator[tuple[JSON, Text]]:
    raise ValueError("the text of the answer is not at hand")


@attrs.frozen(slots=False, eq=False, repr=False)
class Response:
    """An answer, whatever its status. headers: names in lower case.

    attempts: how often the request was sent until this answer came, without the times that it was
    surely not carried out.
    decode: reads the body when it is first looked at, in the place of body and unreadable.
    split: the members of the body's array `data`, each decoded when its turn comes, with its text;
    ValueError or RecursionError, maybe after some of them, where it cannot tell one from the next.
    """

    status: int
    headers: Mapping[str, str] = MappingProxyType({})
    _body: JSON = attrs.field(default=None, alias="body")
    _unreadable: str | None = attrs.field(default=None, alias="unreadable")
    attempts: int = 1
    _decode: Callable[[], Body] | None = attrs.field(default=None, alias="decode", kw_only=True)
    split: Callable[[], Iterator[tuple[JSON, Text]]] = attrs.field(default=_without_text, kw_only=True)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Response) and self._all == other._all

    def __repr__(self) -> str:
        return f"Response{self._all}"

    @property
    def body(self) -> JSON:
        """Decoded JSON, None if it is empty or unreadable."""
        return self._read.decoded

    @property
    def unreadable(self) -> str | None:
        """The first 200 characters of a body that is not JSON, else None."""
        return self._read.unreadable

    @property
    def _all(self) -> tuple[Any, ...]:
        return self.status, dict(self.headers), self.body, self.unreadable, self.attempts

    @cached_property
    def _read(self) -> Body:
        return Body(self._body, self._unreadable) if self._decode is None else self._decode()


class StoredObject(NamedTuple):
    """A bucket, collection, group or record.

    data: as the server has it, with id and last_modified.
    permissions: {name: principals}, or None where the answer did not show them: listings never do,
    and Kinto hides them from everybody who is not in the object's own write list.
    """

    data: JSONObject
    permissions: Mapping[str, tuple[str, ...]] | None = None

    @property
    def id(self) -> str:
        result: str = self.data["id"]
        return result

    @property
    def last_modified(self) -> int:
        """Milliseconds since 1970."""
        result: int = self.data["last_modified"]
        return result


class Overwritten(StoredObject):
    """One that was there before its PUT: its answer, to the only attempt, says so."""

    __slots__ = ()


class Page(NamedTuple):
    """Part of a listing. next_query: the query string of the following page, None on the last one.

    last_modified: milliseconds; the time of the last write to the whole list.
    clock: milliseconds, to the second; the server's time of the answer.
    """

    objects: tuple[JSONObject, ...]
    next_query: str | None = None
    last_modified: int | None = None
    clock: int | None = None


class PageHead(NamedTuple):
    """A page of which the objects are not looked at yet: what follows it can be asked for before."""

    response: Response
    next_query: str | None = None
    last_modified: int | None = None


class Unchanged(NamedTuple):
    """A listing to which nothing was written. clock: as that of a page."""

    clock: int | None = None


class User(NamedTuple):
    """Who the server takes you for. bucket: the id of your default bucket, None without the plugin."""

    id: str
    principals: tuple[str, ...] = ()
    bucket: str | None = None


class ServerInfo(NamedTuple):
    """The root of the API. user: None where the credentials are missing or wrong.

    https://docs.kinto-storage.org/en/stable/api/1.x/utilities.html
    """

    version: str
    http_api_version: str
    url: str
    settings: Mapping[str, JSON]
    capabilities: Mapping[str, JSON]
    user: User | None = None

    @property
    def batch_max_requests(self) -> int | None:
        """The most requests that one batch takes, None without a limit."""
        limit = self.settings.get("batch_max_requests")
        return limit if isinstance(limit, int) and limit > 0 else None
