"""Price-time priority matching of one symbol. Pure: no clock, no money, no wire.

- The best price trades first; at one price the order that came first.
- A trade happens at the price of the order that rests (the maker).
- An order trades, rests, or ends; the book is never crossed when a call has ended.
- The remainder of IOC and MARKET expires; FOK trades in full or not at all.
- A post-only order that would take is refused before it exists (`WouldTake`).
- Orders of one owner do not trade with each other unless their mode is NONE.
- Calls are generators: each event is handed out while orders stand exactly as it left
  them, so that whoever reports it sees that moment. Run them to their end.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from simulator.instrument import ZERO, Side

if TYPE_CHECKING:
    from simulator.accounts import Fill
    from simulator.conditional import Conditional

OPEN_STATUSES = ("NEW", "PARTIALLY_FILLED")


class WouldTake(Exception):
    """A post-only order met a price that it could trade with."""


@dataclass(slots=True, eq=False)
class Order:
    """One order; `owner` is an account's name, or empty for the anonymous market."""

    order_id: int
    owner: str
    symbol: str
    side: Side
    order_type: str
    time_in_force: str
    price: Decimal
    quantity: Decimal
    client_order_id: str = ""
    self_trade_mode: str = "EXPIRE_MAKER"
    position_side: str = "BOTH"
    reduce_only: bool = False
    created_ms: int = 0
    updated_ms: int = 0
    filled: Decimal = ZERO
    notional: Decimal = ZERO
    prevented: Decimal = ZERO
    locked: Decimal = ZERO
    status: str = "NEW"
    reason: str = ""
    amendments: int = 0
    unit: str = "base"
    """What quantities count: `base` units or `contracts`."""
    quote_size: Decimal = ZERO
    """How much of the quote asset it may spend, where that is how it was sized."""
    is_contradicted: bool = False
    """Whether the stream told another end of it than the books have."""
    parent: "Conditional | None" = None
    """The conditional order that became this one."""
    tag: str = ""
    """What its owner calls it besides its client order id."""
    forced: str = ""
    """LIQUIDATION or ADL, where the venue made it to close a position."""
    category: str = "normal"
    """The venue's word for what kind of order it is."""
    fee: Decimal = ZERO
    """Charged so far, above zero a cost."""
    fee_currency: str = ""
    profit: Decimal = ZERO
    """Realized so far, before fees."""
    inverse_value: Decimal = ZERO
    """The sum of quantity / price of an inverse contract: what averages its price."""
    last_fill: "Fill | None" = None

    @property
    def remaining(self) -> Decimal:
        """What may still trade."""
        return self.quantity - self.filled - self.prevented

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.status in OPEN_STATUSES

    @property
    def is_market(self) -> bool:
        """Whether it takes any price."""
        return self.order_type == "MARKET"

    @property
    def average_price(self) -> Decimal:
        """What it traded at; zero before it has."""
        if not self.filled:
            return ZERO
        if self.inverse_value:
            return self.filled / self.inverse_value
        return self.notional / self.filled


@dataclass(frozen=True, slots=True)
class Accepted:
    """The order exists."""

    order: Order


@dataclass(frozen=True, slots=True)
class Traded:
    """One match; both orders already count it."""

    maker: Order
    taker: Order
    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Prevented:
    """Self-trade prevention took `quantity` from `order`; its status says if that ended it."""

    order: Order
    counter: Order
    price: Decimal
    quantity: Decimal
    match_quantity: Decimal
    order_is_taker: bool


@dataclass(frozen=True, slots=True)
class Closed:
    """The order ended without a trade: CANCELED or EXPIRED, with the reason."""

    order: Order


@dataclass(frozen=True, slots=True)
class Amended:
    """The order has new terms."""

    order: Order


Event = Accepted | Traded | Prevented | Closed | Amended


class BookSide:
    """Orders of one side by price, then by arrival."""

    def __init__(self, side: Side) -> None:
        self._sign = 1 if side == "SELL" else -1
        self._ranks: list[Decimal] = []
        self._levels: dict[Decimal, dict[int, Order]] = {}

    def add(self, order: Order) -> None:
        """Queue `order` behind those of its price."""
        level = self._levels.get(order.price)
        if level is None:
            level = self._levels[order.price] = {}
            insort(self._ranks, self._sign * order.price)
        level[order.order_id] = order

    def remove(self, order: Order) -> None:
        """Take `order` away; it must be here."""
        level = self._levels[order.price]
        del level[order.order_id]
        if not level:
            del self._levels[order.price]
            del self._ranks[bisect_left(self._ranks, self._sign * order.price)]

    def best(self) -> Order | None:
        """The order that trades next."""
        return next(iter(self), None)

    def __iter__(self) -> Iterator[Order]:
        """All orders, best first."""
        for rank in self._ranks:
            yield from self._levels[self._sign * rank].values()


