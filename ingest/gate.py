"""The line before a venue's rate limits: one for each IP group.

The order is decided by `limits`; here those whose turn it is are woken.
"""

import asyncio
from collections.abc import Callable, Mapping

from ingest.instant import Instant
from ingest.limits import NEVER_NS, Limits, Rank
from venues.rates import Cost, Throttling


class Gate:
    """Lets requests through at the pace that the venue allows; used in one event loop.

    `steady_ns` is the clock that never leaps.
    """

    def __init__(self, limits: Limits, steady_ns: Callable[[], int]) -> None:
        self._limits = limits
        self._steady_ns = steady_ns
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def admit(self, costs: tuple[Cost, ...], account: str, rank: Rank) -> None:
        """Return when it is our turn; what is let through counts as spent."""
        ticket = self._limits.wish(costs, account, rank)
        turn = asyncio.get_running_loop().create_future()
        self._waiting[ticket.number] = turn
        self._serve()
        try:
            await turn
        finally:
            self._waiting.pop(ticket.number, None)
            # Cancelled while it waited: it must not hold up those behind it.
            self._limits.withdraw(ticket)

    def answered(
        self, costs: tuple[Cost, ...], account: str, headers: Mapping[str, str], now: Instant
    ) -> None:
        """See `Limits.answered`."""
        self._limits.answered(costs, account, headers, now)

    def throttled(self, costs: tuple[Cost, ...], account: str, backoff: Throttling) -> None:
        """See `Limits.throttled`."""
        self._limits.throttled(costs, account, backoff, self._steady_ns())
        self._serve()

    def share(self, share: float) -> None:
        """See `Limits.share`."""
        self._limits.share(share)
        self._serve()

    def _serve(self) -> None:
        now_ns = self._steady_ns()
        for ticket in self._limits.grant(now_ns):
            turn = self._waiting.pop(ticket.number, None)
            # Done: cancelled between its wish and its turn.
            if turn is not None and not turn.done():
                turn.set_result(None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_ns = self._limits.next_ns(now_ns)
        if self._waiting and due_ns != NEVER_NS:
            seconds = max(0.0, (due_ns - now_ns) / 1e9)
            self._timer = asyncio.get_running_loop().call_later(seconds, self._serve)
