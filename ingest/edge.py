"""One life of an ingest worker's domain: owned partitions, their streams, and their questions.

Events of the group come one at a time; the ticker lets time pass. All of it runs in one event loop.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Mapping
from functools import partial

from ingest.added_accounts import AddedAccounts
from ingest.asking import Asking
from ingest.clocks import ClockKeeper
from ingest.group_events import (
    Assigned,
    Event,
    Failed,
    Gained,
    Lost,
    Received,
    Registered,
    Revoked,
    Rewound,
)
from ingest.orders.claim_keeper import ClaimKeeper
from ingest.orders.commands import Commanded
from ingest.orders.sending import OrderSender
from ingest.outbox import Outbox
from ingest.partition import OwnedPartition
from ingest.registry import Act, Change
from ingest.requester import Requester
from ingest.requesters import Requesters
from ingest.runner import StreamRunner
from orderloom.raw import ClockSample
from runtime.metrics import CONNECTED, KEY_REFUSED, PAUSED

KAFKA_SECONDS_MAX = 5.0
RELEASE_SECONDS_MAX = 4.0

_log = logging.getLogger(__name__)


class Edge:
    """What this worker owns; `partitions` by number, `clocks` are the venue's.

    `claims` are kept for each partition where the venue takes orders.
    """

    def __init__(
        self,
        requesters: Requesters,
        outbox: Outbox,
        names: Iterator[str],
        partitions_total: int,
        claims: ClaimKeeper,
    ) -> None:
        self.partitions: dict[int, OwnedPartition] = {}
        self.asking = Asking(requesters, outbox, partitions_total)
        self.sending = OrderSender(requesters, outbox, partitions_total, claims)
        self._claims = claims
        self.clocks = ClockKeeper(requesters.public, self.write_clock)
        self._added = AddedAccounts(self.clocks, self._begin_added, outbox.fail)
        self._requesters = requesters
        self._outbox = outbox
        self._names = names
        self._partitions_total = partitions_total
        self._venue = requesters.public.venue.name
        self._samples: dict[str, ClockSample] = {}
        # A former life may have left them shown as refused.
        self._shown = set(requesters.by_account)

    async def handle(self, event: Event) -> None:
        """Act on one event of the group.

        Raises KafkaException where the consumer can go on no more.
        """
        match event:
            case Received():
                self.asking.receive(self.partitions.get(event.partition), event)
            case Gained():
                await self._gain(event)
            case Revoked(partitions, released):
                await self._drop(partitions, "the partition moves to another worker")
                released.set()
            case Lost(partitions):
                self._suspend(partitions)
            case Assigned(partitions):
                await self._drop(self._suspended_without(partitions), "another worker took over")
            case Rewound(partition, offset):
                if partition in self.partitions:
                    self.asking.begin(partition, offset)
            case Registered(change):
                await self._apply(change)
            case Failed(error):
                raise error

    def tick(self) -> None:
        """Let time pass; to be called a few times a second."""
        for owned in self.partitions.values():
            owned.tick()
        runners = [runner for owned in self.partitions.values() for runner in owned.runners]
        live = sum(runner.keeper.is_live for runner in runners)
        CONNECTED.labels(self._venue).set(live)
        PAUSED.labels(self._venue).set(any(runner.is_deaf for runner in runners))
        refused = {runner.account for runner in runners if runner.keeper.is_refused}
        for account in self._shown | refused:
            KEY_REFUSED.labels(account).set(account in refused)
        self._shown = refused

    def say_alive(self) -> None:
        """Write what is LIVE, for each partition that is surely ours."""
        now = self._requesters.clock()
        for owned in self.partitions.values():
            # Perhaps another's by now, who alone may say what is LIVE there.
            if not owned.is_suspended:
                owned.say_alive(now)

    def write_clock(self, sample: ClockSample) -> None:
        """Write a sample of the venue's clock, for each partition; a new one gets the last."""
        self._samples[sample.product] = sample
        for owned in self.partitions.values():
            owned.write(sample)

    def troubles(self) -> dict[str, str]:
        """For each part of what we do a line with its trouble, or ""; for this event loop alone."""
        return {
            "streams": self._streams_trouble(),
            "kafka": self._kafka_trouble(),
            "addresses": left_out(self._requesters.left_out),
            "claims": self._claims.trouble(),
        }

    def _kafka_trouble(self) -> str:
        waiting = self._outbox.seconds_stuck()
        stuck = {number: at for number, at in waiting.items() if at >= KAFKA_SECONDS_MAX}
        if not stuck:
            return ""
        return (
            f"Kafka takes nothing into partitions {', '.join(map(str, sorted(stuck)))} of raw "
            f"since {max(stuck.values()):.0f} s: see that it runs, and that this user may "
            "write; until then what comes is held, and then left with the venue"
        )

    def _streams_trouble(self) -> str:
        silent = sorted(
            {
                runner.account
                for owned in self.partitions.values()
                for runner in owned.runners
                if not runner.keeper.is_live
            }
        )
        return f"not connected: {', '.join(silent)}" if silent else ""

    async def stop(self) -> None:
        """Close everything that is still open."""
        await self._added.stop()
        await self._drop(tuple(self.partitions), "this worker stops")
        await self.asking.stop()
        await self.sending.stop()
        await self._claims.stop()

    def command(self, received: Commanded) -> None:
        """Act on one command: at once, and behind nothing that the group has to say."""
        self.sending.receive(self.partitions.get(received.partition), received)

    async def _gain(self, gained: Gained) -> None:
        number = gained.partition
        owned = self.partitions.get(number)
        if owned is not None and gained.is_continued:
            owned.is_suspended = False
            self.asking.begin(number, gained.offset)
            _log.info("partition %d goes on as before", number, extra={"partition": number})
            return
        if owned is not None:
            # Its records would bear a generation that is over.
            await self._drop((number,), "another worker had the partition in between")
        self.asking.begin(number, gained.offset)  # after the drop, which ends it
        self.partitions[number] = owned = OwnedPartition(number, gained.generation, self._outbox)
        if self._requesters.public.venue.orders is not None:
            self._claims.own(number)
        # Before any stream of ours: it ends what older owners held, in the order of the log.
        owned.announce(self._requesters.clock())
        # Of a new owner's clock the fold knows nothing
        # until a sample follows its word (decision 0014).
        for sample in self._samples.values():
            owned.write(sample)
        for account in self._accounts_in(number):
            # One that waits for the venue's time is begun by `AddedAccounts`.
            if not self._requesters.by_account[account].is_waiting:
                self._begin(account, owned)
        self._share()
        _log.info(
            "partition %d is ours, generation %d: %d streams",
            number,
            gained.generation,
            len(owned.runners),
            extra={"partition": number},
        )

    def _begin(self, account: str, owned: OwnedPartition) -> None:
        for keeper in self._requesters.keepers(account, self._names):
            requester, address = self._requesters.by_account[account], owned.address(account)
            owned.runners.append(StreamRunner(keeper, requester, self._outbox, address))

    def _begin_added(self, requester: Requester) -> None:
        """Begin the streams of an account whose partition may be ours; it may be gone by now."""
        if not requester.is_closed and (owned := self._partition_of(requester.account)) is not None:
            self._begin(requester.account, owned)

    def _partition_of(self, account: str) -> OwnedPartition | None:
        config = self._requesters.accounts[account]
        return self.partitions.get(config.partition_of(self._partitions_total))

    async def _apply(self, change: Change) -> None:
        """Let one account's change in the registry happen; no other account's socket is touched."""
        account, config = change.account, change.entry.config
        owned = self.partitions.get(config.partition_of(self._partitions_total))
        if change.act in (Act.CLOSE, Act.REOPEN):
            if owned is not None:
                await owned.stop_account(account, change.reason)
            self._requesters.close(account)
        if change.act in (Act.OPEN, Act.REOPEN) and self._requesters.open(change.entry):
            self._added.add(self._requesters.by_account[account])
        if change.act in (Act.ALLOW, Act.RENEW):
            self._requesters.allow(change.entry)
        if change.act is Act.RENEW:
            self._requesters.renew(change.entry)
            for runner in owned.runners_of(account) if owned is not None else ():
                runner.renew(self._requesters.context_at(account, runner.keeper.stream.product))

    def _accounts_in(self, number: int) -> list[str]:
        return [
            account
            for account in self._requesters.by_account
            if self._requesters.accounts[account].partition_of(self._partitions_total) == number
        ]

    def _suspend(self, partitions: tuple[int, ...]) -> None:
        for number in partitions:
            if (owned := self.partitions.get(number)) is not None:
                owned.is_suspended = True
        if partitions:
            _log.warning(
                "Kafka has not heard of this worker for too long: partitions %s may be another's; "
                "their sockets are kept until that is known",
                partitions,
            )

    def _suspended_without(self, assigned: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(
            number
            for number, owned in self.partitions.items()
            if owned.is_suspended and number not in assigned
        )

    async def _drop(self, partitions: tuple[int, ...], reason: str) -> None:
        # First: nothing claims any more that these partitions are seen.
        dropped = [self.partitions.pop(number, None) for number in partitions]
        for number in partitions:
            self.asking.end(number)
            # What was claimed goes on to its answer, and nobody waits for that here.
            self._claims.drop(number, partial(self.sending.settled, number))
        stops = [owned.stop(reason) for owned in dropped if owned is not None]
        if not stops:
            return
        with contextlib.suppress(TimeoutError):  # Kafka may be away: what waits goes out later
            async with asyncio.timeout(RELEASE_SECONDS_MAX):
                await asyncio.gather(*stops)
        self._share()

    def _share(self) -> None:
        # At least one: without any partition the clocks are asked for all the same.
        self._requesters.share(max(1, len(self.partitions)) / self._partitions_total)


def left_out(reasons: Mapping[str, str]) -> str:
    """Who is not served, and why, in a line; "" if nobody is left out. `reasons` by account."""
    return "; ".join(f"{account} is left out: {why}" for account, why in sorted(reasons.items()))
