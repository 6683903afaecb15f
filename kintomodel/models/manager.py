"""Manager: Receipt.objects, from where records of a model are made and found."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from typing_extensions import Self

from ..errors import Conflict, NotFound, UsageError
from ..protocol.explaining import Explanation
from ..protocol.paths import CollectionPath
from ..protocol.permissions import Everyone
from ..protocol.report import Report
from ..resources.bucket import Bucket
from ..resources.client import Client
from ..resources.permissions import RecordPermissionsDict
from . import dumping, loading, saving, syncing
from .applying import Progress, Side
from .comparing import Change
from .dumping import OnError
from .expressions import FieldExpression, Order, Q
from .fields import suggestion
from .plan import Plan
from .queryset import QuerySet
from .state import Home, Mapped, home_of
from .syncing import Scope

M = TypeVar("M", bound=Mapped)


class Manager(Generic[M]):
    """The records of a model in one collection.

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
        return home_of(self.model.__kinto__, self._client, self._bucket, self._collection)

    def using(
        self, client: Client | None = None, *, bucket: str | None = None, collection: str | None = None
    ) -> Self:
        """The same in another place. What is None stays as it is."""
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
        if public:
            loading.permissions(record).read += Everyone
        self.home.connection.run(saving.save(record))
        return record

    def get_or_create(self, defaults: Mapping[str, Any] | None = None, **exactly: Any) -> tuple[M, bool]:
        """The record that has exactly these values, or a new one with them and the defaults.

        The flag says whether it is new. Only with an id among the values is it certain that two at
        the same time do not both create one.
        Raises Conflict if the id among the values is that of a record with others.
        """
        self._refuse_unknown(defaults, ("id", "permissions", "public"))
        try:
            return self.get(**exactly), False
        except NotFound:
            pass
        try:
            return self.create(**{**exactly, **(defaults or {})}), True
        except Conflict as error:
            try:
                return self.get(**exactly), False
            except NotFound:
                raise error from None

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
        dict lacks is left as it is, and has its default in a new record. It is read once, and so is the
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
        server. It is a sync() without deletions, applied: both collections are read once, and only what
        differs is written. Permissions and attachments are not copied, and the collection is to exist.
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
        return syncing.sync(self.model, connection, path, self.iterator()).apply()

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
        progress: Progress | None = None,
    ) -> Report[Any]:
        """Create and update records from a file as dump() writes it, in bounded memory.

        The file is read twice: it is checked, then written. A row without an id is a new record each time;
        one whose record is there changes the fields that it names, and sends nothing if they are the same.
        An empty cell of CSV is a field that is not named. Two rows with one id are refused.
        on_error: "raise" writes nothing if a row is bad: ValidationError names the lines and what is wrong;
        "collect" writes the others. progress: called with (done, all).
        The report has an outcome for each row: its position is the line, from 1, its object the record's id,
        or the row itself where it was not sent. What somebody writes meanwhile is a conflict.
        Costs one GET for each 200 rows, and batches of what differs.
        """
        return dumping.load(self.model, self.home, Path(path), on_error, progress)

    def _refuse_unknown(self, defaults: Mapping[str, Any] | None, own: tuple[str, ...] = ()) -> None:
        known = [*self.model.__kinto__.fields, *own]
        for name in defaults or {}:
            if name not in known:
                hint = suggestion(name, known)
                raise UsageError(f"{self.model.__name__} has no field {name!r}; {hint}")

    def all(self) -> QuerySet[M]:
        return QuerySet(self.model, self.home)

    def none(self) -> QuerySet[M]:
        return self.all().none()

    def filter(self, *conditions: Q | bool, **lookups: Any) -> QuerySet[M]:
        """See QuerySet.filter."""
        return self.all().filter(*conditions, **lookups)

    def exclude(self, *conditions: Q | bool, **lookups: Any) -> QuerySet[M]:
        """See QuerySet.exclude."""
        return self.all().exclude(*conditions, **lookups)

    def order_by(self, *keys: str | Order | FieldExpression[Any]) -> QuerySet[M]:
        """See QuerySet.order_by."""
        return self.all().order_by(*keys)

    def reverse(self) -> QuerySet[M]:
        """By id, the last one first."""
        return self.all().reverse()

    def explain(self) -> Explanation:
        """See QuerySet.explain."""
        return self.all().explain()

    def get(self, *conditions: Q | bool, **lookups: Any) -> M:
        """See QuerySet.get."""
        return self.all().get(*conditions, **lookups)

    def first(self) -> M | None:
        return self.all().first()

    def last(self) -> M | None:
        return self.all().last()

    def count(self) -> int:
        """How many records there are; one HEAD."""
        return self.all().count()

    def exists(self) -> bool:
        return self.all().exists()

    def iterator(self, *, page_size: int = 1000) -> Iterator[M]:
        """See QuerySet.iterator."""
        return self.all().iterator(page_size=page_size)

    @overload
    def __getitem__(self, at: int) -> M: ...
    @overload
    def __getitem__(self, at: slice) -> QuerySet[M]: ...
    def __getitem__(self, at: int | slice) -> M | QuerySet[M]:
        return self.all()[at]

    def __iter__(self) -> Iterator[M]:
        return iter(self.all())


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
