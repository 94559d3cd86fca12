"""What ccxt saw and what the venue's books say, in one form that can be compared."""

from decimal import Decimal
from typing import Any, Final, NamedTuple

STATUS: Final = {
    "NEW": "open",
    "PARTIALLY_FILLED": "open",
    "FILLED": "closed",
    "CANCELED": "canceled",
    "EXPIRED": "expired",
}


class SeenOrder(NamedTuple):
    """One order; the price of a market order is left out, as ccxt puts its average there."""

    order_id: str
    client_order_id: str
    side: str
    order_type: str
    status: str
    price: Decimal | None
    amount: Decimal
    filled: Decimal


class SeenTrade(NamedTuple):
    """One execution; a fee above zero was charged."""

    trade_id: str
    order_id: str
    side: str
    price: Decimal
    amount: Decimal
    fee: Decimal
    fee_currency: str
    liquidity: str


Orders = dict[str, SeenOrder]
Trades = dict[tuple[str, str], SeenTrade]


def order(row: dict[str, Any]) -> SeenOrder:
    """An order as ccxt shows it."""
    is_market = row["type"] == "market"
    return SeenOrder(
        row["id"],
        row["clientOrderId"] or "",
        row["side"],
        row["type"],
        row["status"],
        None if is_market else Decimal(row["price"]),
        Decimal(row["amount"]),
        Decimal(row["filled"]),
    )


def booked_order(row: dict[str, Any]) -> SeenOrder:
    """An order as the venue's books have it."""
    is_market = row["order_type"] == "MARKET"
    return SeenOrder(
        row["venue_order_id"],
        row["client_order_id"],
        row["side"].lower(),
        "market" if is_market else "limit",
        STATUS[row["status"]],
        None if is_market else Decimal(row["price"]),
        Decimal(row["quantity"]),
        Decimal(row["filled"]),
    )


def trade(row: dict[str, Any]) -> SeenTrade:
    """An execution as ccxt shows it."""
    return SeenTrade(
        row["id"],
        row["order"],
        row["side"],
        Decimal(row["price"]),
        Decimal(row["amount"]),
        Decimal(row["fee"]["cost"]),
        row["fee"]["currency"],
        row["takerOrMaker"],
    )


def booked_trade(row: dict[str, Any]) -> SeenTrade:
    """An execution as the venue's books have it."""
    return SeenTrade(
        row["exec_id"],
        row["venue_order_id"],
        row["side"].lower(),
        Decimal(row["price"]),
        Decimal(row["quantity"]),
        Decimal(row["fee"]),
        row["fee_currency"],
        row["liquidity"].lower(),
    )


def orders(rows: list[dict[str, Any]]) -> Orders:
    """Orders as ccxt shows them; each id once."""
    assert len({row["id"] for row in rows}) == len(rows), rows
    return {row["id"]: order(row) for row in rows}


def booked_orders(books: dict[str, Any], *status: str) -> Orders:
    """Orders of the books, all or those of a status in ccxt's words."""
    rows = map(booked_order, books["orders"])
    return {row.order_id: row for row in rows if not status or row.status in status}


def trades(rows: list[dict[str, Any]]) -> Trades:
    """Executions as ccxt shows them; each once."""
    assert len({(row["id"], row["order"]) for row in rows}) == len(rows), rows
    return {(row["id"], row["order"]): trade(row) for row in rows}


def booked_trades(books: dict[str, Any]) -> Trades:
    """Executions of the books."""
    return {(row.trade_id, row.order_id): row for row in map(booked_trade, books["fills"])}


def balances(rows: dict[str, Any]) -> dict[str, tuple[Decimal, Decimal]]:
    """Free and used, by currency, as ccxt shows them."""
    return {
        name: (Decimal(rows["free"][name]), Decimal(rows["used"][name])) for name in rows["free"]
    }


def booked_balances(books: dict[str, Any], product: str) -> dict[str, tuple[Decimal, Decimal]]:
    """Free and used, by currency, of the books."""
    return {
        name: (Decimal(row["free"]), Decimal(row["locked"]))
        for name, row in books["balances"][product].items()
    }


Held = dict[tuple[str, str], tuple[Decimal, Decimal]]


def positions(rows: list[dict[str, Any]], ids: dict[str, str]) -> Held:
    """Contracts and entry price by native symbol and side, as ccxt shows them; `ids` has the
    native symbols by those of ccxt."""
    return {
        (ids[row["symbol"]], row["side"]): (Decimal(row["contracts"]), Decimal(row["entryPrice"]))
        for row in rows
        if Decimal(row["contracts"])
    }


def booked_positions(books: dict[str, Any]) -> Held:
    """Contracts and entry price by symbol and side of the books."""
    return {
        (row["symbol"], "long" if amount > 0 else "short"): (
            abs(amount),
            Decimal(row["entry_price"]),
        )
        for row in books["positions"]
        if (amount := Decimal(row["quantity"]))
    }
