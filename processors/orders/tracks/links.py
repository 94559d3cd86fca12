"""One link of an order's chain: all that reports about one venue order id say, joined.

Pure. Terms are registers (`terms`), changes of terms that the venue named stand apart (`changes`).
Evidence without an ordinal sorts lowest (docs/state-model.md 4.2), what the venue claims in sum is
a maximum (4.9). So a link is a join: repetitions, older reports and any order of arrival end in the
same link.
"""

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from orderloom.event import OrderReport, Origin
from orderloom.quantities import EXACT, ZERO, Unit, text_of
from orderloom.words import Reason, Source, Status
from processors.orders.tracks.changes import CHANGED, Changes
from processors.orders.tracks.lifecycle import FORCED
from processors.orders.tracks.registers import (
    LOWEST,
    NEVER_NS,
    NO_ORDINAL,
    NOTHING_SAID,
    SAME,
    SHOWN,
    STORED,
    Stamp,
    own,
    put,
)
from processors.orders.tracks.stamps import ended_by, shown_until_ns, stamp_of
from processors.orders.tracks.terms import (
    AVERAGE,
    ROW_OF,
    TERMS,
    UNIT,
    Terms,
    dump_registers,
    load_registers,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

LIVE: Final = "LIVE"
UNTRIGGERED: Final = "UNTRIGGERED"
ENDED: Final = "ENDED"
"""Closed, and not how: any of the terminal words stands above it."""
WORDS: Final[dict[Status | None, str | None]] = {
    None: None,
    Status.PENDING: None,
    Status.WAITING_TRIGGER: UNTRIGGERED,
    Status.ACTIVE: LIVE,
    Status.PARTIALLY_FILLED: LIVE,
    Status.FILLED: "FILLED",
    Status.CANCELED: "CANCELED",
    Status.EXPIRED: "EXPIRED",
    Status.REJECTED: "REJECTED",
}
Word = tuple[tuple[int, int], int]
UNSAID: Final[Word] = (NO_ORDINAL, 0)
WITNESS: Final = {Source.STREAM: 1, Source.QUERY: 2, Source.REPLY: 4}


class Link:
    """What is known under one venue order id, its `name`.

    Of each claim (LIVE, UNTRIGGERED, FILLED, ...) its greatest ordinal is held and, as bits, by
    which ways it came: of LIVE, which an open order mostly has alone, in `live_at` and `live_ways`,
    of the others in `other_words`. `claimed` and `claimed_quote` are the greatest cumulative
    claims, as is `prevented`, what self-trade prevention took; `is_whole`: FILLED was said without
    any. `asked` is the newest question's start (ns) with the cumulative quantity that its answer
    gave. `changes` are those that the venue named, None where there are none; `answered_ns` is up
    to when an answer surely shows them: the newest question's start less the venue's visibility
    lag.
    """

    __slots__ = (
        "answered_ns",
        "asked",
        "changes",
        "claimed",
        "claimed_quote",
        "is_whole",
        "live_at",
        "live_ways",
        "name",
        "other_words",
        "prevented",
        "reasons",
        "terms",
    )

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.terms = Terms()
        self.changes: Changes | None = None
        self.reasons: Mapping[str, tuple[Any, Any]] = NOTHING_SAID
        self.live_at = NO_ORDINAL
        self.live_ways = 0
        self.other_words: Mapping[str, Word] = NOTHING_SAID
        self.claimed = ZERO
        self.claimed_quote = ZERO
        self.is_whole = False
        self.prevented = ZERO
        self.asked: tuple[int, Decimal] | None = None
        self.answered_ns = NEVER_NS

    def take(self, report: OrderReport, origin: Origin, lag_ns: int = 0) -> int:
        """Join one report; returns what that changed. `lag_ns`: how far the venue's answers lag."""
        word = WORDS[report.status]
        # Only what lives is amended, so an amendment is a sign of life (docs/state-model.md 3.2).
        if word is None and report.is_amendment:
            word = LIVE
        if word is None and report.is_ended:
            word = ENDED
        filled, ordinal = report.filled_quantity, report.ordinal or NO_ORDINAL
        answered_ns = shown_until_ns(report, origin, lag_ns)
        stamp = stamp_of(report, word, answered_ns)
        changed = self._take_terms(report, stamp)
        # Its terms keep the lowest stamp; but without a time no later life could
        # void the end (decision 0307).
        if word == ENDED and report.ordinal is None:
            ordinal = ended_by(report, origin)
        if report.change_id is not None:
            changed |= self._take_change(report, stamp)
            if word == LIVE:  # since when is a matter of the change
                ordinal = NO_ORDINAL
        if word is not None:
            changed |= self.take_word(word, ordinal, WITNESS[origin.source])
        if report.reason is not None:
            # Rows of USD-M's REST do not say why an order expired: the guess from its terms comes
            # later, and must not hide the stream's word (docs/venues/binance.md 4.2).
            is_said = not report.is_reason_inferred
            rank = (int(report.reason in FORCED), int(is_said), *stamp)
            changed |= self.offer_reason(word or "", rank, report.reason)
        if filled is not None:
            changed |= self._take_claim(filled, report, origin)
        elif report.status is Status.FILLED and not self.is_whole:
            self.is_whole, changed = True, changed | STORED
        # With DECREMENT the order lives on with less: no end (docs/venues/binance.md 3.1).
        if report.prevented_quantity is not None and report.prevented_quantity > self.prevented:
            self.prevented = report.prevented_quantity
            changed |= STORED
        return changed | self._take_answer(answered_ns)

    def repeat(self, asked_ns: int, lag_ns: int) -> None:
        """The newest question's answer came again, to a question that was begun then."""
        assert self.asked is not None
        # The same row has the same cumulative; `lists.is_plain` keeps no other row (decision 0016).
        self.asked = max(self.asked, (asked_ns, self.asked[1]))
        self._take_answer(asked_ns - lag_ns)

    @property
    def executed(self) -> Decimal:
        """What the venue claims to be executed: all of it where it said FILLED, and no amount."""
        if not self.is_whole or self.terms.value(UNIT) is Unit.QUOTE:
            return self.claimed
        # Else the executions that are still to come would be neither missing
        # nor in the band (docs/state-model.md 3.7).
        whole = EXACT.subtract(self.terms.value("quantity") or ZERO, self.prevented)
        return max(self.claimed, whole)

    def live_ordinal(self) -> tuple[int, int]:
        """When it was last said to live; `NO_ORDINAL` if it never was, or without a time."""
        if self.changes is None:
            return self.live_at
        # A change proves life at its own time, not at that of a copy which came after the end.
        return max(self.live_at, self.changes.ordinal(self.answered_ns))

    @property
    def words(self) -> dict[str, Word]:
        """All claims, each with its greatest ordinal and by which ways it came."""
        live = {LIVE: (self.live_at, self.live_ways)} if self.live_ways else {}
        return {**live, **self.other_words}

    def _take_terms(self, report: OrderReport, stamp: Stamp) -> int:
        is_named = report.change_id is not None
        is_counted = report.quantity is not None or report.filled_quantity is not None
        if is_counted and not is_named and self.changes is None:
            changed = self.terms.take(ROW_OF(report), stamp)
        else:  # the unit of an order that closes a position is said in passing
            unit_stamp = stamp if is_counted else LOWEST
            changed = self._take_each(report, stamp, unit_stamp, is_named=is_named)
        # With a named change it is not taken: executions have it (decision 0407).
        if report.average_price is not None and not is_named:
            changed |= self.terms.offer(AVERAGE, stamp, report.average_price) & STORED
        return changed

    def _take_each(
        self, report: OrderReport, stamp: Stamp, unit_stamp: Stamp, *, is_named: bool
    ) -> int:
        """Term by term; where the venue names changes, what they change stands beside the terms."""
        changed = SAME
        has_changes = is_named or self.changes is not None
        for name, value in zip(TERMS, ROW_OF(report), strict=True):
            if value is None:
                continue
            if has_changes and name in CHANGED:
                # What a named change itself gives is joined under its name: see `_take_change`.
                changed |= SAME if is_named else self._take_plain(name, stamp, value)
            else:
                at = unit_stamp if name == UNIT else stamp
                changed |= self.terms.offer(name, at, value)
        return changed

    def _take_plain(self, name: str, stamp: Stamp, value: Any) -> int:
        assert self.changes is not None
        is_news = self.changes.take_plain(name, stamp, value)
        return STORED | self._show_changed() if is_news else SAME

    def _take_change(self, report: OrderReport, stamp: Stamp) -> int:
        assert report.change_id is not None
        change = (stamp, report.price, report.quantity, report.trigger_price)
        is_news = self._own_changes().take(report.change_id, change, self.answered_ns)
        return STORED | self._show_changed() if is_news else SAME

    def _own_changes(self) -> Changes:
        """The changes; with the first of them, what was said of the same terms moves there."""
        if self.changes is None:
            self.changes = Changes()
            terms = self.terms.spread()
            self.changes.plain = {name: terms[name] for name in CHANGED if name in terms}
        return self.changes

    def _show_changed(self) -> int:
        assert self.changes is not None
        changed, terms = SAME, self.terms.spread()
        for name in CHANGED:
            best, held = self.changes.best(name, self.answered_ns), terms.get(name)
            if best == held:
                continue
            if best is None:  # an answer knows this change, and no such term
                del terms[name]
            else:
                terms[name] = best
            changed |= SHOWN if held is None or best is None or held[1] != best[1] else SAME
        return changed

    def _take_answer(self, answered_ns: int) -> int:
        if answered_ns <= self.answered_ns:
            return SAME
        self.answered_ns = answered_ns
        if self.changes is None:
            return STORED
        self.changes.settle(answered_ns)
        return STORED | self._show_changed()

    def offer_reason(self, word: str, stamp: Any, reason: Reason) -> int:
        """Why it closed, by one word; what that changed."""
        self.reasons = held = own(self.reasons)
        # Whether it is shown depends on the other words too: that is compared after deriving.
        return put(held, word, stamp, reason) & STORED

    def take_word(self, word: str, ordinal: tuple[int, int], ways: int) -> int:
        """Join one claim; what that changed."""
        is_live = word == LIVE
        held = (self.live_at, self.live_ways) if is_live else self.other_words.get(word, UNSAID)
        joined = (ordinal, ways)
        if held[1]:
            # By which ways it came is what makes it CORROBORATED (docs/state-model.md 3.8).
            joined = (max(held[0], ordinal), held[1] | ways)
        if joined == held:
            return SAME
        if is_live:
            self.live_at, self.live_ways = joined
        else:
            self.other_words = {**self.other_words, word: joined}
        return STORED

    def _take_claim(self, filled: Decimal, report: OrderReport, origin: Origin) -> int:
        changed = SAME
        # A maximum: an older cumulative lowers nothing (docs/state-model.md 3.7).
        if filled > self.claimed:
            self.claimed = filled
            changed = STORED
        if report.filled_quote is not None and report.filled_quote > self.claimed_quote:
            self.claimed_quote = report.filled_quote
            changed = STORED
        # The newest stands beside the maximum: if it is lower, an execution may have been
        # busted (`query-below-fills`).
        is_answer = origin.source is Source.QUERY and not report.is_past
        if is_answer and origin.asked_ns is not None:
            asked = (origin.asked_ns, filled)
            if self.asked is None or asked > self.asked:
                self.asked = asked
                changed |= STORED
        return changed

    def join(self, other: "Link") -> None:
        """Join what another record knows of the same link."""
        # First: it decides which changes of the two still count.
        self.answered_ns = max(self.answered_ns, other.answered_ns)
        self._join_terms(other)
        for name, (stamp, value) in other.reasons.items():
            self.offer_reason(name, stamp, value)
        for word, (ordinal, ways) in other.words.items():
            self.take_word(word, ordinal, ways)
        self.claimed = max(self.claimed, other.claimed)
        self.claimed_quote = max(self.claimed_quote, other.claimed_quote)
        self.is_whole |= other.is_whole
        self.prevented = max(self.prevented, other.prevented)
        if other.asked is not None:
            self.asked = max(self.asked or other.asked, other.asked)

    def _join_terms(self, other: "Link") -> None:
        if other.changes is not None:
            self._own_changes().join(other.changes, self.answered_ns)
        for name, (stamp, value) in other.terms.all().items():
            if self.changes is None or name not in CHANGED:
                self.terms.offer(name, stamp, value)
            elif other.changes is None:  # else it was joined above
                self.changes.take_plain(name, stamp, value)
        if self.changes is not None:
            # The other's answers may outrank changes that counted here until now.
            self.changes.settle(self.answered_ns)
            self._show_changed()

    def dump(self) -> dict[str, Any]:
        """The complete state, JSON-ready and independent of arrival.

        Few reports gave all terms, so `stamps` holds each stamp once, and a register its place.
        """
        stamps = self._stamps()
        places = {stamp: place for place, stamp in enumerate(stamps)}
        return {
            # Reasons have two numbers more in front; the cumulative, a Decimal, is last but one.
            "stamps": [[*stamp[:-2], text_of(stamp[-2]), stamp[-1]] for stamp in stamps],
            "terms": self.terms.dump(places),
            "reasons": dump_registers(self.reasons, places),
            "words": dict(sorted(self.words.items())),
            "claimed": text_of(self.claimed),
            "claimed_quote": text_of(self.claimed_quote),
            "prevented": text_of(self.prevented),
            "asked": self.asked and [self.asked[0], text_of(self.asked[1])],
            "answered_ns": self.answered_ns,
            **({"is_whole": True} if self.is_whole else {}),
            **({} if self.changes is None else {"changes": self.changes.dump(places)}),
        }

    def _stamps(self) -> list[Any]:
        held = self.terms.stamps()
        if self.reasons:
            held.update(stamp for stamp, _ in self.reasons.values())
        if self.changes is not None:
            held |= self.changes.stamps()
        return sorted(held)

    @classmethod
    def load(cls, name: str, document: dict[str, Any]) -> "Link":
        """The link of this name that `dump` gave out."""
        link = cls(name)
        stamps = [(*stamp[:-2], Decimal(stamp[-2]), stamp[-1]) for stamp in document["stamps"]]
        link.terms = Terms.load(document["terms"], stamps)
        reasons = document["reasons"]
        link.reasons = load_registers(reasons, stamps, dict.fromkeys(reasons, Reason))
        for word, ((ordinal, place), ways) in document["words"].items():
            link.take_word(word, (ordinal, place), ways)
        link.claimed = Decimal(document["claimed"])
        link.claimed_quote = Decimal(document["claimed_quote"])
        link.prevented = Decimal(document["prevented"])
        if document["asked"] is not None:
            link.asked = (document["asked"][0], Decimal(document["asked"][1]))
        link.answered_ns = document["answered_ns"]
        link.is_whole = "is_whole" in document
        if "changes" in document:
            link.changes = Changes.load(document["changes"], stamps)
        return link
