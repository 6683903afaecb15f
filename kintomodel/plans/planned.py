"""Planned: changes that are not made yet. What every kind of plan shares."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

import attrs

from ..protocol.values import JSON
from .change import PlannedChange
from .showing import html, text

C = TypeVar("C", bound=PlannedChange)


@attrs.frozen(eq=False, repr=False)
class Planned(Generic[C]):
    """True if there is anything to do; unchanged: how many are as they are wanted."""

    creates: tuple[C, ...]
    updates: tuple[C, ...]
    deletes: tuple[C, ...]
    unchanged: int

    @property
    def changes(self) -> tuple[C, ...]:
        """All of them, in the order in which they are applied."""
        return (*self.creates, *self.updates, *self.deletes)

    def to_json(self) -> str:
        """{"creates": [{id, data}], "updates": [{id, last_modified, changes: {field: [old, new]}}],
        "deletes": [{id, last_modified}], "unchanged": number} as text.
        """
        return json.dumps(self._as_json(), ensure_ascii=False, indent=2)

    def _as_json(self) -> Mapping[str, JSON]:
        return {
            "creates": [{"id": one.id, "data": one.data} for one in self.creates],
            "updates": [
                {"id": one.id, "last_modified": one.last_modified, "changes": dict(one.difference)}
                for one in self.updates
            ],
            "deletes": [{"id": one.id, "last_modified": one.last_modified} for one in self.deletes],
            "unchanged": self.unchanged,
        }

    def __bool__(self) -> bool:
        return bool(self.creates or self.updates or self.deletes)

    def __len__(self) -> int:
        """How many changes there are."""
        return len(self.creates) + len(self.updates) + len(self.deletes)

    @property
    def _summary(self) -> str:
        counts = ((self.creates, "to create"), (self.updates, "to update"), (self.deletes, "to delete"))
        parts = [f"{len(changes)} {what}" for changes, what in counts if changes]
        return ", ".join([*(parts or ["nothing to do"]), f"{self.unchanged} unchanged"])

    @property
    def _place(self) -> str:
        raise NotImplementedError

    @property
    def _warnings(self) -> Sequence[str]:
        return ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} for {self._place}: {self._summary}>"

    def __str__(self) -> str:
        return text(self._summary, self.changes, self._warnings)

    def _repr_html_(self) -> str:
        return html(self._summary, self.changes, self._warnings)
