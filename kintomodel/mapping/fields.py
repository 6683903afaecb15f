"""field() and Field: what a declaration says beside its type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, TypedDict, TypeVar, overload

import attrs
from typing_extensions import Unpack

from ..errors import UsageError
from .expressions import FieldExpression

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

Store: TypeAlias = Literal["text", "epoch_ms"]
Owner: TypeAlias = Literal["remote"]

_METADATA = "kintomodel"
_INTERNAL = "kintomodel internal"


Validator: TypeAlias = Callable[[Any, "attrs.Attribute[Any]", Any], Any]
"""As those of attrs: called with the record, the attribute and the value, it raises ValueError."""


class Options(NamedTuple):
    """key: the attribute's name on the server, None for the Python name. The others: see field()."""

    key: str | None = None
    store: Store | None = None
    omit_none: bool = False
    validators: tuple[Validator, ...] = ()
    owner: Owner | None = None


class Settings(TypedDict, total=False):
    """What Field() takes beside a default, as field() does."""

    key: str | None
    store: Store | None
    omit_none: bool
    validator: Validator | Sequence[Validator]
    owner: Owner | None
    repr: bool


@overload
def field(
    *,
    default: T,
    key: str | None = ...,
    store: Store | None = ...,
    omit_none: bool = ...,
    validator: Validator | Sequence[Validator] = ...,
    owner: Owner | None = ...,
    repr: bool = ...,
) -> T: ...
@overload
def field(
    *,
    factory: type[list[T]],
    key: str | None = ...,
    store: Store | None = ...,
    validator: Validator | Sequence[Validator] = ...,
    owner: Owner | None = ...,
    repr: bool = ...,
) -> list[T]: ...
@overload
def field(
    *,
    factory: type[set[T]],
    key: str | None = ...,
    store: Store | None = ...,
    validator: Validator | Sequence[Validator] = ...,
    owner: Owner | None = ...,
    repr: bool = ...,
) -> set[T]: ...
@overload
def field(
    *,
    factory: type[dict[K, V]],
    key: str | None = ...,
    store: Store | None = ...,
    validator: Validator | Sequence[Validator] = ...,
    owner: Owner | None = ...,
    repr: bool = ...,
) -> dict[K, V]: ...
@overload
def field(
    *,
    factory: Callable[[], T],
    key: str | None = ...,
    store: Store | None = ...,
    validator: Validator | Sequence[Validator] = ...,
    owner: Owner | None = ...,
    repr: bool = ...,
) -> T: ...
@overload
def field(
    *,
    key: str | None = ...,
    store: Store | None = ...,
    omit_none: Literal[False] = ...,
    validator: Validator | Sequence[Validator] = ...,
    owner: Owner | None = ...,
    repr: bool = ...,
) -> Any: ...
def field(
    *,
    default: Any = attrs.NOTHING,
    factory: Callable[[], Any] | None = None,
    key: str | None = None,
    store: Store | None = None,
    omit_none: bool = False,
    validator: Validator | Sequence[Validator] = (),
    owner: Owner | None = None,
    repr: bool = True,
) -> Any:
    """Declare an attribute of a model.

    default: the value where none is given, or where the server has no such key.
    factory: makes a new default for each record.
    key: the attribute's name on the server, where it is not the Python name.
    store: "text" keeps each Decimal as a string, for values that no JSON number holds exactly; such
    a field cannot be ordered or compared with < and >. "epoch_ms" keeps each datetime as an integer
    of milliseconds since 1970.
    omit_none: None is no key at all on the server, instead of a null; the default is None then, which is
    to be written for the checkers.
    validator: one or several of attrs.validators, or functions like them. They look at what is to be
    sent; what the server has, and is left as it is, is not refused.
    owner: "remote" for what people edit on the server: sync() and load() never overwrite it.
    """
    if store not in (None, "text", "epoch_ms"):
        raise UsageError(f'store is "text" or "epoch_ms", got {store!r}')
    if owner not in (None, "remote"):
        raise UsageError(f'owner is "remote" or None, got {owner!r}')
    if omit_none and (factory is not None or default not in (None, attrs.NOTHING)):
        raise UsageError("with omit_none=True a missing key is None: it cannot have another default")
    several = (validator,) if callable(validator) else validator
    if not isinstance(several, Sequence) or not all(map(callable, several)):
        raise UsageError(f"validator is a function, or several of them, got {validator!r}")
    validators = tuple(several)
    metadata = {_METADATA: Options(key, store, omit_none, validators, owner)}
    if factory is not None:
        return attrs.field(factory=factory, metadata=metadata, repr=repr)
    return attrs.field(default=None if omit_none else default, metadata=metadata, repr=repr)


class Field(FieldExpression[T]):
    """An annotation for a field that the checkers see as an expression: `amount: Field[Decimal]`.

    At run time it is the plain annotation; Field(default=...) stands for field(default=...).
    """

    __slots__ = ("settings",)

    @overload
    def __init__(self, *, default: T, **settings: Unpack[Settings]) -> None: ...
    @overload
    def __init__(self, *, factory: Callable[[], T], **settings: Unpack[Settings]) -> None: ...
    @overload
    def __init__(self, **settings: Unpack[Settings]) -> None: ...
    def __init__(self, **settings: Any) -> None:
        super().__init__(())
        self.settings = settings

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Any) -> FieldExpression[T]: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> T: ...
        def __get__(self, instance: Any, owner: Any) -> Any: ...
        def __set__(self, instance: Any, value: T) -> None: ...


def internal(**settings: Any) -> Any:
    """An attribute of Model itself, which is no part of the data."""
    return attrs.field(metadata={_INTERNAL: True}, **settings)


def is_internal(attribute: attrs.Attribute[Any]) -> bool:
    return _INTERNAL in attribute.metadata


def options(attribute: attrs.Attribute[Any]) -> Options:
    found: Options = attribute.metadata.get(_METADATA, Options())
    return found


def key_of(attribute: attrs.Attribute[Any]) -> str:
    """Its name on the server."""
    key = options(attribute).key
    return attribute.name if key is None else key


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """The end of an error message: what the user may have meant, or what there is."""
    import difflib  # takes a millisecond, and is wanted only where there is an error to explain

    names = sorted(known)
    near = difflib.get_close_matches(wrong, names, 1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
