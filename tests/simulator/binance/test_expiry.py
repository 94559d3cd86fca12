"""A request whose window is over is refused when it comes, and again when it reaches the book."""

import asyncio
import time
from typing import Any

import pytest

from simulator.binance.settings import BinanceSettings
from tests.simulator.binance.box import SYMBOL
from tests.simulator.binance.client import Client, a_client
from tests.simulator.binance.test_wishes import LIMIT, LINEAR, SPOT, journal

WINDOW_MS, HELD_MS = 350, 500
SHORT: dict[str, Any] = {"recvWindow": WINDOW_MS}


async def held_up(client: Client, **meant: object) -> None:
    await client.control("/control/plants", plants=[{"kind": "held_up", "ms": HELD_MS} | meant])


def now_ms() -> int:
    return int(time.time() * 1000)


@pytest.mark.parametrize("path", [SPOT, LINEAR])
@pytest.mark.parametrize(("aged_ms", "is_taken"), [(4900, True), (5001, False), (-1500, False)])
async def test_the_gateway_takes_five_seconds_and_no_time_to_come(
    path: str, aged_ms: int, *, is_taken: bool
) -> None:
    async with a_client() as client:
        _, answer = await client.ask("POST", path, **LIMIT, timestamp=now_ms() - aged_ms)
        assert ("orderId" in answer) == is_taken
        if not is_taken:
            assert answer["code"] == -1021
            assert await journal(client, "outcome", "code") == [("refused", "-1021")]


@pytest.mark.parametrize(("path", "code"), [(SPOT, -1021), (LINEAR, -5028)])
async def test_a_placement_that_waited_too_long_behind_the_gateway_is_refused_by_the_book(
    path: str, code: int
) -> None:
    async with a_client() as client:
        await held_up(client)
        status, answer = await client.ask("POST", path, **LIMIT, **SHORT)
        assert (status, answer["code"]) == (400, code)
        books = await client.control(f"/truth?account={client.account.name}")
        assert books["orders"] == []
        [row] = (await client.control("/control/journal"))["rows"]
        assert (row["outcome"], row["code"], row["fault"]) == ("refused", str(code), "held_up")
        assert row["arrived_ns"] <= row["expires_ms"] * 10**6 < row["judged_ns"]


@pytest.mark.parametrize("path", [SPOT, LINEAR])
async def test_one_that_waited_within_its_window_is_taken(path: str) -> None:
    async with a_client() as client:
        await held_up(client)
        _, answer = await client.ask("POST", path, **LIMIT, recvWindow=5000)
        [row] = (await client.control("/control/journal"))["rows"]
        assert row["venue_order_ids"] == [str(answer["orderId"])]
        assert row["judged_ns"] - row["arrived_ns"] >= HELD_MS * 10**6


async def test_an_amend_expires_at_the_book_of_usdm_and_a_cancel_does_not() -> None:
    async with a_client() as client:
        _, made = await client.ask("POST", LINEAR, **LIMIT)
        named = {"symbol": SYMBOL, "orderId": made["orderId"]}
        terms = named | {"side": "BUY", "quantity": "5.000", "price": "149.00"}
        await held_up(client)
        _, answer = await client.ask("PUT", LINEAR, **terms, **SHORT)
        assert answer["code"] == -5028
        await held_up(client)
        assert (await client.ask("DELETE", LINEAR, **named, **SHORT))[0] == 200


async def test_every_wish_of_spot_expires_at_the_book() -> None:
    async with a_client() as client:
        _, made = await client.ask("POST", SPOT, **LIMIT)
        named = {"symbol": SYMBOL, "orderId": made["orderId"]}
        await held_up(client)
        _, answer = await client.ask("DELETE", SPOT, **named, **SHORT)
        assert answer["code"] == -1021
        await held_up(client)
        replaced = {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": made["orderId"]}
        _, answer = await client.ask("POST", f"{SPOT}/cancelReplace", **LIMIT, **replaced, **SHORT)
        assert answer["code"] == -1021
        _, row = await client.ask("GET", SPOT, **named)
        assert row["status"] == "NEW"


async def test_spot_has_counted_what_its_book_refuses_for_its_time() -> None:
    async with a_client(face=BinanceSettings(spot_orders_10s=1)) as client:
        await held_up(client)
        await client.ask("POST", SPOT, **LIMIT, **SHORT)
        _, answer = await client.ask("POST", SPOT, **LIMIT)
        assert answer["code"] == -1015


async def test_what_is_held_up_on_the_socket_is_passed_by_others_and_refused() -> None:
    async with a_client() as client, await client.open("/ws-api/v3") as stream:
        await held_up(client, client_order_id="slow")
        for name in ("slow", "quick"):
            params = client.signed(**LIMIT, **SHORT, newClientOrderId=name)
            await stream.say({"id": name, "method": "order.place", "params": params})
        first, second = await stream.next(), await stream.next()
        assert (first["id"], first["status"]) == ("quick", 200)
        assert (second["id"], second["error"]["code"]) == ("slow", -1021)


async def test_the_clock_that_judges_is_the_venues() -> None:
    async with a_client() as client:
        await held_up(client)
        asked = asyncio.create_task(client.ask("POST", SPOT, **LIMIT, recvWindow=5000))
        while not await journal(client, "number"):
            pass
        await client.control("/control/clock", skew_ms=5000)
        _, answer = await asked
        assert answer["code"] == -1021
