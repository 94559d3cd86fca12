"""How one product of one venue treats orders, as data. Pure.

A venue fills these in; the markets of this room carry them out. What no field says, a venue adds
as a check of its own, or by overriding one method of its market.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from simulator.accounts import Account
from simulator.instrument import ZERO, Product

if TYPE_CHECKING:
    from simulator.market import Request

Check = Callable[[Any, Account, "Request"], None]
"""Refuses a request to a market, or does nothing."""
PresumedPrice = Literal["start", "ask", "last"]
"""What an order without a price is taken to cost: the market's first price, the best offer, or the
price of the last trade."""
FeeAsset = Literal["received", "quote", "chosen"]
"""Which asset a Spot fee is taken from; chosen: from what is received, or quote as configured."""


@dataclass(frozen=True, slots=True)
class Fees:
    """Shares of what was traded; `rebate` is a maker's rate below zero, where one is configured."""

    maker: Decimal
    taker: Decimal
    step: Decimal
    """Fees and profits are rounded to it."""
    rebate: Decimal = ZERO
    asset: FeeAsset = "received"


@dataclass(frozen=True, slots=True)
class Forced:
    """An order with which the venue itself closes a position."""

    order_type: str = "MARKET"
    time_in_force: str = "GTC"
    name: str = ""
    """Its client order id; `{number}` stands for the moment and three digits of chance."""
    rate: Decimal = ZERO
    """The fee's share."""
    slippage: Decimal = ZERO
    """By which share it closes worse than the position's entry."""
    category: str = "normal"
    """The venue's word for such an order."""
    ends_with: str = "LIQUIDATION"
    """The reason of the open orders that it ends first."""


@dataclass(frozen=True, slots=True)
class Amends:
    """What an amend of an open order does; a venue that only knows new orders has none."""

    keeps_turn: bool = False
    """Whether a smaller quantity alone leaves the order its place in the queue."""
    below_filled: str = "CANCELED"
    """How an order ends whose new quantity is executed already."""
    ends_at_taking: bool = True
    """Whether a post-only order ends that would take at its new price; else the amend fails."""


@dataclass(frozen=True, slots=True)
class Rules:
    """One product of one venue."""

    fees: Fees
    checks: tuple[Check, ...]
    """What a new order must pass, in the venue's order; the first that refuses counts."""
    wallet: Product | None = None
    """Under which product the balances are kept, where that is another."""
    unit: str = "base"
    """What quantities count: `base` units or `contracts`."""
    endowment: Mapping[str, Decimal] = field(default_factory=dict)
    """What an account has at the start besides the assets of its symbols."""
    names_are_venue_wide: bool = False
    """Whether a client order id is looked for at all products and symbols."""
    makes_names: bool = True
    """Whether an order without a client order id gets one."""
    ended_as: Mapping[str, str] = field(default_factory=dict)
    """The venue's status for one of matching's that it does not have."""
    margin_rate: Decimal = ZERO
    presumed_price: PresumedPrice = "last"
    cuts_reducing: bool = False
    """Whether a reducing order that would close too much is made smaller before it is ended."""
    forced: Mapping[str, Forced] = field(default_factory=dict)
    """By LIQUIDATION and ADL."""
    forced_is_nameless: bool = False
    """Whether a forced execution has a number below zero, and none in its push."""
    forced_ends_conditionals: bool = False
    amends: Amends = field(default_factory=Amends)
