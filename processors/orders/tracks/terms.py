"""The terms of one venue order id: each a register, and of most orders all of one report.

Pure. A report gives nearly every term, and the next one gives the same with a later stamp. So the
terms stand together, as one row of values with one stamp, for as long as one report gave them all;
where two reports each gave some, they stand apart, each a register with its own stamp. Both forms
mean the same, and what is saved of them is the same.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final

from orderloom.event import OrderReport
from orderloom.quantities import Unit, text_of
from orderloom.words import OrderType, PositionSide, Side, TimeInForce, TriggerType
from processors.orders.remembered import Remembered
from processors.orders.shared_text import shared
from processors.orders.tracks.registers import (
    LOWEST,
    NOTHING_SAID,
    SAME,
    SHOWN,
    STORED,
    Registers,
    Stamp,
    own,
    put,
)

UNIT: Final = "quantity_unit"
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
    UNIT,
)
Row = tuple[Any, ...]
"""A value for each of `TERMS`; None where nothing was said."""
ROW_OF: Final[Callable[[OrderReport], Row]] = attrgetter(*TERMS)
PLACE: Final = {name: place for place, name in enumerate(TERMS)}
MARGIN_MODE: Final = PLACE["margin_mode"]
"""Few different words: all orders share the texts, which each message brings anew."""
TRAILING: Final = PLACE["activation_price"]
AVERAGE: Final = "average_price"
"""Not a term: it changes with each execution, and so always stands apart."""
IN_ORDER: Final = tuple(sorted((*TERMS, AVERAGE)))


class Terms:
    """What is said of one order's terms.

    `row` holds them while one report, of `stamp`, gave them all, else it is None and `registers`
    has each; the average price is always there.
    """

    __slots__ = ("registers", "row", "stamp")

    def __init__(self) -> None:
        self.row: Row | None = None
        self.stamp: Stamp = LOWEST
        self.registers: Mapping[str, tuple[Any, Any]] = NOTHING_SAID

    def value(self, name: str) -> Any:
        """The present value; None where nothing was said."""
        if self.row is not None and name in PLACE:
            return self.row[PLACE[name]]
        held = self.registers.get(name)
        return None if held is None else held[1]

    def held(self, name: str) -> tuple[Any, Any] | None:
        """The present value behind its stamp; None where nothing was said."""
        if self.row is None or name not in PLACE:
            return self.registers.get(name)
        value = self.row[PLACE[name]]
        return None if value is None else (self.stamp, value)

    def take(self, row: Row, stamp: Stamp) -> int:
        """Join what one report says, all of it with its stamp; returns what that changed."""
        held = self.row
        if held is None:
            held = self._held_before(stamp)
        elif stamp <= self.stamp:
            # At an equal stamp the greater value counts, so term by term is looked
            # at (docs/state-model.md 4.2).
            if row == held or (stamp < self.stamp and _covers(held, row)):
                return SAME
            held = None
        # What nearly every report is: the same terms at a later time (decision 0408).
        elif row == held:
            self.stamp = stamp
            return STORED
        # One that leaves out a term must not hide what another report said of it.
        if held is None or not _covers(row, held):
            return self._put_each(row, stamp)
        self._begin(row, stamp)
        return STORED if row == held else STORED | SHOWN

    def offer(self, name: str, stamp: Stamp, value: Any) -> int:
        """Join one value; returns what that changed."""
        if self.row is not None and name in PLACE:
            # Older than the row and no news: what an execution says of its order in passing.
            if stamp < self.stamp and self.row[PLACE[name]] is not None:
                return SAME
            self.spread()
        self.registers = held = own(self.registers)
        return put(held, name, stamp, value)

    def spread(self) -> Registers:
        """The terms as registers, each apart from here on."""
        self.registers = held = own(self.registers)
        if self.row is not None:
            row, self.row = self.row, None
            for name, value in zip(TERMS, row, strict=True):
                if value is not None:
                    held[name] = (self.stamp, value)
        return held

    def all(self) -> Registers:
        """Each with its stamp, in the order of their names."""
        found = ((name, self.held(name)) for name in IN_ORDER)
        return {name: held for name, held in found if held is not None}

    def _held_before(self, stamp: Stamp) -> Row | None:
        """The row that the registers make, if they are all older than `stamp`; else None."""
        if stamp <= LOWEST:
            return None
        held = self.registers
        if any(at >= stamp for name, (at, _) in held.items() if name != AVERAGE):
            return None
        return tuple(held[name][1] if name in held else None for name in TERMS)

    def _begin(self, row: Row, stamp: Stamp) -> None:
        """From here on, one report gave all."""
        if self.row is None:
            average = self.registers.get(AVERAGE)
            self.registers = NOTHING_SAID if average is None else {AVERAGE: average}
        self.row, self.stamp = _sharing(row), stamp

    def _put_each(self, row: Row, stamp: Stamp) -> int:
        changed, registers = SAME, self.spread()
        for name, value in zip(TERMS, _sharing(row), strict=True):
            if value is not None:
                changed |= put(registers, name, stamp, value)
        return changed

    def dump(self, places: dict[Any, int]) -> dict[str, Any]:
        """JSON-ready: for each the place of its stamp, and its value."""
        if self.row is not None and len(places) == 1 and self.row[TRAILING] is None:
            average = self.registers.get(AVERAGE)
            said = DUMPED.of(self.row)
            return said if average is None else {AVERAGE: (0, text_of(average[1])), **said}
        return dump_registers(self.all(), places)

    def stamps(self) -> set[Stamp]:
        """Those of all that is held."""
        own = {self.stamp} if self.row is not None else set()
        return own | {stamp for stamp, _ in self.registers.values()}

    @classmethod
    def load(cls, document: dict[str, Any], stamps: list[Any]) -> "Terms":
        """The terms that `dump` gave out."""
        terms = cls()
        terms.registers = load_registers(document, stamps, READERS)
        held = {stamp for name, (stamp, _) in terms.registers.items() if name != AVERAGE}
        # One stamp on all of them means the same as a row, whichever it was when it was saved.
        if len(held) == 1 and (stamp := held.pop()) > LOWEST:
            said = terms.registers
            row = tuple(said[name][1] if name in said else None for name in TERMS)
            terms._begin(row, stamp)
        return terms


ROW_IN_ORDER: Final = tuple((name, PLACE[name]) for name in sorted(TERMS))
READERS: Final[dict[str, Callable[[str], Any]]] = {
    "client_order_id": str,
    "side": Side,
    "order_type": OrderType,
    "time_in_force": TimeInForce,
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


def _dumped(row: Row) -> dict[str, Any]:
    """The terms of a row beside no other stamp than its own."""
    return {
        name: (0, text_of(value) if type(value) is Decimal else value)
        for name, at in ROW_IN_ORDER
        if (value := row[at]) is not None
    }


DUMPED: Final = Remembered(_dumped)


def _covers(row: Row, other: Row) -> bool:
    """Whether `row` says each term that `other` says."""
    return all(mine is not None or theirs is None for mine, theirs in zip(row, other, strict=True))


def _sharing(row: Row) -> Row:
    mode = row[MARGIN_MODE]
    return row if mode is None else (*row[:MARGIN_MODE], shared(mode), *row[MARGIN_MODE + 1 :])


def dump_registers(
    registers: Mapping[str, tuple[Any, Any]], places: dict[Any, int]
) -> dict[str, Any]:
    """JSON-ready: for each the place of its stamp, and its value."""
    return {
        name: (places[stamp], text_of(value) if type(value) is Decimal else value)
        for name, (stamp, value) in sorted(registers.items())
    }


def load_registers(
    document: dict[str, Any], stamps: list[Any], readers: dict[str, Callable[[str], Any]]
) -> Registers:
    """The registers that `dump_registers` gave out."""
    return {
        name: (stamps[place], readers[name](value)) for name, (place, value) in document.items()
    }
