"""Kraken without a wire that writes down every private message: for tests."""

from decimal import Decimal
from typing import Any

from simulator.config import AccountConfig, SimulatorConfig
from simulator.instrument import Product
from simulator.kraken.settings import KrakenSettings
from simulator.kraken.venue import KrakenVenue
from simulator.market import Request
from tests.simulator.recorded import Recorded

SPOT, LINEAR, INVERSE = "BTC/USD", "PF_XBTUSD", "PI_XBTUSD"
PRICE = Decimal("91000")
SYMBOLS: dict[Product, tuple[str, ...]] = {
    "spot": (SPOT,), "linear": (LINEAR,), "inverse": (INVERSE,),
}  # fmt: skip


def an_account(number: int = 0, **changes: Any) -> AccountConfig:
    """The plainest account: one symbol of each product, as if one key opened both systems."""
    plain: dict[str, Any] = {
        "name": f"kraken:test-{number}",
        "api_key": f"key-{number}",
        "secret": f"c2VjcmV0LW9mLWEtdGVzdA{number}",
        "symbols": SYMBOLS,
    }
    return AccountConfig(**(plain | changes))


def an_order(side: str = "BUY", quantity: str = "0.5", **changes: Any) -> Request:
    """A limit order of the pair at the usual price."""
    plain: dict[str, Any] = {
        "symbol": SPOT, "side": side, "quantity": Decimal(quantity), "price": PRICE,
    }  # fmt: skip
    return Request(**(plain | changes))


class KrakenBooks(Recorded[KrakenVenue]):
    """Two accounts at all products, and what they were told."""

    def __init__(self, *accounts: AccountConfig, seed: int = 1, **face: Any) -> None:
        rows = accounts or (an_account(0), an_account(1))
        own = KrakenSettings(**face)
        config = SimulatorConfig(venue="kraken", seed=seed, accounts=rows, face=own)
        super().__init__(KrakenVenue, config)
        self.spot, self.linear = self.venue.spot, self.venue.linear
        self.inverse = self.venue.inverse

    def reports(self) -> list[dict[str, Any]]:
        """The rows of `executions` that the first account was sent."""
        return [row for document in self.told("executions") for row in document["data"]]
