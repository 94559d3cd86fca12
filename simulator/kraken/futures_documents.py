"""Orders, executions, positions and wallets as Kraken Futures tells them (docs/venues/kraken.md).

The stream and `/derivatives` have JSON numbers, `/api/history` texts. What is left of an order is
its `qty` on the stream (3.4). Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from simulator.accounts import Account, Fill, Position
from simulator.instrument import ZERO, Instrument
from simulator.kraken.words import account_id, at_ms, execution_id, futures_asset, text, uuid
from simulator.matching import Order
from simulator.message import Document

REASONS = {
    "USER": "cancelled_by_user", "VENUE": "cancelled_by_admin", "ADL": "cancelled_by_admin",
    "LIQUIDATION": "liquidation", "STP": "would_execute_self",
    "POST_ONLY": "post_order_failed_because_it_would_be_filled",
    "REDUCE_ONLY": "would_not_reduce_position",
    "IOC": "ioc_order_failed_because_it_would_not_be_executed",
    "FOK": "ioc_order_failed_because_it_would_not_be_executed",
    "MARKET": "ioc_order_failed_because_it_would_not_be_executed",
}  # fmt: skip
STATUSES = {
    "POST_ONLY": "postWouldExecute", "REDUCE_ONLY": "wouldNotReducePosition",
    "IOC": "iocWouldNotExecute", "FOK": "iocWouldNotExecute", "MARKET": "iocWouldNotExecute",
    "STP": "selfFill",
}  # fmt: skip
"""What an order is answered that was not taken."""
ERRORS = {
    "POST_ONLY": "POST_WOULD_EXECUTE", "REDUCE_ONLY": "WOULD_NOT_REDUCE_POSITION",
    "IOC": "IOC_WOULD_NOT_EXECUTE", "FOK": "IOC_WOULD_NOT_EXECUTE",
    "MARKET": "IOC_WOULD_NOT_EXECUTE",
}  # fmt: skip
"""`orderError` of the history."""
TYPES = {"GTC": "lmt", "GTX": "post", "IOC": "ioc", "FOK": "fok"}
HISTORY_TYPES = {"GTC": "Limit", "GTX": "Post", "IOC": "IoC", "FOK": "Fill or Kill"}
FORCED_TYPES = {"LIQUIDATION": "liquidation", "ADL": "unwind"}
FORCED_FILLS = {"LIQUIDATION": "liquidation", "ADL": "unwindCounterparty"}
MARGIN_RATE = Decimal("0.02")


def fill_type(fill: Fill) -> str:
    """What kind of execution it is."""
    return FORCED_FILLS.get(fill.forced) or ("maker" if fill.is_maker else "taker")


def order_type(order: Order) -> str:
    """`orderType` of answers."""
    return "mkt" if order.is_market else TYPES[order.time_in_force]


# ---- the stream


def stream_order(order: Order) -> Document:
    """The order in `open_orders`."""
    shown: Document = {
        "instrument": order.symbol, "time": order.created_ms,
        "last_update_time": order.updated_ms, "qty": float(order.remaining),
        "filled": float(order.filled), "limit_price": float(order.price), "stop_price": 0.0,
        "type": "market" if order.is_market else "limit", "order_id": uuid(order.order_id),
        "direction": int(order.side == "SELL"), "reduce_only": order.reduce_only,
    }  # fmt: skip
    return shown | ({"cli_ord_id": order.client_order_id} if order.client_order_id else {})


def change(order: Order, reason: str, *, is_cancel: bool = False) -> Document:
    """A change of an order, with the order."""
    return {"order": stream_order(order), "is_cancel": is_cancel, "reason": reason}


def removal(order: Order, reason: str, *, is_named: bool) -> Document:
    """An order is gone: its id alone."""
    named = {"cli_ord_id": order.client_order_id} if is_named and order.client_order_id else {}
    return {"order_id": uuid(order.order_id)} | named | {"is_cancel": True, "reason": reason}


def stream_fill(fill: Fill, order: Order, seq: int) -> Document:
    """One execution in `fills`."""
    named = {"cli_ord_id": fill.client_order_id} if fill.client_order_id else {}
    kind = FORCED_TYPES.get(fill.forced) or ("market" if order.is_market else "limit")
    return {
        "instrument": fill.symbol, "time": fill.venue_ms, "price": float(fill.price), "seq": seq,
        "buy": fill.side == "BUY", "qty": float(fill.quantity),
        "remaining_order_qty": float(order.remaining), "order_id": uuid(fill.order_id), **named,
        "fill_id": execution_id(fill), "fill_type": fill_type(fill), "fee_paid": float(fill.fee),
        "fee_currency": futures_asset(fill.fee_currency),
        "taker_order_type": "market" if fill.is_maker else kind, "order_type": kind,
    }  # fmt: skip


def stream_position(position: Position, instrument: Instrument, last: Decimal) -> Document:
    """One position in `open_positions`, signed."""
    worth = instrument.notional(abs(position.amount), last)
    worth = worth / last if instrument.is_inverse else worth
    margin = float(worth * MARGIN_RATE)
    return {
        "instrument": instrument.symbol, "balance": float(position.amount),
        "entry_price": float(position.entry), "mark_price": float(last),
        "index_price": float(last), "pnl": float(position.profit_of(position.amount, last)),
        "liquidation_threshold": 0.0, "effective_leverage": 1.0, "return_on_equity": 0.0,
        "unrealized_funding": 0.0, "initial_margin": margin,
        "initial_margin_with_orders": margin, "maintenance_margin": margin / 2,
        "pnl_currency": futures_asset(instrument.settle),
    }  # fmt: skip


def stream_wallets(account: Account) -> Document:
    """The blocks of `balances`: what contracts of both kinds are held against."""
    return {
        "holding": {},
        "futures": {
            f"F-{asset}:USD": _futures_wallet(asset, total)
            for asset, total in _held(account, "inverse")
        },
        "flex_futures": _flex(account, "collateral_value"),
    }


def _held(account: Account, product: str) -> list[tuple[str, float]]:
    rows = account.balances[product].items()  # type: ignore[index]  # a product's name
    return [(futures_asset(asset), float(row.free + row.locked)) for asset, row in rows]


def _futures_wallet(asset: str, held: float) -> Document:
    return {
        "name": f"F-{asset}:USD", "pair": f"{asset}/USD", "unit": asset, "portfolio_value": held,
        "balance": held, "maintenance_margin": 0.0, "initial_margin": 0.0, "available": held,
        "unrealized_funding": 0.0, "pnl": 0.0, "cash_value": 0.0,
    }  # fmt: skip


def _flex(account: Account, collateral: str) -> Document:
    held = _held(account, "linear")
    total = sum(amount for _, amount in held)
    currencies = {
        asset: {
            "quantity": amount, "value": amount, collateral: amount, "available": amount,
            "haircut": 0.0, "conversion_spread": 0.0,
        }
        for asset, amount in held
    }  # fmt: skip
    return {
        "currencies": currencies, "balance_value": total, "portfolio_value": total,
        "collateral_value": total, "initial_margin": 0.0, "initial_margin_without_orders": 0.0,
        "maintenance_margin": 0.0, "pnl": 0.0, "unrealized_funding": 0.0,
        "total_unrealized": 0.0, "margin_equity": total, "available_margin": total,
        "isolated": {}, "cross": {},
    }  # fmt: skip


# ---- answers of /derivatives


def open_row(order: Order) -> Document:
    """A row of `openorders`."""
    named = {"cliOrdId": order.client_order_id} if order.client_order_id else {}
    return {
        "order_id": uuid(order.order_id), **named, "symbol": order.symbol,
        "side": order.side.lower(), "orderType": order_type(order),
        "limitPrice": float(order.price), "unfilledSize": float(order.remaining),
        "receivedTime": at_ms(order.created_ms),
        "status": "partiallyFilled" if order.filled else "untouched",
        "filledSize": float(order.filled), "reduceOnly": order.reduce_only,
        "lastUpdateTime": at_ms(order.updated_ms),
    }  # fmt: skip


def replied_order(order: Order, filled: Decimal | None = None) -> Document:
    """The order in events of replies and in `orders/status`."""
    return {
        "orderId": uuid(order.order_id), "cliOrdId": order.client_order_id or None,
        "type": order_type(order), "symbol": order.symbol, "side": order.side.lower(),
        "quantity": float(order.quantity),
        "filled": float(order.filled if filled is None else filled),
        "limitPrice": float(order.price), "reduceOnly": order.reduce_only,
        "timestamp": at_ms(order.created_ms), "lastUpdateTimestamp": at_ms(order.updated_ms),
    }  # fmt: skip


def execution_event(order: Order, fill: Fill, before: Decimal) -> Document:
    """`EXECUTION`, with the order as it was before."""
    return {
        "type": "EXECUTION", "executionId": execution_id(fill), "price": float(fill.price),
        "amount": float(fill.quantity), "orderPriorEdit": None,
        "orderPriorExecution": replied_order(order, before), "takerReducedQuantity": None,
    }  # fmt: skip


def fill_row(fill: Fill) -> Document:
    """A row of `fills`."""
    return {
        "fill_id": execution_id(fill), "symbol": fill.symbol, "side": fill.side.lower(),
        "order_id": uuid(fill.order_id), "cliOrdId": fill.client_order_id or None,
        "size": float(fill.quantity), "price": float(fill.price),
        "fillTime": at_ms(fill.venue_ms), "fillType": fill_type(fill),
    }  # fmt: skip


def position_row(position: Position, instrument: Instrument, now_ms: int) -> Document:
    """A row of `openpositions`; `side` says which way."""
    return {
        "side": "long" if position.amount > 0 else "short", "symbol": instrument.symbol,
        "price": float(position.entry), "fillTime": at_ms(now_ms),
        "size": float(abs(position.amount)), "unrealizedFunding": 0.0,
        "pnlCurrency": futures_asset(instrument.settle),
    }  # fmt: skip


def wallets(account: Account) -> Document:
    """`accounts`: cash, one wallet for each inverse market, and one for the linear ones."""
    margins = {
        f"fi_{asset.lower()}usd": {
            "type": "marginAccount",
            "currency": asset.lower(),
            "balances": {asset.lower(): held},
            "auxiliary": {"usd": 0, "pv": held, "pnl": 0.0, "af": held, "funding": 0.0},
        }
        for asset, held in _held(account, "inverse")
    }
    flex = _flex(account, "collateral") | {"type": "multiCollateralMarginAccount"}
    return {"cash": {"type": "cashAccount", "balances": {}}} | margins | {"flex": flex}


# ---- the history


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of an order; `order` and `old` are as they stood."""

    ms: int
    kind: str
    order: Order
    reason: str
    old: Order | None = None


