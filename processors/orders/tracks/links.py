"""One link of an order's chain: all that reports about one venue order id say, joined.

Pure. A register keeps one field's value with the stamp of the evidence that it came from; the
greater stamp wins, at equal stamps the greater value, never the later arrival (STATE-MODEL section
4, rule 2: venue ordinal, amendment, cumulative quantity, live before terminal, content). Evidence
without an ordinal sorts lowest. What the venue claims in sum is a maximum (rule 9). So a link is a
join: repetitions, older reports and any order of arrival end in the same link.
"""

from collections.abc import Callable
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final

from orderloom.event import OrderReport, Origin
from orderloom.quantities import ZERO, Unit, text_of
from orderloom.words import PositionSide, Reason, Side, Source, Status, TriggerType
from processors.orders.shared_text import shared
from processors.orders.tracks.lifecycle import FORCED

Stamp = tuple[int, int, int, Decimal, int]
Registers = dict[str, tuple[Any, Any]]

LOWEST: Final[Stamp] = (-1, -1, 0, Decimal(-1), 0)
"""The stamp of what an execution says of its order in passing."""
NO_ORDINAL: Final = (-1, -1)

LIVE: Final = "LIVE"
UNTRIGGERED: Final = "UNTRIGGERED"
TERMINAL: Final = ("FILLED", "CANCELED", "EXPIRED", "REJECTED")
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
WITNESS: Final = {Source.STREAM: 1, Source.QUERY: 2, Source.REPLY: 4}

TERMS: Final = (
    "client_order_id",
    "side",
    "order_type",
    "time_in_force",
    "price",
    "quantity",
    "quote_quantity",
    "position_side",
    "margin_mode",
    "trigger_price",
    "trigger_type",
    "activation_price",
    "callback_rate",
    "reduce_only",
    "close_position",
)
REPEATED: Final = frozenset({"order_type", "time_in_force", "margin_mode"})
"""Terms with few different words: all orders share the texts, which each message brings anew."""
TERM_FIELDS: Final = tuple((name, attrgetter(name)) for name in TERMS)
SAME: Final = 0
STORED: Final = 1
SHOWN: Final = 2
"""What taking evidence changed: nothing; the state; what consumers see. Bits. What follows from
several facts (status, average price) counts as STORED here: it is compared after deriving."""


def put(registers: Registers, name: str, stamp: Any, value: Any) -> int:
    """Offer a value to a register; tells what that changed."""
    held = registers.get(name)
    if held is None:
        registers[name] = (stamp, value)
        return STORED | SHOWN
    if stamp < held[0] or (stamp == held[0] and value <= held[1]):
        return SAME
    registers[name] = (stamp, value)
    return STORED if value == held[1] else STORED | SHOWN


