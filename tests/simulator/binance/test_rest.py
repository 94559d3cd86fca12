"""REST of both products over a real socket: signing, paging, limits, refusals, faults."""

from collections import Counter
from urllib.parse import urlencode

import pytest

from simulator.binance.settings import BinanceSettings
from simulator.config import ScheduledFault, TrafficConfig
from tests.simulator.binance.box import SYMBOL
from tests.simulator.binance.client import Client, a_client, hex_of

BUY = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
LIMIT = BUY | {"quantity": "4", "price": "100"}
MARKED = {"newClientOrderId": "mine-1"}


async def trade(client: Client, steps: int = 400) -> None:
    """Let the traders decide so often, without any pace."""
    await client.control("/control/traffic", rate=100_000, running=True)
    while (await client.control("/truth/summary"))["fills"] < steps:
        pass
    await client.control("/control/traffic", running=False)


async def test_a_signed_question_is_answered_and_a_wrong_signature_is_not() -> None:
    async with a_client() as client:
        assert await client.ask("GET", "/api/v3/openOrders") == (200, [])
        status, answer = await client.send("GET", "/api/v3/openOrders", "timestamp=1&signature=0")
        assert (status, answer["code"]) == (400, -1022)


async def test_an_old_timestamp_is_refused_on_both_products() -> None:
    async with a_client() as client:
        for path in ("/api/v3/openOrders", "/fapi/v1/openOrders"):
            status, answer = await client.ask("GET", path, timestamp=1)
            assert (status, answer["code"]) == (400, -1021)


async def test_an_unknown_key_is_refused() -> None:
    async with a_client() as client:
        client.account = client.account.model_copy(update={"api_key": "nobody"})
        status, answer = await client.ask("GET", "/fapi/v1/openOrders")
        assert (status, answer["code"]) == (401, -2015)


async def test_a_form_body_is_signed_after_the_query() -> None:
    async with a_client() as client:
        _, answer = await client.send("GET", "/api/v3/time")
        query = f"timestamp={answer['serverTime']}"
        body = urlencode(LIMIT)
        signature = hex_of(client.account.secret, query + body)
        signed = f"{body}&signature={signature}"
        status, answer = await client.send("POST", "/api/v3/order", query, signed)
        assert (status, answer["status"]) == (200, "NEW")


@pytest.mark.parametrize("path", ["/api/v3/exchangeInfo", "/fapi/v1/exchangeInfo"])
async def test_there_are_instruments_with_their_steps(path: str) -> None:
    async with a_client() as client:
        status, answer = await client.send("GET", path)
        assert status == 200
        assert len(answer["symbols"]) >= 150
        row = next(row for row in answer["symbols"] if row["symbol"] == SYMBOL)
        steps = {name["filterType"]: name for name in row["filters"]}
        assert (row["baseAsset"], row["quoteAsset"], row["status"]) == ("SOL", "USDT", "TRADING")
        assert float(steps["PRICE_FILTER"]["tickSize"]) > 0
        assert float(steps["LOT_SIZE"]["stepSize"]) > 0
        assert "NOTIONAL" in steps or "MIN_NOTIONAL" in steps


async def test_spot_says_that_orders_may_be_amended_and_replaced() -> None:
    async with a_client() as client:
        _, answer = await client.send("GET", "/api/v3/exchangeInfo")
    assert all(row["amendAllowed"] and row["cancelReplaceAllowed"] for row in answer["symbols"])


@pytest.mark.parametrize("path", ["/api/v3/order", "/fapi/v1/order"])
async def test_an_order_is_placed_asked_for_and_cancelled(path: str) -> None:
    async with a_client() as client:
        _, placed = await client.ask("POST", path, **LIMIT, **MARKED)
        assert placed["status"] == "NEW"
        name = {"symbol": SYMBOL, "origClientOrderId": "mine-1"}
        _, found = await client.ask("GET", path, **name)
        assert (found["orderId"], found["status"]) == (placed["orderId"], "NEW")
        status, duplicate = await client.ask("POST", path, **LIMIT, **MARKED)
        assert (status, duplicate["code"]) == (400, -2010 if "api" in path[:4] else -4116)
        _, cancelled = await client.ask("DELETE", path, **name)
        assert cancelled["status"] == "CANCELED"
        status, gone = await client.ask("DELETE", path, symbol=SYMBOL, orderId=placed["orderId"])
        assert (status, gone["code"]) == (400, -2011)


