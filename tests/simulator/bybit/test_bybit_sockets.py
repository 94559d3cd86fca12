"""Bybit's sockets as a client meets them (docs/venues/bybit.md 2.2, 2.3, 3 and 8)."""

from typing import Any

import pytest

from tests.simulator.bybit.bybit_box import SYMBOL
from tests.simulator.bybit.bybit_client import a_client

ORDER = {"symbol": SYMBOL, "side": "Buy", "orderType": "Limit", "qty": "1", "price": "150"}
LINEAR = {"category": "linear", **ORDER}


@pytest.mark.parametrize(("place", "value"), [(0, "nobody"), (1, 1_793_000_000_000), (2, "0" * 64)])
async def test_a_bad_sign_in_is_refused_in_the_words_of_its_socket(place: int, value: Any) -> None:
    async with a_client() as client:
        for kind, name in (("private", "req_id"), ("trade", "reqId")):
            async with await client.open(kind) as stream:
                request = client.sign_in(name)
                request["args"][place] = value
                await stream.say(request)
                answer = await stream.next()
                assert answer["op"] == "auth"
                if kind == "private":
                    assert not answer["success"]
                else:
                    assert answer["retCode"] in (10001, 10003, 10004)


async def test_a_second_sign_in_for_orders_is_refused() -> None:
    async with a_client() as client, await client.trade_socket() as stream:
        await stream.say(client.sign_in("reqId"))
        assert (await stream.next())["retCode"] == 20001


@pytest.mark.parametrize("topics", [["order", "order.linear"], ["nothing"], ["wallet.spot"]])
async def test_topics_of_all_and_of_one_category_do_not_go_together(topics: list[str]) -> None:
    async with a_client() as client, await client.open() as stream:
        await stream.say(client.sign_in())
        await stream.next()
        await stream.say({"req_id": "s1", "op": "subscribe", "args": topics})
        answer = await stream.next()
        assert (answer["success"], answer["req_id"]) == (False, "s1")
        assert answer["ret_msg"]


async def test_nothing_is_subscribed_to_before_the_sign_in() -> None:
    async with a_client() as client, await client.open() as stream:
        await stream.say({"op": "subscribe", "args": ["order"]})
        assert not (await stream.next())["success"]
        assert (await client.control("/control/traffic"))["listening"] == []


async def test_nothing_is_pushed_on_subscribing() -> None:
    async with a_client() as client:
        await client.post("order/create", **LINEAR)
        async with await client.stream("order", "position", "wallet") as stream:
            await stream.say({"op": "ping"})
            assert (await stream.next())["op"] == "pong"


async def test_a_topic_of_one_category_tells_of_it_alone_until_it_is_left() -> None:
    async with a_client() as client, await client.stream("order.linear", "wallet") as stream:
        await client.post("order/create", category="spot", **ORDER)
        await client.post("order/create", **LINEAR)
        first, second = await stream.next(), await stream.next()
        assert (first["topic"], second["topic"]) == ("wallet", "order.linear")
        assert [row["category"] for row in second["data"]] == ["linear"]
        await stream.say({"op": "unsubscribe", "args": ["order.linear"]})
        assert (await stream.next())["op"] == "unsubscribe"
        await client.post("order/create", **LINEAR)
        await stream.say({"op": "ping"})
        assert (await stream.next())["op"] == "pong"


async def test_the_fast_topic_has_no_message_id() -> None:
    async with a_client() as client, await client.stream("execution.fast") as stream:
        for side in ("Buy", "Sell"):
            await client.post("order/create", **LINEAR | {"side": side})
        push = await stream.next()
        assert push["topic"] == "execution.fast"
        assert "id" not in push


async def test_orders_are_entered_amended_and_canceled_on_their_socket() -> None:
    async with a_client() as client, await client.trade_socket() as stream:
        made = await stream.call("order.create", LINEAR, "r1")
        named = {"category": "linear", "symbol": SYMBOL, "orderId": made["data"]["orderId"]}
        amended = await stream.call("order.amend", named | {"price": "149"}, "r2")
        ended = await stream.call("order.cancel", named, "r3")
        again = await stream.call("order.cancel", named, "r4")
        codes = [one["retCode"] for one in (made, amended, ended, again)]
        assert codes == [0, 0, 0, 110001]
        assert [one["reqId"] for one in (made, amended, ended, again)] == ["r1", "r2", "r3", "r4"]
        assert made["header"]["X-Bapi-Limit"] == "10"


async def test_a_batch_on_the_socket_has_its_verdicts_beside_it() -> None:
    async with a_client() as client, await client.trade_socket() as stream:
        batch = {"category": "linear", "request": [ORDER, ORDER | {"qty": "0"}]}
        answer = await stream.call("order.create-batch", batch)
        assert answer["retCode"] == 0
        assert [row["code"] for row in answer["retExtInfo"]["list"]] == [0, 110017]
        assert [bool(row["orderId"]) for row in answer["data"]["list"]] == [True, False]


async def test_a_request_id_is_used_once_and_has_a_length() -> None:
    async with a_client() as client, await client.trade_socket() as stream:
        assert (await stream.call("order.create", LINEAR, "r1"))["retCode"] == 0
        assert (await stream.call("order.create", LINEAR, "r1"))["retCode"] == 20006
        assert (await stream.call("order.create", LINEAR, "r" * 37))["retCode"] == 10001


async def test_a_request_on_the_socket_has_a_time_of_its_own() -> None:
    async with a_client() as client, await client.trade_socket() as stream:
        assert (await stream.call("order.create", LINEAR, "r1", -6_000))["retCode"] == 10002
        assert (await stream.call("order.create", LINEAR, "r2", 3_000))["retCode"] == 10002


async def test_who_has_not_signed_in_enters_no_orders_and_cancel_all_is_not_there() -> None:
    async with a_client() as client:
        async with await client.open("trade") as stream:
            assert (await stream.call("order.create", LINEAR))["retCode"] == 10005
        async with await client.trade_socket() as stream:
            answer = await stream.call("order.cancel-all", {"category": "spot"})
            assert answer["retCode"] == 10001


async def test_silence_ends_a_connection_and_a_ping_keeps_it() -> None:
    settings = {"face": {"idle_s": 0.5}, "timing": {"check_s": 0.02}}
    async with a_client(**settings) as client, await client.open() as stream:
        await stream.websocket.receive(timeout=5)
        ended = (await client.control("/control/connections"))["ended"]
        assert [row["reason"] for row in ended] == ["no traffic"]


async def test_a_restart_of_the_services_is_an_act_of_control() -> None:
    async with a_client() as client:
        answer = await client.control("/control/forget-recent-orders", now=True)
        assert answer["forgotten_ms"] > 0
