"""Matching holds of neither side more than the smaller one has, and a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kintomodel import Model
from kintomodel.protocol.paths import CollectionPath
from kintomodel.query.conditions import EVERYTHING
from kintomodel.syncing.comparing import Rules
from kintomodel.syncing.matching import Matching
from kintomodel.syncing.wanted import Key, Reader, Wanted


class Item(Model):
    number: int = 0


def items(numbers: range) -> list[dict[str, Any]]:
    return [{"id": f"r{number:03}", "number": number} for number in numbers]


def matched(
    source: list[Any], collection: list[Any], key: str = "id", page: int = 10
) -> tuple[Matching, int]:
    """And the most that was held of both sides at once."""
    reader = Reader(Item, str)
    rules = Rules(CollectionPath("b", "c"), reader, Key(reader, [key]), None, frozenset(), EVERYTHING)

    def given() -> Iterator[Wanted]:
        for position, item in enumerate(source):
            yield reader.read(item, position)

    matching = Matching(rules, given(), delete=False)
    most = 0
    for start in range(0, len(collection), page):
        matching.take([{**data, "last_modified": 1} for data in collection[start : start + page]])
        most = max(most, len(matching._waiting) + len(matching._unclaimed))
    matching.finish()
    return matching, most


@pytest.mark.parametrize(("given", "stored"), [(20, 500), (500, 20), (0, 500), (500, 0), (300, 300)])
@pytest.mark.parametrize("key", ["id", "number"])
def test_the_smaller_side_bounds_what_is_held(given: int, stored: int, key: str) -> None:
    source = items(range(given))[::-1]  # in the other order
    matching, most = matched(source, items(range(stored)), key)
    assert most <= 2 * min(given, stored) + 10
    assert (matching.unchanged, len(matching.creates)) == (min(given, stored), max(0, given - stored))
    assert (matching.given, matching.stored) == (given, stored)
    assert not matching._waiting
    assert not matching._unclaimed


def test_in_the_order_of_the_collection_hardly_more_than_a_page_is_held() -> None:
    matching, most = matched(items(range(500)), items(range(500)))
    assert most <= 10
    assert matching.unchanged == 500


def test_a_record_that_comes_after_its_item_is_found() -> None:
    source = [*items(range(490, 500)), *items(range(10))]
    matching, _ = matched(source, items(range(500)))
    assert (matching.unchanged, len(matching.creates)) == (20, 0)
