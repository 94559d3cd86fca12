"""Histories of a Binance account: frames of both products, REST and WS API answers in between."""

from typing import Any, ClassVar

from simulator.binance.extras import rare_event, refused_truth, trigger_reject
from simulator.binance.instruments import exchange_info
from simulator.binance.params import Params
from simulator.binance.refusals import Refusal
from simulator.binance.spot_calls import SPOT_CALLS, SPOT_METHODS
from simulator.binance.usdm_calls import USDM_CALLS
from simulator.binance.venue import BinanceVenue
from simulator.box import Venue
from simulator.config import SimulatorConfig
from simulator.instrument import Product
from simulator.matching import Order
from simulator.message import Message
from simulator.telling import BARE_CHANCE, Teller
from simulator.wire.calls import Call

SYMBOLS = ("BTCUSDT", "SOLUSDT")
CALLS = SPOT_CALLS | USDM_CALLS
QUESTIONS: dict[Product, tuple[str, ...]] = {
    "spot": ("openOrders", "order", "allOrders", "myTrades", "account"),
    "linear": (
        "openOrders", "order", "openOrder", "allOrders", "userTrades", "positionRisk", "balance",
        "forceOrders", "algoOrder", "openAlgoOrders", "allAlgoOrders",
    ),
}  # fmt: skip
ROW_KINDS = {"myTrades": "execution", "userTrades": "execution", "positionRisk": "position"}
ROW_KINDS |= dict.fromkeys(("openOrders", "allOrders", "forceOrders"), "order")
ROW_KINDS |= dict.fromkeys(("openAlgoOrders", "allAlgoOrders"), "order")
ROW_KINDS["balance"] = "balance"
METHODS = {path: method for method, path in SPOT_METHODS.items()}


