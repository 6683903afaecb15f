"""The other half of two models that need each other: see test_annotations.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kintomodel import Model, Ref

if TYPE_CHECKING:
    from tests.mapping.test_annotations import Author


class Book(Model, bucket="payments", collection="receipts"):
    title: str
    author: Ref[Author] | None = None
