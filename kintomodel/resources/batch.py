"""Batch: writes and reads of any objects of the object client, queued, and then sent together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import attrs
from typing_extensions import Self

from ..errors import KintoError, TransportError, UsageError
from ..flows import bulk, fanout
from ..protocol import operations
from ..protocol.changes import Lost, Write
from ..protocol.objects import StoredObject
from ..protocol.paths import BucketPath
from ..protocol.permissions import Principals
from ..protocol.report import Outcome, Report, Status, failure
from ..protocol.values import JSON, copy
from ..transport.connection import Connection
from .resource import Resource

R = TypeVar("R", bound=Resource[Any])


@attrs.define(eq=False, repr=False)
class Pending(Generic[R]):
    """What one object's turn in a batch comes to. build: the write that it needs when its turn comes."""

    object: R
    status: Status
    build: Callable[[], Write | None]
    error: KintoError | None = attrs.field(default=None, init=False)
    is_done: bool = attrs.field(default=False, init=False)
    _lost_before: Lost | None = attrs.field(default=None, init=False)

    def __repr__(self) -> str:
        state = self.error or ("done" if self.is_done else "not sent yet")
        return f"<Pending {self.object!r}: {state}>"

    def result(self) -> R:
        """The object, as it now is on the server; raises what its request raised, or why it has none."""
        if self.error is not None:
            raise self.error
        if not self.is_done:
            raise UsageError("a batch is sent at the end of its with block: ask for results after that")
        return self.object

    def write(self) -> Write | None:
        """What is to be sent for it now; None if nothing, or if it cannot be sent."""
        try:
            write = self.build()
        except KintoError as error:
            self.error = error
            return None
        if self.status in ("updated", "unchanged"):
            is_written = write is not None and not write.operation.is_read
            self.status = "updated" if is_written else "unchanged"
        return write

    def begin(self, write: Write) -> None:
        """It is to be sent now. If the batch breaks off, the object's next save() knows of it."""
        self._lost_before = self.object.begin(write)

    def settle(self, write: Write, result: Any) -> None:
        """Take over the value or the error that its request came to."""
        if isinstance(result, KintoError):
            self.error = self._error(write, result)
        elif self.status == "deleted":
            self.object.forget()
        else:
            self.object.accept(result)

    def _error(self, write: Write, refusal: KintoError) -> KintoError | None:
        """None if it met a write of our own, whose answer was lost, and was written on top of that."""
        if write.expected is not None:
            try:
                if self.object.was_ours(refusal, self._lost_before):
                    self.object.save()
                    return None
            except KintoError as error:
                return error
        return self.object.explained(refusal, write)


