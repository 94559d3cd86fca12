"""Traffic at a rate: a loop that lets traders decide until enough messages have gone out."""

import asyncio
from collections.abc import Callable
from random import Random

from simulator.config import TrafficConfig

TICK_S = 0.01
BURST_EVERY_S = 1.0
CATCH_UP_S_MAX = 1.0
"""A loop that was held up makes good for at most so long."""
STEPS_MAX = 20_000
"""Decisions in one turn of the loop, so that it ends even where none makes a message."""


class Pacer:
    """Keeps `config.rate` messages a second on average, some of them in bursts."""

    def __init__(self, step: Callable[[], None], sent: Callable[[], int], seed: int) -> None:
        self.config = TrafficConfig()
        self._step = step
        self._sent = sent
        self._random = Random(f"{seed}:pace")
        self._budget = 0.0

    def change(self, config: TrafficConfig) -> None:
        """Another rate from now on."""
        self.config = config
        self._budget = 0.0

    async def run(self) -> None:
        """Trade until cancelled."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(TICK_S)
            now = loop.time()
            self.turn(min(now - last, CATCH_UP_S_MAX))
            last = now

    def turn(self, seconds: float) -> None:
        """Trade for `seconds` that have passed."""
        if not self.config.running or not self.config.rate:
            return
        self._budget += seconds * self.config.rate
        wanted = self._budget
        if self.config.burst and self._random.random() < seconds / BURST_EVERY_S:
            # A burst is lent by the seconds that follow: the average stays what it was.
            wanted = max(wanted, self.config.burst)
        self._budget -= self._trade(wanted)

    def _trade(self, wanted: float) -> int:
        before = self._sent()
        for _ in range(STEPS_MAX):
            if self._sent() - before >= wanted:
                break
            self._step()
        return self._sent() - before
