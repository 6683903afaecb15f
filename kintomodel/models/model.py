"""Model: class Receipt(Model, bucket="payments", collection="receipts")."""

from __future__ import annotations

import inspect
import sys
from abc import ABCMeta
from collections.abc import Callable, Collection
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar, cast, overload
from uuid import uuid4

import attrs
from typing_extensions import Self, dataclass_transform

from ..errors import UsageError
from ..mapping import state
from ..mapping.annotations import module_scope, without_none
from ..mapping.declaration import Declaration, declare, prepare
from ..mapping.expressions import FieldExpression
from ..mapping.fields import Field, field, internal, suggestion
from ..mapping.state import Mapped, State, home_of
from ..protocol.values import JSONObject
from ..reading import loading, projection
from ..reading.resolving import OnConflict
from ..resources.client import Client
from ..resources.permissions import RecordPermissions, RecordPermissionsDict
from ..writing import changes, moving, saving
from ..writing.saving import Manner
from .manager import Manager, bound

M = TypeVar("M", bound="Model")

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_OWN_EXPRESSIONS = {"id": str, "last_modified": int}


class _Objects:
    """Receipt.objects. A manager that the class declares itself comes before it."""

    @overload
    def __get__(self, cls: None, meta: type[M]) -> Manager[M]: ...  # as mypy sees it, on a metaclass
    @overload
    def __get__(self, cls: type[M], meta: Any) -> Manager[M]: ...  # as the others and Python see it
    def __get__(self, cls: Any, meta: Any) -> Any:
        return bound(cls, "objects", Manager)


# An ABCMeta, so that mixins of a model may be abstract base classes.
class ModelMeta(ABCMeta):
    objects = _Objects()

    if TYPE_CHECKING:
        # pyright checks the class keywords here, ty in __init_subclass__ below, mypy nowhere.
        def __new__(
            mcls,
            name: str,
            bases: tuple[type, ...],
            namespace: dict[str, Any],
            *,
            bucket: str | None = ...,
            collection: str | None = ...,
            abstract: bool = ...,
        ) -> ModelMeta: ...

    else:
        # attrs leaves no class attribute for a field, so Receipt.amount ends here, at no cost for
        # receipt.amount. The checkers must not see it: they would take any name.
        def __getattr__(cls, name):
            declaration = vars(cls).get("__kinto__")
            if declaration is not None and name in declaration.fields:
                return FieldExpression((name,), without_none(declaration.resolve()[name].type))
            if declaration is not None and name in _OWN_EXPRESSIONS:
                return FieldExpression((name,), _OWN_EXPRESSIONS[name])
            known = [] if declaration is None or name.startswith("_") else declaration.fields
            hint = f"; {suggestion(name, known)}" if known else ""
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}{hint}")

        def __call__(cls, *arguments, **fields):
            try:
                return super().__call__(*arguments, **fields)
            except TypeError as error:
                if (problem := _problem(cls, fields, str(error))) is None:
                    raise
                raise UsageError(f"{cls.__name__}{problem}") from None

        def __dir__(cls):
            declaration = vars(cls).get("__kinto__")
            fields = [] if declaration is None else [*_OWN_EXPRESSIONS, *declaration.fields]
            return [*super().__dir__(), *fields]

        def __setattr__(cls, name, value):
            if name in ("__attrs_attrs__", "__dataclass_params__"):
                _refuse_decorator(cls)
            super().__setattr__(name, value)

        # That of __call__ would be shown otherwise.
        @property
        def __signature__(cls):
            whole = inspect.signature(cls.__init__)
            return inspect.Signature([one for one in whole.parameters.values() if one.name != "self"])


