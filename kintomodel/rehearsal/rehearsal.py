"""Rehearsal: an answer to each request of a dry run, as the server would give it.

Its flows yield what is to be read for real, and are sent the Response.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

import attrs

from ..errors import UsageError
from ..protocol import operations, probing, responses
from ..protocol.objects import Response, StoredObject
from ..protocol.operations import Operation
from ..protocol.values import JSONObject
from . import places, refusals, rehearsing
from .lists import Lists
from .passwords import Passwords
from .places import Listing, Place
from .stage import Reading, Stage

Answering: TypeAlias = Reading[Response]

_DEFAULT = ["", "buckets", "default"]


@attrs.frozen(eq=False)
class Rehearsal:
    """keep: is given each write with its answer."""

    stage: Stage
    keep: Callable[[Operation[Any], Response], None]
    _passwords: Passwords = attrs.field(factory=Passwords, init=False)

    def concerns(self, operation: Operation[Any]) -> bool:
        """False: the server alone can answer it."""
        if not operation.is_read or operation.path.split("/")[:3] == _DEFAULT:
            return True
        place, listing = places.place(operation.path), places.listing(operation.path)
        if place is not None:
            return operation.method == "GET" and self.stage.knows(place)
        if listing is None:
            return False
        return Lists(self.stage).concern(operation, listing)

    def answer(self, operation: Operation[Any]) -> Answering:
        """UsageError for what cannot be rehearsed."""
        if operation.path == "/batch":
            return (yield from self._batch(operation))
        real = yield from self._with_the_real_bucket(operation)
        place, listing = places.place(real.path), places.listing(real.path)
        if real.is_read:
            return (yield from self._read(real, place, listing))
        if place is not None and real.method in ("PUT", "PATCH", "DELETE"):
            response = yield from self._write(real, place)
        elif listing is not None and real.method == "DELETE":
            response = yield from self._delete_list(real, listing)
        else:
            raise UsageError(
                f"{real.method} {real.path}: a dry run cannot tell what this does; it was not sent"
            )
        if not probing.is_probe(operation):
            self.keep(operation, response)
        return response

    def _batch(self, operation: Operation[Any]) -> Answering:
        """Each request in order; each sees what those before it did."""
        answers: list[JSONObject] = []
        for request in operation.body["requests"]:
            path, _, query = request["path"].partition("?")
            one = Operation(
                request["method"],
                path,
                responses.json_object,
                params=dict(parse_qsl(query, keep_blank_values=True)),
                headers=request.get("headers", {}),
                body=request.get("body"),
            )
            response = yield from self.answer(one)
            shown = {"path": path, "status": response.status, "headers": dict(response.headers)}
            answers.append({**shown, "body": response.body})
        return Response(200, body={"responses": answers})

    def _with_the_real_bucket(self, operation: Operation[Any]) -> Reading[Operation[Any]]:
        """The default bucket has another name. Kinto makes it, and its collections, when they are wanted."""
        parts = operation.path.split("/")
        user = (yield from self.stage.server()).user if parts[:3] == _DEFAULT else None
        if user is None or user.bucket is None:
            return operation
        parts[2] = user.bucket
        path = "/".join(parts)
        for end in (3, 5):
            place = places.place("/".join(parts[:end]))
            is_created = operation.method == "PUT" and end == len(parts)
            if place is not None and place.kind != "group" and not is_created:
                yield from self._provide(place)
        return attrs.evolve(operation, path=path)

    def _provide(self, place: Place) -> Reading[None]:
        if isinstance((yield from self.stage.parent(place)), Response):
            writer = yield from self.stage.writer(place)
            creation = operations.create(place.path, {})
            done = rehearsing.write(creation, place, None, moment=self.stage.moment(), writer=writer)
            self.stage.store(place, done.stored, is_new=True)

    def _read(self, operation: Operation[Any], place: Place | None, listing: Listing | None) -> Answering:
        if not self.concerns(operation):
            return (yield operation)
        if place is None:
            assert listing is not None  # or it would not concern us
            return (yield from Lists(self.stage).read(operation, listing))
        if operation.params:
            raise UsageError(
                f"GET {operation.path}: what a dry run wrote is shown as a whole, without parameters"
            )
        found = yield from self.stage.known(place)
        if place.kind == "account" and "Authorization" in operation.headers:
            is_right = isinstance(found, StoredObject) and self._passwords.is_right(place, operation)
            if not is_right:
                return (yield operation) if is_right is None else refusals.forbidden(is_anonymous=True)
        if isinstance(found, Response):
            return found
        return rehearsing.precondition(operation.headers, found) or rehearsing.shown(found)

    def _write(self, operation: Operation[Any], place: Place) -> Answering:
        writer = yield from self.stage.writer(place)
        if (yield from self.stage.server()).settings.get("readonly"):
            return refusals.not_allowed()
        seen = yield from self.stage.look(place)
        found = seen if isinstance(seen, StoredObject) else None
        refusal = (
            None if isinstance(seen, StoredObject) else (yield from self._unseen(operation, place, seen))
        )
        if refusal is None:
            refusal = yield from self._without_right(operation, place, found)
        if refusal is not None:
            return refusal
        # As it comes out of JSON; a ValueError where it is none, as if it was sent.
        body = json.loads(json.dumps(operation.body, allow_nan=False))
        password = (body or {}).get("data", {}).pop("password", None) if place.kind == "account" else None
        done = rehearsing.write(
            attrs.evolve(operation, body=body),
            place,
            found,
            moment=self.stage.moment(),
            writer=writer,
            schema=(yield from self._schema(place)),
        )
        if done.is_done:
            self.stage.store(place, done.stored, is_new=found is None)
            if password is not None:
                self._passwords.keep(place, password)
        return done.response

    def _unseen(self, operation: Operation[Any], place: Place, seen: Response) -> Reading[Response | None]:
        """None where the write finds no object, else its refusal. seen: the answer to the GET."""
        is_put = operation.method == "PUT"
        if seen.status == 404 and isinstance(seen.body, dict) and seen.body.get("errno") == refusals.MISSING:
            return None
        if is_put and (place.kind, seen.status) in (("bucket", 403), ("account", 401)):
            # Kinto says so of a missing bucket, and to those who sign up.
            return None
        if seen.status not in (401, 403):
            return seen
        parent = (yield from self.stage.parent(place.ancestors[0])) if place.ancestors else seen
        if isinstance(parent, StoredObject):
            # It is not for us to read, but perhaps to create.
            return None if is_put and (yield from self.stage.may_create(place)) else seen
        if place.kind == "record" and seen.status == 403:
            # Of a record it says first that its collection is missing, whatever else there is to say.
            return refusals.missing(place.ancestors[0], is_parent=True)
        return seen

    def _without_right(
        self, operation: Operation[Any], place: Place, found: StoredObject | None
    ) -> Reading[Response | None]:
        """The refusal, if we surely may not do this. With If-None-Match: * that is the right to create."""
        may: bool | None = True
        if operation.method == "PUT" and (found is None or operation.headers.get("If-None-Match") == "*"):
            may = yield from self.stage.may_create(place)
        elif found is not None:
            may = yield from self.stage.may_write(place, found)
        return self.stage.forbidden() if may is False else None

    def _schema(self, place: Place) -> Reading[int | None]:
        """The time of the schema that the server validates a record by."""
        if place.kind != "record" or "schema" not in (yield from self.stage.server()).capabilities:
            return None
        collection = yield from self.stage.parent(place.ancestors[0])
        if isinstance(collection, Response) or "schema" not in collection.data:
            return None
        return collection.last_modified

    def _delete_list(self, operation: Operation[Any], listing: Listing) -> Answering:
        if "_limit" in operation.params:
            raise UsageError(f"DELETE {operation.path}: a dry run deletes a list as a whole, without _limit")
        written = [listing.place(data["id"]) for data in Lists(self.stage).matching(operation, listing)]
        yield from self.stage.server()
        listed = yield from self._listed(operation, listing)
        if isinstance(listed, Response):
            return listed
        return (yield from self._delete_each(operation, listing, [*listed, *written]))

    def _listed(self, operation: Operation[Any], listing: Listing) -> Reading[list[Place] | Response]:
        """What the server has of it but what was written, read to the end; its refusal."""
        response, shown = yield from Lists(self.stage).rest(operation, listing)
        if response.status != 200:
            return response
        found: list[Place] = []
        for data in shown:
            place = listing.place(data["id"])
            # A tombstone, or an object with such an attribute.
            if data.get("deleted") is not True or isinstance(
                (yield from self.stage.look(place)), StoredObject
            ):
                found.append(place)
        return found

    def _delete_each(self, operation: Operation[Any], listing: Listing, found: list[Place]) -> Answering:
        """Those of them that we may write. Kinto refuses it to those who may write nothing in the list."""
        whole = yield from self.stage.may_write_all(listing)
        if whole is False and listing.kind == "entry":
            return self.stage.forbidden()
        if not whole and listing.kind != "entry":
            found = yield from self._ours(found)
            if not found and (yield from self.stage.may_create(listing.place("any"))) is False:
                every = yield from self._listed(attrs.evolve(operation, params={}), listing)
                if isinstance(every, Response) or not (yield from self._ours(every)):
                    return self.stage.forbidden()
        tombstones = []
        for one in found:
            tombstones.append(rehearsing.tombstone(one.id, self.stage.moment()))
            if one.kind != "entry":
                self.stage.store(one, None)
        return rehearsing.answer(tombstones)

    def _ours(self, several: list[Place]) -> Reading[list[Place]]:
        kept = []
        for one in several:
            stored = yield from self.stage.look(one)
            if isinstance(stored, StoredObject) and (yield from self.stage.may_write(one, stored)):
                kept.append(one)
        return kept
