"""A set of principals that can be edited in place, and takes a lone one wherever several are."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterable, Iterator, MutableSet

from typing_extensions import Self

from ..protocol.permissions import Principals


class EditableSet(MutableSet[str]):
    """What both permissions and members are. MutableSet would split a lone str into its letters."""

    __slots__ = ()

    @abstractmethod
    def _expand(self, value: Principals) -> tuple[str, ...]:
        """Each of them as it is stored."""

    @abstractmethod
    def _now(self) -> Collection[str]:
        """Who is in it."""

    @abstractmethod
    def _set(self, held: Iterable[str]) -> None:
        """Make it these."""

    def __contains__(self, principal: object) -> bool:
        # What is not even a principal is not in it, either.
        if not isinstance(principal, str) or not principal or principal != principal.strip():
            return False
        return self._expand(principal)[0] in self._now()

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def __repr__(self) -> str:
        return f"{{{', '.join(map(repr, self))}}}"

    def add(self, value: Principals) -> None:
        self._set((*self._now(), *self._expand(value)))

    def discard(self, value: Principals) -> None:
        gone = self._expand(value)
        self._set([one for one in self._now() if one not in gone])

    def remove(self, value: Principals) -> None:
        """Like discard, but KeyError if one of them is not there."""
        now = self._now()
        missing = [one for one in self._expand(value) if one not in now]
        if missing:
            raise KeyError(f"{missing[0]!r} is not in it")
        self.discard(value)

    def clear(self) -> None:
        self._set(())

    def update(self, *several: Principals) -> None:
        for value in several:
            self.add(value)

    def isdisjoint(self, other: Principals) -> bool:
        return not self & other

    def __or__(self, other: Principals) -> set[str]:  # type: ignore[override]
        return {*self, *self._expand(other)}

    def __and__(self, other: Principals) -> set[str]:
        return {*self} & {*self._expand(other)}

    def __sub__(self, other: Principals) -> set[str]:
        return {*self} - {*self._expand(other)}

    def __rsub__(self, other: Principals) -> set[str]:
        return {*self._expand(other)} - {*self}

    def __xor__(self, other: Principals) -> set[str]:  # type: ignore[override]
        return {*self} ^ {*self._expand(other)}

    __add__ = __ror__ = __or__
    __rand__ = __and__
    __rxor__ = __xor__

    def __ior__(self, other: Principals) -> Self:  # type: ignore[override]
        self.add(other)
        return self

    __iadd__ = __ior__

    def __isub__(self, other: Principals) -> Self:
        self.discard(other)
        return self

    def __iand__(self, other: Principals) -> Self:
        kept = self._expand(other)
        self._set([one for one in self._now() if one in kept])
        return self

    def __ixor__(self, other: Principals) -> Self:  # type: ignore[override]
        self._set(self ^ other)
        return self
