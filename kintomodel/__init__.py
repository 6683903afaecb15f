"""Typed models for the Kinto JSON storage server, and an object client beneath them."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import desired
    from .errors import (
        BadRequest,
        BulkError,
        Conflict,
        ConnectionFailed,
        Forbidden,
        KintoError,
        MultipleFound,
        NotFound,
        PayloadTooLarge,
        PermissionsNotVisible,
        ResponseError,
        ServerError,
        Timeout,
        TransportError,
        Unauthorized,
        UnreadableResponse,
        UnsupportedByServer,
        UsageError,
        ValidationError,
    )
    from .mapping.codec import register
    from .mapping.expressions import Q
    from .mapping.fields import Field, field
    from .mapping.references import Ref
    from .mapping.typed_fields import F, some
    from .models.manager import Manager
    from .models.model import Model
    from .models.queryset import QuerySet
    from .protocol.checking import Finding
    from .protocol.objects import ServerInfo
    from .protocol.permissions import Authenticated, Everyone, account, group
    from .protocol.report import Outcome, Report
    from .provisioning.plan import ServerPlan
    from .query.explaining import Explanation
    from .query.history import HistoryEntry
    from .query.tombstones import Tombstone
    from .reading.aggregates import Avg, Count, Max, Min, Sum
    from .reading.prefetching import DanglingRef
    from .reading.rows import Rows
    from .resources.batch import Batch, Pending
    from .resources.bucket import Bucket
    from .resources.client import Client, connect
    from .resources.collection import Collection
    from .resources.feed import Changes
    from .resources.group import Group
    from .resources.permissions import PrincipalSet, RecordPermissions
    from .resources.record import Record
    from .syncing.comparing import Change
    from .syncing.plan import Plan
    from .transport.dry_run import DryRun

__all__ = [
    "account",
    "Authenticated",
    "Avg",
    "BadRequest",
    "Batch",
    "Bucket",
    "BulkError",
    "Change",
    "Changes",
    "Client",
    "Collection",
    "Conflict",
    "connect",
    "ConnectionFailed",
    "Count",
    "DanglingRef",
    "desired",
    "DryRun",
    "Everyone",
    "Explanation",
    "F",
    "Field",
    "field",
    "Finding",
    "Forbidden",
    "Group",
    "group",
    "HistoryEntry",
    "KintoError",
    "Manager",
    "Max",
    "Min",
    "Model",
    "MultipleFound",
    "NotFound",
    "Outcome",
    "PayloadTooLarge",
    "Pending",
    "PermissionsNotVisible",
    "Plan",
    "PrincipalSet",
    "Q",
    "QuerySet",
    "Record",
    "RecordPermissions",
    "Ref",
    "register",
    "Report",
    "ResponseError",
    "Rows",
    "ServerError",
    "ServerInfo",
    "ServerPlan",
    "some",
    "Sum",
    "Timeout",
    "Tombstone",
    "TransportError",
    "Unauthorized",
    "UnreadableResponse",
    "UnsupportedByServer",
    "UsageError",
    "ValidationError",
]

# Each name is loaded when it is first asked for: who wants the errors alone, as the test kit does in
# every run of pytest, does not pay for the rest.
_MODULES = {
    "desired": ["desired"],
    "errors": [
        "BadRequest",
        "BulkError",
        "Conflict",
        "ConnectionFailed",
        "Forbidden",
        "KintoError",
        "MultipleFound",
        "NotFound",
        "PayloadTooLarge",
        "PermissionsNotVisible",
        "ResponseError",
        "ServerError",
        "Timeout",
        "TransportError",
        "Unauthorized",
        "UnreadableResponse",
        "UnsupportedByServer",
        "UsageError",
        "ValidationError",
    ],
    "mapping.codec": ["register"],
    "mapping.expressions": ["Q"],
    "mapping.fields": ["Field", "field"],
    "mapping.references": ["Ref"],
    "mapping.typed_fields": ["F", "some"],
    "models.manager": ["Manager"],
    "models.model": ["Model"],
    "models.queryset": ["QuerySet"],
    "protocol.checking": ["Finding"],
    "protocol.objects": ["ServerInfo"],
    "protocol.permissions": ["Authenticated", "Everyone", "account", "group"],
    "protocol.report": ["Outcome", "Report"],
    "provisioning.plan": ["ServerPlan"],
    "query.explaining": ["Explanation"],
    "query.history": ["HistoryEntry"],
    "query.tombstones": ["Tombstone"],
    "reading.aggregates": ["Avg", "Count", "Max", "Min", "Sum"],
    "reading.prefetching": ["DanglingRef"],
    "reading.rows": ["Rows"],
    "resources.batch": ["Batch", "Pending"],
    "resources.bucket": ["Bucket"],
    "resources.client": ["Client", "connect"],
    "resources.collection": ["Collection"],
    "resources.feed": ["Changes"],
    "resources.group": ["Group"],
    "resources.permissions": ["PrincipalSet", "RecordPermissions"],
    "resources.record": ["Record"],
    "syncing.comparing": ["Change"],
    "syncing.plan": ["Plan"],
    "transport.dry_run": ["DryRun"],
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


if not TYPE_CHECKING:  # pragma: no branch - the checkers would take any name

    def __getattr__(name):
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = import_module(f".{_HOMES[name]}", __name__)
        value = globals()[name] = home if name == _HOMES[name] else getattr(home, name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
