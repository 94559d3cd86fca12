"""An order of several parts: the orders that one conditional order became, side by side. Pure.

A venue may split what a conditional order triggers (OKX: take profit and stop loss): each part has
an id, a quantity and an end of its own. None replaces another, so the order lives while a part
lives, and is closed when each of them is. It is also not closed while parts may be missing: those
known have less than the conditional order asked for, and nothing says that they are all. Which of
this holds follows from the set of links, whatever came first (decision 0406).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from orderloom.quantities import EXACT, ZERO
from processors.orders.tracks.stamps import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from processors.orders.record import Record
    from processors.orders.tracks.links import Link


class Part(NamedTuple):
    """One of the links that no other replaces; `executed` is the larger of fills and claim."""

    name: str
    link: Link
    executed: Decimal
    quantity: Decimal | None

    @property
    def is_full(self) -> bool:
        """Whether it is executed, as far as its quantity shows."""
        return bool(self.quantity) and self.quantity is not None and self.executed >= self.quantity

    @property
    def listed_ns(self) -> int:
        """When the newest question was asked whose answer shows it; 0 for none."""
        return 0 if self.link.asked is None else self.link.asked[0]

    @property
    def is_closed(self) -> bool:
        """Whether nothing more can come of it."""
        return self.is_full or any(word in self.link.other_words for word in TERMINAL)


class Split(NamedTuple):
    """The parts of an order by name, and what was `earlier` executed on links that are no part.

    `awaited` is the id of a conditional order of which parts may be missing, None if there is none;
    `whole` is the quantity of the conditional order that the parts come from, None if unknown.
    """

    parts: tuple[Part, ...]
    earlier: Decimal
    awaited: str | None
    whole: Decimal | None

    @property
    def is_closed(self) -> bool:
        """Whether all parts are known and closed."""
        return self.awaited is None and all(part.is_closed for part in self.parts)

    @property
    def current(self) -> str:
        """Where the order lives: a part that is open, else the id that parts may still come of.

        Of several open ones that which no answer has shown for longest: it is asked about first.
        """
        living = [part for part in self.parts if not part.is_closed]
        if not living:
            return self.awaited or self.parts[-1].name
        # Of equal ones that with the greatest id, whatever came first.
        return min(reversed(living), key=lambda part: part.listed_ns).name

    def has_unlisted(self, lag_ns: int) -> bool:
        """Whether a part that should be open is absent from an answer that shows another open."""
        living = [part for part in self.parts if not part.is_closed]
        latest_ns = max((part.listed_ns for part in living), default=0)
        # One that was reported just before the question may be too young for its answer.
        return any(
            part.listed_ns < latest_ns and part.link.live_ordinal()[0] + lag_ns < latest_ns
            for part in living
        )


def split_of(record: Record) -> Split | None:
    """The parts of an order; None for one that is a plain chain, as nearly all are."""
    if not record.several:
        return None
    pairs = record.replaced | record.parts
    newest = sorted(set(record.links) - {old for old, _ in pairs})
    # What is named as no part is the complete list of what it became (decision 0406).
    awaiting = {old for old, _ in record.parts} - {old for old, _ in record.replaced}
    if not newest or (len(newest) == 1 and not awaiting):
        return None
    executed = _executed(record, newest[-1])
    parts = tuple(_part(name, record.links[name], executed[name]) for name in newest)
    roots = sorted({old for old, _ in pairs} & set(record.links) - {new for _, new in pairs})
    # Only the first of a chain says how much was asked for in all.
    said = [record.links[one].terms.value("quantity") for one in roots]
    wholes = [quantity for quantity in said if quantity is not None]
    missing = [one for one in awaiting if _is_missing(record.links.get(one), parts)]
    # One part that is all of it makes a plain chain.
    if len(newest) == 1 and not missing:
        return None
    earlier = EXACT.subtract(_sum(executed.values()), _sum(part.executed for part in parts))
    return Split(parts, earlier, max(missing, default=None), max(wholes, default=None))


def _part(name: str, link: Link, executed: Decimal) -> Part:
    return Part(name, link, executed, link.terms.value("quantity"))


def _is_missing(conditional: Link | None, parts: tuple[Part, ...]) -> bool:
    """Whether the known parts may be less than was asked for, and the rest was not ended."""
    if conditional is None or any(word in conditional.other_words for word in TERMINAL):
        return False
    asked = conditional.terms.value("quantity")
    known = _sum(part.executed if part.quantity is None else part.quantity for part in parts)
    # Not said of one that closes whatever is held by then, or that is sized in quote: unknown is
    # not closed (decision 0406).
    return asked is None or known < asked


def _executed(record: Record, fallback: str) -> dict[str, Decimal]:
    """What is executed on each link; a fill that names none counts for `fallback`."""
    real = dict.fromkeys(record.links, ZERO)
    for fill in record.fills.values():
        if not fill.is_busted and fill.last_quantity is not None:
            owner = fill.venue_order_id
            name = owner if owner in real else fallback
            real[name] = EXACT.add(real[name], fill.last_quantity)
    return {name: max(real[name], link.executed) for name, link in record.links.items()}


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total
