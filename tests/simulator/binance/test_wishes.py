"""What Binance's requests would change is written down order by order, by REST and by socket."""

import time
from typing import Any

from tests.simulator.binance.box import SYMBOL
from tests.simulator.binance.client import Client, a_client

LIMIT: dict[str, object] = {
    "symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "4.000",
    "price": "150.00",
}  # fmt: skip
SPOT, LINEAR = "/api/v3/order", "/fapi/v1/order"


async def journal(client: Client, *names: str) -> list[tuple[Any, ...]]:
    rows = (await client.control("/control/journal"))["rows"]
    return [tuple(row[name] for name in names) for row in rows]


async def test_each_call_of_spot_is_a_verb() -> None:
    async with a_client() as client:
        _, made = await client.ask("POST", SPOT, **LIMIT, newClientOrderId="one")
        number = str(made["orderId"])
        named = {"symbol": SYMBOL, "origClientOrderId": "one"}
        amend = f"{SPOT}/amend/keepPriority"
        await client.ask("PUT", amend, **named, newQty="3.000", newClientOrderId="one")
        await client.ask("DELETE", SPOT, symbol=SYMBOL, orderId=number)
        await client.ask("DELETE", SPOT, **named)
        shown = await journal(client, "verb", "client_order_id", "venue_order_id", "quantity")
        assert shown == [
            ("place", "one", "", "4.000"), ("amend", "one", "", "3.000"),
            ("cancel", "", number, ""), ("cancel", "one", "", ""),
        ]  # fmt: skip
        assert await journal(client, "outcome", "code", "venue_order_ids") == [
            *[("accepted", "", [number])] * 3, ("refused", "-2011", []),
        ]  # fmt: skip


async def test_each_call_of_usdm_is_a_verb() -> None:
    async with a_client() as client:
        _, made = await client.ask("POST", LINEAR, **LIMIT, newClientOrderId="one")
        change = {"symbol": SYMBOL, "side": "BUY", "origClientOrderId": "one"}
        await client.ask("PUT", LINEAR, **change, quantity="5.000", price="149.00")
        await client.ask("POST", LINEAR, **LIMIT)
        await client.ask("DELETE", "/fapi/v1/allOpenOrders", symbol=SYMBOL)
        rows = await journal(client, "verb", "product", "price", "venue_order_ids")
        first, second = str(made["orderId"]), str(made["orderId"] + 1)
        assert rows == [
            ("place", "linear", "150.00", [first]), ("amend", "linear", "149.00", [first]),
            ("place", "linear", "150.00", [second]), ("cancel-all", "linear", "", [first, second]),
        ]  # fmt: skip


async def test_both_halves_of_a_cancel_replace_have_a_row() -> None:
    async with a_client() as client:
        _, made = await client.ask("POST", SPOT, **LIMIT)
        mode = {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": made["orderId"]}
        for _ in range(2):
            await client.ask("POST", f"{SPOT}/cancelReplace", **LIMIT, **mode)
        rows = (await journal(client, "request", "verb", "outcome", "code"))[1:]
        assert rows == [
            (2, "cancel", "accepted", ""), (2, "place", "accepted", ""),
            (3, "cancel", "refused", "-2011"), (3, "place", "refused", "-2022"),
        ]  # fmt: skip


async def test_a_conditional_order_and_its_end_are_written_down() -> None:
    async with a_client() as client:
        terms = {"symbol": SYMBOL, "side": "SELL", "type": "STOP_MARKET", "quantity": "1.000"}
        asked = terms | {"algoType": "CONDITIONAL", "triggerPrice": "100", "clientAlgoId": "stop"}
        _, made = await client.ask("POST", "/fapi/v1/algoOrder", **asked)
        await client.ask("DELETE", "/fapi/v1/algoOrder", algoId=made["algoId"])
        number = str(made["algoId"])
        assert await journal(client, "verb", "is_conditional", "price", "venue_order_ids") == [
            ("place", True, "100", [number]), ("cancel", True, "", [number]),
        ]  # fmt: skip


async def test_the_expiry_of_a_request_is_that_of_its_time_and_window() -> None:
    async with a_client() as client:
        now_ms = int(time.time() * 1000)
        await client.ask("POST", SPOT, **LIMIT, timestamp=now_ms, recvWindow=700)
        await client.ask("POST", SPOT, **LIMIT, timestamp=now_ms)
        await client.ask("POST", SPOT, **LIMIT, timestamp="soon")
        assert await journal(client, "sent", "window", "expires_ms") == [
            (str(now_ms), "700", now_ms + 700), (str(now_ms), "", now_ms + 5000),
            ("soon", "", None),
        ]  # fmt: skip


async def test_every_verb_of_the_spot_socket_is_written_down() -> None:
    async with a_client() as client, await client.open("/ws-api/v3") as stream:
        made = await stream.call("order.place", client.signed(**LIMIT))
        number = made["result"]["orderId"]
        amend = client.signed(symbol=SYMBOL, orderId=number, newQty="3.000")
        assert (await stream.call("order.amend.keepPriority", amend))["status"] == 200
        mode = {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": number}
        swapped = await stream.call("order.cancelReplace", client.signed(**LIMIT, **mode))
        assert swapped["result"]["newOrderResult"] == "SUCCESS"
        ended = await stream.call("openOrders.cancelAll", client.signed(symbol=SYMBOL))
        assert [row["status"] for row in ended["result"]] == ["CANCELED"]
        first, second = str(number), str(number + 1)
        assert await journal(client, "verb", "outcome", "venue_order_ids") == [
            ("place", "accepted", [first]), ("amend", "accepted", [first]),
            ("cancel", "accepted", [first]), ("place", "accepted", [second]),
            ("cancel-all", "accepted", [second]),
        ]  # fmt: skip


async def test_the_spot_socket_is_written_down_as_rest_is() -> None:
    async with a_client() as client, await client.open("/ws-api/v3") as stream:
        made = await stream.call("order.place", client.signed(**LIMIT, newClientOrderId="one"))
        named = client.signed(symbol=SYMBOL, origClientOrderId="one")
        await stream.call("order.cancel", named)
        await stream.call("order.cancel", named | {"signature": "00"})
        number = str(made["result"]["orderId"])
        rows = await journal(client, "verb", "transport", "code", "venue_order_ids")
        assert rows == [
            ("place", "socket", "", [number]), ("cancel", "socket", "", [number]),
            ("cancel", "socket", "-1022", []),
        ]  # fmt: skip
        [connection] = (await client.control("/control/connections"))["open"]
        shown = await journal(client, "connection", "status")
        assert shown == [(connection["number"], status) for status in (200, 200, 400)]
