"""YAML files: a sequence of mappings. The one place that needs PyYAML."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from ..errors import UsageError
from ..protocol.values import JSONObject
from .file_rows import TOO_DEEP, BadRow, Parsed, UnreadableFileError


def write(rows: Iterable[JSONObject], file: TextIO, _: Any) -> None:
    yaml = _yaml()
    dumper = _dumper(yaml)
    is_empty = True
    for row in rows:
        is_empty = False
        # A sequence of one at a time; one after the other they are one sequence.
        file.write(yaml.dump([row], Dumper=dumper, allow_unicode=True, sort_keys=False, width=math.inf))
    if is_empty:
        file.write("[]\n")


def _dumper(yaml: Any) -> Any:
    dumper = type("Dumper", (yaml.SafeDumper,), {})

    def represent(self: Any, text: str) -> Any:
        # In any other style PyYAML 6.0 loses some line breaks and blanks.
        style = None if text.isprintable() else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    dumper.add_representer(str, represent)  # type: ignore[attr-defined]
    return dumper


def read(file: TextIO, _: Any) -> Iterator[Parsed]:
    yaml = _yaml()
    try:
        yield from _items(yaml, yaml.SafeLoader(file))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = 1 if mark is None else mark.line + 1
        problem = getattr(error, "problem", None) or str(error)
        text = " ".join(problem.split())
        raise UnreadableFileError(f"line {line}: this is no YAML: {text}") from None
    except RecursionError:
        raise UnreadableFileError(f"this is no YAML: {TOO_DEEP}") from None


def _items(yaml: Any, loader: Any) -> Iterator[Parsed]:
    """One after the other, as a whole document may be large."""
    while not loader.check_event(yaml.NodeEvent, yaml.StreamEndEvent):
        loader.get_event()
    if loader.check_event(yaml.StreamEndEvent):
        return
    if not loader.check_event(yaml.SequenceStartEvent):
        line = loader.peek_event().start_mark.line + 1
        raise UnreadableFileError(f"line {line}: expected a sequence of mappings")
    loader.get_event()
    constructor = _constructor(yaml)
    while not loader.check_event(yaml.SequenceEndEvent):
        node = loader.compose_node(None, None)
        yield node.start_mark.line + 1, _value(yaml, constructor, node)
    loader.get_event()
    loader.get_event()
    if not loader.check_event(yaml.StreamEndEvent):
        line = loader.peek_event().start_mark.line + 1
        raise UnreadableFileError(f"line {line}: expected nothing after the sequence, as --- begins another")


def _constructor(yaml: Any) -> Any:
    """Dates and times are the texts that they are: their fields know more forms, and more of time zones."""

    def construct_mapping(self: Any, node: Any, deep: bool = False) -> Any:
        seen: set[tuple[str, str]] = set()
        keys = [key for key, _ in node.value] if node.id == "mapping" else []
        for key in [key for key in keys if key.id == "scalar"]:
            if (key.tag, key.value) in seen:
                raise ValueError(f"the key {key.value!r} comes twice")
            seen.add((key.tag, key.value))
        return yaml.constructor.SafeConstructor.construct_mapping(self, node, deep)

    members = {"construct_mapping": construct_mapping}
    constructor: Any = type("Constructor", (yaml.constructor.SafeConstructor,), members)
    constructor.add_constructor("tag:yaml.org,2002:timestamp", constructor.construct_scalar)
    return constructor


def _value(yaml: Any, constructor: Any, node: Any) -> object:
    try:
        # A new one for each, as one that failed is of no use any more.
        return constructor().construct_document(node)
    except ValueError as error:  # such as a number that is none
        return BadRow(f"this is no YAML: {error}", yaml.serialize(node).strip())


def _yaml() -> Any:
    try:
        return importlib.import_module("yaml")
    except ImportError:
        raise UsageError('YAML files need PyYAML: pip install "kintomodel[yaml]"') from None
