"""A request whose expTime has passed is refused when it comes, and again at the book."""

import time
from typing import Any

import pytest

from tests.simulator.okx.okx_box import LINEAR
from tests.simulator.okx.okx_client import Client, a_client
from tests.simulator.okx.test_operations import WISH, journal
from tests.simulator.okx.test_private_socket import CODE, ORDER

HELD_MS = 500
PLACED = WISH | {"px": "150", "clOrdId": "one"}


async def held_up(client: Client) -> None:
    await client.control("/control/plants", plants=[{"kind": "held_up", "ms": HELD_MS}])


def deadline(in_ms: int) -> dict[str, Any]:
    return {"expTime": str(int(time.time() * 1000) + in_ms)}


@pytest.mark.parametrize(
    ("in_ms", "is_held", "code"),
    [(-1, False, "50036"), (350, True, "50037"), (60_000, True, "0"), (60_000, False, "0")],
)
async def test_a_deadline_is_judged_at_the_gateway_and_at_the_book(
    in_ms: int, code: str, *, is_held: bool
) -> None:
    async with a_client() as client:
        if is_held:
            await held_up(client)
        status, answer = await client.post("trade/order", PLACED, **deadline(in_ms))
        assert (status, answer["code"]) == (200, code)
        books = await client.control(f"/truth?account={client.account.name}")
        assert len(books["orders"]) == (code == "0")
        [(outcome, why)] = await journal(client, "outcome", "code")
        assert (outcome, why) == (("accepted", "") if code == "0" else ("refused", code))


async def test_a_batch_that_is_late_is_refused_as_a_whole() -> None:
    async with a_client() as client:
        await held_up(client)
        _, answer = await client.post("trade/batch-orders", [PLACED, PLACED], **deadline(350))
        assert (answer["code"], answer["data"]) == ("50037", [])
        assert await journal(client, "outcome", "code") == [("refused", "50037")] * 2


async def test_a_cancel_has_no_deadline() -> None:
    async with a_client() as client:
        await client.post("trade/order", PLACED)
        await held_up(client)
        wish = {"instId": LINEAR, "clOrdId": "one"}
        _, answer = await client.post("trade/cancel-order", wish, **deadline(350))
        assert answer["code"] == "0"


async def test_the_socket_judges_as_rest_does() -> None:
    async with a_client() as client, await client.stream() as stream:
        reply = await stream.call("order", ORDER, **deadline(-1))
        assert (reply["code"], reply["data"]) == ("50036", [])
        await held_up(client)
        reply = await stream.call("order", ORDER, **deadline(350))
        assert (reply["code"], reply["data"]) == ("50037", [])
        await held_up(client)
        await stream.call("order", ORDER | {"clOrdId": "one"}, **deadline(60_000))
        await held_up(client)
        named = {"instIdCode": CODE, "clOrdId": "one"}
        reply = await stream.call("amend-order", named | {"newSz": "5"}, **deadline(350))
        assert reply["code"] == "50037"
