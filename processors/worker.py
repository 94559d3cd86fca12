"""One worker of one venue: a Faust app, and a runner for each partition that it owns."""

import asyncio
import logging
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import uvloop

from orderloom.topology import INPUTS, RAW
from processors.app import Group, add_agent, make_app, on_rebalance
from processors.collector import collect_all, keep_collections_short
from processors.ledger.ledger import Ledger, MakeState
from processors.ledger.log import LedgerLog
from processors.ledger.metrics import Exporter
from processors.ledger.runner import Condition, LedgerRunner, MakeLedger
from processors.ledger.settings import LedgerSettings
from processors.ledger.step import InputRecord
from processors.ledger.writer import Probe, no_probe
from processors.quiet_logs import quiet_logs
from runtime import metrics
from runtime.health import Health

LOOK_SECONDS = 0.25
CLOSE_SECONDS_MAX = 8.0
STOP_SECONDS_MAX = 8.0
ADRIFT_SECONDS = 10.0
KAFKA_LOOK_SECONDS = 2.0
CRASHED = 1

log = logging.getLogger(__name__)


class WorkerCrashed(Exception):
    """Faust or a runner ended by itself; start a new process."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a worker is made of, beside its settings; tests put others in their places."""

    make_state: MakeState
    probe: Probe = no_probe
    make_ledger: MakeLedger = Ledger
    make_runner: Callable[..., LedgerRunner] = LedgerRunner
    make_app: Callable[..., Any] = make_app


def run(settings: LedgerSettings, parts: Parts, health: Health | None = None) -> None:
    """Work until SIGTERM or SIGINT. Call it from the main thread of a process of its own.

    Raises SetupError for what a person must mend, WorkerCrashed for what a new start may.
    """
    quiet_logs()
    keep_collections_short()
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(_until_signalled(settings, parts, health or Health()))


async def _until_signalled(settings: LedgerSettings, parts: Parts, health: Health) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with tempfile.TemporaryDirectory(prefix="orderloom-process-") as directory:
        try:
            await ProcessWorker(settings, parts, health).work(stop, directory)
        finally:
            _leave_at_last(0 if stop.is_set() else CRASHED)


def _leave_at_last(exit_status: int) -> None:
    """End the process even if what Faust leaves behind keeps asyncio from ending (seen)."""
    timer = threading.Timer(STOP_SECONDS_MAX, os._exit, [exit_status])
    timer.daemon = True
    timer.start()


