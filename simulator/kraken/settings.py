"""What a simulated Kraken can be told that no other venue can. Pure.

What docs/venues/kraken.md calls unconfirmed, or where sources disagree, is a setting here.
"""

from typing import Annotated, Literal

from pydantic import Field

from simulator.instrument import Product
from simulator.section import Section

Chance = Annotated[float, Field(ge=0, le=1)]
INVERSE = ("BTC", "ETH", "XRP")


class KrakenSettings(Section):
    """Limits, lifetimes, and how much the venue says (docs/venues/kraken.md 2, 3, 9 and 13)."""

    scale: float = Field(default=1, gt=0)
    """Every limit times this."""
    level: Literal["starter", "intermediate", "pro"] = "starter"
    """Of the accounts, on which the counters of Spot depend."""
    history_cost: float = 4
    """What `TradesHistory` adds to the counter; older pages say 2."""
    limit_status: int = 200
    """The HTTP status of `apiLimitExceeded`."""
    token_s: float = 900
    """How long a token that was not used opens a subscription."""
    idle_s: float = 60
    """A connection on which nothing was said for so long is ended."""
    heartbeat_s: float = 1
    flush_s: float = 0.1
    """How often Futures tells of positions and balances that changed."""
    history_rows: int = Field(default=500, ge=1)
    """How many events a page of the history of Futures has."""
    last_fill_is_partial: Chance = 0.8
    """How often the last fill says `partially_filled`."""
    follow_up_has_name: Chance = 0.3
    """How often a report that follows the first one has the client order id."""
    removal_has_order: Chance = 0.5
    """How often Futures shows an order that it takes off, beside its id."""
    removal_has_name: Chance = 0.5
    amend_below_filled: Literal["CANCELED", "FILLED"] = "FILLED"
    """How a Spot order ends whose new quantity is executed already."""


def scaled(factor: int) -> KrakenSettings:
    """So many times the venue's limits."""
    return KrakenSettings(scale=factor)


def symbols(bases: list[str], number: int) -> dict[Product, tuple[str, ...]]:
    """What a sample account trades: a key is of one system, every second one of Spot."""
    if number % 2 == 0:
        return {"spot": tuple(f"{base}/USD" for base in bases)}
    contracts = tuple(f"PF_{'XBT' if base == 'BTC' else base}USD" for base in bases)
    inverse = INVERSE[number // 2 % len(INVERSE)]
    return {
        "linear": contracts,
        "inverse": (f"PI_{'XBT' if inverse == 'BTC' else inverse}USD",),
    }
