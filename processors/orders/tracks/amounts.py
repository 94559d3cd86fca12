"""How much of an order is executed, and how much it may be: sums over the links of its chain.

Pure. Rules (docs/state-model.md 4.9): what the venue claims is the maximum per link, and links are
summed unless the profile says that a new link carries the count on. Where links are summed, the
quantity of the current link is what was still to be done when it began, so the whole quantity is
that plus what was executed on the links before it (decision 0402). An order closes by
quantity only where its quantity is known in the fills' own unit, or, if sized in quote currency, by
the venue's cumulative quote amount.
"""

from decimal import Decimal
from typing import NamedTuple

from orderloom.quantities import EXACT, ZERO, Unit
from processors.orders.record import Record
from processors.orders.tracks.fills import QUOTIENT, Totals
from processors.orders.tracks.links import Link
from processors.orders.tracks.parts import Split, split_of
from processors.orders.tracks.terms import UNIT


class Amounts(NamedTuple):
    """Native quantities; `quantity` None if unknown or in another unit than the fills.

    `executed` is the larger of the sum of real fills and what the venue claims; `missing` the part
    of it that no execution explains, busted ones included: the claim was made before the bust.
    `ended` is what closed parts of it left undone, or self-trade prevention took: nothing more will
    come of that.
    """

    quantity: Decimal | None
    real: Decimal
    executed: Decimal
    missing: Decimal
    is_full: bool
    ended: Decimal = ZERO


def amounts_of(record: Record, current: Link, *, carries_count: bool) -> Amounts:
    """The amounts of one order; `current` is the link that no other replaces."""
    if record.several:
        split = split_of(record)
        if split is not None:
            return _of_parts(record, current, split)
    quantity = current.terms.value("quantity")
    real = record.totals.quantity
    if real > ZERO and record.is_nameless:  # nothing is left of what was executed without an order
        return Amounts(real, real, real, ZERO, is_full=True)
    if not record.several:
        claimed = current.executed
        executed = real if real >= claimed else claimed
    elif carries_count:
        # A new link's claim holds what the earlier ones executed (docs/state-model.md 4.9).
        executed = max(real, *(link.executed for link in record.links.values()))
    else:
        quantity, executed = _summed(record, current, quantity)
    # The same object where no claim is above the executions: then nothing can be missing.
    missing = ZERO if executed is real else _unexplained(record, executed)
    quote, ended = current.terms.value("quote_quantity"), current.prevented
    # Executions count in base: only the venue's own quote amount says that one sized in quote is
    # full (docs/state-model.md 4.9).
    if quote:
        return Amounts(None, real, executed, missing, current.claimed_quote >= quote)
    if quantity is not None and quantity > ZERO and is_comparable(record, current):
        return Amounts(quantity, real, executed, missing, executed >= quantity, ended)
    return Amounts(None, real, executed, missing, False)


def _of_parts(record: Record, current: Link, split: Split) -> Amounts:
    """The amounts of an order of several parts: what is known of each, and may be missing."""
    executed = quantity = split.earlier
    ended = ZERO
    for part in split.parts:
        executed = EXACT.add(executed, part.executed)
        of_part = part.executed if part.quantity is None else part.quantity
        quantity = EXACT.add(quantity, of_part)
        # What a closed part left undone will not come: it is out of the band (decision 0406).
        if part.is_closed:
            ended = EXACT.add(ended, max(ZERO, EXACT.subtract(of_part, part.executed)))
    is_vague = any(part.quantity is None for part in split.parts)
    real = record.totals.quantity
    missing = _unexplained(record, executed)
    # A part known by an execution alone has no quantity, and others may exist: then only the whole
    # says how much there is (decision 0406).
    is_partial = is_vague or split.awaited is not None
    if (is_partial and split.whole is None) or not is_comparable(record, current):
        return Amounts(None, real, executed, missing, False, ended)
    # What the known ones lack of the whole stays in the band.
    if split.whole is not None and is_partial:
        quantity = max(quantity, split.whole)
    is_full = split.is_closed and executed >= quantity
    return Amounts(quantity, real, executed, missing, is_full, ended)


def _unexplained(record: Record, executed: Decimal) -> Decimal:
    totals = record.totals
    # The venue's claim was made before the bust and includes it (decision 0404).
    explained = EXACT.add(totals.quantity, totals.busted_quantity)
    return max(ZERO, EXACT.subtract(executed, explained))


def average_of(totals: Totals, amounts: Amounts, claimed: Decimal | None) -> Decimal | None:
    """The average price from real fills where they are complete, else what the venue claims."""
    if amounts.executed and _are_complete(totals, amounts):
        return QUOTIENT.divide(totals.notional, totals.quantity)
    return claimed


def _are_complete(totals: Totals, amounts: Amounts) -> bool:
    """Whether all executions are known, and a price of each."""
    return amounts.real == amounts.executed and not totals.unpriced


def claimed_average(totals: Totals, current: Link, amounts: Amounts) -> Decimal | None:
    """The average price that the venue claims; None where executions say it, or there are none."""
    if not amounts.executed or _are_complete(totals, amounts):
        return None
    claimed: Decimal | None = current.terms.value("average_price")
    if claimed:
        return claimed
    if current.claimed and current.claimed_quote:
        return QUOTIENT.divide(current.claimed_quote, current.claimed)
    return None


def is_comparable(record: Record, current: Link) -> bool:
    """Whether the link's quantity is in the unit in which the fills count."""
    unit = current.terms.value(UNIT)  # None where an execution named no quantity
    return unit is not Unit.QUOTE and record.totals.counts_only(unit)


def _summed(
    record: Record, current: Link, quantity: Decimal | None
) -> tuple[Decimal | None, Decimal]:
    """Quantity and executed over a chain whose links each count from zero."""
    executed = earlier = ZERO
    for name, link in record.links.items():
        done = record.executed_on(name)
        executed = EXACT.add(executed, done)
        if link is not current:
            earlier = EXACT.add(earlier, done)
    # Else 10 with 4 executed, replaced by 6, would be full after 2 more (decision 0402).
    return quantity and EXACT.add(quantity, earlier), executed
