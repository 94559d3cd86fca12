"""One owned partition: the streams of its accounts, and what it says of them once a second."""

import asyncio

from ingest.connection import State
from ingest.instant import Instant
from ingest.outbox import Address, Outbox
from ingest.runner import StreamRunner
from orderloom.raw import Item, Liveness, OwnerChange
from orderloom.topology import PARTITION_KEY

VENUE_KEY = PARTITION_KEY.decode()


class OwnedPartition:
    """Partition `number` under our `generation`. Made by the worker, which adds the runners."""

    def __init__(self, number: int, generation: int, outbox: Outbox) -> None:
        self.number = number
        self.generation = generation
        self.is_suspended = False
        self.runners: list[StreamRunner] = []
        self._outbox = outbox

    def address(self, account: str) -> Address:
        """Where items of `account` go; `VENUE_KEY` for what concerns the whole partition."""
        return Address(account, self.number, self.generation)

    def announce(self, now: Instant) -> None:
        """Say that the partition is ours: what older owners held is gone."""
        self.write(OwnerChange(now.wall_ns))

    def write(self, item: Item) -> None:
        """Write what concerns the whole partition."""
        self._outbox.put(self.address(VENUE_KEY), item)

    def tick(self) -> None:
        """Let time pass for each stream."""
        for runner in self.runners:
            runner.tick()

    def say_alive(self, now: Instant) -> None:
        """Write which connections are LIVE; not while the last such word is still on its way."""
        # While Kafka is away one such word is held, and not one a second.
        if self._outbox.is_idle_for(VENUE_KEY, self.number):
            connections = [one for runner in self.runners for one in self._live_of(runner)]
            self.write(Liveness(now.wall_ns, connections))

    def runners_of(self, account: str) -> list[StreamRunner]:
        """The streams of one account."""
        return [runner for runner in self.runners if runner.account == account]

    async def stop_account(self, account: str, reason: str) -> None:
        """Close the streams of one account; their ends stand in the outbox when this returns."""
        mine = self.runners_of(account)
        self.runners = [runner for runner in self.runners if runner.account != account]
        await asyncio.gather(*(runner.stop(reason) for runner in mine))

    async def stop(self, reason: str) -> None:
        """Close the streams, and wait until that stands in the log."""
        await asyncio.gather(*(runner.stop(reason) for runner in self.runners))
        # Before the partition is given up: the next owner's records then stand behind our last.
        await self._outbox.settled(self.number)

    def _live_of(self, runner: StreamRunner) -> list[dict[str, str | int]]:
        """What is heard counts from when it stands in the log: we may die in between."""
        written_ns = self._outbox.written_until_ns(runner.account, self.number)
        return [
            {
                "account": runner.account,
                "connection": one.identity,
                "product": runner.keeper.stream.product,
                "last_number": one.last_number,
                "heard_ns": min(one.heard_ns, written_ns),
            }
            for one in runner.keeper.connections
            if one.state is State.LIVE
        ]
