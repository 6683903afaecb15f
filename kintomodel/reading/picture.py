"""The first records of a query as a small table, for people to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import attrs

from ..mapping.state import Mapped

ROWS = 10
_WIDEST_CELL = 30
_WIDEST_LINE = 110
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})


class Preview(NamedTuple):
    """records: the first ones, one more than are shown if there are more. is_all: are there no others?"""

    records: Sequence[Mapped]
    is_all: bool


def text(title: str, model: type[Any], look: Callable[[], Preview]) -> str:
    """A title, and the table below it; one line with the error if there is one."""
    try:
        found = look()
        lines = _lines(_table(model, found.records[:ROWS]))
        return "\n".join([f"<{title}: {_size(found)}>", *lines])
    except Exception as error:  # a picture is all that was asked for
        return f"<{title}: {_one_line(error)}>"


def html(title: str, model: type[Any], look: Callable[[], Preview]) -> str:
    """The same for notebooks; everything in it is escaped."""
    try:
        found = look()
        head, *rows = _table(model, found.records[:ROWS])
        body = "".join(f"<tr>{_cells('td', row)}</tr>" for row in rows)
        caption = escape(f"{title}: {_size(found)}")
        return (
            f"<table><caption>{caption}</caption><thead><tr>{_cells('th', head)}</tr></thead>"
            f"<tbody>{body}</tbody></table>"
        )
    except Exception as error:
        return f"<p>{escape(f'{title}: {_one_line(error)}')}</p>"


def _size(found: Preview) -> str:
    number = len(found.records)
    if number > ROWS or not found.is_all:
        return f"the first {min(number, ROWS)}" if number else "more than one request would show"
    return "no records" if number == 0 else "1 record" if number == 1 else f"{number} records"


def _table(model: type[Any], records: Sequence[Mapped]) -> list[list[str]]:
    """The heads, and a row for each record. What was not read is not asked for."""
    fields = [one.name for one in attrs.fields(model) if one.repr and one.name in model.__kinto__.fields]
    names = ["id", *(name for name in fields if not records or any(name in vars(one) for one in records))]
    return [names, *([_cell(vars(one).get(name, "")) for name in names] for one in records)]


def _cell(value: Any) -> str:
    shown = "".join(character if character.isprintable() else " " for character in str(value))
    return shown if len(shown) <= _WIDEST_CELL else shown[: _WIDEST_CELL - 1] + "…"


def _lines(table: list[list[str]]) -> list[str]:
    """Columns of one width, as many as fit into a line."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    fitting = len(widths)
    while fitting > 1 and sum(widths[:fitting]) + 2 * fitting > _WIDEST_LINE:
        fitting -= 1
    more = ["…"] if fitting < len(widths) else []
    rule = ["-" * width for width in widths]
    return [
        "  ".join(
            [*(cell.ljust(width) for cell, width in zip(row[:fitting], widths, strict=False)), *more]
        ).rstrip()
        for row in (table[0], rule, *table[1:])
    ]


def _cells(tag: str, row: list[str]) -> str:
    return "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row)


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def escape(shown: str) -> str:
    # As html.escape() does, which takes a millisecond to import.
    return shown.translate(_ESCAPES)
