"""`python -m bench --only large`: one account with thousands of open orders and a long history.

The whole product as a user runs it (one `ingest`, one `process` worker, an embedded Kafka) on a
simulated venue that holds such an account, with the venue's own rate limits: from the start to
SYNCED, after all connections were cut, at rest, and after `process` was started again.
"""

import asyncio
import shutil
import signal
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Consumer, TopicPartition

from bench.large_figures import (
    GHOSTS,
    HEADER,
    MIB,
    RECONNECT,
    REST,
    START,
    Figures,
    Phase,
    Requests,
    line_of,
)
from bench.usage import Growth, Usage, folder_bytes, usage_of
from orderloom import codec, topology
from orderloom.account import AccountState
from orderloom.identity import adopted_order_key
from runtime.kafka import reader
from simulator.assets import BASES
from simulator.config import AccountConfig, PastConfig, SimulatorConfig
from simulator.instrument import Product
from trial.reading import Reading
from trial.stage import Plan, Stage, StageError, Worker
from trial.venues import PARTITIONS, TrialVenue
from trial.verdict import Published, judge
from venues import VENUES

SYMBOLS: Final = 20
HOURS: Final = 23.9
"""A little less than the first look-up reaches back, so that all of it is found."""
UNFILLED_HOURS: Final = {"okx": 2, "bybit": 24}
"""Who lists an order that was canceled without a fill no longer than so."""
SYNC_SECONDS_MAX: Final = 3_600.0
READ_SECONDS_MAX: Final = 300.0
SETTLE_SECONDS_MAX: Final = 20.0
"""Orders that are asked about one by one may be reported a moment after the account is in sync."""
IDLE_SECONDS: Final = 60.0
OPEN_SECONDS_MAX: Final = 300.0
POLL_SECONDS: Final = 0.2
NAMES: Final[dict[tuple[str, str], str]] = {
    ("binance", "spot"): "{}USDT",
    ("binance", "linear"): "{}USDT",
    ("okx", "spot"): "{}-USDT",
    ("okx", "linear"): "{}-USDT-SWAP",
    ("bybit", "spot"): "{}USDT",
    ("bybit", "linear"): "{}USDT",
    ("kraken", "spot"): "{}/USD",
    ("kraken", "linear"): "PF_{}USD",
}
OTHER_BASES: Final = {("kraken", "linear"): {"BTC": "XBT"}}
"""Assets that a product names otherwise."""


NO_PAST: Final = PastConfig()


@dataclass(frozen=True, slots=True)
class LargeVenue(TrialVenue):
    """A venue with one account that has a past; the venue's own limits."""

    product: Product = "spot"
    past: PastConfig = NO_PAST

    @classmethod
    def of(cls, venue: str, product: Product, past: PastConfig, seed: int = 1) -> "LargeVenue":
        """One account at one product of a venue."""
        return cls(venue, seed, 1, 0, {}, product=product, past=past)

    @property
    def name(self) -> str:
        """The account's id."""
        return f"{self.venue}:large"

    @property
    def title(self) -> str:
        """What is measured, in a line."""
        return (
            f"{self.venue} {self.product}: {self.past.open} open, {self.past.closed} ended orders"
        )

    def config(self) -> SimulatorConfig:
        """The simulator's settings."""
        place = self.venue, self.product
        name, others = NAMES[place], OTHER_BASES.get(place, {})
        account = AccountConfig(
            name=self.name,
            api_key="simulated-key",
            secret="simulated-secret",
            passphrase="simulated-phrase" if self.venue == "okx" else "",
            symbols={
                self.product: tuple(name.format(others.get(base, base)) for base in BASES[:SYMBOLS])
            },
            past=self.past,
        )
        return SimulatorConfig(venue=self.venue, seed=self.seed, accounts=(account,))

    def settings(self, address: str, reconcile_seconds: float) -> str:
        """The venue's section of `orderloom.toml`: nothing but where it is."""
        products = VENUES[self.venue].profiles
        # Instruments are asked for of all products: none of it goes to the venue itself.
        rest = ", ".join(f'{product} = "http://{address}"' for product in products)
        return (
            f"[venues.{self.venue}]\nreconcile_seconds = {reconcile_seconds}\n"
            f"rest = {{ {rest} }}\n"
            f'stream = {{ {self.product} = "ws://{address}" }}\n'
        )


