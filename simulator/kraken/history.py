"""Histories of Kraken: pushes of both systems, answers and replies between.

One account has all products here, as if one key opened both systems.
"""

from collections import Counter
from decimal import Decimal
from typing import Any, ClassVar

from simulator.box import Venue
from simulator.config import SimulatorConfig
from simulator.instrument import Product
from simulator.kraken import spot_calls
from simulator.kraken.fields import FuturesFields, SpotFields
from simulator.kraken.futures import FAILED, OPEN_ORDERS
from simulator.kraken.futures_calls import CALLS, HISTORY, TRADING
from simulator.kraken.futures_queries import with_time
from simulator.kraken.limits import KrakenLimits
from simulator.kraken.refusals import KrakenRefusal
from simulator.kraken.settings import KrakenSettings
from simulator.kraken.system import KrakenSystem
from simulator.kraken.venue import KrakenVenue
from simulator.kraken.words import order_id, text
from simulator.message import Document, Message
from simulator.telling import Teller

SYMBOLS: dict[Product, tuple[str, ...]] = {
    "spot": ("BTC/USD", "SOL/USD"),
    "linear": ("PF_XBTUSD", "PF_SOLUSD"),
    "inverse": ("PI_XBTUSD",),
}
SPOT_QUESTIONS = ("OpenOrders", "ClosedOrders", "QueryOrders", "TradesHistory", "BalanceEx")
FUTURES_QUESTIONS = (
    f"{TRADING}openorders", f"{TRADING}orders/status", f"{TRADING}fills",
    f"{TRADING}openpositions", f"{TRADING}accounts", f"{HISTORY}orders", f"{HISTORY}executions",
)  # fmt: skip
NOTIONAL, FLUSH_CHANCE, VERBOSE = Decimal(20), 0.5, "open_orders_verbose"
UNLIMITED = KrakenSettings(scale=1_000_000)
RARE: dict[str, tuple[Document, ...]] = {
    "spot": ({"channel": "heartbeat"}, {"channel": "status", "type": "update", "data": []}),
    "futures": ({"feed": "heartbeat", "time": 0}, {"feed": "account_log", "new_entry": {}}),
}


