"""Orders by account: counted, shown, and refused above a limit (docs/venues/binance.md 9).

Placing and amending count; the venue gives Spot counts back at an order's first fill, which this
simulated venue does not: its limits are the stricter ones.
"""

from collections.abc import Callable
from typing import Any

from simulator.accounts import Account
from simulator.binance.instruments import rate_limits
from simulator.binance.refusals import refused
from simulator.config import LimitConfig
from simulator.instrument import Product

INTERVAL_MS = {"SECOND": 1000, "MINUTE": 60_000, "DAY": 86_400_000}


class OrderCounts:
    """The counters of all accounts at one product; `now_ms` is the venue's clock."""

    def __init__(self, product: Product, config: LimitConfig, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        limits = rate_limits(product, config)
        self._limits = [row for row in limits if row["rateLimitType"] == "ORDERS"]
        self._counts: dict[tuple[str, str], tuple[int, int]] = {}

    def take(self, account: Account) -> None:
        """Count an order; `Refusal` -1015 above a limit."""
        rows = self.rows(account)
        for row in rows:
            if row["count"] >= row["limit"]:
                limit = f"{row['limit']} orders per {row['intervalNum']} {row['interval']}"
                raise refused("too_many_orders", limit=limit)
        for row in rows:
            counted = (self._window(row), row["count"] + 1)
            self._counts[account.name, row["interval"]] = counted

    def rows(self, account: Account) -> list[dict[str, Any]]:
        """The limits with their present counts, as `rateLimit/order` shows them."""
        return [row | {"count": self._count(account, row)} for row in self._limits]

    def headers(self, account: Account) -> dict[str, str]:
        """`X-MBX-ORDER-COUNT-10S` and its like."""
        return {
            f"X-MBX-ORDER-COUNT-{row['intervalNum']}{row['interval'][0]}": str(row["count"])
            for row in self.rows(account)
        }

    def _count(self, account: Account, row: dict[str, Any]) -> int:
        window, counted = self._counts.get((account.name, row["interval"]), (0, 0))
        return counted if window == self._window(row) else 0

    def _window(self, row: dict[str, Any]) -> int:
        length_ms: int = INTERVAL_MS[row["interval"]] * row["intervalNum"]
        return self._now_ms() // length_ms
