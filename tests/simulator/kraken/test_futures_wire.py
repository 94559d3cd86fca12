"""Futures by REST and socket: keys, budgets, orders, feeds, history (docs/venues/kraken.md)."""

from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.kraken.kraken_box import INVERSE, LINEAR
from tests.simulator.kraken.kraken_client import KrakenClient, KrakenStream, a_kraken

ORDER = {"orderType": "lmt", "symbol": LINEAR, "side": "buy", "size": "0.5", "limitPrice": "90000"}
HISTORY = "/api/history/v3/"
NAMED: dict[str, Any] = {"removal_has_order": 1}
BARE: dict[str, Any] = {"removal_has_order": 0, "removal_has_name": 0}


def other(client: KrakenClient) -> KrakenClient:
    account = client.server.box.venue.accounts["kraken:test-1"].config
    return KrakenClient(client.server, account, client.http)


async def sent(client: KrakenClient, **changes: Any) -> Any:
    answer = await client.trading("sendorder", "POST", **(ORDER | changes))
    return answer["sendStatus"]


async def sell(client: KrakenClient, size: str, **changes: Any) -> None:
    await sent(other(client), **({"side": "sell", "size": size} | changes))


async def feed(stream: KrakenStream, name: str) -> Any:
    return await stream.until(lambda one: one.get("feed") == name)


async def events(client: KrakenClient, what: str, **query: Any) -> list[Any]:
    status, page = await client.futures(f"{HISTORY}{what}", **({"sort": "asc"} | query))
    assert status == 200
    return [next(iter(one["event"].items())) for one in page["elements"]]


async def test_a_nonce_may_be_left_out_and_is_never_taken_twice() -> None:
    async with a_kraken() as client:
        path = "/derivatives/api/v3/openorders"
        for nonce, wanted in (("", None), ("7", None), ("5", None), ("7", "nonceDuplicate")):
            _, answer = await client.futures(path, nonce=nonce)
            assert answer.get("error") == wanted
        client.account = client.account.model_copy(update={"secret": "b3RoZXI="})
        _, answer = await client.futures(path)
        assert (answer["result"], answer["error"]) == ("error", "authenticationError")


async def test_a_key_is_of_one_system_alone() -> None:
    async with a_kraken() as client:
        box = client.server.box.venue.accounts["kraken:test-0"]
        box.config = box.config.model_copy(update={"symbols": {"spot": ("BTC/USD",)}})
        assert (await client.spot("Balance"))[1]["error"] == []
        _, answer = await client.futures("/derivatives/api/v3/openorders")
        assert answer["error"] == "authenticationError"


async def test_a_full_execution_at_once_is_placed_and_has_its_fill_in_the_answer() -> None:
    async with a_kraken() as client:
        await sell(client, "0.5")
        status = await sent(client, cliOrdId="desk-1")
        assert status["status"] == "placed"
        [event] = status["orderEvents"]
        assert (event["type"], event["amount"], event["orderPriorExecution"]["filled"]) == (
            "EXECUTION", 0.5, 0.0,
        )  # fmt: skip
        [fill] = (await client.trading("fills"))["fills"]
        assert (fill["fill_id"], fill["cliOrdId"]) == (event["executionId"], "desk-1")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"orderType": "post"}, "postWouldExecute"),
        ({"orderType": "ioc", "limitPrice": "89000"}, "iocWouldNotExecute"),
        ({"reduceOnly": "true"}, "wouldNotReducePosition"),
        ({"size": "0.000001"}, "invalidSize"),
        ({"limitPrice": "90000.01"}, "invalidPrice"),
        ({"symbol": "PF_NONSENSE"}, "contractNotFound"),
        ({"size": "100000000"}, "insufficientAvailableFunds"),
        ({"cliOrdId": "x" * 101}, "clientOrderIdTooLong"),
    ],
)
async def test_trap_6_a_refusal_is_a_success_whose_status_says_it(
    changes: dict[str, str], status: str
) -> None:
    async with a_kraken() as client:
        await sell(client, "0.5")
        assert (await sent(client, **changes))["status"] == status
        assert (await client.trading("openorders"))["openOrders"] == []


async def test_trap_6_what_failed_as_it_came_is_on_the_verbose_feed_alone() -> None:
    async with a_kraken() as client:
        await sell(client, "0.5")
        verbose = await client.futures_stream("open_orders_verbose")
        plain = await client.futures_stream("open_orders")
        failed = await sent(client, orderType="post")
        push = await feed(verbose, "open_orders_verbose")
        assert push["reason"] == "post_order_failed_because_it_would_be_filled"
        assert (push["is_cancel"], push["order"]["order_id"]) == (True, failed["order_id"])
        await sent(client, limitPrice="89000")
        push = await feed(plain, "open_orders")
        assert push["reason"] == "new_placed_order_by_user"
        [(kind, rejected)] = (await events(client, "orders"))[:1]
        assert (kind, rejected["orderError"]) == ("OrderRejected", "POST_WOULD_EXECUTE")


