"""The traps of docs/venues/bybit.md 12 as the simulated venue sets them, by their numbers there.

What concerns the reader alone (20, 24) is in the adapter's tests.
"""

from decimal import Decimal
from typing import Any

import pytest

from simulator.bybit.refusals import Refusal
from tests.simulator.bybit.bybit_box import PRICE, SYMBOL, Box, an_account, an_order
from tests.simulator.bybit.test_bybit_frames import liquidated, partial_fill, post_only

LINEAR = {"category": "linear", "symbol": SYMBOL}
SPOT = {"category": "spot", "symbol": SYMBOL}
LIMIT = {"side": "Buy", "orderType": "Limit", "qty": "4", "price": "150"}


def code_of(box: Box, name: str, **fields: object) -> int | str:
    with pytest.raises(Refusal) as refused:
        box.wish(name, **fields)
    return refused.value.code


def test_trap_1_a_post_only_order_is_acknowledged_and_then_canceled() -> None:
    box = Box()
    box.linear.place_anonymous(an_order("SELL"))
    ack = box.wish("create", **LINEAR, **LIMIT, timeInForce="PostOnly")
    [told] = box.items("order")
    assert told["orderId"] == ack["orderId"]
    assert (told["orderStatus"], told["cumExecQty"]) == ("Cancelled", "0")


def test_trap_1_some_say_rejected_instead() -> None:
    box = Box(post_only_ends="REJECTED")
    box.linear.place_anonymous(an_order("SELL"))
    box.linear.place(box.one, an_order(time_in_force="GTX"))
    [told] = box.items("order")
    assert told["orderStatus"] == "Rejected"
    assert told["rejectReason"] == post_only().items("order")[-1]["rejectReason"]


def test_trap_2_rejected_and_cancelled_orders_have_fills() -> None:
    box = partial_fill()
    order = box.linear.open_orders(box.one)[0]
    box.linear.expire(box.one, order, "VENUE")
    told = box.items("order")[-1]
    assert (told["orderStatus"], told["cumExecQty"]) == ("Rejected", "1.200")
    assert order.status == "CANCELED"


def test_trap_3_a_cancel_that_comes_too_late_tells_filled_again() -> None:
    box = partial_fill()
    box.linear.place_anonymous(an_order("SELL", "2.8"))
    order_id = box.items("order")[-1]["orderId"]
    box.wish("cancel", **LINEAR, orderId=order_id)
    *_, first, second = box.items("order")
    assert (first["orderStatus"], second["orderStatus"]) == ("Filled", "Filled")
    assert second["rejectReason"] == "EC_OrigClOrdIDDoesNotExist"
    assert {name for name in first if first[name] != second[name]} == {
        "cancelType", "rejectReason",
    }  # fmt: skip
    box.clock.advance(20)
    assert code_of(box, "cancel", **LINEAR, orderId=order_id) == 110001


def test_trap_4_nothing_is_left_at_the_end_and_nothing_filled_has_no_average() -> None:
    box = Box()
    order = box.linear.place(box.one, an_order())
    box.linear.cancel(box.one, order)
    told = box.items("order")[-1]
    assert (told["leavesQty"], told["avgPrice"], told["qty"]) == ("0", "", "4.000")


def test_trap_5_coins_bought_at_market_are_sized_in_quote_unless_it_is_said() -> None:
    box = Box()
    box.spot.place_anonymous(an_order("SELL", "9"))
    taking = SPOT | {"side": "Buy", "orderType": "Market"}
    box.wish("create", **taking, qty="300")
    quote = box.items("order")[-1]
    assert (quote["qty"], quote["cumExecQty"], quote["marketUnit"]) == (
        "300",
        "2.0000",
        "quoteCoin",
    )
    box.wish("create", **taking, qty="3", marketUnit="baseCoin")
    base = box.items("order")[-1]
    assert (base["qty"], base["cumExecQty"], base["marketUnit"]) == ("3.0000", "3.0000", "baseCoin")


