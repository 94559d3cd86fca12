"""The way into `raw`: packs items into records, writes them, and says when there is no more room.

The producer is idempotent and tries for ever, so a record is in the log once or still on its way.
Room is bounded: while Kafka is slow or away, `room` does not return, and those who await it before
they read a socket stop reading. What is small and must be said (a connection closed, a question
failed) is taken without asking for room.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from ingest.framing import BODY_BYTES_MAX, Bounds, Packer, fitted, time_of
from orderloom import raw
from orderloom.raw import Item, RawRecord

# A bound for one account, so that a busy one does not take the room of all others.
LANE_BYTES_MAX = 8 * 1024 * 1024
HELD_BYTES_MAX = 64 * 1024 * 1024
HELD_ITEMS_MAX = 10_000
AGAIN_SECONDS = 1.0
QUEUE_FULL_SECONDS = 0.05
POLL_SECONDS = 0.5
NEVER_NS = 1 << 62
SAME_TROUBLE_SECONDS = 60.0
_TOO_LARGE = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Address:
    """Whose record it is, in which partition, and under which generation."""

    account: str
    partition: int
    generation: int


@dataclass(frozen=True, slots=True)
class OutboxBounds:
    """How much may wait in memory, for one account and in all, and how much one record holds."""

    lane_bytes_max: int = LANE_BYTES_MAX
    held_bytes_max: int = HELD_BYTES_MAX
    held_items_max: int = HELD_ITEMS_MAX
    body_bytes_max: int = BODY_BYTES_MAX
    record: Bounds = field(default_factory=Bounds)


@dataclass(slots=True)
class _Lane:
    account: str
    partition: int
    packer: Packer
    is_pausing: bool = False
    waiting_since: float = 0.0


class Outbox:
    """Writes items to one topic; made and used in one event loop.

    `failed` is a future that gets an exception when the producer can go on no more.
    """

    def __init__(
        self, producer: Producer, topic: str, owner: str, bounds: OutboxBounds | None = None
    ) -> None:
        self._producer = producer
        self._topic = topic
        self._owner = owner
        self._bounds = bounds or OutboxBounds()
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._troubled_at = -SAME_TROUBLE_SECONDS
        self.failed: asyncio.Future[None] = self._loop.create_future()
        self.records_written = 0
        self.bytes_held = 0
        self.items_held = 0
        self._is_closed = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="outbox", daemon=True)
        self._poller.start()

    def put(self, address: Address, item: Item) -> None:
        """Take `item` up; it goes out at once if nothing of its account is under way."""
        lane = self._lane(address)
        # From here on Kafka owes an answer (`seconds_stuck`).
        if lane.packer.is_idle:
            lane.waiting_since = self._loop.time()
        before = lane.packer.bytes_held
        # Whether there is room is not asked here: who reads a socket asks before;
        # the end of a connection must be written whatever is held (decision 0504).
        lane.packer.add(address.generation, fitted(item, self._bounds.body_bytes_max))
        self.bytes_held += lane.packer.bytes_held - before
        self.items_held += 1
        self._pump(lane)

    def has_room(self, account: str, partition: int) -> bool:
        """Whether one who brings much may bring more."""
        if self.bytes_held >= self._bounds.held_bytes_max:
            return False
        if self.items_held >= self._bounds.held_items_max:
            return False
        lane = self._lanes.get((account, partition))
        return lane is None or lane.packer.bytes_held < self._bounds.lane_bytes_max

    def seconds_stuck(self) -> dict[int, float]:
        """For how long Kafka has taken nothing although something waits, by partition."""
        # By lane: a partition without a leader stands still beside others that go on.
        waiting = [lane for lane in self._lanes.values() if not lane.packer.is_idle]
        since = {lane.partition: self._loop.time() for lane in waiting}
        for lane in waiting:
            since[lane.partition] = min(since[lane.partition], lane.waiting_since)
        return {number: self._loop.time() - at for number, at in since.items()}

    def is_idle_for(self, account: str, partition: int) -> bool:
        """Whether nothing of this account waits or is under way."""
        lane = self._lanes.get((account, partition))
        return lane is None or lane.packer.is_idle

    def written_until_ns(self, account: str, partition: int) -> int:
        """All that came about before this moment (ns UTC) stands in the log."""
        lane = self._lanes.get((account, partition))
        # What is held here is gone if this process dies:
        # no more is claimed as heard (decision 0505).
        oldest = None if lane is None else lane.packer.oldest()
        return NEVER_NS if oldest is None else time_of(oldest)

    async def room(self, account: str, partition: int) -> None:
        """Return when there is room."""
        while not self.has_room(account, partition):
            await self._change()

    async def written(self, account: str, partition: int) -> None:
        """Return when all that this account has put so far stands in the log."""
        if (lane := self._lanes.get((account, partition))) is not None:
            await self._written([lane])

    async def settled(self, partition: int | None = None) -> None:
        """Return when all that was put so far (for `partition`) stands in the log."""
        lanes = [lane for lane in self._lanes.values() if partition in (None, lane.partition)]
        await self._written(lanes)

    async def _written(self, lanes: list[_Lane]) -> None:
        goals = [(lane.packer, lane.packer.items_added) for lane in lanes]
        while any(packer.items_written < goal for packer, goal in goals):
            await self._change()

    def fail(self, error: BaseException) -> None:
        """Give up: whoever awaits `failed` learns it, once."""
        if not self.failed.done():
            self.failed.set_exception(error)

    def close(self) -> None:
        """Stop; what is not in the log by now is given up."""
        self._is_closed.set()
        self._poller.join()
        self._producer.purge(in_queue=True, in_flight=True, blocking=False)
        if not self.failed.done():
            self.failed.cancel()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _lane(self, address: Address) -> _Lane:
        key = (address.account, address.partition)
        if key not in self._lanes:
            self._lanes[key] = _Lane(*key, Packer(self._bounds.record))
        return self._lanes[key]

    def _pump(self, lane: _Lane) -> None:
        if lane.is_pausing or self._is_closed.is_set() or (batch := lane.packer.take()) is None:
            return
        record = RawRecord(lane.account, batch.generation, self._owner, batch.items)
        try:
            self._producer.produce(
                self._topic,
                key=lane.account.encode(),
                value=raw.encode(record),
                # Named, and not the partitioner's choice: an account's
                # partition may be registered (decision 0605).
                partition=lane.partition,
                on_delivery=partial(self._delivered, lane, len(batch.items)),
            )
        # The client's own queue is full: not sent, so the items are ours still.
        except BufferError:
            lane.packer.refused()
            self._pause(lane, QUEUE_FULL_SECONDS)
        except KafkaException as error:  # larger than the client lets pass, or a dead producer
            self._settle(lane, 0, error.args[0])

    def _poll(self) -> None:
        """Serve the producer's callbacks, in a thread of their own."""
        while not self._is_closed.is_set():
            try:
                self._producer.poll(POLL_SECONDS)
            # A fatal error is raised here, once: no report and no refusal calls itself fatal. And
            # whatever else: nothing would be settled any more.
            except Exception as error:  # noqa: BLE001  the worker ends by it
                self._loop.call_soon_threadsafe(self.fail, error)
                return

    def _delivered(
        self, lane: _Lane, items: int, error: KafkaError | None, _message: Message
    ) -> None:
        # We are in the poller's thread: all that is counted is counted in the loop's.
        if not self._is_closed.is_set():
            self._loop.call_soon_threadsafe(self._guarded, self._settle, lane, items, error)

    def _guarded(self, work: Callable[..., None], *what: Any) -> None:
        """Do it for the loop, which would log a mistake of ours, and the account stood still."""
        try:
            work(*what)
        except Exception as error:  # noqa: BLE001  the worker ends by it
            self.fail(error)

    def _settle(self, lane: _Lane, items: int, error: KafkaError | None) -> None:
        before = lane.packer.bytes_held
        if error is None:
            lane.packer.acknowledged()
            self.records_written += 1
            self.items_held -= items
            lane.waiting_since = self._loop.time()
        elif error.code() in _TOO_LARGE:
            lane.packer.refused(is_too_large=True)
            # Later, not here: what the client refuses before it sends would call itself again.
            self._loop.call_soon(self._guarded, self._pump, lane)
        else:
            lane.packer.refused()
            self._trouble(lane, error)
        self.bytes_held += lane.packer.bytes_held - before
        self._changed.set()
        if error is None:  # last: what cannot be sent at all is settled within
            self._pump(lane)

    def _trouble(self, lane: _Lane, error: KafkaError) -> None:
        """Kafka refused a record that is none too large: say so, and try again."""
        if self._loop.time() - self._troubled_at >= SAME_TROUBLE_SECONDS:
            self._troubled_at = self._loop.time()
            _log.error(
                "%s cannot be written to (%s): nothing is lost while there is room in memory; "
                "see that the topic exists (`orderloom topics`) and that this user may write it",
                self._topic,
                error.str(),
            )
        self._pause(lane, AGAIN_SECONDS)

    def _pause(self, lane: _Lane, seconds: float) -> None:
        lane.is_pausing = True
        self._loop.call_later(seconds, self._guarded, self._resume, lane)

    def _resume(self, lane: _Lane) -> None:
        lane.is_pausing = False
        self._pump(lane)
