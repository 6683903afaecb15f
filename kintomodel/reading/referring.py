"""Where references lead to: from the record that holds them to the records they name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..errors import UsageError
from ..mapping.codec import codec_of
from ..mapping.declaration import Declaration
from ..mapping.references import Ref, references_in
from ..mapping.state import Home, Mapped, home_of


class Source(NamedTuple):
    """The place of a record that holds references. bucket: that its model declares.

    load: gets a record of a model from a place.
    """

    where: Home
    bucket: str | None
    load: Callable[[Any, Home, str], Any]

    def get(self, model: Any, id: str) -> Any:
        return self.load(model, place_of(model, self.where, self.bucket), id)


def bind(record: Mapped, source: Source) -> None:
    """Tell the record's references where they lead to."""
    attributes = vars(record)
    for name, model in codec_of(record.__kinto__).references.items():
        value = attributes.get(name)
        # Most are this; the search in other values takes three times as long.
        for reference in (value,) if type(value) is Ref else references_in(value):
            reference.lead(reference.model or model, source)


def forget(record: Mapped) -> None:
    """The record is somewhere else from now on."""
    for name in codec_of(record.__kinto__).references:
        for reference in references_in(vars(record).get(name)):
            reference.forget()


def place_of(model: Any, where: Home, bucket: str | None) -> Home:
    """Where the records of a model are that a record in this place refers to.

    In the collection that it declares, on the same server; in the same bucket, if the record's model
    declares the same one as this.
    """
    declared: Declaration | None = getattr(model, "__kinto__", None)
    if declared is None:
        raise UsageError(f"Ref[{getattr(model, '__name__', model)}]: a reference leads to a model")
    same = where.path.bucket if declared.bucket in (None, bucket) else None
    return home_of(declared, where.client, same)
