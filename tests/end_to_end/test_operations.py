"""During trade an account is added, one is disabled and enabled, keys are rotated: nobody restarts.

Real processes of two venues, real files, real commands; at the end every book is the exchange's.
"""

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from cli.demo import DemoOptions, plan_of
from orderloom.account import AccountState
from orderloom.raw import ConnectionChange
from simulator.config import AccountConfig
from tests.end_to_end.test_chaos import in_short, raw_records
from tests.waits import until
from trial.bands import broken_bands
from trial.reading import Reading
from trial.stage import Stage
from trial.venues import PARTITIONS, key_name, registry_of
from trial.verdict import is_clean, judge

pytestmark = [pytest.mark.broker, pytest.mark.chaos, pytest.mark.soak, pytest.mark.timeout(600)]

PAIRS = (("binance", "okx"), ("bybit", "kraken"))
ROTATED, SWITCHED, QUIET, ADDED = range(4)
"""What happens to the accounts of each venue, by their numbers; nothing happens to QUIET."""
OPTIONS = DemoOptions(
    minutes=1, rate=40, accounts=4,
    faults={"drop": 10, "duplicate": 30, "reorder": 30, "http_5xx": 2},
)  # fmt: skip
SECONDS_MAX = 120.0
FILLS_BETWEEN = 15


class Operator:
    """A person with an editor, who runs `orderloom topics` afterwards."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.accounts = [one for each in stage.plan.simulated for one in each.config().accounts]
        self.folder = stage.plan.directory / "keys"
        self.file = stage.plan.directory / "accounts.toml"
        self.entries = list(registry_of(self.accounts, self.folder))

    def name(self, venue: str, number: int) -> str:
        return f"{venue}:sim-{number}"

    def register(self, *, without: int = -1, disabled: int = -1) -> None:
        """Write the registry, and tell the processors."""
        entries = [
            entry.replace("[accounts.symbols]", "enabled = false\n[accounts.symbols]")
            if is_number(account, disabled)
            else entry
            for account, entry in zip(self.accounts, self.entries, strict=True)
            if not is_number(account, without)
        ]
        self.file.write_text("".join(entries))
        self.stage.create_topics()

    async def rotate(self, venue: str, number: int) -> None:
        """A new key at the venue, then in its file; then the old one is taken back."""
        [account] = [one for one in self.accounts if one.name == self.name(venue, number)]
        key = {"secret": f"new-{account.secret}", "passphrase": f"new-{account.passphrase}"}
        issued = {"account": account.name, "api_key": f"new-{account.api_key}", **key}
        await self.stage.control(venue, "/control/keys", issued)
        document = {"key": issued["api_key"], **key}
        (self.folder / key_name(account)).write_text(json.dumps(document))
        await until(
            lambda: f"account {account.name} has another key" in self.said(venue), SECONDS_MAX
        )
        await self.stage.control(venue, "/control/keys/revoke", {"api_key": account.api_key})

    def said(self, venue: str) -> str:
        """What the venue's ingest workers logged."""
        logs = (w.log for w in self.stage.workers if w.name.startswith(f"ingest-{venue}"))
        return "".join(log.read_text() for log in logs)


def is_number(account: AccountConfig, number: int) -> bool:
    return account.name.endswith(f"-{number}")


