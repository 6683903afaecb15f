"""The types of a model's fields, found when they are first wanted.

Not when the class is created: two models may name each other, also across modules.
"""

from __future__ import annotations

import builtins
import re
import sys
import types
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, ForwardRef, Literal, NamedTuple, TypeVar, Union

import attrs
import typing_extensions

from ..errors import UsageError

_CREATED_BY_A_CALL = 0x02  # CO_NEWLOCALS: the code of a function
_DOTTED_NAME = r"[\w.]+"
# Functions that run while a class is being defined, and are not where that is done.
_DEFINING = frozenset({"__init_subclass__", "__new__", "__call__"})


class Scope(NamedTuple):
    """Where a class is defined. local: the variables of the function around it, if there is one."""

    local: Mapping[str, Any]
    module: dict[str, Any]


class Names(dict[str, Any]):
    """Where the names in a class's annotations are looked up.

    First in the function that defines it, then its nested classes and itself, its module and the
    builtins, and last all models by their names: the nearest one, if several are called the same.
    """

    def __init__(self, cls: type, scope: Scope, models: Mapping[str, list[type]]) -> None:
        super().__init__(scope.local)
        # A copy first, as other threads may set attributes of the class meanwhile.
        attributes = vars(cls).copy()
        self.update({name: value for name, value in attributes.items() if isinstance(value, type)})
        self[cls.__name__] = cls
        self.module = scope.module
        self._cls = cls
        self._models = models

    def __missing__(self, name: str) -> Any:
        if name in self.module or hasattr(builtins, name):
            raise KeyError(name)  # eval goes on with those
        named = self.candidates(name)
        if len(named) == 1:
            return named[0]
        raise KeyError(name)

    def candidates(self, name: str) -> list[type]:
        """The models that the name may mean."""
        named = self._models.get(name, [])
        inside = [model for model in named if model.__module__ == self._cls.__module__]
        beside = [model for model in inside if _place(model) == _place(self._cls)]
        return beside or inside or named


def _place(cls: type) -> str:
    return cls.__qualname__.rpartition(".")[0]


def module_scope(cls: type) -> Scope:
    """Of a class that was defined some time ago."""
    module = sys.modules.get(cls.__module__)
    return Scope({}, vars(module) if module else {})


def defining_scope(cls: type) -> Scope:
    """Of a class that is being defined.

    The frames of metaclasses and __init_subclass__ stand in between, perhaps of the same module:
    the right one is the first other that runs in the class's module, which need not be one that was
    imported.
    """
    frame = sys._getframe(1)
    while frame.f_back is not None and (
        # Where exec() was given no name, classes take that of the builtins.
        frame.f_globals.get("__name__", "builtins") != cls.__module__ or frame.f_code.co_name in _DEFINING
    ):
        frame = frame.f_back
    in_function = frame.f_code.co_flags & _CREATED_BY_A_CALL
    return Scope(dict(frame.f_locals) if in_function else {}, frame.f_globals)


def resolved(annotation: Any, cls: type, name: str, names: Names) -> Any:
    """The type that an annotation means; UsageError if it names what nobody knows."""

    def evaluated(part: Any) -> Any:
        text = part.__forward_arg__ if isinstance(part, ForwardRef) else part
        if not isinstance(text, str):
            return part
        return transformed(eval(text, names.module, names), evaluated)

    where = f"{cls.__qualname__}.{name}: the annotation {annotation!r}"
    try:
        return transformed(annotation, evaluated)
    except NameError as error:
        several = [f"{model.__module__}.{model.__qualname__}" for model in names.candidates(str(error.name))]
        unknown = f"which is neither in {cls.__module__} nor "
        unknown += f"the only model of that name: {', '.join(several)}" if several else "a model"
        raise UsageError(f"{where} names {error.name!r}, {unknown}") from None
    except Exception as error:  # whatever an expression may raise
        raise UsageError(f"{where} means no type: {error}") from None


def is_class_variable(annotation: Any, scope: Scope) -> bool:
    """A ClassVar, also in a string, by whatever name the module knows it."""
    if not isinstance(annotation, str):
        return annotation is ClassVar or typing.get_origin(annotation) is ClassVar
    head = re.match(_DOTTED_NAME, annotation)
    first, *attributes = head[0].split(".") if head else [""]
    found = {**scope.module, **scope.local}.get(first)
    for name in attributes:
        found = getattr(found, name, None)
    return found is ClassVar or annotation == "ClassVar"


