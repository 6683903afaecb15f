"""Plan: what is to be done to bring a collection to a desired state."""

from __future__ import annotations

import json

import attrs

from ..protocol.report import Report
from ..transport.connection import Connection
from ..writing.progress import Progress, reporting
from .applying import Side, apply
from .comparing import Change, Rules
from .showing import html, text


@attrs.frozen(eq=False, repr=False)
class Plan:
    """What a sync would change, of a collection as it was read. True if that is anything.

    print() shows each change: `+ id {data}`, `~ id field: old -> new`, `- id`; in colours on a terminal.
    unchanged: how many records are as the source wants them.
    """

    creates: tuple[Change, ...]
    updates: tuple[Change, ...]
    deletes: tuple[Change, ...]
    unchanged: int
    _rules: Rules
    _connection: Connection
    _on_conflict: Side

    @property
    def changes(self) -> tuple[Change, ...]:
        """All of them, in the order in which they are applied."""
        return (*self.creates, *self.updates, *self.deletes)

    def apply(self, verify: bool = False, progress: Progress = None) -> Report[Change]:
        """Write the changes, in batches of the server's size; no request if there are none.

        Each is guarded by what the plan saw: what somebody else wrote since is a conflict in the report,
        and the rest is written all the same. After a crash, plan again: what was written is unchanged then.
        verify: read what was written in the end, one GET for each hundred, and report as a conflict what
        is not there as it was written. progress: called with (done, all) after each batch; True
        shows a bar (kintomodel[cli]).
        """
        if not self:
            return Report()
        size = self._connection.batch_size()
        with reporting(progress, len(self)) as tell:
            flow = apply(self.changes, self._rules, self._on_conflict, size, tell, verify=verify)
            return self._connection.run(flow)

    def to_json(self) -> str:
        """{"creates": [{id, data}], "updates": [{id, last_modified, changes: {field: [old, new]}}],
        "deletes": [{id, last_modified}], "unchanged": number} as text.
        """
        plan = {
            "creates": [{"id": one.id, "data": one.data} for one in self.creates],
            "updates": [
                {"id": one.id, "last_modified": one.last_modified, "changes": dict(one.difference)}
                for one in self.updates
            ],
            "deletes": [{"id": one.id, "last_modified": one.last_modified} for one in self.deletes],
            "unchanged": self.unchanged,
        }
        return json.dumps(plan, ensure_ascii=False, indent=2)

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

    def __repr__(self) -> str:
        return f"<Plan for {self._rules.path.name}: {self._summary}>"

    def __str__(self) -> str:
        return text(self._summary, self.changes)

    def _repr_html_(self) -> str:
        return html(self._summary, self.changes)
