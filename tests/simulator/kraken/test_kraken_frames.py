"""What the simulated venue sends beside the examples: the same keys, the same JSON types.

The examples are of the shapes that the venue's manual shows (docs/venues/kraken.md).
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.simulator.kraken.kraken_box import LINEAR, SPOT
from tests.simulator.kraken.kraken_client import KrakenClient, KrakenStream, a_kraken

EXAMPLES: dict[str, Any] = orjson.loads((Path(__file__).parent / "examples.json").read_bytes())
SPOT_ORDER = {"symbol": SPOT, "side": "sell", "order_type": "limit", "order_qty": 0.5,
              "limit_price": 91000.1, "cl_ord_id": "os-20261101-0001"}  # fmt: skip
WISH = {"orderType": "lmt", "symbol": LINEAR, "side": "buy", "size": "0.5", "limitPrice": "90000",
        "cliOrdId": "os-f-0002"}  # fmt: skip
FACE = {"heartbeat_s": 0.02, "last_fill_is_partial": 1, "follow_up_has_name": 0, "token_s": 900}


def shape(value: object) -> object:
    """Keys and JSON types, all the way down; a list is as its first element."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if type(value) in (int, float) else type(value).__name__


class Seen:
    """A client, another one that trades with it, and all that the first heard."""

    def __init__(self, client: KrakenClient) -> None:
        self.client = client
        account = client.server.box.venue.accounts["kraken:test-1"].config
        self.other = KrakenClient(client.server, account, client.http)
        self.stream: KrakenStream

    async def sell_spot(self, volume: str) -> None:
        wish = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "91000.1"}
        await self.other.result("AddOrder", volume=volume, **wish)

    async def send(self, **changes: Any) -> Any:
        return await self.client.trading("sendorder", "POST", **(WISH | changes))

    async def meet(self, size: str, **changes: Any) -> None:
        wish = WISH | {"side": "sell", "size": size, "cliOrdId": ""} | changes
        await self.other.trading("sendorder", "POST", **wish)

    async def report(self, exec_type: str) -> Any:
        def is_it(one: Any) -> bool:
            return bool(one.get("data")) and one["data"][0].get("exec_type") == exec_type

        return await self.stream.until(is_it)

    async def reason(self, reason: str) -> Any:
        return await self.stream.until(lambda one: one.get("reason") == reason)


Maker = Callable[[Seen], Awaitable[Any]]
MAKERS: dict[str, Maker] = {}


def made(name: str) -> Callable[[Maker], Maker]:
    """What brings a message of that name about."""

    def register(maker: Maker) -> Maker:
        MAKERS[name] = maker
        return maker

    return register


def spot(name: str, exec_type: str, *steps: Callable[[Seen, Any], Awaitable[Any]]) -> None:
    """A report that comes of an order and some steps with it."""

    async def make(seen: Seen) -> Any:
        seen.stream = await seen.client.spot_stream()
        await seen.stream.say({"method": "add_order", "params": SPOT_ORDER | {
            "token": seen.stream.token}, "req_id": 0})  # fmt: skip
        for step in steps:
            await step(seen, None)
        return await seen.report(exec_type)

    MAKERS[name] = make


async def sold_a_part(seen: Seen, _: Any) -> None:
    await seen.sell_spot("0.2")


async def sold_all(seen: Seen, _: Any) -> None:
    await seen.sell_spot("0.5")


async def gone(seen: Seen, _: Any) -> None:
    await seen.client.result("CancelAll")


async def amended(seen: Seen, _: Any) -> None:
    await seen.client.result("AmendOrder", cl_ord_id="os-20261101-0001", order_qty="0.4")


spot("spot_pending", "pending_new")
spot("spot_new", "new")
spot("spot_trade", "trade", sold_a_part)
spot("spot_filled", "filled", sold_all)
spot("spot_canceled", "canceled", gone)
spot("spot_amended", "amended", amended)


@made("spot_status")
async def _(seen: Seen) -> Any:
    return await (await seen.client.open()).next()


@made("spot_heartbeat")
async def _(seen: Seen) -> Any:
    stream = await seen.client.spot_stream()
    return await stream.until(lambda one: one.get("channel") == "heartbeat")


@made("spot_pong")
async def _(seen: Seen) -> Any:
    return await (await seen.client.open()).call("ping")


@made("spot_token")
async def _(seen: Seen) -> Any:
    return (await seen.client.spot("GetWebSocketsToken"))[1]


@made("spot_time")
async def _(seen: Seen) -> Any:
    return (await seen.client.send("GET", "/0/public/Time"))[1]


@made("spot_subscribed")
async def _(seen: Seen) -> Any:
    stream = await seen.client.spot_stream()
    return await stream.call("subscribe", channel="executions")


@made("spot_balances")
async def _(seen: Seen) -> Any:
    stream = await seen.client.spot_stream("balances")
    return await stream.until(lambda one: one.get("channel") == "balances")


@made("spot_ledger")
async def _(seen: Seen) -> Any:
    stream = await seen.client.spot_stream("balances")
    await stream.call("add_order", **SPOT_ORDER)
    await seen.sell_spot("0.2")
    return await stream.until(lambda one: one.get("type") == "update")


