"""PlannedChange: what a plan does to one object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

from ..protocol.values import JSON, JSONObject


@attrs.frozen(eq=False, repr=False)
class PlannedChange:
    """What every kind of plan says of a change; what its data and its names are, the kinds themselves say.

    difference: {name: (old, new)} of an update. last_modified: milliseconds; of the object that the plan
    saw, None for a new one.
    """

    kind: Literal["create", "update", "delete"]
    id: str
    data: JSONObject = attrs.field(factory=dict)
    difference: Mapping[str, tuple[JSON, JSON]] = attrs.field(factory=dict)
    last_modified: int | None = None

    def __repr__(self) -> str:
        fields = "".join(f", {name}: {old!r} -> {new!r}" for name, (old, new) in self.difference.items())
        return f"<{self.kind} {self.id}{fields}>"
