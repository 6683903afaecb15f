"""What bulk work does with each record: save it or delete it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from ..errors import Conflict, UsageError
from ..flows import bulk, verifying
from ..mapping.state import Home, Mapped, home
from ..protocol.changes import Write
from ..protocol.objects import Overwritten, StoredObject
from ..protocol.operations import Flow
from ..protocol.report import Status
from ..reading.resolving import OnConflict
from .bulk_job import Step
from .saving import GUARDED, Manner, deletion, keep, move, repeating, take_in, take_out
from .validation import prepared


@attrs.frozen
class Saving:
    """where: the collection that the records are in. creating: only new ones are taken."""

    where: Home
    manner: Manner = GUARDED
    on_conflict: OnConflict = "raise"
    creating: bool = False

    def capacity(self, batch_size: int) -> int:
        return verifying.capacity(batch_size) if self.manner.verify else batch_size

    def send(self, writes: Sequence[Write]) -> Flow[list[Any]]:
        return verifying.run(writes) if self.manner.verify else bulk.run(writes)

    def status(self, record: Mapped) -> Status:
        return "created" if record._state.stored is None else "updated"

    def plan(self, record: Mapped) -> Write | None:
        if self.creating and record._state.stored is not None:
            raise UsageError(f"{home(record).name}/{record.id} is stored already: bulk_save() saves it")
        if self.creating or record._state.home is None:
            move(record, self.where)
        check_place(record, self.where)
        record.before_save()
        return prepared(record, force=self.manner.force)

    def settle(self, step: Step, result: Any) -> Flow[Status]:
        if isinstance(result, StoredObject):  # as nearly always
            keep(step.record, step.write, result)
            return "updated" if isinstance(result, Overwritten) else step.status
        first = take_in(step.record, step.write, result, self.manner)
        if not (yield from repeating(step.record, first, self.manner, self.on_conflict)):
            return "unchanged"
        # If nobody decides about conflicts, it was a conflict with an earlier attempt of our own.
        is_decided = isinstance(result, Conflict) and self.on_conflict != "raise"
        return "updated" if is_decided else step.status

    def after(self, record: Mapped) -> None:
        record.after_save()


@attrs.frozen
class Deleting:
    """where: the collection that the records are in. missing_ok, force: as of delete()."""

    where: Home
    missing_ok: bool = False
    force: bool = False

    def capacity(self, batch_size: int) -> int:
        return batch_size

    def send(self, writes: Sequence[Write]) -> Flow[list[Any]]:
        return bulk.run(writes)

    def status(self, record: Mapped) -> Status:
        return "deleted"

    def plan(self, record: Mapped) -> Write:
        check_place(record, self.where)
        planned = deletion(record, force=self.force)
        record.before_delete()
        return planned

    def settle(self, step: Step, result: Any) -> Flow[Status]:
        yield from ()
        return step.status if take_out(step.record, result, self.missing_ok) else "unchanged"

    def after(self, record: Mapped) -> None:
        record.after_delete()


def check_place(record: Mapped, where: Home) -> None:
    here = home(record)
    if here is not where and (here != where or here.url != where.url):
        raise UsageError(f"{here.name}/{record.id} on {here.url} is not in {where.name} on {where.url}")
