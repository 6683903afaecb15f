"""Objects read together: in a batch, and one by one where there are none."""

from __future__ import annotations

from typing import Any

import pytest

from kintomodel.errors import BadRequest, NotFound
from kintomodel.flows.reads import Reads
from kintomodel.protocol import operations

from ..playing import MISSING, ok, play, stored

READS = [operations.read("/buckets/a"), operations.read("/buckets/b")]
NO_BATCHES = BadRequest("no", status=405, method="POST", path="/batch")


def test_they_are_one_request() -> None:
    results, asked = play(Reads().of(READS), [ok(stored(id="a").data), ok(stored(id="b").data)])
    assert [one.id for one in results] == ["a", "b"]
    assert [one.path for one in asked] == ["/batch"]


def test_a_server_that_takes_no_batches_is_asked_for_one_once() -> None:
    reads = Reads()
    results, asked = play(reads.of(READS), NO_BATCHES, stored(id="a"), MISSING)
    assert results[0].id == "a"
    assert isinstance(results[1], NotFound)
    assert [one.method for one in asked] == ["POST", "GET", "GET"]
    _, asked = play(reads.of(READS), stored(id="a"), stored(id="b"))
    assert asked == READS


@pytest.mark.parametrize(
    "refusal",
    [
        BadRequest("no", status=400, method="POST", path="/batch"),
        BadRequest("no", status=405, method="GET", path="/buckets/a"),
    ],
)
def test_a_batch_that_is_refused_otherwise_is_an_error(refusal: Any) -> None:
    with pytest.raises(BadRequest):
        play(Reads().of(READS), refusal)
