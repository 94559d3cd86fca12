"""The count of requests that the box keeps for tests and benches."""

import aiohttp

from simulator.binance.settings import BinanceSettings
from simulator.config import SimulatorConfig, sample_accounts
from simulator.kraken.settings import KrakenSettings
from simulator.kraken.signing import futures_signature
from simulator.server import start

PATH = "/api/v3/time"


async def test_each_request_counts_and_a_refused_one_too() -> None:
    config = SimulatorConfig(accounts=sample_accounts(1), face=BinanceSettings(spot_weight=3))
    server = await start(config)
    try:
        async with aiohttp.ClientSession(f"http://{server.address}") as session:
            for _ in range(5):
                await session.get(PATH)
            await session.get("/truth/summary")
            async with session.get("/control/requests") as answer:
                told = await answer.json()
            async with session.post("/control/requests") as answer:
                cleared = await answer.json()
    finally:
        await server.close()

    (path, asked), *others = told["paths"].items()
    assert not others, "what the box is asked about itself does not count"
    assert (path, asked["requests"], asked["refused"]) == (PATH, 5, 2)
    assert 0 < asked["busiest"] <= 5
    assert asked["bytes"] > 0
    assert told["weight"] == {"spot": 3}
    assert cleared == {"paths": {}, "weight": {}}


async def test_a_refusal_with_a_good_status_counts_as_one() -> None:
    """Bybit and Kraken say with status 200 that a limit was exceeded."""
    config = SimulatorConfig(
        venue="kraken",
        accounts=sample_accounts(2, venue="kraken"),
        face=KrakenSettings(scale=0.01, level="starter"),
    )
    account, path = config.accounts[1], "/derivatives/api/v3/openorders"
    headers = {
        "APIKey": account.api_key,
        "Authent": futures_signature(account.secret, path, "", ""),
    }
    server = await start(config)
    try:
        async with aiohttp.ClientSession(f"http://{server.address}") as session:
            for _ in range(3):
                async with session.get(path, headers=headers) as answer:
                    assert answer.status == 200
            async with session.get("/control/requests") as answer:
                told = await answer.json()
    finally:
        await server.close()
    assert told["paths"][path]["refused"] == 1
