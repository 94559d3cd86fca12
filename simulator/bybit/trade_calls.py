"""Placing, amending, cancelling: what REST and sockets share (docs/venues/bybit.md 7 and 8)."""

from collections.abc import Callable
from dataclasses import dataclass

from simulator.accounts import Account
from simulator.bybit import words
from simulator.bybit.fields import Fields
from simulator.bybit.limits import Limits
from simulator.bybit.market import BybitMarket
from simulator.bybit.refusals import Refusal, refused
from simulator.bybit.shared import Note
from simulator.bybit.venue import BybitVenue
from simulator.conditional import Conditional, Trigger
from simulator.instrument import ZERO, Product
from simulator.market import Request
from simulator.matching import Order
from simulator.message import Document

CANCELED_MAX = 500
BATCH_MAX = {"spot": 10, "linear": 20, "inverse": 20}
Trade = Callable[[BybitVenue, Account, Fields], Document]


def create(venue: BybitVenue, account: Account, fields: Fields) -> Document:
    """An order, or one that waits for a price; the ack says no more than that it was taken."""
    market = venue.market_of(fields.product())
    market.instrument(fields.needed("symbol"))
    request = _wanted(market, fields)
    if fields.has("triggerPrice"):
        conditional = _conditional(market, account, fields, request)
        market.hold(account, conditional)
        return _ids(conditional)
    attached = Note(take_profit=fields.decimal("takeProfit"), stop_loss=fields.decimal("stopLoss"))
    return _ids(market.place_attached(account, request, attached))


def _wanted(market: BybitMarket, fields: Fields) -> Request:
    is_market = fields.word("orderType", words.ORDER_TYPES) == "MARKET"
    side, is_spot = fields.side(), market.product == "spot"
    size = fields.decimal("qty") if fields.needed("qty") else ZERO
    default = "quoteCoin" if side == "BUY" else "baseCoin"
    is_quote = is_spot and is_market and fields.text("marketUnit", default) == "quoteCoin"
    price = ZERO if is_market or not fields.needed("price") else fields.decimal("price")
    return Request(
        symbol=fields.needed("symbol"),
        side=side,
        quantity=ZERO if is_quote else size,
        quote_size=size if is_quote else ZERO,
        price=price,
        order_type="MARKET" if is_market else "LIMIT",
        time_in_force=fields.word("timeInForce", words.TIMES_IN_FORCE, "GTC"),
        client_order_id=fields.text("orderLinkId"),
        self_trade_mode=fields.word("smpType", words.SELF_TRADE_MODES, "None"),
        position_side="BOTH" if is_spot else fields.word("positionIdx", words.POSITION_SIDES, "0"),
        reduce_only=not is_spot and fields.flag("reduceOnly"),
    )


def _conditional(
    market: BybitMarket, account: Account, fields: Fields, request: Request
) -> Conditional:
    """Of contracts the direction is said; of coins it follows from the last price."""
    price, last = fields.decimal("triggerPrice"), market.last_price(request.symbol)
    is_above = price >= last
    if market.product != "spot":
        is_above = fields.word("triggerDirection", {"1": True, "2": False})
        if is_above != (price > last):
            raise market.refusal("rising" if is_above else "falling")
    for check in (market.rules.checks[0], *market.rules.checks[1:3]):
        check(market, account, request)
    closes = fields.flag("closeOnTrigger")
    is_tpsl = market.product == "spot" and fields.text("orderFilter") == "tpslOrder"
    return Conditional(
        order_id=market.next_conditional_id(),
        owner=account.name,
        product=market.product,
        symbol=request.symbol,
        side=request.side,
        order_type="tpslOrder" if is_tpsl else "Stop",
        quantity=request.quantity,
        triggers=(Trigger(price, is_above, request),),
        client_order_id=request.client_order_id,
        position_side=request.position_side,
        reduce_only=request.reduce_only or closes,
        closes_position=closes and not request.quantity,
        price_type=fields.text("triggerBy", "LastPrice"),
    )


def amend(venue: BybitVenue, account: Account, fields: Fields) -> Document:
    """Another price or total quantity; the order keeps its ids."""
    market, found = _found(venue, account, fields)
    price, quantity = fields.decimal("price"), fields.decimal("qty")
    if isinstance(found, Order):
        market.amend(account, found, price, quantity)
        return _ids(found)
    raise market.refusal("no_such_order")