@dataclass_transform(kw_only_default=True, field_specifiers=(field, internal, Field))
class _ModelBase(Mapped, metaclass=ModelMeta):
    if TYPE_CHECKING:
        # Exactly the keywords, so that a typo is seen; at run time mixins may take their own.
        def __init_subclass__(
            cls, *, bucket: str | None = ..., collection: str | None = ..., abstract: bool = ...
        ) -> None: ...

    else:

        def __init_subclass__(cls, *, bucket=None, collection=None, abstract=False, **others):
            try:
                super().__init_subclass__(**others)
            except TypeError as error:
                if not others or "takes no keyword arguments" not in str(error):
                    raise
                hint = suggestion(next(iter(others)), ("abstract", "bucket", "collection"))
                raise UsageError(f"class {cls.__qualname__}(..., {next(iter(others))}=...): {hint}") from None
            _refuse_decorator(cls)  # attrs makes a class with slots anew
            _set_up(cls, bucket, collection, abstract)

        def __setattr__(self, name, value):
            if name not in vars(self) and not name.startswith("_"):
                _check_attribute(type(self), name)
            super().__setattr__(name, value)


def _has_own_constructor(cls: type) -> bool:
    return hasattr(cls, "__attrs_init__")


def _problem(cls: Any, fields: Collection[str], error: str) -> str | None:
    """What a TypeError of the constructor means; None if it is not about its arguments."""
    if _has_own_constructor(cls):
        is_inherited = "Model.__init__() " in error
        return ".__init__ calls self.__attrs_init__(...), not super().__init__(...)" if is_inherited else None
    for name in fields:
        if name not in attrs.fields_dict(cls):
            return f" has no field {name!r}; {suggestion(name, [*cls.__kinto__.fields, 'id', 'permissions'])}"
    required = [one.name for one in attrs.fields(cls) if one.default is attrs.NOTHING]
    missing = [repr(name) for name in required if name not in fields]
    return f" needs {', '.join(missing)}" if missing else None


def _refuse_decorator(cls: type) -> None:
    """UsageError for a model that is to become a class of attrs or a dataclass once more."""
    if "__kinto__" in vars(cls):
        name = cls.__qualname__
        raise UsageError(f"{name}: Model makes it a class of attrs itself: take away the decorator")


def _check_attribute(cls: Any, name: str) -> None:
    """AttributeError for the name of nothing that the class has, as for a mistyped field."""
    known = [*cls.__kinto__.fields, *_OWN_EXPRESSIONS]
    # What a class adds to its objects while they are made is meant.
    is_being_made = sys._getframe(2).f_code.co_name in ("__attrs_post_init__", "__init__")
    if name not in known and not is_being_made and not any(name in vars(base) for base in cls.__mro__):
        raise AttributeError(f"{cls.__name__!r} object has no attribute {name!r}; {suggestion(name, known)}")


def _set_up(cls: Any, bucket: str | None, collection: str | None, abstract: bool) -> None:
    """Make a model of the class: attributes by attrs, and what it declares beside it."""
    prepare(cls)
    # auto_attribs: without it one field without an annotation would hide all that have one.
    # on_setattr: makes the constructor set what is declared without asking our __setattr__, once
    # for each attribute of each record. The __setattr__ that attrs makes for it goes again.
    is_ours, has_constructor = cls.__setattr__ is _ModelBase.__setattr__, "__init__" in vars(cls)
    try:
        attrs.define(
            cls,
            slots=False,
            kw_only=True,
            eq=False,
            repr=False,
            auto_attribs=True,
            on_setattr=_kept if is_ours else None,
        )
    except attrs.exceptions.UnannotatedAttributeError as error:
        names = str(error).rpartition(": ")[2].rstrip(".")
        raise UsageError(f"{cls.__qualname__}: {names}: a field needs an annotation with its type") from None
    if is_ours:
        del cls.__setattr__
    bases = [vars(base)["__kinto__"] for base in cls.__mro__[1:] if "__kinto__" in vars(base)]
    if bases:
        places = [Declaration(cls, bucket, collection, {}, module_scope(cls)), *bases]
        bucket = next((place.bucket for place in places if place.bucket is not None), None)
        collection = next((place.collection for place in places if place.collection is not None), None)
        declaration = declare(cls, _own_names(), bucket, collection, abstract)
    else:
        declaration = Declaration(cls, None, None, {}, module_scope(cls))
    declaration.has_plain_constructor = is_ours and not has_constructor
    missing, own = getattr(cls, "__getattr__", None), cls.__getattribute__ is object.__getattribute__
    declaration.has_plain_attributes = own and getattr(missing, "__module__", None) == __name__
    cls.__kinto__ = declaration