class AccountView:
    """The newest record of one account, read as a consumer does."""

    def __init__(self, stage: Stage, venue: str, account: str) -> None:
        name = topology.ACCOUNTS.name(venue, stage.plan.namespace)
        self._consumer: Consumer = reader(stage.broker.bootstrap, committed=True)
        self._consumer.assign([TopicPartition(name, number, 0) for number in range(PARTITIONS)])
        self._account = account
        self.state: AccountState | None = None

    def look(self) -> AccountState | None:
        """Read what is there; blocks for a moment where nothing is."""
        for message in self._consumer.consume(100, POLL_SECONDS):
            value = message.value()
            if message.error() is None and value is not None:
                state = codec.read(topology.ACCOUNTS, value)
                if isinstance(state, AccountState) and state.account == self._account:
                    self.state = state
        return self.state

    def close(self) -> None:
        """Read no more."""
        self._consumer.close()


class LargeAccount:
    """One run over one large account."""

    def __init__(self, directory: Path, simulated: LargeVenue, say: Callable[[str], None]) -> None:
        namespace = f"large-{int(time.time())}."
        self.simulated = simulated
        self.figures = Figures(simulated.title)
        self.stage = Stage.build(Plan(directory, namespace, (simulated,), reconcile_seconds=30.0))
        self._say = say
        self._workers: dict[str, Worker] = {}
        self._ledger = Growth(self._ledger_bytes)

    async def measure(self, idle_seconds: float = IDLE_SECONDS) -> Figures:
        """All phases; the stage is taken down whatever happens. Raises StageError."""
        stage, venue = self.stage, self.simulated.venue
        try:
            stage.broker.start()
            stage.start_simulators()
            stage.create_topics()
            for kind in ("process", "ingest"):
                self._workers[kind] = stage.launch_worker(kind, venue)
            view = AccountView(stage, venue, self.simulated.name)
            await self._phase(START, lambda: self._until_synced(view, 0))
            await self._phase(RECONNECT, lambda: self._reconnect(view))
            await self._phase(REST, lambda: asyncio.sleep(idle_seconds))
            await self._compare()
            await self._open_again()
            await self._phase(GHOSTS, lambda: self._lose_all(view))
            await self._compare()
            view.close()
            return self.figures
        finally:
            stage.stop()

    async def _phase(self, name: str, act: Callable[[], Any]) -> None:
        await self.stage.control(self.simulated.venue, "/control/requests", {})
        began, used = time.monotonic(), self._used()
        self._ledger.begin()
        acting = asyncio.ensure_future(act())
        while not acting.done():
            await asyncio.wait({acting}, timeout=POLL_SECONDS)
            self._ledger.look()
        await acting
        seconds = time.monotonic() - began
        counted = await self.stage.control(self.simulated.venue, "/control/requests")
        now = self._used()
        phase = Phase(
            seconds=seconds,
            asked=Requests.of(counted),
            process_cpu=now["process"].cpu_seconds - used["process"].cpu_seconds,
            ingest_cpu=now["ingest"].cpu_seconds - used["ingest"].cpu_seconds,
            ledger_mib=self._ledger.written / MIB,
        )
        self.figures.phases[name] = phase
        self.figures.process_peak_mib = now["process"].peak_mib
        self.figures.ingest_peak_mib = now["ingest"].peak_mib
        self.figures.ledger_mib = self._ledger_bytes() / MIB
        self._say(line_of(name, phase))

    def _used(self) -> dict[str, Usage]:
        return {kind: usage_of(worker.child.pid) for kind, worker in self._workers.items()}

    def _ledger_bytes(self) -> int:
        name = topology.LEDGER.name(self.simulated.venue, self.stage.plan.namespace)
        return folder_bytes((self.stage.plan.directory / "broker").rglob(f"{name}-*"))

    async def _until_synced(self, view: AccountView, after_version: int) -> None:
        give_up = time.monotonic() + SYNC_SECONDS_MAX
        while time.monotonic() < give_up:
            if fallen := self.stage.fallen():
                raise StageError(f"{fallen[0].name} ended by itself: see {fallen[0].log}")
            state = await asyncio.to_thread(view.look)
            if state and state.sync == "SYNCED" and state.version > after_version:
                return
        raise StageError(f"{self.simulated.name} is not in sync within {SYNC_SECONDS_MAX:.0f} s")

    async def _reconnect(self, view: AccountView) -> None:
        assert view.state is not None
        before = view.state.version
        await self.stage.control(self.simulated.venue, "/control/disconnect", {})
        while view.state.sync == "SYNCED" and view.state.version == before:
            await asyncio.to_thread(view.look)
        await self._until_synced(view, before)

    async def _lose_all(self, view: AccountView) -> None:
        """Every open order is canceled while nobody hears of it."""
        assert view.state is not None
        before = view.state.version
        await self.stage.control(self.simulated.venue, "/control/disconnect", {"half_open": True})
        await self.stage.control(
            self.simulated.venue, "/control/quiesce", {"open_orders": "cancel"}
        )
        await self.stage.control(self.simulated.venue, "/control/disconnect", {})
        while view.state.sync == "SYNCED":
            await asyncio.to_thread(view.look)
        await self._until_synced(view, before)

    async def _compare(self) -> None:
        """What the topics say beside the venue's truth."""
        give_up = time.monotonic() + SETTLE_SECONDS_MAX
        while True:
            published = await asyncio.to_thread(self._read)
            verdict = judge(published, await self._shown_truth(published.orders))
            details = verdict["details"]
            if not any(details.values()) or time.monotonic() > give_up:
                break
        self.figures.orders, self.figures.fills = verdict["orders"], verdict["fills"]
        for name, rows in details.items():
            self.figures.wrong[name] = self.figures.wrong.get(name, 0) + len(rows)
        self.figures.samples = {name: rows[:3] for name, rows in details.items() if rows}

    def _read(self) -> Published:
        stage = self.stage
        reading = Reading(
            stage.broker.bootstrap, stage.plan.namespace, (self.simulated.venue,), PARTITIONS
        )
        ends = reading.ends()
        reading.start()
        give_up = time.monotonic() + READ_SECONDS_MAX
        while not reading.has_reached(ends) and time.monotonic() < give_up:
            time.sleep(POLL_SECONDS)
        reading.stop()
        if reading.failure is not None:
            raise StageError(f"the topics cannot be read: {reading.failure}")
        return reading.published

    async def _shown_truth(self, known: Collection[str]) -> dict[str, Any]:
        """The venue's truth, without orders that it shows no more and that nobody has `known`."""
        truth = await self.stage.truth()
        for account, true in truth["accounts"].items():
            true["orders"] = [
                row
                for row in true["orders"]
                if _key_of(account, row) in known or not self._is_gone(row)
            ]
        return truth

    def _is_gone(self, row: dict[str, Any]) -> bool:
        hours = UNFILLED_HOURS.get(self.simulated.venue)
        if hours is None or row["status"] != "CANCELED" or float(row["filled"]):
            return False
        oldest_ms = time.time_ns() // 1_000_000 - hours * 3600 * 1000
        return bool(row["updated_ms"] < oldest_ms)

    async def _open_again(self) -> None:
        """`process` is ended in order and started again: until its ledger is open."""
        former = self._workers["process"]
        former.was_killed = True
        former.child.send_signal(signal.SIGTERM)
        await asyncio.to_thread(former.child.wait)
        began = time.monotonic()
        worker = self.stage.launch_worker("process", self.simulated.venue)
        mark = f"ledger {self._partition()} is open"
        while mark not in worker.log.read_text(encoding="utf-8"):
            if not worker.is_running or time.monotonic() - began > OPEN_SECONDS_MAX:
                raise StageError(f"the ledger was not opened again: see {worker.log}")
            await asyncio.sleep(POLL_SECONDS)
        self.figures.open_seconds = time.monotonic() - began
        self.figures.process_open_mib = usage_of(worker.child.pid).now_mib
        self._workers["process"] = worker
        self._say(f"opened again in {self.figures.open_seconds:.1f} s")

    def _partition(self) -> int:
        return 0  # the registry of the stage gives the first account the first partition


