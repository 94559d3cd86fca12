"""What is asked of a market, and what a market needs from outside."""

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from string import ascii_letters, digits
from typing import Any

from simulator.accounts import Account
from simulator.clock import Clock
from simulator.conditional import Conditional
from simulator.engine.numbering import Numbers
from simulator.instrument import ZERO, Side
from simulator.journal import Journal
from simulator.message import Publish
from simulator.visibility import View


@dataclass(frozen=True, slots=True)
class World:
    """What a market needs from outside: time, accounts, listeners, chance and numbers."""

    clock: Clock
    accounts: dict[str, Account]
    publish: Publish
    random: Random
    numbers: Numbers
    face: Any
    """The venue's own settings."""
    journal: Journal
    view: View = field(default_factory=View)


@dataclass(frozen=True, slots=True)
class Request:
    """A wish for a new order; a price of zero where it has none.

    The words of type and time in force are those of `Order`: LIMIT, MARKET or LIMIT_MAKER, and
    GTC, IOC, FOK or GTX.
    """

    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal = ZERO
    order_type: str = "LIMIT"
    time_in_force: str = "GTC"
    client_order_id: str = ""
    self_trade_mode: str = "EXPIRE_MAKER"
    position_side: str = "BOTH"
    reduce_only: bool = False
    parent: Conditional | None = None
    tag: str = ""
    """What its owner calls it besides its client order id."""
    margin_mode: str = ""
    """The venue's word for how it is paid for; empty for the usual way."""
    quote_size: Decimal = ZERO
    """How much of the quote asset it may spend, instead of a quantity."""

    @property
    def is_post_only(self) -> bool:
        """Whether it may not take."""
        return "LIMIT_MAKER" in self.order_type or self.time_in_force == "GTX"


def random_id(random: Random) -> str:
    """A client order id as web pages make them: 22 letters and digits."""
    return "".join(random.choices(ascii_letters + digits, k=22))
