"""Listed objects with their permissions, which no listing shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from ..errors import BadRequest, NotFound, ResponseError
from ..protocol import batch, operations
from ..protocol.objects import StoredObject
from ..protocol.operations import Flow
from ..protocol.responses import MISSING_PARENT
from ..protocol.values import JSONObject
from ..query.conditions import Condition, matches

# What a server that is set to be readonly says to POST /batch, whatever is in it (Kinto 26.5).
_NOT_ALLOWED = 405


@attrs.define(eq=False)
class Completion:
    """Of objects of this listing. in_batches: does the server take batches, as far as is known?"""

    endpoint: str
    condition: Condition
    in_batches: bool = True

    def with_permissions(self, listed: Sequence[JSONObject]) -> Flow[list[StoredObject]]:
        """The same objects, each with its permissions at one and the same moment.

        Each is read again, all of them in one batch; one by one where the server takes no batches.
        One that was written since it was listed comes as it is now if it still meets the condition;
        else it is left out, and so is one that is gone.
        """
        reads = [operations.read(f"{self.endpoint}/{data['id']}") for data in listed]
        if self.in_batches:
            try:
                return _merged(listed, (yield from batch.run(reads)), self.condition)
            except BadRequest as error:
                if error.path != "/batch" or error.status != _NOT_ALLOWED:
                    raise
                self.in_batches = False
        results: list[Any] = []
        for read in reads:
            results += yield from batch.run([read])
        return _merged(listed, results, self.condition)


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
