"""What OKX's operations would change is written down row by row, by REST and by socket."""

import time
from typing import Any

from tests.simulator.okx.okx_box import LINEAR, SPOT
from tests.simulator.okx.okx_client import Client, a_client
from tests.simulator.okx.test_private_socket import ARGS, ORDER

WISH = {"instId": LINEAR, "tdMode": "cross", "side": "buy", "ordType": "limit", "sz": "4"}


async def journal(client: Client, *names: str) -> list[tuple[Any, ...]]:
    rows = (await client.control("/control/journal"))["rows"]
    return [tuple(row[name] for name in names) for row in rows]


async def test_each_operation_of_rest_is_a_verb_with_its_rows() -> None:
    async with a_client() as client:
        two = [WISH | {"px": "150", "clOrdId": "one"}, WISH | {"px": "x", "clOrdId": "two"}]
        _, made = await client.post("trade/batch-orders", two)
        number = made["data"][0]["ordId"]
        change = {"instId": LINEAR, "ordId": number, "newPx": "149", "newSz": "5"}
        await client.post("trade/amend-order", change)
        await client.post("trade/cancel-order", {"instId": LINEAR, "clOrdId": "one"})
        rows = await journal(client, "request", "verb", "product", "client_order_id", "price")
        assert rows == [
            (1, "place", "linear", "one", "150"), (1, "place", "linear", "two", "x"),
            (2, "amend", "linear", "", "149"), (3, "cancel", "linear", "one", ""),
        ]  # fmt: skip
        assert await journal(client, "outcome", "code", "venue_order_ids") == [
            ("accepted", "", [number]), ("refused", "51000", []),
            *[("accepted", "", [number])] * 2,
        ]  # fmt: skip


async def test_a_conditional_order_and_its_end_are_written_down() -> None:
    async with a_client() as client:
        terms = {"instId": SPOT, "tdMode": "cash", "side": "sell", "ordType": "conditional"}
        asked = terms | {"sz": "1", "slTriggerPx": "100", "slOrdPx": "-1", "algoClOrdId": "stop"}
        _, made = await client.post("trade/order-algo", asked)
        number = made["data"][0]["algoId"]
        await client.post("trade/cancel-algos", [{"instId": SPOT, "algoId": number}])
        assert await journal(client, "verb", "is_conditional", "price", "venue_order_ids") == [
            ("place", True, "100", [number]), ("cancel", True, "", [number]),
        ]  # fmt: skip


async def test_a_deadline_is_written_down_where_the_venue_heeds_one() -> None:
    async with a_client() as client:
        late = str(int(time.time() * 1000) + 60_000)
        await client.post("trade/order", WISH | {"px": "150", "clOrdId": "one"}, expTime=late)
        cancel = {"instId": LINEAR, "clOrdId": "one"}
        await client.post("trade/cancel-order", cancel, expTime=late)
        shown = await journal(client, "deadline", "expires_ms")
        assert shown == [(late, int(late)), (late, None)]


async def test_a_body_that_cannot_be_read_is_a_row_without_terms() -> None:
    async with a_client() as client:
        path = "/api/v5/trade/order"
        await client.send("POST", path, client.headers("POST", path, "{no"), "{no")
        assert await journal(client, "verb", "symbol", "outcome", "code") == [
            ("place", "", "refused", "50002")
        ]


async def test_the_socket_is_written_down_as_rest_is() -> None:
    async with a_client() as client, await client.stream() as stream:
        two = (ORDER | {"clOrdId": "one"}, ORDER | {"clOrdId": "two", "sz": "0"})
        reply = await stream.call("batch-orders", *two)
        number = reply["data"][0]["ordId"]
        await stream.call("cancel-order", {"instIdCode": ARGS["instIdCode"], "ordId": number})
        await stream.call("order", ORDER | {"instIdCode": 1}, id="no.id")
        rows = await journal(client, "verb", "symbol", "outcome", "code", "venue_order_ids")
        assert rows == [
            ("place", LINEAR, "accepted", "", [number]),
            ("place", LINEAR, "refused", "51020", []),
            ("cancel", LINEAR, "accepted", "", [number]),
            ("place", "", "refused", "60013", []),
        ]
        assert {row for (row,) in await journal(client, "transport")} == {"socket"}
