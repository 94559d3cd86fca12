"""Rate limits of both systems: counters that decay, budgets that refill (docs/venues/kraken.md 9).

Spot counts calls by key, and orders by account and pair: what changes a young order costs more.
"""

from collections.abc import Callable

from simulator.kraken.refusals import futures_refused, spot_refused
from simulator.kraken.settings import KrakenSettings
from simulator.matching import Order
from simulator.refusal import Refused
from simulator.wire import meters

CALLS = {"starter": (15, 1 / 3), "intermediate": (20, 1 / 2), "pro": (20, 1)}
ORDERS = {"starter": (60, 1), "intermediate": (125, 2.34), "pro": (180, 3.75)}
AGES_S = (5, 10, 15, 45, 90, 300)
AMEND, EDIT, CANCEL = (3, 2, 1), (6, 5, 4, 2, 1), (8, 6, 5, 4, 2, 1)
TRADING, HISTORY = (500, 10.0), (100, 600.0)
"""Cost, and in how many seconds it comes back."""


class KrakenLimits(meters.Bans):
    """All counters; `now_ms` is the venue's clock."""

    def __init__(self, now_ms: Callable[[], int], face: KrakenSettings) -> None:
        super().__init__(now_ms)
        self._now_ms = now_ms
        self.orders_max = int(ORDERS[face.level][0] * face.scale)
        (calls, falls), (_, calms) = CALLS[face.level], ORDERS[face.level]
        scale = face.scale
        self._calls = meters.Decay(now_ms, calls * scale, falls * scale)
        self._orders = meters.Decay(now_ms, self.orders_max, calms * scale)
        self._budgets = {
            name: meters.Tokens(now_ms, cost * scale, cost * scale / span_s)
            for name, (cost, span_s) in (("trading", TRADING), ("history", HISTORY))
        }
        self.limit_status = face.limit_status

    def ban_spot(self, ip: str, seconds: float) -> Refused:
        """Refuse everything from this address; what is answered at once."""
        self.ban(ip, seconds)
        return spot_refused("banned")

    def ban_futures(self, ip: str, seconds: float) -> Refused:
        """The same, of Futures: one firewall stands before both."""
        self.ban(ip, seconds)
        return futures_refused("banned")

    def take_call(self, key: str, cost: float) -> None:
        """Count a call of Spot; refused above the limit."""
        if not self._calls.take(key, cost):
            raise spot_refused("busy")

    def take_order(self, account: str, symbol: str, cost: float = 1) -> None:
        """Count an order of Spot, or a change of one; refused above the limit."""
        if not self._orders.take((account, symbol), cost):
            raise spot_refused("too_many_orders")

    def change_cost(self, order: Order, costs: tuple[int, ...], fixed: int = 1) -> int:
        """What a change of an order costs, by its age."""
        age_s = (self._now_ms() - order.created_ms) / 1000
        return fixed + next(
            (cost for end, cost in zip(AGES_S, costs, strict=False) if age_s < end), 0
        )

    def take_futures(self, account: str, budget: str, cost: float) -> None:
        """Use a budget of Futures; refused where it is empty."""
        if not self._budgets[budget].take(account, cost):
            refusal = futures_refused("busy")
            refusal.status = self.limit_status
            raise refusal
