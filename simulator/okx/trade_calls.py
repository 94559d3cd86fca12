"""Placing, amending, cancelling: what REST and socket share (docs/venues/okx.md 7 and 8)."""

from collections.abc import Callable
from decimal import Decimal

from simulator.accounts import Account
from simulator.instrument import ZERO
from simulator.market import Request
from simulator.matching import Order
from simulator.message import Document
from simulator.okx.fields import Fields
from simulator.okx.market import Change, OkxMarket
from simulator.okx.refusals import Refusal, refused
from simulator.okx.venue import OkxVenue
from simulator.refusal import Refused

BATCH_MAX = 20
Trade = Callable[[OkxVenue, Account, Fields], Document]


def place(venue: OkxVenue, account: Account, fields: Fields) -> Document:
    """One order; the answer's row says whether the entry checks let it pass."""

    def act() -> Order:
        symbol = fields.needed("instId")
        market = venue.market_of(symbol)
        return market.place(account, wanted(market, symbol, fields))

    return _answered(venue, fields, act) | {"tag": fields.text("tag")}


def wanted(market: OkxMarket, symbol: str, fields: Fields) -> Request:
    """The order that the fields describe."""
    order_type, time_in_force = fields.order_type()
    is_market = order_type == "MARKET"
    side = fields.side()
    size = fields.decimal("sz") if fields.needed("sz") else ZERO
    default = "quote_ccy" if side == "BUY" else "base_ccy"
    is_quote = market.product == "spot" and is_market
    is_quote = is_quote and fields.text("tgtCcy", default) == "quote_ccy"
    fields.needed("tdMode")
    return Request(
        symbol=symbol,
        side=side,
        quantity=ZERO if is_quote else size,
        quote_size=size if is_quote else ZERO,
        price=ZERO if is_market else Decimal(fields.decimal("px") if fields.needed("px") else 0),
        order_type=order_type,
        time_in_force=time_in_force,
        client_order_id=fields.text("clOrdId"),
        self_trade_mode=fields.self_trade_mode(),
        position_side=fields.position_side(),
        reduce_only=fields.flag("reduceOnly"),
        tag=fields.text("tag"),
        margin_mode=fields.text("tdMode"),
    )


def amend(venue: OkxVenue, account: Account, fields: Fields) -> Document:
    """Another price or size; the outcome comes by push."""
    request_id = fields.text("reqId")

    def act() -> Order:
        market, order = _find(venue, account, fields, refused("not_amended"))
        price, quantity = fields.decimal("newPx"), fields.decimal("newSz")
        cancels = fields.flag("cxlOnFail")
        market.amend(account, order, Change(price, quantity, request_id, cancels))
        return order

    return _answered(venue, fields, act) | {"reqId": request_id}


def cancel(venue: OkxVenue, account: Account, fields: Fields) -> Document:
    """End an order; `ts` of the answer is when the order was made."""

    def act() -> Order:
        market, order = _find(venue, account, fields, refused("ended"))
        return market.cancel(account, order)

    return _answered(venue, fields, act)


def overall(rows: list[Document]) -> tuple[str, str]:
    """`code` and `msg` of an answer: 0 all ok, 1 all failed, 2 some failed."""
    failed = sum(row["sCode"] != "0" for row in rows)
    if not failed:
        return "0", ""
    if failed == len(rows):
        return "1", "All operations failed"
    return "2", "Bulk operation partially succeeded"


def _find(
    venue: OkxVenue, account: Account, fields: Fields, missing: Refused
) -> tuple[OkxMarket, Order]:
    symbol = fields.needed("instId")
    market = venue.market_of(symbol)
    order_id, client_id = fields.named("ordId", "clOrdId")
    try:
        return market, market.find(account, symbol, order_id, client_id)
    except Refusal as refusal:
        raise (missing if refusal.code == "51603" else refusal) from None


def _answered(venue: OkxVenue, fields: Fields, act: Callable[[], Order]) -> Document:
    """The row that says what became of one wish."""
    ids, made_ms = (fields.text("ordId"), fields.text("clOrdId")), venue.now_ms
    code = message = ""
    try:
        with venue.journal.judged():
            order = act()
        ids, made_ms = (str(order.order_id), order.client_order_id), order.created_ms
    except Refusal as refusal:
        code, message = refusal.code, refusal.message
    return {
        "ordId": ids[0],
        "clOrdId": ids[1],
        "ts": str(made_ms),
        "sCode": code or "0",
        "sMsg": message,
        "subCode": "",
    }
