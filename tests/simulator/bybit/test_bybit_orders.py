"""Names, attached ends and self-trades at the simulated Bybit (docs/venues/bybit.md 3.6 and 5)."""

from decimal import Decimal

import pytest

from simulator.bybit.shared import Note
from tests.simulator.bybit.bybit_box import Box, an_account, an_order
from tests.simulator.bybit.test_bybit_traps import LIMIT, LINEAR, SPOT, code_of


def attached() -> Box:
    """A position with a take-profit and a stop-loss."""
    box = Box()
    box.linear.place_anonymous(an_order("SELL", "4"))
    ends = {"takeProfit": "160", "stopLoss": "140", "orderLinkId": "desk1"}
    box.wish("create", **LINEAR, **LIMIT, **ends)
    return box


def test_a_client_id_is_never_free_again() -> None:
    box = Box()
    box.wish("create", **LINEAR, **LIMIT, orderLinkId="mine")
    box.wish("cancel", **LINEAR, orderLinkId="mine")
    assert code_of(box, "create", **LINEAR, **LIMIT, orderLinkId="mine") == 110072
    assert code_of(box, "create", **SPOT, **LIMIT, orderLinkId="mine") == 170141


def test_a_filled_orders_ends_are_orders_without_a_client_id() -> None:
    box = attached()
    rows = {row["stopOrderType"]: row for row in box.items("order")[-2:]}
    assert {name: row["triggerPrice"] for name, row in rows.items()} == {
        "TakeProfit": "160", "StopLoss": "140",
    }  # fmt: skip
    for row in rows.values():
        assert (row["orderStatus"], row["orderLinkId"]) == ("Untriggered", "")
        assert row["parentOrderLinkId"] == "desk1"
        assert row["closeOnTrigger"]


def test_an_order_that_closes_a_leg_has_no_ends() -> None:
    box = Box(an_account(is_hedged=True))
    box.linear.place_anonymous(an_order("BUY", "4"))
    box.linear.place(box.one, an_order("SELL", "4", position_side="SHORT"))
    box.linear.place_anonymous(an_order("SELL", "2"))
    closing = an_order("BUY", "2", position_side="SHORT")
    box.linear.place_attached(box.one, closing, Note(take_profit=Decimal(160)))
    assert [row["stopOrderType"] for row in box.items("order")] == [""] * len(box.items("order"))
    assert box.items("order")[-1]["orderStatus"] == "Filled"


def test_what_was_to_close_a_position_is_dropped_when_it_is_gone() -> None:
    box = attached()
    box.linear.place_anonymous(an_order("BUY", "4"))
    box.wish("create", **LINEAR, **(LIMIT | {"side": "Sell"}))
    *_, take, stop = box.items("order")
    assert {row["stopOrderType"] for row in (take, stop)} == {"TakeProfit", "StopLoss"}
    for row in (take, stop):
        assert (row["orderStatus"], row["cancelType"]) == ("Deactivated", "CancelByTpSlTsClear")


def test_a_stop_loss_closes_what_is_held_and_ends_the_take_profit() -> None:
    box = attached()
    box.linear.place_anonymous(an_order("BUY", "5", price=Decimal(139)))
    box.linear.place_anonymous(an_order("SELL", "1", price=Decimal(139)))
    ends = {row["stopOrderType"]: row for row in box.items("order")}
    assert ends["StopLoss"]["orderStatus"] == "Filled"
    assert ends["StopLoss"]["qty"] == "4.000"
    assert ends["TakeProfit"]["cancelType"] == "CancelByTpSlTsClear"
    assert box.items("position")[-1]["side"] == ""


@pytest.mark.parametrize(
    ("mode", "ended"), [("CancelTaker", [False, True]), ("CancelMaker", [True, False]),
        ("CancelBoth", [True, True]), ("None", [False, False])]
)  # fmt: skip
def test_the_incoming_orders_mode_prevents_trading_with_oneself(
    mode: str, ended: list[bool]
) -> None:
    box = Box()
    made = [
        box.wish("create", **LINEAR, **LIMIT),
        box.wish("create", **LINEAR, **(LIMIT | {"side": "Sell"}), smpType=mode),
    ]
    last = {row["orderId"]: row for row in box.items("order")}
    rows = [last[one["orderId"]] for one in made]
    assert [row["cancelType"] == "CancelBySmp" for row in rows] == ended
    opponents = [made[1]["orderId"], made[0]["orderId"]]
    assert [row["smpOrderId"] for row in rows] == [
        other if is_ended else "" for other, is_ended in zip(opponents, ended, strict=True)
    ]
    executions = box.items("execution")
    assert len({row["execId"] for row in executions}) == (2 if mode == "None" else 0)
