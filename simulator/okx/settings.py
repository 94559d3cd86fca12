"""What a simulated OKX can be told that no other venue can. Pure."""

from pydantic import Field

from simulator.instrument import Product
from simulator.section import Section

INVERSE = ("BTC", "ETH", "SOL")


class OkxSettings(Section):
    """Limits, heartbeat and how often it tells (docs/venues/okx.md 2.3, 3.3 and 9)."""

    scale: float = Field(default=1, gt=0)
    """Every limit times this."""
    idle_s: float = 30
    """A connection on which nothing was said for so long is ended."""
    flush_s: float = 0.05
    """How often changed positions and balances are told."""
    timer_in_ms: bool = False
    """Whether the dead man's switch answers in ms; the manual's example is in seconds."""
    repeat_s: float = 5
    """How often positions and balances are repeated to those who want it."""


def scaled(factor: int) -> OkxSettings:
    """So many times the venue's limits."""
    return OkxSettings(scale=factor)


def symbols(bases: list[str], number: int) -> dict[Product, tuple[str, ...]]:
    """What a sample account trades, and one coin-margined perpetual."""
    return {
        "spot": tuple(f"{base}-USDT" for base in bases),
        "linear": tuple(f"{base}-USDT-SWAP" for base in bases),
        "inverse": (f"{INVERSE[number % len(INVERSE)]}-USD-SWAP",),
    }
