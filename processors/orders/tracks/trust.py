"""The trust track: how sure we are of an order, and which contradictions stand against it.

Pure. Both are functions of the set of evidence, never of its arrival (docs/state-model.md 3.6, 3.8,
4.8): where the transition table raises a dispute in one order of arrival and not in the other, the
set decides, on the side of caution (decision 0401). Only SETTLED is not: it is granted by the
account, which knows of blind intervals and of correction windows.
"""

from decimal import Decimal
from typing import Final, NamedTuple

from orderloom.quantities import EXACT, ZERO
from orderloom.words import Completeness, Lifecycle, Reason, Trust
from processors.orders.record import Record
from processors.orders.tracks.amounts import Amounts, amounts_of, claimed_average
from processors.orders.tracks.fills import completeness
from processors.orders.tracks.lifecycle import (
    ABSENT,
    BY_FACTS,
    CANCEL_CLAIMED,
    CLOSED,
    EXECUTED,
    EXPIRY_CLAIMED,
    FORCED,
    FULL,
    LIVE,
    REJECT_CLAIMED,
    UNTRIGGERED,
    inferred_reason,
)
from processors.orders.tracks.links import ENDED, UNSAID, Link
from processors.orders.tracks.links import UNTRIGGERED as UNTRIGGERED_WORD
from processors.orders.tracks.parts import Split, split_of
from processors.orders.tracks.registers import NO_ORDINAL
from processors.orders.tracks.stamps import TERMINAL
from venues.venue import MILLISECOND_NS, Profile

TERMINALS_DIFFER: Final = "terminals-differ"
"""The venue closed the order in two ways that the profile does not call a normal pair."""
LIVE_AFTER_END: Final = "live-after-end"
"""A live report is of a later venue time than the words that closed the order."""
REJECTED_WITH_FILLS: Final = "rejected-with-fills"
ABSENCE_UNPROVEN: Final = "absence-unproven"
"""Closed by absence, and the complete list of its trades has not been seen."""
ABSENCE_VOIDED: Final = "absence-voided"
"""Proven absent, and yet seen at a later time."""
ABSENCE_REFUTED: Final = "absence-refuted"
"""Proven absent, and yet the venue says FILLED."""
OVERFILLED: Final = "overfilled"
FILLS_DIFFER: Final = "fills-differ"
"""Two sources differ on a field of one execution."""
FILLS_MISSED_BY_VENUE: Final = "query-below-fills"
"""A question asked well after the fills were made has a lower cumulative: possibly a bust."""

NO_EVIDENCE: Final = Link()
FACT_OF_WORD: Final = {
    UNTRIGGERED_WORD: UNTRIGGERED,
    "FILLED": FULL,
    "CANCELED": CANCEL_CLAIMED,
    "EXPIRED": EXPIRY_CLAIMED,
    "REJECTED": REJECT_CLAIMED,
    ENDED: ABSENT,  # as weak as our own inference: later life voids it
}
CLAIMED: Final = FULL | CANCEL_CLAIMED | EXPIRY_CLAIMED | REJECT_CLAIMED


class Derived(NamedTuple):
    """What follows from the evidence about one order.

    `claimed_average` is None where the average price follows from the sums of the executions.
    """

    lifecycle: Lifecycle
    reason: Reason | None
    disputes: tuple[str, ...]
    trust: Trust
    completeness: Completeness
    amounts: Amounts
    claimed_average: Decimal | None


def derive(record: Record, profile: Profile) -> Derived:
    """Everything that follows from a record: a pure function of it."""
    current = record.sole or record.links.get(record.current(), NO_EVIDENCE)
    amounts = amounts_of(record, current, carries_count=profile.carries_count)
    split = None if record.sole is not None else split_of(record)
    links: tuple[Link, ...] = (current,)
    if split is None:
        facts = facts_of(record, current, amounts)
        disputes = _disputes(record, current, amounts, facts, profile)
    else:
        facts, disputes = _of_parts(record, split, amounts, profile)
        links = tuple(part.link for part in split.parts)
    lifecycle = BY_FACTS[facts]
    return Derived(
        lifecycle,
        _reason(links, lifecycle, facts) if lifecycle in CLOSED else None,
        disputes,
        _least_trust(record, links, lifecycle),
        completeness(amounts.real, amounts.missing, amounts.quantity),
        amounts,
        claimed_average(record.totals, current, amounts),
    )


