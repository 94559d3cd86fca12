"""The whole box: traffic over sockets, faults counted, truth told, and the process."""

import asyncio
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from simulator.config import sample_accounts
from tests.simulator.binance.client import Client, Stream, a_client

FULL = ("executionReport", "ORDER_TRADE_UPDATE")
QUIET_TURNS = 5
TURN_SECONDS = 0.05


async def listen(stream: Stream, heard: list[Any]) -> None:
    """Write down everything until the stream ends."""
    async for message in stream.websocket:
        heard.extend([orjson.loads(message.data)] if isinstance(message.data, str) else [])


def executions(heard: list[Any]) -> Counter[tuple[str, str, int, int]]:
    """How often each execution was told in full: product, symbol, order, trade."""
    found: Counter[tuple[str, str, int, int]] = Counter()
    for document in heard:
        event = document.get("event", document)
        row = event["o"] if event["e"] == "ORDER_TRADE_UPDATE" else event
        if event["e"] in FULL and Decimal(row["l"]):
            product = "spot" if "event" in document else "linear"
            found[product, row["s"], row["i"], row["t"]] += 1
    return found


async def trade(client: Client, messages: int) -> None:
    """Let the traders decide, at a great pace, until there were so many messages."""
    await client.control("/control/traffic", rate=20_000, running=True)
    while (await client.control("/truth/summary"))["messages"] < messages:
        pass


async def traded(client: Client, messages: int) -> list[Any]:
    """Trade so many messages with both streams open, quiesce, and return what was heard."""
    streams = [await client.spot_stream(), await client.linear_stream()]
    heard: list[Any] = []
    listeners = [asyncio.create_task(listen(stream, heard)) for stream in streams]
    await trade(client, messages)
    await client.control("/control/quiesce", open_orders="cancel")
    await silence(heard)
    # The box closes after what it has sent: whoever closes here would throw away what is unread.
    await client.control("/control/disconnect", planned=True)
    await asyncio.gather(*listeners)
    return heard


async def silence(heard: list[Any]) -> None:
    """Nothing more comes: the box has written everything, and our own loop, which would read what
    stands in the sockets before it wakes us, has read nothing in several turns."""
    quiet = 0
    while quiet < QUIET_TURNS:
        before = len(heard)
        await asyncio.sleep(TURN_SECONDS)
        quiet = quiet + 1 if len(heard) == before else 0


async def fills(client: Client) -> list[dict[str, Any]]:
    return list((await client.control("/truth"))["accounts"][client.account.name]["fills"])


def key(fill: dict[str, Any]) -> tuple[str, str, int, int]:
    return fill["product"], fill["symbol"], int(fill["venue_order_id"]), int(fill["exec_id"])


async def test_without_faults_every_fill_arrives_exactly_once() -> None:
    async with a_client(*sample_accounts(1)) as client:
        heard = executions(await traded(client, 1500))
        books = await fills(client)
        assert heard == Counter(key(fill) for fill in books)
        assert all(fill["delivered"] == 1 for fill in books)
        assert not any(fill["dropped"] or fill["blind"] for fill in books)


async def test_every_fill_that_does_not_arrive_is_named_with_its_reason() -> None:
    probability = {"drop": 0.05, "duplicate": 0.05, "delay": 0.05, "reorder": 0.05}
    faults = {"probability": probability, "delay_ms_max": 20}
    async with a_client(*sample_accounts(1), faults=faults) as client:
        heard = executions(await traded(client, 2000))
        books = await fills(client)
        for fill in books:
            assert heard[key(fill)] == fill["delivered"]
            assert fill["delivered"] or fill["dropped"]
        shown = await client.control("/control/faults")
        assert min(shown["injected"][kind] for kind in probability) > 20
        lost = [fill for fill in books if not fill["delivered"]]
        assert len(shown["undelivered"]) == len(lost) > 0


async def test_duplicates_and_reorderings_lose_nothing() -> None:
    schedule = {kind: {"count": 200, "frames": 1000} for kind in ("duplicate", "reorder")}
    async with a_client(*sample_accounts(1), faults={"schedule": schedule}) as client:
        heard = executions(await traded(client, 2000))
        assert all(heard[key(fill)] >= 1 for fill in await fills(client))
        injected = (await client.control("/truth/summary"))["faults"]
        assert injected == {"duplicate": 200, "reorder": 200}
        assert max(heard.values()) == 2


