"""Positions: sums over a set of executions, and the band that unproven orders leave open.

Pure. A position is a function of the set of its executions, not of their arrival: entry price and
realized result are computed in the order (venue time, execution key). Executions mostly come in
that order; one that comes late is put in its place within a short tail, and an older one makes the
position be computed again from all executions (`recompute`). Fees are summed by currency, never
netted (docs/state-model.md 4.11). The band is what open orders may still do (4.5):
[net - open sells, net + open buys]. Quantities are native. A realized result is in the currency in
which the instrument settles: it is shown once the contract's size is known, and inverse contracts
(quote units of the base asset) average as the venues do: quantity by sum of quantity over price.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Context, Decimal
from typing import Any, Final, NamedTuple

from orderloom.quantities import EXACT, ZERO, base_text, text_of, text_or_none
from orderloom.words import Product
from processors.account.tail import Row, Segments

TAIL_MAX: Final = 64
TAIL_KEPT: Final = 32
AVERAGE: Final = Context(prec=40)
"""Average prices are quotients, and realized results come from them: 40 digits, half even.

Net quantities, bands and fees are sums, and stay exact."""


class Traded(NamedTuple):
    """One execution as positions need it; `quantity` is signed, above 0 for a buy."""

    venue_ns: int
    key: str
    quantity: Decimal
    price: Decimal


AFTER: Final = "\uffff"
"""Sorts behind every execution's key: all of that time are before it."""


@dataclass(slots=True)
class Sums:
    """Net quantity, its average entry price, and the result realized so far, a contract being 1."""

    net: Decimal = ZERO
    entry: Decimal = ZERO
    realized: Decimal = ZERO
    is_inverse: bool = False

    def add(self, quantity: Decimal, price: Decimal) -> None:
        """Take one execution in: it opens, closes, or does both."""
        if not self.net or (self.net > 0) == (quantity > 0):
            self.entry = self._average(quantity, price)
            self.net = EXACT.add(self.net, quantity)
            return
        closed = min(quantity.copy_abs(), self.net.copy_abs())
        gain = AVERAGE.multiply(self._gain(price), closed)
        self.realized = AVERAGE.add(self.realized, gain if self.net > 0 else gain.copy_negate())
        was_long = self.net > 0
        self.net = EXACT.add(self.net, quantity)
        if not self.net:
            self.entry = ZERO
        # Turned over: what is held now was all opened at this price.
        elif (self.net > 0) != was_long:
            self.entry = price

    def _average(self, quantity: Decimal, price: Decimal) -> Decimal:
        """The entry price once `quantity` was added at `price`."""
        held, added = self.net.copy_abs(), quantity.copy_abs()
        if not held:
            return price
        if not self.is_inverse:
            value = AVERAGE.fma(added, price, AVERAGE.multiply(held, self.entry))
            return AVERAGE.divide(value, AVERAGE.add(held, added))
        if not (self.entry and price):  # no venue trades at nothing: a number from a broken frame
            return self.entry
        coins = AVERAGE.add(AVERAGE.divide(held, self.entry), AVERAGE.divide(added, price))
        return AVERAGE.divide(AVERAGE.add(held, added), coins)

    def _gain(self, price: Decimal) -> Decimal:
        """What one unit of a long wins at `price`."""
        if not self.is_inverse:
            return AVERAGE.subtract(price, self.entry)
        if not (self.entry and price):
            return ZERO
        return AVERAGE.subtract(AVERAGE.divide(1, self.entry), AVERAGE.divide(1, price))


@dataclass(slots=True)
class Movement:
    """What some executions moved of an account's assets: base, quote (paid), fees by currency."""

    net: Decimal = ZERO
    paid: Decimal = ZERO
    fees: dict[str, Decimal] = field(default_factory=dict)

    def add(self, traded: Traded) -> None:
        """One more."""
        self.net = EXACT.add(self.net, traded.quantity)
        self.paid = EXACT.add(self.paid, EXACT.multiply(traded.quantity, traded.price))


class PositionOpening(NamedTuple):
    """What was held at a venue time (ns), and which executions are contained in it.

    Those are all up to `floor_ns`, and the `contained` ones by their keys: a time does not show
    executions of one millisecond apart, and an execution may become known late. They are all that
    the openings of the symbol contain: an execution whose side or margin mode becomes known late
    moves to another position, and stays contained in the opening of the former.
    """

    at_ns: int
    sums: Sums
    floor_ns: int
    contained: tuple[str, ...]