def cancel(venue: BybitVenue, account: Account, fields: Fields) -> Document:
    """End an order; one that was filled just now is told of once more."""
    market, found = _found(venue, account, fields)
    if isinstance(found, Conditional):
        market.end_conditional(account, found)
        return _ids(found)
    age_ms = venue.now_ms - found.updated_ms
    if found.status == "FILLED" and age_ms < market.world.face.race_ms:
        market.cancel_too_late(account, found)
        return _ids(found)
    return _ids(market.cancel(account, found))


def cancel_all(venue: BybitVenue, account: Account, fields: Fields) -> Document:
    """All of a symbol or coin; of coins plain orders alone, unless others are asked for."""
    market, kind = venue.market_of(fields.product()), fields.text("orderFilter")
    is_meant = scope(market, fields)
    is_spot = market.product == "spot"
    if is_spot and not kind:
        kind = "Order"
    orders = [one for one in market.open_orders(account) if is_meant(one.symbol)]
    waiting = [
        one
        for every in market.waiting.values()
        for one in every.values()
        if one.owner == account.name and is_meant(one.symbol)
    ]
    ended: list[Order | Conditional] = [
        *(orders if kind in ("", "Order") else ()),
        *(waiting if kind != "Order" else ()),
    ]
    if len(ended) > CANCELED_MAX and not is_spot:
        ended = market.world.random.sample(ended, CANCELED_MAX)
    for one in ended:
        if isinstance(one, Order):
            market.cancel(account, one)
        else:
            market.end_conditional(account, one)
    return {"list": [_ids(one) for one in ended], "success": "1"}


def scope(market: BybitMarket, fields: Fields) -> Callable[[str], bool]:
    """Which symbols are meant; of linear contracts a symbol or a coin must be named (trap 14)."""
    symbol, base, settle = map(fields.text, ("symbol", "baseCoin", "settleCoin"))
    if market.product == "linear" and not (symbol or base or settle):
        raise refused("missing", name="symbol, baseCoin or settleCoin")

    def is_meant(name: str) -> bool:
        if symbol or name not in market.instruments:
            return name == symbol
        instrument = market.instruments[name]
        return base in ("", instrument.base) and settle in ("", instrument.settle)

    return is_meant


def _found(
    venue: BybitVenue, account: Account, fields: Fields
) -> tuple[BybitMarket, Order | Conditional]:
    market, symbol = venue.market_of(fields.product()), fields.needed("symbol")
    number, name = fields.named(market.product)
    conditional = account.conditional(number, name)
    is_waiting = conditional is not None and conditional.is_waiting
    if conditional is not None and is_waiting and conditional.symbol == symbol:
        return market, conditional
    return market, market.find(account, symbol, number, name)


def _ids(found: Order | Conditional) -> Document:
    return {"orderId": str(found.order_id), "orderLinkId": found.client_order_id}


@dataclass(frozen=True, slots=True)
class Operation:
    """A wish that changes orders; REST and sockets share its counter."""

    name: str
    act: Trade
    of_contracts: int
    of_coins: int
    """How many a second."""
    is_batch: bool = False

    def carry_out(
        self,
        venue: BybitVenue,
        account: Account,
        fields: Fields,
        wire: tuple[Limits, Document],
    ) -> tuple[Document, Document]:
        """The result and its `retExtInfo`; `wire` has the counters and the answer's headers."""
        product: Product = fields.product()
        rows = fields.items() if self.is_batch else [fields]
        if not rows or len(rows) > BATCH_MAX[product]:
            raise refused("bad", name="request")
        limits, headers = wire
        limit = self.of_coins if product == "spot" else self.of_contracts
        limits.take(account.name, f"{self.name}/{product}", limit, headers, len(rows))
        if not self.is_batch:
            with venue.journal.judged():
                return self.act(venue, account, fields), {}
        done = [_answered(venue, account, self.act, row) for row in rows]
        return {"list": [row for row, _ in done]}, {"list": [verdict for _, verdict in done]}


def _answered(
    venue: BybitVenue, account: Account, act: Trade, fields: Fields
) -> tuple[Document, Document]:
    """An item of a batch and its verdict: the batch itself is always well (trap 17)."""
    head = {"category": fields.text("category"), "symbol": fields.text("symbol")}
    try:
        with venue.journal.judged():
            made = act(venue, account, fields)
    except Refusal as refusal:
        ids = {"orderId": "", "orderLinkId": fields.text("orderLinkId")}
        return head | ids, {"code": refusal.code, "msg": refusal.message}
    return head | made, {"code": 0, "msg": "OK"}