def _of_parts(
    record: Record, split: Split, amounts: Amounts, profile: Profile
) -> tuple[int, tuple[str, ...]]:
    """Facts and disputes of an order of several parts.

    Each part is closed by its own words and quantity; the order only once all of them are, FILLED
    where they all are, else as those are that are not.
    """
    facts, disputes = LIVE, set[str]()
    ends: list[int] = []
    for part in split.parts:
        own = Amounts(part.quantity, ZERO, part.executed, ZERO, part.is_full)
        # Absence is proven of the order and not of a part: it counts once, below.
        said = facts_of(record, part.link, own) & ~ABSENT
        disputes.update(_disputes(record, part.link, own, said, profile))
        ends.append(said)
    if amounts.executed:
        facts |= EXECUTED
    if record.absent_ns is not None and not is_voided(record):
        facts |= ABSENT
    if split.is_closed:
        left = [said & CLAIMED for said in ends if BY_FACTS[said] is not Lifecycle.FILLED]
        facts |= FULL if not left else 0
        for claims in left:
            facts |= claims
    return facts, tuple(sorted(disputes))


def facts_of(record: Record, current: Link, amounts: Amounts) -> int:
    """The facts of the lifecycle track, as bits. Terminal words count on the current link alone."""
    facts = FULL if amounts.is_full else 0
    if current.live_ways:
        facts |= LIVE
    for word in current.other_words:
        facts |= FACT_OF_WORD[word]
    # So far only an end of which is not said how can have set it (decision 0307).
    if facts & ABSENT and (_is_live_after(current, [ENDED]) or _is_live_at_all(current)):
        facts &= ~ABSENT
    # A fill proves that it was accepted; NEW may come later or never (docs/venues/binance.md 6).
    if amounts.executed:
        facts |= EXECUTED | LIVE
    elif record.fills:  # busted, and yet it was alive
        facts |= LIVE
    if record.absent_ns is not None and not is_voided(record):
        facts |= ABSENT
    # Ends count on the current link alone, life on any (docs/state-model.md 3.4).
    if record.several:
        facts |= _life_on_any_link(record)
    return facts


def is_voided(record: Record) -> bool:
    """Whether the order is known to have existed after the look-up that proved it absent began."""
    if record.seen_ns is None or record.absent_ns is None:
        return False
    return record.seen_ns > record.absent_ns


def _life_on_any_link(record: Record) -> int:
    facts = 0
    for link in record.links.values():
        if link.live_ways:
            facts |= LIVE
        if UNTRIGGERED_WORD in link.other_words:
            facts |= UNTRIGGERED
    return facts


def _reason(links: tuple[Link, ...], lifecycle: Lifecycle, facts: int) -> Reason | None:
    """Why it closed, by the word that closed it; of several parts, by the last that said so."""
    # Of any link, under any word or none: executions bring it too (docs/state-model.md 1.4).
    forced = [entry for link in links for entry in link.reasons.values() if entry[1] in FORCED]
    if forced:
        reason: Reason = max(forced)[1]
        return reason
    # The venue ended it and did not say why: that it dropped the order is not known.
    if not facts & CLAIMED and any(ENDED in link.other_words for link in links):
        return None
    inferred = inferred_reason(facts)
    if inferred is not None:
        return inferred
    # An order that was refused at its trigger may be reported as expired too: the refusal says why.
    is_refused = facts & REJECT_CLAIMED and lifecycle is Lifecycle.EXPIRED
    word = "REJECTED" if is_refused else lifecycle.value
    said = max((link.reasons[word] for link in links if word in link.reasons), default=None)
    return None if said is None else said[1]


def _disputes(
    record: Record, current: Link, amounts: Amounts, facts: int, profile: Profile
) -> tuple[str, ...]:
    found: list[str] = []
    ends: list[str] = []
    if facts & CLAIMED:
        ends = [word for word in TERMINAL if word in current.other_words]
        if ends and _differ(ends, amounts, profile):
            found.append(TERMINALS_DIFFER)
        if ends and not facts & FULL and _is_live_after(current, ends):
            found.append(LIVE_AFTER_END)
        if facts & REJECT_CLAIMED and facts & EXECUTED:
            found.append(REJECTED_WITH_FILLS)
    # Beside a claim it is no contradiction: the order's own word stands above it (decision 0307).
    elif ENDED in current.other_words and _is_live_after(current, [ENDED]):
        found.append(LIVE_AFTER_END)
    if record.absent_ns is not None:
        found.extend(_doubts_of_absence(record, ends, facts))
    if amounts.quantity is not None and amounts.executed > amounts.quantity:
        found.append(OVERFILLED)
    if record.totals.conflicted:
        found.append(FILLS_DIFFER)
    if current.asked is not None and _is_below_fills(record, current, profile):
        found.append(FILLS_MISSED_BY_VENUE)
    return tuple(sorted(found)) if found else ()


