import functools
import operator
from typing import Any

import attrs
import pytest

from kintomodel import F, Forbidden, Model, MultipleFound, NotFound, Q, UsageError, ValidationError, field
from kintomodel.protocol import operations
from kintomodel.query.explaining import Explanation, PlannedRequest
from kintomodel.testing.transports import record

RECORDS = "/buckets/payments/collections/receipts/records"


class Receipt(Model, bucket="payments", collection="receipts"):
    amount: int = 0
    currency: str = "EUR"
    tags: list[str] = field(factory=list)
    anything: Any = None


@pytest.fixture
def receipts(payments):
    """Seven of them, r0 to r6, of which the amounts go down."""
    creations = [
        operations.create(
            f"{RECORDS}/r{at}", {"amount": 60 - 10 * at, "currency": "EUR" if at % 2 else "USD"}
        )
        for at in range(7)
    ]
    assert not any(isinstance(result, Exception) for result in payments.connection.perform_all(creations))
    return payments


def ids(found):
    return [one.id for one in found]


def asked(recording):
    return [(one.method, one.params.get("_limit")) for one in recording.operations]


def test_nothing_is_sent_until_it_is_looked_at(receipts):
    with record(receipts) as recording:
        query = Receipt.objects.filter(Receipt.amount >= 20).exclude(currency="USD").order_by("amount")[:20]
        assert not recording.operations
        assert ids(query) == ["r3", "r1"]
        assert asked(recording) == [("GET", "20")]


def test_what_was_read_is_kept(receipts):
    query = Receipt.objects.filter(amount__gte=20)
    with record(receipts) as recording:
        assert len(query) == 5
        assert bool(query)
        assert query.count() == 5
        assert query.exists()
        assert query[1].id == "r1"
        assert list(query) == list(query)
        assert len(recording) == 1


def test_all_asks_anew(receipts):
    query = Receipt.objects.all()
    assert len(query) == 7
    Receipt.objects.create(id="new")
    assert len(query) == 7
    assert len(query.all()) == 8


def test_an_iterator_keeps_nothing(receipts):
    query = Receipt.objects.filter(amount__gte=20)
    with record(receipts) as recording:
        assert ids(query.iterator(page_size=2)) == ids(query.iterator(page_size=2))
        assert asked(recording) == [("GET", "2")] * 6


@pytest.mark.parametrize("page_size", [0, -1, 1.5, None, "10"])
def test_a_page_has_at_least_one_record(page_size):
    with pytest.raises(UsageError, match="page_size is a positive number of records, got"):
        Receipt.objects.all().iterator(page_size=page_size)


def test_a_queryset_is_frozen(payments):
    query = Receipt.objects.all()
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        query.model = None
    assert query.filter(amount=1) is not query
    assert query.query.sort == ()


def test_filters_add_up(receipts):
    both = Receipt.objects.filter(amount__gte=20).filter(Q(currency="USD") | Q(amount=50))
    assert ids(both) == ["r0", "r1", "r2", "r4"]
    assert ids(both.exclude(amount=50, currency="EUR")) == ["r0", "r2", "r4"]


def test_a_condition_that_says_nothing_changes_nothing(receipts):
    any_of = functools.reduce(operator.or_, [Q(amount=60), Q(amount=50)], Q())
    assert ids(Receipt.objects.filter(any_of)) == ["r0", "r1"]
    assert ids(Receipt.objects.exclude(any_of)) == ["r2", "r3", "r4", "r5", "r6"]
    for nothing_said in (
        Receipt.objects.filter(Q()),
        Receipt.objects.exclude(Q()),
        Receipt.objects.exclude(),
    ):
        assert nothing_said.count() == 7
    assert not Receipt.objects.filter(~Q()).exists()


def test_exclude_keeps_what_lacks_the_key(payments):
    payments.connection.perform(operations.create(f"{RECORDS}/bare", {}))
    Receipt.objects.create(id="full", amount=1, currency="EUR")
    assert ids(Receipt.objects.exclude(currency="EUR")) == ["bare"]
    assert ids(Receipt.objects.filter(currency="EUR")) == ["full"]


@pytest.mark.parametrize("wrong", [True, False, 1, None, "amount"])
def test_what_is_no_condition_is_refused(wrong):
    for method in (Receipt.objects.filter, Receipt.objects.exclude, Receipt.objects.all().get):
        with pytest.raises(UsageError, match="is no condition: write a comparison"):
            method(wrong)


def test_an_order_and_its_reverse(receipts):
    by_amount = Receipt.objects.order_by("amount")
    assert ids(by_amount) == ["r6", "r5", "r4", "r3", "r2", "r1", "r0"]
    assert ids(by_amount.reverse()) == [f"r{at}" for at in range(7)]
    assert ids(by_amount.reverse().reverse()) == ids(by_amount)
    assert ids(by_amount.reverse().order_by("amount")) == ids(by_amount)
    assert ids(Receipt.objects.order_by(F(Receipt.currency).desc(), Receipt.amount)[:2]) == ["r6", "r4"]