class BinanceTeller(Teller):
    """Tells what an account of Binance would see."""

    name: ClassVar[str] = "binance"
    symbols: ClassVar[dict[Product, tuple[str, ...]]] = {"spot": SYMBOLS, "linear": SYMBOLS}
    questions: ClassVar[dict[Product, tuple[str, ...]]] = QUESTIONS

    def make_venue(self, config: SimulatorConfig) -> Venue:
        """Both products."""
        return BinanceVenue(config, self.clock, self.hear)

    def hear(self, message: Message) -> None:
        """Write down a frame as one of the two products sends it."""
        self.frames += 1
        self._tell_event(message.product, message.kind, message.document)

    def _tell_event(self, product: Product, kind: str, event: dict[str, Any]) -> None:
        is_bare = product == "linear" or self.random.random() < BARE_CHANCE
        # Events without an account have no subscription (docs/venues/binance.md 2.4).
        subscription = {} if kind == "serverShutdown" else {"subscriptionId": 0}
        raw = event if is_bare else subscription | {"event": event}
        self.tell(product, "stream", kind, raw)

    def instruments(self, product: Product) -> None:
        """The `exchangeInfo` of the symbols traded here."""
        market = self.market(product)
        rows = {symbol: market.instruments[symbol] for symbol in SYMBOLS}
        asked_ms = self.clock.now_ms()
        raw = exchange_info(rows, asked_ms, market.world.face)
        self.tell(product, "rest", "GET exchangeInfo", raw, asked_ms=asked_ms)

    def ask(self, product: Product, name: str, fields: dict[str, object]) -> object:
        """A GET."""
        return self._answer(product, CALLS["GET", _path_of(product, name)], fields)

    def tell_answer(self, product: Product, name: str, answer: Any, asked_ms: int) -> None:
        """As a WS API reply, where there is a method that equals the call, or as a REST answer."""
        method = METHODS.get(("GET", _path_of(product, name)))
        if method and self.random.random() < BARE_CHANCE:
            self.tell(product, "stream", method, _reply(answer), asked_ms=asked_ms)
        else:
            kind = ROW_KINDS.get(name, "")
            self.tell_rows(product, f"GET {name}", answer, answer, kind, asked_ms)

    def fields(self, product: Product, name: str) -> dict[str, object] | None:
        """What to ask by; None where there is no order to ask about."""
        if name in ("order", "openOrder"):
            order = self.some_order(product)
            return None if order is None else _named(order)
        if name == "algoOrder":
            algo_id = self._some_algo()
            return None if algo_id is None else {"algoId": algo_id}
        needs_symbol = name in ("allOrders", "myTrades", "userTrades", "allAlgoOrders")
        if needs_symbol or self.random.random() < 0.5:
            return {"symbol": self.random.choice(SYMBOLS)}
        return {}

    def request(self, product: Product) -> bool:
        """A POST, PUT or DELETE."""
        verbs = [self._placement, self._placement, self._removal, self._amendment]
        if product == "linear":
            verbs += [self._algo_placement, self._algo_removal]
        made = self.random.choice(verbs)(product)
        if made is None:
            return False
        method, path, params = made
        asked_ms = self.clock.now_ms()
        answer = self._answer(product, CALLS[method, path], params)
        name = path.removeprefix("/api/v3/").removeprefix("/fapi/v1/")
        self.tell(product, "rest", f"{method} {name}", answer, asked_ms=asked_ms)
        return True

    def _placement(self, product: Product) -> tuple[str, str, dict[str, object]]:
        market = self.market(product)
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
        order = self.some_order(product)
        if order is None:
            return None
        path = "/api/v3/order" if product == "spot" else "/fapi/v1/order"
        return "DELETE", path, _named(order)

    def _amendment(self, product: Product) -> tuple[str, str, dict[str, object]] | None:
        order = self.some_order(product)
        if order is None:
            return None
        params = _named(order)
        quantity = f"{order.quantity - self.market(product).instruments[order.symbol].lot:f}"
        if product == "spot":
            return "PUT", "/api/v3/order/amend/keepPriority", params | {"newQty": quantity}
        price = f"{order.price:f}"
        params |= {"side": order.side, "quantity": quantity, "price": price}
        return "PUT", "/fapi/v1/order", params

    def _algo_placement(self, product: Product) -> tuple[str, str, dict[str, object]]:
        """A stop at any price, named by its owner."""
        _, _, params = self._placement(product)
        stop = {"algoType": "CONDITIONAL", "type": "STOP_MARKET", "triggerPrice": params["price"]}
        name = {"clientAlgoId": f"algo-{len(self.lines):04d}"}
        kept = ("symbol", "side", "quantity", "positionSide")
        plain = {key: params[key] for key in kept if key in params}
        return "POST", "/fapi/v1/algoOrder", plain | stop | name

    def _algo_removal(self, product: Product) -> tuple[str, str, dict[str, object]] | None:
        algo_id = self._some_algo()
        return None if algo_id is None else ("DELETE", "/fapi/v1/algoOrder", {"algoId": algo_id})

    def _some_algo(self) -> int | None:
        """Any conditional order, None where there is none."""
        rows = list(self.account.conditionals["linear"])
        return self.random.choice(rows) if rows else None

    def rare(self, product: Product) -> None:
        """One of the rare events of the product."""
        order = self.some_order(product)
        if order is not None:
            event = rare_event(product, order, self.random, self.clock.now_ms())
            self._tell_event(product, event["e"], event)
            if event["e"] == "ORDER_TRADE_UPDATE":
                rejected = trigger_reject(event)
                self._tell_event(product, rejected["e"], rejected)
                self.waiting.append(refused_truth(event))

    def _answer(self, product: Product, call: Call, params: dict[str, object]) -> object:
        market = self.market(product)
        try:
            return call.answer(market, self.account, Params(params))
        except Refusal as refusal:
            return refusal.document


def _named(order: Order) -> dict[str, object]:
    return {"symbol": order.symbol, "orderId": order.order_id}


def _path_of(product: Product, name: str) -> str:
    prefix = "/api/" if product == "spot" else "/fapi/"
    return next(
        path
        for method, path in CALLS
        if method == "GET" and path.startswith(prefix) and path.endswith(f"/{name}")
    )


def _reply(answer: object) -> dict[str, object]:
    """A WS API reply with this result or error."""
    if isinstance(answer, dict) and "code" in answer:
        return {"id": "q", "status": 400, "error": answer, "rateLimits": []}
    return {"id": "q", "status": 200, "result": answer, "rateLimits": []}
