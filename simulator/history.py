"""Seeded histories of wire messages without any server, with the books at their end.

A history is what an account of the venue saw and asked, in order: every private stream frame,
and REST and WS API answers in between. Each line has the form of the `fold` command's input.
A seed and a length give the same history, to the byte, on every machine.
"""

from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

import orjson

from simulator.binance.extras import rare_event, waiting_truth
from simulator.binance.instruments import exchange_info
from simulator.binance.params import Call, Params
from simulator.binance.refusals import Refusal
from simulator.binance.spot_calls import SPOT_CALLS, SPOT_METHODS
from simulator.binance.usdm_calls import USDM_CALLS
from simulator.binance.venue import BinanceVenue
from simulator.clock import LogicalClock
from simulator.config import AccountConfig, SimulatorConfig, TrafficConfig
from simulator.instrument import Product
from simulator.matching import Order
from simulator.message import Message
from simulator.truth import truth

MESSAGES_MIN, MESSAGES_MAX = 20, 180
"""What may be asked for; the last act may add up to twenty more."""
TURNS_MAX = 5_000
ORDERS_MIN = 5
STEP_MS_MAX = 400
ANSWER_MS_MAX = 60
QUESTION_CHANCE = 0.3
REQUEST_CHANCE = 0.15
RARE_CHANCE = 0.04
BARE_CHANCE = 0.3
TEXT_CHANCE = 0.1
SYMBOLS = ("BTCUSDT", "SOLUSDT")
PRODUCTS: tuple[Product, Product] = ("spot", "linear")
CALLS = SPOT_CALLS | USDM_CALLS
QUESTIONS = {
    "spot": ("openOrders", "order", "allOrders", "myTrades", "account"),
    "linear": (
        "openOrders", "order", "openOrder", "allOrders", "userTrades", "positionRisk", "balance",
        "forceOrders",
    ),
}  # fmt: skip
ROW_KINDS = {"myTrades": "execution", "userTrades": "execution", "positionRisk": "position"}
ROW_KINDS |= dict.fromkeys(("openOrders", "allOrders", "forceOrders"), "order")
ROW_KINDS["balance"] = "balance"
METHODS = {path: method for method, path in SPOT_METHODS.items()}


@dataclass(frozen=True, slots=True)
class History:
    """The messages in the order of their arrival, and the venue's books when they ended."""

    seed: int
    lines: list[dict[str, Any]]
    truth: dict[str, Any]


def generate(seed: int, messages: int = 100, *, timed: bool = True) -> History:
    """A history of about `messages` (20 to 180) lines, both products, at least 5 orders.

    It never has fewer lines, and a few more where its last act made several. Without `timed`
    the lines have no `received_ns` and `asked_ns`.
    """
    assert MESSAGES_MIN <= messages <= MESSAGES_MAX, "a history has 20 to 180 messages"
    teller = Teller(seed)
    for _ in range(TURNS_MAX):
        if len(teller.lines) >= messages and teller.is_rich():
            break
        teller.turn()
    for ref, line in enumerate(teller.lines):
        line["ref"] = ref
        if not timed:
            line.pop("received_ns")
            line.pop("asked_ns", None)
    books = truth([teller.account], teller.frames)
    books["accounts"][teller.account.name]["orders"] += teller.waiting
    return History(seed, teller.lines, books)


