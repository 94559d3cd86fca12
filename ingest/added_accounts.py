"""Accounts added while the worker runs: they wait for the venue's time, and nobody for them."""

import asyncio
from collections.abc import Callable

from ingest.clocks import ClockKeeper
from ingest.requester import Requester


class AddedAccounts:
    """Calls `begin` with each requester once the venue has given its time, or was asked in vain.

    Until then the requester's requests wait, as the venue refuses what is signed in another time.
    `fail` is called with our own mistakes. Used in one event loop.
    """

    def __init__(
        self,
        clocks: ClockKeeper,
        begin: Callable[[Requester], None],
        fail: Callable[[BaseException], None],
    ) -> None:
        self._clocks = clocks
        self._begin = begin
        self._fail = fail
        self._waiting: list[Requester] = []
        self._task: asyncio.Task[None] | None = None

    def add(self, requester: Requester) -> None:
        """Begin `requester`: at once if the venue's time is known."""
        if self._clocks.is_sampled:
            self._begin(requester)
            return
        # An event of its own: accounts whose clock is known wait for nobody.
        requester.timed = asyncio.Event()
        self._waiting.append(requester)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._sample())
            self._task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Whoever still waits does not begin."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _sample(self) -> None:
        while self._waiting:
            requesters = tuple(self._waiting)  # one added from here on may bring another clock
            await self._clocks.start()
            for requester in requesters:
                self._waiting.remove(requester)
                if requester.timed is not None:
                    requester.timed.set()
                self._begin(requester)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)
