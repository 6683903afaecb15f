"""What a model class declares: its fields, and where its records are."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, cast, get_args, get_origin

import attrs

from ..errors import UsageError, ValidationError
from ..protocol.paths import check_id
from ..protocol.values import check
from .annotations import (
    Names,
    Scope,
    defining_scope,
    is_class_variable,
    module_scope,
    own_annotations,
    replaced,
    resolved,
    type_arguments,
    without_variables,
)
from .fields import Field, field, is_internal, key_of, options
from .storage import EpochDatetime, TextDecimal

_MUTABLE = (list, dict, set, bytearray)

# What Kinto itself keeps in a record's data, or takes out of it.
RESERVED_KEYS = frozenset({"id", "last_modified", "schema", "deleted", "__permissions__"})

# One for all, as classes name each other; held again by the thread that holds it.
_resolving = threading.RLock()

models_by_name: dict[str, list[type]] = {}
"""Every model that is not abstract, so that annotations can name those of other modules."""


@attrs.define(eq=False)
class FieldInfo:
    """A declared field. type: as declared; stored_type: with the storage form that field() asks for."""

    name: str
    key: str
    attribute: attrs.Attribute[Any]
    type: Any = None
    stored_type: Any = None

    @property
    def default(self) -> Any:
        """A new default value, NOTHING if there is none that is the same for all records."""
        default: Any = self.attribute.default
        if not hasattr(default, "takes_self"):
            return default
        return attrs.NOTHING if default.takes_self else default.factory()

    @property
    def is_new_each_time(self) -> bool:
        """Is the default another one for each record, such as a UUID, or the time?"""
        default: Any = self.attribute.default
        if getattr(default, "factory", list) in (list, dict, set, frozenset, tuple):
            return False
        try:
            return bool(default.takes_self or self.default != self.default)
        except Exception:  # of a factory that works only at some times and places
            return True


@attrs.define(eq=False)
class Declaration:
    """bucket, collection: None for a class that is bound to none. fields: by their Python names.

    keys: those of the fields on the server.
    """

    cls: type
    bucket: str | None
    collection: str | None
    fields: Mapping[str, FieldInfo]
    _scope: Scope
    _resolved: bool = False
    has_plain_constructor: bool = True
    """Is it that of attrs, and does it set attributes without asking a __setattr__?"""
    has_plain_attributes: bool = True
    """Is it Model alone that is asked for those that are missing?"""
    keys: frozenset[str] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.keys = frozenset(info.key for info in self.fields.values())

    def resolve(self) -> Mapping[str, FieldInfo]:
        """The fields, with their types; the first time their annotations are evaluated."""
        if not self._resolved:
            with _resolving:
                self._resolve()
        return self.fields

    def _resolve(self) -> None:
        hints = self._hints()
        for info in self.fields.values():
            info.type = hints[info.name]
            info.stored_type = _stored_type(self.cls, info)
            # What the converter reads.
            object.__setattr__(info.attribute, "type", info.stored_type)
        model: Any = self.cls
        object.__setattr__(attrs.fields_dict(model)["id"], "type", str)
        model.__attrs_types_resolved__ = model
        self._resolved = True

    def _hints(self) -> dict[str, Any]:
        hints: dict[str, Any] = {}
        arguments = self._type_arguments()
        for owner in reversed(self.cls.__mro__):
            for name, annotation in own_annotations(owner).items():
                if name in self.fields:
                    found = resolved(annotation, owner, name, _names(owner))
                    plain = get_args(found)[0] if get_origin(found) is Field else found
                    hints[name] = without_variables(replaced(plain, arguments.get(owner, {})))
        return hints

    def _type_arguments(self) -> dict[type, dict[Any, Any]]:
        """{generic base: {its type variable: what stands for it in this class}}."""
        found: dict[type, dict[Any, Any]] = {}
        for owner in self.cls.__mro__:
            for base in vars(owner).get("__orig_bases__", ()):
                if get_origin(base) is Generic:
                    continue
                meant = resolved(base, owner, "bases", _names(owner))
                arguments = type_arguments(replaced(meant, found.get(owner, {})))
                found.setdefault(get_origin(base), arguments)
        return found


def _names(owner: type) -> Names:
    scope = vars(owner)["__kinto__"]._scope if "__kinto__" in vars(owner) else module_scope(owner)
    return Names(owner, scope, models_by_name)


def prepare(cls: type) -> None:
    """Make of the class body what attrs understands."""
    for name, value in list(vars(cls).items()):
        if type(value) is Field:
            setattr(cls, name, field(**value.settings))
    annotations, scope = own_annotations(cls), defining_scope(cls)
    for name, annotation in annotations.items():
        if is_class_variable(annotation, scope):
            annotations[name] = "ClassVar"
        elif isinstance(annotation, str) and "ClassVar" in annotation:
            # attrs goes by how the text begins.
            annotations[name] = f"({annotation})"


def declare(
    cls: type, own_names: Mapping[str, str], bucket: str | None, collection: str | None, abstract: bool
) -> Declaration:
    """What the class declares, once attrs has seen it; refuses names that cannot work.

    own_names: those that no field may hide, each with what has it.
    """
    fields = {
        attribute.name: FieldInfo(attribute.name, key_of(attribute), attribute)
        for attribute in attrs.fields(cls)
        if attribute.name not in own_names
    }
    _check_names(cls, own_names)
    _check_mixins(cls)
    _check_fields(cls, fields)
    for kind, value in (("bucket", bucket), ("collection", collection)):
        if value is not None:
            try:
                check_id(kind, value)
            except ValidationError as error:
                raise UsageError(f"{cls.__qualname__}: {error}") from None
    if not abstract:
        same_name = models_by_name.setdefault(cls.__name__, [])
        # The same class defined anew, as in a notebook, takes the place of the old one.
        same_name[:] = [other for other in same_name if not _same_place(other, cls)] + [cls]
    return Declaration(cls, bucket, collection, fields, defining_scope(cls))


def _same_place(one: type, other: type) -> bool:
    return (one.__module__, one.__qualname__) == (other.__module__, other.__qualname__)


def _check_names(cls: type, own_names: Mapping[str, str]) -> None:
    declared = [name for name, annotation in own_annotations(cls).items() if annotation != "ClassVar"]
    attributes: tuple[attrs.Attribute[Any], ...] = attrs.fields(cls)
    mixed_in = [one.name for one in attributes if one.name not in declared and not is_internal(one)]
    for name in (*declared, *mixed_in):
        if name in own_names:
            # Kinto would take such a key for its own, or out of the data.
            key = "" if name in RESERVED_KEYS else f" = field(key={name!r})"
            raise UsageError(
                f"{cls.__qualname__}.{name}: {own_names[name]} has {name!r} itself; "
                f"call the field something else, as in `{name}_: ...{key}`"
            )
        if name.startswith("_") and name in declared:
            raise UsageError(
                f"{cls.__qualname__}.{name}: a field is public; "
                f"declare `{name.strip('_')}: ... = field(key={name!r})`, or a ClassVar"
            )


def _check_mixins(cls: type) -> None:
    """attrs takes fields from models and its own classes: those of other bases would silently be none."""
    names = set(attrs.fields_dict(cast(Any, cls)))
    for base in cls.__mro__:
        for name, annotation in own_annotations(base).items():
            if name in names or name.startswith("_") or is_class_variable(annotation, module_scope(base)):
                continue
            raise UsageError(
                f"{cls.__qualname__}.{name}: {base.__name__} is no model, so this is no field: "
                f"make it one, `class {base.__name__}(Model, abstract=True)`, or {name} a ClassVar"
            )
        names |= vars(base).keys()


def _check_fields(cls: type, fields: Mapping[str, FieldInfo]) -> None:
    keys: dict[str, str] = {}
    for info in fields.values():
        where = f"{cls.__qualname__}.{info.name}"
        if info.name in vars(cls):
            raise UsageError(f"{where}: a new default needs its annotation again, `{info.name}: ... = ...`")
        if "__" in info.name:
            name = re.sub("_+", "_", info.name)
            raise UsageError(
                f"{where}: '__' divides names in look-ups; declare `{name}: ... = field(key={info.name!r})`"
            )
        if isinstance(info.attribute.default, _MUTABLE):
            raise UsageError(f"{where}: all records would share this default: use field(factory=...)")
        if info.key in RESERVED_KEYS:
            raise UsageError(f"{where}: Kinto keeps the key {info.key!r} for itself")
        if not info.key:
            raise UsageError(f"{where}: a key is not empty")
        try:
            check(info.key, where)
        except ValidationError as error:
            raise UsageError(str(error)) from None
        if info.key in keys:
            raise UsageError(
                f"{cls.__qualname__}: {keys[info.key]} and {info.name} have one key, {info.key!r}"
            )
        keys[info.key] = info.name


_FORMS: dict[str | None, tuple[type, type]] = {
    "text": (Decimal, TextDecimal),
    "epoch_ms": (datetime, EpochDatetime),
}


def _stored_type(cls: type, info: FieldInfo) -> Any:
    store = options(info.attribute).store
    if store is None:
        return info.type
    plain, stored = _FORMS[store]
    changed = replaced(info.type, {plain: stored})
    if changed == info.type:
        raise UsageError(f"{cls.__qualname__}.{info.name}: store={store!r} is for {plain.__name__} fields")
    return changed
