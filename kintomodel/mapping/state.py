"""What a record remembers: where it is, and what the server last showed of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from ..errors import UsageError
from ..protocol.changes import Lost, own_record_data
from ..protocol.paths import CollectionPath, RecordPath
from ..protocol.values import JSONObject, sendable
from ..resources.client import Client, current_client
from ..resources.permissions import RecordPermissions
from ..transport.connection import Connection
from ..transport.decoding import decoder
from .declaration import Declaration


@attrs.frozen
class Home:
    """The collection that records are in. client: None for the default one at the time of asking."""

    path: CollectionPath
    client: Client | None = attrs.field(default=None, eq=False)

    def __reduce__(self) -> tuple[Any, ...]:
        # Connections cannot be pickled: a pickled record goes to the default client.
        return Home, (self.path,)

    def __deepcopy__(self, _: object) -> Home:
        return self

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """bucket/collection, for messages."""
        return f"{self.path.bucket}/{self.path.collection}"

    @property
    def connection(self) -> Connection:
        return (self.client or current_client()).connection

    @property
    def url(self) -> str:
        """The server's."""
        return (self.client or current_client()).url


def check_client(given: object, argument: str) -> None:
    """UsageError for what is neither a client nor None."""
    if given is not None and not isinstance(given, Client):
        raise UsageError(
            f"{argument} takes a Client, got {given!r}; another bucket is objects.using(bucket=...)"
        )


def home_of(
    declaration: Declaration,
    client: Client | None = None,
    bucket: str | None = None,
    collection: str | None = None,
) -> Home:
    """Where a model's records are, unless another place is named. UsageError if it is nowhere."""
    bucket, collection = bucket or declaration.bucket, collection or declaration.collection
    if bucket is None or collection is None:
        name = declaration.cls.__name__
        raise UsageError(
            f"{name} has no {'collection' if bucket else 'bucket'}: declare it as "
            f'class {name}(Model, bucket="...", collection="..."), or name it in {name}.objects.using(...)'
        )
    return Home(CollectionPath(bucket, collection), client)


@attrs.define(eq=False)
class State:
    """stored: the JSON that the server last showed, None for a record that is not stored yet.

    home: None until it is first wanted. permissions: None until they are first looked at. shown: those
    that an answer for this record alone showed before that, none if they are hidden from us.
    extra: the undeclared attributes, once somebody has looked at them. lost: the last write
    whose answer was lost, if it may be done. elsewhere: the same of a save() in another
    place, by the server's URL and the path of the collection. deleted: was the answer of a deletion lost?
    only: the keys that were read, None for all of them; stored holds no others. A field that is
    absent from the record is as the server has it.
    readonly: is it stored, though nothing was kept of what the server showed?
    made: the values that defaults made up for it when it was read, of those that are new each time.
    """

    home: Home | None = None
    stored: JSONObject | None = None
    permissions: RecordPermissions | None = None
    shown: Mapping[str, tuple[str, ...]] | None = None
    extra: JSONObject | None = None
    lost: Lost | None = None
    elsewhere: tuple[str, CollectionPath, Lost] | None = None
    deleted: bool = False
    only: frozenset[str] | None = None
    readonly: bool = False
    made: Mapping[str, Any] | None = None


HOME, KEPT = "_kintomodel_home", "_kintomodel_kept"
"""What records have until their state is made; names that nobody else uses."""


class Mapped:
    """What the rooms below Model know of a record."""

    __kinto__: ClassVar[Declaration]
    id: str
    last_modified: int | None
    _state: State

    def clean(self) -> None:
        """Override it to refuse what cannot be said of a single field: raise ValueError.

        Called before anything is sent, and only then.
        """

    def before_save(self) -> None:
        """Override it to change or refuse a record that is being saved, also by bulk work."""

    def after_save(self) -> None:
        """Override it: the record is stored. Not called where nothing was sent."""

    def before_delete(self) -> None:
        """Override it to refuse the deletion of a record."""

    def after_delete(self) -> None:
        """Override it: the record is deleted."""

    def after_load(self) -> None:
        """Override it: the record was made of what the server showed, or refreshed."""


def known(record: Mapped) -> State | None:
    """The state of a record, also of one that was read quickly; None if there is none.

    To make one for each of many records takes time, and most are never asked for it. Until then they have
    their home, and what the server showed, its JSON as a text where that is at hand; None of those that are
    readonly.
    """
    attributes = vars(record)
    where, kept = attributes.get(HOME), attributes.get(KEPT)
    if where is not None:
        if isinstance(kept, (bytes, str)):
            kept = decoder()(kept)
        # If two threads ask at the same time, both get the same one.
        attributes.setdefault("_state", State(where, kept, readonly=kept is None))
        attributes.pop(HOME, None)
        attributes.pop(KEPT, None)
    found: State | None = attributes.get("_state")
    return found


def home(record: Mapped) -> Home:
    state = record._state
    if state.home is None:
        state.home = home_of(record.__kinto__)
    return state.home


def place(record: Mapped) -> Home | None:
    """Its home, None if it has none."""
    try:
        return home(record)
    except UsageError:
        return None


def path(record: Mapped) -> RecordPath:
    stored = record._state.stored
    if stored is not None and stored["id"] != record.id:
        raise UsageError(
            f"{home(record).name}/{stored['id']}: a stored record keeps its id, got {record.id!r}: "
            "delete it and save a new one"
        )
    return home(record).path.record(record.id)


def refuse_readonly(record: Mapped) -> None:
    """UsageError where it is not known what the server holds beside the fields."""
    if record._state.readonly:
        raise UsageError(
            f"{path(record).name}: it was read with readonly=True: refresh() it before it is changed or saved"
        )


def extra(record: Mapped) -> JSONObject:
    """The undeclared attributes that the server holds; a dict to be edited in place."""
    refuse_readonly(record)
    state = record._state
    if state.extra is None:
        state.extra = undeclared(record)
    return state.extra


def undeclared(record: Mapped) -> JSONObject:
    """The same as last shown, without the edits."""
    from_server, known = record._state.stored or {}, record.__kinto__.keys
    unknown = {key: value for key, value in from_server.items() if key not in known}
    return {key: sendable(value) for key, value in own_record_data(unknown).items()}
