"""What buckets, collections, groups and records have in common: all that can be done with one object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Generic, Literal, TypeVar

from typing_extensions import Self

from ..errors import Conflict, KintoError, NotFound, UsageError
from ..flows import editing, fanout, opening, settling
from ..flows.listing import PAGE_SIZE, RETRIES, pages
from ..flows.merging import merge
from ..protocol import capabilities, changes, operations
from ..protocol.changes import Lost, ObjectPath, Write
from ..protocol.objects import StoredObject
from ..protocol.paths import BucketPath, RecordPath
from ..protocol.permissions import Everyone, Principals, is_public
from ..protocol.responses import MISSING_PARENT
from ..protocol.values import JSON, JSONObject, become, sendable
from ..query import history
from ..query.history import HistoryEntry
from ..transport.connection import Connection
from .permissions import Permissions

P = TypeVar("P", bound=Permissions)


class Resource(Generic[P]):
    """One object of the server. Opened by its name it sends nothing until something is asked of it.

    What the server last showed is kept beside `data`: save() compares the two, so edits in place
    are seen, however deep.
    """

    path: Any
    child_kind: ClassVar[str | None] = None
    """What it is to its bucket, where the permissions of a bucket act on such children."""

    def __init__(self, connection: Connection, path: ObjectPath, data: JSONObject | None = None) -> None:
        self.connection = connection
        self.path = path
        self._stored: StoredObject | None = None
        self._lost: Lost | None = None
        self._data = data
        self._permissions: P | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'/'.join(_names(self.path))}>"

    @property
    def id(self) -> str:
        """Its own name, without those of what it is in."""
        return _names(self.path)[-1]

    @property
    def data(self) -> JSONObject:
        """What is stored in it, without id and last_modified; a dict to be edited in place.

        Costs one GET where nothing is known of the object yet. It stays the same dict when the
        object is saved or refreshed.
        """
        if self._data is None:
            self._data = sendable(changes.own_data(self.path, self._known().data))
        return self._data

    @data.setter
    def data(self, value: Mapping[str, JSON]) -> None:
        if value is not self._data:
            fresh = dict(value)
            self.data.clear()
            self.data.update(fresh)

    @property
    def last_modified(self) -> int | None:
        """Milliseconds since 1970 of the last write that we know of; None where we know of none."""
        return None if self._stored is None else self._stored.last_modified

    @property
    def permissions(self) -> P:
        """Who may do what. Edits are sent by save(); reading may cost one GET."""
        if self._permissions is None:
            shown = None if self._stored is None else self._stored.permissions
            self._permissions = self._new_permissions({} if self.is_new else shown)
        return self._permissions

    def create(
        self,
        data: Mapping[str, JSON] | None = None,
        permissions: Mapping[str, Principals] | None = None,
        *,
        public: bool = False,
        if_not_exists: bool = False,
    ) -> Self:
        """Store it as a new object; one PUT. Conflict if it is there.

        Of a collection or a group it is a GET of the bucket and a PUT: the GET asks for the permissions
        that the bucket wants for them.
        public: everybody may read it. if_not_exists: one that is there is left as it is, and read.
        Kinto gives whoever creates it the permission to write.
        https://docs.kinto-storage.org/en/stable/api/1.x/
        """
        write = self._inheriting(self.creation(data, permissions, public=public))
        store = opening.create_or_read if if_not_exists else opening.create
        try:
            stored = self.connection.run(store(write))
        except Conflict as error:
            raise self.explained(error, write) from None
        self.accept(stored)
        return self

    def refresh(self) -> Self:
        """Take over what the server has, and drop what is unsaved; one GET."""
        self.accept(self.connection.run(opening.read(self.path)))
        return self

    def exists(self) -> bool:
        """Is it on the server now? One GET. Forbidden if that is not for us to know."""
        return self.connection.run(opening.exists(self.path))

    def save(self, *, force: bool = False) -> Self:
        """Send what changed, data and permissions in one guarded request; nothing if nothing did.

        Raises Conflict, with base, mine and theirs, if somebody else wrote or deleted it meanwhile.
        force: whoever wrote it, and what others changed beside it stays; to take out a key costs a GET and
        another attempt then. What was deleted stays deleted: that is a Conflict all the same.
        An object that is not stored yet is created, as create() does.
        """
        write = self.change(force=force) or self._taking_back()
        if write is not None:
            write = self._inheriting(write) if self.is_new else write
            stored = self._forced(write) if force and not self.is_new else self._written(write)
            if stored is None:
                return self.save(force=force)
            self.accept(stored)
        return self

    def delete(self, *, force: bool = False, missing_ok: bool = False) -> None:
        """One DELETE, with all that is in it. Conflict if somebody wrote it since we last saw it.

        force: without that precondition. missing_ok: it is no error if it is not there.
        """
        write = self.deletion(force=force)
        try:
            self.connection.run(opening.delete(write))
        except NotFound as error:
            # Where the whole collection of a record is missing, its name may be wrong.
            if not missing_ok or (isinstance(self.path, RecordPath) and error.errno == MISSING_PARENT):
                raise
        except Conflict as error:
            raise self.explained(error, write) from None
        self.forget()

    def update_permissions(self, **permissions: Principals) -> None:
        """Replace these at once; what else is unsaved stays so. `record_create` is `record:create`."""
        self.permissions.send(permissions)

    def history(
        self,
        *,
        action: Literal["create", "update", "delete"] | None = None,
        user_id: str | None = None,
        since: datetime | int | None = None,
        before: datetime | int | None = None,
    ) -> Iterator[HistoryEntry]:
        """What was done to it, newest first; one GET a page.

        action: create, update or delete. since, before: a datetime with a time zone, or milliseconds,
        of when the entries were stored (last_modified); neither includes its bound. UnsupportedByServer
        without the history plugin.
        """
        filters = {"uri": str(self.path), "action": action, "user_id": user_id}
        return self._history(filters, since, before)

    # What follows is for the rooms above, and for batches.

    def creation(
        self,
        data: Mapping[str, JSON] | None = None,
        permissions: Mapping[str, Principals] | None = None,
        *,
        public: bool = False,
    ) -> Write:
        """The write that stores it as a new object: data, or what is known of it, and the edits."""
        wanted = self._new_permissions({})
        if data is not None and not isinstance(data, Mapping):
            raise UsageError(f"{self!r}: the data of an object is a dict, got {data!r}")
        if data is not None and data.get("id", self.id) != self.id:
            raise UsageError(f"{self!r} cannot be stored under the id {data['id']!r} that is in its data")
        if self._stored is not None and data is None:
            wanted.take_over(self.permissions)
        elif self._permissions is not None:
            wanted.take_over(self._permissions, edits_only=True)
        wanted.assign({} if permissions is None else permissions)
        if is_public(public):
            wanted["read"].add(Everyone)
        content = self._content(data, wanted)
        return changes.create(self.path, content, wanted.changed())

    def change(self, *, force: bool = False) -> Write | None:
        """The write that save() would send; None if there is nothing to send."""
        if self.is_new:
            return self.creation()
        edited = {} if self._permissions is None else self._permissions.changed()
        if self._data is None and not edited:
            return None
        return changes.save(
            self.path,
            self._known(),
            self.data,
            edited,
            whole=self.permissions.as_dict,
            force=force,
        )

    def change_in_batch(self, *, force: bool = False) -> Write | None:
        """The write that save() would send in a batch; UsageError if one write cannot do it."""
        return self.change(force=force) or self._taking_back()

    def require_saved(self) -> None:
        """UsageError if there are edits: a write that takes over the server's answer would drop them."""
        if self.is_new or self.change() is not None:
            raise UsageError(f"{self!r} has unsaved changes: save() or refresh() it first")

    def deletion(self, *, force: bool = False) -> Write:
        since = None if force else self.last_modified
        return Write(operations.delete(self.path, last_modified=since))

    def accept(self, stored: StoredObject) -> None:
        """Take over an answer to a request for this object alone."""
        self.listed(stored)
        if self._permissions is None:
            self._permissions = self._new_permissions(stored.permissions)
        else:
            self._permissions.accept(stored.permissions)
        # A listing shows no permissions, but this answer would have.
        self._permissions.know(stored.permissions)

    def listed(self, stored: StoredObject) -> None:
        """Take over what was shown of it."""
        self._stored, self._lost = stored, None
        if self._data is not None:
            become(self._data, changes.own_data(self.path, stored.data))

    def forget(self) -> None:
        """It was deleted: what is in it now, and who may do what with it, is a new object's."""
        if self._stored is not None:
            self._data = self.data
            self.permissions.become_new()
            self._stored = self._lost = None

    def explained(self, error: KintoError, write: Write) -> KintoError:
        """The error of this write, with what it was about."""
        is_save = self._stored is not None and write.expected is not None
        if is_save and isinstance(error, NotFound) and error.errno != MISSING_PARENT:
            error = settling.deleted_since(error, "create it again if you want it back")
        if isinstance(error, Conflict):
            base = None if self._stored is None else self._stored.data
            error.base, error.mine, error.theirs = (
                None if data is None else changes.own_data(self.path, data)
                for data in (base, write.expected, error.existing)
            )
        return error

    def load_permissions(self) -> Mapping[str, Iterable[str]] | None:
        """One GET. If somebody wrote the object meanwhile, the next guarded save finds that out."""
        if self._stored is None:
            return self._known().permissions
        return self.connection.perform(operations.read(self.path)).permissions

    def send_permissions(self, changed: Mapping[str, list[str]]) -> None:
        """One PATCH, guarded if something is known of the object. Unsaved edits stay what they are."""
        if self.is_new:
            raise UsageError(f"{self!r} is not stored: save it first")
        operation = operations.update(self.path, None, changed, last_modified=self.last_modified)
        stored: StoredObject | None
        if self._stored is None:
            stored = self.connection.perform(operation)
        else:
            stored = self._written(Write(operation, self._stored.data))
        if stored is None:
            self.send_permissions(changed)
            return
        self._stored, self._lost = stored, None
        self.permissions.settle(changed, stored.permissions)

    def _written(self, write: Write) -> StoredObject | None:
        """The object once it is written. None if it is to be written again, on top of a write of our own
        whose answer was lost.
        """
        before = self.begin(write)
        try:
            return self.connection.run(opening.save(write))
        except KintoError as error:
            if not self.was_ours(error, before):
                raise self.explained(error, write) from None
        return None

    def begin(self, write: Write) -> Lost | None:
        """A write is to be sent. If it breaks off, the next one knows of it. The result is for was_ours()."""
        before = self._lost
        if write.expected is not None and (self.is_new or self._stored is not None):
            self._lost = write.perhaps_done
        return before

    def was_ours(self, error: KintoError, before: Lost | None) -> bool:
        """Was the write refused because one of our own, whose answer was lost, came in between? Then it is
        to be made again, on top of that.
        """
        if not settling.is_in_doubt(error):
            self._lost = before
        lost = self._lost
        if lost is None or not isinstance(error, Conflict):
            return False
        stored = self.connection.run(settling.own_write(self.path, lost, error))
        if stored is not None:
            self._stand_on(stored, lost.permissions)
        return stored is not None

    def _forced(self, write: Write, tries: int = 0) -> StoredObject | None:
        """The same of a forced save. A PUT names what others may have changed: so it is guarded."""
        if write.operation.method != "PUT":
            return self._written(write)
        try:
            return self._written(self.change() or write)
        except Conflict as conflict:
            if tries == RETRIES:
                raise
            self._stand_on_theirs(conflict, tries)
        following = self.change(force=True)
        return self._stored if following is None else self._forced(following, tries + 1)

    def _stand_on_theirs(self, conflict: Conflict, tries: int) -> None:
        """Make the edits again on top of what the server has; one GET. The conflict, if it was deleted."""
        base = changes.own_data(self.path, self._known().data)
        try:
            stored = self.connection.perform(editing.later(operations.read(self.path), tries))
        except NotFound:
            raise conflict from None
        become(self.data, merge(base, self.data, changes.own_data(self.path, stored.data)).data)
        self._stand_on(stored)

    def _taking_back(self) -> Write | None:
        """Where nothing differs, but something else was perhaps stored: the precondition tells."""
        if self._lost is None:
            return None
        return Write(operations.update(self.path, {}, last_modified=self.last_modified), self.data)

    def _stand_on(self, stored: StoredObject, sent: Mapping[str, list[str]] | None = None) -> None:
        """What is edited is so on top of this from now on. sent: the permissions that are ours in it."""
        self._stored, self._lost = stored, None
        self.permissions.stand_on(stored.permissions, sent=sent)

    def _inheriting(self, creation: Write) -> Write:
        """With the permissions that its bucket wants for such children; one GET if it may want some."""
        if self.child_kind is None:
            return creation
        data = self.connection.run(fanout.bucket_data(BucketPath(self.path.bucket)))
        return fanout.inheriting(creation, self.child_kind, data)

    def _content(self, data: Mapping[str, JSON] | None, wanted: P) -> Mapping[str, JSON]:
        """What is stored in it when it is created: data, or what is known of it."""
        if data is not None:
            return data
        return {} if self._data is None and self._stored is None else self.data

    def _new_permissions(self, known: Mapping[str, Iterable[str]] | None) -> P:
        raise NotImplementedError

    @property
    def is_new(self) -> bool:
        """Would save() create it?"""
        return self._stored is None and self._data is not None

    def _known(self) -> StoredObject:
        """What the server last showed; one GET where it has shown nothing yet."""
        if self._stored is None:
            self._stored = self.connection.run(opening.read(self.path))
            if self._permissions is not None:
                self._permissions.know(self._stored.permissions)
        return self._stored

    def _history(
        self,
        filters: Mapping[str, JSON],
        since: datetime | int | None,
        before: datetime | int | None,
    ) -> Iterator[HistoryEntry]:
        endpoint, params = f"{BucketPath(self.path.bucket)}/history", history.params(filters, since, before)
        entries = pages(history.first_page(endpoint, params, PAGE_SIZE))
        stream = capabilities.requiring(capabilities.HISTORY, entries)
        return map(history.entry, self.connection.stream(stream))


def _names(path: ObjectPath) -> list[str]:
    """Of the object, and of those that hold it: ["bucket", "collection", "record"]."""
    return str(path).split("/")[2::2]