def test_without_an_order_it_is_that_of_the_ids(receipts):
    assert ids(Receipt.objects.all()) == [f"r{at}" for at in range(7)]
    assert ids(Receipt.objects.all().reverse()[:2]) == ["r6", "r5"]


@pytest.mark.parametrize(
    "at",
    [
        slice(None),
        slice(2, 4),
        slice(4),
        slice(5, None),
        slice(5, 100),
        slice(9, None),
        slice(4, 2),
        slice(0, 0),
    ],
)
def test_a_slice_is_that_of_the_list(receipts, at):
    names = [f"r{number}" for number in range(7)]
    query = Receipt.objects.all()[at]
    assert ids(query) == names[at]
    assert query.all().count() == len(names[at])
    for inner in (slice(1, 3), slice(1, None), slice(2)):
        assert ids(Receipt.objects.all()[at][inner]) == names[at][inner]


def test_a_position_is_that_of_the_list(receipts):
    with record(receipts) as recording:
        assert Receipt.objects.all()[3].id == "r3"
        assert Receipt.objects[3].id == "r3"
        assert asked(recording) == [("GET", "4")] * 2
    with pytest.raises(IndexError, match="no record at 7"):
        Receipt.objects.all()[7]


@pytest.mark.parametrize("at", [slice(-2, None), slice(None, -1), slice(0, 4, 2)])
def test_slices_take_positive_bounds_and_no_step(at):
    with pytest.raises(UsageError, match="slices take positive bounds and no step, got"):
        Receipt.objects.all()[at]


def test_there_are_no_negative_positions():
    with pytest.raises(UsageError, match=r"there are no negative positions: use last\(\) or reverse\(\)"):
        Receipt.objects.all()[-1]


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("filter", lambda part: part.filter(amount=1)),
        ("filter", lambda part: part.exclude(amount=1)),
        ("order_by", lambda part: part.order_by("amount")),
        ("reverse", lambda part: part.reverse()),
    ],
)
def test_a_slice_comes_last(method, call):
    for part in (Receipt.objects.all()[:5], Receipt.objects.all()[2:]):
        with pytest.raises(UsageError, match=rf"{method}\(\) comes before the slice"):
            call(part)


def test_first_and_last_are_one_request_for_one_record(receipts):
    with record(receipts) as recording:
        assert Receipt.objects.first().id == "r0"
        assert Receipt.objects.last().id == "r6"
        assert Receipt.objects.order_by("amount").first().id == "r6"
        assert Receipt.objects.order_by("amount").last().id == "r0"
        assert Receipt.objects.filter(amount__gte=20)[1:].first().id == "r1"
        assert asked(recording) == [("GET", "1")] * 4 + [("GET", "2")]
    nobody = Receipt.objects.filter(amount=1)
    assert nobody.first() is None
    assert nobody.last() is None


def test_count_is_one_head(receipts):
    with record(receipts) as recording:
        assert Receipt.objects.count() == 7
        assert Receipt.objects.filter(amount__gte=20).count() == 5
        assert Receipt.objects.order_by("anything")[2:4].count() == 2
        assert asked(recording) == [("HEAD", None)] * 3


def test_count_reads_what_the_server_cannot_count(receipts):
    with record(receipts) as recording:
        assert Receipt.objects.filter(Q(amount=10) | Q(currency="USD")).count() == 5
        # One for each alternative; the last looks at what was written lately once more.
        assert asked(recording) == [("GET", "1000")] * 3


def test_exists_is_one_request_for_one_record(receipts):
    with record(receipts) as recording:
        assert Receipt.objects.exists()
        assert Receipt.objects.filter(amount=10).order_by("anything").exists()
        assert not Receipt.objects.filter(amount=11).exists()
        assert asked(recording) == [("GET", "1")] * 3


@pytest.mark.parametrize(
    "query",
    [
        lambda: Receipt.objects.none(),
        lambda: Receipt.objects.filter(amount__in=[]),
        lambda: Receipt.objects.filter(amount__gt=None, currency="EUR"),
        lambda: Receipt.objects.filter(amount=1).none().order_by("amount"),
    ],
)
def test_nothing_is_asked_where_nothing_can_match(payments, query):
    with record(payments) as recording:
        assert list(query()) == []
        assert query().count() == 0
        assert not query().exists()
        assert query().first() is None
        assert query().last() is None
        with pytest.raises(NotFound):
            query().get()
        assert query().explain() == Explanation()
        assert not recording.operations


def test_get_by_id_is_one_request_with_permissions(receipts):
    with record(receipts) as recording:
        found = Receipt.objects.get(id="r3")
        assert found.permissions.write
        assert str(recording.last) == f"GET {RECORDS}/r3"
        assert len(recording) == 1
    assert found.amount == 30


