"""The writes of a plan: what becomes of each, also of those that cannot be sent."""

from __future__ import annotations

from typing import Any

from kintomodel.errors import KintoError, ValidationError
from kintomodel.plans import carrying_out
from kintomodel.protocol import changes, operations
from kintomodel.protocol.changes import Write
from kintomodel.protocol.operations import Flow
from kintomodel.protocol.paths import BucketPath
from kintomodel.protocol.report import Outcome, failure

from ..playing import ok, play, stored


def write(name: str) -> Write:
    return changes.create(BucketPath(name), {"n": 1})


def settle(name: str, position: int, result: Any) -> Flow[Outcome[str]]:
    if isinstance(result, KintoError):
        return failure(name, position, result)
    return Outcome("created", name, position)
    yield


def test_a_change_that_cannot_be_sent_fails_alone() -> None:
    flow = carrying_out.in_batches(["a", "b b", "c", "d d"], write, settle, 3)
    outcomes, asked = play(flow, [ok(stored().data), ok(stored().data)])
    assert [(one.object, one.status, one.position) for one in outcomes] == [
        ("a", "created", 0), ("b b", "invalid", 1), ("c", "created", 2), ("d d", "invalid", 3),
    ]  # fmt: skip
    assert isinstance(outcomes[1].error, ValidationError)
    paths = [one["path"] for one in asked[0].body["requests"]]
    assert (len(asked), asked[0].path, paths) == (1, "/batch", ["/buckets/a", "/buckets/c"])


def test_one_that_is_left_is_sent_on_its_own() -> None:
    outcomes, asked = play(carrying_out.in_batches(["b b", "c"], write, settle, 3), stored())
    assert [one.status for one in outcomes] == ["invalid", "created"]
    assert asked == [operations.create("/buckets/c", {"n": 1})]
