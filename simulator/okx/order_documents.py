"""Orders and executions as OKX tells them (docs/venues/okx.md 3.1, 3.2 and 7)."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from simulator.accounts import Fill
from simulator.instrument import Instrument
from simulator.matching import Order
from simulator.message import Document
from simulator.okx.algo_documents import SOURCES
from simulator.okx.orders import NO_AMENDMENT, Amendment
from simulator.okx.words import (
    KINDS,
    SOURCE_TEXTS,
    STATES,
    cancel_source,
    order_type,
    position_side,
    self_trade_mode,
    sub_type,
    text,
)

AVERAGE_STEP = Decimal("0.000000000001")
MONEY_STEP = Decimal("0.1")
_NOT_USED = {
    "algoClOrdId": "", "algoId": "", "attachAlgoClOrdId": "", "attachAlgoOrds": [], "ccy": "",
    "fillFwdPx": "", "fillMarkVol": "", "fillPxUsd": "", "fillPxVol": "", "isTpLimit": "false",
    "linkedAlgoOrd": {"algoId": ""}, "pxType": "", "pxUsd": "", "pxVol": "", "quickMgnType": "",
    "rebate": "0", "slOrdPx": "", "slTriggerPx": "", "slTriggerPxType": "", "source": "",
    "stpId": "", "tpOrdPx": "", "tpTriggerPx": "", "tpTriggerPxType": "",
}  # fmt: skip
"""What every order row has and no order of this box needs."""


@dataclass(frozen=True, slots=True)
class Push:
    """What one push adds to the order: the execution it tells of, an amend's answer, a state."""

    fill: Fill | None = None
    amendment: Amendment = NO_AMENDMENT
    state: str = ""
    """A state of its own, where it is not the order's."""


def push(order: Order, instrument: Instrument, last: Decimal, what: Push) -> Document:
    """One item of the `orders` channel; `last` is the market's last price."""
    fill, amendment = what.fill, what.amendment
    notional = instrument.notional(order.quantity, order.price or last)
    document = _row(order, instrument, fill) | {
        "amendResult": amendment.result,
        "amendSource": amendment.source,
        "avgPx": text(_average(order)),
        "code": amendment.code,
        "execType": _exec_type(fill),
        "fillFee": text(-fill.fee) if fill else "0",
        "fillFeeCcy": fill.fee_currency if fill else "",
        "fillNotionalUsd": _fill_notional(fill, instrument),
        "lastPx": text(last),
        "msg": amendment.message,
        "notionalUsd": text(notional.quantize(MONEY_STEP, ROUND_HALF_EVEN)),
        "reqId": amendment.request_id,
    }
    if fill is not None and fill.is_nameless:
        document["tradeId"] = "0"  # REST has a negative one: docs/venues/okx.md 5
    if what.state:
        document["state"] = what.state
        document["cancelSource"] = "1" if what.state == "canceled" else ""
    return dict(sorted(document.items()))


def row(order: Order, instrument: Instrument) -> Document:
    """One order as REST shows it; its fill fields are those of the last execution."""
    document = _row(order, instrument, order.last_fill) | {
        "avgPx": text(_average(order)) if order.filled else "",
        "cancelSourceReason": SOURCE_TEXTS.get(cancel_source(order), ""),
    }
    return dict(sorted(document.items()))