def _kept(_: Any, __: attrs.Attribute[Any], value: Any) -> Any:  # pragma: no cover - only marks the class
    return value


class _PermissionsField:
    """record.permissions: reading gives RecordPermissions, assigning takes a dict or those of another."""

    @overload
    def __get__(self, instance: None, owner: Any) -> _PermissionsField: ...
    @overload
    def __get__(self, instance: Model, owner: Any) -> RecordPermissions: ...
    def __get__(self, instance: Model | None, owner: Any) -> _PermissionsField | RecordPermissions:
        return self if instance is None else loading.permissions(instance)

    def __set__(self, instance: Model, value: RecordPermissionsDict | RecordPermissions) -> None:
        # The constructor hands over its default, the field itself, where none are given.
        if not isinstance(value, _PermissionsField):
            loading.assign_permissions(instance, value)


class _ModifiedAt:
    """record.modified_at: last_modified as a moment in UTC. On the class it is an expression."""

    @overload
    def __get__(self, instance: None, owner: Any) -> FieldExpression[datetime]: ...
    @overload
    def __get__(self, instance: Model, owner: Any) -> datetime | None: ...
    def __get__(self, instance: Model | None, owner: Any) -> FieldExpression[datetime] | datetime | None:
        if instance is None:
            return FieldExpression(("modified_at",), datetime)
        milliseconds = instance.last_modified
        return None if milliseconds is None else _EPOCH + timedelta(milliseconds=milliseconds)

    def __set__(self, instance: Model, value: NoReturn) -> NoReturn:
        raise AttributeError("the server sets modified_at")


