"""Listed objects with their permissions, which no listing shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import BadRequest, NotFound, ResponseError
from . import batch, operations
from .conditions import Condition, matches
from .operations import Flow
from .responses import MISSING_PARENT
from .scanning import Found, Stream
from .values import JSONObject

# What a server that is set to be readonly says to POST /batch, whatever is in it (Kinto 26.5).
_NOT_ALLOWED = 405


def with_permissions(stream: Stream, endpoint: str, condition: Condition, size: int) -> Stream:
    """What the stream finds, each as {"data": ..., "permissions": ...} of one and the same moment.

    Each object is read again, so many of them in one batch; one by one where the server takes no
    batches. One that was written since it was listed comes as it is now if it still meets the
    condition; else it is left out, and so is one that is gone. permissions: None if they are hidden.
    """
    in_batches = True
    try:
        step = next(stream)
        while True:
            if not isinstance(step, Found):
                step = stream.send((yield step))
                continue
            for chunk in batch.chunks(step.objects, size):
                results, in_batches = yield from _read(endpoint, chunk, in_batches)
                yield Found(_merged(chunk, results, condition))
            step = next(stream)
    except StopIteration:
        return


def _read(endpoint: str, listed: Sequence[JSONObject], in_batches: bool) -> Flow[tuple[list[Any], bool]]:
    """The result of reading each, and whether the server takes batches."""
    reads = [operations.read(f"{endpoint}/{data['id']}") for data in listed]
    if in_batches:
        try:
            return (yield from batch.run(reads)), True
        except BadRequest as error:
            if error.status != _NOT_ALLOWED:
                raise
    results: list[Any] = []
    for read in reads:
        results += yield from batch.run([read])
    return results, False


def _merged(listed: Sequence[JSONObject], results: Sequence[Any], condition: Condition) -> list[JSONObject]:
    found: list[JSONObject] = []
    for data, result in zip(listed, results, strict=True):
        if isinstance(result, NotFound) and result.errno != MISSING_PARENT:
            continue
        if isinstance(result, ResponseError):
            raise result
        if result.last_modified == data["last_modified"] or matches(condition, result.data):
            found.append({"data": result.data, "permissions": result.permissions})
    return found