@pytest.mark.parametrize(
    ("side", "changes", "coin"),
    [
        ("BUY", {}, "SOL"),
        ("SELL", {}, "USDT"),
        ("BUY", {"has_rebate": True}, "USDT"),
        ("SELL", {"has_rebate": True}, "SOL"),
        ("BUY", {"pays_bnb": True}, "MNT"),
    ],
)
def test_trap_6_a_fee_is_in_what_is_received_but_for_a_rebate(
    side: str, changes: dict[str, Any], coin: str
) -> None:
    box = Box(an_account(**changes))
    box.spot.place(box.one, an_order(side))
    box.spot.place_anonymous(an_order("SELL" if side == "BUY" else "BUY", "1"))
    [told] = box.items("execution")
    assert told["feeCurrency"] == coin
    assert (Decimal(told["execFee"]) < 0) == ("has_rebate" in changes)
    assert box.items("order")[-1]["cumFeeDetail"] == {coin: told["execFee"]}


def test_trap_7_what_is_received_is_less_by_a_fee_in_its_coin() -> None:
    box = Box()
    held = box.one.balance("spot", "SOL").free
    box.spot.place_anonymous(an_order("SELL", "4"))
    box.spot.place(box.one, an_order())
    [told] = box.items("execution")
    received = box.one.balance("spot", "SOL").free - held
    assert received == Decimal(told["execQty"]) - Decimal(told["execFee"]) == Decimal("3.996")
    row = next(row for row in box.items("wallet")[-1]["coin"] if row["coin"] == "SOL")
    assert Decimal(row["walletBalance"]) == held + received


def test_trap_8_funding_stands_among_the_executions() -> None:
    box = partial_fill()
    box.linear.transfer(box.one, SYMBOL, Decimal("-0.5"))
    told = box.items("execution")[-1]
    assert (told["execType"], told["orderType"], told["execFee"]) == ("Funding", "UNKNOWN", "0.5")
    kinds = [row["execType"] for row in box.rows("execution/list", **LINEAR)]
    assert kinds == ["Funding", "Trade"]
    assert len(box.rows("execution/list", **LINEAR, execType="Trade")) == 1
    assert len(box.one.all_fills) == 1


@pytest.mark.parametrize(
    ("kind", "seed", "made", "executed"),
    [
        ("LIQUIDATION", 3, "CreateByLiq", "Trade"),
        ("LIQUIDATION", 1, "CreateByTakeOver_PassThrough", "BustTrade"),
        ("ADL", 2, "CreateByAdl_PassThrough", "AdlTrade"),
    ],
)
def test_trap_8_what_the_venue_closes_says_so_and_deleveraging_costs_nothing(
    kind: str, seed: int, made: str, executed: str
) -> None:
    box = liquidated(kind, seed)
    told, order = box.items("execution")[-1], box.items("order")[-1]
    assert (told["createType"], order["createType"]) == (made, made)
    assert (told["execType"], told["leavesQty"], told["orderLinkId"]) == (executed, "0", "")
    assert (told["execFee"] == "0") == (kind == "ADL")
    assert told["closedSize"] == "2.000"


def test_trap_8_what_is_passed_through_may_be_no_order_for_anybody_to_see() -> None:
    box = Box(shows_passed_through=False)
    box.linear.place_anonymous(an_order("SELL", "2"))
    box.linear.place(box.one, an_order("BUY", "2"))
    pushes = len(box.items("order"))
    box.linear.force_close(box.one, SYMBOL, "BOTH", "ADL")
    assert len(box.items("order")) == pushes
    assert box.items("execution")[-1]["execType"] == "AdlTrade"
    assert len(box.rows("order/history", **LINEAR)) == 1


