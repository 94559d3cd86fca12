"""Orders, executions and balances as Kraken Spot tells them (docs/venues/kraken.md 3.1, 3.2, 7.1).

On the stream numbers are JSON numbers, in answers texts. Only the first report of an order has its
terms. Pure.
"""

from collections.abc import Iterable
from decimal import Decimal

from simulator.accounts import Account, Fill
from simulator.instrument import Instrument, places
from simulator.kraken.instruments import pair_key, pair_name
from simulator.kraken.words import (
    at_us,
    average_of,
    cost_of,
    price_text,
    rest_asset,
    seconds,
    text,
    txid,
)
from simulator.matching import Order
from simulator.message import Document

STATUSES = {
    "NEW": "new", "PARTIALLY_FILLED": "partially_filled", "FILLED": "filled",
    "CANCELED": "canceled", "EXPIRED": "expired",
}  # fmt: skip
REST_STATUSES = {
    "NEW": "open", "PARTIALLY_FILLED": "open", "FILLED": "closed", "CANCELED": "canceled",
    "EXPIRED": "expired",
}  # fmt: skip
REASONS = {
    "USER": "User requested", "POST_ONLY": "Post only order",
    "IOC": "Immediate or cancel: no liquidity", "MARKET": "Market order: no liquidity",
    "FOK": "Fill or kill: not filled in full", "STP": "Self trade prevention",
    "VENUE": "Order expired",
}  # fmt: skip
"""Free text; `User requested` alone is documented."""
FEE_IN_QUOTE = "fciq"


def time_in_force(order: Order) -> str:
    """Upper case; a post-only order is no time in force here."""
    return "GTC" if order.time_in_force == "GTX" else order.time_in_force


def terms(order: Order) -> Document:
    """What only a first report and a snapshot say."""
    shown: Document = _name(order) | {
        "order_userref": int(order.tag or 0),
        "symbol": order.symbol,
        "side": order.side.lower(),
        "order_type": "market" if order.is_market else "limit",
    }
    if order.quote_size:
        shown["cash_order_qty"] = float(order.quote_size)
    else:
        shown["order_qty"] = float(order.quantity)
    if not order.is_market:
        shown["limit_price"] = float(order.price)
    if order.time_in_force == "GTX":
        shown["post_only"] = True
    return shown | {"time_in_force": time_in_force(order)}


def _name(order: Order) -> Document:
    return {"cl_ord_id": order.client_order_id} if order.client_order_id else {}


def _id(order: Order) -> Document:
    return {"order_id": txid("O", order.order_id)}


def _state(exec_type: str, status: str) -> Document:
    return {"exec_type": exec_type, "order_status": status}


def _sums(order: Order) -> Document:
    return {
        "cum_qty": float(order.filled),
        "cum_cost": float(cost_of(order.notional)),
        "avg_price": float(average_of(order.average_price)),
    }


def _fee(order: Order) -> Document:
    return {"fee_usd_equiv": float(order.fee)}


def pending_report(order: Order, us: int) -> Document:
    """The first report: the order was checked, and is not in the engine yet."""
    return _id(order) | terms(order) | _state("pending_new", "pending_new") | {
        "cum_cost": 0.0,
        **_fee(order),
        "fee_ccy_pref": FEE_IN_QUOTE,
        "timestamp": at_us(us),
    }  # fmt: skip


def new_report(order: Order, us: int, *, is_named: bool) -> Document:
    """It is live: sparse."""
    named = _name(order) if is_named else {}
    shown = {"order_userref": int(order.tag or 0), **_state("new", "new"), "timestamp": at_us(us)}
    return _id(order) | named | shown


def open_report(order: Order, us: int) -> Document:
    """A row of the snapshot."""
    shown = _id(order) | terms(order) | _state("new", STATUSES[order.status]) | _sums(order)
    shown |= _fee(order) | {"fee_ccy_pref": FEE_IN_QUOTE, "timestamp": at_us(us)}
    return shown | ({"amended": True} if order.amendments else {})


def trade_report(order: Order, fill: Fill, us: int, status: str) -> Document:
    """One execution."""
    return _id(order) | _name(order) | {
        "exec_id": txid("T", fill.number), "exec_type": "trade", "trade_id": fill.trade_id,
        "symbol": order.symbol, "side": order.side.lower(),
        "order_type": "market" if order.is_market else "limit", "last_qty": float(fill.quantity),
        "last_price": float(fill.price), "liquidity_ind": "m" if fill.is_maker else "t",
        "cost": float(cost_of(fill.price * fill.quantity)), "order_status": status,
        **_sums(order), "fees": [{"asset": fill.fee_currency, "qty": float(fill.fee)}],
        **_fee(order), "timestamp": at_us(us),
    }  # fmt: skip


def filled_report(order: Order, us: int) -> Document:
    """Nothing is left: no execution of its own."""
    sums = _sums(order) | _fee(order)
    return _id(order) | _state("filled", "filled") | sums | {"timestamp": at_us(us)}


