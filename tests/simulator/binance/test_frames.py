"""What the simulated venue sends beside the examples: the same keys, the same JSON types.

The examples are of the shape that the venue's manual shows (docs/venues/binance.md).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from simulator.binance import algo_calls, spot_calls, usdm_calls
from simulator.binance.params import Params
from tests.simulator.binance.box import PRICE, SYMBOL, Box, an_account, an_order
from tests.simulator.shapes import shape

EXAMPLES = Path(__file__).parent / "examples"
Document = dict[str, Any]


def example(name: str) -> Any:
    """An example message; Spot events without their subscription."""
    document = orjson.loads((EXAMPLES / f"{name}.json").read_bytes())
    return document.get("event", document)


def spot_partial_fill() -> Box:
    box = Box()
    box.spot.place(box.one, an_order(quantity="4", client_order_id="osp-000017"))
    box.spot.place_anonymous(an_order("SELL", "1.5"))
    return box


def spot_ioc() -> Box:
    box = Box()
    box.spot.place_anonymous(an_order("SELL", "0.4"))
    box.spot.place(box.one, an_order(quantity="2", time_in_force="IOC"))
    return box


def spot_self_trade() -> Box:
    box = Box()
    box.spot.place(box.one, an_order("SELL", "2.5"))
    box.spot.place(box.one, an_order("BUY", "2.5", self_trade_mode="EXPIRE_TAKER"))
    return box


def last_report(box: Box) -> Document:
    return box.told("executionReport")[-1]


def spot_new() -> Document:
    box = Box()
    box.spot.place(box.one, an_order())
    return last_report(box)


def spot_full_fill() -> Document:
    box = spot_partial_fill()
    box.spot.place_anonymous(an_order("SELL", "2.5"))
    return last_report(box)


def spot_canceled() -> Document:
    box = spot_partial_fill()
    box.spot.cancel(box.one, box.spot.open_orders(box.one)[0])
    return last_report(box)


def spot_amended() -> Document:
    box = Box()
    order = box.spot.place(box.one, an_order(quantity="4"))
    box.spot.amend(box.one, order, PRICE / PRICE * 3)
    return last_report(box)


def spot_rejected() -> Document:
    box = Box()
    box.spot.reject(box.one, an_order())
    return last_report(box)


def spot_transfer() -> Document:
    box = Box()
    box.spot.transfer(box.one, "USDT", -PRICE)
    return box.told("balanceUpdate")[-1]


def ask(box: Box, call: Callable[..., Any], **params: object) -> Any:
    """A call's answer as it stands on the wire."""
    market = box.spot if call.__module__ == spot_calls.__name__ else box.linear
    return orjson.loads(orjson.dumps(call(market, box.one, Params(params))))


def spot_place_reply() -> Document:
    box = Box()
    box.spot.place_anonymous(an_order("SELL", "1"))
    wish = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    reply: Document = ask(box, spot_calls.place, **wish, quantity="4", price="150")
    return reply


def linear_partial_fill() -> Box:
    box = Box()
    box.linear.place(box.one, an_order("SELL", "3"))
    box.linear.place_anonymous(an_order("BUY", "1"))
    return box


def last_update(box: Box) -> Document:
    return box.told("ORDER_TRADE_UPDATE")[-1]


def linear_new() -> Document:
    box = Box()
    box.linear.place(box.one, an_order("SELL"))
    return last_update(box)


def linear_full_fill() -> Document:
    box = linear_partial_fill()
    box.linear.place_anonymous(an_order("BUY", "2"))
    return last_update(box)


def linear_canceled() -> Document:
    box = linear_partial_fill()
    box.linear.cancel(box.one, box.linear.open_orders(box.one)[0])
    return last_update(box)


def linear_ioc_expired() -> Document:
    box = Box()
    box.linear.place_anonymous(an_order("BUY", "1"))
    box.linear.place(box.one, an_order("SELL", "3", time_in_force="IOC"))
    return last_update(box)


def linear_self_trade() -> Document:
    box = Box()
    box.linear.place(box.one, an_order("BUY"))
    box.linear.place(box.one, an_order("SELL", self_trade_mode="EXPIRE_TAKER"))
    return last_update(box)


def linear_amended() -> Document:
    box = Box()
    order = box.linear.place(box.one, an_order("SELL", "3"))
    box.linear.amend(box.one, order, PRICE + 1, order.quantity, "9001")
    return last_update(box)


def linear_liquidated() -> Document:
    box = Box()
    box.linear.place_anonymous(an_order("SELL", "2"))
    box.linear.place(box.one, an_order("BUY", "2"))
    assert box.linear.force_close(box.one, SYMBOL, "BOTH", "LIQUIDATION")
    return last_update(box)


def linear_algo() -> Document:
    """A stop that a trade at its price has triggered."""
    box = Box()
    terms = {"algoType": "CONDITIONAL", "type": "STOP_MARKET", "side": "BUY", "quantity": "3"}
    ask(box, algo_calls.place, symbol=SYMBOL, **terms, triggerPrice=f"{PRICE}")
    for side in ("SELL", "BUY"):
        box.linear.place_anonymous(an_order(side))
    [*_, triggered, _finished] = box.told("ALGO_UPDATE")
    return triggered


