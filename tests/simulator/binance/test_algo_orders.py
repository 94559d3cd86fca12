"""USD-M's conditional (algo) orders over the wire: placed, triggered, refused, canceled, asked."""

from decimal import Decimal
from typing import Any

import pytest

from simulator.binance import algo_calls
from simulator.binance.params import Params
from tests.simulator.binance.box import SYMBOL, Box, an_order
from tests.simulator.binance.client import Client, a_client

PATH = "/fapi/v1/algoOrder"
EVENTS = "ALGO_UPDATE/ORDER_TRADE_UPDATE/CONDITIONAL_ORDER_TRIGGER_REJECT"
STOP = {
    "symbol": SYMBOL,
    "algoType": "CONDITIONAL",
    "type": "STOP_MARKET",
    "side": "SELL",
    "quantity": "4",
    "triggerPrice": "100",
    "clientAlgoId": "stop-1",
    "selfTradePreventionMode": "NONE",
}
CLOSING = {"closePosition": "true", "quantity": ""}


async def place(client: Client, **terms: object) -> tuple[int, Any]:
    return await client.ask("POST", "/fapi/v1/order", symbol=SYMBOL, **terms)


async def trade_at(client: Client, price: int, quantity: str = "1") -> None:
    """The account trades with itself, so that the symbol's last price is this one."""
    for side in ("SELL", "BUY"):
        terms = {"type": "LIMIT", "timeInForce": "GTC", "selfTradePreventionMode": "NONE"}
        await place(client, side=side, price=price, quantity=quantity, **terms)


async def bid(client: Client, price: int, quantity: str) -> None:
    """An order that a sale at any price meets."""
    terms = {"type": "LIMIT", "timeInForce": "GTC", "selfTradePreventionMode": "NONE"}
    await place(client, side="BUY", price=price, quantity=quantity, **terms)


async def asked(client: Client, **names: object) -> Any:
    return (await client.ask("GET", PATH, **names))[1]


async def listed(client: Client, path: str) -> list[tuple[int, str]]:
    _, rows = await client.ask("GET", f"/fapi/v1/{path}", symbol=SYMBOL)
    return [(row["algoId"], row["algoStatus"]) for row in rows]


async def test_one_that_waits_is_shown_among_its_own_kind_alone() -> None:
    async with a_client() as client:
        status, placed = await client.ask("POST", PATH, **STOP)
        assert (status, placed["algoStatus"], placed["actualOrderId"]) == (200, "NEW", "")
        assert await asked(client, algoId=placed["algoId"]) == placed
        assert await asked(client, clientAlgoId="stop-1") == placed
        for path in ("openAlgoOrders", "allAlgoOrders"):
            assert await listed(client, path) == [(placed["algoId"], "NEW")]
        assert (await client.ask("GET", "/fapi/v1/openOrders"))[1] == []
        missing = {"symbol": SYMBOL, "orderId": placed["algoId"]}
        status, answer = await client.ask("GET", "/fapi/v1/order", **missing)
        assert (status, answer["code"]) == (400, -2013)


async def test_its_owner_cancels_it_once() -> None:
    async with a_client() as client:
        _, placed = await client.ask("POST", PATH, **STOP)
        named = {"algoId": placed["algoId"]}
        _, canceled = await client.ask("DELETE", PATH, **named)
        assert (canceled["code"], canceled["clientAlgoId"]) == ("200", "stop-1")
        status, again = await client.ask("DELETE", PATH, **named)
        assert (status, again["code"]) == (400, -2011)
        assert await listed(client, "openAlgoOrders") == []
        assert (await asked(client, **named))["algoStatus"] == "CANCELED"


async def test_all_of_a_symbol_are_canceled_and_no_order_of_the_engine() -> None:
    async with a_client() as client:
        await client.ask("POST", PATH, **STOP)
        await bid(client, 90, "1")
        await client.ask("DELETE", "/fapi/v1/algoOpenOrders", symbol=SYMBOL)
        assert await listed(client, "openAlgoOrders") == []
        assert len((await client.ask("GET", "/fapi/v1/openOrders"))[1]) == 1


