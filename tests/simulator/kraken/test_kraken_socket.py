"""The socket of Spot: tokens, numbers, sparse reports, orders (docs/venues/kraken.md 2, 3, 8)."""

from typing import Any

from tests.simulator.kraken.kraken_box import SPOT
from tests.simulator.kraken.kraken_client import KrakenClient, KrakenStream, a_kraken

ORDER = {"symbol": SPOT, "side": "buy", "order_type": "limit", "order_qty": 0.5,
         "limit_price": 90000.0}  # fmt: skip


def other(client: KrakenClient) -> KrakenClient:
    account = client.server.box.venue.accounts["kraken:test-1"].config
    return KrakenClient(client.server, account, client.http)


async def sell(client: KrakenClient, volume: str) -> None:
    wish = {"pair": "XBTUSD", "type": "sell", "ordertype": "limit", "price": "90000"}
    await other(client).result("AddOrder", volume=volume, **wish)


async def frames(stream: KrakenStream, count: int) -> list[Any]:
    """The next so many pushes about orders."""
    found: list[Any] = []
    while len(found) < count:
        document = await stream.next()
        if document.get("channel") == "executions":
            found.append(document)
    return found


async def test_the_first_frame_says_that_the_engine_is_online() -> None:
    async with a_kraken() as client:
        stream = await client.open()
        first = await stream.next()
        assert (first["channel"], first["data"][0]["system"]) == ("status", "online")


async def test_without_a_subscription_there_is_no_heartbeat_and_with_one_there_is() -> None:
    async with a_kraken(face={"heartbeat_s": 0.05}) as client:
        stream = await client.open()
        await stream.next()
        pong = await stream.call("ping")
        assert pong["method"] == "pong"
        stream.token = await client.token()
        ack = await stream.call("subscribe", channel="executions", snap_trades=True)
        assert (ack["success"], ack["result"]["channel"]) == (True, "executions")
        assert ack["result"]["maxratecount"] == 60_000
        snapshot = await stream.next()
        assert (snapshot["type"], snapshot["sequence"], snapshot["data"]) == ("snapshot", 1, [])
        assert await stream.next() == {"channel": "heartbeat"}


async def test_a_token_opens_for_some_time_and_holds_as_long_as_its_connection() -> None:
    async with a_kraken(face={"token_s": 60}) as client:
        stream = await client.spot_stream()
        await client.control("/control/clock", skew_ms=61_000)
        late = await client.open()
        late.token = stream.token
        refused = await late.call("subscribe", channel="balances")
        assert (refused["success"], refused["error"]) == (False, "EGeneral:Permission denied")
        assert (await stream.call("subscribe", channel="balances"))["success"] is True
        assert (await stream.call("add_order", **ORDER))["success"] is True
        stream.token = "nobody's"
        assert (await stream.call("add_order", **ORDER))["success"] is False


async def test_what_cannot_be_subscribed_to_is_refused() -> None:
    async with a_kraken() as client:
        stream = await client.open()
        stream.token = await client.token()
        assert (await stream.call("subscribe", channel="nonsense"))["success"] is False
        assert (await stream.call("nonsense"))["success"] is False
        await stream.websocket.send_str("no json")
        assert (await stream.until(lambda one: "success" in one))["success"] is False


async def test_trap_1_only_the_first_report_has_terms_and_names_are_often_missing_later() -> None:
    async with a_kraken(face={"follow_up_has_name": 0}) as client:
        stream = await client.spot_stream()
        params = ORDER | {"token": stream.token, "cl_ord_id": "desk-1"}
        await stream.say({"method": "add_order", "req_id": 9, "params": params})
        first, second = [one["data"][0] for one in (await frames(stream, 3))[1:]]
        assert (first["exec_type"], first["symbol"], first["cl_ord_id"]) == (
            "pending_new", SPOT, "desk-1",
        )  # fmt: skip
        assert second.keys() == {
            "order_id", "order_userref", "exec_type", "order_status", "timestamp",
        }  # fmt: skip
        assert second["order_id"] == first["order_id"]
        assert second["timestamp"] > first["timestamp"]


async def test_trap_2_the_last_fill_says_partially_filled_and_then_filled_comes() -> None:
    async with a_kraken(face={"last_fill_is_partial": 1}) as client:
        stream = await client.spot_stream()
        await stream.call("add_order", **ORDER)
        await sell(client, "0.2")
        await sell(client, "0.3")
        first, last = await stream.report("trade"), await stream.report("trade")
        assert (first["cum_qty"], last["cum_qty"], last["order_status"]) == (
            0.2, 0.5, "partially_filled",
        )  # fmt: skip
        filled = await stream.report("filled")
        assert (filled["order_status"], filled["cum_qty"]) == ("filled", 0.5)
        assert "exec_id" not in filled
        assert last["fees"] == [{"asset": "USD", "qty": 43.2}]


async def test_each_subscription_numbers_its_frames_from_its_snapshot_on() -> None:
    async with a_kraken() as client:
        one = await client.spot_stream("executions", "balances")
        await one.call("add_order", **ORDER)
        two = await client.spot_stream()
        await one.call("add_order", **ORDER)
        assert [row["sequence"] for row in await frames(two, 3)] == [1, 2, 3]
        await one.call("subscribe", channel="executions")
        [snapshot] = await frames(one, 1)
        assert (snapshot["type"], snapshot["sequence"], len(snapshot["data"])) == ("snapshot", 1, 2)


