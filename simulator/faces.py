"""The venues that can be simulated, and the settings of each: one line per venue. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from simulator.binance import settings as binance
from simulator.bybit import settings as bybit
from simulator.instrument import Product
from simulator.kraken import settings as kraken
from simulator.okx import settings as okx
from simulator.section import Section


@dataclass(frozen=True, slots=True)
class Face:
    """What is known of a venue before it is made."""

    settings: type[Section]
    """Its own section, `face`."""
    symbols: Callable[[list[str], int], dict[Product, tuple[str, ...]]]
    """What the sample account with a number trades, of these base assets."""
    scaled: Callable[[int], Section]
    """Its settings with the rate limits of requests so many times the venue's own."""
    has_passphrase: bool = False
    """Whether its keys have a third part."""
    can_hedge: bool = True
    """Whether an account may hold LONG and SHORT of one contract apart."""


FACES: dict[str, Face] = {
    "binance": Face(binance.BinanceSettings, binance.symbols, binance.scaled),
    "bybit": Face(bybit.BybitSettings, bybit.symbols, bybit.scaled),
    "kraken": Face(kraken.KrakenSettings, kraken.symbols, kraken.scaled, can_hedge=False),
    "okx": Face(okx.OkxSettings, okx.symbols, okx.scaled, has_passphrase=True),
}
USUAL = next(iter(FACES))
"""The venue where none is named."""
