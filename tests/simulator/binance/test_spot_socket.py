"""The Spot WS API over a real socket."""

import aiohttp

from simulator.binance.settings import BinanceSettings
from simulator.config import TimingConfig
from tests.simulator.binance.box import SYMBOL, an_account
from tests.simulator.binance.client import a_client
from tests.simulator.binance.test_frames import example
from tests.simulator.shapes import shape

LIMIT: dict[str, object] = {
    "symbol": SYMBOL,
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "4.000",
    "price": "150.00",
}


async def test_a_subscription_is_answered_as_its_example_shows_and_delivers() -> None:
    async with a_client() as client, await client.open("/ws-api/v3") as stream:
        reply = await stream.call("userDataStream.subscribe.signature", client.signed())
        assert reply["result"] == example("spot_subscribe_reply")["result"]
        await client.ask("POST", "/api/v3/order", **LIMIT)
        report, balances = await stream.rest(2)
        assert report["subscriptionId"] == balances["subscriptionId"] == 0
        assert report["event"]["x"] == "NEW"
        assert balances["event"]["e"] == "outboundAccountPosition"


async def test_a_wrong_signature_and_a_second_subscription_are_refused() -> None:
    async with a_client() as client, await client.spot_stream() as stream:
        method = "userDataStream.subscribe.signature"
        twice = await stream.call(method, client.signed())
        assert (twice["status"], twice["error"]["code"]) == (400, -2035)
        wrong = await stream.call(method, client.signed() | {"signature": "00"})
        assert (wrong["status"], wrong["error"]["code"]) == (400, -1022)


async def test_two_accounts_share_a_connection_under_their_own_subscriptions() -> None:
    async with a_client() as client, await client.spot_stream() as stream:
        client.account = an_account(1)
        reply = await stream.call("userDataStream.subscribe.signature", client.signed())
        assert reply["result"] == {"subscriptionId": 1}
        await client.ask("POST", "/api/v3/order", **LIMIT)
        assert (await stream.rest(1))[0]["subscriptionId"] == 1


async def test_an_order_placed_and_refused_has_the_replies_of_the_examples() -> None:
    async with a_client() as client, await client.open("/ws-api/v3") as stream:
        placed = await stream.call("order.place", client.signed(**LIMIT, newOrderRespType="ACK"))
        assert shape(placed) == shape(example("spot_socket_ack"))
        too_much = client.signed(**(LIMIT | {"quantity": "99999999"}))
        refused = await stream.call("order.place", too_much)
        assert shape(refused) == shape(example("spot_socket_error"))
        assert refused["error"] == example("spot_socket_error")["error"]


async def test_questions_are_answered_as_by_rest() -> None:
    async with a_client() as client, await client.open("/ws-api/v3") as stream:
        placed = await stream.call("order.place", client.signed(**LIMIT))
        named = {"symbol": SYMBOL, "orderId": placed["result"]["orderId"]}
        row = await stream.call("order.status", client.signed(**named))
        _, same = await client.ask("GET", "/api/v3/order", **named)
        assert row["result"] == same
        rows = await stream.call("openOrders.status", client.signed())
        assert rows["result"] == [same]
        cancelled = await stream.call("order.cancel", client.signed(**named))
        assert cancelled["result"]["status"] == "CANCELED"
        assert (await stream.call("ping", {}))["result"] == {}


async def test_garbage_and_unknown_methods_get_an_error_and_the_connection_stays() -> None:
    async with a_client() as client, await client.open("/ws-api/v3") as stream:
        await stream.websocket.send_str("{no json")
        assert (await stream.rest(1))[0]["status"] == 400
        assert (await stream.call("no.such", {}))["error"]["code"] == -1020
        assert (await stream.call("time", {}))["status"] == 200


async def test_who_does_not_answer_a_ping_is_cut_off() -> None:
    face, timing = BinanceSettings(spot_ping_s=0.05, spot_pong_s=0.1), TimingConfig(check_s=0.01)
    async with a_client(face=face, timing=timing) as client:
        silent = await client.open("/ws-api/v3", autoping=False)
        message = await silent.websocket.receive(timeout=5)
        assert message.type is aiohttp.WSMsgType.PING
        await silent.websocket.pong(b"something else")
        assert (await silent.ended())[0] is not aiohttp.WSMsgType.TEXT
        connections = await client.control("/control/connections")
        assert [row["reason"] for row in connections["ended"]] == ["no pong"]


async def test_who_answers_pings_stays() -> None:
    face, timing = BinanceSettings(spot_ping_s=0.02, spot_pong_s=1), TimingConfig(check_s=0.01)
    async with a_client(face=face, timing=timing) as client:
        alive = await client.open("/ws-api/v3", autoping=False)
        for _ in range(5):
            message = await alive.websocket.receive(timeout=5)
            assert message.type is aiohttp.WSMsgType.PING
            await alive.websocket.pong(message.data)
        assert len((await client.control("/control/connections"))["open"]) == 1


async def test_a_planned_end_is_announced_before_the_connection_closes() -> None:
    face, timing = (
        BinanceSettings(connection_life_s=0.3, shutdown_notice_s=0.2),
        TimingConfig(check_s=0.01),
    )
    async with a_client(face=face, timing=timing) as client, await client.spot_stream() as stream:
        [notice] = await stream.rest(1)
        assert notice["event"]["e"] == "serverShutdown"
        assert "subscriptionId" not in notice
        assert (await stream.ended())[0] in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


async def test_an_amendment_by_someone_else_is_reported() -> None:
    async with a_client() as client, await client.spot_stream() as stream:
        _, placed = await client.ask("POST", "/api/v3/order", **LIMIT)
        named = {"symbol": SYMBOL, "orderId": placed["orderId"]}
        await client.ask("PUT", "/api/v3/order/amend/keepPriority", **named, newQty="3")
        report = await stream.until(lambda row: row["event"].get("x") == "REPLACED")
        assert (report["event"]["q"], report["event"]["i"]) == ("3.000", placed["orderId"])
