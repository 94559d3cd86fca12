"""What was made of a thing is made again only when the thing is another. Pure.

Of an order that trades, most of what is saved stays as it was: a memo of the last few
thousand orders saves to build it anew each time. What is remembered is not to be changed by who
gets it.
"""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

THINGS_MAX: Final = 4_096
"""More than orders that trade at once: their memory would be for nothing."""
_Thing = TypeVar("_Thing")
_Made = TypeVar("_Made")


class Remembered(Generic[_Thing, _Made]):
    """What `make` made of things that cannot change, by the thing itself and not by its value."""

    __slots__ = ("_held", "_make")

    def __init__(self, make: Callable[[_Thing], _Made]) -> None:
        self._make = make
        self._held: dict[int, tuple[_Thing, _Made]] = {}

    def of(self, thing: _Thing) -> _Made:
        """What was made of it."""
        held = self._held.get(id(thing))
        # The thing is kept beside it, so that no other can have its place in memory.
        if held is not None:
            return held[1]
        made = self._make(thing)
        if len(self._held) >= THINGS_MAX:
            self._held.clear()
        self._held[id(thing)] = (thing, made)
        return made