class Shift:
    """One run: the stage, what a consumer reads of it, and the operator."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.venues = stage.plan.venues
        self.operator = Operator(stage)
        self.reading: Reading | None = None

    @property
    def states(self) -> dict[str, AccountState]:
        assert self.reading is not None
        assert self.reading.failure is None
        assert not self.stage.fallen()
        return self.reading.accounts

    async def begin(self) -> None:
        """All but the last account of each venue are registered, and in sync."""
        self.stage.broker.start()
        self.stage.start_simulators()
        self.operator.register(without=ADDED)
        bootstrap, namespace = self.stage.broker.bootstrap, self.stage.plan.namespace
        self.reading = Reading(bootstrap, namespace, self.venues, PARTITIONS)
        self.reading.start()
        for venue in self.venues:
            self.stage.launch_worker("process", venue)
            self.stage.launch_worker("ingest", venue)
        await until(lambda: self.are_synced(ROTATED, SWITCHED, QUIET), SECONDS_MAX)

    def are_synced(self, *numbers: int) -> bool:
        names = [self.operator.name(venue, number) for venue in self.venues for number in numbers]
        held = [self.states.get(name) for name in names]
        return all(state is not None and state.sync == "SYNCED" for state in held)

    async def trade(self) -> None:
        """Let so many fills come."""
        for venue in self.venues:
            traffic = {"rate": OPTIONS.rate, "running": True}
            await self.stage.control(venue, "/control/traffic", traffic)
            wanted = await self._fills(venue) + FILLS_BETWEEN
            has_traded = partial(self._has_traded, venue, wanted)
            await until(has_traded, SECONDS_MAX, f"{wanted} fills", look_seconds=0.1)

    async def _has_traded(self, venue: str, wanted: int) -> bool:
        return await self._fills(venue) >= wanted

    async def _fills(self, venue: str) -> int:
        return int((await self.stage.control(venue, "/truth/summary"))["fills"])

    async def operate(self) -> None:
        """Everything that may happen to an account, while it trades."""
        await self.trade()
        for venue in self.venues:
            await self.operator.rotate(venue, ROTATED)
        await self.trade()
        self.operator.register(disabled=SWITCHED)
        for worker in self.stage.workers:
            if worker.name.startswith("ingest"):
                worker.child.send_signal(signal.SIGHUP)
        switched = [self.operator.name(venue, SWITCHED) for venue in self.venues]
        await until(lambda: not any(self.states[name].enabled for name in switched), SECONDS_MAX)
        await until(
            lambda: all(set(self.states[name].streams.values()) == {"DOWN"} for name in switched),
            SECONDS_MAX,
        )
        await self.trade()
        assert {self.states[name].sync for name in switched} == {"CATCHING_UP"}
        self.operator.register()
        await self.trade()
        await until(lambda: self.are_synced(ROTATED, SWITCHED, QUIET, ADDED), SECONDS_MAX)
        await self.trade()

    async def come_to_rest(self) -> None:
        quiesce = {"open_orders": "leave", "faults": False}
        for venue in self.venues:
            await self.stage.control(venue, "/control/quiesce", quiesce)
        stopped_ns = time.time_ns()
        await until(lambda: self.are_synced(*range(4)) and self._cover(stopped_ns), SECONDS_MAX)
        assert self.reading is not None
        ends = self.reading.ends()
        await until(
            lambda: self.reading is not None and self.reading.has_reached(ends), SECONDS_MAX
        )
        self.reading.stop()

    def _cover(self, at_ns: int) -> bool:
        covered = (ns for state in self.states.values() for ns in state.covered_ns.values())
        return all(ns >= at_ns for ns in covered)


@pytest.fixture(scope="module", params=PAIRS, ids="+".join)
def shift(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shift]:
    directory = tmp_path_factory.mktemp("operations")
    options = replace(OPTIONS, venues=request.param, directory=directory)
    made = Shift(Stage.build(plan_of(options)))
    try:
        asyncio.run(run(made))
        yield made
    finally:
        made.stage.stop()


async def run(shift: Shift) -> None:
    await shift.begin()
    await shift.operate()
    await shift.come_to_rest()


def test_the_books_are_the_exchanges_and_nobody_was_restarted(shift: Shift) -> None:
    assert shift.reading is not None
    published, truth = shift.reading.published, asyncio.run(shift.stage.truth())
    published.open_blind = sum(
        interval.closed_ns is None for state in shift.states.values() for interval in state.blind
    )
    verdict = judge(published, truth)
    verdict["details"]["broken_bands"] = list(broken_bands(published, truth))
    verdict["broken_bands"] = len(verdict["details"]["broken_bands"])
    print(in_short(verdict))
    assert is_clean(verdict), in_short(verdict)
    assert not shift.stage.fallen()
    logs = "".join(worker.log.read_text() for worker in shift.stage.workers)
    assert "is started again" not in logs


def test_no_other_accounts_socket_was_touched(shift: Shift) -> None:
    begun: dict[str, list[str]] = {}
    for _, record in raw_records(shift.stage):
        for item in record.items:
            if isinstance(item, ConnectionChange) and item.change in ("LIVE", "CLOSED"):
                begun.setdefault(record.account, []).append(item.change)
    operator = shift.operator
    for venue in shift.venues:
        streams = begun[operator.name(venue, QUIET)].count("LIVE")
        assert begun[operator.name(venue, QUIET)] == ["LIVE"] * streams
        rotated = begun[operator.name(venue, ROTATED)]
        assert (rotated.count("LIVE"), rotated.count("CLOSED")) == (2 * streams, streams)
        assert rotated[-1] == "CLOSED"
        switched = begun[operator.name(venue, SWITCHED)]
        assert (switched.count("LIVE"), switched.count("CLOSED")) == (2 * streams, streams)
        assert begun[operator.name(venue, ADDED)] == ["LIVE"] * streams


def test_no_log_shows_a_secret(shift: Shift) -> None:
    logs = "".join(worker.log.read_text() for worker in shift.stage.workers)
    for account in shift.operator.accounts:
        assert account.secret not in logs