async def test_trap_4_and_5_a_full_fill_is_a_removal_and_qty_is_what_is_left() -> None:
    async with a_kraken(face=NAMED) as client:
        stream = await client.futures_stream("open_orders")
        await sent(client, cliOrdId="desk-1")
        new = await feed(stream, "open_orders")
        assert (new["order"]["qty"], new["order"]["filled"], new["is_cancel"]) == (0.5, 0.0, False)
        await sell(client, "0.2")
        part = await feed(stream, "open_orders")
        assert (part["order"]["qty"], part["order"]["filled"], part["reason"]) == (
            0.3, 0.2, "partial_fill",
        )  # fmt: skip
        await sell(client, "0.3")
        last = await feed(stream, "open_orders")
        assert (last["order"]["qty"], last["order"]["filled"], last["reason"]) == (
            0.0, 0.5, "full_fill",
        )  # fmt: skip
        assert last["is_cancel"] is True
        assert last["order"]["stop_price"] == 0.0


async def test_a_removal_may_name_the_id_alone() -> None:
    async with a_kraken(face=BARE) as client:
        stream = await client.futures_stream("open_orders")
        made = await sent(client, cliOrdId="desk-1")
        await client.trading("cancelorder", "POST", cliOrdId="desk-1")
        gone = await stream.until(lambda one: one.get("is_cancel"))
        assert gone == {
            "feed": "open_orders", "order_id": made["order_id"], "is_cancel": True,
            "reason": "cancelled_by_user",
        }  # fmt: skip


async def test_trap_7_orders_status_forgets_what_ended_five_seconds_ago() -> None:
    async with a_kraken() as client:
        name = (await sent(client))["order_id"]
        [row] = (await client.trading("orders/status", "POST", orderIds=name))["orders"]
        assert (row["status"], row["updateReason"]) == ("ENTERED_BOOK", "NEW_USER_ORDER")
        await client.trading("cancelorder", "POST", order_id=name)
        [row] = (await client.trading("orders/status", "POST", orderIds=name))["orders"]
        assert (row["status"], row["updateReason"]) == ("CANCELLED", "CANCELLED_BY_USER")
        await client.control("/control/clock", skew_ms=5_100)
        assert (await client.trading("orders/status", "POST", orderIds=name))["orders"] == []
        kinds = [kind for kind, _ in await events(client, "orders")]
        assert kinds == ["OrderPlaced", "OrderCancelled"]


async def test_trap_8_fills_go_back_and_the_history_forward_by_a_token() -> None:
    async with a_kraken(face={"history_rows": 2}) as client:
        for size in ("0.1", "0.2", "0.3"):
            await sell(client, size)
            await sent(client, size=size)
        shown = (await client.trading("fills"))["fills"]
        assert [row["size"] for row in shown] == [0.3, 0.2, 0.1]
        status, first = await client.futures(f"{HISTORY}executions", sort="asc")
        assert (status, first["len"]) == (200, 2)
        _, last = await client.futures(
            f"{HISTORY}executions", sort="asc", continuation_token=first["continuationToken"]
        )
        assert "continuationToken" not in last
        rows = [
            one["event"]["Execution"]["execution"] for one in first["elements"] + last["elements"]
        ]
        assert [row["quantity"] for row in rows] == ["0.1", "0.2", "0.3"]
        assert [row["uid"] for row in rows] == [row["fill_id"] for row in shown[::-1]]
        at_ms = rows[1]["timestamp"]
        within = await events(client, "executions", since=at_ms - 1, before=at_ms + 1)
        assert within


async def test_trap_9_an_edits_size_is_what_is_open_unless_it_says_absolute() -> None:
    async with a_kraken() as client:
        name = (await sent(client))["order_id"]
        await sell(client, "0.2")
        edited = await client.trading("editorder", "POST", orderId=name, size="0.1")
        event = edited["editStatus"]["orderEvents"][0]
        assert (edited["editStatus"]["status"], event["new"]["quantity"]) == ("edited", 0.3)
        wish = {"orderId": name, "size": "0.4", "qtyMode": "ABSOLUTE"}
        edited = await client.trading("editorder", "POST", **wish)
        assert edited["editStatus"]["orderEvents"][0]["new"]["quantity"] == 0.4
        [row] = (await client.trading("openorders"))["openOrders"]
        assert (row["order_id"], row["unfilledSize"], row["filledSize"]) == (name, 0.2, 0.2)
        gone = await client.trading("editorder", "POST", orderId="no-such", size="1")
        assert gone["editStatus"]["status"] == "orderForEditNotFound"