def test_get_finds_the_only_one(receipts):
    with record(receipts) as recording:
        assert Receipt.objects.get(amount=30).id == "r3"
        assert Receipt.objects.filter(amount__gte=50, currency="USD").get().id == "r0"
        assert Receipt.objects.order_by("amount").get(id="r3").id == "r3"
        assert asked(recording) == [("GET", "2")] * 3
    assert Receipt.objects.all()[3:4].get().id == "r3"


def test_get_refuses_to_choose(receipts):
    with pytest.raises(MultipleFound) as caught:
        Receipt.objects.get(currency="EUR")
    assert str(caught.value) == (
        "get() wants one Receipt in payments/receipts, several match currency == 'EUR'"
    )
    with pytest.raises(MultipleFound):
        Receipt.objects.all()[:5].get()


def test_get_says_what_is_not_there(receipts):
    with pytest.raises(NotFound) as caught:
        Receipt.objects.get(Receipt.amount > 100, currency="EUR")
    assert str(caught.value).startswith(
        "no Receipt in payments/receipts matches (amount > 100) & (currency == 'EUR')"
    )
    assert isinstance(caught.value, LookupError)
    with pytest.raises(NotFound):
        Receipt.objects.get(id="nobody")
    with pytest.raises(ValidationError, match="5 is no record id"):
        Receipt.objects.get(id=5)


def test_a_missing_bucket_is_an_error_not_an_empty_list(payments):
    with pytest.raises(Forbidden):
        list(Receipt.objects.using(bucket="nowhere").all())
    with pytest.raises(NotFound):
        list(Receipt.objects.using(collection="nowhere").all())


def test_a_record_that_does_not_fit_is_named(payments):
    payments.connection.perform(operations.create(f"{RECORDS}/odd", {"amount": "12,5"}))
    with pytest.raises(
        ValidationError, match=r"payments/receipts/odd: amount: expected an integer, got string"
    ):
        list(Receipt.objects.all())


def test_deleted_records_are_not_found(receipts):
    before = Receipt.objects.get(id="r0").last_modified
    Receipt.objects.get(id="r1").delete()
    assert ids(Receipt.objects.filter(Receipt.last_modified >= before)) == [
        "r0",
        *(f"r{at}" for at in range(2, 7)),
    ]
    assert Receipt.objects.filter(Receipt.last_modified >= before).count() == 6


@pytest.mark.parametrize(
    ("query", "explanation"),
    [
        (
            lambda: Receipt.objects.filter(amount=1).order_by("-amount"),
            Explanation(
                (PlannedRequest(f"GET {RECORDS}?eq_amount=1&_sort=-amount,-last_modified,id"),), None, 1
            ),
        ),
        (
            lambda: Receipt.objects.filter(currency__endswith="R").order_by("anything"),
            Explanation(
                (
                    PlannedRequest(
                        f"GET {RECORDS}?_sort=id",
                        ('min_currency=""', "lt_currency=-1.7976931348623157e+308"),
                        "currency endswith 'R'",
                    ),
                ),
                "anything,-last_modified,id",
                1,
            ),
        ),
        (lambda: Receipt.objects.all()[2:2], Explanation()),
    ],
)
def test_a_query_explains_itself(query, explanation):
    assert query().explain() == explanation


def test_an_order_by_anything_is_made_here(payments):
    values = [None, "b", "a", 2, 1.5, True, [1], {"a": 1}]
    creations = [
        operations.create(f"{RECORDS}/v{at}", {"anything": value}) for at, value in enumerate(values)
    ]
    assert not any(isinstance(result, Exception) for result in payments.connection.perform_all(creations))
    payments.connection.perform(operations.create(f"{RECORDS}/bare", {}))
    expected = ["v0", "v2", "v1", "v4", "v3", "v5", "v6", "v7", "bare"]
    assert ids(Receipt.objects.order_by("anything").iterator(page_size=2)) == expected
    assert ids(Receipt.objects.order_by("-anything")) == [*expected[-2::-1], "bare"]
    assert ids(Receipt.objects.order_by("-anything").reverse()) == ["bare", *expected[:-1]]
    assert ids(Receipt.objects.order_by("anything")[1:3]) == expected[1:3]


def test_thousands_of_filters_make_one_query(receipts):
    query = Receipt.objects.filter(functools.reduce(operator.or_, (Q(amount=at) for at in range(20, 3000))))
    for at in range(30, 2000):
        query = query.filter(amount__ne=at)
    assert ids(query) == ["r4"]


def test_the_last_of_a_slice(receipts):
    query = Receipt.objects.order_by("-amount")
    assert query[1:3].last().id == "r2"
    assert query[5:].last().id == "r6"
    assert query[7:].last() is None


@pytest.mark.parametrize("at", ["a", 1.5, slice(1.5, 2), slice("a", None), None])
def test_positions_are_integers(at):
    with pytest.raises(UsageError, match="positions are integers, got"):
        Receipt.objects.all()[at]
