"""The named changes of an order's terms: each counts once, at the earliest time reported. Pure.

A venue may send a message again with a later time (OKX, "Order channel"). By that time an old price
would beat a newer one, for ever. So a change that the venue named is kept by its name, and of its
reports the earliest counts, whatever came first (decision 0407). What else is said of the same
terms stands beside the changes in `plain`; the greatest stamp of all of them gives the term. Of a
change that an answer must show the name alone is kept, to know a copy. An order with more changes
than can be kept is *crowded*: none is told from its copies any more, each report counts at its own
time, and the next answer mends what a copy made wrong. All of this follows from the set of reports
and answers, whatever came first.
"""

from decimal import Decimal
from typing import Any, Final

from orderloom.quantities import text_or_none
from processors.orders.tracks.registers import NO_ORDINAL, Registers, Stamp, put

CHANGED: Final = ("price", "quantity", "trigger_price")
"""The terms that a named change gives."""
CHANGES_MAX: Final = 512
"""Of so many changes of one order a copy is told from news."""

Change = tuple[Stamp, Decimal | None, Decimal | None, Decimal | None]
"""Its earliest stamp, and the values of `CHANGED`; None where it gave none."""


class Changes:
    """The named changes of one link, and what else was said of the same terms.

    `named` are those that no answer must show yet, `shown` the names of the others. `latest` holds
    for each term the latest of all reports, which counts where there are too many names to keep.
    """

    __slots__ = ("is_crowded", "latest", "named", "plain", "shown")

    def __init__(self) -> None:
        self.named: dict[str, Change] = {}
        self.shown: set[str] = set()
        self.plain: Registers = {}
        self.latest: Registers = {}
        self.is_crowded = False

    def take(self, name: str, change: Change, answered_ns: int) -> bool:
        """One report of a change; returns whether that was news."""
        stamp, *values = change
        is_news = False
        for term, value in zip(CHANGED, values, strict=True):
            if value is not None:
                # Kept while names are too: when the order became crowded must not show.
                is_news |= bool(put(self.latest, term, stamp, value))
        if self._name(name, change):
            self.settle(answered_ns)
            return True
        return is_news

    def _name(self, name: str, change: Change) -> bool:
        if self.is_crowded or name in self.shown:
            return False
        held = self.named.get(name)
        # OKX may send it again with a later time: the earliest report
        # counts (docs/venues/okx.md 6).
        if held is not None and _rank(held) <= _rank(change):
            return False
        self.named[name] = change
        return True

    def take_plain(self, name: str, stamp: Stamp, value: Decimal) -> bool:
        """What else was said of a term; returns whether it counts."""
        return bool(put(self.plain, name, stamp, value))

    def settle(self, answered_ns: int) -> None:
        """Keep no more than the names of what an answer must show, and nothing of too many."""
        for name in [one for one in self.named if self.named[one][0][0] < answered_ns]:
            del self.named[name]
            self.shown.add(name)
        # All names at once, and for good: if only the oldest were dropped, it would matter whether
        # a copy came before or after that (decision 0407).
        if len(self.named) + len(self.shown) > CHANGES_MAX:
            self.is_crowded = True
            self.named, self.shown = {}, set()

    def best(self, name: str, answered_ns: int) -> tuple[Any, Any] | None:
        """The term as all of this has it: its stamp and value."""
        place = 1 + CHANGED.index(name)
        said = [(one[0], one[place]) for one in self.named.values() if one[place] is not None]
        # A copy among them may count as news, until an answer must know it (decision 0407).
        if self.is_crowded and name in self.latest and self.latest[name][0][0] >= answered_ns:
            said.append(self.latest[name])
        if name in self.plain:
            said.append(self.plain[name])
        return max(said, default=None)

    def ordinal(self, answered_ns: int) -> tuple[int, int]:
        """When the last of them was made that no answer must show; `NO_ORDINAL` for none."""
        stated = self.latest if self.is_crowded else self.named
        last = max((stamp[:2] for stamp, *_ in stated.values()), default=NO_ORDINAL)
        # A copy that comes after the end is no later life once the order's own row answered.
        return last if last[0] >= answered_ns else NO_ORDINAL

    def join(self, other: "Changes", answered_ns: int) -> None:
        """Join what another link knows."""
        self.is_crowded |= other.is_crowded
        self.shown = set() if self.is_crowded else self.shown | other.shown
        known = {} if self.is_crowded else self.named
        # What either knows by name alone an answer has shown: a report of it is a copy.
        self.named = {name: known[name] for name in known.keys() - self.shown}
        for name, change in other.named.items():
            self._name(name, change)
        for mine, theirs in ((self.plain, other.plain), (self.latest, other.latest)):
            for term, (stamp, value) in theirs.items():
                put(mine, term, stamp, value)
        self.settle(answered_ns)

    def stamps(self) -> set[Stamp]:
        """Every stamp in it."""
        held = (*self.named.values(), *self.plain.values(), *self.latest.values())
        return {one[0] for one in held}

    def dump(self, places: dict[Stamp, int]) -> dict[str, Any]:
        """The complete state, JSON-ready; `places` numbers the stamps."""
        return {
            "named": {
                name: [places[stamp], *map(text_or_none, values)]
                for name, (stamp, *values) in sorted(self.named.items())
            },
            "shown": sorted(self.shown),
            "plain": _dump_registers(self.plain, places),
            "latest": _dump_registers(self.latest, places),
            "is_crowded": self.is_crowded,
        }

    @classmethod
    def load(cls, document: dict[str, Any], stamps: list[Stamp]) -> "Changes":
        """The changes that `dump` gave out."""
        changes = cls()
        for name, (place, price, quantity, trigger) in document["named"].items():
            values = (_optional(price), _optional(quantity), _optional(trigger))
            changes.named[name] = (stamps[place], *values)
        changes.shown = set(document["shown"])
        changes.plain = _load_registers(document["plain"], stamps)
        changes.latest = _load_registers(document["latest"], stamps)
        changes.is_crowded = document["is_crowded"]
        return changes


def _dump_registers(registers: Registers, places: dict[Stamp, int]) -> dict[str, Any]:
    return {
        name: (places[stamp], text_or_none(value))
        for name, (stamp, value) in sorted(registers.items())
    }


def _load_registers(document: dict[str, Any], stamps: list[Stamp]) -> Registers:
    return {name: (stamps[place], Decimal(value)) for name, (place, value) in document.items()}


def _rank(change: Change) -> tuple[Any, ...]:
    """By which the lesser of two reports counts: the earlier one, then by content."""
    stamp, *values = change
    # None has no order among numbers: of one time, a report with a value comes before one without.
    return (stamp, *((value is None, value or Decimal(0)) for value in values))


def _optional(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
