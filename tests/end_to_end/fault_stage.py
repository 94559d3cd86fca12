"""One running system under one kind of fault after another, and all that a consumer reads of it.

For each kind: trade while it is scheduled alone, stop, wait until every account was looked at after
that, then keep the venue's books and what was published meanwhile.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from confluent_kafka import Message

from cli.demo import DemoOptions, plan_of
from orderloom import codec, topology
from orderloom.account import AccountState, BlindInterval
from orderloom.fill import Fill
from orderloom.identity import execution_key, venue_of
from orderloom.trouble import Difference
from tests.waits import comes_about, until
from trial.bands import broken_bands
from trial.reading import FOLLOWED, Reading
from trial.stage import Stage
from trial.venues import PARTITIONS, lag_ms
from trial.verdict import FillKey, fill_key, judge
from venues.bybit.limits import BANNED_NS

VENUES = ("binance", "okx")
PERIOD_S = 2.0
HEARD_S = 1.0
"""A blind interval begins when the connection was last heard, which may be after it was cut."""
BANS_S = {"bybit": BANNED_NS / 1e9}
"""How long a ban holds us where no answer of the venue says until when."""
LOOKS = 3
"""A transfer that was lost is published once two looks agree, and the first may still find more."""
RATE, BURST = 120, 20
TRADING_S_MIN, TRADING_S_MAX = 2.0, 30.0
REST_S_MAX = 180.0
POLL_S = 0.1
MILLISECOND_NS = 1_000_000
FAULTS_OF_A_RUN = {"half_open_s": 2.0, "ban_s": 1.0, "silence_ms_max": 800}


@dataclass(frozen=True)
class Blindness:
    """A blind interval of an account, and when it was first published (broker's ms)."""

    account: str
    interval: BlindInterval
    published_ms: int

    def covers(self, account: str, at_ns: int) -> bool:
        start_ns, end_ns = self.interval.start_ns - int(HEARD_S * 1e9), self.interval.end_ns
        return account == self.account and start_ns <= at_ns and (end_ns is None or at_ns <= end_ns)


class Witness(Reading):
    """A consumer that also keeps when the broker appended what it read, in ms."""

    followed = (*FOLLOWED, topology.DIFFERENCES)

    def __init__(self, bootstrap: str, namespace: str, venues: tuple[str, ...] = VENUES) -> None:
        super().__init__(bootstrap, namespace, venues, PARTITIONS)
        self.differences: list[tuple[int, Difference]] = []
        self.filled_ms: dict[FillKey, int] = {}
        self.states: list[tuple[int, AccountState]] = []
        self.blind: dict[tuple[str, str, int], Blindness] = {}

    def _take(self, message: Message) -> None:
        super()._take(message)
        value, (_, at_ms) = message.value(), message.timestamp()
        if value is not None:
            self._keep(codec.read(self._topics[str(message.topic())], value), at_ms)

    def _keep(self, record: Any, at_ms: int) -> None:
        match record:
            case Difference():
                self.differences.append((at_ms, record))
            case Fill():
                key = record.account, record.product, record.symbol
                self.filled_ms.setdefault((*key, record.exec_id, record.venue_order_id), at_ms)
            case AccountState():
                self.states.append((at_ms, record))
                for interval in record.blind:
                    place = record.account, interval.product, interval.start_ns
                    published_ms = self.blind[place].published_ms if place in self.blind else at_ms
                    self.blind[place] = Blindness(record.account, interval, published_ms)


@dataclass
class Stretch:
    """Some seconds under one kind of fault (none for the labelled run), and what came of them."""

    kind: str
    began_ms: int
    stopped_ms: int = 0
    injected: dict[str, int] = field(default_factory=dict)
    truth: dict[str, Any] = field(default_factory=dict)
    ended: list[dict[str, Any]] = field(default_factory=list)
    verdict: dict[str, Any] = field(default_factory=dict)
    disputed: dict[str, bool] = field(default_factory=dict)
    differences: list[tuple[int, Difference]] = field(default_factory=list)
    blind: list[Blindness] = field(default_factory=list)
    open_blind: int = 0
    cycle_s: float = 0.0
    """The longest that a cycle took, from its beginning until its last answer was folded."""
    filled_ms: dict[FillKey, int] = field(default_factory=dict)

    def fills(self) -> Iterator[tuple[FillKey, dict[str, Any]]]:
        """The venue's executions of this stretch."""
        for account, books in self.truth["accounts"].items():
            for row in books["fills"]:
                if row["venue_ms"] >= self.began_ms:
                    yield fill_key(account, row), row

    def lost(self) -> dict[FillKey, dict[str, Any]]:
        """The executions that the venue knows it did not tell anybody."""
        rows = dict(self.fills())
        return {k: r for k, r in rows.items() if not (r["delivered"] or r["delivered_lite"])}

    def missed(self) -> set[tuple[str, str | None]]:
        """The executions that `differences` tells as missed: account and execution key."""
        return {
            (found.account, found.execution_key)
            for _, found in self.differences
            if found.kind == "MISSED_FILL"
        }


def lag_s(account: str, product: str) -> float:
    """The visibility lag of a product of an account's venue, as this stage runs it."""
    return lag_ms(venue_of(account), product) / 1e3


def cycle_seconds(witness: Witness, since_ms: int) -> float:
    """The longest that a cycle took of those that were complete since then."""
    taken: list[float] = []
    before: dict[tuple[str, str], int] = {}
    for at_ms, state in witness.states:
        for product, covered_ns in state.covered_ns.items():
            place = state.account, product
            if at_ms >= since_ms and covered_ns > before.get(place, covered_ns):
                taken.append(at_ms / 1e3 - covered_ns / 1e9 - lag_s(*place))
            before[place] = covered_ns
    return max(taken)


def published_as(key: FillKey) -> tuple[str, str]:
    """How `differences` names an execution."""
    account, product, symbol, exec_id, order_id = key
    return account, execution_key(product, symbol, exec_id, order_id or "")


class FaultStage:
    """The stage, which is started once, and its witness."""

    def __init__(
        self,
        directory: Path,
        seed: int,
        accounts: int = 2,
        venues: tuple[str, ...] = VENUES,
        period_s: float = PERIOD_S,
    ) -> None:
        options = DemoOptions(
            seed=seed, accounts=accounts, venues=venues, faults={}, directory=directory
        )
        self.venues = venues
        self.accounts = accounts * len(venues)
        self.banned_s = max(BANS_S.get(venue, 0.0) for venue in venues)
        self.stage = Stage.build(replace(plan_of(options), reconcile_seconds=period_s))
        self.witness: Witness | None = None

    async def begin(self) -> None:
        """Everything runs, and every account is in sync."""
        self.stage.broker.start()
        self.stage.start_simulators()
        self.stage.create_topics()
        self.witness = Witness(self.stage.broker.bootstrap, self.stage.plan.namespace, self.venues)
        self.witness.start()
        for venue in self.venues:
            self.launch(venue)
        await self.until(self.is_synced, "accounts catch up")

    def launch(self, venue: str) -> None:
        self.stage.launch_worker("process", venue)
        self.stage.launch_worker("ingest", venue)

    def end(self) -> None:
        if self.witness is not None:
            self.witness.stop()
        self.stage.stop()

    async def play(self, kind: str, count: int, spread: int) -> Stretch:
        """Trade under `count` faults of a kind over so many things; the stretch, at rest."""
        stretch = Stretch(kind, time.time_ns() // MILLISECOND_NS)
        before = await self._injected(kind)
        schedule = {kind: {"count": count, "frames": spread}} if kind else {}
        for venue in self.venues:
            await self.stage.control(
                venue, "/control/faults", {"schedule": schedule, **FAULTS_OF_A_RUN}
            )
            await self.trade(venue)
        began = time.monotonic()

        async def is_done() -> bool:
            injected = await self._injected(kind)
            stretch.injected = {venue: injected[venue] - before[venue] for venue in self.venues}
            happened = all(number >= count for number in stretch.injected.values()) or not kind
            return happened and time.monotonic() - began >= TRADING_S_MIN

        await comes_about(is_done, TRADING_S_MAX, look_seconds=POLL_S)
        trading = time.monotonic() - began
        await self.rest(stretch)
        resting = time.monotonic() - began - trading
        print(f"{kind or 'no fault'}: traded {trading:.1f} s, at rest after {resting:.1f} s more")
        return stretch

    async def trade(self, venue: str) -> None:
        """The venue's traders begin."""
        traffic = {"rate": RATE, "burst": BURST, "running": True, "liquidation": 0}
        await self.stage.control(venue, "/control/traffic", traffic)

    async def _injected(self, kind: str) -> dict[str, int]:
        shown = {v: await self.stage.control(v, "/truth/summary") for v in self.venues}
        return {venue: one["faults"].get(kind, 0) for venue, one in shown.items()}

    async def rest(self, stretch: Stretch) -> None:
        """Stop trading, wait until all was looked at after it, and keep what there is to see."""
        for venue in self.venues:
            quiesce = {"open_orders": "leave", "faults": False}
            await self.stage.control(venue, "/control/quiesce", quiesce)
        await self._connections_ended()
        stopped_ns = time.time_ns()
        for _ in range(LOOKS):
            await self._looked_again()
        ends = self.reading.ends()
        await self.until(lambda: self.reading.has_reached(ends), "the topics are read")
        stretch.stopped_ms = stopped_ns // MILLISECOND_NS
        stretch.truth = await self.stage.truth()
        for venue in self.venues:
            shown = await self.stage.control(venue, "/control/connections")
            stretch.ended += [r for r in shown["ended"] if r["closed_ms"] >= stretch.began_ms]
        self._judge(stretch)

    def _judge(self, stretch: Stretch) -> None:
        witness = self.reading
        stretch.verdict = judge(witness.published, stretch.truth)
        stretch.verdict["details"]["broken_bands"] = list(
            broken_bands(witness.published, stretch.truth)
        )
        since = stretch.began_ms
        stretch.differences = [row for row in witness.differences if row[0] >= since]
        stretch.blind = [one for one in witness.blind.values() if one.published_ms >= since]
        stretch.filled_ms = dict(witness.filled_ms)
        stretch.cycle_s = cycle_seconds(witness, since)
        stretch.disputed = {key: one.disputed for key, one in witness.published.orders.items()}
        intervals = [interval for one in witness.accounts.values() for interval in one.blind]
        stretch.open_blind = sum(interval.closed_ns is None for interval in intervals)

    async def _looked_again(self) -> None:
        """Wait until all was looked at after now."""
        now_ns = time.time_ns()
        await self.until(lambda: self.is_synced() and self.covers(now_ns), "a rest")

    async def _connections_ended(self) -> None:
        """What was planned to end or is dead ends by itself: wait for it."""

        async def have_ended() -> bool:
            return all([await self._have_ended(venue) for venue in self.venues])

        await until(have_ended, REST_S_MAX, "the end of connections", look_seconds=POLL_S)

    async def _have_ended(self, venue: str) -> bool:
        shown = await self.stage.control(venue, "/control/connections")
        reasons = Counter(row["reason"] for row in shown["ended"])
        injected = (await self.stage.control(venue, "/truth/summary"))["faults"]
        return all(
            reasons[reason] >= injected.get(kind, 0)
            for kind, reason in (
                ("planned_disconnect", "planned shutdown"),
                ("half_open", "half-open for too long"),
            )
        )

    @property
    def reading(self) -> Witness:
        """The witness, which reads without trouble."""
        assert self.witness is not None
        assert self.witness.failure is None
        return self.witness

    def is_synced(self) -> bool:
        states = self.reading.accounts
        return len(states) == self.accounts and all(
            state.sync == "SYNCED" and set(state.streams.values()) == {"LIVE"}
            for state in states.values()
        )

    def covers(self, at_ns: int) -> bool:
        return all(
            covered_ns >= at_ns
            for state in self.reading.accounts.values()
            for covered_ns in state.covered_ns.values()
        )

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        def check() -> None:
            assert not self.stage.fallen(), self.stage.fallen()[0].log

        await until(holds, REST_S_MAX + self.banned_s, what, check, POLL_S)