def _key_of(account: str, row: dict[str, Any]) -> str:
    return adopted_order_key(account, row["product"], row["symbol"], row["venue_order_id"])


FULL: Final = PastConfig(open=5_000, closed=100_000, hours=HOURS)
NORMAL: Final = PastConfig(open=1_000, closed=10_000, hours=HOURS)
"""What the limits of Kraken Spot let one read in 40 minutes: ten times as much takes hours."""
ACCOUNTS: Final[tuple[tuple[str, Product, PastConfig], ...]] = (
    ("binance", "spot", FULL),
    ("binance", "linear", FULL),
    ("okx", "linear", FULL),
    ("bybit", "spot", NORMAL),
    ("bybit", "linear", NORMAL),
    ("kraken", "spot", NORMAL),
    ("kraken", "linear", NORMAL),
)


def run(
    home: Path, say: Callable[[str], None], venue: str | None = None, *, is_quick: bool
) -> list[tuple[LargeVenue, Figures]]:
    """All large accounts, or a venue's, one after another; a topic's files go with its run.

    `is_quick`: a tenth of each.
    """
    found = []
    for name, product, past in ACCOUNTS:
        if venue not in (None, name):
            continue
        part = {"open": past.open // 10, "closed": past.closed // 10} if is_quick else {}
        simulated = LargeVenue.of(name, product, past.model_copy(update=part))
        directory = home / f"{name}-{product}"
        say(f"{name} {product}\n{HEADER}")
        figures = asyncio.run(LargeAccount(directory, simulated, say).measure())
        shutil.rmtree(directory / "broker", ignore_errors=True)
        found.append((simulated, figures))
    return found