def test_trap_9_the_fast_topic_hides_the_client_id_of_a_maker() -> None:
    box = partial_fill()
    [fast], [slow] = box.items("execution.fast"), box.items("execution")
    assert (fast["orderLinkId"], slow["orderLinkId"]) == ("", "desk1-000001")
    assert fast["execId"] == slow["execId"]
    names = "category symbol orderId isMaker orderLinkId execId execPrice execQty side execTime seq"
    assert sorted(fast) == sorted(names.split())


def test_trap_10_executions_of_one_moment_share_a_sequence() -> None:
    box = Box()
    for price in (PRICE, PRICE + 1):
        box.linear.place_anonymous(an_order("SELL", "1", price=price))
    box.linear.place(box.one, an_order(quantity="2", price=PRICE + 1))
    first, second = box.items("execution")
    assert first["seq"] == second["seq"]
    assert first["execId"] != second["execId"]


def test_trap_11_a_position_is_pushed_at_every_order_changed_or_not() -> None:
    box = Box()
    order = box.linear.place(box.one, an_order())
    box.linear.cancel(box.one, order)
    first, second = box.items("position")
    assert first == second
    assert first["seq"] == -1


def test_trap_12_a_flat_position_has_no_side_and_hedged_ones_two_rows() -> None:
    box = Box(an_account(is_hedged=True))
    [long, short] = box.rows("position/list", **LINEAR)
    assert (long["side"], long["size"], long["positionIdx"]) == ("", "0", 1)
    assert short["positionIdx"] == 2
    assert box.rows("position/list", category="linear", settleCoin="USDT") == []


def test_trap_13_the_recent_closed_orders_are_forgotten_at_a_restart() -> None:
    box = Box()
    order = box.linear.place(box.one, an_order())
    box.linear.cancel(box.one, order)
    named = LINEAR | {"orderId": str(order.order_id)}
    assert box.rows("order/realtime", **LINEAR) == []
    assert len(box.rows("order/realtime", **named)) == 1
    assert len(box.rows("order/realtime", **LINEAR, openOnly="1")) == 1
    box.clock.advance(1)
    box.venue.forget_recent()
    assert box.rows("order/realtime", **named) == []
    assert len(box.rows("order/history", **named)) == 1
    box.clock.advance(25 * 3600 * 1000)
    assert box.rows("order/history", **named) == [], "unfilled: kept for a day"


def test_trap_14_linear_lists_want_a_symbol_or_a_coin() -> None:
    box = Box()
    box.linear.place(box.one, an_order())
    box.linear.place(box.one, an_order(symbol="BTCPERP", quantity="0.01", price=Decimal(90000)))
    for path in ("order/realtime", "position/list"):
        with pytest.raises(Refusal):
            box.ask(path, category="linear")
    found = {
        coin: [
            row["symbol"] for row in box.rows("order/realtime", category="linear", settleCoin=coin)
        ]
        for coin in ("USDT", "USDC")
    }
    assert found == {"USDT": [SYMBOL], "USDC": ["BTCPERP"]}


def test_trap_15_cancel_all_of_coins_leaves_conditional_orders() -> None:
    box = Box()
    box.spot.place(box.one, an_order())
    box.wish("create", **SPOT, **LIMIT, triggerPrice="155")
    done = box.wish("cancel-all", category="spot")
    assert (len(done["list"]), done["success"]) == (1, "1")
    assert [row["orderStatus"] for row in box.rows("order/realtime", **SPOT)] == ["Untriggered"]
    box.wish("cancel-all", category="spot", orderFilter="StopOrder")
    assert box.rows("order/realtime", **SPOT) == []


def test_trap_15_cancel_all_of_contracts_ends_five_hundred_at_most() -> None:
    box = Box()
    for _ in range(502):
        box.linear.place(box.one, an_order(quantity="0.1"))
    assert code_of(box, "cancel-all", category="linear") == 10001
    assert len(box.wish("cancel-all", category="linear", settleCoin="USDT")["list"]) == 500
    assert len(box.linear.open_orders(box.one)) == 2


