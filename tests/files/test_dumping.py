"""dump() and load(): a collection as a file, and back."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest
from typing_extensions import TypedDict

from kintomodel import BulkError, Client, ConnectionFailed, Model, UsageError, ValidationError, field
from kintomodel.files import csv_files, json_files, yaml_files
from kintomodel.files.file_rows import BadRow, UnreadableFileError
from kintomodel.protocol import operations
from kintomodel.syncing.wanted import Reader
from kintomodel.testing import record

from ..syncing.test_plan import Meddling
from ..syncing.test_syncing import Checked


@attrs.define
class Place:
    city: str
    zip: int | None = None


@attrs.define
class Person:
    name: str
    place: Place
    other: Place | None = None
    boss: Person | None = None


class Size(TypedDict, total=False):
    width: int


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: Decimal = Decimal(0)
    price: Decimal = field(default=Decimal(0), store="text")
    ratio: float = 0.0
    name: str = "x"
    kind: str | None = field(key="type", default="sale")
    paid_at: datetime | None = None
    tags: list[str] = field(factory=list)
    place: Place | None = None
    anything: Any = None
    note: str = field(default="", owner="remote")


class Party(Model, bucket="payments", collection="receipts"):
    host: Person
    guests: list[Person] = field(factory=list)
    size: Size = field(factory=dict)  # type: ignore[assignment]
    fallback: Place | None = Place("Paris")


RECEIPTS = "/buckets/payments/collections/receipts/records"
NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
FORMATS = ["json", "jsonl", "ndjson", "csv", "yaml", "yml"]

RECORDS = [
    Receipt(id="a", amount=Decimal("12.50"), price=Decimal("0.12345678901234567890"), paid_at=NOON),
    Receipt(id="b", name="", kind=None, tags=["", "x,y", '"'], place=Place("Paris", 75001), anything=[1, {}]),
    Receipt(id="c", name="null", kind="null", place=Place(""), anything="5", ratio=0.1),
    Receipt(id="d", name='"quoted"', kind="", anything='"', ratio=1e300, note="n"),
    Receipt(id="e", name="two\r\nlines, \u2028 and \U0001f600", kind="5", anything={"b": 1, "a": [None]}),
    Receipt(id="f", name=" blank ", kind="true", anything="true", place=Place("null")),
    Receipt(id="g", name="- a: [b", anything=5.5, tags=["# no comment"]),
]


def put(client: Client, id: str, **data: Any) -> None:
    client.connection.perform(operations.replace(f"{RECEIPTS}/{id}", data))


def stored(client: Client) -> list[dict[str, Any]]:
    listed = client.connection.perform(operations.list_page(RECEIPTS, {"_sort": "id"})).objects
    return [{key: one[key] for key in one if key != "last_modified"} for one in listed]


def empty(client: Client) -> None:
    client.connection.perform(operations.delete_page(RECEIPTS))


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


# there and back


@pytest.mark.parametrize("format", FORMATS)
def test_dump_empty_load_dump_gives_equal_files(payments: Client, tmp_path: Path, format: str) -> None:
    Receipt.objects.sync(RECORDS).apply().raise_for_failures()
    put(payments, "raw", paid_at="2026-11-23T12:00:00Z", seen={"b": 1, "a": 2}, attachment={"hash": "x"})
    before = stored(payments)[:-1]
    first, second = tmp_path / f"first.{format}", tmp_path / f"second.{format}"
    assert Receipt.objects.dump(first) == 8
    empty(payments)
    report = Receipt.objects.load(first)
    assert len(report.created) == len(report) == 8
    assert Receipt.objects.dump(str(second)) == 8
    assert first.read_bytes() == second.read_bytes()
    assert stored(payments)[:-1] == before
    assert Receipt.objects.get(id="raw").extra == {"seen": {"b": 1, "a": 2}}
    assert Receipt.objects.get(id="a").price == Decimal("0.12345678901234567890")
    with record(payments) as sent:
        assert len(Receipt.objects.load(first).unchanged) == 8
    assert not sent.writes
    assert sorted(os.listdir(tmp_path)) == [first.name, second.name]


@pytest.mark.parametrize("format", FORMATS)
def test_an_empty_collection_there_and_back(payments: Client, tmp_path: Path, format: str) -> None:
    path = tmp_path / f"empty.{format}"
    assert Receipt.objects.dump(path) == 0
    with record(payments) as sent:
        assert len(Receipt.objects.load(path)) == 0
    assert not sent.writes


@pytest.mark.parametrize("format", ["json", "jsonl", "csv", "yaml"])
def test_objects_within_objects_there_and_back(payments: Client, tmp_path: Path, format: str) -> None:
    boss = Person("Ann", Place("Rome", 1))
    host = Person("Bob", Place("Oslo"), Place("Bern", 3), boss)
    Party.objects.create(id="p", host=host, guests=[boss], size={"width": 3})
    path = tmp_path / f"party.{format}"
    Party.objects.dump(path)
    empty(payments)
    Party.objects.load(path).raise_for_failures()
    party = Party.objects.get(id="p")
    assert (party.host, party.guests, party.size) == (host, [boss], {"width": 3})


def test_the_columns_of_csv_are_the_fields(payments: Client, tmp_path: Path) -> None:
    path = tmp_path / "party.csv"
    Party.objects.dump(path)
    assert path.read_text().strip() == (
        "id,host.name,host.place.city,host.place.zip,host.other,host.boss,guests,size.width,fallback,extra"
    )


def test_a_file_holds_one_record_a_line(payments: Client, tmp_path: Path) -> None:
    Receipt.objects.sync(RECORDS[:2]).apply().raise_for_failures()
    Receipt.objects.dump(tmp_path / "all.json")
    lines = (tmp_path / "all.json").read_text().splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("[", "]", 4)
    assert json.loads(lines[2])["kind"] is None


def test_what_no_column_holds_is_refused_and_the_old_file_kept(payments: Client, tmp_path: Path) -> None:
    put(payments, "p", host={"name": "A", "place": {"city": "x", "moon": 1}}, size={"width": 1})
    path = written(tmp_path, "party.csv", "old")
    with pytest.raises(UsageError, match=r"p: no column of CSV holds host: .*; dump it as JSON"):
        Party.objects.dump(path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["party.csv"]
    Party.objects.dump(tmp_path / "party.json")


def test_an_object_without_keys_is_the_default_there_and_back(payments: Client, tmp_path: Path) -> None:
    put(payments, "p", host={"name": "A", "place": {"city": "x"}}, size={})
    Party.objects.dump(tmp_path / "party.csv")
    Party.objects.get(id="p").delete()
    Party.objects.load(tmp_path / "party.csv").raise_for_failures()
    assert Party.objects.get(id="p").size == {}


def test_a_record_that_does_not_fit_is_refused_by_its_id(payments: Client, tmp_path: Path) -> None:
    put(payments, "bad", amount="12")
    with pytest.raises(ValidationError, match="payments/receipts/bad: amount"):
        Receipt.objects.dump(tmp_path / "all.json")


class Slip(Model, bucket="payments", collection="receipts"):
    amount: int = 0
    note: str | None = field(default=None, omit_none=True)
    place: Place | None = field(default=None, omit_none=True)


@pytest.mark.parametrize("format", ["json", "jsonl", "csv", "yaml"])
def test_what_none_leaves_out_there_and_back(payments: Client, tmp_path: Path, format: str) -> None:
    put(payments, "a", amount=1)
    put(payments, "b", amount=2, note="n", place={"city": "Rome", "zip": 1})
    before, path = stored(payments), tmp_path / f"slips.{format}"
    assert Slip.objects.dump(path) == 2
    assert len(Slip.objects.load(path).unchanged) == 2
    empty(payments)
    assert len(Slip.objects.load(path).created) == 2
    assert stored(payments) == before


def test_a_dump_takes_out_again_what_was_added_to_its_records(payments: Client, tmp_path: Path) -> None:
    put(payments, "a", amount=1)
    Slip.objects.dump(tmp_path / "slips.jsonl")
    put(payments, "a", amount=1, note="new", unknown=1)
    assert len(Slip.objects.load(tmp_path / "slips.jsonl").updated) == 1
    assert stored(payments) == [{"id": "a", "amount": 1, "unknown": 1}]


# what load() makes of rows


def test_a_row_changes_the_fields_that_it_names(payments: Client, tmp_path: Path) -> None:
    put(payments, "a", amount=1, name="kept", note="theirs", place={"city": "Rome", "zip": 1})
    path = written(
        tmp_path, "rows.csv", "id,amount,name,note,place.city,place.zip\na,2.50,,ours,Oslo,\nb,3,new,ours,,\n"
    )
    report = Receipt.objects.load(path)
    assert [(one.status, one.object, one.position) for one in report] == [
        ("updated", "a", 2), ("created", "b", 3),
    ]  # fmt: skip
    a, b = stored(payments)
    assert a == {
        "id": "a",
        "amount": 2.5,
        "name": "kept",
        "note": "theirs",
        "place": {"city": "Oslo", "zip": 1},
    }
    assert (b["amount"], b["name"], b["note"], b["place"], b["type"]) == (3, "new", "ours", None, "sale")


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ("id,place.city\na,Oslo\n", {"city": "Oslo", "zip": 1, "moon": 2}),
        ("id,place.city,place.zip\na,Oslo,null\n", {"city": "Oslo", "zip": None, "moon": 2}),
        ("id,place.city,place.zip\na,,\n", {"city": "Rome", "zip": 1, "moon": 2}),
        ('id,place\na,"{""city"": ""Oslo""}"\n', {"city": "Oslo", "zip": None, "moon": 2}),
    ],
)
def test_what_a_row_does_not_say_of_a_nested_object_stays(
    payments: Client, tmp_path: Path, rows: str, place: dict[str, Any]
) -> None:
    put(payments, "a", place={"city": "Rome", "zip": 1, "moon": 2})
    Receipt.objects.load(written(tmp_path, "rows.csv", rows)).raise_for_failures()
    assert stored(payments)[0]["place"] == place
    assert not Receipt.objects.load(tmp_path / "rows.csv").updated


def test_a_part_on_top_of_what_does_not_fit_is_said(payments: Client, tmp_path: Path) -> None:
    put(payments, "a", place={"city": "Rome", "zip": "x"})
    (outcome,) = Receipt.objects.load(written(tmp_path, "rows.csv", "id,place.city\na,Oslo\n"))
    assert (outcome.status, outcome.position) == ("invalid", 2)
    assert outcome.message == "line 2: place.zip: expected an integer, got string 'x'"


def test_parts_of_objects_within_objects_stay_as_well(payments: Client, tmp_path: Path) -> None:
    host = {"name": "A", "place": {"city": "x", "zip": 5}, "other": {"city": "z", "zip": None}, "boss": None}
    put(payments, "p", host=host)
    Party.objects.load(
        written(tmp_path, "rows.csv", "id,host.name,host.place.city\np,B,y\n")
    ).raise_for_failures()
    found = stored(payments)[0]["host"]
    assert found == {**host, "name": "B", "place": {"city": "y", "zip": 5}}


def test_rows_that_save_would_refuse_are_bad(payments: Client, tmp_path: Path) -> None:
    path = written(tmp_path, "rows.csv", "id,amount,most\na,-1,\nb,20,10\nc,5,10\n")
    with pytest.raises(ValidationError) as caught:
        Checked.objects.load(path)
    assert caught.value.problems == (
        "line 2: amount: 'amount' must be >= 0: -1",
        "line 3: 20 is more than 10",
    )
    assert stored(payments) == []


def test_a_part_of_a_record_is_looked_at_together_with_what_is_stored(
    payments: Client, tmp_path: Path
) -> None:
    put(payments, "a", amount=5, most=100)
    put(payments, "b", amount=5, most=7)
    path = written(tmp_path, "rows.csv", "id,amount\na,20\nb,8\nc,20\nd,6\n")
    report = Checked.objects.load(path)
    assert [one.status for one in report] == ["updated", "invalid", "invalid", "created"]
    assert report.failures[0].message == "line 3: 8 is more than 7"
    assert [data["amount"] for data in stored(payments)] == [20, 5, 6]


class Token(Model, bucket="payments", collection="receipts"):
    amount: int = 0
    token: UUID = field(factory=uuid4)


def test_what_a_default_makes_up_is_not_dumped(payments: Client, tmp_path: Path) -> None:
    put(payments, "a", amount=1)
    Token.objects.dump(tmp_path / "a.jsonl")
    Token.objects.dump(tmp_path / "b.jsonl")
    assert (
        (tmp_path / "a.jsonl").read_text()
        == (tmp_path / "b.jsonl").read_text()
        == '{"id": "a", "amount": 1}\n'
    )


@pytest.mark.parametrize("moment", ["2026-11-23 12:00:00", "2026-11-23T12:00:00Z", "'2026-11-23 12:00'"])
def test_times_in_yaml_are_read_by_their_field(payments: Client, tmp_path: Path, moment: str) -> None:
    Receipt.objects.load(
        written(tmp_path, "rows.yaml", f"- id: a\n  paid_at: {moment}\n  name: 2026-11-23\n")
    )
    found = Receipt.objects.get(id="a")
    assert (found.paid_at, found.name) == (NOON, "2026-11-23")


def test_a_row_without_an_id_is_a_new_record(payments: Client, tmp_path: Path) -> None:
    path = written(tmp_path, "rows.jsonl", '{"amount": 1}\n\n{"amount": 2}\n')
    with record(payments) as sent:
        report = Receipt.objects.load(path)
    assert [operation.path for operation in sent] == ["/", "/batch"] or sent.last.path == "/batch"
    assert [one.position for one in report.created] == [1, 3]
    assert len(stored(payments)) == 2


def test_values_are_read_by_the_type_of_their_field(payments: Client, tmp_path: Path) -> None:
    header = "id,amount,price,ratio,name,kind,paid_at,tags,anything"
    row = 'a,12,12.50,0.10000000000000000555,007,null,2026-11-23T13:00+01:00,"[""x""]",007'
    report = Receipt.objects.load(written(tmp_path, "rows.csv", f"\ufeff{header}\n{row}\n"))
    report.raise_for_failures()
    found = Receipt.objects.get(id="a")
    assert (found.amount, str(found.price), found.ratio, found.name) == (12, "12.50", 0.1, "007")
    assert (found.kind, found.paid_at, found.tags, found.anything) == (None, NOON, ["x"], "007")


class Flagged(Model, bucket="payments", collection="receipts"):
    flag: bool = False
    name: str = ""
    either: bool | str = ""


def test_booleans_are_read_as_spreadsheets_and_python_write_them(payments: Client, tmp_path: Path) -> None:
    rows = "id,flag,name,either\na,TRUE,TRUE,TRUE\nb,False,False,false\nc,true,true,true\nd,yes,,\n"
    report = Flagged.objects.load(written(tmp_path, "rows.csv", rows), on_error="collect")
    found = {one.id: (one.flag, one.name, one.either) for one in Flagged.objects.all()}
    assert found == {"a": (True, "TRUE", "TRUE"), "b": (False, "False", False), "c": (True, "true", True)}
    (failure,) = report.failures
    assert "flag: expected a boolean, got string 'yes'" in failure.message


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl"])
def test_a_number_of_too_many_digits_is_refused_for_a_decimal_alone(
    payments: Client, tmp_path: Path, name: str
) -> None:
    digits = "0.12345678901234567890123"
    row = f'{{"id": "a", "ratio": {digits}, "anything": [{{"x": {digits}}}]}}'
    Receipt.objects.load(written(tmp_path, name, f"[{row}]" if name == "rows.json" else row))
    assert Receipt.objects.get(id="a").ratio == float(digits)
    bad = f'{{"id": "a", "amount": {digits}}}'
    with pytest.raises(ValidationError, match=r"line 1: amount: .* does not fit a JSON number exactly"):
        Receipt.objects.load(written(tmp_path, name, f"[{bad}]" if name == "rows.json" else bad))


BAD = "id,amount,place.city,place.zip\na,1,x,\nb,one,,\nc d,2,,\ne,3,,9\nf,4,,,\ng,5,y,z\n"
PROBLEMS = [
    "line 3: amount: expected a number, got string 'one'",
    "line 4: 'c d' is no record id: Kinto takes letters, digits, '-' and '_', and the first one is a letter "
    "or a digit",
    "line 5: place.city: missing",
    "line 6: there are 5 cells for 4 columns",
    "line 7: place.zip: expected an integer, got string 'z'",
]


def test_nothing_is_written_if_a_row_is_bad_and_all_are_listed(payments: Client, tmp_path: Path) -> None:
    path = written(tmp_path, "rows.csv", BAD)
    with record(payments) as sent, pytest.raises(ValidationError) as caught:
        Receipt.objects.load(path)
    assert not len(sent)
    assert list(caught.value.problems) == PROBLEMS
    assert str(caught.value) == f"{path}: 5 of 6 rows are bad, none is written: {'; '.join(PROBLEMS)}"


def test_bad_rows_can_be_collected(payments: Client, tmp_path: Path) -> None:
    report = Receipt.objects.load(written(tmp_path, "rows.csv", BAD), on_error="collect")
    assert [one.object for one in report.created] == ["a"]
    assert [one.position for one in report.invalid] == [3, 4, 5, 6, 7]
    assert report.invalid[0].object == {"id": "b", "amount": "one"}
    assert report.invalid[3].object == "f,4,,,"
    assert [one.message for one in report.invalid] == PROBLEMS
    assert [one["id"] for one in stored(payments)] == ["a"]


def test_of_many_bad_rows_the_first_are_shown(payments: Client, tmp_path: Path) -> None:
    path = written(tmp_path, "rows.jsonl", "x\n" * 1200)
    with pytest.raises(ValidationError) as caught:
        Receipt.objects.load(path)
    assert len(caught.value.problems) == 1000
    assert str(caught.value).endswith("; and 1190 more")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ('{"extra": 5}', "line 1: extra: expected a dict of undeclared attributes, got number 5"),
        ("null", "line 1: expected a Receipt or a dict of its fields, got null None"),
        ("5", "line 1: expected a Receipt or a dict of its fields, got number 5"),
        ('{"amuont": 5}', "line 1: Receipt has no field 'amuont'; did you mean 'amount'?"),
        ('{"amount": NaN}', "line 1: amount: JSON has no NaN"),
        ('{"amount": 5, "amount": 6}', "line 1: this is no JSON: the key 'amount' comes twice"),
        ('{"amount": 5', "line 1: this is no JSON: Expecting ',' delimiter: line 1 column 13 (char 12)"),
        ('{"id": 5}', "line 1: 5 is no record id: Kinto takes letters, digits"),
    ],
)
def test_what_is_wrong_with_a_row_is_said(payments: Client, tmp_path: Path, row: str, problem: str) -> None:
    path = written(tmp_path, "rows.jsonl", row)
    (outcome,) = Receipt.objects.load(path, on_error="collect")
    assert outcome.status == "invalid"
    assert outcome.message.startswith(problem)
    assert outcome.object == (
        row if "no JSON" in problem or row == "null" else pytest.approx(json.loads(row), nan_ok=True)
    )


def test_a_row_that_makes_no_record_is_bad(payments: Client, tmp_path: Path) -> None:
    put(payments, "a", host={"name": "A", "place": {"city": "x"}})
    with pytest.raises(ValidationError, match="line 1/a: host: missing"):
        Party.objects.load(written(tmp_path, "rows.jsonl", '{"id": "a"}'))


@pytest.mark.parametrize("on_error", ["raise", "collect"])
def test_two_rows_with_one_id_are_refused(payments: Client, tmp_path: Path, on_error: Any) -> None:
    path = written(tmp_path, "rows.csv", "id\na\nb\na\n")
    with (
        record(payments) as sent,
        pytest.raises(ValidationError, match="line 4: the id 'a' is that of an earlier"),
    ):
        Receipt.objects.load(path, on_error=on_error)
    assert not len(sent)


@pytest.mark.parametrize(
    ("name", "text", "error", "message"),
    [
        (
            "a.txt",
            "",
            UsageError,
            "a.txt: the name of the file says its format: .json, .jsonl, .ndjson, .csv",
        ),
        (
            "a.csv",
            "id,amuont\n",
            UsageError,
            "a.csv: line 1: no field is called 'amuont'; did you mean 'amount'",
        ),
        (
            "a.csv",
            "id;amount\n",
            UsageError,
            "line 1: no field is called 'id;amount'; the cells seem to be separated by ';'",
        ),
        (
            "a.csv",
            "id,type\n",
            UsageError,
            "line 1: no field is called 'type'; that is what the server calls 'kind': use that name",
        ),
        ("a.csv", "id,id\n", UsageError, "line 1: the columns 'id' and 'id' hold the same"),
        (
            "a.csv",
            "place,place.zip\n",
            UsageError,
            "line 1: the columns 'place' and 'place.zip' hold the same",
        ),
        ("a.csv", "", ValidationError, "a.csv: line 1: expected the names of the fields, got none"),
        ("a.csv", "\nid\na\n", ValidationError, "a.csv: line 1: expected the names of the fields, got none"),
        (
            "a.csv",
            'id,name\na,b\nc,"d\ne,f\n',
            ValidationError,
            "a.csv: line 3: this is no CSV: unexpected end",
        ),
        ("a.csv", 'id,name\na,"b"c\n', ValidationError, "a.csv: line 2: this is no CSV: ',' expected after"),
        ("a.json", "", ValidationError, r"a.json: line 1: expected an array of objects: '\[', got the end"),
        (
            "a.json",
            '{"id": "a"}',
            ValidationError,
            r"a.json: line 1: expected an array of objects: '\[', got '{'",
        ),
        (
            "a.json",
            '[\n{"id": "a"}\n{"id"',
            ValidationError,
            "a.json: line 3: expected an array of objects: ']'",
        ),
        ("a.json", '[\n{"id": "a"},\n{"id"', ValidationError, "a.json: line 3: this is no JSON: Expecting"),
        ("a.json", '[{"id": "a"}\n]\n]', ValidationError, "a.json: line 3: expected nothing after the array"),
        (
            "a.json",
            f'[\n{{"id": {"1" * 5000}}}]',
            ValidationError,
            "a.json: line 2: this is no JSON: Exceeds",
        ),
        (
            "a.json",
            '[{"amount": 1e99999999999999999999}]',
            ValidationError,
            "a.json: line 1: .* a number as large",
        ),
        (
            "a.json",
            "[" * 100_000,
            ValidationError,
            "a.json: line 1: this is no JSON: it is nested too deeply",
        ),
        ("a.yaml", "- " + "[" * 3000, ValidationError, "a.yaml: this is no YAML: it is nested too deeply"),
        (
            "a.yaml",
            "- id: a\n---\n- id: b\n",
            ValidationError,
            "a.yaml: line 2: expected nothing after the seq",
        ),
        ("a.yaml", "[{id: a}] b\n", ValidationError, "a.yaml: line 1: this is no YAML: expected '<document"),
        (
            "a.yaml",
            "- id: \0\n",
            ValidationError,
            r"a.yaml: line 1: .* are not allowed in \".*\", position 6$",
        ),
        ("a.yaml", "id: a\n", ValidationError, "a.yaml: line 1: expected a sequence of mappings"),
        ("a.yaml", "- id: a\n- [\n", ValidationError, "a.yaml: line 3: this is no YAML: "),
        ("a.yaml", "- id: a\x07\n", ValidationError, "a.yaml: line 1: this is no YAML: "),
        ("a.yaml", "- !!map abc\n", ValidationError, "line 1: this is no YAML: expected a mapping"),
        (
            "a.yaml",
            "- !!python/name:os.system\n",
            ValidationError,
            "line 1: this is no YAML: could not determine",
        ),
    ],
)
@pytest.mark.parametrize("on_error", ["raise", "collect"])
def test_a_file_that_cannot_be_read_is_refused_before_anything_is_sent(
    nowhere: Client,
    tmp_path: Path,
    name: str,
    text: str,
    error: type[Exception],
    message: str,
    on_error: Any,
) -> None:
    path = written(tmp_path, name, text)
    with record(nowhere) as sent, pytest.raises(error, match=message):
        Receipt.objects.load(path, on_error)
    assert not len(sent)


def test_a_file_that_is_not_there_or_no_text_is_refused(payments: Client, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none.csv: No such file"):
        Receipt.objects.load(tmp_path / "none.csv")
    (tmp_path / "latin.jsonl").write_bytes(b'{"name": "\xe9"}')
    with pytest.raises(ValidationError, match=r"latin.jsonl: this is no text in UTF-8 \(.*\): save it as"):
        Receipt.objects.load(tmp_path / "latin.jsonl")
    with pytest.raises(UsageError, match="on_error is"):
        Receipt.objects.load(tmp_path / "none.csv", "ignore")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="the name of the file says its format"):
        Receipt.objects.dump(tmp_path / "all")
    with pytest.raises(UsageError, match=r"nowhere/all.json: No such file"):
        Receipt.objects.dump(tmp_path / "nowhere" / "all.json")


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        (
            "a.yaml",
            "- {id: a, paid_at: 2026-02-30}\n- id: b\n",
            "line 1: paid_at: expected an ISO 8601 date and time, got string '2026-02-30'",
        ),
        ("a.yaml", "- &a {id: a, tags: [*a]}\n- id: b\n", "line 1: it is nested too deeply"),
        (
            "a.yaml",
            "- {id: a, name: x, name: y}\n- id: b\n",
            "line 1: this is no YAML: the key 'name' comes twice",
        ),
        (
            "a.yaml",
            "- {id: a, place: {city: x, city: y}}\n- id: b\n",
            "line 1: this is no YAML: the key 'city' comes twice",
        ),
        (
            "a.jsonl",
            '{"name": %s\n{"id": "b"}\n' % ("[" * 100_000),
            "line 1: this is no JSON: it is nested too",
        ),
        (
            "a.jsonl",
            '{"amount": 1e99999999999999999999}\n{"id": "b"}\n',
            "line 1: this is no JSON: a number as",
        ),
        ("a.csv", f"id,tags\na,{'[' * 100_000}\nb,\n", "line 2: tags: expected an array, got string"),
    ],
)
def test_a_value_that_python_does_not_hold_spoils_its_row_alone(
    payments: Client, tmp_path: Path, name: str, text: str, problem: str
) -> None:
    bad, good = Receipt.objects.load(written(tmp_path, name, text), on_error="collect")
    assert (bad.status, good.status, good.object) == ("invalid", "created", "b")
    assert bad.message.startswith(problem)


@pytest.mark.parametrize("format", ["json", "jsonl", "yaml"])
def test_what_nobody_declared_within_objects_there_and_back(
    payments: Client, tmp_path: Path, format: str
) -> None:
    guest = {"name": "Bob", "place": {"city": "Oslo", "zip": None, "moon": 2}, "age": 7}
    put(payments, "p", host={"name": "Ann", "place": {"city": "Rome"}, "age": 5}, guests=[guest])
    first, second = tmp_path / f"first.{format}", tmp_path / f"second.{format}"
    Party.objects.dump(first)
    empty(payments)
    Party.objects.load(first).raise_for_failures()
    Party.objects.dump(second)
    assert first.read_bytes() == second.read_bytes()
    (there,) = stored(payments)
    assert (there["host"]["age"], there["guests"][0]["place"]["moon"]) == (5, 2)
    assert len(Party.objects.load(first).unchanged) == 1
    put(payments, "p", host=there["host"], guests=[{**guest, "age": 8}])
    assert len(Party.objects.load(first).updated) == 1
    assert stored(payments)[0]["guests"][0]["age"] == 7


@pytest.mark.parametrize("format", FORMATS)
def test_a_long_text_there_and_back(payments: Client, tmp_path: Path, format: str) -> None:
    Receipt.objects.create(id="a", name='x"\n' * 100_000)
    path = tmp_path / f"long.{format}"
    Receipt.objects.dump(path)
    assert len(Receipt.objects.load(path).unchanged) == 1


def test_a_row_of_empty_cells_is_an_empty_line(payments: Client, tmp_path: Path) -> None:
    path = written(tmp_path, "rows.csv", "id,amount,name\r\n,,\r\na,1,x\r\n,,\r\n")
    (outcome,) = Receipt.objects.load(path)
    assert (outcome.object, outcome.position) == ("a", 3)


def test_a_dump_leaves_a_link_and_the_rights_of_a_file(payments: Client, tmp_path: Path) -> None:
    file, link = written(tmp_path, "file.json", "old"), tmp_path / "link.json"
    file.chmod(0o600)
    link.symlink_to(file)
    Receipt.objects.dump(link)
    assert link.is_symlink()
    assert file.read_text() == "[]\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_two_dumps_to_one_file_do_not_meet(payments: Client, tmp_path: Path) -> None:
    Receipt.objects.sync(RECORDS).apply().raise_for_failures()
    path = tmp_path / "all.jsonl"
    dumped: list[int] = []

    def dump_first() -> None:
        if not dumped:
            dumped.append(0)
            dumped[0] = Receipt.objects.dump(path)

    Meddling(payments, lambda operation: operation.path == RECEIPTS, dump_first)
    assert Receipt.objects.dump(path) == 7
    assert dumped == [7]
    assert path.read_text().count("\n") == 7
    assert os.listdir(tmp_path) == ["all.jsonl"]


def test_a_column_may_hold_a_whole_object(payments: Client, tmp_path: Path) -> None:
    path = written(tmp_path, "rows.csv", 'id,place\na,"{""city"": ""Rome""}"\n')
    Receipt.objects.load(path).raise_for_failures()
    assert Receipt.objects.get(id="a").place == Place("Rome")


def test_a_short_row_of_csv_lacks_the_rest(payments: Client, tmp_path: Path) -> None:
    Receipt.objects.load(written(tmp_path, "rows.csv", "id,amount,name\na,1\n\nb,2,c\n")).raise_for_failures()
    assert [one.name for one in Receipt.objects] == ["x", "c"]


def test_what_is_in_no_column_may_stand_in_extra(payments: Client, tmp_path: Path) -> None:
    path = written(tmp_path, "rows.csv", 'id,extra\nnull,"{""seen"": 1}"\nb,seen\n')
    report = Receipt.objects.load(path, on_error="collect")
    assert [one.message for one in report.invalid] == [
        "line 3: extra: expected a dict of undeclared attributes, got string 'seen'"
    ]
    assert Receipt.objects.get(id="null").extra == {"seen": 1}


class Attached(Model, bucket="payments", collection="receipts"):
    name: str = ""
    attachment: dict[str, Any] | None = None


def test_attachments_are_left_out(payments: Client, tmp_path: Path) -> None:
    put(payments, "a", name="x", attachment={"hash": "x"})
    Attached.objects.dump(tmp_path / "all.jsonl")
    assert (tmp_path / "all.jsonl").read_text() == '{"id": "a", "name": "x"}\n'
    assert Attached.objects.load(tmp_path / "all.jsonl").unchanged


# what happens on the way


def rows(tmp_path: Path, count: int) -> Path:
    return written(tmp_path, "rows.jsonl", "".join(f'{{"id": "r{number:03}"}}\n' for number in range(count)))


def test_progress_is_told_and_little_is_asked(payments: Client, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    payments.connection.batch_size()
    with record(payments) as sent:
        report = Receipt.objects.load(rows(tmp_path, 250), progress=lambda *done: told.append(done))
    assert told == [(200, 250), (250, 250)]
    assert len(report.created) == 250
    assert [operation.method for operation in sent].count("GET") == 2
    assert len(sent.writes) == 10


def test_what_somebody_writes_meanwhile_is_a_conflict(payments: Client, tmp_path: Path) -> None:
    other = Client(payments.url, ("tester", "secret"))
    path = rows(tmp_path, 3)
    Meddling(
        payments, lambda operation: operation.path == "/batch", lambda: put(other, "r001", name="theirs")
    )
    report = Receipt.objects.load(path)
    other.close()
    assert [one.status for one in report] == ["created", "conflict", "created"]
    assert (report.conflicts[0].object, report.conflicts[0].position) == ("r001", 2)


def failing_after(client: Client, count: int, when: Callable[[Any], bool]) -> None:
    seen: list[int] = []

    def fail() -> None:
        seen.append(1)
        if len(seen) > count:
            raise ConnectionFailed("cut")

    Meddling(client, when, fail)


def test_the_rest_is_given_up_once_the_server_is_gone(payments: Client, tmp_path: Path) -> None:
    path = rows(tmp_path, 650)
    failing_after(payments, 8, lambda operation: operation.path != "/")
    report = Receipt.objects.load(path)
    assert (len(report), len(report.created)) == (650, 175)
    assert {one.status for one in report.failures} == {"failed"}


def test_a_look_that_fails_later_does_not_lose_the_report(payments: Client, tmp_path: Path) -> None:
    path = rows(tmp_path, 450)
    failing_after(payments, 1, lambda operation: operation.path == RECEIPTS)
    report = Receipt.objects.load(path)
    assert (len(report), len(report.created), len(report.failed)) == (450, 200, 250)


def test_a_look_that_fails_at_once_is_raised(payments: Client, tmp_path: Path) -> None:
    path = rows(tmp_path, 3)
    failing_after(payments, 0, lambda operation: operation.path == RECEIPTS)
    with pytest.raises(ConnectionFailed):
        Receipt.objects.load(path)


def test_a_load_that_breaks_off_reports_what_was_done(payments: Client, tmp_path: Path) -> None:
    def stop(done: int, total: int | None) -> None:
        raise LookupError("enough")

    with pytest.raises(BulkError, match=r"^broken off by LookupError: enough; .* the 200 records") as caught:
        Receipt.objects.load(rows(tmp_path, 250), progress=stop)
    report = caught.value.report
    assert len(report.created) == len(report) == len(stored(payments)) == 200
    assert isinstance(caught.value.__cause__, LookupError)


def test_a_file_that_becomes_another_one_while_it_is_loaded_breaks_off(
    payments: Client, tmp_path: Path
) -> None:
    path = rows(tmp_path, 1500)
    Meddling(
        payments, lambda operation: operation.path == RECEIPTS, lambda: path.write_bytes(b"\xff" * 40000)
    )
    with pytest.raises(BulkError, match=r"^broken off by ValidationError: .* no text in UTF-8") as caught:
        Receipt.objects.load(path)
    assert len(caught.value.report.created) == len(stored(payments)) > 0


# the formats themselves


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_an_array_is_read_in_pieces(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(json_files, "_CHUNK", size)
    text = '\n[ {"a": [1, "]"]} ,\n\n 12 , "x\\"",\n-1.5e3, true, {"b":\n{}}\n]  \n'
    assert list(json_files.read_array(io.StringIO(text), None)) == [
        (2, {"a": [1, "]"]}), (4, 12), (4, 'x"'), (5, -1500.0), (5, True), (5, {"b": {}}),
    ]  # fmt: skip
    assert list(json_files.read_array(io.StringIO(" [ ] "), None)) == []


def test_a_long_array_is_never_held() -> None:
    class Endless(io.StringIO):
        def read(self, size: int | None = -1) -> str:
            return '{"a": 1},' * 1000

    numbers = json_files.read_array(Endless(), None)
    with pytest.raises(UnreadableFileError):
        next(numbers)  # as it does not begin with [

    class Begun(Endless):
        begun = False

        def read(self, size: int | None = -1) -> str:
            before, self.begun = self.begun, True
            return super().read(size) if before else "["

    found = json_files.read_array(Begun(), None)
    assert [next(found) for _ in range(3000)][-1] == (1, {"a": 1})


def test_yaml_is_read_item_by_item() -> None:
    text = "# a comment\n- id: a\n  at: 2026-11-23T12:00:00Z\n- {id: b}\n-\n  id: c\n"
    assert list(yaml_files.read(io.StringIO(text), None)) == [
        (2, {"id": "a", "at": "2026-11-23T12:00:00Z"}), (4, {"id": "b"}), (6, {"id": "c"}),
    ]  # fmt: skip
    assert list(yaml_files.read(io.StringIO(""), None)) == []
    assert list(yaml_files.read(io.StringIO("# nothing\n"), None)) == []


def test_without_pyyaml_the_error_names_the_extra() -> None:
    program = (
        "import sys; sys.modules['yaml'] = None\n"
        "import kintomodel.files.yaml_files as files, io\n"
        "try: list(files.read(io.StringIO(), None))\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == 'UsageError YAML files need PyYAML: pip install "kintomodel[yaml]"'


def test_csv_is_written_as_lines_of_text(payments: Client) -> None:
    file = io.StringIO()
    csv_files.write([{"id": "a", "name": "x"}], file, Reader(Receipt, str))
    assert file.getvalue().splitlines()[1] == "a,,,,x,,,,,,,,"
    parsed = list(csv_files.read(io.StringIO("id,name\na,x\n\nb,c,d\n"), Reader(Receipt, str)))
    assert parsed == [(2, {"id": "a", "name": "x"}), (4, BadRow("there are 3 cells for 2 columns", "b,c,d"))]