EXACT: dict[str, Callable[[], Any]] = {
    "spot_new": spot_new,
    "spot_partial_fill": lambda: last_report(spot_partial_fill()),
    "spot_full_fill": spot_full_fill,
    "spot_canceled": spot_canceled,
    "spot_ioc_expired": lambda: last_report(spot_ioc()),
    "spot_self_trade": lambda: last_report(spot_self_trade()),
    "spot_amended": spot_amended,
    "spot_rejected": spot_rejected,
    "spot_balances": lambda: spot_partial_fill().told("outboundAccountPosition")[-1],
    "spot_transfer": spot_transfer,
    "spot_place_reply": spot_place_reply,
    "spot_trade_row": lambda: ask(spot_partial_fill(), spot_calls.my_trades, symbol=SYMBOL)[0],
    "linear_new": linear_new,
    "linear_partial_fill": lambda: last_update(linear_partial_fill()),
    "linear_full_fill": linear_full_fill,
    "linear_canceled": linear_canceled,
    "linear_ioc_expired": linear_ioc_expired,
    "linear_self_trade": linear_self_trade,
    "linear_amended": linear_amended,
    "linear_liquidated": linear_liquidated,
    "linear_trade_lite": lambda: linear_partial_fill().told("TRADE_LITE")[-1],
    "linear_account": lambda: linear_partial_fill().told("ACCOUNT_UPDATE")[-1],
    "linear_position_row": lambda: ask(linear_partial_fill(), usdm_calls.position_risk)[0],
    "linear_balance_row": lambda: ask(linear_partial_fill(), usdm_calls.balances)[0],
    "linear_time": lambda: ask(Box(), usdm_calls.server_time),
    "linear_algo": linear_algo,
}

CANCEL = {"symbol": SYMBOL, "orderId": 7_700_001}
AT_LEAST: dict[str, Callable[[], Any]] = {
    # The examples of these are cut short, or keys were added since.
    "spot_cancel_reply": lambda: ask(spot_partial_fill(), spot_calls.cancel, **CANCEL),
    "spot_amend_reply": lambda: ask(spot_partial_fill(), spot_calls.amend, **CANCEL, newQty="3"),
    "linear_trade_row": lambda: ask(linear_partial_fill(), usdm_calls.user_trades, symbol=SYMBOL)[
        0
    ],
    "linear_place_reply": lambda: ask(linear_partial_fill(), usdm_calls.cancel, **CANCEL),
}


@pytest.mark.parametrize("name", EXACT)
def test_a_message_has_the_keys_and_types_of_its_example(name: str) -> None:
    assert shape(EXACT[name]()) == shape(example(name))


@pytest.mark.parametrize("name", AT_LEAST)
def test_a_reply_has_at_least_what_its_example_shows(name: str) -> None:
    wanted, found = shape(example(name)), shape(AT_LEAST[name]())
    assert isinstance(wanted, dict)
    assert isinstance(found, dict)
    if "amendedOrder" in wanted:
        wanted, found = wanted["amendedOrder"], found["amendedOrder"]
    assert wanted.items() <= found.items()


def test_every_example_is_compared_with_something() -> None:
    on_sockets = {"spot_subscribe_reply", "spot_socket_ack", "spot_socket_error"}
    names = {path.stem for path in EXAMPLES.glob("*.json")}
    assert names == EXACT.keys() | AT_LEAST.keys() | on_sockets


def test_a_spot_cancel_moves_the_orders_own_id_to_the_second_field() -> None:
    report = spot_canceled()
    assert report["C"] == "osp-000017"
    assert len(report["c"]) == 22


def test_a_deleveraged_position_is_reported_as_new_adl_without_a_fee() -> None:
    box = Box(an_account(is_hedged=True))
    box.linear.place_anonymous(an_order("SELL", "2"))
    box.linear.place(box.one, an_order("BUY", "2", position_side="LONG"))
    assert box.linear.force_close(box.one, SYMBOL, "LONG", "ADL")
    inner = last_update(box)["o"]
    assert (inner["x"], inner["X"], inner["z"]) == ("CALCULATED", "NEW_ADL", inner["q"])
    assert "n" not in inner


def test_the_next_deleveraging_is_reported_as_a_new_order_that_is_filled() -> None:
    box = Box(an_account(is_hedged=True))
    for _ in range(2):
        box.linear.place_anonymous(an_order("SELL", "2"))
        box.linear.place(box.one, an_order("BUY", "2", position_side="LONG"))
        assert box.linear.force_close(box.one, SYMBOL, "LONG", "ADL")
    inner = last_update(box)["o"]
    assert (inner["x"], inner["X"], inner["l"]) == ("NEW", "FILLED", inner["q"])
    assert inner["t"] > 0
    assert inner["n"] == "0.00000000"


def test_two_amendments_of_one_moment_differ_in_their_event_time_alone() -> None:
    box = Box()
    order = box.linear.place(box.one, an_order("SELL", "3"))
    for price in (PRICE + 1, PRICE + 2):
        box.linear.amend(box.one, order, price, order.quantity)
    first, second = box.told("ORDER_TRADE_UPDATE")[-2:]
    assert (first["T"], first["E"] + 1) == (second["T"], second["E"])


def test_a_liquidation_is_announced_before_anything_is_executed() -> None:
    box = Box()
    box.linear.place_anonymous(an_order("SELL", "2"))
    box.linear.place(box.one, an_order("BUY", "2"))
    box.linear.force_close(box.one, SYMBOL, "BOTH", "LIQUIDATION")
    announced, executed = (update["o"] for update in box.told("ORDER_TRADE_UPDATE")[-2:])
    assert (announced["x"], announced["X"], announced["l"], announced["z"]) == (
        "CALCULATED", "NEW", "0", "0",
    )  # fmt: skip
    assert (executed["X"], executed["z"], executed["c"][:10]) == ("FILLED", "2.0", "autoclose-")