def _history_order(order: Order, account: str) -> Document:
    kind = FORCED_TYPES.get(order.forced, "").capitalize()
    return {
        "uid": uuid(order.order_id), "accountUid": account_id(account),
        "tradeable": order.symbol, "direction": order.side.capitalize(),
        "quantity": text(order.quantity), "filled": text(order.filled),
        "timestamp": order.created_ms, "limitPrice": text(order.price),
        "orderType": kind or ("Market" if order.is_market else HISTORY_TYPES[order.time_in_force]),
        "clientId": order.client_order_id, "reduceOnly": order.reduce_only,
        "lastUpdateTimestamp": order.updated_ms, "spotData": None,
    }  # fmt: skip


def history_event(account: str, what: Happened) -> Document:
    """What stands under the event's name."""
    order = _history_order(what.order, account)
    if what.kind == "OrderUpdated":
        old = _history_order(what.old or what.order, account)
        return {
            "oldOrder": old, "newOrder": order, "reason": what.reason, "reducedQuantity": "",
        }  # fmt: skip
    if what.kind == "OrderRejected":
        error = ERRORS.get(what.order.reason, "")
        return {"order": order, "orderError": error, "reason": what.reason}
    shown: Document = {"order": order, "reason": what.reason}
    return shown | ({"reducedQuantity": ""} if what.kind == "OrderPlaced" else {})


def history_execution(account: str, fill: Fill, order: Order) -> Document:
    """What stands under `Execution`."""
    worth = fill.quantity if fill.product == "inverse" else fill.price * fill.quantity
    return {
        "execution": {
            "uid": execution_id(fill),
            "order": _history_order(order, account),
            "timestamp": fill.venue_ms,
            "quantity": text(fill.quantity),
            "price": text(fill.price),
            "markPrice": text(fill.price),
            "limitFilled": fill.is_maker,
            "executionType": "maker" if fill.is_maker else "taker",
            "usdValue": text(worth),
            "orderData": {"fee": text(fill.fee), "positionSize": text(ZERO)},
        },
        "takerReducedQuantity": "",
    }


def elements(account: str, rows: Iterable[tuple[str, int, str, Document]], token: str) -> Document:
    """A page of the history: id, moment, name and content of each event."""
    shown = [
        {"uid": uid, "timestamp": ms, "event": {name: content}} for uid, ms, name, content in rows
    ]
    page: Document = {"accountUid": account_id(account), "len": len(shown), "elements": shown}
    return page | ({"continuationToken": token} if token else {})