class KrakenTeller(Teller):
    """Tells what an account of Kraken would see."""

    name: ClassVar[str] = "kraken"
    symbols: ClassVar[dict[Product, tuple[str, ...]]] = SYMBOLS
    questions: ClassVar[dict[Product, tuple[str, ...]]] = {
        "spot": SPOT_QUESTIONS, "linear": FUTURES_QUESTIONS, "inverse": FUTURES_QUESTIONS,
    }  # fmt: skip

    def __init__(self, seed: int) -> None:
        self._numbers: Counter[str] = Counter()
        super().__init__(seed)

    def _config(self, seed: int) -> SimulatorConfig:
        config = super()._config(seed)
        [account] = config.accounts
        plain = account.model_copy(update={"is_hedged": False})
        return config.model_copy(update={"accounts": (plain,)})

    def make_venue(self, config: SimulatorConfig) -> Venue:
        """All products."""
        self._kraken = KrakenVenue(config, self.clock, self.hear)
        limits = KrakenLimits(self.clock.now_ms, UNLIMITED)
        self._spot, self._futures = (
            KrakenSystem(self._kraken, limits),
            KrakenSystem(self._kraken, limits),
        )
        return self._kraken

    def hear(self, message: Message) -> None:
        """Write down a push as its subscription shows it."""
        self.frames += 1
        kind = VERBOSE if message.kind in (FAILED, OPEN_ORDERS) else message.kind
        self._numbers[kind] += 1
        if message.product == "spot":
            head = {"channel": kind, "type": "update", "sequence": self._numbers[kind]}
        else:
            head = {"feed": kind}
        self.tell(message.product, "stream", kind, head | message.document)

    def after_step(self) -> None:
        """Positions and balances of Futures come later."""
        if self.random.random() < FLUSH_CHANCE:
            self._kraken.flush()

    def instruments(self, product: Product) -> None:
        """All pairs, or all contracts of both kinds."""
        name = "AssetPairs" if product == "spot" else f"{TRADING}instruments"
        answer = self.ask(product, name, {"pair": ",".join(SYMBOLS["spot"])})
        asked_ms = self.clock.now_ms()
        if product != "spot":
            wanted = SYMBOLS[product]
            rows = [row for row in answer["instruments"] if row["symbol"] in wanted]
            answer["instruments"] = rows
        self.tell(product, "rest", name.rpartition("/")[2], answer, asked_ms=asked_ms)

    def ask(self, product: Product, name: str, fields: dict[str, object]) -> Document:
        """A question or a wish, with the refusal where it is refused."""
        try:
            if product == "spot":
                call = spot_calls.PUBLIC.get(f"/0/public/{name}") or spot_calls.PRIVATE[name]
                result = call.answer(self._spot, self.account, SpotFields(fields))
                return {"error": [], "result": result}
            call = CALLS.get(("GET", name)) or CALLS["", name]
            return dict(call.answer(self._futures, self.account, FuturesFields(fields)))
        except KrakenRefusal as refusal:
            if product == "spot":
                return {"error": [refusal.message]}
            return with_time(self._kraken, {"result": "error", "error": refusal.message})

    def tell_answer(self, product: Product, name: str, answer: Any, asked_ms: int) -> None:
        """By REST."""
        self.tell(product, "rest", name.rpartition("/")[2], answer, asked_ms=asked_ms)

    def request(self, product: Product) -> bool:
        """A wish by REST."""
        verbs = (self._placement, self._placement, self._removal, self._amendment)
        wish = self.random.choice(verbs)(product)
        if wish is None:
            return False
        name, fields = wish
        asked_ms = self.clock.now_ms()
        answer = self.ask(product, name, fields)
        self.tell(product, "rest", f"POST {name.rpartition('/')[2]}", answer, asked_ms=asked_ms)
        return True

    def rare(self, product: Product) -> None:
        """What concerns the connection."""
        document = self.random.choice(RARE["spot" if product == "spot" else "futures"])
        channel = document.get("channel") or document["feed"]
        self.tell(product, "stream", channel, document)

    def fields(self, product: Product, name: str) -> dict[str, object] | None:
        """What to ask by; None where there is no order to ask about."""
        order = self.some_order(product)
        asked: dict[str, object] = {"consolidate_taker": "false"} if product == "spot" else {}
        if name in ("QueryOrders", f"{TRADING}orders/status"):
            if order is None:
                return None
            asked["txid" if product == "spot" else "orderIds"] = order_id(product, order.order_id)
        return asked | ({"sort": "asc", "count": 20} if name.startswith(HISTORY) else {})

    def _placement(self, product: Product) -> tuple[str, dict[str, object]]:
        instrument = self.market(product).instrument(self.random.choice(SYMBOLS[product]))
        price = instrument.start_price + self.random.randint(-20, 20) * instrument.tick
        size = instrument.quantity_for(NOTIONAL, price) * self.random.randint(1, 40)
        side, name = self.random.choice(("buy", "sell")), f"rest{len(self.lines):04d}"
        if product == "spot":
            return "AddOrder", {
                "pair": instrument.symbol, "type": side, "ordertype": "limit", "price": text(price),
                "volume": text(size), "cl_ord_id": name,
                "timeinforce": self.random.choice(("GTC", "GTC", "IOC")),
            }  # fmt: skip
        return f"{TRADING}sendorder", {
            "symbol": instrument.symbol, "side": side, "size": text(size), "cliOrdId": name,
            "limitPrice": text(price), "orderType": self.random.choice(("lmt", "post", "ioc")),
        }  # fmt: skip

    def _removal(self, product: Product) -> tuple[str, dict[str, object]] | None:
        order = self.some_order(product)
        if order is None:
            return None
        spelled = order_id(product, order.order_id)
        if product == "spot":
            return "CancelOrder", {"txid": spelled}
        return f"{TRADING}cancelorder", {"order_id": spelled}

    def _amendment(self, product: Product) -> tuple[str, dict[str, object]] | None:
        order = self.some_order(product)
        if order is None:
            return None
        lot = self.market(product).instrument(order.symbol).lot
        size = text(max(order.quantity - lot, lot))
        spelled = order_id(product, order.order_id)
        if product == "spot":
            return "AmendOrder", {"txid": spelled, "order_qty": size}
        wish = {"orderId": spelled, "size": size, "qtyMode": "ABSOLUTE"}
        return f"{TRADING}editorder", dict(wish)
