"""On a database that orders texts as people do, "a" before "B", a query finds the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintomodel import Model, UnsupportedByServer
from kintomodel.protocol import operations
from kintomodel.testing import KintoServer, postgresql

from .test_oracle import (
    Anything,
    any_look_holds,
    collections,
    holds,
    inner,
    looks,
    store,
    trees,
    tried,
    written,
)


class Word(Model, bucket="payments", collection="receipts"):
    text: str


class Visit(Model, bucket="payments", collection="visits"):
    at: datetime


def create_database(url: str) -> str:
    """A database with the collation of American English; its URL."""
    psycopg2 = pytest.importorskip("psycopg2")
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        if connection.server_version < 150000:
            pytest.skip("PostgreSQL before 15 has no databases with ICU collations")
        cursor.execute(
            "CREATE DATABASE english TEMPLATE template0 ENCODING 'UTF8' "
            "LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"
        )
    connection.close()
    return url.replace("/postgres?", "/english?")


@pytest.fixture(scope="module")
def english() -> Iterator[KintoServer]:
    reason = postgresql.unavailable()
    if reason is not None:
        pytest.skip(reason)
    with postgresql.cluster(30) as url:
        storage = {"storage_backend": "kinto.core.storage.postgresql", "storage_url": create_database(url)}
        with KintoServer(settings=storage) as running:
            yield running


@pytest.fixture
def words(english: KintoServer) -> Iterator[None]:
    english.flush()
    with english.client() as client, client.activate():
        bucket = client.create_bucket("payments")
        bucket.create_collection("receipts")
        bucket.create_collection("visits")
        for text in ("a", "B", "c", "D", "é", "f", "19", "2026-11-19", "2026-11-2"):
            Word.objects.create(text=text)
        yield


def found(queryset: object) -> list[str]:
    return [word.text for word in queryset]


def test_the_server_orders_texts_in_another_way(english: KintoServer, words: None) -> None:
    endpoint = "/buckets/payments/collections/receipts/records"
    with english.client() as client:
        page = client.connection.perform(operations.list_page(endpoint, {"gt_text": '"Z"'}))
        assert not page.objects


def test_texts_are_compared_by_code_points(words: None) -> None:
    assert sorted(found(Word.objects.filter(text__gt="Z"))) == ["a", "c", "f", "é"]
    assert sorted(found(Word.objects.filter(text__lt="Z", text__gte="A"))) == ["B", "D"]
    assert Word.objects.filter(text__gt="Z").count() == 4


def test_texts_beside_numbers_are_compared_by_code_points(words: None) -> None:
    for text in ("_x", "½", "5", "1:2", "เก"):
        Word.objects.create(text=text)
    assert sorted(found(Word.objects.filter(text__gt="5"))) == [
        "B", "D", "_x", "a", "c", "f", "½", "é", "เก",
    ]  # fmt: skip
    assert Word.objects.filter(text__gt="5").count() == 9
    assert sorted(found(Word.objects.filter(text__startswith="1"))) == ["19", "1:2"]
    assert found(Word.objects.filter(text__startswith="เ")) == ["เก"]


def test_moments_are_compared_by_the_server(words: None) -> None:
    first, *later = [
        Visit.objects.create(at=datetime(2026, 11, 23, hour, tzinfo=timezone.utc)) for hour in (9, 10, 23)
    ]
    visits = Visit.objects.filter(Visit.at > first.at)
    assert list(visits.order_by("at")) == later
    assert visits.explain().requests[0].residual is None
    assert visits.count() == 2


def test_prefixes_are_found_whatever_follows_them(words: None) -> None:
    assert found(Word.objects.filter(text__startswith="2026-11-19")) == ["2026-11-19"]
    assert len(Word.objects.filter(text__startswith="2026-11")) == 2
    assert found(Word.objects.filter(text__startswith="a")) == ["a"]


def test_an_order_is_that_of_code_points(words: None) -> None:
    expected = ["19", "2026-11-19", "2026-11-2", "B", "D", "a", "c", "f", "é"]
    assert found(Word.objects.order_by("text")) == expected
    assert found(Word.objects.order_by("-text")) == expected[::-1]


def test_an_order_that_turns_out_to_be_another_one_is_an_error(words: None) -> None:
    with pytest.raises(UnsupportedByServer, match="collation"):
        list(Word.objects.order_by("text").iterator(page_size=4))


@tried(0.15)
@given(data=st.data(), stored=collections)
def test_a_filter_finds_what_python_selects(english: KintoServer, words: None, data, stored) -> None:
    with english.client() as client, client.activate():
        shown = store(client, stored)
        known = [item for one in stored for value in one.values() for item in (value, *inner(value))]
        tree = data.draw(trees(looks(known)))
        expected = [one["id"] for one in shown if holds(tree, one, any_look_holds)]
        assert sorted(one.id for one in Anything.objects.filter(written(tree))) == sorted(expected)
