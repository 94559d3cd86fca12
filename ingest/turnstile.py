"""One at a time, the most urgent of those that wait first: for a venue whose requests must not
overtake one another (decision 0516)."""

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ingest.limits import Rank


class Turnstile:
    """Whose turn it is. Used in one event loop."""

    def __init__(self) -> None:
        self._is_taken = False
        self._waiting: list[tuple[Rank, int, asyncio.Future[None]]] = []
        self._number = 0

    @asynccontextmanager
    async def passed(self, rank: Rank) -> AsyncIterator[None]:
        """Wait for a turn, and have it meanwhile."""
        if self._is_taken:
            await self._wait(rank)
        self._is_taken = True
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, rank: Rank) -> None:
        given: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._number += 1
        heapq.heappush(self._waiting, (rank, self._number, given))
        try:
            await given
        except asyncio.CancelledError:
            # It was given already, and nobody takes it.
            if given.done() and not given.cancelled():
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """The next one's turn; taken on the way there too, or a newcomer would come between."""
        while self._waiting:
            _, _, given = heapq.heappop(self._waiting)
            if not given.done():
                given.set_result(None)
                return
        self._is_taken = False
