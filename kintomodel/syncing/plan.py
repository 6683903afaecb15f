"""Plan: what is to be done to bring a collection to a desired state."""

from __future__ import annotations

import attrs

from ..plans.planned import Planned
from ..protocol.report import Report
from ..transport.connection import Connection
from ..writing.progress import Progress, reporting
from .applying import Side, apply
from .comparing import Change, Rules


@attrs.frozen(eq=False, repr=False)
class Plan(Planned[Change]):
    """What a sync would change, of a collection as it was read. True if that is anything.

    print() shows each change: `+ id {data}`, `~ id field: old -> new`, `- id`; in colours on a terminal.
    unchanged: how many records are as the source wants them.
    """

    _rules: Rules
    _connection: Connection
    _on_conflict: Side

    def apply(self, verify: bool = False, progress: Progress = None) -> Report[Change]:
        """Write the changes, in batches of the server's size; no request if there are none.

        Each is guarded by what the plan saw: what somebody else wrote since is a conflict in the report,
        and the rest is written all the same. After a crash, plan again: what was written is unchanged then.
        verify: read what was written in the end, one GET for each hundred, and report as a conflict what
        is not there as it was written. progress: called with (done, all) after each batch; True
        shows a bar (kintomodel[cli]). What it raises is a BulkError, with the report so far.
        """
        if not self:
            return Report()
        size = self._connection.batch_size()
        with reporting(progress, len(self)) as tell:
            flow = apply(self.changes, self._rules, self._on_conflict, size, tell, verify=verify)
            return self._connection.run(flow)

    @property
    def _place(self) -> str:
        return self._rules.path.name
