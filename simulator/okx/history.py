"""Histories of an OKX account: pushes of all products, REST answers and socket replies between."""

from decimal import Decimal
from typing import Any, ClassVar

from simulator.box import Venue
from simulator.config import SimulatorConfig
from simulator.instrument import Product
from simulator.matching import Order
from simulator.message import Document, Message
from simulator.okx import trade_calls
from simulator.okx.calls import QUERIES
from simulator.okx.extras import rare_message
from simulator.okx.fields import Fields
from simulator.okx.instruments import instrument_row
from simulator.okx.refusals import Refusal
from simulator.okx.venue import OkxVenue
from simulator.okx.words import KINDS, text
from simulator.telling import BARE_CHANCE, Teller

SYMBOLS: dict[Product, tuple[str, ...]] = {
    "spot": ("BTC-USDT", "SOL-USDT"),
    "linear": ("BTC-USDT-SWAP", "SOL-USDT-SWAP"),
    "inverse": ("BTC-USD-SWAP",),
}
PREFIX = "/api/v5/"
NOTIONAL = Decimal(20)
SOCKET_CHANCE = 0.4
FLUSH_CHANCE = 0.5
QUESTIONS = (
    "trade/order", "trade/orders-pending", "trade/orders-history", "trade/fills",
    "trade/fills-history", "account/positions", "account/balance", "trade/order-algo",
    "trade/orders-algo-pending", "trade/orders-algo-history",
)  # fmt: skip
ALGO_TYPES = ("conditional,oco", "trigger", "move_order_stop")
ALGO_ENDS = ("canceled", "effective", "order_failed")
ROW_KINDS = {
    "trade/order": "order", "trade/orders-pending": "order", "trade/orders-history": "order",
    "trade/fills": "execution", "trade/fills-history": "execution",
    "account/positions": "position",
}  # fmt: skip
Wish = tuple[str, str, trade_calls.Trade, dict[str, Any]]
"""A wish as REST path, operation on the socket, act and fields."""


