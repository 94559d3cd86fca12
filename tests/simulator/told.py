"""What a frame of each venue tells of an order, in one form."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Told:
    """What one frame says of one order."""

    symbol: str
    order_id: str
    state: str
    trade_id: str = ""

    @property
    def is_end(self) -> bool:
        return self.state in ("FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH")


def binance_told(document: dict[str, Any]) -> list[Told]:
    event = document.get("event", document)
    row = event["o"] if event.get("e") == "ORDER_TRADE_UPDATE" else event
    if event.get("e") not in ("executionReport", "ORDER_TRADE_UPDATE"):
        return []
    trade = str(row["t"]) if Decimal(row["l"]) else ""
    product = "linear" if "o" in event and isinstance(event["o"], dict) else "spot"
    return [Told(f"{product}/{row['s']}", str(row["i"]), row["X"], trade)]


OKX_STATES = {
    "live": "NEW", "partially_filled": "PARTIALLY_FILLED", "filled": "FILLED",
    "canceled": "CANCELED",
}  # fmt: skip


def okx_told(document: dict[str, Any]) -> list[Told]:
    rows = document.get("data", [])
    return [
        Told(row["instId"], row["ordId"], OKX_STATES[row["state"]], row["tradeId"])
        for row in rows
        if "accFillSz" in row
    ]


BYBIT_STATES = {
    "New": "NEW", "PartiallyFilled": "PARTIALLY_FILLED", "Filled": "FILLED",
    "Cancelled": "CANCELED", "PartiallyFilledCanceled": "CANCELED", "Rejected": "CANCELED",
}  # fmt: skip


def bybit_told(document: dict[str, Any]) -> list[Told]:
    """An order's state and its executions come apart, and conditional orders among them."""
    told = []
    for row in document.get("data", []):
        place = f"{row.get('category')}/{row.get('symbol')}"
        if row.get("orderStatus") in BYBIT_STATES:
            told.append(Told(place, row["orderId"], BYBIT_STATES[row["orderStatus"]]))
        elif row.get("execType", "Funding") != "Funding":
            told.append(Told(place, row["orderId"], "TRADE", row["execId"]))
    return told


KRAKEN_STATES = {
    "pending_new": "NEW", "new": "NEW", "partially_filled": "PARTIALLY_FILLED",
    "filled": "FILLED", "canceled": "CANCELED", "expired": "EXPIRED",
}  # fmt: skip
KRAKEN_REASONS = {
    "partial_fill": "PARTIALLY_FILLED", "full_fill": "FILLED", "new_placed_order_by_user": "NEW",
    "edited_by_user": "NEW",
}  # fmt: skip


def kraken_told(document: dict[str, Any]) -> list[Told]:
    """Reports of Spot; orders and fills of Futures, which stand on feeds of their own."""
    if "order_id" in document or "order" in document:
        order_id = document.get("order", document)["order_id"]
        state = KRAKEN_REASONS.get(document["reason"], "CANCELED")
        return [Told("", order_id, state)]
    rows = document.get("fills", [row for row in document.get("data", ()) if "exec_type" in row])
    return [
        Told("", row["order_id"], KRAKEN_STATES[row.get("order_status", "new")],
             row.get("exec_id") or row.get("fill_id") or "")
        for row in rows
    ]  # fmt: skip


TOLD: dict[str, Callable[[dict[str, Any]], list[Told]]] = {
    "binance": binance_told,
    "bybit": bybit_told,
    "kraken": kraken_told,
    "okx": okx_told,
}