def _row(order: Order, instrument: Instrument, fill: Fill | None) -> Document:
    is_spot = instrument.product == "spot"
    fee_currency = order.fee_currency or instrument.settle or instrument.quote
    return _NOT_USED | {
        "accFillSz": text(order.filled),
        "cTime": str(order.created_ms),
        "cancelSource": cancel_source(order),
        "category": order.category,
        "clOrdId": order.client_order_id,
        "fee": text(-order.fee),
        "feeCcy": fee_currency,
        "fillIdxPx": text(fill.price) if fill else "",
        "fillMarkPx": text(fill.price) if fill and not is_spot else "",
        "fillPnl": text(fill.realized) if fill else "0",
        "fillPx": text(fill.price) if fill else "",
        "fillSz": text(fill.quantity) if fill else "0",
        "fillTime": str(fill.venue_ms) if fill else "",
        "instId": order.symbol,
        "instType": KINDS[instrument.product],
        "lever": "0" if is_spot else "10",
        "ordId": str(order.order_id),
        "ordType": order_type(order),
        "pnl": text(order.profit),
        "posSide": "" if is_spot else position_side(order.position_side),
        "px": "" if order.is_market else text(order.price),
        "rebateCcy": instrument.quote if is_spot else instrument.settle,
        "reduceOnly": "true" if order.reduce_only else "false",
        "side": order.side.lower(),
        "state": STATES[order.status],
        "stpMode": self_trade_mode(order.self_trade_mode) if order.category == "normal" else "",
        "sz": text(order.quote_size or order.quantity),
        "tag": order.tag,
        "tdMode": "cash" if is_spot else "cross",
        "tgtCcy": _target(order, is_spot=is_spot),
        "tradeId": str(fill.trade_id) if fill else "",
        "tradeQuoteCcy": instrument.quote if is_spot else "",
        "uTime": str(order.updated_ms),
        **_parent(order),
    }


def _parent(order: Order) -> Document:
    """The conditional order that became this one."""
    if order.parent is None:
        return {}
    return {
        "algoClOrdId": order.parent.client_order_id,
        "algoId": str(order.parent.order_id),
        "source": SOURCES[order.parent.order_type],
    }


def fill_row(fill: Fill, instrument: Instrument) -> Document:
    """One row of `trade/fills` and `trade/fills-history`."""
    is_spot = instrument.product == "spot"
    return {
        "instType": KINDS[instrument.product],
        "instId": fill.symbol,
        "tradeId": str(fill.trade_id),
        "ordId": str(fill.order_id),
        "clOrdId": fill.client_order_id,
        "billId": str(fill.number),
        "subType": sub_type(fill),
        "tag": fill.tag,
        "fillPx": text(fill.price),
        "fillSz": text(fill.quantity),
        "fillIdxPx": text(fill.price),
        "fillPnl": text(fill.realized),
        "fillPxVol": "",
        "fillPxUsd": "",
        "fillMarkVol": "",
        "fillFwdPx": "",
        "fillMarkPx": "" if is_spot else text(fill.price),
        "side": fill.side.lower(),
        "posSide": "net" if is_spot else position_side(fill.position_side),
        "execType": _exec_type(fill),
        "feeCcy": fill.fee_currency,
        "fee": text(-fill.fee),
        "ts": str(fill.venue_ms),
        "fillTime": str(fill.venue_ms),
        "feeRate": "",
        "tradeQuoteCcy": instrument.quote if is_spot else "",
    }


def lean_fill(fills: list[Fill]) -> Document:
    """One item of the `fills` channel: all of one price together, named by the last of them."""
    last = fills[-1]
    is_number = last.client_order_id.isdecimal() and not last.client_order_id.startswith("0")
    return {
        "instId": last.symbol,
        "fillSz": text(sum((fill.quantity for fill in fills), Decimal(0))),
        "fillPx": text(last.price),
        "side": last.side.lower(),
        "ts": str(last.venue_ms),
        "ordId": str(last.order_id),
        "clOrdId": last.client_order_id if is_number else "0",
        "tradeId": str(last.trade_id),
        "execType": _exec_type(last),
        "count": str(len(fills)),
    }


def _average(order: Order) -> Decimal:
    return order.average_price.quantize(AVERAGE_STEP, ROUND_HALF_EVEN)


def _exec_type(fill: Fill | None) -> str:
    if fill is None or fill.is_nameless:
        return ""
    return "M" if fill.is_maker else "T"


def _fill_notional(fill: Fill | None, instrument: Instrument) -> str:
    if fill is None:
        return ""
    notional = instrument.notional(fill.quantity, fill.price)
    return text(notional.quantize(MONEY_STEP, ROUND_HALF_EVEN))


def _target(order: Order, *, is_spot: bool) -> str:
    if not is_spot or not order.is_market:
        return ""
    return "quote_ccy" if order.quote_size else "base_ccy"