async def test_a_spot_order_is_reduced_in_place() -> None:
    async with a_client() as client:
        _, placed = await client.ask("POST", "/api/v3/order", **LIMIT)
        name = {"symbol": SYMBOL, "orderId": placed["orderId"]}
        path = "/api/v3/order/amend/keepPriority"
        _, amended = await client.ask("PUT", path, **name, newQty="3")
        assert amended["amendedOrder"]["qty"] == "3.000"
        status, refused = await client.ask("PUT", path, **name, newQty="9")
        assert (status, refused["code"]) == (400, -2038)


async def test_a_cancel_replace_that_is_half_done_says_which_half() -> None:
    async with a_client() as client:
        _, placed = await client.ask("POST", "/api/v3/order", **LIMIT)
        path, mode = "/api/v3/order/cancelReplace", {"cancelReplaceMode": "STOP_ON_FAILURE"}
        named = mode | {"cancelOrderId": placed["orderId"]}
        dear = LIMIT | {"quantity": "999999999"}
        status, answer = await client.ask("POST", path, **dear, **named)
        assert (status, answer["code"], answer["data"]["newOrderResult"]) == (409, -2021, "FAILURE")
        status, answer = await client.ask("POST", path, **LIMIT, **named)
        assert (status, answer["code"], answer["data"]["newOrderResponse"]) == (400, -2022, None)
        _, rows = await client.ask("GET", "/api/v3/allOrders", symbol=SYMBOL)
        assert [row["status"] for row in rows] == ["CANCELED", "REJECTED"]


async def test_a_linear_amendment_to_what_is_executed_cancels_the_order() -> None:
    async with a_client() as client:
        path = "/fapi/v1/order"
        _, placed = await client.ask("POST", path, **(LIMIT | {"price": "150"}))
        other = client.account.model_copy(update={"api_key": "key-1", "secret": "secret-1"})
        mine, client.account = client.account, other
        sell = LIMIT | {"side": "SELL", "price": "150", "quantity": "1"}
        await client.ask("POST", path, **sell)
        client.account = mine
        change = {"symbol": SYMBOL, "side": "BUY", "orderId": placed["orderId"], "price": "150"}
        status, answer = await client.ask("PUT", path, **change, quantity="1")
        assert (status, answer["status"], answer["executedQty"]) == (200, "CANCELED", "1.0")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"price": "100.001234"}, -1013),
        ({"quantity": "0.00001"}, -1013),
        ({"quantity": "0.001"}, -1013),
        ({"symbol": "NOSUCH"}, -1121),
        ({"side": "HOLD"}, -1117),
        ({"price": ""}, -1102),
        ({"quantity": "999999999"}, -2010),
    ],
)
async def test_an_order_that_breaks_a_rule_is_refused(changes: dict[str, str], code: int) -> None:
    async with a_client() as client:
        status, answer = await client.ask("POST", "/api/v3/order", **(LIMIT | changes))
        assert (status, answer["code"]) == (400, code)


@pytest.mark.parametrize("path", ["/api/v3/myTrades", "/fapi/v1/userTrades"])
async def test_pages_of_trades_hold_every_fill_once(path: str) -> None:
    product = "spot" if path.startswith("/api") else "linear"
    async with a_client(face={"spot_weight": 10**6, "linear_weight": 10**6}) as client:
        await trade(client)
        found, next_id = [], 0
        while True:
            asked = {"symbol": SYMBOL, "fromId": next_id, "limit": 10}
            _, rows = await client.ask("GET", path, **asked)
            if not rows:
                break
            found += [(str(row["id"]), str(row["orderId"])) for row in rows]
            next_id = rows[-1]["id"] + 1
        books = (await client.control("/truth"))["accounts"][client.account.name]
        wanted = [
            (row["exec_id"], row["venue_order_id"])
            for row in books["fills"]
            if row["product"] == product
        ]
        assert Counter(found).keys() == Counter(wanted).keys()


@pytest.mark.parametrize("path", ["/api/v3/allOrders", "/fapi/v1/allOrders"])
async def test_pages_of_orders_hold_every_order_once(path: str) -> None:
    product = "spot" if path.startswith("/api") else "linear"
    async with a_client() as client:
        await trade(client, 100)
        found, next_id = [], 0
        while True:
            asked = {"symbol": SYMBOL, "orderId": next_id, "limit": 7}
            _, rows = await client.ask("GET", path, **asked)
            if not rows:
                break
            found += [str(row["orderId"]) for row in rows]
            next_id = rows[-1]["orderId"] + 1
        books = (await client.control("/truth"))["accounts"][client.account.name]
        orders = [row for row in books["orders"] if row["product"] == product]
        at_engine = [row.get("child_ids", [row["venue_order_id"]]) for row in orders]
        assert found == sorted(order_id for ids in at_engine for order_id in ids)


