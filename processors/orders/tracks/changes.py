"""The named changes of an order's terms: each counts once, at the earliest time told of it. Pure.

A venue may send a message again with a later time (OKX, "Order channel"). By that time an old price
would beat a newer one, for ever. So a change that the venue named is kept by its name, and of its
tellings the earliest counts, whatever came first (decision 0407). What else is said of the same
terms stands beside the changes in `plain`; the greatest stamp of all of them gives the term.
"""

from decimal import Decimal
from typing import Any, Final

from orderloom.quantities import text_or_none
from processors.orders.tracks.registers import NO_ORDINAL, Registers, Stamp, put

CHANGED: Final = ("price", "quantity", "trigger_price")
"""The terms that a named change gives."""
CHANGES_MAX: Final = 64
"""Of so many changes of one order a repetition is told from news; older ones are plain evidence."""

Change = tuple[Stamp, Decimal | None, Decimal | None, Decimal | None]
"""Its earliest stamp, and the values of `CHANGED`; None where it gave none."""


class Changes:
    """The named changes of one link, and what else was said of the same terms."""

    __slots__ = ("forgotten", "named", "plain")

    def __init__(self) -> None:
        self.named: dict[str, Change] = {}
        self.plain: Registers = {}
        self.forgotten: tuple[int, int] = NO_ORDINAL

    def take(self, name: str, change: Change) -> bool:
        """One telling of a change; tells whether it counts."""
        held = self.named.get(name)
        if held is not None and _rank(held) <= _rank(change):
            return False
        self.named[name] = change
        if len(self.named) > CHANGES_MAX:
            self._forget(min(self.named, key=lambda one: (self.named[one][0], one)))
        return True

    def take_plain(self, name: str, stamp: Stamp, value: Decimal) -> bool:
        """What else was said of a term; tells whether it counts."""
        return bool(put(self.plain, name, stamp, value))

    def best(self, name: str, answered_ns: int) -> tuple[Any, Any] | None:
        """The term as all of this has it: its stamp and value."""
        place = 1 + CHANGED.index(name)
        said = [
            (one[0], one[place])
            for one in self.named.values()
            if one[place] is not None and one[0][0] >= answered_ns
        ]
        if name in self.plain:
            said.append(self.plain[name])
        return max(said, default=None)

    def ordinal(self, answered_ns: int) -> tuple[int, int]:
        """When the last of them was made that no answer shows; `NO_ORDINAL` for none."""
        times = (stamp[:2] for stamp, *_ in self.named.values())
        last = max([*times, self.forgotten])
        return last if last[0] >= answered_ns else NO_ORDINAL

    def join(self, other: "Changes") -> None:
        """Join what another link knows."""
        for name, change in other.named.items():
            self.take(name, change)
        for name, (stamp, value) in other.plain.items():
            self.take_plain(name, stamp, value)
        self.forgotten = max(self.forgotten, other.forgotten)

    def _forget(self, oldest: str) -> None:
        stamp, *values = self.named.pop(oldest)
        self.forgotten = max(self.forgotten, (stamp[0], stamp[1]))
        for name, value in zip(CHANGED, values, strict=True):
            if value is not None:
                put(self.plain, name, stamp, value)

    def stamps(self) -> set[Stamp]:
        """Every stamp in it."""
        return {one[0] for one in (*self.named.values(), *self.plain.values())}

    def dump(self, places: dict[Stamp, int]) -> dict[str, Any]:
        """The complete state, JSON-ready; `places` numbers the stamps."""
        return {
            "named": {
                name: [places[stamp], *map(text_or_none, values)]
                for name, (stamp, *values) in sorted(self.named.items())
            },
            "plain": {
                name: (places[stamp], text_or_none(value))
                for name, (stamp, value) in sorted(self.plain.items())
            },
            "forgotten": self.forgotten,
        }

    @classmethod
    def load(cls, document: dict[str, Any], stamps: list[Stamp]) -> "Changes":
        """The changes that `dump` gave out."""
        changes = cls()
        for name, (place, price, quantity, trigger) in document["named"].items():
            values = (_optional(price), _optional(quantity), _optional(trigger))
            changes.named[name] = (stamps[place], *values)
        for name, (place, value) in document["plain"].items():
            changes.plain[name] = (stamps[place], Decimal(value))
        first, second = document["forgotten"]
        changes.forgotten = (first, second)
        return changes


def _rank(change: Change) -> tuple[Any, ...]:
    """By which the lesser of two tellings counts: the earlier one, then by content."""
    stamp, *values = change
    return (stamp, *((value is None, value or Decimal(0)) for value in values))


def _optional(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
