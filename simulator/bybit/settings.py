"""What a simulated Bybit can be told that no other venue can. Pure.

What nobody has confirmed of the venue stands here with both answers (decision 0908).
"""

from typing import Literal

from pydantic import Field

from simulator.instrument import Product
from simulator.section import Section

INVERSE = ("BTC", "ETH", "SOL")


class BybitSettings(Section):
    """Limits, heartbeat, and what is not confirmed (docs/venues/bybit.md 2.3, 9 and 13)."""

    scale: float = Field(default=1, gt=0)
    """Every limit times this."""
    idle_s: float = 600
    """A connection on which nothing was said for so long is ended."""
    race_ms: int = Field(default=20, ge=0)
    """A cancel so shortly after an order was filled is accepted, and tells `Filled` again."""
    post_only_ends: Literal["CANCELED", "REJECTED"] = "CANCELED"
    """How an order ends that only makes and would have taken."""
    shows_passed_through: bool = True
    """Whether orders of takeovers and deleveraging are pushed and listed beside their trades."""
    renames_triggered_spot: bool = False
    """Whether a conditional order for coins becomes another order when it triggers."""
    history_by: Literal["created", "updated"] = "created"
    """Which time of an order the history goes by."""


def scaled(factor: int) -> BybitSettings:
    """So many times the venue's limits."""
    return BybitSettings(scale=factor)


def symbols(bases: list[str], number: int) -> dict[Product, tuple[str, ...]]:
    """What a sample account trades: the same names for coins and contracts, one settled in USDC."""
    names = tuple(f"{base}USDT" for base in bases)
    return {
        "spot": names,
        "linear": (*names[:2], "BTCPERP"),
        "inverse": (f"{INVERSE[number % len(INVERSE)]}USD",),
    }
