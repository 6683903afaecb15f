"""Stage: what would be on the server if the writes of a dry run had been sent, and who may write there.

Its flows yield what is to be read for real, and are sent the Response.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, TypeAlias, TypeVar

import attrs

from ..protocol import capabilities, operations, responses
from ..protocol.objects import Response, ServerInfo, StoredObject
from ..protocol.operations import Operation
from ..protocol.permissions import Everyone, account
from . import refusals
from .places import Listing, Place
from .rehearsing import Writer

T = TypeVar("T")

Reading: TypeAlias = Generator[Operation[Any], Response, T]
Seen: TypeAlias = StoredObject | Response
"""An object, or the answer that shows none."""


@attrs.define(eq=False)
class Stage:
    """clock: milliseconds since 1970."""

    clock: Callable[[], int]
    _objects: dict[str, dict[str, StoredObject | None]] = attrs.field(factory=dict, init=False)
    """By the paths of lists and the ids in there, those that were written; None for a deleted one."""
    _emptied: set[str] = attrs.field(factory=set, init=False)
    """The paths of objects below which nothing counts that the server has."""
    _parents: dict[str, StoredObject] = attrs.field(factory=dict, init=False)
    _rights: dict[str, frozenset[str]] = attrs.field(factory=dict, init=False)
    times: dict[str, int] = attrs.field(factory=dict, init=False)
    """Of the lists that were written in, by their paths; and those that they have on the server:"""
    _known_times: dict[str, int | None] = attrs.field(factory=dict, init=False)
    _info: ServerInfo | None = attrs.field(default=None, init=False)
    _latest: int = attrs.field(default=0, init=False)

    def notice(self, response: Response) -> None:
        """The server showed this: what is written later has a later time."""
        self._latest = max(self._latest, responses.etag(response) or 0)

    def moment(self) -> int:
        """Milliseconds; later than all that was shown, and than those before."""
        self._latest = max(self._latest + 1, self.clock())
        return self._latest

    def store(self, place: Place, stored: StoredObject | None, *, is_new: bool = False) -> None:
        """What becomes of it; None: it is deleted. Below a new or a deleted object is nothing."""
        if stored is None or is_new:
            for path in [path for path in self._objects if path.startswith(f"{place.path}/")]:
                del self._objects[path]
            self._emptied.add(place.path)
        self._objects.setdefault(place.listing, {})[place.id] = stored
        self.times[place.listing] = self._latest
        self._known_times.pop(place.listing, None)

    def knows(self, place: Place) -> bool:
        """Can it say what is there without the server?"""
        return place.id in self.written(place.listing) or self.is_emptied(place.ancestors)

    def is_emptied(self, parents: Iterable[Place]) -> bool:
        return any(one.path in self._emptied for one in parents)

    def is_missing(self, place: Place) -> bool:
        """Is it known that there is none?"""
        return self.knows(place) and self.written(place.listing).get(place.id) is None

    def written(self, list_path: str) -> Mapping[str, StoredObject | None]:
        """By their ids, what was written of a list; None for a deleted one."""
        return self._objects.get(list_path, {})

    def time(self, list_path: str, known: int | None) -> int:
        """Of a list that was written in, and has this one on the server: another one where that changed."""
        time = self.times[list_path]
        if self._known_times.setdefault(list_path, known) != known or (known or 0) > time:
            self._known_times[list_path] = known
            time = self.times[list_path] = self.moment()
        return time

    def known_time(self, list_path: str) -> int | None:
        """What it had on the server when time() was asked."""
        return self._known_times.get(list_path)

    def known(self, place: Place, *, is_parent: bool = False) -> Reading[Seen]:
        """Of a place that it knows. is_parent: it is asked for something in there."""
        stored = self.written(place.listing).get(place.id)
        if stored is not None:
            return stored
        for parent in reversed(place.ancestors):
            if self.is_missing(parent):
                return (yield from self.known(parent, is_parent=True))
        # That there is none is only for those to know who may read what holds it; of a bucket, for nobody.
        if place.kind == "bucket":
            return self.forbidden()
        if place.kind != "account" and (yield from self._may(place.ancestors, also="read")) is False:
            return self.forbidden()
        return refusals.missing(place, is_parent=is_parent)

    def forbidden(self) -> Response:
        return refusals.forbidden(is_anonymous=self._info is not None and self._info.user is None)

    def look(self, place: Place) -> Reading[Seen]:
        """What is at this place; one GET where nothing was written there."""
        if self.knows(place):
            return (yield from self.known(place))
        # It counts as the answer to a write, which was sent once.
        response = attrs.evolve((yield operations.read(place.path)), attempts=1)
        if response.status != 200:
            return response
        stored = responses.stored_object(response)
        if place.kind == "account":
            stored.data.pop("password", None)  # its hash
        return stored

    def parent(self, place: Place) -> Reading[Seen]:
        """The same; what the server showed of it once will do."""
        if not self.knows(place) and place.path in self._parents:
            return self._parents[place.path]
        found = yield from self.look(place)
        if isinstance(found, StoredObject) and not self.knows(place):
            self._parents[place.path] = found
        return found

    def server(self) -> Reading[ServerInfo]:
        """One GET of the root, the first time."""
        if self._info is None:
            operation = operations.server_info()
            self._info = operation.read((yield operation))
        return self._info

    def writer(self, place: Place) -> Reading[Writer]:
        info = yield from self.server()
        principals = info.user.principals if info.user is not None else ()
        principal = info.user.id if info.user is not None else Everyone
        if place.kind == "account":
            principal = account(place.id)
        is_added = info.settings.get("explicit_permissions") is not False
        return Writer(principal, frozenset((principal, *principals)), is_added)

    def may_write(self, place: Place, stored: StoredObject) -> Reading[bool | None]:
        """None: the server does not say. It shows the permissions of an object to those in its write list."""
        if stored.permissions is not None or place.kind == "account":
            return True
        return (yield from self._may(place.ancestors, here=place))

    def may_create(self, place: Place) -> Reading[bool | None]:
        if place.kind == "account":
            return None
        return (yield from self._may(place.ancestors, creation=f"{place.kind}:create"))

    def may_write_all(self, listing: Listing) -> Reading[bool | None]:
        """Whatever is in that list."""
        return (yield from self._may(listing.parents)) if listing.parents else False

    def _may(
        self, parents: list[Place], *, here: Place | None = None, also: str = "", creation: str = ""
    ) -> Reading[bool | None]:
        """Do we hold `write` here or on a parent? Or what is enough also, or, on the nearest, to create?

        A GET of each parent, the first time; where these do not tell, one of /permissions.
        """
        for parent in parents:
            seen = yield from self.parent(parent)
            if isinstance(seen, StoredObject) and seen.permissions is not None:
                return True
        info = yield from self.server()
        if capabilities.PERMISSIONS not in info.capabilities:
            return None
        paths = [one.path for one in parents] or ["/"]
        every = [*paths, here.path] if here is not None else paths
        unknown = [path for path in every if path not in self._rights]
        if unknown:
            response = yield operations.list_page(
                "/permissions", {"in_uri": ",".join(map(json.dumps, unknown))}
            )
            if response.status != 200:
                return None
            self._rights.update(dict.fromkeys(unknown, frozenset()))
            for entry in responses.page(response).objects:
                self._rights[entry["uri"]] = frozenset(entry["permissions"])
        enough = {"write", also}
        return creation in self._rights[paths[0]] or any(enough & self._rights[path] for path in every)