class Link:
    """What is known under one venue order id.

    `words` holds for each claim (LIVE, UNTRIGGERED, FILLED, ...) its greatest ordinal and, as bits,
    by which ways it came. `claimed` and `claimed_quote` are the greatest cumulative claims. `asked`
    is the newest question's start (ns) with the cumulative quantity that its answer gave.
    """

    __slots__ = ("asked", "claimed", "claimed_quote", "reasons", "terms", "words")

    def __init__(self) -> None:
        self.terms: Registers = {}
        self.reasons: Registers = {}
        self.words: dict[str, tuple[tuple[int, int], int]] = {}
        self.claimed = ZERO
        self.claimed_quote = ZERO
        self.asked: tuple[int, Decimal] | None = None

    def take(self, report: OrderReport, origin: Origin) -> int:
        """Join one report; tells what that changed."""
        word = WORDS[report.status]
        if word is None and report.is_amendment:
            word = LIVE
        if word is None and report.is_ended:
            word = ENDED
        filled = report.filled_quantity
        stamp: Stamp = (
            *(report.ordinal or NO_ORDINAL),
            int(report.is_amendment),
            LOWEST[3] if filled is None else filled,
            int(word in TERMINAL),
        )
        changed = self._take_terms(report, stamp)
        if word is not None:
            changed |= self._take_word(word, report.ordinal or NO_ORDINAL, WITNESS[origin.source])
        if report.reason is not None:
            rank = (int(report.reason in FORCED), *stamp)
            changed |= put(self.reasons, word or "", rank, report.reason) & STORED
        if filled is not None:
            changed |= self._take_claim(filled, report, origin)
        return changed

    def _take_terms(self, report: OrderReport, stamp: Stamp) -> int:
        changed = SAME
        terms = self.terms
        for name, read in TERM_FIELDS:
            value = read(report)
            if value is not None:
                held = terms.get(name)
                if held is None:
                    terms[name] = (stamp, shared(value) if name in REPEATED else value)
                    changed = STORED | SHOWN
                elif stamp >= held[0]:
                    changed |= put(terms, name, stamp, value)
        if report.average_price is not None:
            changed |= put(terms, "average_price", stamp, report.average_price) & STORED
        is_counted = report.quantity is not None or report.filled_quantity is not None
        unit_stamp = stamp if is_counted else LOWEST  # the unit of an order that closes a position
        return changed | put(terms, "quantity_unit", unit_stamp, report.quantity_unit)

    def _take_word(self, word: str, ordinal: tuple[int, int], witness: int) -> int:
        held = self.words.get(word)
        joined = (ordinal, witness)
        if held is not None:
            joined = (max(held[0], ordinal), held[1] | witness)
        if joined == held:
            return SAME
        self.words[word] = joined
        return STORED

    def _take_claim(self, filled: Decimal, report: OrderReport, origin: Origin) -> int:
        changed = SAME
        if filled > self.claimed:
            self.claimed = filled
            changed = STORED
        if report.filled_quote is not None and report.filled_quote > self.claimed_quote:
            self.claimed_quote = report.filled_quote
            changed = STORED
        if origin.source is Source.QUERY and origin.asked_ns is not None:
            asked = (origin.asked_ns, filled)
            if self.asked is None or asked > self.asked:
                self.asked = asked
                changed |= STORED
        return changed

    def join(self, other: "Link") -> None:
        """Join what another record knows of the same link."""
        for mine, theirs in ((self.terms, other.terms), (self.reasons, other.reasons)):
            for name, (stamp, value) in theirs.items():
                put(mine, name, stamp, value)
        for word, (ordinal, witness) in other.words.items():
            self._take_word(word, ordinal, witness)
        self.claimed = max(self.claimed, other.claimed)
        self.claimed_quote = max(self.claimed_quote, other.claimed_quote)
        if other.asked is not None:
            self.asked = max(self.asked or other.asked, other.asked)

    def dump(self) -> dict[str, Any]:
        """The complete state, JSON-ready and independent of arrival.

        Few reports gave all terms, so `stamps` holds each stamp once, and a register its place.
        """
        held = {stamp for stamp, _ in (*self.terms.values(), *self.reasons.values())}
        stamps = sorted(held)
        places = {stamp: place for place, stamp in enumerate(stamps)}
        return {
            "stamps": [[*stamp[:-2], text_of(stamp[-2]), stamp[-1]] for stamp in stamps],
            "terms": _dump_registers(self.terms, places),
            "reasons": _dump_registers(self.reasons, places),
            "words": {word: self.words[word] for word in sorted(self.words)},
            "claimed": text_of(self.claimed),
            "claimed_quote": text_of(self.claimed_quote),
            "asked": self.asked and [self.asked[0], text_of(self.asked[1])],
        }

    @classmethod
    def load(cls, document: dict[str, Any]) -> "Link":
        """The link that `dump` gave out."""
        link = cls()
        stamps = [(*stamp[:-2], Decimal(stamp[-2]), stamp[-1]) for stamp in document["stamps"]]
        link.terms = _load_registers(document["terms"], stamps)
        link.reasons = _load_registers(document["reasons"], stamps)
        link.words = {word: (tuple(at), seen) for word, (at, seen) in document["words"].items()}
        link.claimed = Decimal(document["claimed"])
        link.claimed_quote = Decimal(document["claimed_quote"])
        if document["asked"] is not None:
            link.asked = (document["asked"][0], Decimal(document["asked"][1]))
        return link


TERM_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "client_order_id": str,
    "side": Side,
    "order_type": shared,
    "time_in_force": shared,
    "price": Decimal,
    "quantity": Decimal,
    "quote_quantity": Decimal,
    "average_price": Decimal,
    "position_side": PositionSide,
    "margin_mode": shared,
    "quantity_unit": Unit,
    "trigger_price": Decimal,
    "trigger_type": TriggerType,
    "activation_price": Decimal,
    "callback_rate": Decimal,
    "reduce_only": bool,
    "close_position": bool,
}


def _dump_registers(registers: Registers, places: dict[Any, int]) -> dict[str, Any]:
    return {
        name: (places[stamp], text_of(value) if type(value) is Decimal else value)
        for name, (stamp, value) in sorted(registers.items())
    }


def _load_registers(document: dict[str, Any], stamps: list[Any]) -> Registers:
    return {
        name: (stamps[place], TERM_READERS.get(name, Reason)(value))
        for name, (place, value) in document.items()
    }
