"""The USD-M private streams over a real socket."""

from simulator.binance.settings import BinanceSettings
from simulator.binance.usdm_socket import Wanted, wanted_streams
from simulator.config import TimingConfig
from tests.simulator.binance.box import SYMBOL
from tests.simulator.binance.client import Client, a_client

LIMIT = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
ORDER = LIMIT | {"quantity": "4", "price": "150"}
MARKET = {"symbol": SYMBOL, "side": "SELL", "type": "MARKET", "quantity": "1"}


async def place(client: Client) -> None:
    status, _ = await client.ask("POST", "/fapi/v1/order", **ORDER)
    assert status == 200


def test_a_url_names_keys_each_with_its_events() -> None:
    pairs = [("listenKey", "a"), ("events", "X/Y"), ("listenKey", "b")]
    assert wanted_streams(pairs) == [Wanted("a", frozenset({"X", "Y"})), Wanted("b", None)]


async def test_a_raw_stream_delivers_the_fast_copy_before_the_full_event() -> None:
    async with a_client() as client, await client.linear_stream() as stream:
        await place(client)
        mine, other = client.account, {"api_key": "key-1", "secret": "secret-1"}
        client.account = mine.model_copy(update=other)
        await client.ask("POST", "/fapi/v1/order", **MARKET)
        kinds = [document["e"] for document in await stream.rest(4)]
        assert kinds == [
            "ORDER_TRADE_UPDATE", "TRADE_LITE", "ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE",
        ]  # fmt: skip


async def test_only_the_events_that_the_url_lists_arrive() -> None:
    async with a_client() as client, await client.linear_stream("ACCOUNT_UPDATE") as stream:
        await place(client)
        client.account = client.account.model_copy(
            update={"api_key": "key-1", "secret": "secret-1"}
        )
        await client.ask("POST", "/fapi/v1/order", **MARKET)
        assert (await stream.rest(1))[0]["e"] == "ACCOUNT_UPDATE"


async def test_a_combined_stream_names_the_key_of_each_payload() -> None:
    async with a_client() as client:
        key = await client.listen_key()
        path = f"/private/stream?listenKey={key}&events=ORDER_TRADE_UPDATE"
        async with await client.open(path) as stream:
            await place(client)
            [document] = await stream.rest(1)
            assert document["stream"] == key
            assert document["data"]["e"] == "ORDER_TRADE_UPDATE"


async def test_the_address_without_a_route_connects_and_stays_silent() -> None:
    async with a_client() as client:
        key = await client.listen_key()
        dead = await client.open(f"/ws/{key}")
        alive = await client.linear_stream()
        await place(client)
        assert (await alive.rest(1))[0]["e"] == "ORDER_TRADE_UPDATE"
        await dead.websocket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        assert await dead.rest(1) == [{"result": None, "id": 1}]


async def test_a_stream_without_events_is_silent_where_the_venue_asks_for_them() -> None:
    async with a_client(face=BinanceSettings(events_required=True)) as client:
        silent, alive = await client.linear_stream(""), await client.linear_stream()
        await place(client)
        assert (await alive.rest(1))[0]["e"] == "ORDER_TRADE_UPDATE"
        await silent.websocket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        assert await silent.rest(1) == [{"result": None, "id": 1}]


async def test_an_active_key_is_given_again_extended_and_closed() -> None:
    async with a_client() as client:
        key = await client.listen_key()
        assert await client.listen_key() == key
        assert await client.send("PUT", "/fapi/v1/listenKey") == (200, {"listenKey": key})
        assert (await client.send("DELETE", "/fapi/v1/listenKey"))[0] == 200
        status, answer = await client.send("PUT", "/fapi/v1/listenKey")
        assert (status, answer["code"]) == (400, -1125)


async def test_an_expired_key_is_reported_and_then_nothing_comes() -> None:
    face, timing = BinanceSettings(listen_key_s=0.1), TimingConfig(check_s=0.01)
    async with a_client(face=face, timing=timing) as client, await client.linear_stream() as stream:
        [notice] = await stream.rest(1)
        assert notice["e"] == "listenKeyExpired"
        await place(client)
        await stream.websocket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        assert await stream.rest(1) == [{"result": None, "id": 1}]


async def test_who_talks_too_much_is_cut_off() -> None:
    async with a_client() as client, await client.linear_stream() as stream:
        for number in range(11):
            await stream.websocket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": number})
        await stream.ended()
        connections = await client.control("/control/connections")
        assert connections["ended"][0]["reason"] == "too many messages"
