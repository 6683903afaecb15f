"""A listing in parts that can be read at the same time: ranges of ids.

The order of the ids is stable: an object that is written meanwhile stays in its range, so that it
is found once, whichever part is read first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..protocol import operations
from ..protocol.objects import Page
from ..protocol.operations import Operation
from .conditions import EVERYTHING, And, Comparison, Condition

_SAMPLE = 100

# Of what follows the beginning that all ids share. Eight characters of a UUID tell billions apart.
_DIGITS = 8


def samples(endpoint: str) -> tuple[Operation[Page], Operation[Page]]:
    """They ask for the ids of the newest and the oldest objects."""
    return _sample(endpoint, "-last_modified"), _sample(endpoint, "last_modified")


def split(newest: Page, oldest: Page, parts: int) -> list[Condition]:
    """Conditions on the id, about so many, or one for few objects: each id meets exactly one of them."""
    if newest.next_query is None:
        return [EVERYTHING]
    return between(cuts({data["id"] for data in (*newest.objects, *oldest.objects)}, parts))


def _sample(endpoint: str, sort: str) -> Operation[Page]:
    return operations.list_page(endpoint, {"_sort": sort, "_limit": str(_SAMPLE), "_fields": "id"})


def between(bounds: Sequence[str]) -> list[Condition]:
    """The ids up to the first bound, from there to the second, and so on. bounds: in their order."""
    lower: list[Condition] = [Comparison(("id",), "gt", bound) for bound in bounds]
    upper: list[Condition] = [Comparison(("id",), "le", bound) for bound in bounds]
    first, last = upper[:1], lower[-1:]
    inner = [And(pair) for pair in zip(lower, upper[1:], strict=False)]
    return [*first, *inner, *last] or [EVERYTHING]


def cuts(sample: Iterable[str], parts: int) -> list[str]:
    """Where to cut, so that the parts hold about as many ids each, going by the sample.

    Ids made at random are spread like those of the sample. Of ids that count up it shows the two
    ends alone: so as many places spread evenly between these count as if they were in it.
    """
    known = sorted(sample)
    places = sorted([*known, *_spread(known, len(known))])
    return sorted({places[len(places) * part // parts] for part in range(1, parts)})


def _spread(known: Sequence[str], count: int) -> list[str]:
    """Texts evenly between the first and the last, in a system of numbers whose digits are their letters."""
    different = (at for at, (one, other) in enumerate(zip(known[0], known[-1], strict=False)) if one != other)
    shared = next(different, len(known[0]))
    digits = sorted({letter for id in known for letter in id[shared:]})
    if not digits:
        return []
    low, high = (_number(id[shared:], digits) for id in (known[0], known[-1]))
    prefix = known[0][:shared]
    return [prefix + _text(low + (high - low) * step // (count + 1), digits) for step in range(1, count + 1)]


def _number(id: str, digits: Sequence[str]) -> int:
    value = 0
    for letter in id[:_DIGITS].ljust(_DIGITS, digits[0]):
        value = value * len(digits) + digits.index(letter)
    return value


def _text(value: int, digits: Sequence[str]) -> str:
    letters = []
    for _ in range(_DIGITS):
        value, rest = divmod(value, len(digits))
        letters.append(digits[rest])
    return "".join(reversed(letters))
