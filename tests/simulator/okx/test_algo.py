"""Conditional orders on the simulated OKX's wire: placed, told, triggered, split, ended, listed."""

from typing import Any

from tests.simulator.okx.okx_box import LINEAR, an_account
from tests.simulator.okx.okx_client import Client, Stream, a_client

STOP = {
    "instId": LINEAR, "tdMode": "cross", "side": "sell", "ordType": "conditional", "sz": "10",
    "slTriggerPx": "148", "slOrdPx": "-1", "algoClOrdId": "stopA1",
}  # fmt: skip
BOTH = {"tpTriggerPx": "160", "tpOrdPx": "159", "ordType": "oco"}


async def placed(client: Client, **fields: str) -> str:
    """The id of a new conditional order."""
    _, answer = await client.post("trade/order-algo", STOP | fields)
    (row,) = answer["data"]
    assert (answer["code"], row["sCode"]) == ("0", "0"), answer
    return str(row["algoId"])


async def listening(client: Client, channel: str = "orders-algo") -> Stream:
    arg = {"channel": channel, "instType": "ANY"}
    return await client.stream(arg, path="/ws/v5/business")


async def trade_at(client: Client, price: str) -> None:
    """Another account's orders meet the market's there."""
    other = Client(client.server, an_account(1), client.http)
    for side in ("sell", "buy"):
        wish = {"instId": LINEAR, "tdMode": "cross", "side": side, "ordType": "limit"}
        wish |= {"sz": "20", "px": price, "stpMode": "cancel_maker"}
        maker = other if side == "sell" else client
        _, answer = await maker.post("trade/order", wish)
        assert answer["code"] == "0", answer


async def told(stream: Stream, state: str) -> dict[str, Any]:
    document = await stream.until(lambda one: one["data"][0]["state"] == state)
    row: dict[str, Any] = document["data"][0]
    return row


async def test_a_stop_is_reported_listed_triggered_and_named_by_its_child() -> None:
    async with a_client() as client, await listening(client) as algos, await client.stream() as own:
        algo_id = await placed(client)
        assert (await told(algos, "live"))["algoId"] == algo_id
        (waiting,) = await client.rows("trade/orders-algo-pending", ordType="conditional,oco")
        assert (waiting["state"], waiting["slTriggerPx"]) == ("live", "148")
        assert not await client.rows("trade/orders-algo-pending", ordType="trigger")
        assert not await client.rows("trade/orders-pending")
        await trade_at(client, "148")
        effective = await told(algos, "effective")
        assert (effective["actualSide"], effective["actualSz"]) == ("sl", "10")
        children: list[dict[str, Any]] = []
        while len(children) < len(effective["ordIdList"]):
            row = (await own.next())["data"][0]
            if row["algoId"] and row["state"] == "live":
                children.append(row)
        assert [row["ordId"] for row in children] == effective["ordIdList"]
        assert {(row["algoId"], row["algoClOrdId"], row["source"]) for row in children} == {
            (algo_id, "stopA1", "7")
        }
        assert effective["ordId"] == effective["ordIdList"][-1]
        (asked,) = await client.rows("trade/order-algo", algoId=algo_id)
        assert (asked["state"], asked["ordIdList"]) == ("effective", effective["ordIdList"])
        history = {"ordType": "conditional", "state": "effective"}
        assert len(await client.rows("trade/orders-algo-history", **history)) == 1


async def test_one_that_is_canceled_is_reported_and_kept_in_the_history() -> None:
    async with a_client() as client, await listening(client) as algos:
        algo_id = await placed(client, **BOTH)
        item = {"algoId": algo_id, "instId": LINEAR}
        _, answer = await client.post("trade/cancel-algos", [item])
        assert answer["data"][0]["sCode"] == "0"
        row = await told(algos, "canceled")
        assert (row["slTriggerPx"], row["tpTriggerPx"], row["tpOrdPx"]) == ("148", "160", "159")
        _, again = await client.post("trade/cancel-algos", [item])
        assert again["data"][0]["sCode"] == "51400"
        for state, count in (("canceled", 1), ("effective", 0), ("order_failed", 0)):
            found = await client.rows("trade/orders-algo-history", ordType="oco", state=state)
            assert len(found) == count
        (asked,) = await client.rows("trade/order-algo", algoClOrdId="stopA1")
        assert asked["state"] == "canceled"


async def test_what_cannot_be_placed_at_its_trigger_has_failed() -> None:
    async with a_client() as client, await listening(client) as algos:
        await placed(client, reduceOnly="true", side="buy", slTriggerPx="149")
        await trade_at(client, "149")
        row = await told(algos, "order_failed")
        assert (row["ordId"], row["failCode"]) == ("", "51169")


async def test_a_trailing_one_has_a_channel_of_its_own() -> None:
    async with a_client() as client, await listening(client, "algo-advance") as advanced:
        await placed(client, ordType="move_order_stop", callbackRatio="0.01")
        row = await told(advanced, "live")
        assert (row["callbackRatio"], row["slTriggerPx"]) == ("0.01", "")


async def test_one_that_cannot_be_read_or_found_is_refused() -> None:
    async with a_client() as client:
        await placed(client)
        bad = {
            "51065": STOP,
            "51000": STOP | {"algoClOrdId": "no-hyphens"},
            "51001": STOP | {"instId": "NO-SUCH", "algoClOrdId": "b1"},
        }
        for code, wish in bad.items():
            _, answer = await client.post("trade/order-algo", wish)
            assert answer["data"][0]["sCode"] == code, answer
        assert (await client.get("trade/order-algo", algoId="1"))[1]["code"] == "51603"
        _, answer = await client.get("trade/orders-algo-history", ordType="oco")
        assert answer["code"] == "50014"


async def test_one_that_is_named_with_another_instrument_is_not_there() -> None:
    async with a_client() as client:
        algo_id = await placed(client)
        item = {"algoId": algo_id, "instId": "SOL-USDT"}
        _, answer = await client.post("trade/cancel-algos", [item])
        assert answer["data"][0]["sCode"] == "51400"
        assert len(await client.rows("trade/orders-algo-pending", ordType="conditional,oco")) == 1
