"""The play: start everything, trade through faults, kill, join, wait for quiet, judge.

Nothing waits for a time where it can wait for a condition; every wait has a ceiling, and what is
not done by then is in the verdict.
"""

import asyncio
import json
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from trial.bands import broken_bands
from trial.reading import Reading
from trial.stage import Plan, Stage, StageError
from trial.venues import PARTITIONS, SCALE, TrialVenue
from trial.verdict import is_clean, judge

SYNC_SECONDS_MAX: Final = 120.0
QUIET_SECONDS_MAX: Final = 180.0
POLL_SECONDS: Final = 0.25
PROGRESS_SECONDS: Final = 2.0
BURST: Final = 60
SLOW_FACTOR_MAX: Final = 3.0
"""Trading takes at most so many times what was asked for."""
KINDS: Final = ("process", "ingest")


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What can be asked of `orderloom demo`.

    `rate`, `accounts`, `kills` (of each kind of worker) and `faults` are for each venue. Where a
    machine is too slow for its `rate`, trading goes on until there were `messages_min` in sum.
    `limits` times the venues' own rate limits are granted.
    """

    minutes: float = 1.0
    rate: int = 100
    seed: int = 1
    accounts: int = 4
    kills: int = 1
    messages_min: int = 0
    limits: int = SCALE
    venues: tuple[str, ...] = ("binance", "okx")
    directory: Path = Path("var/demo")
    faults: dict[str, int] = field(
        default_factory=lambda: {
            "drop": 20, "duplicate": 60, "delay": 40, "reorder": 60, "disconnect": 6,
            "http_5xx": 4, "http_429": 4,
        }
    )  # fmt: skip


def run(options: DemoOptions, console: Console | None = None) -> int:
    """Play the demo; the exit status is 0 only if nothing was lost, doubled or wrong."""
    console = console or Console(stderr=True)
    stage = Stage.build(plan_of(options))
    try:
        verdict = asyncio.run(Play(stage, options, console).run())
    except (InterruptedError, KeyboardInterrupt, asyncio.CancelledError):
        console.print(Text("interrupted: everything is being stopped"))
        return 130
    except StageError as error:
        console.print(Text(str(error), "red"))
        return 1
    finally:
        stage.stop()
    return 0 if is_clean(verdict) else 1


def plan_of(options: DemoOptions) -> Plan:
    """What the stage is set for, so that `options` can be played on it."""
    frames = int(options.minutes * 60 * options.rate)
    simulated = tuple(
        TrialVenue(venue, options.seed, options.accounts, frames, options.faults, options.limits)
        for venue in options.venues
    )
    return Plan(options.directory.resolve(), f"demo-{int(time.time())}.", simulated)


class Play:
    """One run of the demo on a stage."""

    def __init__(self, stage: Stage, options: DemoOptions, console: Console) -> None:
        self.stage = stage
        self.options = options
        self.console = console
        self.reading: Reading | None = None
        self.began = time.monotonic()
        self.is_interrupted = False
        self.kills: dict[str, int] = dict.fromkeys(KINDS, 0)

    async def run(self) -> dict[str, Any]:
        """Everything, in order; the verdict. Raises InterruptedError after SIGINT or SIGTERM."""
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._interrupt)
        self._say("starting Apache Kafka (the first time, its jars are fetched)")
        self.stage.broker.start()
        names = ", ".join(self.options.venues)
        self._say(f"starting simulated venues ({names}), topics, two workers of each kind")
        self.stage.start_simulators()
        self.stage.create_topics()
        self.reading = Reading(
            self.stage.broker.bootstrap,
            self.stage.plan.namespace,
            self.options.venues,
            PARTITIONS,
        )
        self.reading.start()
        for kind, venue, _ in product(KINDS, self.options.venues, range(2)):
            self.stage.launch_worker(kind, venue)
        await self._until(self._is_synced, SYNC_SECONDS_MAX, "accounts catch up")
        await self._trade()
        await self._come_to_rest()
        return await self._judge()

    async def _trade(self) -> None:
        traffic = {"rate": self.options.rate, "burst": BURST, "running": True}
        for venue in self.options.venues:
            await self.stage.control(venue, "/control/traffic", traffic)
        self._say(f"trading at {self.options.rate} private messages a second, with faults")
        seconds = self.options.minutes * 60
        scenes = self._scenes(seconds)
        start = time.monotonic()
        shown = start
        while (elapsed := time.monotonic() - start) < seconds or await self._is_short(elapsed):
            while scenes and scenes[0][0] <= elapsed:
                scenes.pop(0)[1]()
            if time.monotonic() - shown >= PROGRESS_SECONDS:
                shown = time.monotonic()
                await self._show_progress(elapsed, seconds)
            self._check_workers()
            await asyncio.sleep(POLL_SECONDS)

    async def _is_short(self, elapsed: float) -> bool:
        """Whether there were too few messages yet, and there is time for more."""
        if not self.options.messages_min or elapsed > self.options.minutes * 60 * SLOW_FACTOR_MAX:
            return False
        return (await self._counts())["messages"] < self.options.messages_min

    def _scenes(self, seconds: float) -> list[tuple[float, Callable[[], None]]]:
        """What happens when: kills spread over the run, each followed by a worker that joins."""
        scenes: list[tuple[float, Callable[[], None]]] = []
        turns = list(product(range(self.options.kills), KINDS, self.options.venues))
        for number, (_, kind, venue) in enumerate(turns):
            at = seconds * (0.15 + 0.6 * number / len(turns))
            scenes.append((at, partial(self._kill, kind, venue)))
            later = at + seconds * 0.3 / len(turns)
            scenes.append((later, partial(self._join, kind, venue)))
        return sorted(scenes, key=lambda scene: scene[0])

    def _kill(self, kind: str, venue: str) -> None:
        worker = self.stage.kill(kind, venue)
        self.kills[kind] += 1
        self._say(f"[yellow]killed {worker.name} (SIGKILL)[/yellow]")

    def _join(self, kind: str, venue: str) -> None:
        worker = self.stage.launch_worker(kind, venue)
        self._say(f"[yellow]{worker.name} joins[/yellow]")

    async def _come_to_rest(self) -> None:
        self._say("trading ends; waiting until every account was reconciled after it")
        quiesce = {"open_orders": "leave", "faults": False}
        for venue in self.options.venues:
            await self.stage.control(venue, "/control/quiesce", quiesce)
        stopped_ns = time.time_ns()
        await self._until(
            lambda: self._is_synced() and self._covers(stopped_ns),
            QUIET_SECONDS_MAX,
            "accounts are reconciled",
        )
        assert self.reading is not None
        ends = self.reading.ends()
        await self._until(lambda: self._has_read(ends), QUIET_SECONDS_MAX, "topics are read")

    async def _judge(self) -> dict[str, Any]:
        assert self.reading is not None
        self.reading.stop()
        published = self.reading.published
        published.open_blind = sum(
            interval.closed_ns is None
            for state in self.reading.accounts.values()
            for interval in state.blind
        )
        truth = await self.stage.truth()
        verdict = judge(published, truth)
        verdict["details"]["broken_bands"] = list(broken_bands(published, truth))
        verdict |= {
            "position_records": len(published.position_records),
            "broken_bands": len(verdict["details"]["broken_bands"]),
            "kills": self.kills,
            "reconnects": truth["reconnects"],
            "faults": truth["faults"],
            "dead_letter_reasons": dict(published.dead_letters),
            "seconds": round(time.monotonic() - self.began, 1),
            "seed": self.options.seed,
        }
        self._report(verdict)
        return verdict

    def _report(self, verdict: dict[str, Any]) -> None:
        path = self.stage.plan.directory / "verdict.json"
        path.write_text(json.dumps(verdict, indent=1, default=str), encoding="utf-8")
        for name, value in verdict.items():
            if name != "details":
                self.console.print(Text(f"  {name:>22}  {value}"))
        for name, rows in verdict["details"].items():
            for row in rows[:5]:
                self.console.print(Text.assemble("  ", (name, "red"), f" {row}"))
        word = ("CLEAN", "green") if is_clean(verdict) else ("NOT CLEAN", "red")
        self.console.print(Text.assemble("verdict: ", word, f", {path}"))

    # ---- conditions ----

    def _is_synced(self) -> bool:
        assert self.reading is not None
        states = self.reading.accounts
        return len(states) == self._account_count() and all(
            state.sync == "SYNCED" or state.quarantined for state in states.values()
        )

    def _account_count(self) -> int:
        return self.options.accounts * len(self.options.venues)

    def _covers(self, at_ns: int) -> bool:
        assert self.reading is not None
        return all(
            covered_ns >= at_ns
            for state in self.reading.accounts.values()
            if not state.quarantined
            for covered_ns in state.covered_ns.values()
        )

    def _has_read(self, ends: dict[tuple[str, int], int]) -> bool:
        assert self.reading is not None
        return self.reading.has_reached(ends)

    async def _until(self, holds: Callable[[], bool], ceiling: float, what: str) -> None:
        start = time.monotonic()
        shown = start
        while not holds():
            self._check_workers()
            now = time.monotonic()
            if now - start > ceiling:
                self._say(f"[red]not within {ceiling:.0f} s: {what}[/red]")
                return
            if now - shown >= PROGRESS_SECONDS:
                shown = now
                await self._show_progress(now - start, ceiling)
            await asyncio.sleep(POLL_SECONDS)

    def _interrupt(self) -> None:
        """A person has seen enough. A flag, looked at in every loop: a cancellation alone may be
        lost in whatever is awaited just then."""
        self.is_interrupted = True

    def _check_workers(self) -> None:
        if self.is_interrupted:
            raise InterruptedError
        if fallen := self.stage.fallen():
            raise StageError(f"{fallen[0].name} ended by itself: see {fallen[0].log}")
        if self.reading is not None and self.reading.failure is not None:
            raise StageError(f"the topics cannot be read: {self.reading.failure}")

    async def _show_progress(self, elapsed: float, of: float) -> None:
        assert self.reading is not None
        counts = await self._counts()
        published = self.reading.published
        synced = sum(state.sync == "SYNCED" for state in self.reading.accounts.values())
        self._say(
            f"{elapsed:5.0f}/{of:.0f} s  messages {counts['messages']}  fills "
            f"{len(published.fills)}/{counts['fills']}  orders "
            f"{len(published.orders)}/{counts['orders']}  synced "
            f"{synced}/{self._account_count()}"
        )

    async def _counts(self) -> Counter[str]:
        """How much there was so far at all venues, by their own count."""
        counts: Counter[str] = Counter()
        for venue in self.options.venues:
            summary = await self.stage.control(venue, "/truth/summary")
            counts.update({name: summary.get(name, 0) for name in ("messages", "fills", "orders")})
        return counts

    def _say(self, line: str) -> None:
        seconds = time.monotonic() - self.began
        self.console.print(Text(f"[{seconds:6.1f} s] {line}"))
