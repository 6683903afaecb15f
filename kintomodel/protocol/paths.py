"""Where the four kinds of object stand, as the paths of Kinto's URLs."""

from __future__ import annotations

import re
from typing import Any

import attrs

from ..errors import ValidationError

BUCKETS = "/buckets"

# https://docs.kinto-storage.org/en/stable/api/1.x/buckets.html
_ID = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]*")


def check_id(kind: str, value: object) -> str:
    """The id itself, if Kinto takes it for this kind of object; else ValidationError."""
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    raise ValidationError(
        f"{value!r} is no {kind} id: Kinto takes letters, digits, '-' and '_', "
        "and the first one is a letter or a digit"
    )


def _id(kind: str) -> Any:
    def validate(_: object, __: object, value: object) -> None:
        check_id(kind, value)

    return attrs.field(validator=validate)


@attrs.frozen
class BucketPath:
    bucket: str = _id("bucket")

    def __str__(self) -> str:
        return f"{BUCKETS}/{self.bucket}"

    @property
    def collections(self) -> str:
        return f"{self}/collections"

    @property
    def groups(self) -> str:
        return f"{self}/groups"


@attrs.frozen
class CollectionPath:
    bucket: str = _id("bucket")
    collection: str = _id("collection")

    def __str__(self) -> str:
        return f"{BUCKETS}/{self.bucket}/collections/{self.collection}"

    @property
    def name(self) -> str:
        """The short form for messages: bucket/collection."""
        return f"{self.bucket}/{self.collection}"

    @property
    def records(self) -> str:
        return f"{self}/records"

    def record(self, id: str) -> RecordPath:
        return RecordPath(self.bucket, self.collection, id)


@attrs.frozen
class GroupPath:
    bucket: str = _id("bucket")
    group: str = _id("group")

    def __str__(self) -> str:
        return f"{BUCKETS}/{self.bucket}/groups/{self.group}"


@attrs.frozen
class RecordPath:
    bucket: str = _id("bucket")
    collection: str = _id("collection")
    record: str = _id("record")

    def __str__(self) -> str:
        return f"{BUCKETS}/{self.bucket}/collections/{self.collection}/records/{self.record}"

    @property
    def name(self) -> str:
        """The short form for messages: bucket/collection/record."""
        return f"{self.bucket}/{self.collection}/{self.record}"
