"""Microseconds for a venue whose books count milliseconds: no two reports of one are the same."""

from simulator.accounts import Fill
from simulator.matching import Order


class Stamps:
    """Times of reports, and those that answers say again: of opening, end and execution."""

    def __init__(self) -> None:
        self._last_us = 0
        self._opened_us: dict[int, int] = {}
        self._closed_us: dict[int, int] = {}
        self._filled_us: dict[int, int] = {}

    def at(self, ms: int) -> int:
        """The next report's time, in the millisecond that the books say."""
        start_us = ms * 1000
        is_within = start_us <= self._last_us < start_us + 999
        self._last_us = self._last_us + 1 if is_within else start_us
        return self._last_us

    def opened(self, order: Order) -> int:
        """When the order was made; the first call says it."""
        return self._opened_us.setdefault(order.order_id, self.at(order.created_ms))

    def closed(self, order: Order) -> int:
        """When it ended; the first call says it."""
        return self._closed_us.setdefault(order.order_id, self.at(order.updated_ms))

    def filled(self, fill: Fill) -> int:
        """When an execution happened; the first call says it."""
        return self._filled_us.setdefault(fill.number, self.at(fill.venue_ms))

    def times(self, order: Order) -> tuple[int, int]:
        """Opening and end; zero for the end of what is open."""
        return self.opened(order), 0 if order.is_open else self.closed(order)
