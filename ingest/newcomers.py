"""Accounts added while the worker runs: they wait for the venue's time, and nobody for them."""

import asyncio
from collections.abc import Callable

from ingest.clocks import ClockKeeper
from ingest.desk import Desk


class Newcomers:
    """Calls `begin` with each desk once the venue has given its time, or was asked for it in vain.

    Until then the desk's requests wait, as the venue refuses what is signed in another time.
    `fail` is called with our own mistakes. Used in one event loop.
    """

    def __init__(
        self,
        clocks: ClockKeeper,
        begin: Callable[[Desk], None],
        fail: Callable[[BaseException], None],
    ) -> None:
        self._clocks = clocks
        self._begin = begin
        self._fail = fail
        self._waiting: list[Desk] = []
        self._task: asyncio.Task[None] | None = None

    def add(self, desk: Desk) -> None:
        """Begin `desk`: at once if the venue's time is known."""
        if self._clocks.is_sampled:
            self._begin(desk)
            return
        desk.timed = asyncio.Event()
        self._waiting.append(desk)
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
            desks = tuple(self._waiting)  # one added from here on may bring another clock
            await self._clocks.start()
            for desk in desks:
                self._waiting.remove(desk)
                if desk.timed is not None:
                    desk.timed.set()
                self._begin(desk)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)
