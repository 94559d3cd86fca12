"""Plain orders of Binance Spot as records of `raw`: as many as wanted, none of them unusual. Pure.

The histories of `frames` are what an account really says. Here it is asked what one message costs
beside very many others, so all messages are of one size and one kind.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import orjson

from orderloom import topology
from orderloom.question import About
from orderloom.raw import (
    Answer,
    ClockSample,
    ConnectionChange,
    Frame,
    Item,
    Liveness,
    RawRecord,
    encode,
)
from processors.ledger.step import InputRecord

SECOND_NS: Final = 1_000_000_000
NOW_NS: Final = 1_800_000_000 * SECOND_NS
MADE_MS: Final = NOW_NS // 1_000_000 - 3_600_000
PRODUCT: Final = "spot"
ORDERS_FROM: Final = 28_000_000_000
BALANCES: Final = {
    "makerCommission": 0, "takerCommission": 0, "buyerCommission": 0, "sellerCommission": 0,
    "canTrade": True, "canWithdraw": True, "canDeposit": True, "updateTime": 0,
    "accountType": "SPOT", "balances": [],
}  # fmt: skip


class PlainAccount:
    """One account: it numbers its frames, its executions and its records."""

    def __init__(self, name: str = "binance:growth") -> None:
        self.name = name
        self._frames = self._offset = self._events = 0
        self._filled: Counter[int] = Counter()
        self._updated: dict[int, int] = {}

    def record(self, *items: Item) -> InputRecord:
        """One record of `raw` with these items."""
        self._offset += 1
        value = encode(RawRecord(self.name, 1, "bench", items))
        return InputRecord(topology.RAW, 0, self._offset, NOW_NS, self.name.encode(), value)

    def greeting(self) -> InputRecord:
        """Its connection is LIVE, and the venue's clock is ours."""
        return self.record(ConnectionChange("s", PRODUCT, "LIVE", NOW_NS))

    def pushed(self, reports: Iterable[dict[str, Any]]) -> InputRecord:
        """One record with a frame for each report."""
        items = []
        for report in reports:
            self._frames += 1
            received_ns = NOW_NS + self._frames * 1_000
            items.append(Frame("s", self._frames, PRODUCT, received_ns, orjson.dumps(report)))
        return self.record(*items)

    def placed(self, order: int, symbol: str = "BTCUSDT") -> dict[str, Any]:
        """The report that an order rests."""
        return self._report(order, symbol) | {"x": "NEW", "X": "NEW", "w": True}

    def canceled(self, order: int, symbol: str = "BTCUSDT") -> dict[str, Any]:
        """The report that an order was canceled."""
        return self._report(order, symbol) | {"x": "CANCELED", "X": "CANCELED"}

    def executed(self, order: int, symbol: str = "BTCUSDT") -> dict[str, Any]:
        """The report of the order's next execution, of one unit."""
        report = self._report(order, symbol)
        self._filled[order] += 1
        number = self._filled[order]
        return report | {
            "x": "TRADE", "X": "PARTIALLY_FILLED", "l": "1.00000000", "z": f"{number}.00000000",
            "L": "64250.12000000", "n": "0.00075000", "N": "BNB", "t": 3_500_000_000 + self._events,
            "m": True, "M": True, "Z": f"{6_425_012 * number / 100:.8f}", "Y": "64250.12000000",
        }  # fmt: skip

    def holds(self, asset: str) -> dict[str, Any]:
        """The report that the balance of an asset changed."""
        self._events += 1
        at_ms = MADE_MS + self._events
        balance = {"a": asset, "f": f"{self._events}.00000000", "l": "0.00000000"}
        return {"e": "outboundAccountPosition", "E": at_ms, "u": at_ms, "B": [balance]}

    def _report(self, order: int, symbol: str) -> dict[str, Any]:
        self._events += 1
        at_ms = self._updated[order] = MADE_MS + self._events
        return {
            "e": "executionReport", "E": at_ms, "s": symbol, "c": _name(order), "S": "BUY",
            "o": "LIMIT", "f": "GTC", "q": "1000000.00000000", "p": "64250.12000000",
            "P": "0.00000000", "F": "0.00000000", "g": -1, "C": "", "r": "NONE",
            "i": ORDERS_FROM + order, "l": "0.00000000", "z": "0.00000000", "L": "0.00000000",
            "n": "0", "N": None, "T": at_ms, "t": -1, "I": 8_641_984 + self._events, "w": False,
            "m": False, "M": False, "O": MADE_MS, "Z": "0.00000000", "Y": "0.00000000",
            "Q": "0.00000000", "W": MADE_MS, "V": "NONE",
        }  # fmt: skip

    def answer(self, question: dict[str, Any], open_orders: bytes, asked_ns: int) -> InputRecord:
        """The venue's complete answer on one page; `open_orders` is that list's."""
        about = question["about"]
        body = orjson.dumps(BALANCES) if about == About.BALANCES else b"[]"
        if about == About.OPEN_ORDERS:
            body = open_orders
        times = (asked_ns, asked_ns, asked_ns + 1_000_000)
        return self.record(Answer(question, "rest", 1, True, 200, *times, body))

    def open_list(self, orders: Iterable[int]) -> bytes:
        """The list of these orders as they are now."""
        return orjson.dumps([self._row(order) for order in orders])

    def _row(self, order: int) -> dict[str, Any]:
        filled = self._filled[order]
        return {
            "symbol": "BTCUSDT", "orderId": ORDERS_FROM + order, "orderListId": -1,
            "clientOrderId": _name(order), "price": "64250.12000000",
            "origQty": "1000000.00000000", "executedQty": f"{filled}.00000000",
            "origQuoteOrderQty": "0.00000000",
            "cummulativeQuoteQty": f"{6_425_012 * filled / 100:.8f}",
            "status": "PARTIALLY_FILLED" if filled else "NEW", "timeInForce": "GTC",
            "type": "LIMIT", "side": "BUY", "stopPrice": "0.00000000", "icebergQty": "0.00000000",
            "time": MADE_MS, "updateTime": self._updated[order], "isWorking": True,
            "workingTime": MADE_MS, "selfTradePreventionMode": "NONE",
        }  # fmt: skip


def a_word_of_the_edge(at_ns: int) -> InputRecord:
    """The edge hears its connections, and the venue's clock is ours."""
    items = (Liveness(at_ns, []), ClockSample(PRODUCT, at_ns, at_ns, at_ns))
    key = topology.PARTITION_KEY
    value = encode(RawRecord(key.decode(), 1, "bench", items))
    return InputRecord(topology.RAW, 0, 0, at_ns, key, value)


def _name(order: int) -> str:
    return f"O-20240801-{order:08d}-abc"
