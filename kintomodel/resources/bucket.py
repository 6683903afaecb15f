"""Bucket: what holds collections and groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal

from typing_extensions import Self

from ..errors import UsageError
from ..flows import fanout, listing, opening
from ..flows.fanout import Edit
from ..protocol import capabilities, operations
from ..protocol.changes import Write
from ..protocol.objects import StoredObject
from ..protocol.paths import BucketPath, CollectionPath
from ..protocol.permissions import Principals
from ..protocol.values import JSON
from ..query import history
from ..query.history import HistoryEntry
from ..transport.auth import Auth
from ..transport.connection import Connection
from .bucket_permissions import BucketPermissions
from .collection import Collection
from .connecting import over_http
from .container import Container

DEFAULT = "default"
"""The one name that stands for another: each user's own bucket (the default_bucket plugin)."""


class Bucket(Container[BucketPermissions]):
    """A bucket on a server of its own connection; `client.bucket(name)` shares that of a client.

    create: create it if it is not there. Else it is opened, with one GET: NotFound if it does not
    exist, Forbidden if it may not be seen (Kinto says the same of both to whoever may not create it).
    https://docs.kinto-storage.org/en/stable/api/1.x/buckets.html
    """

    path: BucketPath

    def __init__(self, name: str, server_url: str, auth: Auth = None, *, create: bool = False) -> None:
        super().__init__(over_http(server_url, auth), BucketPath(name))
        if name == DEFAULT:
            self._become_default()
        elif create:
            self.create(if_not_exists=True)
        else:
            self.refresh()

    @classmethod
    def on(cls, connection: Connection, name: str) -> Self:
        """The bucket of that name, over a connection that is there. Sends nothing.

        But for the default bucket: Kinto knows it under another name, too, and only that one counts in
        permissions. One GET asks for it, and creates the bucket. UnsupportedByServer without the plugin.
        """
        bucket = cls.__new__(cls)
        Container.__init__(bucket, connection, BucketPath(name))
        if name == DEFAULT:
            bucket._become_default()
        return bucket

    @property
    def name(self) -> str:
        """The same as id."""
        return self.id

    def save(self, *, force: bool = False) -> Self:
        """As of any object. Edits of permissions that act on children are then applied to each of them:
        a GET and, where something differs, a guarded PATCH for each child, in batches.

        Raises BulkError if that failed for some; saving again goes on with it.
        """
        edits = {} if self.is_new else dict(self.permissions.child_edits)
        if edits:
            wanted = fanout.with_edits(self.data, edits)
            if wanted != self.data.get(fanout.KEY):
                self.data[fanout.KEY] = wanted
        super().save(force=force)
        if edits:
            self.permissions.child_edits.update(edits)
            self._spread(edits)
            self.permissions.child_edits.clear()
        return self

    def change_in_batch(self, *, force: bool = False) -> Write | None:
        if self.permissions.child_edits:
            raise UsageError(
                f"{self!r}: permissions that act on children take several requests: save() it by itself"
            )
        return super().change_in_batch(force=force)

    def collection(self, name: str) -> Collection:
        """The collection of that name; sends nothing."""
        return Collection(self.connection, CollectionPath(self.path.bucket, name))

    def create_collection(
        self,
        name: str,
        data: Mapping[str, JSON] | None = None,
        *,
        permissions: Mapping[str, Principals] | None = None,
        public: bool = False,
        if_not_exists: bool = False,
    ) -> Collection:
        """Store a new collection; Conflict if it is there. A GET of the bucket and a PUT.

        The GET asks for the permissions that the bucket wants for its collections. data: the
        metadata, such as {"schema": {...}}. public: everybody may read it with all that is in it.
        if_not_exists: one that is there is left as it is, and read.
        """
        return self.collection(name).create(data, permissions, public=public, if_not_exists=if_not_exists)

    def get_collection(self, name: str) -> Collection:
        """One GET; NotFound if there is none."""
        return self.collection(name).refresh()

    def get_all_collections(self) -> Iterator[Collection]:
        """In the order of their names; one GET a page."""
        for data in self.connection.stream(listing.everything(self.path.collections)):
            collection = self.collection(data["id"])
            collection.listed(StoredObject(data))
            yield collection

    def delete_collection(self, name: str, *, missing_ok: bool = False) -> None:
        """With all of its records. One DELETE."""
        self.collection(name).delete(missing_ok=missing_ok)

    def history(
        self,
        *,
        action: Literal["create", "update", "delete"] | None = None,
        user_id: str | None = None,
        since: datetime | int | None = None,
        before: datetime | int | None = None,
        resource_name: Literal["bucket", "collection", "group", "record"] | None = None,
        collection_id: str | None = None,
        group_id: str | None = None,
        record_id: str | None = None,
        uri: str | None = None,
    ) -> Iterator[HistoryEntry]:
        """What was done in it, newest first; one GET a page.

        action: create, update or delete. resource_name: bucket, collection, group or record.
        since, before: a datetime with a time zone, or milliseconds, of when the entries were stored
        (last_modified); neither includes its bound. UnsupportedByServer without the history plugin.
        """
        filters = {
            "action": action, "user_id": user_id, "resource_name": resource_name, "uri": uri,
            "collection_id": collection_id, "group_id": group_id, "record_id": record_id,
        }  # fmt: skip
        return self._history(filters, since, before)

    def purge_history(
        self,
        *,
        action: Literal["create", "update", "delete"] | None = None,
        user_id: str | None = None,
        since: datetime | int | None = None,
        before: datetime | int | None = None,
        resource_name: Literal["bucket", "collection", "group", "record"] | None = None,
        collection_id: str | None = None,
        group_id: str | None = None,
        record_id: str | None = None,
        uri: str | None = None,
    ) -> int:
        """Delete what matches of its history, all of it without filters; returns how many entries.

        Those of a DELETE whose answer was lost, so that it was sent again, are not counted. The
        filters are those of history(). One DELETE a page.
        """
        filters = {
            "action": action, "user_id": user_id, "resource_name": resource_name, "uri": uri,
            "collection_id": collection_id, "group_id": group_id, "record_id": record_id,
        }  # fmt: skip
        deletion = operations.delete_page(f"{self.path}/history", history.params(filters, since, before))
        return self.connection.run(
            capabilities.requiring(capabilities.HISTORY, listing.delete_pages(deletion))
        )

    def load_child_permission(self, name: str) -> Iterable[str]:
        """Who holds it on every child, or without children, who will. One GET for each child, in batches."""
        size = self.connection.batch_size()
        held = self.connection.run(fanout.held_by_children(self.path, name, size))
        return fanout.kept(self.data).get(name, ()) if held is None else sorted(held)

    def send_child_permissions(self, edits: Mapping[str, Edit]) -> None:
        """Keep them in the bucket's data, and apply them to every child."""
        self.require_saved()
        others = {name: edit for name, edit in self.permissions.child_edits.items() if name not in edits}
        self.accept(self.connection.run(fanout.remember(self.path, edits)))
        self.permissions.child_edits.update(others)
        self._spread(edits)

    def _spread(self, edits: Mapping[str, Edit]) -> None:
        size = self.connection.batch_size()
        self.connection.run(fanout.spread(self.path, edits, size)).raise_for_failures()

    def _become_default(self) -> None:
        flow = capabilities.requiring(capabilities.DEFAULT_BUCKET, opening.read(self.path))
        stored = self.connection.run(flow)
        self.path = BucketPath(stored.id)
        self.accept(stored)

    def _content(self, data: Mapping[str, JSON] | None, wanted: BucketPermissions) -> Mapping[str, JSON]:
        """Permissions that act on children go into the data: there are no children yet."""
        content = super()._content(data, wanted)
        edits = wanted.child_edits
        return {**content, fanout.KEY: fanout.with_edits(content, edits)} if edits else content

    def _new_permissions(self, known: Mapping[str, Iterable[str]] | None) -> BucketPermissions:
        return BucketPermissions(self.path.bucket, self, known)
