"""Histories of a Bybit account: pushes of all products, REST answers and replies between."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

from simulator.box import Venue
from simulator.bybit.fields import Fields
from simulator.bybit.instruments import instrument_row
from simulator.bybit.limits import Limits
from simulator.bybit.query_calls import FIELDS
from simulator.bybit.refusals import Refusal
from simulator.bybit.rest import OPERATIONS, QUERIES, envelope
from simulator.bybit.venue import BybitVenue
from simulator.config import SimulatorConfig
from simulator.instrument import Product, plain
from simulator.matching import Order
from simulator.message import Document, Message
from simulator.telling import BARE_CHANCE, Teller

SYMBOLS: dict[Product, tuple[str, ...]] = {
    "spot": ("BTCUSDT", "SOLUSDT"),
    "linear": ("BTCUSDT", "SOLUSDT", "BTCPERP"),
    "inverse": ("BTCUSD",),
}
PREFIX = "/v5/"
NOTIONAL = Decimal(20)
SOCKET_CHANCE = 0.4
SCALE = 1000
OF_SPOT = ("order/realtime", "order/history", "execution/list", "account/wallet-balance")
QUESTIONS = (*OF_SPOT, "position/list")
ROW_KINDS = {"order/realtime": "order", "order/history": "order", "execution/list": "execution",
    "position/list": "position"}  # fmt: skip
Wish = tuple[str, dict[str, Any]]
"""An operation's name and its fields."""


class BybitTeller(Teller):
    """Tells what an account of Bybit would see."""

    name: ClassVar[str] = "bybit"
    symbols: ClassVar[dict[Product, tuple[str, ...]]] = SYMBOLS
    questions: ClassVar[dict[Product, tuple[str, ...]]] = {
        "spot": OF_SPOT,
        "linear": QUESTIONS,
        "inverse": QUESTIONS,
    }

    def make_venue(self, config: SimulatorConfig) -> Venue:
        """All products."""
        self._bybit = BybitVenue(config, self.clock, self.hear)
        self._limits = Limits(self.clock.now_ms, SCALE)
        return self._bybit

    def hear(self, message: Message) -> None:
        """Write down a push as its subscription shows it, or its bare row."""
        self.frames += 1
        rows = message.document["data"]
        if len(rows) == 1 and self.random.random() < BARE_CHANCE and message.kind == "order":
            self.tell(message.product, "stream", message.kind, rows[0])
            return
        head = {"id": f"1-{self.frames}", "topic": message.kind}
        self.tell(message.product, "stream", message.kind, head | message.document)

    def instruments(self, product: Product) -> None:
        """The rows of the instruments traded here."""
        market, asked_ms = self.market(product), self.clock.now_ms()
        rows = [instrument_row(market.instrument(symbol)) for symbol in SYMBOLS[product]]
        raw = envelope(0, "OK", {"category": product, "list": rows}, asked_ms)
        self.tell(product, "rest", "market/instruments-info", raw, asked_ms=asked_ms)

    def fields(self, product: Product, name: str) -> dict[str, object] | None:
        """What to ask by."""
        if name == "account/wallet-balance":
            return {"accountType": "UNIFIED"}
        coin: dict[str, object] = {"settleCoin": "USDT"} if product == "linear" else {}
        limit = {"limit": str(self.random.choice((5, 50)))}
        order = self.some_order(product) if name.startswith("order/") else None
        named = {"orderId": str(order.order_id)} if order and self.random.random() < 0.3 else {}
        more = {"openOnly": self.random.choice("01")} if name == "order/realtime" else {}
        if order and named:
            coin = {"symbol": order.symbol}
        return {"category": product, **coin, **limit, **named, **more}

    def ask(self, product: Product, name: str, fields: dict[str, object]) -> Document:
        """A GET."""
        path = PREFIX + name
        asked = FIELDS.get(path, Fields)(fields)
        return self._answered(lambda: (QUERIES[path].answer(self._bybit, self.account, asked), {}))

    def tell_answer(self, product: Product, name: str, answer: Any, asked_ms: int) -> None:
        """By REST."""
        rows, kind = answer["result"].get("list", []), ROW_KINDS.get(name, "")
        self.tell_rows(product, name, answer, rows, kind, asked_ms)

    def request(self, product: Product) -> bool:
        """A wish, by REST or on the socket for orders."""
        verbs = (self._placement, self._placement, self._removal, self._amendment)
        wish = self.random.choice(verbs)(product)
        if wish is None:
            return False
        name, fields = wish
        asked_ms, headers = self.clock.now_ms(), dict[str, str]()
        operation, wire = OPERATIONS[f"{PREFIX}order/{name}"], (self._limits, headers)
        asked = Fields({"category": product} | fields)
        answer = self._answered(lambda: operation.carry_out(self._bybit, self.account, asked, wire))
        if self.random.random() < SOCKET_CHANCE:
            reply = {"reqId": f"rq{len(self.lines)}", "op": f"order.{name}", "connId": "1"}
            data = {"data": answer.pop("result"), "header": headers}
            self.tell(product, "stream", f"order.{name}", reply | answer | data, asked_ms=asked_ms)
        else:
            self.tell(product, "rest", f"POST order/{name}", answer, asked_ms=asked_ms)
        return True

    def rare(self, product: Product) -> None:
        """An answer of the connection's own."""
        pong = {"req_id": "ping", "op": "pong", "args": [str(self.clock.now_ms())], "conn_id": "1"}
        self.tell(product, "stream", "pong", pong)

    def _answered(self, act: Callable[[], tuple[Document, Document]]) -> Document:
        now_ms = self.clock.now_ms()
        try:
            result, more = act()
        except Refusal as refusal:
            return envelope(refusal.code, refusal.message, {}, now_ms)
        return envelope(0, "OK", result, now_ms, more)

    def _placement(self, product: Product) -> Wish:
        instrument = self.market(product).instrument(self.random.choice(SYMBOLS[product]))
        is_buy, is_hedged = self.random.random() < 0.5, self.account.config.is_hedged
        away = self.random.randint(-20, 20) * instrument.tick
        quantity = instrument.quantity_for(NOTIONAL, instrument.start_price)
        return "create", {
            "symbol": instrument.symbol,
            "side": "Buy" if is_buy else "Sell",
            "orderType": "Limit",
            "timeInForce": self.random.choice(("GTC", "GTC", "IOC", "PostOnly")),
            "qty": plain(quantity * self.random.randint(1, 40)),
            "price": plain(instrument.start_price + away),
            "orderLinkId": f"rest-{len(self.lines):04d}",
            "positionIdx": (1 if is_buy else 2) if is_hedged and product != "spot" else 0,
        }

    def _removal(self, product: Product) -> Wish | None:
        order = self.some_order(product)
        return None if order is None else ("cancel", _named(order))

    def _amendment(self, product: Product) -> Wish | None:
        order = self.some_order(product)
        if order is None:
            return None
        lot = self.market(product).instrument(order.symbol).lot
        return "amend", _named(order) | {"qty": plain(max(order.quantity - lot, lot))}


def _named(order: Order) -> dict[str, Any]:
    return {"symbol": order.symbol, "orderId": str(order.order_id)}
