"""`orderloom cancel` ends orders at the venue: real processes, a real Kafka, real wires.

What rests at the simulated venue afterwards, its own books say.
"""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from cli.demo import DemoOptions, plan_of
from orderloom.identity import adopted_order_key
from orderloom.words import OPEN_STATUSES, IntentOutcome
from runtime.leash import module_command
from tests.waits import until
from trial.reading import Reading
from trial.stage import Stage
from trial.venues import PARTITIONS
from trial.verdict import STATUS

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

VENUES = ("binance", "okx")
SECONDS_MAX = 90.0
CLOSED, EXISTING = IntentOutcome.CLOSED.value, IntentOutcome.EXISTING.value


@dataclass
class Ran:
    """One call of the command: its exit status, and the answers that it printed."""

    status: int
    answers: list[dict[str, Any]]
    errors: str
    lines: list[str]

    @property
    def outcomes(self) -> list[str]:
        return [one["outcome"] for one in self.answers]


class Trading:
    """A stage whose traders have placed orders and rest, and whoever cancels them."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.reading = Reading(stage.broker.bootstrap, stage.plan.namespace, VENUES, PARTITIONS)

    async def begin(self) -> None:
        self.stage.create_topics()
        self.reading.start()
        for venue in VENUES:
            self.stage.launch_worker("process", venue)
            self.stage.launch_worker("ingest", venue)
        await until(self.is_synced, SECONDS_MAX)
        for venue in VENUES:
            await self.stage.control(venue, "/control/traffic", {"rate": 40, "running": True})
        await until(lambda: all(len(self.open(venue)) > 5 for venue in VENUES), SECONDS_MAX)
        for venue in VENUES:
            quiesce = {"open_orders": "leave", "faults": False}
            await self.stage.control(venue, "/control/quiesce", quiesce)

    def is_synced(self) -> bool:
        assert self.reading.failure is None
        states = self.reading.accounts.values()
        return len(states) == len(VENUES) and all(one.sync == "SYNCED" for one in states)

    def open(self, venue: str) -> list[str]:
        """The keys of the orders that we show as open."""
        assert not self.stage.fallen()
        return sorted(
            key
            for key, order in self.reading.published.orders.items()
            if order.status in OPEN_STATUSES and key.startswith(f"{venue}:")
        )

    def at_venue(self, venue: str) -> set[str]:
        """The keys of what rests there, by its own books."""
        truth = asyncio.run(self.stage.control(venue, "/truth"))
        return {
            adopted_order_key(name, row["product"], row["symbol"], str(row["venue_order_id"]))
            for name, account in truth["accounts"].items()
            for row in account["orders"]
            if STATUS.get(row["status"], row["status"]) in OPEN_STATUSES
        }

    def cancel(self, *arguments: str) -> Ran:
        """`orderloom cancel --json ...`."""
        return self.run("cancel", "--json", *arguments)

    def run(self, *arguments: str) -> Ran:
        """Another of our commands."""
        done = subprocess.run(
            module_command("cli.main", *arguments),
            env=os.environ | {"ORDERLOOM_CONFIG": str(self.stage.settings_file)},
            capture_output=True, text=True, timeout=SECONDS_MAX, check=False,
        )  # fmt: skip
        lines = done.stdout.splitlines()
        answers = [orjson.loads(line) for line in lines if line.startswith("{")]
        return Ran(done.returncode, answers, done.stderr, lines)


@pytest.fixture(scope="module")
def trading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trading]:
    with a_trading(tmp_path_factory.mktemp("cancel")) as made:
        yield made


@contextmanager
def a_trading(directory: Path) -> Iterator[Trading]:
    options = DemoOptions(
        minutes=1, rate=40, accounts=1, faults={}, venues=VENUES, directory=directory
    )
    stage = Stage.build(plan_of(options))
    try:
        stage.broker.start()
        stage.start_simulators()
        made = Trading(stage)
        asyncio.run(made.begin())
        yield made
        made.reading.stop()
    finally:
        stage.stop()


@pytest.mark.parametrize("venue", VENUES)
def test_an_order_is_ended_at_the_venue_and_the_same_key_again_sends_nothing(
    trading: Trading, venue: str
) -> None:
    order = trading.open(venue)[0]
    assert order in trading.at_venue(venue)
    ran = trading.cancel(order, "--key", "one")
    assert ran.status == 0, ran.errors
    assert ran.outcomes[-1] == CLOSED
    assert ran.answers[-1]["order"] == order
    assert order not in trading.at_venue(venue)
    again = trading.cancel(order, "--key", "one")
    assert (again.status, again.outcomes) == (0, [EXISTING])


@pytest.mark.parametrize("venue", VENUES)
def test_several_are_canceled_by_one_call(trading: Trading, venue: str) -> None:
    orders = trading.open(venue)[:3]
    ran = trading.cancel(*orders)
    assert ran.status == 0, ran.errors
    assert {one["order"] for one in ran.answers if one["outcome"] == CLOSED} == set(orders)
    assert not set(orders) & trading.at_venue(venue)


@pytest.mark.parametrize("venue", VENUES)
def test_while_ingest_is_down_it_waits_and_goes_on_afterwards(trading: Trading, venue: str) -> None:
    order = trading.open(venue)[0]
    trading.stage.kill("ingest", venue)
    ran = trading.cancel(order, "--key", "later", "--wait", "4")
    assert ran.status == 75
    assert ran.outcomes == ["RECORDED"]
    trading.stage.launch_worker("ingest", venue)
    ran = trading.cancel(order, "--key", "later", "--wait", "60")
    assert ran.status == 0, ran.errors
    assert CLOSED in ran.outcomes or ran.answers[-1]["stands"] == CLOSED
    assert order not in trading.at_venue(venue)


@pytest.mark.parametrize("venue", VENUES)
def test_killed_with_the_ledger_stopped_in_the_middle_it_goes_on(
    trading: Trading, venue: str
) -> None:
    order = trading.open(venue)[0]
    trading.stage.kill("process", venue)
    ran = trading.cancel(order, "--key", "dead", "--wait", "1")
    assert (ran.status, ran.outcomes) == (75, [])
    trading.stage.launch_worker("process", venue)
    ran = trading.cancel(order, "--key", "dead", "--wait", "60")
    assert ran.status == 0, ran.errors
    assert order not in trading.at_venue(venue)


@pytest.mark.parametrize("venue", VENUES)
def test_all_that_is_open_is_ended(trading: Trading, venue: str) -> None:
    assert trading.at_venue(venue)
    ran = trading.cancel("--all", f"{venue}:sim-0", "--wait", "60")
    assert ran.status == 0, ran.errors
    last = ran.answers[-1]
    assert (last["outcome"], last["left"]) == (CLOSED, [])
    assert last["orders"] > 0
    assert not trading.at_venue(venue)


def test_what_cannot_be_asked_for_is_said_in_a_line(trading: Trading) -> None:
    for arguments, words in (
        (("binance:nobody/spot/BTCUSDT/1",), "no account binance:nobody is registered"),
        ((), "name the orders of one account"),
        (("--all", "binance:sim-0", "--only", "moon"), "it cannot be asked for so"),
    ):
        ran = trading.cancel(*arguments)
        assert ran.status == 78
        assert words in ran.errors
        assert "Traceback" not in ran.errors
    ran = trading.cancel("binance:sim-0/spot/BTCUSDT/999999999")
    assert ran.status == 1
    assert ran.outcomes == ["DENIED"]
