"""Whatever a record holds, each format gives it back."""

from __future__ import annotations

import io
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any, Literal
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintomodel import Model, Ref, field
from kintomodel.files.dumping import FORMATS
from kintomodel.files.file_rows import plain
from kintomodel.protocol.values import equal
from kintomodel.syncing.wanted import Reader

from ..reading.test_oracle import tried


class Number(Enum):
    one = 1
    text = "1"


@attrs.define
class Inner:
    text: str
    count: int | None = None
    label: str | None = "x"


@attrs.define
class Outer:
    inner: Inner
    maybe: Inner | None = None


class Everything(Model, bucket="b", collection="c"):
    text: str = ""
    label: str | None = "x"
    number: int | None = None
    ratio: float = 0.0
    flag: bool = False
    amount: Decimal = Decimal(0)
    price: Decimal | None = field(default=None, store="text")
    day: date | None = None
    hour: time | None = None
    moment: datetime | None = None
    stamp: datetime | None = field(default=None, store="epoch_ms")
    span: timedelta | None = None
    uuid: UUID | None = None
    blob: bytes = b""
    choice: Number = Number.one
    literal: Literal["1", 1, "null"] = 1
    either: int | str | None = None
    ref: Ref[Any] | None = None
    tags: set[str] = field(factory=set)
    pairs: dict[str, int] = field(factory=dict)
    anything: Any = None
    outer: Outer | None = None


TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6
) | st.sampled_from(
    [
        "",
        "null",
        '""',
        '"',
        "1",
        "1.0",
        "true",
        "TRUE",
        "[]",
        "{}",
        "a,b",
        "\r",
        "\n",
        " x ",
        "- a",
        "007",
        "1e5",
        "'",
        "=",
    ]
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(timezone.utc))
INNER = st.builds(Inner, TEXTS, st.none() | st.integers(0, 9), st.none() | TEXTS)
records = st.builds(
    Everything,
    id=st.sampled_from(["a", "null", "1", "true", "007"]),
    text=TEXTS,
    label=st.none() | TEXTS,
    number=st.none() | st.integers(-(2**63), 2**63),
    ratio=st.floats(allow_nan=False, allow_infinity=False),
    flag=st.booleans(),
    amount=st.decimals(-1000, 1000, places=2),
    price=st.none() | st.decimals(allow_nan=False, allow_infinity=False),
    day=st.none() | st.dates(),
    hour=st.none() | st.times(),
    moment=st.none() | MOMENTS,
    stamp=st.none() | MOMENTS.map(lambda moment: moment.replace(microsecond=0)),
    span=st.none() | st.integers(-(10**6), 10**6).map(lambda half: timedelta(seconds=half / 2)),
    uuid=st.none() | st.uuids(),
    blob=st.binary(max_size=6),
    choice=st.sampled_from(Number),
    literal=st.sampled_from(["1", 1, "null"]),
    either=st.none() | st.integers(0, 9) | TEXTS,
    ref=st.none() | st.sampled_from(["1", "null", "abc"]).map(Ref),
    tags=st.sets(TEXTS, max_size=3),
    pairs=st.dictionaries(TEXTS, st.integers(0, 3), max_size=2),
    anything=JSON,
    outer=st.none() | st.builds(Outer, INNER, st.none() | INNER),
)
# hypothesis draws names that stand in the code, too.
NAMES = {"extra", "id", "last_modified", *Everything.__kinto__.fields}
extras = st.dictionaries(TEXTS.filter(lambda key: key not in NAMES), JSON, max_size=2)


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".csv", ".yaml"])
@tried(0.5)
@given(several=st.lists(st.tuples(records, extras), max_size=3))
def test_a_file_gives_back_what_was_written(
    suffix: str, several: list[tuple[Everything, dict[str, Any]]]
) -> None:
    reader = Reader(Everything, str)
    rows, wanted = [], []
    for one, more in several:
        data = reader.codec.dump(one, {}, "")
        row = {"id": one.id, **data}
        rows.append({**row, "extra": more} if more else row)
        wanted.append({**data, **more})
    text = io.StringIO(newline="")
    FORMATS[suffix].write(rows, text, reader)
    found = list(FORMATS[suffix].read(io.StringIO(text.getvalue(), newline=""), reader))
    assert len(found) == len(rows)
    for (line, row), data, (one, _) in zip(found, wanted, several, strict=True):
        read = reader.read(row if suffix == ".csv" else _plain_row(row), line)
        assert read.id == one.id
        assert equal(reader.whole(read, one.id), data)


def _plain_row(row: Any) -> Any:
    exact = ("amount", "price")
    return {name: value if name in exact else plain(value) for name, value in row.items()}
