"""`orderloom kill` is a record of the log: what is open goes, and what turns up goes too."""

import asyncio
from collections.abc import Iterator

import pytest

from orderloom.words import IntentOutcome
from tests.end_to_end.test_cancel import VENUES, Trading, a_trading
from tests.waits import wait_for

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

SECONDS_MAX = 60.0
CLOSED = IntentOutcome.CLOSED.value


@pytest.fixture(scope="module")
def trading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trading]:
    with a_trading(tmp_path_factory.mktemp("kill")) as made:
        yield made


def trade(trading: Trading, venue: str, *, is_running: bool) -> None:
    traffic = {"rate": 20, "running": is_running}
    asyncio.run(trading.stage.control(venue, "/control/traffic", traffic))


@pytest.mark.parametrize("venue", VENUES)
def test_what_is_open_goes_and_what_turns_up_until_it_is_lifted(
    trading: Trading, venue: str
) -> None:
    account = f"{venue}:sim-0"
    assert trading.at_venue(venue)
    ran = trading.run("kill", account, "--json", "--reason", "drill", "--wait", "60")
    assert ran.status == 0, ran.errors
    (fenced,) = [line for line in ran.lines if "fenced at" in line]
    assert not [line for line in ran.lines if "may still arrive" in line]
    assert ran.outcomes[-1] == CLOSED
    assert not trading.at_venue(venue)
    state = trading.reading.accounts[account]
    assert [(one.reason, one.scope) for one in state.kills] == [("drill", {"account": account})]
    assert fenced.endswith(f"fenced at {state.kills[0].offset}")

    trade(trading, venue, is_running=True)
    known = len(trading.reading.published.orders)
    wait_for(lambda: len(trading.reading.published.orders) > known + 10, SECONDS_MAX)
    trade(trading, venue, is_running=False)
    wait_for(lambda: not trading.at_venue(venue), SECONDS_MAX)

    ran = trading.run("resume", account)
    assert ran.status == 0
    assert any("lifted" in line for line in ran.lines)
    wait_for(lambda: not trading.reading.accounts[account].kills, SECONDS_MAX)
    assert trading.reading.accounts[account].killed_until == state.kills[0].offset + 1
    trade(trading, venue, is_running=True)
    wait_for(lambda: len(trading.open(venue)) > 3, SECONDS_MAX)
    trade(trading, venue, is_running=False)
    assert trading.at_venue(venue)
    again = trading.run("resume", account)
    assert again.status == 0


@pytest.mark.parametrize("venue", VENUES)
def test_with_the_ledger_and_the_edge_dead_it_stands_and_is_done_when_they_come(
    trading: Trading, venue: str
) -> None:
    trade(trading, venue, is_running=True)
    wait_for(lambda: len(trading.open(venue)) > 3, SECONDS_MAX)
    trade(trading, venue, is_running=False)
    trading.stage.kill("process", venue)
    trading.stage.kill("ingest", venue)
    ran = trading.run("kill", venue, "--wait", "1")
    assert ran.status == 75
    assert len([line for line in ran.lines if "fenced at" in line]) == 4
    assert trading.at_venue(venue)
    for kind in ("ingest", "process"):
        trading.stage.launch_worker(kind, venue)
    wait_for(lambda: not trading.at_venue(venue), SECONDS_MAX)
    assert trading.run("resume", venue).status == 0


def test_what_cannot_be_killed_is_said_in_a_line(trading: Trading) -> None:
    for scope in ("nowhere", "binance:nobody"):
        ran = trading.run("kill", scope)
        assert ran.status == 78
        assert "Traceback" not in ran.errors
