"""The venue's own books as plain documents: what a verdict compares with. Pure.

The product never reads this. Amounts are texts, ids are texts, times are milliseconds.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from simulator.accounts import Account, Fill
from simulator.conditional import Conditional
from simulator.instrument import ZERO, Product
from simulator.matching import Order

Document = dict[str, Any]


def truth(accounts: Iterable[Account], messages: int) -> Document:
    """Every order in its last state, every fill, positions and balances, by account."""
    books = {account.name: account_truth(account) for account in accounts}
    return {"accounts": books, "messages": messages}


def account_truth(account: Account) -> Document:
    """The books of one account."""
    return {
        "orders": [
            *(
                order_truth(account, product, order)
                for (product, _), orders in account.orders.items()
                for order in orders.values()
                if order.parent is None
            ),
            *(
                conditional_truth(account, conditional)
                for conditionals in account.conditionals.values()
                for conditional in conditionals.values()
            ),
        ],
        "fills": [
            fill_truth(account, fill) | _conditional_truth(account, fill)
            for fills in account.fills.values()
            for fill in fills
        ],
        "positions": [
            {
                "product": position.product,
                "symbol": symbol,
                "position_side": side,
                "quantity": f"{position.amount:f}",
                "entry_price": f"{position.entry:f}",
                "realized": f"{position.realized:f}",
            }
            for (symbol, side), position in account.positions.items()
        ],
        "balances": {
            product: {
                asset: {"free": f"{row.free:f}", "locked": f"{row.locked:f}"}
                for asset, row in balances.items()
            }
            for product, balances in account.balances.items()
        },
    }


def order_truth(account: Account, product: Product, order: Order) -> Document:
    """One order in its present state; `contradicted` where the stream told another end of it."""
    return {
        "product": product,
        "symbol": order.symbol,
        "venue_order_id": account.spelling.order(product, order.order_id),
        "client_order_id": order.client_order_id,
        "side": order.side,
        "position_side": order.position_side,
        "order_type": order.order_type,
        "time_in_force": order.time_in_force,
        "status": order.status,
        "reason": order.reason,
        "price": f"{order.price:f}",
        "quantity": f"{order.quote_size or order.quantity:f}",
        "quantity_unit": "quote" if order.quote_size else order.unit,
        "filled": f"{order.filled:f}",
        "prevented": f"{order.prevented:f}",
        "contradicted": order.is_contradicted,
        "created_ms": order.created_ms,
        "updated_ms": order.updated_ms,
    }


def conditional_truth(account: Account, conditional: Conditional) -> Document:
    """A conditional order with all that it became, as one order under its own id.

    `child_ids` are the ids of the orders that it became.
    """
    children, product = conditional.children, conditional.product
    spelled = account.spelling.order
    return {
        "product": product,
        "symbol": conditional.symbol,
        "venue_order_id": spelled(product, conditional.order_id),
        "child_ids": [spelled(product, child.order_id) for child in children],
        "client_order_id": conditional.client_order_id,
        "side": conditional.side,
        "position_side": conditional.position_side,
        "order_type": conditional.order_type,
        "time_in_force": "GTC",
        "status": conditional.present_status,
        "reason": conditional.reason,
        "price": f"{conditional.triggers[0].request.price:f}",
        "quantity": f"{conditional.quantity:f}",
        "quantity_unit": conditional.unit,
        "filled": f"{conditional.filled:f}",
        "prevented": f"{sum((child.prevented for child in children), ZERO):f}",
        "contradicted": any(child.is_contradicted for child in children),
        "created_ms": conditional.created_ms,
        "updated_ms": conditional.updated_ms,
    }


def _conditional_truth(account: Account, fill: Fill) -> Document:
    """Under which id the fill's order is known for life, and whether it closes what is held."""
    parent = account.orders[fill.product, fill.symbol][fill.order_id].parent
    first = fill.order_id if parent is None else parent.order_id
    return {
        "first_order_id": account.spelling.order(fill.product, first),
        "closes_position": parent is not None and parent.closes_position,
    }


def fill_truth(account: Account, fill: Fill) -> Document:
    """One execution, and what became of the frames that told of it.

    `delivered` counts full frames written to a socket, `dropped` says that a fault took one,
    `blind` that one had no socket to go to or was still waiting when its socket ended, and
    `in_flight` that one was written so shortly before its socket ended that it may be lost.
    `nameless` says that frames tell of it without its id: only a look-up names it. `late` says that
    it was told after its order's end. `unpriced`: what it cost, the stream alone says in full.
    """
    spelling = account.spelling
    return {
        "product": fill.product,
        "symbol": fill.symbol,
        "exec_id": spelling.execution(fill),
        "venue_order_id": spelling.order(fill.product, fill.order_id),
        "client_order_id": fill.client_order_id,
        "side": fill.side,
        "position_side": fill.position_side,
        "price": f"{fill.price:f}",
        "quantity": f"{fill.quantity:f}",
        "fee": f"{fill.fee:f}",
        "fee_currency": fill.fee_currency,
        "liquidity": "MAKER" if fill.is_maker else "TAKER",
        "venue_ms": fill.venue_ms,
        "delivered": len(fill.deliveries),
        "deliveries": [{"connection": number, "ms": ms} for number, ms in fill.deliveries],
        "delivered_lite": fill.lite_deliveries,
        "dropped": fill.is_dropped,
        "blind": fill.is_blind,
        "in_flight": fill.is_in_flight,
        "nameless": fill.is_nameless,
        "late": fill.is_late,
        "unpriced": not spelling.says_fees,
    }


def summary(accounts: Iterable[Account], messages: int) -> Document:
    """Counts only: cheap enough to ask every second."""
    counts = Counter({"accounts": 0, "orders": 0, "open_orders": 0, "fills": 0})
    for account in accounts:
        counts["accounts"] += 1
        counts["orders"] += sum(map(len, account.orders.values()))
        counts["open_orders"] += sum(map(len, account.open_orders.values()))
        for fills in account.fills.values():
            counts["fills"] += len(fills)
            counts.update(word for fill in fills for word in fate(fill))
    return {"messages": messages, **counts}


def fate(fill: Fill) -> list[str]:
    """What became of a fill, in words: `fills_delivered`, or the reasons why it was not."""
    if fill.deliveries:
        words = ["fills_delivered"]
        return [*words, "fills_in_flight"] if fill.is_in_flight else words
    reasons = [("fills_dropped", fill.is_dropped), ("fills_blind", fill.is_blind)]
    return ["fills_undelivered", *(word for word, holds in reasons if holds)]
