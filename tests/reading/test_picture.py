"""What a query set looks like in a console and in a notebook."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kintomodel import Client, Model, field
from kintomodel.protocol import operations
from kintomodel.testing import record

RECEIPTS = "/buckets/payments/collections/receipts/records"


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: Decimal = Decimal(0)
    currency: str = "EUR"
    secret: str = field(default="s3cret", repr=False)


@pytest.fixture
def sent(payments):
    with record(payments) as recording:
        yield recording


def store(*ids, **values):
    for id in ids:
        Receipt.objects.create(id=id, **values)


def test_a_query_set_shows_its_records(sent):
    store("a", amount=Decimal("12.50"))
    store("long-id", currency="a line\nand\tmore of it than there is room for")
    sent.clear()
    assert repr(Receipt.objects.all()) == "\n".join(
        [
            "<QuerySet of Receipt in payments/receipts: 2 records>",
            "id       amount  currency",
            "-------  ------  ------------------------------",
            "a        12.5    EUR",
            "long-id  0       a line and more of it than th…",
        ]
    )
    assert [(one.method, one.params["_limit"]) for one in sent] == [("GET", "11")]


@pytest.mark.parametrize(
    ("count", "size", "shown"),
    [
        (0, "no records", 0),
        (1, "1 record", 1),
        (10, "10 records", 10),
        (11, "the first 10", 10),
        (15, "the first 10", 10),
    ],
)
def test_no_more_than_ten_are_shown(sent, count, size, shown):
    store(*(f"r{at:02}" for at in range(count)))
    sent.clear()
    first, _, _, *rows = repr(Receipt.objects.all()).splitlines()
    assert first == f"<QuerySet of Receipt in payments/receipts: {size}>"
    assert [row.split()[0] for row in rows] == [f"r{at:02}" for at in range(shown)]
    assert len(sent) == 1


def test_what_was_read_is_shown_without_a_request(sent):
    store(*(f"r{at:02}" for at in range(12)))
    query = Receipt.objects.all()
    assert len(query) == 12
    sent.clear()
    assert "the first 10" in repr(query)
    assert not sent.operations


def test_one_request_has_to_do(payments, sent):
    creations = [
        operations.create(f"{RECEIPTS}/r{at:03}", {"currency": "x" if at > 94 else "y"}) for at in range(150)
    ]
    assert not any(isinstance(result, Exception) for result in payments.connection.perform_all(creations))
    sent.clear()
    assert "receipts: the first 5>" in repr(Receipt.objects.filter(currency__endswith="x"))
    assert ": more than one request would show>" in repr(Receipt.objects.order_by("extra__note"))
    assert len(sent) == 2


def test_a_part_shows_what_was_read(sent):
    store("a")
    sent.clear()
    assert repr(Receipt.objects.only("currency")).splitlines()[1:] == [
        "id  currency",
        "--  --------",
        "a   EUR",
    ]
    assert len(sent) == 1


def test_wide_tables_are_cut(payments):
    names = [f"field_with_a_long_name_{at}" for at in range(9)]
    wide = type(Model)(
        "Wide",
        (Model,),
        {"__annotations__": dict.fromkeys(names, str), **dict.fromkeys(names, "x"), "__module__": __name__},
        bucket="payments",
        collection="receipts",
    )
    wide.objects.create(id="a")
    lines = repr(wide.objects.all()).splitlines()
    assert all(len(line) <= 115 for line in lines)
    assert lines[1].endswith("field_with_a_long_name_3  …")


def test_a_picture_never_raises(payments):
    payments.connection.perform(operations.create(f"{RECEIPTS}/bad", {"amount": "12,5"}))
    title = "QuerySet of Receipt in payments/receipts"
    wrong = f"{title}: ValidationError: payments/receipts/bad: amount: expected a number, got string '12,5'"
    assert repr(Receipt.objects.all()) == f"<{wrong}>"
    assert Receipt.objects.all()._repr_html_() == f"<p>{wrong.replace(chr(39), '&#x27;')}</p>"
    gone = Receipt.objects.using(Client("http://127.0.0.1:9/v1", retries=0)).all()
    assert repr(gone).startswith(f"<{title}: ConnectionFailed: ")
    assert "\n" not in repr(gone)
    assert gone._repr_html_().startswith(f"<p>{title}: ConnectionFailed: ")
    assert "Forbidden" in repr(Receipt.objects.using(bucket="nowhere").all())


def test_nothing_is_asked_where_nothing_can_match(sent):
    assert repr(Receipt.objects.none()).startswith("<QuerySet of Receipt in payments/receipts: no records>")
    assert not sent.operations


def test_a_notebook_shows_an_escaped_table(sent):
    store("a", currency="<script>alert('x')</script>")
    assert Receipt.objects.all()._repr_html_() == (
        "<table><caption>QuerySet of Receipt in payments/receipts: 1 record</caption>"
        "<thead><tr><th>id</th><th>amount</th><th>currency</th></tr></thead>"
        "<tbody><tr><td>a</td><td>0</td><td>&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;</td></tr></tbody></table>"
    )
