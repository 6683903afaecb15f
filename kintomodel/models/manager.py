"""Manager: Receipt.objects, from where records of a model are made and found."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import Self

from ..errors import Conflict, Forbidden, NotFound, UsageError
from ..files import dumping
from ..files.dumping import OnError
from ..flows.listing import PAGE_SIZE
from ..mapping.fields import options, suggestion
from ..mapping.state import Home, Mapped, check_client, home_of
from ..mapping.typed_fields import F
from ..protocol.paths import CollectionPath
from ..protocol.permissions import Everyone, is_public
from ..protocol.report import Report
from ..query.tombstones import Tombstone, milliseconds
from ..reading import finding, loading
from ..reading.reading import DEFAULT_PAGE_SIZE, check_page_size
from ..reading.resolving import OnConflict, check_choice
from ..resources import feed
from ..resources.bucket import Bucket
from ..resources.client import Client
from ..resources.feed import INTERVAL, OVERLAP, Changes
from ..resources.permissions import RecordPermissionsDict
from ..syncing import copying, syncing
from ..syncing.applying import Side
from ..syncing.comparing import Change
from ..syncing.plan import Plan
from ..syncing.syncing import Scope
from ..writing import saving
from ..writing.bulk_job import Job, Work, over
from ..writing.bulk_saving import Deleting, Saving
from ..writing.progress import Progress, reporting
from ..writing.saving import Manner
from .queries import Queries
from .queryset import QuerySet

M = TypeVar("M", bound=Mapped)
U = TypeVar("U")


class Manager(Queries[M]):
    """The records of a model in one collection.

    All methods of QuerySet are here as well, but update() and delete().
    A class of your own adds methods: `objects: ClassVar[ReceiptManager] = ReceiptManager()`.
    """

    model: type[M]
    _client: Client | None = None
    _bucket: str | None = None
    _collection: str | None = None

    if TYPE_CHECKING:

        def __get__(self, instance: None, owner: Any) -> Self: ...

    else:

        def __set_name__(self, owner, name):
            self._name = name

        def __get__(self, instance, owner):
            if instance is not None:
                raise AttributeError(
                    f"{self._name!r} belongs to the class: use {owner.__name__}.{self._name}"
                )
            return bound(owner, self._name, type(self))

    @property
    def home(self) -> Home:
        """Where these records are."""
        return home_of(self.model.__kinto__, self._client, self._bucket, self._collection)

    def using(
        self, client: Client | None = None, *, bucket: str | None = None, collection: str | None = None
    ) -> Self:
        """The same in another place. What is None stays as it is."""
        check_client(client, "using()")
        result = type(self)()
        result.model = self.model
        result._client = client or self._client
        result._bucket = bucket or self._bucket
        result._collection = collection or self._collection
        return result

    def create(
        self, *, permissions: RecordPermissionsDict | None = None, public: bool = False, **fields: Any
    ) -> M:
        """Store a new record; one PUT. Raises Conflict if its id is taken.

        public: let everybody read it.
        """
        record = self.model(**fields)
        saving.move(record, self.home)
        if permissions is not None:
            loading.assign_permissions(record, permissions)
        if is_public(public):
            loading.permissions(record).read += Everyone
        self.home.connection.run(saving.save(record))
        return record

    def mutate(self, id: str, change: Callable[[M], object], *, verify: bool = False) -> M:
        """See Model.mutate."""
        flow = saving.mutate(self.model, self.home, id, change, verify=verify)
        return self.home.connection.run(flow)

    def bulk_create(
        self,
        records: Iterable[M],
        *,
        workers: int = 1,
        progress: Progress = False,
        verify: bool = False,
    ) -> Report[M]:
        """Store new records, however many, in batches of the server's size; a report of each.

        A generator is read as it is wanted, and of its records the report keeps only those that failed.
        workers: how many batches are under way at the same time; within one collection more than one
        gains little, and they collide on PostgreSQL. progress: called with how many are done and how
        many there are, None where that is not known; True shows a bar (the extra "cli").
        verify: see Model.save().
        Raises BulkError, with the report so far, where the iterable or a hook raises.
        """
        work = Saving(self.home, Manner(verify=verify), creating=True)
        return self._bulk(records, work, workers, progress)

    def bulk_save(
        self,
        records: Iterable[M],
        *,
        force: bool = False,
        on_conflict: OnConflict = "raise",
        workers: int = 1,
        progress: Progress = False,
        verify: bool = False,
    ) -> Report[M]:
        """Send what changed of each, as save() does, in batches; nothing for those that did not change.

        New ones are created; force puts them over what is there, which is an update. A conflict is an
        outcome; with another on_conflict, see Model.save(), it costs one more GET and another attempt.
        Otherwise as bulk_create().
        """
        check_choice(on_conflict)
        work = Saving(self.home, Manner(force, verify), on_conflict)
        return self._bulk(records, work, workers, progress)

    def bulk_delete(
        self,
        records: Iterable[M],
        *,
        missing_ok: bool = False,
        force: bool = False,
        workers: int = 1,
        progress: Progress = False,
    ) -> Report[M]:
        """Delete them as delete() does, in batches. Otherwise as bulk_create().

        missing_ok: those that somebody else deleted are unchanged, instead of missing.
        """
        return self._bulk(records, Deleting(self.home, missing_ok, force), workers, progress)

    def _bulk(self, records: Iterable[M], work: Work, workers: int, progress: Progress) -> Report[M]:
        def job(keeps: bool) -> Job[M]:
            return Job(self.home.connection, self.model, work, workers, progress, keeps)

        return over(records, job)

    def get_or_create(self, defaults: Mapping[str, Any] | None = None, **exactly: Any) -> tuple[M, bool]:
        """The record that has exactly these values, or a new one with them and the defaults.

        The flag says whether it is new. Only with an id among the values is it certain that two at
        the same time do not both create one.
        Raises Conflict if the id among the values is that of a record with others, and Forbidden if it is
        that of one which may not be seen.
        """
        self._refuse_unknown(defaults, ("id", "permissions", "public"))
        try:
            return self._get_exactly(exactly), False
        except NotFound:
            pass
        except Forbidden:
            # Kinto says so to those who may create records and not read them, whether it is there or not.
            if "id" not in exactly:
                raise
        try:
            return self.create(**{**exactly, **(defaults or {})}), True
        except Conflict as error:
            try:
                return self._get_exactly(exactly), False
            except NotFound:
                raise error from None
            except Forbidden as hidden:
                message = f"GET {hidden.path}: it exists, but you may not see it: take another id"
                raise hidden.retold(Forbidden, message) from None

    def _get_exactly(self, values: dict[str, Any]) -> M:
        """As get(); None also where its field takes the key away."""
        fields = self.model.__kinto__.fields.values()
        omitting = {one.name for one in fields if options(one.attribute).omit_none}
        omitted = [name for name, value in values.items() if value is None and name in omitting]
        absent = [F[name].is_null() | F[name].exists(False) for name in omitted]
        return self.get(*absent, **{name: values[name] for name in values if name not in omitted})

    def update_or_create(self, defaults: Mapping[str, Any] | None = None, **exactly: Any) -> tuple[M, bool]:
        """Like get_or_create, but a record that is there gets the defaults, in one guarded PATCH."""
        self._refuse_unknown(defaults)
        record, is_new = self.get_or_create(defaults, **exactly)
        if not is_new:
            for name, value in (defaults or {}).items():
                setattr(record, name, value)
            self.home.connection.run(saving.save(record))
        return record, is_new

    def sync(
        self,
        source: Iterable[M | Mapping[str, Any]],
        *,
        key: str | Iterable[str] = "id",
        compare: Iterable[str] | None = None,
        preserve: Iterable[str] = (),
        delete: bool = False,
        scope: Scope | None = None,
        max_delete: float = 0.1,
        on_conflict: Side = "raise",
    ) -> Plan:
        """What makes the collection hold what the source says; nothing is written before plan.apply().

        source: records, or dicts of their fields: of values, or of JSON that reads as one. A field that a
        dict lacks is left as it is, and has its default in a new record; a record of which only some fields
        were read can change one, and not make a new one. The source is read once, and so is the
        collection, one GET a page; of both no more is held than the smaller one has.
        key: the fields that tell which record an item stands for. compare: a record is changed only if
        one of these fields differs. preserve: fields that are never overwritten, as those declared with
        field(owner="remote"). last_modified, schema, attachment and what nobody declared are left alone.
        delete: also delete the records that the source does not name. scope: look-ups or a Q; other records
        are neither compared nor deleted. max_delete: the share of these records that may be deleted; 1.0
        also allows for an empty source. on_conflict: what apply() does with records that somebody writes
        between the two: "raise" reports them, "mine" writes all the same, on what is there then, "theirs"
        leaves them, "merge" writes where both changed different attributes. Permissions are left alone.

        UsageError and ValidationError name the item; also two with one key, items outside of the scope, and
        too many deletions are refused.
        """
        return syncing.sync(
            self.model,
            self.home.connection,
            self.home.path,
            source,
            key=key,
            compare=compare,
            preserve=preserve,
            delete=delete,
            scope=scope,
            max_delete=max_delete,
            on_conflict=on_conflict,
        )

    def copy_to(self, other: Client | Bucket | str) -> Report[Change]:
        """Make the same collection of another server or bucket hold these records, with their ids.

        other: a client, for the same bucket there; a bucket of any client; or the name of one of this
        server. As by a sync() without deletions, both collections are read once, one GET a page, and only
        what differs is written, in batches as it is found. Of neither more than two pages are in memory,
        and of what is done the report keeps the kind of change and the id. Permissions and attachments are
        not copied, nor to records that are there the fields of field(owner="remote"), and the collection is
        to exist. BulkError, with the report of what was done, where it breaks off after the first batch:
        copy again to go on. UsageError from a dry run to a client that is in none: it would write for real.
        """
        home = self.home
        connection, bucket = home.connection, home.path.bucket
        if isinstance(other, Client):
            connection = other.connection
        elif isinstance(other, Bucket):
            connection, bucket = other.connection, other.path.bucket
        elif isinstance(other, str):
            bucket = other
        else:
            raise UsageError(f"copy_to() takes a client, a bucket or the name of one, got {other!r}")
        path = CollectionPath(bucket, home.path.collection)
        if home.connection.is_in_dry_run and not connection.is_in_dry_run:
            raise UsageError(
                f"copy_to({other!r}): it would be written for real, as the dry run is of another client: "
                "begin one of that client as well"
            )
        return copying.copy(self.model, connection, path, self.all().order_by().iterator())

    def dump(self, path: str | os.PathLike[str]) -> int:
        """Write all records to a file, in the order of their ids; returns how many. One GET a page.

        path: its end says the format: .json, .jsonl, .ndjson, .csv, .yaml, .yml (for YAML, install
        kintomodel[yaml]). A file of that name is replaced, once all is written. A row has the id, the
        fields by their names, as JSON, and what the model does not declare as `extra`; not last_modified,
        permissions, attachments. In CSV a field of a nested object is a column with a dot, a list is JSON.
        UsageError for a record that CSV has no column for.
        """
        return dumping.dump(self.model, self.home, Path(path))

    def load(
        self,
        path: str | os.PathLike[str],
        on_error: OnError = "raise",
        progress: Progress = None,
    ) -> Report[Any]:
        """Create and update records from a file as dump() writes it, in bounded memory.

        The file is read twice: it is checked, then written. A row without an id is a new record each time;
        one whose record is there changes the fields that it names, but those of field(owner="remote"), and
        sends nothing if they are the same.
        An empty cell of CSV is a field that is not named, and a row of them is skipped. Two rows with one id
        are refused.
        on_error: "raise" writes nothing if a row is bad: ValidationError names the lines and what is wrong;
        "collect" writes the others. progress: called with (done, all).
        The report has an outcome for each row: its position is the line, from 1, its object the record's id,
        or the row itself where it was not sent. What somebody writes meanwhile is a conflict. BulkError, with
        the report so far, where progress raises.
        Costs one GET for each 200 rows, and batches of what differs.
        """
        with reporting(progress, None) as tell:
            return dumping.load(self.model, self.home, Path(path), on_error, tell)

    def _refuse_unknown(self, defaults: Mapping[str, Any] | None, own: tuple[str, ...] = ()) -> None:
        known = [*self.model.__kinto__.fields, *own]
        for name in defaults or {}:
            if name not in known:
                hint = suggestion(name, known)
                raise UsageError(f"{self.model.__name__} has no field {name!r}; {hint}")

    def all(self) -> QuerySet[M]:
        """All records, as a query that nothing was asked of yet."""
        return QuerySet(self.model, self.home)

    def deleted(
        self, since: int | datetime | None = None, *, page_size: int = DEFAULT_PAGE_SIZE
    ) -> Iterator[Tombstone]:
        """What was deleted, the oldest first, page by page; what was created again is not among it.

        since: only what was deleted later; milliseconds since 1970, a datetime with a time zone, or
        None for all. On PostgreSQL a deletion that takes long shows up with an earlier time: to miss
        none, ask again from a few seconds before the last one.
        """
        check_page_size(page_size)
        return finding.deleted(self.home, milliseconds(since), page_size)

    def changes(
        self, since: str | None = None, *, overlap: float = OVERLAP, page_size: int = PAGE_SIZE
    ) -> Changes[M]:
        """What was written since a token, the `next` of the changes before; None: all there is.

        One GET if nothing changed; else one a page, and one of the collection, which must be readable.
        overlap: seconds, more than the longest write takes on the server, a batch being one write.
        Raises UsageError for a token of another collection, NotFound or Forbidden if there is none.
        """
        home = self.home
        build = loading.maker(self.model, home)
        return feed.changes(home.connection, home.path, build, since, overlap, page_size)

    def watch(
        self,
        interval: float = INTERVAL,
        *,
        since: str | None = None,
        stop: threading.Event | None = None,
        overlap: float = OVERLAP,
    ) -> Generator[Changes[M], None, None]:
        """The changes as they come: asks every `interval` seconds, and gives those that are any.

        One GET each time while nothing changes, answered 304 at rest. It ends when stop is set, at once, or
        when the iterator is closed. An error is raised, once retries are used up, and ends it: go on
        from the `next` of the last changes.
        """
        home = self.home
        build = loading.maker(self.model, home)
        ask = partial(feed.changes, home.connection, home.path, build, overlap=overlap)
        return feed.watch(ask, since, interval, stop)


def bound(model: Any, name: str, manager: type[Manager[Any]]) -> Any:
    """The manager of this very class: a subclass has its own."""
    managers: dict[str, Manager[Any]] | None = vars(model).get("__kinto_managers__")
    if managers is None:
        managers = model.__kinto_managers__ = {}
    found = managers.get(name)
    if found is None:
        found = manager()
        found.model = model
        # Whole, as other threads may look at it meanwhile.
        managers[name] = found
    return found