@dataclass(slots=True)
class HeldPosition:
    """One position: product + symbol + side + margin mode of one account.

    `segments` is the tail as it is saved: apart from the sums, as of it little changes in a step.
    """

    product: str
    symbol: str
    position_side: str
    margin_mode: str | None
    quantity_unit: str
    base: Sums = field(default_factory=Sums)
    tail: list[Traded] = field(default_factory=list)
    forgotten: tuple[int, str] = (-1, "")
    opening: PositionOpening | None = None
    now: Sums = field(default_factory=Sums)
    paid: Decimal = ZERO
    """Quantity times price over all executions, above 0 for what was bought."""
    fees: dict[str, Decimal] = field(default_factory=dict)
    contained_ns: int = -1
    contained: Movement = field(default_factory=Movement)
    """What executions up to `contained_ns` moved: the balances of first contact hold it."""
    open_buys: Decimal = ZERO
    open_sells: Decimal = ZERO
    unknown_leaves: int = 0
    closing_buys: int = 0
    """How many orders wait to buy back whatever is held short by then; `closing_sells`: long."""
    closing_sells: int = 0
    version: int = 0
    shown_unbounded: bool = True
    is_doubted: bool = False
    """The venue's own figure differs: see `position_check`."""
    contract_size: Decimal | None = None
    """Base (quote, if inverse) for one of the native unit; None until the instrument is known."""
    segments: Segments = field(default_factory=Segments)
    place: str = field(init=False)
    """Product, symbol and side; margin modes together."""
    key: str = field(init=False)
    """The position's key within its account."""

    def __post_init__(self) -> None:
        self.base.is_inverse = self.now.is_inverse = self.is_inverse
        self.place = f"{self.product}/{self.symbol}/{self.position_side}"
        self.key = f"{self.place}/{self.margin_mode or ''}"

    @property
    def is_inverse(self) -> bool:
        """Whether its contracts count quote units."""
        return self.product == Product.INVERSE

    @property
    def last_ns(self) -> int:
        """The venue's time of the youngest execution, in ns; 0 if there is none."""
        return self.tail[-1].venue_ns if self.tail else max(self.forgotten[0], 0)

    def trade(self, traded: Traded) -> bool:
        """Take one execution in; False if it is older than the tail: recompute."""
        if (traded.venue_ns, traded.key) <= self.forgotten:
            return False
        self._pay(traded)
        if not self.tail or traded > self.tail[-1]:
            self.tail.append(traded)
            self.now.add(traded.quantity, traded.price)
        else:
            # Counted in venue time: any arrival gives the same entry
            # price and result (decision 0003).
            self.tail.insert(bisect_left(self.tail, traded), traded)
            self._replay()
        self.segments.add(_row(traded))
        if len(self.tail) > TAIL_MAX:
            self._forget()
            self.segments.forget(self.forgotten)
        return True

    def begin(self, opening: PositionOpening) -> None:
        """The position begins with this opening; the tail must reach back to it: see `sums_at`."""
        self.opening = opening
        self._start(self.tail)

    def sums_at(self, at_ns: int) -> Sums | None:
        """The position as it was at a venue time, in ns; None where the tail is too short."""
        if self.forgotten[0] > at_ns:
            return None
        sums = replace(self.base)
        for traded in self.tail:
            if traded.venue_ns <= at_ns:
                sums.add(traded.quantity, traded.price)
        return sums

    def recompute(self, executions: Iterable[Traded]) -> None:
        """The position from all its executions."""
        every = list(executions)
        self.paid, self.contained = ZERO, Movement()
        for one in every:
            self._pay(one)
        self._start(every)

    def _pay(self, traded: Traded) -> None:
        self.paid = EXACT.add(self.paid, EXACT.multiply(traded.quantity, traded.price))
        if traded.venue_ns <= self.contained_ns:
            self.contained.add(traded)

    def _start(self, executions: Iterable[Traded]) -> None:
        """The sums from the opening on; `executions` hold at least all that are younger."""
        self.base, self.forgotten = Sums(is_inverse=self.is_inverse), (-1, "")
        contained: tuple[str, ...] = ()
        if self.opening is not None:
            _, held, floor_ns, contained = self.opening
            # What is no younger than the floor is in the opening, whenever it
            # becomes known (decision 0009).
            self.base, self.forgotten = replace(held), (floor_ns, AFTER)
        self.tail = sorted(
            one
            for one in executions
            # By id too: a time alone would lose one of two executions of a
            # millisecond (decision 0009).
            if (one.venue_ns, one.key) > self.forgotten and one.key not in contained
        )
        self._replay()
        self._forget()
        self.segments.begin(map(_row, self.tail))

    def _replay(self) -> None:
        self.now = replace(self.base)
        for traded in self.tail:
            self.now.add(traded.quantity, traded.price)

    def _forget(self) -> None:
        gone, self.tail = self.tail[:-TAIL_KEPT], self.tail[-TAIL_KEPT:]
        for traded in gone:
            self.base.add(traded.quantity, traded.price)
            self.forgotten = (traded.venue_ns, traded.key)

    def charge(self, currency: str, fee: Decimal, venue_ns: int) -> None:
        """Add a fee of that time in one currency (below 0: a rebate, or a correction downwards)."""
        held = self.fees.get(currency)
        self.fees[currency] = fee if held is None else EXACT.add(held, fee)
        if venue_ns <= self.contained_ns:
            fees = self.contained.fees
            fees[currency] = EXACT.add(fees.get(currency, ZERO), fee)

    def view(self, *, unbounded: bool) -> dict[str, Any]:
        """What `positions` shows, without account, sequence and cause."""
        size, net = self.contract_size, self.now.net
        lowest = min(net, ZERO) if self.closing_sells else net  # what is held may be closed first
        highest = max(net, ZERO) if self.closing_buys else net
        return {
            "product": self.product,
            "symbol": self.symbol,
            "position_side": self.position_side,
            "margin_mode": self.margin_mode,
            "net": text_of(self.now.net),
            "quantity_unit": self.quantity_unit,
            "average_entry": text_of(self.now.entry) if self.now.net else None,
            "opening": None if self.opening is None else _shown(self.opening),
            "contract_size": text_or_none(size),
            "net_base": base_text(self.now.net, size, is_inverse=self.is_inverse),
            # In the currency of settlement, for which the contract's
            # size is needed (decision 0008).
            "realized": None if size is None else text_of(_times(self.now.realized, size)),
            "fees": {currency: text_of(fee) for currency, fee in sorted(self.fees.items())},
            "low": text_of(EXACT.subtract(lowest, self.open_sells)),
            "high": text_of(EXACT.add(highest, self.open_buys)),
            "unbounded": unbounded or self.is_doubted or self.unknown_leaves > 0,
        }

    def dump(self) -> dict[str, Any]:
        """The state but for the tail, JSON-ready; that is in `segments`."""
        return {
            "id": [
                self.product, self.symbol, self.position_side, self.margin_mode,
                self.quantity_unit,
            ],
            "base": _texts(self.base),
            "forgotten": self.forgotten,
            "opening": None if self.opening is None else _dumped(self.opening),
            "paid": text_of(self.paid),
            "fees": {currency: text_of(fee) for currency, fee in sorted(self.fees.items())},
            "open": [
                text_of(self.open_buys), text_of(self.open_sells), self.unknown_leaves,
                self.closing_buys, self.closing_sells,
            ],
            "version": self.version,
            "shown_unbounded": self.shown_unbounded,
            "is_doubted": self.is_doubted,
            "contract_size": text_or_none(self.contract_size),
            **({} if self.contained == Movement() else {"contained": _moved(self.contained)}),
        }  # fmt: skip

    @classmethod
    def load(cls, document: dict[str, Any]) -> "HeldPosition":
        """The position that `dump` gave out; `load_tail` after all of its segments."""
        position = cls(*document["id"])
        position.base = _sums_of(document["base"], is_inverse=position.is_inverse)
        at, key = document["forgotten"]
        position.forgotten = (at, key)
        if document["opening"] is not None:
            at_ns, texts, floor_ns, contained = document["opening"]
            held = _sums_of(texts, is_inverse=position.is_inverse)
            position.opening = PositionOpening(at_ns, held, floor_ns, tuple(contained))
        position.paid = Decimal(document["paid"])
        position.fees = {name: Decimal(fee) for name, fee in document["fees"].items()}
        buys, sells, position.unknown_leaves, *closing = document["open"]
        position.closing_buys, position.closing_sells = closing or (0, 0)
        position.open_buys, position.open_sells = Decimal(buys), Decimal(sells)
        position.version = document["version"]
        position.shown_unbounded = document["shown_unbounded"]
        position.is_doubted = document["is_doubted"]
        if (moved := document.get("contained")) is not None:
            net, paid, fees = moved
            fees = {name: Decimal(fee) for name, fee in fees.items()}
            position.contained = Movement(Decimal(net), Decimal(paid), fees)
        size = document["contract_size"]
        position.contract_size = None if size is None else Decimal(size)
        return position

    def load_tail(self, segments: Segments) -> None:
        """Take back the tail; some of the oldest segment may be in the sums by now."""
        self.segments = segments
        every = (
            Traded(at, key, Decimal(quantity), Decimal(price))
            for at, key, quantity, price in segments.rows()
        )
        self.tail = sorted(one for one in every if (one.venue_ns, one.key) > self.forgotten)
        self._replay()


def _times(realized: Decimal, size: Decimal) -> Decimal:
    return realized if size == 1 else AVERAGE.multiply(realized, size)


def _row(traded: Traded) -> Row:
    return traded.venue_ns, traded.key, text_of(traded.quantity), text_of(traded.price)


def _sums_of(texts: list[str], *, is_inverse: bool) -> Sums:
    net, entry, realized = map(Decimal, texts)
    return Sums(net, entry, realized, is_inverse)


def _shown(opening: PositionOpening) -> dict[str, Any]:
    sums = opening.sums
    entry = text_of(sums.entry) if sums.net else None
    return {"venue_ns": opening.at_ns, "net": text_of(sums.net), "average_entry": entry}


def _dumped(opening: PositionOpening) -> list[Any]:
    return [opening.at_ns, _texts(opening.sums), opening.floor_ns, opening.contained]


def _moved(moved: Movement) -> list[Any]:
    fees = {currency: text_of(fee) for currency, fee in sorted(moved.fees.items())}
    return [text_of(moved.net), text_of(moved.paid), fees]


def _texts(sums: Sums) -> list[str]:
    return [text_of(sums.net), text_of(sums.entry), text_of(sums.realized)]
