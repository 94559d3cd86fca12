"""A venue without a wire that writes down every private message: for tests."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from simulator.accounts import Account
from simulator.binance.venue import BinanceVenue
from simulator.clock import LogicalClock
from simulator.config import AccountConfig, SimulatorConfig
from simulator.market import Request

if TYPE_CHECKING:
    from simulator.message import Message

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


class Box:
    """Two accounts at both products, and what they were told."""

    def __init__(self, *accounts: AccountConfig, seed: int = 1) -> None:
        self.messages: list[Message] = []
        self.clock = LogicalClock()
        rows = accounts or (an_account(0), an_account(1))
        config = SimulatorConfig(seed=seed, accounts=rows)
        self.venue = BinanceVenue(config, self.clock, self.messages.append)
        self.spot, self.linear = self.venue.spot, self.venue.linear
        self.accounts: list[Account] = list(self.venue.accounts.values())

    @property
    def one(self) -> Account:
        """The account that tests look at."""
        return self.accounts[0]

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The documents of a kind that the first account was sent, in order."""
        return [
            message.document
            for message in self.messages
            if message.kind == kind and message.account == self.one.name
        ]
