"""From a frame's receipt to its order being readable: p50, p90, p99.

Frames go through ingest's own outbox (one a record while the last write is acknowledged; what
arrives meanwhile goes together); a committed reader of `orders` notes when it meets what they
caused. A frame is readable when an order that it changed is published with it, or with a later
frame, as its cause.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from confluent_kafka import Message

from bench.frames import OWNER, Account, Load
from bench.stage import PeerFailed, Stage
from bench.task import VENUE, Task
from bench.watching import (
    Name,
    Place,
    Watcher,
    order_sighted,
    percentiles,
    places_of,
    relayed_sighted,
)
from ingest.outbox import Address, Outbox
from orderloom import topology
from orderloom.raw import Frame
from processors.ledger.step import InputRecord
from processors.partition import PartitionFold
from runtime.kafka import idempotent_producer
from venues import VENUES

READY_SECONDS_MAX: Final = 60.0
QUIET_SECONDS: Final = 1.0
QUIET_SECONDS_MAX: Final = 30.0
SWITCH_SECONDS: Final = 0.0005
"""How long one thread of ours may keep another from noting the time."""
NOW_NS: Final = 1_800_000_000_000_000_000
SHARES: Final = (0.5, 0.9, 0.99)


@dataclass(frozen=True, slots=True)
class Path:
    """What stands between `raw` and `orders`: the program, and how to read its outputs."""

    program: str
    sighted: Callable[[Message], tuple[bytes, Place] | None]


PRODUCT_PATH: Final = Path("ledger", order_sighted)
RELAY_PATH: Final = Path("relay", relayed_sighted)


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds at one rate. `unread` frames never became readable."""

    rate: int
    frames: int
    frames_per_record: float
    unread: int
    p50_ms: float
    p90_ms: float
    p99_ms: float

    def document(self) -> dict[str, Any]:
        """For the result file."""
        return {name: round(value, 2) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Sent:
    """One frame to be sent, and the keys of the orders that it changes."""

    account: Account
    frame: Frame
    orders: tuple[bytes, ...]

    @property
    def name(self) -> Name:
        """What tells it from all others."""
        return self.account.name, self.frame.connection, self.frame.number


class Plan:
    """Frames to send, and what each changes: found by folding them one by one."""

    def __init__(self) -> None:
        self._load = Load()
        self._partition = PartitionFold(VENUES[VENUE], 0)
        self._offset = 0
        for account in self._load.accounts:
            self._fold(account, account.record(account.greeting()))

    def greetings(self) -> list[tuple[Account, Any]]:
        """What goes before all frames."""
        return [(one, item) for one in self._load.accounts for item in one.greeting()]

    def frames(self, number: int) -> list[Sent]:
        """The next frames, the accounts in turn."""
        accounts = self._load.accounts
        return [self._sent(accounts[at % len(accounts)]) for at in range(number)]

    def _sent(self, account: Account) -> Sent:
        (frame,) = self._load.frames(account, 1)
        return Sent(account, frame, self._fold(account, account.record((frame,))))

    def _fold(self, account: Account, value: bytes) -> tuple[bytes, ...]:
        self._offset += 1
        key = account.name.encode()
        self._partition.fold(InputRecord(topology.RAW, 0, self._offset, NOW_NS, key, value), NOW_NS)
        outputs = self._partition.changes().outputs
        return tuple(one.key for one in outputs if one.topic is topology.ORDERS and one.value)


@dataclass(slots=True)
class Sender:
    """Puts frames into ingest's outbox at a steady rate, and notes when."""

    outbox: Outbox
    received: dict[Name, float] = field(default_factory=dict)

    async def greet(self, plan: Plan) -> None:
        """What goes before all frames."""
        for account, item in plan.greetings():
            self.outbox.put(Address(account.name, account.partition, 1), item)
        await self.outbox.settled()

    async def send(self, frames: Sequence[Sent], rate: int) -> None:
        """Send at `rate` a second, and wait until all stand in the log."""
        began = time.monotonic()
        for number, sent in enumerate(frames):
            if (ahead := began + number / rate - time.monotonic()) > 0:
                await asyncio.sleep(ahead)
            self.received[sent.name] = time.monotonic()
            account = sent.account
            self.outbox.put(Address(account.name, account.partition, 1), sent.frame)
        await self.outbox.settled()


@dataclass(slots=True)
class Trial:
    """What was sent at one rate; what warmed up before it counts for nothing."""

    rate: int
    frames: list[Sent]
    records: int

    def latency(
        self, path: Path, watcher: Watcher, sender: Sender, places: dict[Name, Place]
    ) -> Latency:
        """How long each order that a frame changed took to be readable."""
        found: list[float] = []
        unread = 0
        for sent in self.frames:
            place = places[sent.name]
            keys = sent.orders if path is PRODUCT_PATH else (b"%d" % place[0],)
            for key in keys if sent.orders else ():
                at = watcher.sightings[key].first(place)
                unread += at is None
                found += [] if at is None else [at - sender.received[sent.name]]
        if not found:
            raise PeerFailed(f"nothing that was sent came out of {path.program}")
        points = [1000 * point for point in percentiles(found, SHARES)]
        return Latency(self.rate, len(found), len(self.frames) / self.records, unread, *points)


def latencies(stage: Stage, path: Path, rates: Sequence[int], seconds: float) -> list[Latency]:
    """One path at each rate; a third more of it goes before and does not count."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        with stage.task() as task, stage.child(path.program, task):
            return asyncio.run(_measured(task, path, rates, seconds))
    finally:
        sys.setswitchinterval(before)


async def _measured(task: Task, path: Path, rates: Sequence[int], seconds: float) -> list[Latency]:
    plan = Plan()
    outbox = Outbox(idempotent_producer(task.bootstrap), task.topic(topology.RAW), OWNER)
    sender = Sender(outbox)
    with Watcher(task, path.sighted) as watcher:
        await sender.greet(plan)
        await _wake(plan, sender, watcher)
        trials = [await _trial(plan, sender, watcher, rate, seconds) for rate in rates]
    outbox.close()
    places = places_of(task)
    return [trial.latency(path, watcher, sender, places) for trial in trials]


async def _wake(plan: Plan, sender: Sender, watcher: Watcher) -> None:
    """Send a little until something comes out."""
    give_up = time.monotonic() + READY_SECONDS_MAX
    while not watcher.sightings:
        await sender.send(plan.frames(10), 100)
        if time.monotonic() > give_up:
            raise PeerFailed("nothing comes out: see the logs")


async def _trial(plan: Plan, sender: Sender, watcher: Watcher, rate: int, seconds: float) -> Trial:
    warm, measured = plan.frames(int(rate * seconds / 3)), plan.frames(int(rate * seconds))
    await sender.send(warm, rate)
    records = sender.outbox.records_written
    await sender.send(measured, rate)
    records = sender.outbox.records_written - records
    await _quiet(watcher)
    return Trial(rate, measured, records)


async def _quiet(watcher: Watcher) -> None:
    """Wait until nothing more comes out."""
    give_up = time.monotonic() + QUIET_SECONDS_MAX
    while time.monotonic() < give_up:
        quiet = time.monotonic() - watcher.last_at
        if quiet >= QUIET_SECONDS:
            return
        await asyncio.sleep(QUIET_SECONDS - quiet)