async def test_a_triggered_one_becomes_an_order_of_its_name_and_is_reported_step_by_step() -> None:
    async with a_client() as client, await client.linear_stream(EVENTS) as stream:
        await client.ask("POST", PATH, **STOP)
        await bid(client, 99, "4")
        await trade_at(client, 100)
        told: list[tuple[str, str, str]] = []
        while not told or told[-1][1] != "FINISHED":
            event = await stream.until(lambda _document: True)
            order = event["o"]
            told.append((event["e"], order["X"], order.get("ai") or order.get("c")))
        engine_id = (await asked(client, clientAlgoId="stop-1"))["actualOrderId"]
        algo = [(word, name) for kind, word, name in told if kind == "ALGO_UPDATE"]
        assert [word for word, _ in algo] == ["NEW", "TRIGGERING", "TRIGGERED", "FINISHED"]
        assert [name for _, name in algo[2:]] == [engine_id, engine_id]
        of_engine = [word for kind, word, name in told if name == "stop-1" and kind[:5] == "ORDER"]
        assert of_engine == ["NEW", "FILLED"]
        _, row = await client.ask("GET", "/fapi/v1/order", symbol=SYMBOL, orderId=engine_id)
        assert (row["clientOrderId"], row["origType"], row["type"]) == (
            "stop-1", "STOP_MARKET", "MARKET",
        )  # fmt: skip


async def test_one_that_the_engine_refuses_is_rejected_and_says_why() -> None:
    async with a_client() as client, await client.linear_stream(EVENTS) as stream:
        await client.ask("POST", PATH, **STOP, reduceOnly="true")
        await trade_at(client, 100)
        told = await stream.until(lambda one: one["e"][:4] == "ALGO" and one["o"]["rm"])
        assert (told["o"]["X"], told["o"]["ai"]) == ("REJECTED", "")
        older = await stream.until(lambda one: one["e"].startswith("CONDITIONAL"))
        assert older["or"]["i"] == told["o"]["aid"]
        assert (await asked(client, clientAlgoId="stop-1"))["algoStatus"] == "REJECTED"


@pytest.mark.parametrize(
    ("terms", "quantity"), [({"reduceOnly": "true", "quantity": "9"}, "9.0"), (CLOSING, None)]
)
def test_the_order_of_a_reducing_or_closing_one_is_of_what_is_held_by_then(
    terms: dict[str, str], quantity: str | None
) -> None:
    box = Box()
    box.linear.place(box.one, an_order("BUY", "3"))
    box.linear.place_anonymous(an_order("SELL", "3"))
    row = algo_calls.place(box.linear, box.one, Params(STOP | terms))
    box.linear.place_anonymous(an_order("BUY", "9", price=Decimal(99)))  # enough to sell to
    for side in ("BUY", "SELL"):
        box.linear.place_anonymous(an_order(side, "1", price=Decimal(100)))
    row = algo_calls.one_order(box.linear, box.one, Params({"algoId": row["algoId"]}))
    assert (row["algoStatus"], row["quantity"], row["actualQty"]) == ("FINISHED", quantity, "3.0")
    (order,) = box.one.conditionals["linear"][row["algoId"]].children
    assert (order.quantity, order.status) == (Decimal(3), "FILLED")
    assert box.one.amount_of(SYMBOL, "BOTH") == 0


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"algoType": "VP"}, -1130),
        ({"type": "LIMIT"}, -1130),
        ({"triggerPrice": ""}, -1102),
        ({"quantity": ""}, -1102),
        ({"type": "STOP"}, -1102),
        ({"type": "TRAILING_STOP_MARKET", "callbackRate": "11"}, -1130),
        ({"symbol": "NONEUSDT"}, -1121),
    ],
)
async def test_what_makes_no_sense_is_refused(changed: dict[str, str], code: int) -> None:
    async with a_client() as client:
        status, answer = await client.ask("POST", PATH, **STOP | changed)
        assert (status, answer["code"]) == (400, code)


async def test_one_that_would_trigger_at_once_or_bears_a_taken_name_is_refused() -> None:
    async with a_client() as client:
        await trade_at(client, 100)
        status, answer = await client.ask("POST", PATH, **STOP)
        assert (status, answer["code"]) == (400, -2021)
        lower = STOP | {"triggerPrice": "90"}
        assert (await client.ask("POST", PATH, **lower))[0] == 200
        status, answer = await client.ask("POST", PATH, **lower)
        assert (status, answer["code"]) == (400, -4116)