class Teller:
    """Lets traders trade and writes down what the account would see."""

    def __init__(self, seed: int) -> None:
        self.random = Random(f"{seed}:history")
        self.lines: list[dict[str, Any]] = []
        self.waiting: list[dict[str, Any]] = []
        self.frames = 0
        self._clock = LogicalClock()
        self._venue = BinanceVenue(_config(seed), self._clock, self._hear)
        self.account = next(iter(self._venue.accounts.values()))
        for product in PRODUCTS:
            self._tell_instruments(product)

    def is_rich(self) -> bool:
        """Whether there are enough orders, and some at both products."""
        counts = [sum(1 for _ in self._orders(product)) for product in PRODUCTS]
        return sum(counts) >= ORDERS_MIN and all(counts)

    def turn(self) -> None:
        """One decision of the traders, and perhaps a request, a question or a rare event."""
        self._clock.advance(self.random.randint(1, STEP_MS_MAX))
        if self.random.random() < REQUEST_CHANCE:
            self._request(self.random.choice(PRODUCTS))
        else:
            self._venue.traders.step()
        if self.random.random() < QUESTION_CHANCE:
            self._question(self.random.choice(PRODUCTS))
        if self.random.random() < RARE_CHANCE:
            self._rare(self.random.choice(PRODUCTS))

    def _hear(self, message: Message) -> None:
        self.frames += 1
        self._tell_event(message.product, message.kind, message.document)

    def _tell_event(self, product: Product, kind: str, event: dict[str, Any]) -> None:
        is_bare = product == "linear" or self.random.random() < BARE_CHANCE
        # Events without an account have no subscription (section 2.4).
        subscription = {} if kind == "serverShutdown" else {"subscriptionId": 0}
        raw = event if is_bare else subscription | {"event": event}
        self._tell(product, "stream", kind, raw)

    def _tell(
        self,
        product: Product,
        source: str,
        channel: str,
        raw: object,
        *,
        kind: str | None = None,
        asked_ms: int | None = None,
    ) -> None:
        """Write a line; `raw` as it is now, for the books go on changing."""
        text = orjson.dumps(raw).decode()
        line: dict[str, Any] = {
            "ref": None,
            "product": product,
            "source": source,
            "channel": channel,
            "kind": kind,
            "raw": text if self.random.random() < TEXT_CHANCE else orjson.loads(text),
            "account": self.account.name,
            "received_ns": self._clock.now_ms() * 1_000_000,
        }
        if asked_ms is not None:
            line["asked_ns"] = asked_ms * 1_000_000
        self.lines.append(line)

    def _tell_instruments(self, product: Product) -> None:
        market = self._venue.spot if product == "spot" else self._venue.linear
        rows = {symbol: market.instruments[symbol] for symbol in SYMBOLS}
        asked_ms = self._clock.now_ms()
        raw = exchange_info(rows, asked_ms, market.world.limits)
        self._tell(product, "rest", "GET exchangeInfo", raw, asked_ms=asked_ms)

    def _question(self, product: Product) -> None:
        """A GET, told as a whole answer, as one bare row, or as a WS API reply."""
        name = self.random.choice(QUESTIONS[product])
        path = next(path for method, path in CALLS if _is_question(method, path, product, name))
        params = self._params(product, name)
        if params is None:
            return
        asked_ms = self._clock.now_ms()
        answer = self._ask(product, CALLS["GET", path], params)
        self._clock.advance(self.random.randint(1, ANSWER_MS_MAX))
        method = METHODS.get(("GET", path))
        if method and self.random.random() < BARE_CHANCE:
            self._tell(product, "stream", method, _reply(answer), asked_ms=asked_ms)
        elif isinstance(answer, list) and answer and self.random.random() < BARE_CHANCE:
            row, kind = self.random.choice(answer), ROW_KINDS[name]
            self._tell(product, "rest", f"GET {name}", row, kind=kind, asked_ms=asked_ms)
        else:
            self._tell(product, "rest", f"GET {name}", answer, asked_ms=asked_ms)

    def _params(self, product: Product, name: str) -> dict[str, object] | None:
        """What to ask by; None where there is no order to ask about."""
        if name in ("order", "openOrder"):
            order = self._some_order(product)
            return None if order is None else _named(order)
        needs_symbol = name in ("allOrders", "myTrades", "userTrades")
        if needs_symbol or self.random.random() < 0.5:
            return {"symbol": self.random.choice(SYMBOLS)}
        return {}

    def _request(self, product: Product) -> None:
        """A POST, PUT or DELETE; its reply races the events that it brings about."""
        verbs = (self._placement, self._placement, self._removal, self._amendment)
        made = self.random.choice(verbs)(product)
        if made is None:
            return
        method, path, params = made
        asked_ms, place = self._clock.now_ms(), len(self.lines)
        answer = self._ask(product, CALLS[method, path], params)
        name = path.removeprefix("/api/v3/").removeprefix("/fapi/v1/")
        self._tell(product, "rest", f"{method} {name}", answer, asked_ms=asked_ms)
        if self.random.random() < 0.5:
            self.lines.insert(place, self.lines.pop())

    def _placement(self, product: Product) -> tuple[str, str, dict[str, object]]:
        market = self._venue.spot if product == "spot" else self._venue.linear
        instrument = market.instruments[self.random.choice(SYMBOLS)]
        side = self.random.choice(("BUY", "SELL"))
        away = self.random.randint(-20, 20) * instrument.tick
        lots = self.random.randint(1, 40)
        smallest = instrument.quantity_for(instrument.notional_min * 4, instrument.start_price)
        params: dict[str, object] = {
            "symbol": instrument.symbol,
            "side": side,
            "type": "LIMIT",
            "timeInForce": self.random.choice(("GTC", "GTC", "IOC")),
            "quantity": f"{smallest * lots:f}",
            "price": f"{instrument.start_price + away:f}",
            "newOrderRespType": self.random.choice(("ACK", "RESULT", "FULL")),
            "newClientOrderId": f"rest-{len(self.lines):04d}",
        }
        if self.account.config.is_hedged and product == "linear":
            params["positionSide"] = "LONG" if side == "BUY" else "SHORT"
        return "POST", "/api/v3/order" if product == "spot" else "/fapi/v1/order", params

    def _removal(self, product: Product) -> tuple[str, str, dict[str, object]] | None:
        order = self._some_order(product)
        if order is None:
            return None
        path = "/api/v3/order" if product == "spot" else "/fapi/v1/order"
        return "DELETE", path, _named(order)

    def _amendment(self, product: Product) -> tuple[str, str, dict[str, object]] | None:
        order = self._some_order(product)
        if order is None:
            return None
        params = _named(order)
        quantity = f"{order.quantity - self._lot(product, order.symbol):f}"
        if product == "spot":
            return "PUT", "/api/v3/order/amend/keepPriority", params | {"newQty": quantity}
        price = f"{order.price:f}"
        params |= {"side": order.side, "quantity": quantity, "price": price}
        return "PUT", "/fapi/v1/order", params

    def _lot(self, product: Product, symbol: str) -> Decimal:
        market = self._venue.spot if product == "spot" else self._venue.linear
        return market.instruments[symbol].lot

    def _rare(self, product: Product) -> None:
        order = self._some_order(product)
        if order is not None:
            event = rare_event(product, order, self.random, self._clock.now_ms())
            self._tell_event(product, event["e"], event)
            if event["e"] == "ALGO_UPDATE":
                self.waiting.append(waiting_truth(event))

    def _ask(self, product: Product, call: Call, params: dict[str, object]) -> object:
        market = self._venue.spot if product == "spot" else self._venue.linear
        try:
            return call.answer(market, self.account, Params(params))
        except Refusal as refusal:
            return refusal.document

    def _some_order(self, product: Product) -> Order | None:
        orders = list(self._orders(product))
        return self.random.choice(orders) if orders else None

    def _orders(self, product: Product) -> list[Order]:
        return [
            order
            for (name, _), orders in self.account.orders.items()
            if name == product
            for order in orders.values()
        ]


def _config(seed: int) -> SimulatorConfig:
    account = AccountConfig(
        name="binance:main",
        api_key="history-key",
        secret="history-secret",  # noqa: S106 (opens nothing)
        symbols={"spot": SYMBOLS, "linear": SYMBOLS},
        is_hedged=seed % 3 == 0,
        pays_bnb=seed % 2 == 0,
        has_rebate=seed % 5 == 0,
    )
    traffic = TrafficConfig(liquidation=0.04, open_orders_max=8)
    return SimulatorConfig(seed=seed, accounts=(account,), traffic=traffic)


def _named(order: Order) -> dict[str, object]:
    return {"symbol": order.symbol, "orderId": order.order_id}


def _is_question(method: str, path: str, product: Product, name: str) -> bool:
    prefix = "/api/" if product == "spot" else "/fapi/"
    return method == "GET" and path.startswith(prefix) and path.endswith(f"/{name}")


def _reply(answer: object) -> dict[str, object]:
    """A WS API reply with this result or error."""
    if isinstance(answer, dict) and "code" in answer:
        return {"id": "q", "status": 400, "error": answer, "rateLimits": []}
    return {"id": "q", "status": 200, "result": answer, "rateLimits": []}
