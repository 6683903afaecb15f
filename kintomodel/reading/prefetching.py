"""prefetch(): the records that others refer to, in few requests; and which of them are missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias, TypeVar

from ..errors import Forbidden, NotFound, ResponseError, UsageError
from ..mapping.codec import codec_of
from ..mapping.declaration import Declaration
from ..mapping.references import Ref, references_in, referred
from ..mapping.state import Home, Mapped, home
from ..protocol import operations
from ..protocol.batch import chunks
from ..query import picking
from ..query.query import Query
from . import finding
from .columns import column
from .reading import DEFAULT_PAGE_SIZE, WHOLE
from .referring import place_of
from .targets import target

M = TypeVar("M", bound=Mapped)

Names: TypeAlias = tuple[str, ...]
Tree: TypeAlias = dict[Names, tuple[Any, "Tree"]]
"""{the names that lead to a reference: (its model, what is to be read from there)}."""


class DanglingRef(NamedTuple):
    """A reference to a record that is not there. id: of the record that holds it, in this field."""

    id: str
    field: str
    missing: str


def tree(declaration: Declaration, paths: Iterable[Names]) -> Tree:
    """UsageError, with a suggestion, if a path does not lead from reference to reference."""
    whole: Tree = {}
    for path in paths:
        branch, fields, rest = whole, declaration, path
        while rest:
            names, model = _reference(fields, rest)
            _, branch = branch.setdefault(names, (model, {}))
            fields, rest = model.__kinto__, rest[len(names) :]
    return whole


def _reference(declaration: Declaration, path: Names) -> tuple[Names, Any]:
    """The first names of the path that lead to a reference, and its model."""
    for end in range(1, len(path) + 1):
        model = referred(target(declaration, path[:end]).type)
        if hasattr(model, "__kinto__"):
            return path[:end], model
    leads_to = target(declaration, path)
    raise UsageError(f"{leads_to} holds {leads_to.type_name}: prefetch() follows fields of Ref[model]")


def prefetched(records: Iterable[M], paths: Iterable[Names], at_once: int) -> Iterator[M]:
    """The same records; what they refer to is read for so many of them at a time."""
    for chunk in chunks(records, at_once):
        prefetch(chunk, paths)
        yield from chunk


def prefetch(records: list[M], paths: Iterable[Names]) -> None:
    """Read what they refer to: one GET for each model and about a hundred ids."""
    if not records:
        return
    level: list[tuple[list[Any], Tree]] = [(list(records), tree(records[0].__kinto__, paths))]
    while level:
        wanted: dict[tuple[Any, Home], dict[str, list[Ref[Any]]]] = {}
        following: list[tuple[list[Ref[Any]], Tree]] = []
        for holders, branches in level:
            for names, (model, below) in branches.items():
                found = [one for holder in holders for one in references_in(_at(holder, names))]
                following.append((found, below))
                place = place_of(model, home(holders[0]), holders[0].__kinto__.bucket)
                by_id = wanted.setdefault((model, place), {})
                for one in found:
                    by_id.setdefault(one.id, []).append(one)
        for (model, place), references in wanted.items():
            _keep(finding.in_bulk(model, place, Query(), references, WHOLE), references)
        level = [(_kept(found), below) for found, below in following if below and _kept(found)]


def _at(record: Any, names: Names) -> Any:
    value = record
    for name in names:
        if value is None:
            return None
        value = value.get(name) if isinstance(value, dict) else getattr(value, name)
    return value


def _keep(found: dict[str, Any], references: dict[str, list[Ref[Any]]]) -> None:
    for id, record in found.items():
        for one in references[id]:
            one.keep(record)


def _kept(references: list[Ref[Any]]) -> list[Any]:
    """The records that were found, each once."""
    return list({id(one.kept): one.kept for one in references if one.kept is not None}.values())


def dangling(model: type[Mapped], where: Home, query: Query) -> list[DanglingRef]:
    """The references of the query's records that lead nowhere."""
    declaration = model.__kinto__
    fields = [column(declaration, name) for name in codec_of(declaration).references]
    models = codec_of(declaration).references
    found: list[DanglingRef] = []
    known: dict[tuple[Any, Home], dict[str, bool]] = {}
    if not fields:
        return found
    rows = finding.rows(where, query, [one.path for one in fields], DEFAULT_PAGE_SIZE)
    for chunk in chunks(rows, DEFAULT_PAGE_SIZE):
        named: list[tuple[tuple[Any, Home], DanglingRef]] = []
        for data in chunk:
            for one in fields:
                for reference in references_in(one.stored(data, where.name)):
                    leads_to = reference.model or models[one.name]
                    if leads_to is not None:
                        place = leads_to, place_of(leads_to, where, declaration.bucket)
                        named.append((place, DanglingRef(data["id"], one.name, reference.id)))
        for place in {place for place, _ in named}:
            of_place = known.setdefault(place, {})
            ids = {row.missing: None for other, row in named if other == place}
            of_place.update(_are_there(place[1], [id for id in ids if id not in of_place]))
        found += [row for place, row in named if not known[place][row.missing]]
    return found


def _are_there(place: Home, ids: list[str]) -> dict[str, bool]:
    """A listing shows those that we may read only: what it lacks is asked for by its name."""
    there: set[str] = set()
    for chunk in picking.chunks(ids):
        query = picking.among(Query(), chunk)
        there.update(data["id"] for data in finding.rows(place, query, [], len(chunk)))
    doubtful = [id for id in ids if id not in there]
    if not doubtful:
        return dict.fromkeys(ids, True)
    answers = place.connection.perform_all(operations.read(place.path.record(id)) for id in doubtful)
    for id, answer in zip(doubtful, answers, strict=True):
        if isinstance(answer, ResponseError) and not isinstance(answer, (NotFound, Forbidden)):
            raise answer
        if not isinstance(answer, NotFound):
            there.add(id)
    return {id: id in there for id in ids}