def without_none(annotation: Any) -> Any:
    """X of `X | None`, and anything else as it is."""
    if not is_union(annotation):
        return annotation
    rest = tuple(one for one in typing.get_args(annotation) if one is not type(None))
    return Union[rest]  # noqa: UP007 - of a tuple


def plain(annotation: Any) -> Any:
    """Without None, and what a NewType or an Annotated stands for."""
    annotation = without_none(annotation)
    if typing.get_origin(annotation) is Annotated:
        return plain(typing.get_args(annotation)[0])
    return plain(annotation.__supertype__) if hasattr(annotation, "__supertype__") else annotation


def is_union(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (Union, types.UnionType)


def replaced(annotation: Any, new_by_old: Mapping[Any, Any]) -> Any:
    """The type with other classes in the place of some, wherever they stand in it."""

    def change(part: Any) -> Any:
        return next((new for old, new in new_by_old.items() if part is old), part)

    return transformed(annotation, change)


def transformed(annotation: Any, change: Callable[[Any], Any]) -> Any:
    """The type with its outermost parts replaced that `change` gives something else for."""
    found = change(annotation)
    origin: Any = typing.get_origin(annotation)
    if found is not annotation or origin is None or origin is Literal:
        return found
    arguments = typing.get_args(annotation)
    if origin is Annotated:
        origin, arguments = Annotated, (transformed(arguments[0], change), *arguments[1:])
        return origin[arguments]
    changed = tuple(transformed(argument, change) for argument in arguments)
    if all(new is old for new, old in zip(changed, arguments, strict=True)):
        return annotation
    return Union[changed] if is_union(annotation) else origin[changed]  # noqa: UP007 - of a tuple


def mentions(annotation: Any, wanted: type, outer: tuple[Any, ...] = ()) -> bool:
    """Does a value of this type hold any of that class, or of a subclass, at whatever depth?"""
    found = False

    def look(part: Any) -> Any:
        nonlocal found
        # To Python 3.10, list[int] is an instance of type.
        is_class = isinstance(part, type) and typing.get_origin(part) is None
        found = found or (is_class and issubclass(part, wanted))
        if part not in outer and not found:
            inner = inner_fields(part) or {}
            found = any(mentions(kind, wanted, (*outer, part)) for kind in inner.values())
        return part

    transformed(annotation, look)
    return found


def type_arguments(cls: Any) -> dict[Any, Any]:
    """{type variable: what stands for it} of a generic class with its arguments."""
    parameters = getattr(typing.get_origin(cls), "__parameters__", ())
    return dict(zip(parameters, typing.get_args(cls), strict=False))


def without_variables(annotation: Any) -> Any:
    """The type with its bound, or anything, for each variable that nothing was given for."""

    def change(part: Any) -> Any:
        return (part.__bound__ or Any) if isinstance(part, TypeVar) else part

    return transformed(annotation, change)


def own_annotations(cls: type) -> dict[str, Any]:
    """The annotations of the class body itself: the dict that attrs is about to read."""
    found: dict[str, Any] = vars(cls).get("__annotations__", {})
    return found


def inner_fields(annotation: Any) -> dict[str, Any] | None:
    """{name: type} of a nested attrs class, dataclass or TypedDict; None of any other type."""
    origin = typing.get_origin(annotation) or annotation
    if attrs.has(origin):
        resolve_attributes(origin)
        types = {attribute.name: attribute.type for attribute in attrs.fields(origin)}
    elif hasattr(origin, "__dataclass_fields__") or typing_extensions.is_typeddict(origin):
        hints = _type_hints(origin)
        types = {name: hints[name] for name in getattr(origin, "__dataclass_fields__", hints)}
    else:
        return None
    arguments = type_arguments(annotation)
    return {name: replaced(kind, arguments) for name, kind in types.items()} if arguments else types


def resolve_attributes(cls: Any) -> None:
    """Evaluate the annotations of an attrs class, once."""
    try:
        attrs.resolve_types(cls)
    except NameError as error:
        raise _unknown_name(cls, error) from None


def _type_hints(cls: Any) -> dict[str, Any]:
    try:
        return typing_extensions.get_type_hints(cls)
    except NameError as error:
        raise _unknown_name(cls, error) from None


def _unknown_name(cls: Any, error: NameError) -> UsageError:
    return UsageError(
        f"{cls.__qualname__}: an annotation names {error.name!r}, which is not in {cls.__module__}: "
        "classes that stand inside of models find there what they name"
    )
