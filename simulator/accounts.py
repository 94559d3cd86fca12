"""The books of one account: balances, positions and fills. Exact decimals, no wire."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from simulator.config import AccountConfig
from simulator.instrument import ZERO, Product, Side
from simulator.matching import Order

if TYPE_CHECKING:
    from simulator.conditional import Conditional

ENTRY_STEP = Decimal("0.00000001")


@dataclass(slots=True)
class Balance:
    """What an account has of one asset."""

    free: Decimal = ZERO
    locked: Decimal = ZERO


@dataclass(slots=True)
class Position:
    """A net position: above zero is long; `entry` is the average price, `realized` before fees.

    `contract` is what an amount of one stands for: base units, or quote units at the inverse
    product, where profit is in the base asset.
    """

    amount: Decimal = ZERO
    entry: Decimal = ZERO
    realized: Decimal = ZERO
    product: Product = "linear"
    contract: Decimal = Decimal(1)

    def apply(self, change: Decimal, price: Decimal) -> Decimal:
        """Add a signed execution and return the profit that it realized."""
        closed = _closed_part(self.amount, change)
        profit = self.profit_of(-closed, price) if closed else ZERO
        opened, kept = change - closed, self.amount + closed
        if opened:
            entry = self._mean(abs(kept), abs(opened), price)
            self.entry = entry.quantize(ENTRY_STEP, ROUND_HALF_EVEN)
        self.amount = kept + opened
        if not self.amount:
            self.entry = ZERO
        self.realized += profit
        return profit

    def profit_of(self, amount: Decimal, price: Decimal) -> Decimal:
        """What a signed amount of it would win or lose at `price`."""
        if self.product == "inverse":
            return (1 / self.entry - 1 / price) * amount * self.contract
        return (price - self.entry) * amount * self.contract

    def _mean(self, kept: Decimal, opened: Decimal, price: Decimal) -> Decimal:
        if not kept:
            return price
        if self.product == "inverse":
            return (kept + opened) / (kept / self.entry + opened / price)
        return (self.entry * kept + price * opened) / (kept + opened)


def _closed_part(amount: Decimal, change: Decimal) -> Decimal:
    """The part of a signed `change` that goes against `amount`, with the sign of `change`."""
    if amount * change >= 0:
        return ZERO
    return min(abs(amount), abs(change)) * (1 if change > 0 else -1)


@dataclass(slots=True)
class PositionState:
    """What a venue tells of a position besides its amount and price."""

    fees: Decimal = ZERO
    """Charged, above zero a cost."""
    funding: Decimal = ZERO
    trade_id: str = ""
    created_ms: int = 0
    updated_ms: int = 0


@dataclass(slots=True, eq=False)
class Fill:
    """One execution of one order, and what became of the frames that told of it."""

    account: str
    product: Product
    symbol: str
    trade_id: int
    order_id: int
    client_order_id: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_currency: str
    is_maker: bool
    venue_ms: int
    position_side: str = "BOTH"
    realized: Decimal = ZERO
    number: int = 0
    """Its place among all executions of the venue, in the order in which they were booked."""
    tag: str = ""
    forced: str = ""
    """LIQUIDATION or ADL, where the venue closed a position with it."""
    is_dropped: bool = False
    is_blind: bool = False
    is_in_flight: bool = False
    is_late: bool = False
    """Told only after its order's end."""
    deliveries: list[tuple[int, int]] = field(default_factory=list)
    """(connection id, ms when written) of each full report that was written to a socket."""
    lite_deliveries: int = 0
    is_nameless: bool = False
    """Whether the venue's push tells of it without its id, which look-ups alone name."""

    @property
    def signed_quantity(self) -> Decimal:
        """The quantity as it moves a position."""
        return self.quantity if self.side == "BUY" else -self.quantity


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a venue writes what the books count in whole numbers, for who compares with its wire."""

    order: Callable[[Product, int], str] = lambda product, number: str(number)
    execution: Callable[[Fill], str] = lambda fill: str(fill.trade_id)
    says_fees: bool = True
    """Whether look-ups say what an execution cost, and in which asset."""


class Account:
    """One set of credentials and its books at every product."""

    def __init__(self, config: AccountConfig, spelling: Spelling | None = None) -> None:
        self.config = config
        self.spelling = spelling or Spelling()
        self.name = config.name
        self.number = 0
        """Its place among the venue's accounts; the id that the venue gives it follows."""
        self.credentials = {config.api_key: config}
        """The account as each of its keys shows it; `config` is how it was made."""
        self.balances: dict[Product, dict[str, Balance]] = defaultdict(dict)
        self.positions: dict[tuple[str, str], Position] = {}
        self.position_states: dict[tuple[str, str], PositionState] = defaultdict(PositionState)
        self.orders: dict[tuple[Product, str], dict[int, Order]] = defaultdict(dict)
        self.open_orders: dict[Product, dict[tuple[str, int], Order]] = defaultdict(dict)
        self.open_at: dict[tuple[Product, str], dict[int, Order]] = defaultdict(dict)
        """The same by symbol: an account may have thousands at others."""
        self.by_client_id: dict[tuple[Product, str, str], Order] = {}
        self.by_name: dict[str, Order] = {}
        """The latest order with a client order id, whatever its product and symbol."""
        self.all_orders: list[Order] = []
        """All orders in the order of their making, whatever their product and symbol."""
        self.all_fills: list[Fill] = []
        """All executions in the order of their numbers."""
        self.conditionals: dict[Product, dict[int, Conditional]] = defaultdict(dict)
        self.fills: dict[tuple[Product, str], list[Fill]] = defaultdict(list)

    def balance(self, product: Product, asset: str) -> Balance:
        """The balance of `asset`, made when it is first touched."""
        return self.balances[product].setdefault(asset, Balance())

    def position(self, symbol: str, position_side: str) -> Position:
        """The position of a contract, made when it is first touched."""
        return self.positions.setdefault((symbol, position_side), Position())

    def amount_of(self, symbol: str, position_side: str) -> Decimal:
        """The signed amount held; looking makes no position, whose terms a market must set."""
        position = self.positions.get((symbol, position_side))
        return Decimal(0) if position is None else position.amount

    def conditional(self, number: int | None, name: str) -> "Conditional | None":
        """The one with this number, else the latest with this client order id."""
        found = [
            one
            for rows in self.conditionals.values()
            for one in rows.values()
            if (one.client_order_id == name if number is None else one.order_id == number)
        ]
        return found[-1] if found else None

    def remember(self, product: Product, order: Order) -> None:
        """Take a new order into the books."""
        self.orders[product, order.symbol][order.order_id] = order
        self.open_orders[product][order.symbol, order.order_id] = order
        self.open_at[product, order.symbol][order.order_id] = order
        self.all_orders.append(order)
        self.by_client_id[product, order.symbol, order.client_order_id] = order
        if order.client_order_id:
            self.by_name[order.client_order_id] = order
        if order.parent is not None:
            order.parent.children.append(order)

    def forget_open(self, product: Product, order: Order) -> None:
        """The order ended."""
        self.open_orders[product].pop((order.symbol, order.order_id), None)
        self.open_at[product, order.symbol].pop(order.order_id, None)