async def test_a_frame_that_is_lost_leaves_a_hole_in_the_numbers() -> None:
    async with a_kraken() as client:
        stream = await client.spot_stream()
        await client.control(
            "/control/faults", schedule={"drop": {"count": 1, "frames": 1}}, probability={}
        )
        await stream.call("add_order", **ORDER)
        await client.result("CancelAll")
        row = await stream.until(
            lambda one: one.get("data", [{}])[0].get("exec_type") == "canceled"
        )
        assert row["sequence"] == 4


async def test_a_snapshot_has_open_orders_and_the_last_fills_and_not_what_ended() -> None:
    async with a_kraken() as client:
        stream = await client.spot_stream()
        await stream.call("add_order", **ORDER)
        await sell(client, "0.2")
        gone = await stream.call("add_order", **ORDER)
        await stream.call("cancel_order", order_id=[gone["result"]["order_id"]])
        later = await client.open()
        later.token = await client.token()
        await later.call("subscribe", channel="executions", snap_trades=True)
        [snapshot] = await frames(later, 1)
        order, fill = snapshot["data"]
        assert (order["order_status"], order["order_qty"], order["cum_qty"]) == (
            "partially_filled", 0.5, 0.2,
        )  # fmt: skip
        assert (fill["exec_type"], fill["last_qty"]) == ("trade", 0.2)


async def test_trap_11_balances_are_what_is_held_entry_by_entry() -> None:
    async with a_kraken() as client:
        stream = await client.spot_stream("balances")
        await stream.call("add_order", **ORDER)
        held = (await client.result("BalanceEx"))["ZUSD"]
        assert held["hold_trade"] == "45000"
        await sell(client, "0.5")
        push = await stream.until(lambda one: one.get("type") == "update")
        base, quote = push["data"]
        assert (base["asset"], base["amount"], quote["asset"], quote["amount"]) == (
            "BTC", 0.5, "USD", -45000.0,
        )  # fmt: skip
        assert base["ref_id"] == quote["ref_id"]
        assert quote["balance"] == 500_000_000 - 45_000 - quote["fee"]


async def test_trap_16_each_cancel_of_several_has_its_own_reply_under_one_number() -> None:
    async with a_kraken() as client:
        stream = await client.spot_stream()
        for name in ("desk-1", "desk-2"):
            await stream.call("add_order", cl_ord_id=name, **ORDER)
        first = await stream.call("cancel_order", cl_ord_id=["desk-1", "desk-2", "desk-3"])
        number = first["req_id"]
        second = await stream.until(lambda one: one.get("req_id") == number)
        third = await stream.until(lambda one: one.get("req_id") == number)
        assert [one["success"] for one in (first, second, third)] == [True, True, False]
        assert second["result"] == {"cl_ord_id": "desk-2"}
        assert third["error"] == "EOrder:Unknown order"


async def test_trap_17_an_amend_below_what_is_filled_is_taken_and_ends_the_order() -> None:
    for ends, wanted in (("CANCELED", "canceled"), ("FILLED", "filled")):
        async with a_kraken(face={"amend_below_filled": ends}) as client:
            stream = await client.spot_stream()
            made = await stream.call("add_order", **ORDER)
            await sell(client, "0.2")
            name = made["result"]["order_id"]
            amended = await stream.call("amend_order", order_id=name, order_qty=0.1)
            assert amended["success"] is True
            stream = await client.spot_stream(snap_trades=True)
            row = (await client.result("QueryOrders", txid=name))[name]
            assert row["status"] == {"canceled": "canceled", "filled": "closed"}[wanted]


async def test_orders_can_be_placed_amended_and_canceled_on_the_socket() -> None:
    async with a_kraken() as client:
        stream = await client.spot_stream()
        await stream.call("add_order", cl_ord_id="desk-1", **ORDER)
        amended = await stream.call("amend_order", cl_ord_id="desk-1", limit_price=89990.0)
        assert amended["result"]["cl_ord_id"] == "desk-1"
        bad = await stream.call("add_order", cl_ord_id="x" * 30, **ORDER)
        assert bad["error"] == "EGeneral:Invalid arguments:cl_ord_id"
        late = await stream.call("add_order", deadline="2020-01-01T00:00:00Z", **ORDER)
        assert late["error"] == "EService:Deadline elapsed"
        assert (await stream.call("cancel_all"))["result"] == {"count": 1}


async def test_a_silent_connection_is_ended() -> None:
    timing = {"check_s": 0.02}
    async with a_kraken(face={"idle_s": 0.1}, timing=timing) as client:
        stream = await client.open()
        assert (await stream.ended())[1] == 1000


async def test_trap_14_a_planned_end_is_announced_as_maintenance_and_orders_live_on() -> None:
    async with a_kraken() as client:
        stream = await client.spot_stream()
        await stream.call("add_order", **ORDER)
        await client.control("/control/disconnect", planned=True)
        status = await stream.until(lambda one: one.get("channel") == "status")
        assert status["data"][0]["system"] == "maintenance"
        assert len((await client.result("OpenOrders"))["open"]) == 1
