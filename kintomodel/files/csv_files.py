"""CSV files: a column for each field, with dots for those of nested objects."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple, TextIO

from typing_extensions import is_typeddict

from ..errors import UsageError
from ..mapping.annotations import inner_fields, mentions, without_none
from ..mapping.codec import converter
from ..mapping.nested_values import is_nested, nested_keys
from ..mapping.storage import TextDecimal
from ..protocol.values import JSON, JSONObject, Part, copy
from ..syncing.wanted import Reader
from .file_rows import BadRow, Parsed, UnreadableFileError, plain
from .json_files import decode, encode

_LONGEST = 2**26  # characters of a cell


class Column(NamedTuple):
    """path: the keys that lead to the value in a row. is_text: is a cell rather a text than a number?

    is_empty_null: does an empty cell read as null? is_exact: are there Decimals?
    """

    path: tuple[str, ...]
    reads: Callable[[JSON], object]
    is_text: bool = False
    is_empty_null: bool = False
    is_exact: bool = False

    @property
    def name(self) -> str:
        return ".".join(self.path)

    def parse(self, cell: str) -> JSON:
        """The cell as the type of its field reads it: as JSON, or as the text that it is."""
        decoded = self._decoded(cell)
        first, second = decoded, [cell]
        if self.is_text and not cell.startswith('"') and cell != "null":
            first, second = second, first
        for value in (*first, *second, *_spelt_in_capitals(cell)):
            try:
                self.reads(value)
            except Exception:  # of any hook, also those of users
                continue
            return value
        # Told apart later, with what was expected.
        return (*decoded, cell)[0]

    def cell(self, value: JSON) -> str:
        """What parse() makes the value of. Texts as they are, if they can be."""
        if isinstance(value, str) and value:
            parsed = self.parse(value)
            if type(parsed) is str and parsed == value:
                return value
        return "" if value is None and self.is_empty_null else encode(value)

    def _decoded(self, cell: str) -> list[JSON]:
        try:
            value = decode(cell)
            return [value if self.is_exact else plain(value)]
        except (ValueError, RecursionError):
            return []


def write(rows: Iterable[JSONObject], file: TextIO, reader: Reader[Any]) -> None:
    columns = _columns(reader)
    # An object without any key leaves all of its cells empty, which reads as the default.
    empty = {name for name, one in reader.fields.items() if reader.default(one) == ({},)}
    writer = csv.writer(file)
    writer.writerow([column.name for column in columns])
    for row in rows:
        writer.writerow(_cells(row, columns, empty))


def read(file: TextIO, reader: Reader[Any]) -> Iterator[Parsed]:
    # Of the whole process; lower, it would refuse what write() wrote.
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST))
    lines = csv.reader(file, strict=True)
    line = 1
    try:
        columns = _header(next(lines, []), reader)
        line = lines.line_num + 1
        for cells in lines:
            # Spreadsheets write empty lines with their commas.
            if any(cells):
                yield line, _row(cells, columns)
            line = lines.line_num + 1
    except csv.Error as error:
        raise UnreadableFileError(f"line {line}: this is no CSV: {error}") from None


def _columns(reader: Reader[Any]) -> list[Column]:
    found = [Column(("id",), _text, is_text=True)]
    for one in reader.codec.fields:
        name, cls = one.info.name, one.info.stored_type
        is_empty_null = reader.default(one) == (None,)
        head = Column((name,), one.read, _is_text(cls), is_empty_null, mentions(cls, Decimal))
        found += _inside(head, cls, ())
    return [*found, Column(("extra",), _object)]


def _inside(column: Column, cls: Any, outer: tuple[Any, ...]) -> list[Column]:
    """One for each field of a nested object; itself of anything else, or where a class holds itself.

    Of an object that may be None only where that is what empty cells read as.
    """
    if cls != without_none(cls) and (outer or not column.is_empty_null):
        return [column]
    cls = without_none(cls)
    inner = inner_fields(cls) if is_nested(cls) or is_typeddict(cls) else None
    if not inner or cls in outer:
        return [column]
    keys = nested_keys(cls) if is_nested(cls) else {name: name for name in inner}
    found = []
    for name, key in keys.items():
        kind = inner[name]
        hook = converter().get_structure_hook(kind)
        reads = _reading(hook, kind)
        within = Column((*column.path, key), reads, _is_text(kind), False, column.is_exact)
        found += _inside(within, kind, (*outer, cls))
    return found


def _reading(hook: Callable[[JSON, Any], object], kind: Any) -> Callable[[JSON], object]:
    return lambda value: hook(value, kind)


def _is_text(cls: Any) -> bool:
    return without_none(cls) in (str, TextDecimal)


def _spelt_in_capitals(cell: str) -> list[JSON]:
    """Spreadsheets write TRUE and FALSE, Python True and False."""
    return [cell.lower() == "true"] if cell.lower() in ("true", "false") else []


def _text(value: JSON) -> str:
    if isinstance(value, str):
        return value
    raise ValueError(value)


def _object(value: JSON) -> JSONObject:
    if isinstance(value, dict):
        return value
    raise ValueError(value)


def _cells(row: JSONObject, columns: list[Column], empty: Collection[str]) -> list[str]:
    rest = copy(row)
    cells = [_taken(rest, column) for column in columns]
    for name, value in rest.items():
        # A null is what is left of an object that may be one.
        is_nothing = value is None or (value == {} and name in empty)
        if not (is_nothing or _is_used_up(value, row[name])):
            raise UsageError(f"{row['id']}: no column of CSV holds {name}: {encode(value)}; dump it as JSON")
    return cells


def _is_used_up(rest: JSON, value: JSON) -> bool:
    """Is nothing left of an object but objects that had something in them?"""
    if not isinstance(rest, dict) or not value:
        return False
    return all(_is_used_up(inner, value[key]) for key, inner in rest.items())


def _taken(rest: JSONObject, column: Column) -> str:
    inner: Any = rest
    for key in column.path[:-1]:
        inner = inner.get(key) if isinstance(inner, dict) else None
    if not isinstance(inner, dict) or column.path[-1] not in inner:
        return ""
    return column.cell(inner.pop(column.path[-1]))


def _header(names: list[str], reader: Reader[Any]) -> list[Column]:
    known = {column.name: column for column in _columns(reader)}
    whole = {
        name: Column((name,), one.read, is_exact=mentions(one.info.stored_type, Decimal))
        for name, one in reader.fields.items()
    }
    columns: list[Column] = []
    if not any(names):
        raise UnreadableFileError("line 1: expected the names of the fields, got none")
    for name in names:
        column = known.get(name) or whole.get(name)
        if column is None:
            raise UsageError(f"line 1: no field is called {name!r}; {_hint(name, names, known, reader)}")
        for other in columns:
            shorter = min(len(other.path), len(column.path))
            if other.path[:shorter] == column.path[:shorter]:
                raise UsageError(f"line 1: the columns {other.name!r} and {name!r} hold the same")
        columns.append(column)
    return columns


def _hint(wrong: str, names: list[str], known: Iterable[str], reader: Reader[Any]) -> str:
    for separator in ";\t|":
        if len(names) == 1 and separator in wrong:
            return f"the cells seem to be separated by {separator!r}: separate them by ','"
    return reader.hint(wrong, known)


def _row(cells: list[str], columns: list[Column]) -> object:
    if len(cells) > len(columns):
        return BadRow(f"there are {len(cells)} cells for {len(columns)} columns", ",".join(cells))
    row: JSONObject = {}
    for cell, column in zip(cells, columns, strict=False):
        if cell:
            inner = row
            for key in column.path[:-1]:
                inner = inner.setdefault(key, Part())  # what has no column, or an empty cell, is not named
            inner[column.path[-1]] = column.parse(cell)
    return row
