"""Listed objects with their permissions, which no listing shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from ..errors import NotFound, ResponseError
from ..protocol import operations
from ..protocol.objects import StoredObject
from ..protocol.operations import Flow
from ..protocol.responses import MISSING_PARENT
from ..protocol.values import JSONObject
from ..query.conditions import Condition, matches
from .reads import Reads


@attrs.define(eq=False)
class Completion:
    """Of objects of this listing."""

    endpoint: str
    condition: Condition
    _reads: Reads = attrs.field(factory=Reads, init=False)

    def with_permissions(self, listed: Sequence[JSONObject]) -> Flow[list[StoredObject]]:
        """The same objects, each with its permissions at one and the same moment.

        Each is read again, all of them in one batch; one by one where the server takes no batches.
        One that was written since it was listed comes as it is now if it still meets the condition;
        else it is left out, and so is one that is gone.
        """
        reads = [operations.read(f"{self.endpoint}/{data['id']}") for data in listed]
        return _merged(listed, (yield from self._reads.of(reads)), self.condition)


def _merged(listed: Sequence[JSONObject], results: Sequence[Any], condition: Condition) -> list[StoredObject]:
    found: list[StoredObject] = []
    for data, result in zip(listed, results, strict=True):
        if isinstance(result, NotFound) and result.errno != MISSING_PARENT:
            continue
        if isinstance(result, ResponseError):
            raise result
        if result.last_modified == data["last_modified"] or matches(condition, result.data):
            found.append(result)
    return found