@made("spot_order_row")
async def _(seen: Seen) -> Any:
    stream = await seen.client.spot_stream()
    name = (await stream.call("add_order", **SPOT_ORDER))["result"]["order_id"]
    await seen.sell_spot("0.5")
    _, answer = await seen.client.spot("QueryOrders", txid=name, trades="true")
    return {"error": answer["error"], "result": {"OQ7K2A-4ZC3X-77PLMN": answer["result"][name]}}


@made("spot_add_reply")
async def _(seen: Seen) -> Any:
    return await (await seen.client.spot_stream()).call("add_order", **SPOT_ORDER)


@made("spot_add_error")
async def _(seen: Seen) -> Any:
    stream = await seen.client.spot_stream()
    return await stream.call("add_order", **(SPOT_ORDER | {"order_qty": 10**9}))


@made("spot_amend_reply")
async def _(seen: Seen) -> Any:
    stream = await seen.client.spot_stream()
    await stream.call("add_order", **SPOT_ORDER)
    return await stream.call("amend_order", cl_ord_id="os-20261101-0001", order_qty=0.4)


@made("spot_cancel_reply")
async def _(seen: Seen) -> Any:
    stream = await seen.client.spot_stream()
    await stream.call("add_order", **SPOT_ORDER)
    return await stream.call("cancel_order", cl_ord_id=["os-20261101-0001"])


def futures(
    name: str, reason: str, feed: str, *steps: Callable[[Seen, Any], Awaitable[Any]]
) -> None:
    """A change of an order that comes of some steps."""

    async def make(seen: Seen) -> Any:
        seen.stream = await seen.client.futures_stream(feed)
        sent = (await seen.send())["sendStatus"]
        for step in steps:
            await step(seen, sent["order_id"])
        return await seen.reason(reason)

    MAKERS[name] = make


async def met_in_part(seen: Seen, _: Any) -> None:
    await seen.meet("0.2")


async def met(seen: Seen, _: Any) -> None:
    await seen.meet("0.5")


async def edited(seen: Seen, order_id: str) -> None:
    await seen.client.trading("editorder", "POST", orderId=order_id, limitPrice="89000")


async def canceled(seen: Seen, order_id: str) -> None:
    await seen.client.trading("cancelorder", "POST", order_id=order_id)


async def failed(seen: Seen, _: Any) -> None:
    await seen.meet("0.5", limitPrice="90001")
    await seen.send(orderType="post", limitPrice="90001", cliOrdId="")


futures("futures_placed", "new_placed_order_by_user", "open_orders")
futures("futures_partial", "partial_fill", "open_orders", met_in_part)
futures("futures_full", "full_fill", "open_orders", met)
futures("futures_edited", "edited_by_user", "open_orders", edited)
futures("futures_canceled", "cancelled_by_user", "open_orders", canceled)
futures("futures_failed", "post_order_failed_because_it_would_be_filled", "open_orders_verbose",
        failed)  # fmt: skip


@made("futures_snapshot")
async def _(seen: Seen) -> Any:
    await seen.send()
    stream = await seen.client.futures_stream("open_orders")
    return await stream.until(lambda one: one.get("feed") == "open_orders_snapshot")


@made("futures_fill")
async def _(seen: Seen) -> Any:
    stream = await seen.client.futures_stream("fills")
    await seen.send()
    await seen.meet("0.2")
    return await stream.until(lambda one: one.get("feed") == "fills")


@made("futures_positions")
async def _(seen: Seen) -> Any:
    await seen.send()
    await seen.meet("0.2")
    stream = await seen.client.futures_stream("open_positions")
    return await stream.until(lambda one: one.get("feed") == "open_positions")


@made("futures_sent")
async def _(seen: Seen) -> Any:
    return await seen.send()


@made("futures_challenge")
async def _(seen: Seen) -> Any:
    stream = await seen.client.open("/ws/v1")
    await stream.say({"event": "challenge", "api_key": seen.client.account.api_key})
    return await stream.until(lambda one: one["event"] == "challenge")


@made("futures_heartbeat")
async def _(seen: Seen) -> Any:
    stream = await seen.client.open("/ws/v1")
    await stream.say({"event": "subscribe", "feed": "heartbeat"})
    return await stream.until(lambda one: "time" in one)


@made("futures_bad_feed")
async def _(seen: Seen) -> Any:
    stream = await seen.client.open("/ws/v1")
    await stream.say({"event": "subscribe", "feed": "nonsense"})
    return await stream.until(lambda one: one.get("event") == "error")


@made("futures_limit")
async def _(seen: Seen) -> Any:
    await seen.client.control("/control/faults", probability={"http_429": 1.0})
    return (await seen.client.futures("/derivatives/api/v3/openorders"))[1]


@pytest.mark.parametrize("name", EXAMPLES)
async def test_a_message_has_the_keys_and_types_of_its_example(name: str) -> None:
    by_id = name == "futures_canceled"
    removal = {"removal_has_order": 0 if by_id else 1, "removal_has_name": 1}
    async with a_kraken(face=FACE | removal) as client:
        sent = await MAKERS[name](Seen(client))
    assert shape(sent) == shape(EXAMPLES[name])


def test_every_example_is_of_something_that_the_box_sends() -> None:
    assert MAKERS.keys() == EXAMPLES.keys()