class OkxTeller(Teller):
    """Tells what an account of OKX would see."""

    name: ClassVar[str] = "okx"
    symbols: ClassVar[dict[Product, tuple[str, ...]]] = SYMBOLS
    questions: ClassVar[dict[Product, tuple[str, ...]]] = dict.fromkeys(SYMBOLS, QUESTIONS)

    def make_venue(self, config: SimulatorConfig) -> Venue:
        """All products."""
        self._okx = OkxVenue(config, self.clock, self.hear)
        return self._okx

    def hear(self, message: Message) -> None:
        """Write down a push as its subscription shows it, or its bare row."""
        self.frames += 1
        rows = message.document["data"]
        if len(rows) == 1 and self.random.random() < BARE_CHANCE and message.kind == "orders":
            self.tell(message.product, "stream", message.kind, rows[0])
            return
        arg = {"channel": message.kind, "uid": "446000000000000001"}
        if message.kind in ("orders", "positions", "orders-algo", "algo-advance"):
            arg["instType"] = "ANY"
        self.tell(message.product, "stream", message.kind, {"arg": arg} | message.document)

    def after_step(self) -> None:
        """Positions and balances come later, several changes at once."""
        if self.random.random() < FLUSH_CHANCE:
            self._okx.flush()

    def instruments(self, product: Product) -> None:
        """The rows of the instruments traded here."""
        market = self.market(product)
        rows = [instrument_row(market.instrument(symbol)) for symbol in SYMBOLS[product]]
        asked_ms = self.clock.now_ms()
        raw = {"code": "0", "msg": "", "data": rows}
        self.tell(product, "rest", "public/instruments", raw, asked_ms=asked_ms)

    def ask(self, product: Product, name: str, fields: dict[str, object]) -> Document:
        """A GET; refused, it has no rows."""
        try:
            data = QUERIES[PREFIX + name].answer(self._okx, self.account, Fields(fields))
        except Refusal as refusal:
            return {"code": refusal.code, "msg": refusal.message, "data": []}
        return {"code": "0", "msg": "", "data": data}

    def tell_answer(self, product: Product, name: str, answer: Any, asked_ms: int) -> None:
        """By REST."""
        self.tell_rows(product, name, answer, answer["data"], ROW_KINDS.get(name, ""), asked_ms)

    def request(self, product: Product) -> bool:
        """A wish, by REST or on the socket."""
        verbs = (self._placement, self._placement, self._removal, self._amendment)
        wish = self.random.choice(verbs)(product)
        if wish is None:
            return False
        path, operation, act, fields = wish
        asked_ms = self.clock.now_ms()
        row = act(self._okx, self.account, Fields(fields))
        code, message = trade_calls.overall([row])
        times = {"inTime": f"{asked_ms}123", "outTime": f"{asked_ms}456"}
        answer = {"code": code, "msg": message, "data": [row]} | times
        if self.random.random() < SOCKET_CHANCE:
            reply = {"id": f"rq{len(self.lines)}", "op": operation} | answer
            self.tell(product, "stream", operation, reply, asked_ms=asked_ms)
        else:
            self.tell(product, "rest", f"POST {path}", answer, asked_ms=asked_ms)
        return True

    def rare(self, product: Product) -> None:
        """An event of the connection, or a warning."""
        order = self.some_order(product)
        if order is None:
            return
        message = rare_message(order, self.random, self.clock.now_ms())
        channel = message["arg"]["channel"] if "arg" in message else message["event"]
        self.tell(product, "stream", channel, message)

    def fields(self, product: Product, name: str) -> dict[str, object] | None:
        """What to ask by; None where there is no order to ask about."""
        if name == "trade/order":
            order = self.some_order(product)
            return None if order is None else _named(order)
        if name == "trade/order-algo":
            known = list(self.account.conditionals[product])
            return {"algoId": str(self.random.choice(known))} if known else None
        if name == "account/balance":
            return {}
        if name.startswith("trade/orders-algo"):
            ends = {"state": self.random.choice(ALGO_ENDS)} if "history" in name else {}
            return {"ordType": self.random.choice(ALGO_TYPES), **ends}
        return {"instType": KINDS[product], "limit": str(self.random.choice((5, 100)))}

    def _placement(self, product: Product) -> Wish:
        market = self.market(product)
        instrument = market.instrument(self.random.choice(SYMBOLS[product]))
        side = self.random.choice(("buy", "sell"))
        away = self.random.randint(-20, 20) * instrument.tick
        quantity = instrument.quantity_for(NOTIONAL, instrument.start_price)
        fields: dict[str, Any] = {
            "instId": instrument.symbol,
            "tdMode": "cash" if product == "spot" else "cross",
            "side": side,
            "ordType": self.random.choice(("limit", "limit", "ioc", "post_only")),
            "sz": text(quantity * self.random.randint(1, 40)),
            "px": text(instrument.start_price + away),
            "clOrdId": f"rest{len(self.lines):04d}",
            "tag": "desk1",
        }
        if self.account.config.is_hedged and product != "spot":
            fields["posSide"] = "long" if side == "buy" else "short"
        return "trade/order", "order", trade_calls.place, fields

    def _removal(self, product: Product) -> Wish | None:
        order = self.some_order(product)
        if order is None:
            return None
        return "trade/cancel-order", "cancel-order", trade_calls.cancel, _named(order)

    def _amendment(self, product: Product) -> Wish | None:
        order = self.some_order(product)
        if order is None:
            return None
        lot = self._okx.market_of(order.symbol).instrument(order.symbol).lot
        size = text(max(order.quantity - lot, lot))
        fields = _named(order) | {"newSz": size, "reqId": f"rq{len(self.lines)}"}
        return "trade/amend-order", "amend-order", trade_calls.amend, fields


def _named(order: Order) -> dict[str, object]:
    return {"instId": order.symbol, "ordId": str(order.order_id)}
