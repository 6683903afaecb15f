"""JSON files: one array, or one object a line. Read and written in bounded memory."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, TextIO

from ..protocol.values import JSON, JSONObject
from .file_rows import TOO_DEEP, BadRow, Parsed, UnreadableFileError

_BLANKS = re.compile(r"[ \t\r\n]*")
_CHUNK = 2**16


def exact(text: str) -> float | Decimal:
    """The number; a Decimal where a float would be another one. ValueError for what is neither."""
    value = float(text)
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"a number as large or small as {text[:40]} cannot be read") from None
    return value if Decimal(repr(value)) == number else number


def _object(pairs: list[tuple[str, JSON]]) -> JSONObject:
    """ValueError for a key that comes twice: Python would keep the last one without a word."""
    found = dict(pairs)
    if len(found) != len(pairs):
        (key, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {key!r} comes twice")
    return found


_decoder = json.JSONDecoder(parse_float=exact, object_pairs_hook=_object)


def decode(text: str) -> JSON:
    """ValueError if it is no JSON, or none that Python reads."""
    try:
        return _decoder.decode(text)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None


def encode(value: JSON) -> str:
    return json.dumps(value, ensure_ascii=False)


def write_lines(rows: Iterable[JSONObject], file: TextIO, _: Any) -> None:
    file.writelines(f"{encode(row)}\n" for row in rows)


def read_lines(file: TextIO, _: Any) -> Iterator[Parsed]:
    for number, line in enumerate(file, 1):
        if not line.isspace():
            try:
                yield number, decode(line)
            except ValueError as error:
                yield number, BadRow(f"this is no JSON: {error}", line.rstrip("\r\n"))


def write_array(rows: Iterable[JSONObject], file: TextIO, _: Any) -> None:
    """With one object a line, so that versions can be compared."""
    before = "[\n"
    for row in rows:
        file.write(before + encode(row))
        before = ",\n"
    file.write("[]\n" if before == "[\n" else "\n]\n")


def read_array(file: TextIO, _: Any) -> Iterator[Parsed]:
    text = _Text(file)
    text.expect("[")
    if text.peek() != "]":
        yield text.value()
        while text.peek() == ",":
            text.expect(",")
            yield text.value()
    text.expect("]")
    if text.peek():
        raise UnreadableFileError(f"line {text.line}: expected nothing after the array, got {text.peek()!r}")


class _Text:
    """A file of which only the part that is being read is held. line: from 1."""

    def __init__(self, file: TextIO) -> None:
        self.line = 1
        self._file = file
        self._buffer = ""
        self._at = 0

    def peek(self) -> str:
        """The next character that is no blank; empty at the end."""
        while True:
            blanks = _BLANKS.match(self._buffer, self._at)
            assert blanks is not None
            self._move(blanks.end())
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._fill():
                return ""

    def expect(self, character: str) -> None:
        found = self.peek()
        if found != character:
            got = repr(found) if found else "the end of the file"
            raise UnreadableFileError(
                f"line {self.line}: expected an array of objects: {character!r}, got {got}"
            )
        self._move(self._at + 1)

    def value(self) -> Parsed:
        self.peek()
        while True:
            try:
                value, end = _decoder.raw_decode(self._buffer, self._at)
                # A number may go on, with as much as "e-" that is none of it yet.
                if end + 3 < len(self._buffer) or not self._fill():
                    line = self.line
                    self._move(end)
                    return line, value
            except json.JSONDecodeError as error:
                if not self._fill():
                    line = self.line + self._buffer.count("\n", self._at, error.pos)
                    raise UnreadableFileError(f"line {line}: this is no JSON: {error.msg}") from None
            except (ValueError, RecursionError) as error:
                problem = TOO_DEEP if isinstance(error, RecursionError) else error
                raise UnreadableFileError(f"line {self.line}: this is no JSON: {problem}") from None

    def _move(self, to: int) -> None:
        self.line += self._buffer.count("\n", self._at, to)
        self._at = to

    def _fill(self) -> bool:
        rest = self._buffer[self._at :]
        # More each time, so that a long value is not tried too often.
        more = self._file.read(max(_CHUNK, len(rest)))
        if more:
            self._buffer, self._at = rest + more, 0
        return bool(more)
