"""Manager: Receipt.objects, from where records of a model are made and found."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from typing_extensions import Self

from ..errors import Conflict, NotFound, UsageError
from ..protocol.explaining import Explanation
from ..protocol.listing import PAGE_SIZE
from ..protocol.permissions import Everyone
from ..resources import feed
from ..resources.client import Client
from ..resources.feed import INTERVAL, OVERLAP, Changes
from ..resources.permissions import RecordPermissionsDict
from . import loading, saving
from .expressions import FieldExpression, Order, Q
from .fields import suggestion
from .queryset import QuerySet
from .state import Home, Mapped, home_of

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

    def changes(
        self, since: str | None = None, *, overlap: float = OVERLAP, page_size: int = PAGE_SIZE
    ) -> Changes[M]:
        """What was written since a token, the `next` of the changes before; None: all there is.

        One GET if nothing changed; else one a page, and one of the collection, which must be readable.
        overlap: seconds, more than the longest write takes on the server, a batch being one write.
        Raises UsageError for a token of another collection, NotFound or Forbidden if there is none.
        """
        home = self.home
        build = partial(loading.from_stored, self.model, home)
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
        build = partial(loading.from_stored, self.model, home)
        ask = partial(feed.changes, home.connection, home.path, build, overlap=overlap)
        return feed.watch(ask, since, interval, stop)

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