class Model(_ModelBase, abstract=True):
    """A record with typed attributes. Declare it with the bucket and collection it is kept in.

    id: made by us for a new record. last_modified: milliseconds since 1970, None for a new record.
    permissions: who may read and write it. abstract=True: for attributes that models share.
    """

    _state: State = internal(factory=State, init=False, repr=False)
    permissions: _PermissionsField = internal(default=_PermissionsField(), repr=False)
    id: str = internal(factory=lambda: str(uuid4()))
    last_modified: int | None = internal(default=None, init=False)

    modified_at = _ModifiedAt()

    if TYPE_CHECKING:
        __attrs_attrs__: ClassVar[tuple[attrs.Attribute[Any], ...]]

        def __attrs_init__(self, **fields: Any) -> None: ...

    @property
    def extra(self) -> JSONObject:
        """The attributes that the server holds and the model does not declare: a dict to be edited.

        Every save keeps them; what is taken out of it is taken out on the server.
        """
        if self._state.only is not None and self._state.extra is None:
            state.home(self).connection.run(loading.complete(self))
        state.path(self)  # which refuses another id than the stored one
        return state.extra(self)

    def changes(self) -> JSONObject:
        """What save() would send of the data, by the keys on the server; all of a new record."""
        return changes.changes(self)

    def save(
        self,
        *,
        using: Client | None = None,
        force: bool = False,
        on_conflict: OnConflict = "raise",
        verify: bool = False,
    ) -> None:
        """Send what changed of data and permissions, in one guarded request; none if nothing did.

        Raises ValidationError before anything is sent, and Conflict if it was written since it was
        read. force: without that guard, and with the values that others stored in another form, such
        as a Z for +00:00; what others changed beside it stays, which costs one more GET where a key is taken
        out. using: another client, from now on; on another server it becomes a new record. If that raises
        anything, it is still a record of its own place.
        on_conflict, if somebody else wrote it: "raise"; "merge" both sides' changes, where they do not
        overlap; the same with "mine" where they do; "theirs" drops mine; or a function of the Conflict
        that returns the whole data to be stored. Each costs one more GET and another attempt.
        verify: for PostgreSQL at its default isolation level, where two writers at the same moment may
        both succeed. Those who verify wait for each other, and look again afterwards: Conflict if others
        wrote over it. Costs three more requests in a batch and a GET, and the right to create records.
        """
        manner = Manner(force, verify)
        state.check_client(using, "save(using=...)")
        if using is None:
            return state.home(self).connection.run(saving.save(self, manner, on_conflict))
        if self._state.only is not None:
            state.home(self).connection.run(loading.complete(self))
        here = state.home(self).path
        target = home_of(self.__kinto__, using, here.bucket, here.collection)
        return moving.save_at(self, target, manner, on_conflict)

    @classmethod
    def mutate(cls, id: str, change: Callable[[Self], object], *, verify: bool = False) -> Self:
        """Load a record, call change(record), and save it; again if somebody else was faster.

        change may be called several times, each time with the record as it is then. Returns the record.
        One GET and one guarded PATCH, none if nothing changed; after each conflict both again, up to 12
        times, with growing, random pauses: then the last Conflict is raised. NotFound if it is gone.
        verify: see save(), without looking again: of those who verify nobody's change is lost.
        """
        home = home_of(cls.__kinto__)
        return home.connection.run(saving.mutate(cls, home, id, change, verify=verify))

    def delete(self, *, missing_ok: bool = False, force: bool = False) -> None:
        """Delete it; one guarded DELETE. Afterwards it is a new record.

        Raises Conflict if it was written since it was read, unless force is given, and NotFound if
        it is gone already, unless missing_ok is given.
        """
        state.home(self).connection.run(saving.delete(self, missing_ok=missing_ok, force=force))

    def refresh(self) -> None:
        """Take over what the server has now, and drop what is unsaved; one GET."""
        state.home(self).connection.run(loading.refresh(self))

    @recursive_repr()
    def __repr__(self) -> str:
        return projection.shown(self)

    def __copy__(self) -> Self:
        # With a State of its own, or saving the one would make the other believe it was saved.
        result = type(self).__new__(type(self))
        vars(result).update(vars(self), _state=deepcopy(self._state, {id(self): result}))
        return result

    def __eq__(self, other: object) -> bool:
        """The same record of the same collection, whatever its attributes."""
        if not isinstance(other, Model) or type(self) is not type(other):
            return NotImplemented
        return self is other or (self.id == other.id and state.place(self) == state.place(other))

    def __hash__(self) -> int:
        return hash(self.id)

    if not TYPE_CHECKING:  # pragma: no branch - the checkers alone skip it

        def __getattr__(self, name):
            # Only reached where the attribute is missing.
            mine = state.known(self)
            if name == "_state" and mine is not None:
                return mine
            was_read = mine is not None and (mine.stored is not None or mine.only is not None)
            if was_read and name in type(self).__kinto__.fields:
                return loading.deferred(self, name)
            if name in ("objects", "_state") or name not in type.__dir__(type(self)):
                raise AttributeError(_missing(type(self), name))
            raise AttributeError(f"{name!r} belongs to the class: use {type(self).__name__}.{name}")


def _missing(cls: type, name: str) -> str:
    if name == "objects":
        return f"'objects' belongs to the class: use {cls.__name__}.objects"
    if name == "_state" and _has_own_constructor(cls):
        return f"{cls.__name__}.__init__ has to call self.__attrs_init__(...), with the fields"
    return f"{cls.__name__!r} object has no attribute {name!r}"


def _own_names() -> dict[str, str]:
    """What no field may be called, and whose name it is."""
    fields = {attribute.name for attribute in attrs.fields(cast(Any, Model))}
    names = {name for name in dir(Model) if not name.startswith("__")} | fields | {"objects"}
    return {**_KEYWORDS, **dict.fromkeys(names, "Model")}


def _keywords(method: Any) -> dict[str, str]:
    code = method.__code__
    parameters = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    return dict.fromkeys(parameters, f"objects.{method.__name__}()")


# A field of such a name could not be given where the fields are keywords: the method would take it.
_KEYWORDS = {
    name: owner
    for method in (Manager.update_or_create, Manager.get_or_create, Manager.create)
    for name, owner in _keywords(method).items()
}


if not TYPE_CHECKING:  # pragma: no branch - the checkers alone skip it
    # attrs took it for a default value, and off the class.
    Model.permissions = _PermissionsField()
