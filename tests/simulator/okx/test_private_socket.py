"""OKX's private socket over a real port: login, channels, order entry, heartbeat, ends."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from simulator.delivery import HELD_MS_MAX
from simulator.okx.app import LATER_MS, told_again
from simulator.okx.instruments import make_instruments
from tests.simulator.okx.okx_box import LINEAR, PRICE, SPOT, an_account
from tests.simulator.okx.okx_client import Client, Stream, a_client

EXAMPLES = Path(__file__).parent / "examples"
CODE = make_instruments("linear")[LINEAR].code
ARGS = {"instIdCode": CODE, "tdMode": "cross", "side": "buy", "ordType": "limit", "sz": "4"}
ORDER = ARGS | {"px": f"{PRICE}"}
ALL_ORDERS = {"channel": "orders", "instType": "ANY"}


def keys_of(name: str) -> set[str]:
    return set(orjson.loads((EXAMPLES / f"{name}.json").read_bytes()))


async def sell(client: Client, quantity: str) -> None:
    """The second account sells what the first one bids for."""
    other = Client(client.server, an_account(1), client.http)
    wish = {"instId": LINEAR, "tdMode": "cross", "side": "sell", "ordType": "ioc"}
    _, answer = await other.post("trade/order", wish | {"sz": quantity, "px": f"{PRICE}"})
    assert answer["code"] == "0", answer


def is_push(channel: str) -> Any:
    return lambda row: row.get("arg", {}).get("channel") == channel and "data" in row


async def test_login_and_subscriptions_are_answered_as_the_examples_show() -> None:
    async with a_client() as client, await client.open() as stream:
        await stream.say(client.login())
        assert (await stream.next()).keys() == keys_of("login_ok")
        await stream.say({"id": "sub1", "op": "subscribe", "args": [ALL_ORDERS]})
        ack, count = await stream.next(), await stream.next()
        assert ack.keys() == keys_of("subscribe_ack")
        assert (ack["id"], ack["arg"]) == ("sub1", ALL_ORDERS)
        assert count.keys() == keys_of("subscribe_count")
        await stream.say({"id": "sub2", "op": "subscribe", "args": [{"channel": "nothing"}]})
        error = await stream.next()
        assert error.keys() == keys_of("subscribe_error")
        assert error["code"] == "60018"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"apiKey": "nobody"}, "60005"),
        ({"passphrase": "bad"}, "60024"),
        ({"sign": "bad"}, "60007"),
        ({"timestamp": "now"}, "60004"),
        ({"timestamp": "1793000000"}, "60006"),
    ],
)
async def test_a_failed_login_says_why_and_ends_the_connection(
    changes: dict[str, Any], code: str
) -> None:
    async with a_client() as client, await client.open() as stream:
        await stream.say(client.login(**changes))
        error = await stream.next()
        assert error.keys() == keys_of("login_error")
        assert error["code"] == code
        assert await stream.ended() == (aiohttp.WSMsgType.CLOSE, 4001)


async def test_a_second_login_is_refused_and_the_first_one_stays() -> None:
    async with a_client() as client, await client.stream() as stream:
        await stream.say(client.login())
        assert (await stream.next())["code"] == "60031"
        assert (await stream.call("order", ORDER))["code"] == "0"


async def test_nothing_is_subscribed_to_before_the_login() -> None:
    async with a_client() as client, await client.open() as stream:
        await stream.say({"op": "subscribe", "args": [ALL_ORDERS]})
        assert (await stream.next())["code"] == "60011"
        assert (await stream.call("order", ORDER))["code"] == "60011"


async def test_orders_are_entered_amended_and_canceled_on_the_socket() -> None:
    async with a_client() as client, await client.stream() as stream:
        reply = await stream.call("order", ORDER | {"clOrdId": "desk1", "tag": "t"})
        assert reply.keys() == keys_of("socket_place")
        number = reply["data"][0]["ordId"]
        named = {"instIdCode": CODE, "ordId": number}
        reply = await stream.call("amend-order", named | {"newPx": "149", "reqId": "r7"})
        assert reply.keys() == keys_of("socket_amend")
        assert reply["data"][0]["reqId"] == "r7"
        assert (await stream.call("cancel-order", named))["code"] == "0"
        reply = await stream.call("cancel-order", named)
        assert (reply["code"], reply["msg"], reply["data"][0]["sCode"]) == ("1", "", "51400")
        reply = await stream.call("batch-orders", ORDER, ORDER | {"sz": "0"})
        assert (reply["code"], [row["sCode"] for row in reply["data"]]) == ("2", ["0", "51020"])


async def test_the_push_of_an_order_comes_before_its_ack_and_reports_each_change() -> None:
    async with a_client() as client, await client.stream() as stream:
        await stream.say({"id": "rq1", "op": "order", "args": [ORDER]})
        first, ack = await stream.next(), await stream.next()
        assert first["arg"] == ALL_ORDERS | {"uid": "446000000000000001"}
        assert (first["data"][0]["state"], ack["op"]) == ("live", "order")
        await sell(client, "1")
        row = (await stream.until(is_push("orders")))["data"][0]
        assert (row["state"], row["accFillSz"], row["execType"]) == ("partially_filled", "1", "M")
        await sell(client, "3")
        row = (await stream.until(is_push("orders")))["data"][0]
        assert (row["state"], row["accFillSz"], row["fillSz"]) == ("filled", "4", "3")


async def test_the_instrument_is_named_by_its_code_alone() -> None:
    async with a_client() as client, await client.stream() as stream:
        by_name = {name: value for name, value in ORDER.items() if name != "instIdCode"}
        reply = await stream.call("order", by_name | {"instId": LINEAR})
        assert reply["msg"] == "Parameter instIdCode can not be empty."
        assert (await stream.call("order", ORDER | {"instIdCode": 1}))["code"] == "51001"
        reply = await stream.call("order", id="not/an/id")
        assert reply.keys() == keys_of("socket_bad_args")
        assert (reply["code"], reply["data"]) == ("60013", [])


async def test_a_subscription_hears_its_kind_of_instrument_alone() -> None:
    async with a_client() as client:
        spot = await client.stream({"channel": "orders", "instType": "SPOT"})
        one = await client.stream({"channel": "orders", "instType": "SWAP", "instId": LINEAR})
        other = {"channel": "orders", "instType": "SWAP", "instId": "BTC-USDT-SWAP"}
        deaf = await client.stream(other)
        await one.call("order", ORDER)
        wish = {"instId": SPOT, "tdMode": "cash", "side": "buy", "ordType": "limit"}
        await client.post("trade/order", wish | {"sz": "1", "px": "150"})
        assert (await spot.next())["data"][0]["instId"] == SPOT
        await deaf.websocket.send_str("ping")
        assert await deaf.websocket.receive_str(timeout=5) == "pong"


async def test_positions_and_balances_begin_with_a_snapshot_and_go_on_with_events() -> None:
    quiet = orjson.dumps({"updateInterval": "0"}).decode()
    async with a_client() as client:
        await client.post("trade/order", {"instId": LINEAR, **ORDER, "side": "buy"})
        await sell(client, "1")
        stream = await client.stream(
            {"channel": "positions", "instType": "SWAP", "extraParams": quiet}
        )
        first = await stream.next()
        assert (first["eventType"], first["curPage"], first["lastPage"]) == ("snapshot", 1, True)
        assert first["data"][0]["pos"] == "1"
        assert "extraParams" not in first["arg"]
        await sell(client, "2")
        event = await stream.until(is_push("positions"))
        assert (event["eventType"], event["data"][0]["pos"]) == ("event_update", "3")
        wallet = await client.stream({"channel": "account"})
        assert (await wallet.next())["eventType"] == "snapshot"
        both = await client.stream({"channel": "balance_and_position"})
        assert (await both.next())["data"][0]["eventType"] == "snapshot"
        await sell(client, "1")
        moved = (await both.next())["data"][0]
        assert (moved["eventType"], moved["posData"][0]["pos"]) == ("filled", "4")


async def test_positions_are_repeated_to_those_who_did_not_ask_for_quiet() -> None:
    async with a_client(face={"repeat_s": 0.05}) as client:
        stream = await client.stream({"channel": "positions", "instType": "ANY"})
        assert [(await stream.next())["eventType"] for _ in range(3)] == ["snapshot"] * 3


async def test_the_lean_channel_is_for_those_who_trade_much() -> None:
    async with a_client(an_account(is_vip=True), an_account(1)) as client:
        stream = await client.stream({"channel": "fills"})
        await client.post("trade/order", {"instId": LINEAR, **ORDER})
        await sell(client, "1")
        assert (await stream.until(is_push("fills")))["data"][0]["count"] == "1"
        poor = Client(client.server, an_account(1), client.http)
        plain = await poor.open()
        await plain.say(poor.login())
        await plain.next()
        await plain.say({"op": "subscribe", "args": [{"channel": "fills"}]})
        assert (await plain.next())["code"] == "64003"


async def test_algo_channels_live_on_the_business_socket() -> None:
    algo = {"channel": "orders-algo", "instType": "ANY"}
    async with a_client() as client, await client.stream(algo, path="/ws/v5/business"):
        private = await client.stream()
        await private.say({"op": "subscribe", "args": [algo]})
        assert (await private.next())["code"] == "60018"


async def test_the_thirty_first_listener_is_acked_and_then_dropped() -> None:
    async with a_client(face={"scale": 20}) as client:
        early = [await client.stream() for _ in range(30)]
        late = await client.open()
        await late.say(client.login())
        await late.say({"op": "subscribe", "args": [ALL_ORDERS]})
        events = [(await late.next())["event"] for _ in range(3)]
        assert events == ["login", "subscribe", "channel-conn-count-error"]
        assert all(not stream.websocket.closed for stream in early)
        await client.post("trade/order", {"instId": LINEAR, **ORDER})
        await late.websocket.send_str("ping")
        assert await late.websocket.receive_str(timeout=5) == "pong"


async def test_a_socket_that_says_nothing_is_closed_and_a_ping_keeps_it() -> None:
    async with a_client(face={"idle_s": 0.6}, timing={"check_s": 0.05}) as client:
        silent, alive = await client.stream(), await client.stream()

        async def pings(stream: Stream) -> None:
            await stream.websocket.send_str("ping")
            assert await stream.websocket.receive_str(timeout=5) == "pong"

        end = asyncio.create_task(silent.ended())
        while not end.done():
            await pings(alive)
        assert await end == (aiohttp.WSMsgType.CLOSE, 4004)
        await pings(alive)


async def test_a_planned_end_is_announced_with_64008() -> None:
    async with a_client() as client, await client.stream() as stream:
        await client.control("/control/disconnect", planned=True)
        notice = await stream.next()
        assert (notice["event"], notice["code"]) == ("notice", "64008")
        assert (await stream.ended())[0] is aiohttp.WSMsgType.CLOSE


def test_a_push_that_is_sent_again_has_a_later_update_time_than_what_passed_it() -> None:
    push = '{"arg":{"channel":"orders"},"data":[{"cTime":"17","uTime":"17"}]}'
    assert told_again(push) == push.replace('"uTime":"17"', f'"uTime":"{17 + LATER_MS}"')
    assert LATER_MS > HELD_MS_MAX
    other = push.replace("orders", "positions")
    assert told_again(other) == other
