"""ServerPlan: what is to be done to bring a server to a desired state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from ..errors import UsageError
from ..plans.planned import Planned
from ..protocol.report import Report
from ..protocol.values import JSON
from ..transport.connection import Connection
from .applying import AnyChange, apply
from .validating import InvalidRecord


@attrs.frozen(eq=False, repr=False)
class ServerPlan(Planned[AnyChange]):
    """What client.plan() found to be done. True if that is anything.

    print() shows each change: `+ path {body}`, `~ path attribute: old -> new`, `~ path members: +new -old`,
    `- path`; and `! path problem` for each of the invalid records, those that a new schema refuses.
    unchanged: how many objects are as they are wanted.
    """

    invalid: tuple[InvalidRecord, ...]
    _in_order: tuple[AnyChange, ...]
    _connection: Connection

    @property
    def changes(self) -> tuple[AnyChange, ...]:
        """In the order in which they are applied: accounts, buckets, groups, collections and records;
        then deletions the other way round. The password of the account that we use ourselves is the last.
        """
        return self._in_order

    def apply(self, delete: bool = False) -> Report[AnyChange]:
        """Write the changes, in batches of the server's size; no request if there are none.

        delete: UsageError, and nothing is sent, if the plan deletes anything and this does not say so.
        Each is guarded by what the plan saw. Where somebody wrote an object since, it is read again, and
        members and principals are added and taken away on top of what is there then; an attribute that
        somebody changed otherwise is a conflict in the report, and the rest is written all the same.
        A collection that is deleted takes along the records that somebody wrote since, of which its guard
        does not know. After a crash, plan again: what was written is unchanged then.
        """
        if self.deletes and delete is not True:
            raise UsageError(
                f"this plan deletes {len(self.deletes)} objects with all that is in them, the first is "
                f"{self.deletes[0].id}; if that is meant, say apply(delete=True)"
            )
        if not self:
            return Report()
        return self._connection.run(apply(self.changes, self._connection.batch_size()))

    @property
    def _place(self) -> str:
        return "a server"

    @property
    def _warnings(self) -> Sequence[str]:
        return [str(one) for one in self.invalid]

    def _as_json(self) -> Mapping[str, JSON]:
        return {**super()._as_json(), "invalid": [one._asdict() for one in self.invalid]}
