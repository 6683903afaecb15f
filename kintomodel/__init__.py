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
from .resources.batch import Batch
from .resources.bucket import Bucket
from .resources.client import Client, connect
from .resources.collection import Collection
from .resources.group import Group
from .resources.record import Record

__all__ = [
    "account",
    "Authenticated",
    "BadRequest",
    "Batch",
    "Bucket",
    "BulkError",
    "Change",
    "Client",
    "Collection",
    "Conflict",
    "connect",
    "ConnectionFailed",
    "Everyone",
    "F",
    "Field",
    "field",
    "Forbidden",
    "Group",
    "group",
    "KintoError",
    "Manager",
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
    "Timeout",
    "TransportError",
    "Unauthorized",
    "UnreadableResponse",
    "UnsupportedByServer",
    "UsageError",
    "ValidationError",
]
