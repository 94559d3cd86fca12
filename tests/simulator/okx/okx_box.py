"""OKX without a wire that writes down every private message: for tests."""

from decimal import Decimal
from typing import Any

from simulator.config import AccountConfig, SimulatorConfig
from simulator.okx.orders import OkxRequest
from simulator.okx.venue import OkxVenue
from tests.simulator.recorded import Recorded

SPOT, LINEAR, INVERSE = "SOL-USDT", "SOL-USDT-SWAP", "BTC-USD-SWAP"
PRICE = Decimal("150")
INVERSE_PRICE = Decimal("91000")


def an_account(number: int = 0, **changes: Any) -> AccountConfig:
    """The plainest account: one symbol at each product."""
    plain: dict[str, Any] = {
        "name": f"okx:test-{number}",
        "api_key": f"key-{number}",
        "secret": f"secret-{number}",
        "passphrase": f"phrase-{number}",
        "symbols": {"spot": (SPOT,), "linear": (LINEAR,), "inverse": (INVERSE,)},
    }
    return AccountConfig(**(plain | changes))


def an_order(side: str = "BUY", quantity: str = "4", **changes: Any) -> OkxRequest:
    """A limit order for contracts at the usual price."""
    plain: dict[str, Any] = {
        "symbol": LINEAR,
        "side": side,
        "quantity": Decimal(quantity),
        "price": PRICE,
    }
    return OkxRequest(**(plain | changes))


class Box(Recorded[OkxVenue]):
    """Two accounts at all products, and what they were told."""

    def __init__(self, *accounts: AccountConfig, seed: int = 1) -> None:
        rows = accounts or (an_account(0), an_account(1))
        config = SimulatorConfig(venue="okx", seed=seed, accounts=rows)
        super().__init__(OkxVenue, config)
        self.spot, self.linear = self.venue.spot, self.venue.linear
        self.inverse = self.venue.inverse

    def pushes(self) -> list[dict[str, Any]]:
        """The items of the `orders` channel that the first account was sent."""
        return [document["data"][0] for document in self.told("orders")]
