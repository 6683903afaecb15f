"""What a URL path of Kinto stands for: an object, or a list of them."""

from __future__ import annotations

from typing import NamedTuple

_KINDS = {
    ("buckets",): "bucket",
    ("buckets", "collections"): "collection",
    ("buckets", "groups"): "group",
    ("buckets", "collections", "records"): "record",
    ("accounts",): "account",
}
_LISTS = {
    **{names: kind for names, kind in _KINDS.items() if kind != "account"},
    ("buckets", "history"): "entry",
}


class Place(NamedTuple):
    """Where one object is. kind: bucket, collection, group, record or account."""

    kind: str
    path: str

    @property
    def id(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def listing(self) -> str:
        """The path of the list that it is in."""
        return self.path.rpartition("/")[0]

    @property
    def ancestors(self) -> list[Place]:
        """The bucket and the collection that it is in, the nearest one first."""
        return _above(self.path.split("/")[:-2])


class Listing(NamedTuple):
    """A plural endpoint. kind: of its objects; "entry" for a history."""

    kind: str
    path: str

    @property
    def parents(self) -> list[Place]:
        """What it is in, the nearest one first; none of the list of buckets."""
        return _above(self.path.split("/")[:-1])

    def place(self, id: str) -> Place:
        return Place(self.kind, f"{self.path}/{id}")


def place(path: str) -> Place | None:
    """None where the path is not that of an object."""
    parts = path.split("/")[1:]
    kind = _KINDS.get(tuple(parts[::2])) if len(parts) % 2 == 0 and all(parts) else None
    return None if kind is None else Place(kind, path)


def listing(path: str) -> Listing | None:
    """None where the path is not that of a list."""
    parts = path.split("/")[1:]
    kind = _LISTS.get(tuple(parts[::2])) if len(parts) % 2 == 1 and all(parts) else None
    return None if kind is None else Listing(kind, path)


def _above(parts: list[str]) -> list[Place]:
    """parts: of the path of an object, or nothing but the empty one before its first slash."""
    found = [place("/".join(parts[:end])) for end in range(len(parts), 1, -2)]
    return [one for one in found if one is not None]