async def test_a_window_of_time_that_is_too_long_is_refused() -> None:
    async with a_client() as client:
        window = {"startTime": 0, "endTime": 8 * 24 * 3600 * 1000}
        for path in ("/api/v3/myTrades", "/fapi/v1/userTrades", "/fapi/v1/allOrders"):
            status, answer = await client.ask("GET", path, symbol=SYMBOL, **window)
            assert (status, answer["code"]) == (400, -1127)


async def test_ids_and_times_do_not_go_together() -> None:
    async with a_client() as client:
        for path in ("/api/v3/myTrades", "/fapi/v1/userTrades"):
            asked = {"symbol": SYMBOL, "fromId": 1, "startTime": 1}
            assert (await client.ask("GET", path, **asked))[1]["code"] == -1128


async def test_positions_and_balances_agree_with_the_books() -> None:
    async with a_client() as client:
        await trade(client, 100)
        books = (await client.control("/truth"))["accounts"][client.account.name]
        _, rows = await client.ask("GET", "/fapi/v3/positionRisk")
        amounts = {row["position_side"]: row["quantity"] for row in books["positions"]}
        for row in rows:
            assert float(row["positionAmt"]) == float(amounts[row["positionSide"]])
        _, [balance] = await client.ask("GET", "/fapi/v3/balance")
        assert float(balance["balance"]) == float(books["balances"]["linear"]["USDT"]["free"])


async def test_weight_is_counted_then_refused_then_the_ip_is_banned() -> None:
    limits = BinanceSettings(spot_weight=100, linear_weight=100, violations_max=2, window_s=3600)
    async with a_client(face=limits) as client:
        await client.ask("GET", "/api/v3/openOrders")
        assert client.headers["X-MBX-USED-WEIGHT-1M"] == "80"
        codes = [await client.ask("GET", "/api/v3/openOrders") for _ in range(3)]
        assert [(status, answer["code"]) for status, answer in codes] == [
            (429, -1003), (429, -1003), (418, -1003),
        ]  # fmt: skip
        assert int(client.headers["Retry-After"]) > 0
        assert (await client.ask("GET", "/fapi/v1/openOrders"))[0] == 200


async def test_a_spot_order_costs_weight_only_when_it_is_refused() -> None:
    async with a_client() as client:
        await client.ask("POST", "/api/v3/order", **LIMIT)
        assert client.headers["X-MBX-USED-WEIGHT-1M"] == "0"
        assert client.headers["X-MBX-ORDER-COUNT-10S"] == "1"
        await client.ask("POST", "/api/v3/order", **(LIMIT | {"symbol": "NOSUCH"}))
        assert client.headers["X-MBX-USED-WEIGHT-1M"] == "1"


@pytest.mark.parametrize("path", ["/api/v3/order", "/fapi/v1/order"])
async def test_an_account_that_places_too_many_orders_is_refused(path: str) -> None:
    limits = BinanceSettings(spot_orders_day=2, linear_orders_minute=2)
    async with a_client(face=limits) as client:
        answers = [await client.ask("POST", path, **LIMIT) for _ in range(3)]
        assert [status for status, _ in answers] == [200, 200, 429]
        assert answers[2][1]["code"] == -1015


async def test_a_503_leaves_it_open_whether_the_order_was_placed() -> None:
    schedule = {"http_5xx": ScheduledFault(count=20, frames=20)}
    async with a_client(faults={"schedule": schedule}) as client:
        for number in range(20):
            marked = {"newClientOrderId": f"try-{number}"}
            status, answer = await client.ask("POST", "/api/v3/order", **LIMIT, **marked)
            assert (status, answer["code"]) == (503, -1000)
        _, rows = await client.ask("GET", "/api/v3/openOrders")
        assert 0 < len(rows) < 20


async def test_a_429_comes_with_a_time_to_wait() -> None:
    async with a_client(faults={"probability": {"http_429": 1.0}}) as client:
        status, answer = await client.ask("GET", "/api/v3/openOrders")
        assert (status, answer["code"], client.headers["Retry-After"]) == (429, -1003, "1")


async def test_a_path_that_is_not_there_is_not_found() -> None:
    async with a_client(traffic=TrafficConfig()) as client:
        assert (await client.send("GET", "/api/v3/nothing"))[0] == 404


async def test_leverage_brackets_are_those_of_the_symbol() -> None:
    async with a_client() as client:
        status, rows = await client.ask("GET", "/fapi/v1/leverageBracket", symbol=SYMBOL)
        assert (status, [row["symbol"] for row in rows]) == (200, [SYMBOL])
        assert rows[0]["brackets"][0]["initialLeverage"] == 20
