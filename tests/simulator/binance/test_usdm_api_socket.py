"""The USD-M WS API over a real socket: the same book, rules, journal and faults as by REST."""

from decimal import Decimal
from typing import Any

import pytest

from simulator.binance.settings import BinanceSettings
from tests.simulator.binance.box import SYMBOL
from tests.simulator.binance.client import Stream, a_client
from tests.simulator.binance.test_wishes import LIMIT, LINEAR, journal

PATH = "/ws-fapi/v1"


async def test_an_order_is_placed_modified_looked_at_and_cancelled_as_by_rest() -> None:
    async with a_client() as client, await client.open(PATH) as stream:
        placed = await stream.call("order.place", client.signed(**LIMIT, newClientOrderId="one"))
        assert (placed["status"], placed["result"]["status"]) == (200, "NEW")
        assert [row["count"] for row in placed["rateLimits"]] == [1, 1]
        number = placed["result"]["orderId"]
        named: dict[str, object] = {"symbol": SYMBOL, "orderId": number}
        change = {"side": "BUY", "quantity": "5.000", "price": "149.00", "modifyId": 9001}
        changed = await stream.call("order.modify", client.signed(**named, **change))
        assert changed["result"]["orderId"] == number
        assert Decimal(changed["result"]["price"]) == 149
        seen = await stream.call("order.status", client.signed(**named))
        _, same = await client.ask("GET", LINEAR, **named)
        assert seen["result"] == same
        ended = await stream.call("order.cancel", client.signed(**named))
        assert ended["result"]["status"] == "CANCELED"
        again = await stream.call("order.cancel", client.signed(**named))
        assert (again["status"], again["error"]["code"]) == (400, -2011)
        shown = await journal(client, "verb", "transport", "product", "outcome")
        verbs = ["place", "amend", "cancel"]
        assert shown == [
            *[(verb, "socket", "linear", "accepted") for verb in verbs],
            ("cancel", "socket", "linear", "refused"),
        ]


async def test_rest_and_socket_share_the_counts_of_orders_and_names() -> None:
    face = BinanceSettings(linear_orders_10s=2)
    async with a_client(face=face) as client, await client.open(PATH) as stream:
        await client.ask("POST", LINEAR, **LIMIT, newClientOrderId="one")
        twice = await stream.call("order.place", client.signed(**LIMIT, newClientOrderId="one"))
        assert twice["error"]["code"] == -4116
        more = await stream.call("order.place", client.signed(**LIMIT))
        assert (more["status"], more["error"]["code"]) == (429, -1015)
        assert more["error"]["data"].keys() == {"serverTime", "retryAfter"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"price": 150}, -1130),
        ({"quantity": 4}, -1130),
        ({"timestamp": "1"}, -1130),
        ({"timestamp": 1}, -1021),
        ({"apiKey": "nobody"}, -2015),
    ],
)
async def test_a_request_in_the_wrong_form_is_refused(changes: dict[str, Any], code: int) -> None:
    async with a_client() as client, await client.open(PATH) as stream:
        reply = await stream.call("order.place", client.signed(**LIMIT | changes))
        assert reply["error"]["code"] == code


async def test_a_wrong_signature_is_refused_and_nothing_is_placed() -> None:
    async with a_client() as client, await client.open(PATH) as stream:
        reply = await stream.call("order.place", client.signed(**LIMIT) | {"signature": "00"})
        assert (reply["status"], reply["error"]["code"]) == (400, -1022)
        assert await journal(client, "outcome", "code") == [("refused", "-1022")]


@pytest.mark.parametrize(
    "method", ["openOrders.cancelAll", "openOrders.status", "order.amend.keepPriority"]
)
async def test_what_the_venue_does_not_have_here_is_refused(method: str) -> None:
    async with a_client() as client, await client.open(PATH) as stream:
        assert (await stream.call(method, client.signed(symbol=SYMBOL)))["error"]["code"] == -1020


async def test_a_conditional_order_and_a_listen_key_have_methods_of_their_own() -> None:
    async with a_client() as client, await client.open(PATH) as stream:
        terms: dict[str, object] = {"symbol": SYMBOL, "side": "SELL", "type": "STOP_MARKET"}
        asked = terms | {"quantity": "1.000", "algoType": "CONDITIONAL", "triggerPrice": "100"}
        made = await stream.call("algoOrder.place", client.signed(**asked))
        number = made["result"]["algoId"]
        await stream.call("algoOrder.cancel", client.signed(algoId=number))
        assert await journal(client, "verb", "venue_order_ids") == [
            ("place", [str(number)]), ("cancel", [str(number)]),
        ]  # fmt: skip
        key = await stream.call("userDataStream.start", {"apiKey": client.account.api_key})
        assert key["result"]["listenKey"] == await client.listen_key()
        for method in ("account.balance", "v2/account.position", "v2/account.status"):
            assert (await stream.call(method, client.signed()))["status"] == 200


async def test_the_counts_are_left_out_where_they_are_not_wanted() -> None:
    async with a_client() as client:
        async with await client.open(f"{PATH}?returnRateLimits=false") as stream:
            assert "rateLimits" not in await stream.call("order.place", client.signed(**LIMIT))
        async with await client.open(PATH) as stream:
            quiet = client.signed(**LIMIT, returnRateLimits="false")
            assert "rateLimits" not in await stream.call("order.place", quiet)


async def say(client: Any, stream: Stream, name: str) -> None:
    params = client.signed(**LIMIT, newClientOrderId=name)
    await stream.say({"id": name, "method": "order.place", "params": params})


async def test_a_late_answer_is_passed_by_others_and_a_lost_one_never_comes() -> None:
    async with a_client() as client, await client.open(PATH) as stream:
        late = {"kind": "ack_late", "ms": 200, "client_order_id": "late"}
        lost = {"kind": "ack_lost", "client_order_id": "lost"}
        await client.control("/control/plants", plants=[late, lost])
        for name in ("late", "quick"):
            await say(client, stream, name)
        assert [(await stream.next())["id"] for _ in range(2)] == ["quick", "late"]
        await say(client, stream, "lost")
        await stream.ended()
        names = await journal(client, "client_order_id", "outcome", "answer")
        assert names == [
            ("late", "accepted", "sent"), ("quick", "accepted", "sent"),
            ("lost", "accepted", "withheld"),
        ]  # fmt: skip


async def test_an_overloaded_usdm_says_so_with_503() -> None:
    async with a_client() as client, await client.open(PATH) as stream:
        await client.control("/control/plants", plants=[{"kind": "throttled"}] * 2)
        reply = await stream.call("order.place", client.signed(**LIMIT))
        assert (reply["status"], reply["error"]["code"]) == (503, -1008)
        status, answer = await client.ask("POST", LINEAR, **LIMIT)
        assert (status, answer["code"]) == (503, -1008)
        assert await journal(client, "outcome", "code") == [("refused", "-1008")] * 2


async def test_the_outcome_of_a_5xx_is_open_and_of_an_expiry_at_the_book_is_not() -> None:
    async with a_client() as client, await client.open(PATH) as stream:
        plants = [{"kind": "http_5xx_with_effect"}, {"kind": "held_up", "ms": 500}]
        await client.control("/control/plants", plants=plants)
        unknown = await stream.call("order.place", client.signed(**LIMIT))
        assert (unknown["status"], unknown["error"]["code"]) == (503, -1000)
        late = await stream.call("order.place", client.signed(**LIMIT, recvWindow=350))
        assert (late["status"], late["error"]["code"]) == (400, -5028)
        assert await journal(client, "outcome", "status") == [("accepted", 503), ("refused", 400)]
