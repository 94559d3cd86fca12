"""A venue without a wire that writes down every private message: for tests."""

from decimal import Decimal
from typing import Any

from simulator.binance.venue import BinanceVenue
from simulator.config import AccountConfig, SimulatorConfig
from simulator.market import Request
from tests.simulator.recorded import Recorded

SYMBOL = "SOLUSDT"
PRICE = Decimal("150.00")


def an_account(number: int = 0, **changes: Any) -> AccountConfig:
    """The plainest account: one symbol at both products."""
    plain: dict[str, Any] = {
        "name": f"binance:test-{number}",
        "api_key": f"key-{number}",
        "secret": f"secret-{number}",
        "symbols": {"spot": (SYMBOL,), "linear": (SYMBOL,)},
    }
    return AccountConfig(**(plain | changes))


def an_order(side: str = "BUY", quantity: str = "4", **changes: Any) -> Request:
    """A limit order at the usual price."""
    plain: dict[str, Any] = {
        "symbol": SYMBOL,
        "side": side,
        "quantity": Decimal(quantity),
        "price": PRICE,
    }
    return Request(**(plain | changes))


class Box(Recorded[BinanceVenue]):
    """Two accounts at both products, and what they were told."""

    def __init__(self, *accounts: AccountConfig, seed: int = 1) -> None:
        rows = accounts or (an_account(0), an_account(1))
        config = SimulatorConfig(seed=seed, accounts=rows)
        super().__init__(BinanceVenue, config)
        self.spot, self.linear = self.venue.spot, self.venue.linear