async def test_a_reordered_frame_comes_after_a_later_one() -> None:
    faults = {"schedule": {"reorder": {"count": 20, "frames": 400}}}
    async with a_client(*sample_accounts(1), faults=faults) as client:
        heard = await traded(client, 1000)
        numbers: dict[str, list[int]] = {}
        for document in heard:
            event = document.get("event", {})
            if event.get("e") == "executionReport":
                numbers.setdefault(event["s"], []).append(event["I"])
        assert any(row != sorted(row) for row in numbers.values())


async def test_a_cut_connection_ends_at_once_and_its_fills_are_blind() -> None:
    async with a_client(*sample_accounts(1)) as client:
        streams = [await client.spot_stream(), await client.linear_stream()]
        await client.control("/control/disconnect", planned=False)
        for stream in streams:
            await stream.ended()
        await trade(client, 1000)
        await client.control("/control/quiesce", open_orders="leave")
        books = await fills(client)
        assert all(fill["blind"] and not fill["delivered"] for fill in books)


async def test_a_scheduled_disconnect_cuts_the_connection_in_mid_traffic() -> None:
    faults = {"schedule": {"disconnect": {"count": 2, "frames": 200}}}
    async with a_client(*sample_accounts(1), faults=faults) as client:
        heard = executions(await traded(client, 1500))
        books = await fills(client)
        ended = (await client.control("/control/connections"))["ended"]
        reasons = [row["reason"] for row in ended if row["reason"] != "planned shutdown"]
        assert reasons == ["fault: disconnect"] * 2
        for fill in books:
            assert fill["delivered"] or fill["blind"]
            assert heard[key(fill)] == fill["delivered"] or fill["in_flight"]


async def test_quiescing_leaves_no_order_open_when_asked() -> None:
    async with a_client(*sample_accounts(2)) as client:
        await trade(client, 500)
        counts = await client.control("/control/quiesce", open_orders="fill", faults=False)
        assert counts["open_orders"] == 0
        again = await client.control("/truth/summary")
        assert again["messages"] == counts["messages"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/control/traffic", {"rate": -1}),
        ("/control/traffic", {"speed": 1}),
        ("/control/quiesce", {"open_orders": "burn"}),
        ("/control/faults", {"probability": {"nothing": 1}}),
    ],
)
async def test_a_wrong_control_request_says_what_is_wrong(path: str, body: dict[str, Any]) -> None:
    async with a_client(*sample_accounts(1)) as client:
        assert "error" in await client.control(path, **body)


async def test_the_same_seed_trades_the_same_over_sockets() -> None:
    found = []
    for _ in range(2):
        async with a_client(*sample_accounts(2), seed=9) as client:
            await trade(client, 1000)
            await client.control("/control/traffic", running=False)
            books = await client.control("/truth")
            rows = books["accounts"]["binance:sim-0"]["fills"]
            spot = [row for row in rows if (row["product"], row["symbol"]) == ("spot", "BTCUSDT")]
            found.append([(key(row), row["price"], row["quantity"], row["fee"]) for row in spot])
    length = min(map(len, found))  # when trading stops is up to the wall clock
    assert length > 10
    assert found[0][:length] == found[1][:length]


async def test_the_process_prints_its_port_and_ends_on_sigterm(tmp_path: Path) -> None:
    config = tmp_path / "simulator.json"
    config.write_text('{"seed": 4, "traffic": {"rate": 100, "running": true}}')
    command = (sys.executable, "-m", "simulator", str(config))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        ready = orjson.loads(await process.stdout.readline())
        assert ready["seed"] == 4
        async with aiohttp.ClientSession() as http:
            address = f"http://127.0.0.1:{ready['port']}/truth/summary"
            async with http.get(address) as answer:
                assert (await answer.json())["accounts"] == 8
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 10) == 0
    finally:
        if process.returncode is None:
            process.kill()


async def test_a_wrong_configuration_is_named_and_the_status_is_two(tmp_path: Path) -> None:
    config = tmp_path / "simulator.toml"
    config.write_text("sed = 4")
    command = (sys.executable, "-m", "simulator", str(config))
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    assert process.returncode == 2
    assert b"sed" in said


async def test_control_shows_who_listens_to_what() -> None:
    async with a_client() as client:
        spot = await client.spot_stream()
        linear = await client.linear_stream("TRADE_LITE/ACCOUNT_UPDATE")
        async with spot, linear:
            shown = await client.control("/control/traffic")
    name = client.account.name
    assert shown["listening"] == [
        f"{name}/spot", f"{name}/linear/ACCOUNT_UPDATE", f"{name}/linear/TRADE_LITE",
    ]  # fmt: skip