class Batch:
    """Queues requests and sends them when its `with` block ends, in order, as few as possible.

    Each has its own result: one that is refused stops none of the others. Nothing is sent if the
    block raises. A request sees what those before it wrote.
    https://docs.kinto-storage.org/en/stable/api/1.x/batch.html
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._queue: list[Pending[Any]] = []
        self._objects: set[int] = set()
        self._buckets: dict[BucketPath, Mapping[str, JSON]] = {}
        self._is_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.send()
        else:
            self._is_over = True
            self._give_up((), "not sent: the block of its batch raised an error")

    def __len__(self) -> int:
        return len(self._queue)

    def __iter__(self) -> Iterator[Pending[Any]]:
        return iter(self._queue)

    def create(
        self,
        object: R,
        data: Mapping[str, JSON] | None = None,
        permissions: Mapping[str, Principals] | None = None,
        *,
        public: bool = False,
    ) -> Pending[R]:
        """Store a new object, such as `bucket.collection("new")` or `collection.record(data={...})`.

        Collections and groups cost one GET of each bucket that holds them: it asks for the permissions that
        the bucket wants for them. If it is written in this batch, they wait for that instead.
        """
        content = copy(dict(data)) if isinstance(data, Mapping) else data
        granted = permissions
        if isinstance(permissions, Mapping):
            granted = {
                name: held if isinstance(held, str) or not isinstance(held, Iterable) else tuple(held)
                for name, held in permissions.items()
            }
        return self._add(object, "created", lambda: object.creation(content, granted, public=public))

    def save(self, object: R, *, force: bool = False) -> Pending[R]:
        """Send what changed of it until the batch is sent, under guard; nothing if nothing did.

        A new one is created. force: without that guard; where a key was taken out, all is sent as it is
        here, and takes the place of what others changed meanwhile: its own save() does not.
        """
        status: Status = "created" if self._checked(object).is_new else "unchanged"
        return self._add(object, status, lambda: object.change_in_batch(force=force))

    def delete(self, object: R, *, force: bool = False) -> Pending[R]:
        """Delete it with all that is in it, under guard unless force is given."""
        return self._add(object, "deleted", lambda: object.deletion(force=force))

    def refresh(self, object: R) -> Pending[R]:
        """Take over what the server has when its turn comes, and drop what is unsaved."""
        return self._add(object, "unchanged", lambda: Write(operations.read(object.path)))

    def send(self) -> Report[Any]:
        """Send what is queued; the `with` block does so by itself. A batch is sent once.

        If it breaks off (an interrupt, say), what was not done says so.
        """
        self._require_open()
        self._is_over = True
        chunk: list[Pending[Any]] = []
        try:
            size = self._connection.batch_size() if self._queue else 1
            for chunk in self._chunks(size):
                self._send(chunk)
        finally:
            self._give_up(chunk, "not sent, because the batch broke off before its turn")
        return self.report

    @property
    def report(self) -> Report[Any]:
        """What happened to each of them; those of a refresh count as unchanged."""
        if not self._is_over:
            raise UsageError("this batch is not sent yet: ask for its report after the with block")
        return Report(tuple(_outcome(one, at) for at, one in enumerate(self._queue)))

    def _send(self, chunk: list[Pending[Any]]) -> None:
        asking = [(one, write) for one in chunk if (write := self._write(one)) is not None]
        for one, write in asking:
            one.begin(write)
        results = self._connection.run(bulk.run([write for _, write in asking]))
        for (one, write), result in zip(asking, results, strict=True):
            one.settle(write, result)
            if isinstance(one.object.path, BucketPath):
                self._take_in(one.object.path, result)
        for one in chunk:
            one.is_done = True

    def _chunks(self, size: int) -> Iterator[list[Pending[Any]]]:
        """At most so many at once. A new child waits for the write of its bucket, which may be refused: only
        then is it known what the bucket wants for it.
        """
        chunk: list[Pending[Any]] = []
        for one in self._queue:
            bucket = _bucket_of_new_child(one)
            is_waiting = bucket is not None and any(other.object.path == bucket for other in chunk)
            if is_waiting or len(chunk) == size:
                yield chunk
                chunk = []
            chunk.append(one)
        if chunk:
            yield chunk

    def _take_in(self, bucket: BucketPath, result: object) -> None:
        """What it wants for its children, if that was shown; else it is asked for."""
        self._buckets.pop(bucket, None)
        if isinstance(result, StoredObject):
            self._buckets[bucket] = result.data

    def _write(self, pending: Pending[Any]) -> Write | None:
        """What is to be sent for it now. A new collection or group has what its bucket wants for it."""
        write, bucket, kind = pending.write(), _bucket_of_new_child(pending), pending.object.child_kind
        if write is None or bucket is None or kind is None:
            return write
        try:
            if bucket not in self._buckets:
                self._buckets[bucket] = self._connection.run(fanout.bucket_data(bucket))
        except KintoError as error:
            pending.error = error
            return None
        return fanout.inheriting(write, kind, self._buckets[bucket])

    def _give_up(self, asked: Collection[Pending[Any]], reason: str) -> None:
        """Those that are not done have an error. asked: these may be written all the same."""
        for one in self._queue:
            if not one.is_done and one.error is None:
                one.error = (
                    TransportError("the batch broke off: it is not known what became of this")
                    if one in asked
                    else KintoError(reason)
                )

    def _require_open(self) -> None:
        if self._is_over:
            raise UsageError("this batch is over, sent or given up: make another")

    def _checked(self, object: R) -> R:
        """UsageError for what cannot be in this batch."""
        self._require_open()
        if not isinstance(object, Resource):
            raise UsageError(
                f"a batch takes objects of the object client, such as collection.record(), got {object!r}; "
                "records of models: objects.bulk_save(), bulk_create() or bulk_delete()"
            )
        if object.connection is not self._connection:
            raise UsageError(f"{object!r} is of another client than the batch")
        if id(object) in self._objects:
            raise UsageError(f"{object!r} is in this batch already: what it becomes is known after that only")
        return object

    def _add(self, object: R, status: Status, build: Callable[[], Write | None]) -> Pending[R]:
        self._checked(object)
        build()  # What cannot be sent is refused here, where it is asked for.
        pending = Pending(object, status, build)
        self._queue.append(pending)
        self._objects.add(id(object))
        return pending


def _bucket_of_new_child(pending: Pending[Any]) -> BucketPath | None:
    """The bucket that may want permissions for what is created; None where there is none."""
    object = pending.object
    is_child = object.child_kind is not None and pending.status == "created"
    return BucketPath(object.path.bucket) if is_child else None


def _outcome(pending: Pending[Any], position: int) -> Outcome[Any]:
    if pending.error is not None:
        return failure(pending.object, position, pending.error, pending.object.id)
    return Outcome(pending.status, pending.object, position, id=pending.object.id)
