"""Objects read together, also from a server that takes no batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from ..errors import BadRequest
from ..protocol import batch
from ..protocol.operations import Flow, Operation

# What a server that is set to be readonly says to POST /batch, whatever is in it (Kinto 26.5).
_NOT_ALLOWED = 405


@attrs.define(eq=False)
class Reads:
    """in_batches: does the server take batches, as far as is known?"""

    in_batches: bool = True

    def of(self, operations: Sequence[Operation[Any]]) -> Flow[list[Any]]:
        """The result of each, its value or its ResponseError, in order.

        All of them in one batch; one by one where the server takes none. They must not write.
        """
        if self.in_batches:
            try:
                return (yield from batch.run(operations))
            except BadRequest as error:
                if error.path != "/batch" or error.status != _NOT_ALLOWED:
                    raise
                self.in_batches = False
        results: list[Any] = []
        for operation in operations:
            results += yield from batch.run([operation])
        return results
