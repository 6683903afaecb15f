"""Collection: what holds records."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator, Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from ..errors import KintoError, UsageError
from ..flows import bulk, listing
from ..flows.listing import PAGE_SIZE, checked_page_size
from ..protocol import batch, changes
from ..protocol.objects import StoredObject
from ..protocol.paths import CollectionPath
from ..protocol.permissions import Principals
from ..protocol.report import Outcome, Report, failure
from ..protocol.values import JSON, JSONObject
from ..query import filters, scanning
from ..query.query import Query
from . import feed
from .container import Container
from .feed import INTERVAL, OVERLAP, Changes
from .permissions import CollectionPermissions
from .record import Record


class Collection(Container[CollectionPermissions]):
    """Its data is what Kinto calls metadata: schema, displayFields, cache_expires, and your own.

    https://docs.kinto-storage.org/en/stable/api/1.x/collections.html
    """

    path: CollectionPath
    child_kind = "collection"

    @property
    def name(self) -> str:
        """The same as id."""
        return self.id

    def destroy(self) -> None:
        """Delete it with all of its records, whatever was written to it. One DELETE."""
        self.delete(force=True)

    def record(self, id: str | None = None, data: Mapping[str, JSON] | None = None) -> Record:
        """The record with that id; sends nothing. With data: a new one, which save() creates.

        id: None takes that in the data, or makes one.
        """
        if id is None and data is None:
            raise UsageError("expected the id of a record, or the data of a new one, got neither")
        path = self.path.record(_id(id, {} if data is None else data))
        return Record(self.connection, path, None if data is None else changes.without_identity(data))

    def create_record(
        self,
        data: Mapping[str, JSON] | None = None,
        permissions: Mapping[str, Principals] | None = None,
        *,
        id: str | None = None,
        public: bool = False,
        if_not_exists: bool = False,
    ) -> Record:
        """Store a new record; one PUT. Conflict if the id is taken.

        id: None takes that in the data, or makes one. public: everybody may read it.
        if_not_exists: one that is there is left as it is, and read.
        """
        content = {} if data is None else data
        return self.record(_id(id, content)).create(
            content, permissions, public=public, if_not_exists=if_not_exists
        )

    def get_record(self, id: str) -> Record:
        """One GET; NotFound if there is none."""
        return self.record(id).refresh()

    def get_all_records(
        self,
        filters: Mapping[str, JSON] | None = None,
        *,
        sort: str | None = None,
        page_size: int = PAGE_SIZE,
    ) -> Iterator[Record]:
        """The records, however many, one page at a time in memory; one GET a page.

        filters: {"status": "open", "amount__gte": 10, "address__city__in": ["Paris"]}.
        sort: "-amount,name" reads all that match before the first is given, and sorts them here. None
        takes the order of the ids, in which nothing is skipped or repeated that others write meanwhile.
        Their permissions are not shown: reading them costs a GET each.
        """
        found = scanning.scan(self.path.records, self._query(filters, sort), checked_page_size(page_size))
        return map(self._listed, self.connection.stream(found, ahead=False))

    def changes(
        self, since: str | None = None, *, overlap: float = OVERLAP, page_size: int = PAGE_SIZE
    ) -> Changes[Record]:
        """The records that were written since a token, and Tombstones, as Model.objects.changes() does."""
        return feed.changes(self.connection, self.path, self._listed, since, overlap, page_size)

    def watch(
        self,
        interval: float = INTERVAL,
        *,
        since: str | None = None,
        stop: threading.Event | None = None,
        overlap: float = OVERLAP,
    ) -> Generator[Changes[Record], None, None]:
        """The changes as they come, as Model.objects.watch() does."""
        return feed.watch(partial(self.changes, overlap=overlap), since, interval, stop)

    def count_records(self, filters: Mapping[str, JSON] | None = None) -> int:
        """One HEAD; the pages where the server cannot answer the filters alone."""
        flow = scanning.count(self.path.records, self._query(filters), PAGE_SIZE)
        return self.connection.run(flow)

    def save_record(self, record: Record, *, force: bool = False) -> Record:
        """Send what changed of it, as record.save() does. A new one is created."""
        return self._own(record).save(force=force)

    def delete_record(self, record: Record | str, *, force: bool = False, missing_ok: bool = False) -> None:
        """One DELETE. Given as an object, it is guarded: Conflict if somebody wrote it meanwhile."""
        one = self.record(record) if isinstance(record, str) else self._own(record)
        one.delete(force=force, missing_ok=missing_ok)

    def delete_records(self, records: Iterable[Record | str], *, force: bool = False) -> Report[Record]:
        """Delete them in batches; the report says of each whether it is gone. Guarded as one is.

        Nothing is sent if one of them is no id, or no record of this collection.
        """
        if isinstance(records, str) or not isinstance(records, Iterable):
            raise UsageError(f"delete_records() takes several records or ids, got {records!r}")
        outcomes: list[Outcome[Record]] = []
        several = [self.record(one) if isinstance(one, str) else self._own(one) for one in records]
        for chunk in batch.chunks(several, self.connection.batch_size()):
            writes = [one.deletion(force=force) for one in chunk]
            results = self.connection.run(bulk.run(writes))
            for record, write, result in zip(chunk, writes, results, strict=True):
                at = len(outcomes)
                if isinstance(result, KintoError):
                    outcomes.append(failure(record, at, record.explained(result, write), record.id))
                else:
                    record.forget()
                    outcomes.append(Outcome("deleted", record, at, id=record.id))
        return Report(tuple(outcomes))

    def delete_all(self, filters: Mapping[str, JSON] | None = None) -> int:
        """Delete the records that match and that you may write; all of them without filters.

        Returns how many, as far as the server said so: if the answer to a DELETE is lost and it is sent
        again, those of the first one are not counted. One DELETE a page, where the server can answer the
        filters alone. Else they are read and deleted in batches, and Conflict says how many are left that
        others write all the time.
        """
        condition = self._query(filters).condition
        size = self.connection.batch_size()
        return self.connection.run(listing.delete_all(self.path.records, condition, size))

    def update_record_permissions(
        self, id: str, *, read: Principals | None = None, write: Principals | None = None
    ) -> Record:
        """Replace permissions of a record, at once, whatever they are now; one PATCH. None: leave it."""
        record = self.record(id)
        record.update_record_permissions(read=read, write=write)
        return record

    def _listed(self, data: JSONObject) -> Record:
        record = self.record(data["id"])
        record.listed(StoredObject(data))
        return record

    def _query(self, wanted: Mapping[str, JSON] | None, sort: str | None = None) -> Query:
        return Query(filters.condition(wanted), filters.sort(sort))

    def _own(self, record: Record) -> Record:
        if not isinstance(record, Record):
            raise UsageError(f"expected a record or its id, got {record!r}")
        if record.path != self.path.record(record.id):
            raise UsageError(f"{record!r} is not in {self!r}")
        return record

    def _new_permissions(self, known: Mapping[str, Iterable[str]] | None) -> CollectionPermissions:
        return CollectionPermissions(self.path.bucket, self, known)


def _id(given: str | None, data: Mapping[str, JSON]) -> Any:
    """The id given, else that in the data, else a new one. UsageError where two differ."""
    if not isinstance(data, Mapping):
        raise UsageError(f"the data of a record is a dict, got {data!r}")
    if given is None:
        return data.get("id", str(uuid4()))
    if data.get("id", given) != given:
        raise UsageError(f"the id {given!r} is given, and another one, {data['id']!r}, is in the data")
    return given