def _differ(ends: list[str], amounts: Amounts, profile: Profile) -> bool:
    """Whether two ends were claimed, or one other than FILLED of an order that is executed."""
    # Counted as a claim, or it would matter whether the executions or the other
    # end came first (decision 0401).
    if amounts.is_full and "FILLED" not in ends:
        ends = ["FILLED", *ends]
    if len(ends) == 1:
        return False
    pairs = profile.normal_pairs
    return any(
        frozenset((one, other)) not in pairs
        for place, one in enumerate(ends)
        for other in ends[place + 1 :]
    )


def _is_live_after(current: Link, ends: list[str]) -> bool:
    live = current.live_ordinal()
    ended = max(current.other_words[word][0] for word in ends)
    # Sources write the same moment with other precision and other sub-ordinals: a millisecond apart
    # Of an end without a time nothing is known to be later.
    return ended != NO_ORDINAL and live[0] // MILLISECOND_NS > ended[0] // MILLISECOND_NS


def _is_live_at_all(current: Link) -> bool:
    """Whether life is known with its time, and of the end neither how nor when it came."""
    return current.other_words[ENDED][0] == NO_ORDINAL and current.live_ordinal() != NO_ORDINAL


def _doubts_of_absence(record: Record, ends: list[str], facts: int) -> list[str]:
    if "FILLED" in ends:
        return [ABSENCE_REFUTED]
    # An end explains that it is absent.
    if ends or facts & FULL:
        return []
    if is_voided(record):
        return [ABSENCE_VOIDED]
    # Trades listed before it was last seen may lack what was executed since.
    is_settled = record.settled_ns is not None and record.settled_ns >= (record.seen_ns or 0)
    return [] if is_settled else [ABSENCE_UNPROVEN]


def _is_below_fills(record: Record, current: Link, profile: Profile) -> bool:
    """Whether the newest question's cumulative is less than what was surely visible to it."""
    assert current.asked is not None
    asked_ns, filled = current.asked
    # Of several links an answer counts one, and the executions are of all.
    if filled >= record.totals.quantity or record.several:
        return False
    visible_ns = asked_ns - profile.visibility_lag_ns
    visible = ZERO
    for fill in record.fills.values():
        if fill.is_busted or fill.last_quantity is None or fill.venue_ns is None:
            continue
        # A younger one the answer need not show.
        if fill.venue_ns <= visible_ns:
            visible = EXACT.add(visible, fill.last_quantity)
    return visible > filled


def _least_trust(record: Record, links: tuple[Link, ...], lifecycle: Lifecycle) -> Trust:
    if len(links) == 1:
        return _trust(record, links[0], lifecycle)
    return min((_trust(record, link, lifecycle) for link in links), key=list(Trust).index)


def _trust(record: Record, current: Link, lifecycle: Lifecycle) -> Trust:
    if record.totals.busted or record.totals.corrected:
        return Trust.CORRECTED
    ways = current.live_ways
    if lifecycle in CLOSED or lifecycle is Lifecycle.WAITING_TRIGGER:
        word = lifecycle.value if lifecycle in CLOSED else UNTRIGGERED_WORD
        _, ways = current.other_words.get(word, UNSAID)
    # More than one bit is set: two ways said it.
    return Trust.CORROBORATED if ways & (ways - 1) else Trust.OBSERVED


def provisional(graced: Decimal, amounts: Amounts) -> Decimal:
    """The missing quantity whose time of grace is over: `graced` is what was executed by then."""
    if not amounts.missing or amounts.executed <= graced:
        return amounts.missing
    # A later, larger gap has a grace of its own (docs/state-model.md 3.7).
    younger = EXACT.subtract(amounts.executed, graced)
    return max(ZERO, EXACT.subtract(amounts.missing, younger))
