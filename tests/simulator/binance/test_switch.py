"""The dead man's switch of USD-M ends what is open of its symbol, and nothing else."""

from typing import Any

import pytest

from tests.simulator.binance.box import an_account
from tests.simulator.binance.client import Client, a_client
from tests.simulator.binance.test_wishes import LIMIT, LINEAR, SPOT, journal

PATH = "/fapi/v1/countdownCancelAll"
OTHER = LIMIT | {"symbol": "ETHUSDT", "price": "3000.00", "quantity": "1.000"}
BOTH = ("SOLUSDT", "ETHUSDT")


async def status(client: Client) -> dict[str, tuple[str, str]]:
    books = await client.control(f"/truth?account={client.account.name}")
    orders = books["orders"]
    return {f"{row['product']}/{row['symbol']}": (row["status"], row["reason"]) for row in orders}


async def test_it_ends_the_orders_of_its_symbol_when_its_time_is_over() -> None:
    account = an_account(0, symbols={"spot": BOTH, "linear": BOTH})
    async with a_client(account) as client, await client.linear_stream() as stream:
        await client.ask("POST", SPOT, **LIMIT)
        for terms in (LIMIT, OTHER):
            await client.ask("POST", LINEAR, **terms)
        _, answer = await client.ask("POST", PATH, symbol="SOLUSDT", countdownTime=150)
        assert answer == {"symbol": "SOLUSDT", "countdownTime": "150"}
        ended = await stream.until(lambda event: event.get("o", {}).get("X") == "CANCELED")
        assert (ended["o"]["s"], ended["o"]["x"]) == ("SOLUSDT", "CANCELED")
        found = await status(client)
        assert found.pop("linear/SOLUSDT") == ("CANCELED", "TIMER")
        assert {state for state, _ in found.values()} == {"NEW"}


async def test_it_counts_anew_with_each_call_and_is_stopped_by_zero() -> None:
    account = an_account(0, symbols={"spot": BOTH, "linear": BOTH})
    async with a_client(account) as client:
        for terms in (LIMIT, OTHER):
            await client.ask("POST", LINEAR, **terms)
        for countdown in (60_000, 120_000):
            await client.ask("POST", PATH, symbol="SOLUSDT", countdownTime=countdown)
        await client.ask("POST", PATH, symbol="ETHUSDT", countdownTime=60_000)
        await client.control("/control/clock", skew_ms=100_000)
        while (await status(client))["linear/ETHUSDT"][0] == "NEW":
            pass
        assert (await status(client))["linear/SOLUSDT"][0] == "NEW"
        _, now = await client.send("GET", "/fapi/v1/time")
        stamp = {"timestamp": now["serverTime"]}
        await client.ask("POST", LINEAR, **OTHER, **stamp, newClientOrderId="again")
        await client.ask("POST", PATH, symbol="ETHUSDT", **stamp, countdownTime=60_000)
        await client.ask("POST", PATH, symbol="SOLUSDT", **stamp, countdownTime=0)
        await client.control("/control/clock", skew_ms=300_000)
        while (await status(client))["linear/ETHUSDT"][0] == "NEW":
            pass
        assert (await status(client))["linear/SOLUSDT"][0] == "NEW"


async def test_the_venues_clock_lets_it_fire() -> None:
    async with a_client() as client:
        await client.ask("POST", LINEAR, **LIMIT)
        await client.ask("POST", PATH, symbol="SOLUSDT", countdownTime=60_000)
        await client.control("/control/clock", skew_ms=60_001)
        while (await status(client))["linear/SOLUSDT"][0] == "NEW":
            pass


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"symbol": "NOUSDT"}, -1121), ({"countdownTime": ""}, -1102), ({"countdownTime": -1}, -1130)],
)
async def test_a_call_in_the_wrong_form_is_refused(changes: dict[str, Any], code: int) -> None:
    async with a_client() as client:
        asked = {"symbol": "SOLUSDT", "countdownTime": 1000} | changes
        assert (await client.ask("POST", PATH, **asked))[1]["code"] == code


async def test_it_is_written_down_and_weighs_ten() -> None:
    async with a_client() as client:
        await client.ask("POST", PATH, symbol="SOLUSDT", countdownTime=120_000)
        assert client.headers["X-MBX-USED-WEIGHT-1M"] == "10"
        assert await journal(client, "verb", "symbol", "quantity", "outcome") == [
            ("countdown", "SOLUSDT", "120000", "accepted")
        ]
