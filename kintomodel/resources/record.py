"""Record: an object in a collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..protocol.paths import RecordPath
from ..protocol.permissions import Principals
from .permissions import RecordPermissions
from .resource import Resource


class Record(Resource[RecordPermissions]):
    """https://docs.kinto-storage.org/en/stable/api/1.x/records.html"""

    path: RecordPath

    def update_record_permissions(
        self, *, read: Principals | None = None, write: Principals | None = None
    ) -> None:
        """Replace the permissions given, at once, in one guarded PATCH. None: leave it as it is."""
        self.permissions.update(read=read, write=write)

    def _new_permissions(self, known: Mapping[str, Iterable[str]] | None) -> RecordPermissions:
        return RecordPermissions(self.path.bucket, self, known)
