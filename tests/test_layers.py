"""Imports point down, wherever they stand, and no two files of a room need each other."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "kintomodel"

# From the bottom to the top: what each room may import.
ROOMS = {
    "errors": set(),
    "protocol": {"errors"},
    "query": {"errors", "protocol"},
    "flows": {"errors", "protocol", "query"},
    "plans": {"errors", "protocol", "flows"},
    "rehearsal": {"errors", "protocol"},
    "transport": {"errors", "protocol", "query", "rehearsal"},
    "desired": {"errors", "protocol"},
    "provisioning": {"desired", "errors", "protocol", "query", "flows", "plans", "transport"},
    "resources": {"desired", "errors", "protocol", "query", "flows", "provisioning", "transport"},
    "mapping": {"errors", "protocol", "query", "transport", "resources"},
    "reading": {"errors", "protocol", "query", "flows", "resources", "mapping"},
    "writing": {"errors", "protocol", "query", "flows", "transport", "mapping", "reading"},
    "syncing": {
        *("errors", "protocol", "query", "flows", "plans", "transport"),
        *("mapping", "reading", "writing"),
    },
    "files": {"errors", "protocol", "query", "flows", "mapping", "reading", "writing", "syncing"},
    "models": {
        *("errors", "protocol", "query", "flows", "resources"),
        *("mapping", "reading", "writing", "syncing", "files"),
    },
    "testing": {"errors", "protocol", "transport", "resources"},
}
LEAVES = {
    "serve": {"errors", "testing"},
    "__main__": {"serve"},
    "__init__": set(ROOMS) - {"testing"},
}
MAY_IMPORT = ROOMS | LEAVES


def module_name(file: Path) -> str:
    """Below the package, with dots: "protocol.paths", "protocol.__init__", "errors"."""
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts)


SOURCES = {module_name(file): file.read_text("utf-8") for file in sorted(PACKAGE.rglob("*.py"))}


def imports(module: str, source: str, known: Mapping[str, str]) -> Iterator[str]:
    """The modules of the package that this one names, as module_name() spells them."""
    package = ["kintomodel", *module.split(".")[:-1]]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _below(alias.name.split("."), known)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            start = above + (node.module.split(".") if node.module else [])
            for alias in node.names:
                yield from _below([*start, alias.name], known)


def _below(parts: list[str], known: Mapping[str, str]) -> Iterator[str]:
    if parts[0] != "kintomodel":
        return
    # The longest beginning that is a file: what follows it is a name in there.
    for end in range(len(parts), 0, -1):
        for name in (".".join(parts[1:end]), ".".join([*parts[1:end], "__init__"])):
            if name in known:
                yield name
                return
    raise AssertionError(f"there is no {'.'.join(parts)}")


def room(module: str) -> str:
    return module.partition(".")[0]


def pointing_up(module: str, source: str, known: Mapping[str, str]) -> set[str]:
    allowed = MAY_IMPORT[room(module)] | {room(module)}
    return {name for name in imports(module, source, known) if room(name) not in allowed}


def loop(sources: Mapping[str, str]) -> list[str]:
    """Files that need each other, in a row; empty if there are none."""
    finished: set[str] = set()

    def search(module: str, path: list[str]) -> list[str]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in finished:
            return []
        for name in imports(module, sources[module], sources):
            found = search(name, [*path, module])
            if found:
                return found
        finished.add(module)
        return []

    return next(filter(None, (search(module, []) for module in sources)), [])


@pytest.mark.parametrize("module", SOURCES)
def test_imports_point_down(module):
    assert pointing_up(module, SOURCES[module], SOURCES) == set()


def test_no_files_need_each_other():
    assert loop(SOURCES) == []


def test_the_table_of_rooms_has_no_loop():
    assert (
        loop({name: "".join(f"import kintomodel.{one}\n" for one in below) for name, below in ROOMS.items()})
        == []
    )


KNOWN = dict.fromkeys(
    ["__init__", "errors", "protocol.__init__", "protocol.paths", "transport.__init__", "transport.http"], ""
)


@pytest.mark.parametrize(
    "source",
    [
        "from ..transport import http",
        "from ..transport.http import HTTPTransport",
        "from .. import transport",
        "import kintomodel.transport.http",
        "from kintomodel.transport import http as carrier",
        "from kintomodel import transport",
        "def late():\n    from ..transport import http",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..transport.http import HTTPTransport",
    ],
)
def test_an_import_that_points_up_is_found_wherever_it_stands(source):
    assert pointing_up("protocol.paths", source, KNOWN) <= {"transport.http", "transport.__init__"}
    assert pointing_up("protocol.paths", source, KNOWN)


@pytest.mark.parametrize("source", ["from .. import connect", "import kintomodel"])
def test_nothing_imports_the_face(source):
    assert pointing_up("protocol.paths", source, KNOWN) == {"__init__"}


@pytest.mark.parametrize("source", ["from ..errors import KintoError", "from . import paths", "import json"])
def test_an_import_that_points_down_is_fine(source):
    assert pointing_up("transport.http", source.replace(". import", "..protocol import"), KNOWN) == set()


def test_a_loop_is_found():
    sources = {
        "protocol.first": "from . import second",
        "protocol.second": "def late():\n    from .third import thing",
        "protocol.third": "from .first import thing",
    }
    assert loop(sources) == ["protocol.first", "protocol.second", "protocol.third", "protocol.first"]
