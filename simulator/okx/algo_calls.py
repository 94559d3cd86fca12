"""Conditional orders by REST: placing, cancelling, questions (docs/venues/okx.md 3.6 and 7)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from simulator.accounts import Account
from simulator.conditional import Conditional, Trigger
from simulator.instrument import ZERO
from simulator.market import Request
from simulator.message import Document
from simulator.okx.algo_documents import STATES, algo_row
from simulator.okx.fields import Fields
from simulator.okx.market import CLIENT_ID, OkxMarket
from simulator.okx.paging import Paging, page
from simulator.okx.refusals import Refusal, refused
from simulator.okx.venue import OkxVenue
from simulator.okx.words import KINDS
from simulator.refusal import Refused

HALVES = ("sl", "tp")
MARKET = Decimal(-1)

Rows = list[Any]


def place(venue: OkxVenue, account: Account, fields: Fields) -> Document:
    """POST order-algo: one conditional order; margin is looked at when it triggers."""
    try:
        with venue.journal.judged():
            conditional = _placed(venue, account, fields)
    except Refusal as refusal:
        return _row(fields, "", refusal)
    return _row(fields, str(conditional.order_id))


def _placed(venue: OkxVenue, account: Account, fields: Fields) -> Conditional:
    market = venue.market_of(fields.needed("instId"))
    name = fields.text("algoClOrdId")
    if name and not CLIENT_ID.fullmatch(name):
        raise refused("bad", name="algoClOrdId")
    if name and any(one.client_order_id == name and one.is_waiting for one in _all(account)):
        raise refused("duplicate_algo")
    conditional = _wanted(market, account, fields)
    market.hold(account, conditional)
    return conditional


def cancel(venue: OkxVenue, account: Account, fields: Fields) -> Document:
    """POST cancel-algos: one of its items."""
    try:
        with venue.journal.judged():
            conditional = _ended(venue, account, fields)
    except Refusal as refusal:
        return _row(fields, fields.text("algoId"), refusal)
    return _row(fields, str(conditional.order_id))


def _ended(venue: OkxVenue, account: Account, fields: Fields) -> Conditional:
    market = venue.market_of(fields.needed("instId"))
    conditional = _find(account, fields, refused("ended"))
    if conditional.symbol != fields.text("instId"):
        raise refused("ended")
    market.end_conditional(account, conditional)
    return conditional


def one(venue: OkxVenue, account: Account, fields: Fields) -> Rows:
    """GET order-algo."""
    conditional = _find(account, fields, refused("no_such_order"))
    if not venue.view.has(conditional, venue.now_ms):
        raise refused("no_such_order")
    return [_shown(venue, conditional)]


def pending(venue: OkxVenue, account: Account, fields: Fields) -> Rows:
    """GET orders-algo-pending: those of one type that wait."""
    return _page(venue, account, fields, lambda conditional: conditional.is_waiting)


def history(venue: OkxVenue, account: Account, fields: Fields) -> Rows:
    """GET orders-algo-history: those of one type that wait no more, in one state."""
    state, algo_id = fields.text("state"), fields.text("algoId")
    if not state and not algo_id:
        raise refused("missing", name="state")

    def is_shown(conditional: Conditional) -> bool:
        is_named = algo_id in ("", str(conditional.order_id))
        return not conditional.is_waiting and is_named and state in ("", _state(conditional))

    return _page(venue, account, fields, is_shown)


def _page(
    venue: OkxVenue, account: Account, fields: Fields, is_shown: Callable[[Conditional], bool]
) -> Rows:
    types = fields.needed("ordType").split(",")
    kind, symbol = fields.text("instType"), fields.text("instId")

    def is_meant(conditional: Conditional) -> bool:
        return (
            is_shown(conditional)
            and conditional.order_type in types
            and kind in ("", KINDS[conditional.product])
            and symbol in ("", conditional.symbol)
            and venue.view.has(conditional, venue.now_ms)
        )

    paging: Paging[Conditional] = Paging(
        lambda row: row.order_id, lambda row: row.created_ms, is_meant
    )
    rows = sorted(_all(account), key=lambda conditional: conditional.order_id)
    return [_shown(venue, row) for row in page(rows, fields, paging, venue.view)]


def _all(account: Account) -> list[Conditional]:
    return [one for every in account.conditionals.values() for one in every.values()]


def _find(account: Account, fields: Fields, missing: Refused) -> Conditional:
    found = account.conditional(*fields.named("algoId", "algoClOrdId"))
    if found is None:
        raise missing
    return found


def _shown(venue: OkxVenue, conditional: Conditional) -> Document:
    market = venue.market_of(conditional.symbol)
    instrument = market.instrument(conditional.symbol)
    return algo_row(conditional, instrument, market.last_price(conditional.symbol))


def _state(conditional: Conditional) -> str:
    return STATES[conditional.status]


def _wanted(market: OkxMarket, account: Account, fields: Fields) -> Conditional:
    """The conditional order that the fields describe."""
    order_type, closes = fields.needed("ordType"), fields.text("closeFraction") == "1"
    triggers = _triggers(market, fields, order_type)
    if not triggers:
        raise refused("bad", name="triggerPx")
    request = triggers[0].request
    return Conditional(
        order_id=market.next_conditional_id(),
        owner=account.name,
        product=market.product,
        symbol=request.symbol,
        side=request.side,
        order_type=order_type,
        quantity=request.quantity,
        triggers=triggers,
        client_order_id=fields.text("algoClOrdId"),
        position_side=request.position_side,
        reduce_only=request.reduce_only or closes,
        closes_position=closes,
        price_type="last",
    )


def _triggers(market: OkxMarket, fields: Fields, order_type: str) -> tuple[Trigger, ...]:
    last = market.last_price(fields.text("instId"))

    def trigger(price: Decimal, order_price: Decimal, name: str = "") -> Trigger:
        return Trigger(price, price >= last, _request(fields, order_price), name)

    if order_type == "trigger":
        price = fields.decimal("triggerPx")
        return (trigger(price, fields.decimal("orderPx")),) if price else ()
    if order_type == "move_order_stop":
        request = _request(fields, MARKET)
        ratio, activation = fields.decimal("callbackRatio"), fields.decimal("activePx")
        is_above = request.side == "BUY"
        return (Trigger(ZERO, is_above, request, "", ratio, activation),) if ratio else ()
    if order_type not in ("conditional", "oco"):
        raise refused("bad", name="ordType")
    return tuple(
        trigger(price, fields.decimal(f"{half}OrdPx"), half)
        for half in HALVES
        if (price := fields.decimal(f"{half}TriggerPx"))
    )


def _request(fields: Fields, price: Decimal) -> Request:
    is_market = price <= ZERO
    closes = fields.text("closeFraction") == "1"
    return Request(
        symbol=fields.needed("instId"),
        side=fields.side(),
        quantity=ZERO if closes else fields.decimal("sz"),
        price=ZERO if is_market else price,
        order_type="MARKET" if is_market else "LIMIT",
        position_side=fields.position_side(),
        reduce_only=fields.flag("reduceOnly") or closes,
        tag=fields.text("tag"),
        margin_mode=fields.needed("tdMode"),
    )


def _row(fields: Fields, algo_id: str, refusal: Refusal | None = None) -> Document:
    return {
        "algoId": algo_id,
        "algoClOrdId": fields.text("algoClOrdId"),
        "clOrdId": "",
        "sCode": refusal.code if refusal else "0",
        "sMsg": refusal.message if refusal else "",
        "tag": fields.text("tag"),
    }