def ended_report(order: Order, us: int, status: str) -> Document:
    """Canceled or expired, with or without executions."""
    reason = {"reason": REASONS.get(order.reason, order.reason), "timestamp": at_us(us)}
    return _id(order) | _name(order) | _state(status, status) | _sums(order) | _fee(order) | reason


def amended_report(order: Order, us: int, quantity: Decimal) -> Document:
    """New terms; only what can change is said."""
    return _id(order) | _state("amended", STATUSES[order.status]) | {
        "order_qty": float(quantity), "limit_price": float(order.price), "amended": True,
        "reason": "User requested", "timestamp": at_us(us),
    }  # fmt: skip


# ---- balances


def balance_row(asset: str, total: Decimal) -> Document:
    """An asset of the snapshot."""
    held = float(total)
    wallet = {"type": "spot", "id": "main", "balance": held}
    return {"asset": asset, "asset_class": "currency", "balance": held, "wallets": [wallet]}


def ledger_row(
    number: int, kind: str, reference: str, us: int, entry: tuple[str, Decimal, Decimal, Decimal]
) -> Document:
    """One entry of the ledger: asset, amount, fee, and what is held then."""
    asset, amount, fee, total = entry
    return {
        "ledger_id": txid("L", number), "ref_id": reference, "timestamp": at_us(us), "type": kind,
        "category": kind, "asset": asset, "asset_class": "currency", "wallet_type": "spot",
        "wallet_id": "main", "amount": float(amount), "fee": float(fee), "balance": float(total),
    }  # fmt: skip


def wallet_rows(account: Account) -> dict[str, Document]:
    """`BalanceEx`, by the names of answers."""
    return {
        rest_asset(asset): {
            "balance": text(row.free + row.locked),
            "hold_trade": text(row.locked),
        }
        for asset, row in account.balances["spot"].items()
    }


# ---- answers


def described(order: Order, instrument: Instrument) -> Document:
    """`descr` of an order."""
    pair, side = pair_name(instrument), order.side.lower()
    at = "market" if order.is_market else f"limit {text(order.price)}"
    return {
        "pair": pair, "type": side, "ordertype": "market" if order.is_market else "limit",
        "price": text(order.price), "price2": "0", "leverage": "none",
        "order": f"{side} {order.quantity:.8f} {pair} @ {at}", "close": "",
    }  # fmt: skip


def order_row(
    order: Order, instrument: Instrument, times_us: tuple[int, int], trades: Iterable[str] | None
) -> Document:
    """An order in an answer; `price` is the average, and no time says when it changed last."""
    opened_us, closed_us = times_us
    shown: Document = {
        "refid": None, "userref": int(order.tag) if order.tag else None, **_name(order),
        "status": REST_STATUSES[order.status], "opentm": seconds(opened_us), "starttm": 0,
        "expiretm": 0, "descr": described(order, instrument),
        "vol": f"{order.quote_size or order.quantity:.8f}", "vol_exec": f"{order.filled:.8f}",
        "cost": f"{cost_of(order.notional):.5f}", "fee": f"{order.fee:.5f}",
        "price": text(average_of(order.average_price)), "stopprice": "0.00000",
        "limitprice": "0.00000",
        "misc": "partial" if order.filled and not order.is_open and order.remaining else "",
        "oflags": _flags(order),
    }  # fmt: skip
    if time_in_force(order) != "GTC":
        shown["timeinforce"] = time_in_force(order)
    if not order.is_open:
        reason = REASONS.get(order.reason) if order.status != "FILLED" else None
        shown |= {"closetm": seconds(closed_us), "reason": reason}
    return shown if trades is None else shown | {"trades": list(trades)}


def _flags(order: Order) -> str:
    flags = [FEE_IN_QUOTE]
    flags += ["post"] if order.time_in_force == "GTX" else []
    flags += ["viqc"] if order.quote_size else []
    return ",".join(flags)


def fill_row(order: Order, instrument: Instrument, fills: list[Fill], us: int) -> Document:
    """One row of fills: an execution, or all of a taker's together."""
    first = fills[0]
    quantity = sum((fill.quantity for fill in fills), Decimal(0))
    worth = sum((fill.price * fill.quantity for fill in fills), Decimal(0))
    price = first.price if len(fills) == 1 else average_of(worth / quantity)
    fee = sum((fill.fee for fill in fills), Decimal(0))
    return {
        "ordertxid": txid("O", order.order_id), "postxid": txid("T", order.order_id << 40),
        "pair": pair_key(instrument), "time": seconds(us), "type": first.side.lower(),
        "ordertype": "market" if order.is_market else "limit",
        "price": price_text(price, instrument.tick), "cost": f"{cost_of(worth):.5f}",
        "fee": f"{fee:.5f}", "vol": f"{quantity:.{max(places(instrument.lot), 8)}f}",
        "margin": "0.00000", "leverage": "0", "misc": "", "trade_id": first.trade_id,
        "maker": first.is_maker,
    }  # fmt: skip
