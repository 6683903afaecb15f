"""Reading: what comes with the records that a query finds."""

from __future__ import annotations

from typing import NamedTuple


class Reading(NamedTuple):
    """with_permissions: read them, too. readonly: keep nothing beside the fields."""

    with_permissions: bool = False
    readonly: bool = False
