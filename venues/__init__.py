"""The exchanges: each a description and pure translation; one line here registers it."""

from collections.abc import Mapping
from typing import Final

from venues.binance import BINANCE
from venues.bybit import BYBIT
from venues.kraken import KRAKEN
from venues.okx import OKX
from venues.venue import Venue

VENUES: Final[Mapping[str, Venue]] = {
    BINANCE.name: BINANCE,
    BYBIT.name: BYBIT,
    KRAKEN.name: KRAKEN,
    OKX.name: OKX,
}
