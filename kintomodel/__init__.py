"""Typed models for the Kinto JSON storage server, and an object client beneath them."""

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
from .models.aggregates import Avg, Count, Max, Min, Sum
from .models.codec import register
from .models.comparing import Change
from .models.expressions import F, Field, Q, some
from .models.fields import field
from .models.manager import Manager
from .models.model import Model
from .models.plan import Plan
from .models.queryset import QuerySet
from .models.references import Ref
from .protocol.objects import ServerInfo
from .protocol.permissions import Authenticated, Everyone, account, group
from .protocol.report import Outcome, Report
from .protocol.tombstones import Tombstone
from .resources.batch import Batch
from .resources.bucket import Bucket
from .resources.client import Client, connect
from .resources.collection import Collection
from .resources.feed import Changes
from .resources.group import Group
from .resources.record import Record
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
    "DryRun",
    "Everyone",
    "F",
    "Field",
    "field",
    "Forbidden",
    "Group",
    "group",
    "KintoError",
    "Manager",
    "Max",
    "Min",
    "Model",
    "MultipleFound",
    "NotFound",
    "Outcome",
    "PayloadTooLarge",
    "PermissionsNotVisible",
    "Plan",
    "Q",
    "QuerySet",
    "Record",
    "Ref",
    "register",
    "Report",
    "ResponseError",
    "ServerError",
    "ServerInfo",
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
