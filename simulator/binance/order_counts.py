"""Orders by account: counted, shown, and refused above a limit (docs/venues/binance.md 9).

Placing and amending count; the venue gives Spot counts back at an order's first fill, which this
simulated venue does not: its limits are the stricter ones.
"""

from collections.abc import Callable
from typing import Any

from simulator.accounts import Account
from simulator.binance.instruments import rate_limits
from simulator.binance.refusals import refused
from simulator.binance.settings import BinanceSettings
from simulator.instrument import Product
from simulator.wire.meters import Windows

INTERVAL_MS = {"SECOND": 1000, "MINUTE": 60_000, "DAY": 86_400_000}


class OrderCounts:
    """The counters of all accounts at one product; `now_ms` is the venue's clock."""

    def __init__(
        self, product: Product, config: BinanceSettings, now_ms: Callable[[], int]
    ) -> None:
        rows = [row for row in rate_limits(product, config) if row["rateLimitType"] == "ORDERS"]
        self._limits = [
            (row, Windows(now_ms, INTERVAL_MS[row["interval"]] * row["intervalNum"]))
            for row in rows
        ]

    def take(self, account: Account) -> None:
        """Count an order; `Refusal` -1015 above a limit."""
        for row in self.rows(account):
            if row["count"] >= row["limit"]:
                limit = f"{row['limit']} orders per {row['intervalNum']} {row['interval']}"
                raise refused("too_many_orders", limit=limit)
        for _, windows in self._limits:
            windows.take(account.name, 1)

    def rows(self, account: Account) -> list[dict[str, Any]]:
        """The limits with their present counts, as `rateLimit/order` shows them."""
        return [row | {"count": windows.used(account.name)} for row, windows in self._limits]

    def headers(self, account: Account) -> dict[str, str]:
        """`X-MBX-ORDER-COUNT-10S` and its like."""
        return {
            f"X-MBX-ORDER-COUNT-{row['intervalNum']}{row['interval'][0]}": str(row["count"])
            for row in self.rows(account)
        }