async def test_a_cancel_that_came_too_late_says_filled() -> None:
    async with a_kraken() as client:
        name = (await sent(client))["order_id"]
        await sell(client, "0.5")
        answer = await client.trading("cancelorder", "POST", order_id=name)
        assert answer["cancelStatus"]["status"] == "filled"
        answer = await client.trading("cancelorder", "POST", order_id="nobody's")
        assert answer["cancelStatus"]["status"] == "notFound"
        await sent(client)
        answer = await client.trading("cancelallorders", "POST", symbol=LINEAR)
        assert len(answer["cancelStatus"]["cancelledOrders"]) == 1
        answer = await client.trading("cancelallorders", "POST")
        assert answer["cancelStatus"]["status"] == "noOrdersToCancel"


async def test_fills_are_numbered_through_snapshot_and_changes() -> None:
    async with a_kraken() as client:
        for size in ("0.1", "0.2"):
            await sell(client, size)
            await sent(client, size=size)
        stream = await client.futures_stream("fills")
        snapshot = await feed(stream, "fills_snapshot")
        assert [row["seq"] for row in snapshot["fills"]] == [1, 2]
        await sell(client, "0.3")
        await sent(client, size="0.3")
        push = await feed(stream, "fills")
        assert [row["seq"] for row in push["fills"]] == [3]
        assert ("username" in push, "account" in snapshot) == (True, True)


async def test_an_inverse_contract_is_one_dollar_and_pays_in_its_coin() -> None:
    async with a_kraken() as client:
        stream = await client.futures_stream("fills", "open_positions")
        wish = {"symbol": INVERSE, "limitPrice": "90000", "size": "900"}
        await sell(client, **wish)
        await sent(client, **wish)
        fill = (await feed(stream, "fills"))["fills"][0]
        assert (fill["fee_currency"], fill["fee_paid"]) == ("XBT", 0.000005)
        listed = await stream.until(lambda one: one.get("positions"))
        [row] = listed["positions"]
        assert (row["instrument"], row["balance"], row["pnl_currency"]) == (INVERSE, 900.0, "XBT")
        [row] = (await client.trading("openpositions"))["openPositions"]
        assert (row["side"], row["size"]) == ("long", 900.0)
        held = (await client.trading("accounts"))["accounts"]["fi_xbtusd"]["balances"]["xbt"]
        first = Decimal(50_000_000) // Decimal(91000)
        assert held == float(first - Decimal("0.000005"))


async def test_budgets_are_of_trading_and_of_history() -> None:
    async with a_kraken(face={"scale": 1, "limit_status": 429}) as client:
        # Some comes back while this goes on, however slow the machine is.
        for path, method, least in (
            (f"{HISTORY}orders", "GET", 100),
            ("/derivatives/api/v3/cancelallorders", "POST", 20),
        ):
            done = 0
            while (answered := await client.futures(path, method))[0] == 200:
                done += 1
            assert answered[1]["error"] == "apiLimitExceeded"
            assert least <= done < 3 * least


async def test_only_who_signs_the_challenge_hears_private_feeds() -> None:
    async with a_kraken(face={"heartbeat_s": 0.02}) as client:
        stream = await client.open("/ws/v1")
        assert await stream.next() == {"event": "info", "version": 1}
        await stream.say(client.subscription("fills", "made up"))
        assert await stream.next() == {"event": "subscribed_failed", "feed": "fills"}
        await stream.say({"event": "subscribe", "feed": "nonsense"})
        assert await stream.next() == {"event": "error", "message": "Invalid feed"}
        await stream.say({"event": "challenge", "api_key": "nobody"})
        assert (await stream.next())["event"] == "error"
        await stream.websocket.send_str("no json")
        assert await stream.next() == {"event": "error", "message": "Json Error"}
        await stream.say({"event": "subscribe", "feed": "heartbeat"})
        assert await stream.next() == {"event": "subscribed", "feed": "heartbeat"}
        assert (await stream.next()).keys() == {"feed", "time"}
        signed = await client.futures_stream("fills")
        await signed.say({"event": "unsubscribe", "feed": "fills"})
        gone = await signed.until(lambda one: one.get("event") == "unsubscribed")
        assert gone["feed"] == "fills"
