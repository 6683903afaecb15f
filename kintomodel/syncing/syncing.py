"""sync(): read a collection once beside a source, and plan what makes it the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, TypeVar

from ..errors import UsageError
from ..flows.listing import PAGE_SIZE
from ..mapping.expressions import Q, as_condition
from ..mapping.state import Mapped
from ..protocol.paths import CollectionPath
from ..query import scanning
from ..query.conditions import EVERYTHING, Condition
from ..query.query import Query
from ..reading import lookups
from ..transport.connection import Connection
from .applying import Side
from .comparing import Rules, keys_of, remote_keys, several_names
from .matching import Matching
from .plan import Plan
from .wanted import Key, Reader

M = TypeVar("M", bound=Mapped)

Scope: TypeAlias = Q | bool | Mapping[str, Any]


def sync(
    model: type[M],
    connection: Connection,
    path: CollectionPath,
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
    """See Manager.sync()."""
    _check(source, max_delete, on_conflict)
    reader = Reader(model, lambda position: f"source[{position}]")
    rules = Rules(
        path,
        reader,
        _key(reader, key),
        None if compare is None else keys_of(reader, compare, "compare"),
        keys_of(reader, preserve, "preserve") | remote_keys(reader),
        _scope(model, scope),
    )
    wanted = (reader.read(item, position) for position, item in enumerate(source))
    matching = Matching(rules, wanted, delete=delete)
    stream = scanning.scan(path.records, Query(rules.scope), PAGE_SIZE)
    connection.run(scanning.each(stream, matching.take))
    matching.finish()
    if delete:
        _guard(matching, path.name, max_delete)
    return _plan(matching, rules, connection, on_conflict)


def _plan(matching: Matching, rules: Rules, connection: Connection, on_conflict: Side) -> Plan:
    changes = (tuple(matching.creates), tuple(matching.updates), tuple(matching.deletes))
    return Plan(*changes, matching.unchanged, rules, connection, on_conflict)


def _check(source: object, max_delete: object, on_conflict: object) -> None:
    if isinstance(source, (str, bytes, Mapping, Mapped)) or not isinstance(source, Iterable):
        raise UsageError(f"sync() takes several records or dicts of their fields, got {source!r}")
    is_number = isinstance(max_delete, (int, float)) and not isinstance(max_delete, bool)
    if not is_number or not 0 <= max_delete <= 1:  # type: ignore[operator]
        raise UsageError(f"max_delete is a share of the records, from 0 to 1, got {max_delete!r}")
    if on_conflict not in ("raise", "mine", "theirs", "merge"):
        raise UsageError(f'on_conflict is "raise", "mine", "theirs" or "merge", got {on_conflict!r}')


def _key(reader: Reader[Any], names: str | Iterable[str]) -> Key:
    several = several_names(names, "key")
    if not several:
        raise UsageError("key is the name of a field, or several of them, that tell the records apart")
    keys_of(reader, [name for name in several if name != "id"], "key")
    return Key(reader, several)


def _scope(model: type[Mapped], scope: Scope | None) -> Condition:
    if scope is None:
        return EVERYTHING
    written = Q(**scope) if isinstance(scope, Mapping) else as_condition(scope)
    return lookups.condition(model.__kinto__, written)


def _guard(matching: Matching, where: str, max_delete: float) -> None:
    """Against a source that came empty, or short."""
    deletes, stored = len(matching.deletes), matching.stored
    if max_delete < 1 and not matching.given:
        raise UsageError(
            f"the source is empty: that would delete all {stored} records of {where}; if that is meant, "
            "say max_delete=1.0"
        )
    # 29 of 100 are no more than 0.29, though 0.29 * 100 is less.
    if deletes > max_delete * stored + 1e-6:
        raise UsageError(
            f"this would delete {deletes} of {stored} records of {where}, which is more than "
            f"max_delete={max_delete}; if that is meant, allow more"
        )