class ProcessWorker:
    """The runners of the partitions that the group gives to this worker."""

    def __init__(self, settings: LedgerSettings, parts: Parts, health: Health) -> None:
        self.runners: dict[int, LedgerRunner] = {}
        self._settings = settings
        self._parts = parts
        self._health = health
        self._log = LedgerLog(settings)
        self._closing: list[LedgerRunner] = []
        self._exporter = Exporter(settings.venue)
        self._unanswered_until = 0.0
        self._uncommitted_since: float | None = None
        self._outside_since: float | None = None

    async def work(self, stop: asyncio.Event, directory: str) -> None:
        """Work until `stop` is set. Raises WorkerCrashed."""
        partitions = self._log.partitions()
        metrics.PARTITIONS.labels(self._settings.venue).set(partitions)
        app = self._parts.make_app(self._settings, partitions, directory)
        names = {topic.kind: self._log.names[topic.kind] for topic in INPUTS}
        self._group = Group(app, names, owner=RAW.kind)
        for topic in INPUTS:
            add_agent(app, names[topic.kind], topic, partitions, self._offer)
        on_rebalance(app, self._suspend, self._own, names, owner=RAW.kind)
        app.finalize()
        self._outside_since = time.monotonic()
        self._health.report("group", "the group of the workers has not taken this one in yet")
        self._looking = looking = asyncio.create_task(self._look_for_kafka())
        try:
            await app.start()
            await self._watch(app, stop)
        finally:
            looking.cancel()
            try:
                # The ledgers first, while the group still takes the offsets that they have come to.
                await self._close()
            finally:
                await _stop(app, exit_status=0 if stop.is_set() else CRASHED)

    def _offer(self, record: InputRecord) -> None:
        runner = self.runners.get(record.partition)
        if runner is not None:
            runner.offer(record)

    def _suspend(self, revoked: set[int]) -> None:
        for partition in revoked & self.runners.keys():
            self.runners[partition].suspend()

    def _own(self, partitions: set[int]) -> None:
        """The assignment of `raw` is the ownership: go on, close and start runners by it."""
        log.info("owns partitions %s", sorted(partitions))
        self._outside_since = None
        self._health.report("group")
        for partition in self.runners.keys() - partitions:
            runner = self.runners.pop(partition)
            runner.close()
            # Its last step may still go on: what that shows is forgotten once it has ended.
            self._closing.append(runner)
            self._exporter.forget(runner, self._health)
        for partition in sorted(partitions):
            if partition in self.runners:
                self.runners[partition].resume()
            else:
                self.runners[partition] = self._start_runner(partition)

    def _start_runner(self, partition: int) -> LedgerRunner:
        parts = self._parts
        runner = parts.make_runner(
            self._log,
            partition,
            parts.make_state,
            self._group,
            probe=parts.probe,
            make_ledger=parts.make_ledger,
        )
        runner.start()
        return runner

    async def _watch(self, app: object, stop: asyncio.Event) -> None:
        """Commit the ledgers' offsets, export what they count, and notice who died."""
        committed_at = 0.0
        while not stop.is_set():
            self._raise_if_dead(app)
            await self._raise_if_adrift()
            self._exporter.export(self.runners.values(), self._health)
            if time.monotonic() - committed_at > self._settings.commit_offsets_seconds:
                committed_at = time.monotonic()
                await self._commit_offsets()
            try:
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue

    async def _look_for_kafka(self) -> None:
        """Report whether Kafka answers; apart, as what waits for Kafka holds up the watch."""
        while True:
            answers = await asyncio.to_thread(self._log.answers)
            line = f"Kafka does not answer at {self._settings.bootstrap}"
            self._health.report("kafka", "" if answers else line)
            await asyncio.sleep(KAFKA_LOOK_SECONDS)

    def _raise_if_dead(self, app: object) -> None:
        reason = getattr(app, "crash_reason", None)
        if reason is not None or getattr(app, "should_stop", False):
            raise WorkerCrashed(f"Faust crashed: {reason!r}") from reason
        if self._looking.done():  # else health would go on showing what it saw last
            raise WorkerCrashed(f"nobody looks for Kafka any more: {self._looking.exception()!r}")
        dead = [runner.partition for runner in self.runners.values() if runner.has_died]
        if dead:
            raise WorkerCrashed(f"the runners of partitions {dead} died")
        closed = [runner for runner in self._closing if runner.join(0)]
        for runner in closed:
            self._closing.remove(runner)
            # Where it came back meanwhile, what is shown is the new runner's.
            if runner.partition not in self.runners:
                self._exporter.forget(runner, self._health)
        if closed:
            collect_all()

    async def _raise_if_adrift(self) -> None:
        """Seen after a broker's restart: Faust lives, but never comes back to its group.

        Or it believes that it is in it, and no commit of its is ever taken. Or it never came.
        """
        adrift_seconds = self._settings.rebalance_seconds + ADRIFT_SECONDS
        waiting = [runner.unconfirmed_since for runner in self.runners.values()]
        waiting += [self._uncommitted_since, self._outside_since]
        since = min((at for at in waiting if at is not None), default=time.monotonic())
        # The time while Kafka is away does not count: nobody is started again for that
        # (decision 0204).
        if time.monotonic() - max(since, self._unanswered_until) < adrift_seconds:
            return
        if await asyncio.to_thread(self._log.answers):
            raise WorkerCrashed(f"the group has not confirmed us for {adrift_seconds:.0f} s")
        self._unanswered_until = time.monotonic()

    async def _commit_offsets(self) -> None:
        offsets = {
            (kind, runner.partition): offset
            for runner in self.runners.values()
            if runner.condition in (Condition.RUNNING, Condition.CLOSED)
            for kind, offset in runner.next_offsets.items()
        }
        if not offsets or await asyncio.to_thread(self._group.commit, offsets):
            self._uncommitted_since = None
        else:
            self._uncommitted_since = self._uncommitted_since or time.monotonic()

    async def _close(self) -> None:
        """Let each ledger end its step, then commit how far they are."""
        runners = [*self.runners.values(), *self._closing]
        for runner in runners:
            runner.close()
        give_up = time.monotonic() + CLOSE_SECONDS_MAX
        for runner in runners:
            await asyncio.to_thread(runner.join, max(0.0, give_up - time.monotonic()))
        await self._commit_offsets()


async def _stop(app: Any, exit_status: int) -> None:
    """Leave the group; the process ends without Faust's consent where it hangs.

    Nothing is lost by that: the ledgers are closed, and the group notices after the session.
    """
    try:
        await asyncio.wait_for(app.stop(), STOP_SECONDS_MAX)
    except TimeoutError:
        log.warning("Faust does not stop within %.0f s: ending the process", STOP_SECONDS_MAX)
        logging.shutdown()
        os._exit(exit_status)