class Book:
    """The two sides of one symbol."""

    def __init__(self) -> None:
        self.bids = BookSide("BUY")
        self.asks = BookSide("SELL")

    def would_take(self, side: Side, price: Decimal) -> bool:
        """Whether a limit order at `price` would trade at once."""
        best = self._against(side).best()
        return best is not None and _crosses(side, price, best.price)

    def submit(self, order: Order, *, is_post_only: bool = False) -> Iterator[Event]:
        """Take a new order in; `WouldTake` where it is post-only and would trade."""
        if is_post_only and self.would_take(order.side, order.price):
            raise WouldTake
        yield Accepted(order)
        if order.time_in_force == "FOK" and self._available(order) < order.remaining:
            yield self._close(order, "EXPIRED", "FOK")
            return
        yield from self._match(order)
        if order.is_open:
            if order.is_market or order.time_in_force in ("IOC", "FOK"):
                yield self._close(order, "EXPIRED", "MARKET" if order.is_market else "IOC")
            else:
                self._own(order.side).add(order)

    def cancel(self, order: Order, status: str = "CANCELED", reason: str = "USER") -> Closed:
        """End an open order that rests here."""
        assert order.is_open, "only an open order can be ended"
        self._own(order.side).remove(order)
        return self._close(order, status, reason)

    def reduce(self, order: Order, quantity: Decimal) -> Amended:
        """Lower the quantity in place; the order keeps its turn."""
        assert order.filled + order.prevented < quantity < order.quantity, "not a reduction"
        order.quantity = quantity
        order.amendments += 1
        return Amended(order)

    def replace(self, order: Order, price: Decimal, quantity: Decimal) -> Iterator[Event]:
        """Give the order new terms; it queues again and may trade at once."""
        assert order.filled + order.prevented < quantity, "the new quantity is already executed"
        self._own(order.side).remove(order)
        order.price, order.quantity = price, quantity
        order.amendments += 1
        yield Amended(order)
        yield from self._match(order)
        if order.is_open:
            self._own(order.side).add(order)

    def _match(self, taker: Order) -> Iterator[Event]:
        side = self._against(taker.side)
        while taker.is_open and (maker := side.best()) is not None:
            if not taker.is_market and not _crosses(taker.side, taker.price, maker.price):
                return
            if _is_prevented(taker, maker):
                yield from self._prevent(taker, maker)
            else:
                yield self._trade(taker, maker)

    def _trade(self, taker: Order, maker: Order) -> Traded:
        quantity = min(taker.remaining, maker.remaining)
        for order in (maker, taker):
            order.filled += quantity
            order.notional += quantity * maker.price
            order.status = "PARTIALLY_FILLED" if order.remaining else _end_status(order)
        if not maker.is_open:
            self._against(taker.side).remove(maker)
        return Traded(maker, taker, maker.price, quantity)

    def _prevent(self, taker: Order, maker: Order) -> Iterator[Prevented]:
        match_quantity = min(taker.remaining, maker.remaining)
        for order, counter in ((taker, maker), (maker, taker)):
            is_taker = order is taker
            taken = _prevented_quantity(taker.self_trade_mode, order, match_quantity, is_taker)
            if not taken:
                continue
            order.prevented += taken
            if not order.remaining:
                order.status, order.reason = "EXPIRED_IN_MATCH", "STP"
                if not is_taker:
                    self._own(order.side).remove(order)
            yield Prevented(order, counter, maker.price, taken, match_quantity, is_taker)

    def depth(self, side: Side, price: Decimal) -> Decimal:
        """What a limit order at `price` could trade at once, whoever owns it."""
        total = ZERO
        for maker in self._against(side):
            if not _crosses(side, price, maker.price):
                break
            total += maker.remaining
        return total

    def _available(self, taker: Order) -> Decimal:
        total = ZERO
        for maker in self._against(taker.side):
            is_in_reach = taker.is_market or _crosses(taker.side, taker.price, maker.price)
            if not is_in_reach or total >= taker.remaining:
                break
            if not _is_prevented(taker, maker):
                total += maker.remaining
            elif taker.self_trade_mode != "EXPIRE_MAKER":
                break  # there the taker itself ends, or becomes smaller
        return total

    def _close(self, order: Order, status: str, reason: str) -> Closed:
        order.status, order.reason = status, reason
        return Closed(order)

    def _own(self, side: Side) -> BookSide:
        return self.bids if side == "BUY" else self.asks

    def _against(self, side: Side) -> BookSide:
        return self.asks if side == "BUY" else self.bids


def _crosses(side: Side, price: Decimal, other: Decimal) -> bool:
    return price >= other if side == "BUY" else price <= other


def _is_prevented(taker: Order, maker: Order) -> bool:
    is_own = taker.owner != "" and taker.owner == maker.owner
    return is_own and taker.self_trade_mode != "NONE"


def _end_status(order: Order) -> str:
    # What prevention took is not filled: such an order ends as prevented, not as filled.
    return "EXPIRED_IN_MATCH" if order.prevented else "FILLED"


def _prevented_quantity(mode: str, order: Order, matched: Decimal, is_taker: bool) -> Decimal:
    """What the mode takes from this order: all that is left of it, the match, or nothing."""
    if mode == "DECREMENT":
        return matched
    expires = mode in ("EXPIRE_BOTH", "EXPIRE_TAKER" if is_taker else "EXPIRE_MAKER")
    return order.remaining if expires else ZERO
