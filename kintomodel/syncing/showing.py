"""Changes for people to read: as lines, in colours on a terminal, and as HTML."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence

from ..protocol.report import escaped
from ..protocol.values import JSON
from .comparing import Change

# What nobody reads to the end.
_MOST = 1000
_MOST_HTML = 100
_WIDTH = 60

_SIGNS = {"create": "+", "update": "~", "delete": "-"}
_COLOURS = {"+": "32", "~": "33", "-": "31"}


def text(summary: str, changes: Sequence[Change]) -> str:
    """The summary and a line for each change, or for each field that it changes."""
    in_colours = _is_terminal()
    lines = [summary]
    for line in _lines(changes, _MOST):
        lines.append(
            f"\033[{_COLOURS[line[0]]}m{line}\033[0m" if in_colours and line[0] in _COLOURS else line
        )
    return "\n".join(lines)


def html(summary: str, changes: Sequence[Change]) -> str:
    """The same for a notebook."""
    lines = "\n".join(map(escaped, _lines(changes, _MOST_HTML)))
    return f"<p><b>Plan</b>: {escaped(summary)}</p>" + (f"<pre>{lines}</pre>" if lines else "")


def _lines(changes: Sequence[Change], most: int) -> Iterator[str]:
    for change in changes[:most]:
        head = f"{_SIGNS[change.kind]} {change.id}"
        if change.kind == "create":
            yield f"{head} {_short(change.data, 2 * _WIDTH)}"
        for name, (old, new) in change.difference.items():
            yield f"{head} {name}: {_short(old, _WIDTH)} -> {_short(new, _WIDTH)}"
        if change.kind == "delete":
            yield head
    if len(changes) > most:
        yield f"... and {len(changes) - most} more; see .creates, .updates, .deletes"


def _short(value: JSON, width: int) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    # Control characters of others must not reach a terminal; JSON escapes all but these.
    shown = "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in shown)
    return shown if len(shown) <= width else f"{shown[: width - 1]}…"


def _is_terminal() -> bool:
    """https://no-color.org"""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and sys.stdout.isatty()
