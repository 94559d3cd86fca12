"""Bybit without a wire that writes down every private message: for tests."""

from decimal import Decimal
from typing import Any

from simulator.bybit.fields import Fields
from simulator.bybit.limits import Limits
from simulator.bybit.query_calls import FIELDS
from simulator.bybit.rest import OPERATIONS, QUERIES
from simulator.bybit.venue import BybitVenue
from simulator.config import AccountConfig, SimulatorConfig
from simulator.market import Request
from tests.simulator.recorded import Recorded

SYMBOL, INVERSE = "SOLUSDT", "BTCUSD"
"""The same name for coins and contracts."""
PRICE, INVERSE_PRICE = Decimal(150), Decimal(91000)


def an_account(number: int = 0, **changes: Any) -> AccountConfig:
    """The plainest account: one symbol at each product."""
    plain: dict[str, Any] = {
        "name": f"bybit:test-{number}",
        "api_key": f"key-{number}",
        "secret": f"secret-{number}",
        "symbols": {"spot": (SYMBOL,), "linear": (SYMBOL, "BTCPERP"), "inverse": (INVERSE,)},
    }
    return AccountConfig(**(plain | changes))


def an_order(side: str = "BUY", quantity: str = "4", **changes: Any) -> Request:
    """A limit order at the usual price."""
    plain: dict[str, Any] = {
        "symbol": SYMBOL,
        "side": side,
        "quantity": Decimal(quantity),
        "price": PRICE,
        "self_trade_mode": "NONE",
    }
    return Request(**(plain | changes))


class Box(Recorded[BybitVenue]):
    """Two accounts at all products, and what the first was told."""

    def __init__(self, *accounts: AccountConfig, seed: int = 1, **face: Any) -> None:
        rows = accounts or (an_account(0), an_account(1))
        config = SimulatorConfig.model_validate(
            {"venue": "bybit", "seed": seed, "accounts": rows, "face": face}
        )
        super().__init__(BybitVenue, config)
        self.spot, self.linear = self.venue.spot, self.venue.linear
        self.inverse = self.venue.inverse
        self.limits = Limits(self.clock.now_ms, 1000)

    def items(self, topic: str) -> list[dict[str, Any]]:
        """The items of a topic that the first account was sent, in order."""
        return [row for document in self.told(topic) for row in document["data"]]

    def ask(self, path: str, **fields: object) -> dict[str, Any]:
        """A question's result."""
        full = f"/v5/{path}"
        asked = FIELDS.get(full, Fields)(fields)
        found: dict[str, Any] = QUERIES[full].answer(self.venue, self.one, asked)
        return found

    def rows(self, path: str, **fields: object) -> list[dict[str, Any]]:
        return list(self.ask(path, **fields)["list"])

    def wish(self, name: str, **fields: object) -> dict[str, Any]:
        """An operation's result; `extra` has what stands beside it."""
        operation = OPERATIONS[f"/v5/order/{name}"]
        wire = (self.limits, dict[str, str]())
        result, extra = operation.carry_out(self.venue, self.one, Fields(fields), wire)
        return result | ({"extra": extra["list"]} if extra else {})
