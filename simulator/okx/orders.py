"""Orders, wishes and executions with what OKX adds to them."""

from dataclasses import dataclass
from decimal import Decimal

from simulator.accounts import Fill
from simulator.instrument import ZERO
from simulator.market import Request
from simulator.matching import Order


@dataclass(slots=True, eq=False)
class OkxOrder(Order):
    """An order with its tag, its margin mode, and what it cost so far."""

    tag: str = ""
    trade_mode: str = "cash"
    category: str = "normal"
    cancel_source: str = ""
    fee: Decimal = ZERO
    """Charged so far, above zero a cost; the wire shows it with the other sign."""
    fee_currency: str = ""
    profit: Decimal = ZERO
    inverse_value: Decimal = ZERO
    """The sum of quantity / price: what averages an inverse order's price."""
    last_fill: "OkxFill | None" = None

    @property
    def average_price(self) -> Decimal:
        """What it traded at; zero before it has."""
        if not self.filled:
            return ZERO
        if self.inverse_value:
            return self.filled / self.inverse_value
        return self.notional / self.filled


@dataclass(frozen=True, slots=True)
class OkxRequest(Request):
    """A wish in OKX's terms; `quote_size` instead of a quantity where it is sized in quote."""

    tag: str = ""
    trade_mode: str = ""
    quote_size: Decimal = ZERO


@dataclass(slots=True, eq=False)
class OkxFill(Fill):
    """One execution with its bill, which is what fills are paged by."""

    bill_id: int = 0
    sub_type: str = "1"
    tag: str = ""

    @property
    def is_forced(self) -> bool:
        """Whether it is a liquidation or a deleveraging (docs/venues/okx.md 5)."""
        return self.trade_id < 0

    @property
    def is_nameless(self) -> bool:
        """Whether its push says trade id 0: of what was forced (docs/venues/okx.md 5)."""
        return self.is_forced


@dataclass(frozen=True, slots=True)
class Amendment:
    """What a push says of an amend: its result, whose it was, and the request that asked for it."""

    result: str = ""
    source: str = ""
    request_id: str = ""
    code: str = "0"
    message: str = ""


NO_AMENDMENT = Amendment()