def test_trap_16_one_symbol_is_two_instruments() -> None:
    box = Box()
    for market in (box.spot, box.linear):
        market.place(box.one, an_order())
    assert [row["category"] for row in box.items("order")] == ["spot", "linear"]
    assert {row["symbol"] for row in box.items("order")} == {SYMBOL}
    answer = box.ask("order/realtime", **SPOT)
    assert (answer["category"], len(answer["list"])) == ("spot", 1)


def test_trap_17_a_batch_is_well_and_its_items_are_not() -> None:
    box = Box()
    rows = [
        {"symbol": SYMBOL, **LIMIT, "orderLinkId": "one"},
        {"symbol": SYMBOL, **LIMIT, "orderLinkId": "one"},
    ]
    done = box.wish("create-batch", category="linear", request=rows)
    assert [row["code"] for row in done["extra"]] == [0, 110072]
    assert bool(done["list"][0]["orderId"])
    assert done["list"][1]["orderId"] == ""


def test_trap_18_a_conditional_order_keeps_its_ids_through_its_trigger() -> None:
    box = Box()
    made = box.wish(
        "create", **LINEAR, **LIMIT, triggerPrice="155", triggerDirection=1, orderLinkId="stop"
    )
    for side in ("SELL", "BUY"):
        box.linear.place_anonymous(an_order(side, "1", price=Decimal(155)))
    rows = box.items("order")
    assert [row["orderStatus"] for row in rows] == ["Untriggered", "Triggered", "New"]
    assert {(row["orderId"], row["orderLinkId"]) for row in rows} == {(made["orderId"], "stop")}
    assert {(row["stopOrderType"], row["triggerPrice"]) for row in rows} == {("Stop", "155")}
    assert len(box.rows("order/realtime", **LINEAR)) == 1


def test_trap_18_of_coins_it_may_become_another_order() -> None:
    box = Box(renames_triggered_spot=True)
    box.wish("create", **SPOT, **LIMIT, triggerPrice="155", orderFilter="tpslOrder")
    for side in ("SELL", "BUY"):
        box.spot.place_anonymous(an_order(side, "1", price=Decimal(155)))
    waiting, triggered, new = box.items("order")
    assert waiting["orderId"] == triggered["orderId"] != new["orderId"]
    assert triggered["stopOrderType"] == "tpslOrder"


def test_trap_19_an_order_at_market_shows_the_price_that_bounds_it() -> None:
    box = Box()
    box.linear.place_anonymous(an_order("SELL", "4"))
    box.linear.place(box.one, an_order(order_type="MARKET", price=Decimal(0)))
    told = box.items("order")[-1]
    assert (told["orderType"], told["timeInForce"]) == ("Market", "IOC")
    assert Decimal(told["price"]) > PRICE
    box.linear.place(box.one, an_order(time_in_force="GTX"))
    assert box.items("order")[-1]["timeInForce"] == "PostOnly"


def test_trap_21_a_key_says_when_it_ends_and_that_it_cannot_withdraw() -> None:
    shown = Box().ask("user/query-api")
    assert shown["deadlineDay"] > 0
    assert "Withdraw" not in shown["permissions"]["Wallet"]


def test_trap_22_a_sequence_is_a_whole_number_of_64_bits() -> None:
    sequence = partial_fill().items("execution")[-1]["seq"]
    assert type(sequence) is int
    assert 10**14 < sequence < 2**63


def test_trap_23_there_are_no_taxes_here_and_they_are_a_blank() -> None:
    assert partial_fill().items("execution")[-1]["extraFees"] == ""


def test_trap_25_zeros_at_the_end_are_on_the_stream_and_not_in_answers() -> None:
    box = partial_fill()
    [row] = box.rows("order/realtime", **LINEAR)
    assert (row["cumExecQty"], box.items("order")[-1]["cumExecQty"]) == ("1.2", "1.200")
