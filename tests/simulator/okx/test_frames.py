"""What the simulated venue sends beside the examples: the same keys, the same JSON types.

The examples are of the shape that the venue's manual shows (docs/venues/okx.md).
"""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from simulator.okx import query_calls, trade_calls
from simulator.okx.fields import Fields
from simulator.okx.market import Change
from tests.simulator.okx.okx_box import (
    INVERSE,
    INVERSE_PRICE,
    LINEAR,
    PRICE,
    SPOT,
    Box,
    an_account,
    an_order,
)
from tests.simulator.shapes import shape

EXAMPLES = Path(__file__).parent / "examples"
Document = dict[str, Any]
ON_SOCKETS = {
    "login_ok", "login_error", "subscribe_ack", "subscribe_count", "subscribe_error",
    "socket_place", "socket_amend", "socket_cancel_failed", "socket_bad_args",
}  # fmt: skip


def example(name: str) -> Any:
    """An example message, without what the subscription adds."""
    document = orjson.loads((EXAMPLES / f"{name}.json").read_bytes())
    return {
        key: value for key, value in document.items() if key not in ("arg", "inTime", "outTime")
    }


def ordered(value: Document) -> list[str]:
    return list(value["data"][0])


def partial_fill() -> Box:
    box = Box()
    box.linear.place(box.one, an_order("BUY", "3", client_order_id="desk1000001"))
    box.linear.place_anonymous(an_order("SELL", "1.2"))
    return box


def new() -> Document:
    box = Box()
    box.linear.place(box.one, an_order())
    return box.told("orders")[-1]


def amended() -> Document:
    box = Box()
    order = box.linear.place(box.one, an_order())
    box.linear.amend(box.one, order, Change(price=PRICE - 1, request_id="rq17"))
    return box.told("orders")[-1]


def amend_failed(**changes: Any) -> Document:
    box = Box()
    box.linear.place_anonymous(an_order("SELL", price=PRICE + 2))
    order = box.linear.place(box.one, an_order(time_in_force="GTX"))
    box.linear.amend(box.one, order, Change(price=PRICE + 2, request_id="rq18", **changes))
    return box.told("orders")[-1]


def full_fill() -> Document:
    box = partial_fill()
    box.linear.place_anonymous(an_order("SELL", "1.8"))
    return box.told("orders")[-1]


def canceled() -> Document:
    box = partial_fill()
    box.linear.cancel(box.one, box.linear.open_orders(box.one)[0])
    return box.told("orders")[-1]


def post_only() -> Document:
    box = Box()
    box.linear.place_anonymous(an_order("SELL"))
    box.linear.place(box.one, an_order(time_in_force="GTX"))
    return box.told("orders")[-1]


def ioc() -> Document:
    box = Box()
    box.linear.place_anonymous(an_order("SELL", "0.5"))
    box.linear.place(box.one, an_order("BUY", "3", time_in_force="IOC"))
    return box.told("orders")[-1]


def self_trade() -> Document:
    box = Box()
    box.linear.place(box.one, an_order())
    box.linear.place(box.one, an_order("SELL"))
    return next(row for row in box.told("orders") if row["data"][0]["cancelSource"] == "32")


def quote_sized(quote: str = "600") -> Box:
    box = Box()
    box.spot.place_anonymous(an_order("SELL", "4", symbol=SPOT))
    any_price = {"symbol": SPOT, "order_type": "MARKET", "price": Decimal(0)}
    box.spot.place(box.one, an_order("BUY", "0", quote_size=Decimal(quote), **any_price))
    return box


def liquidated(kind: str = "LIQUIDATION") -> Box:
    box = Box()
    box.linear.place_anonymous(an_order("SELL", "2"))
    box.linear.place(box.one, an_order("BUY", "2"))
    assert box.linear.force_close(box.one, LINEAR, "BOTH", kind)
    return box


def ask(box: Box, call: Callable[..., Any], **fields: object) -> Any:
    """The answer's `data`, as it stands on the wire."""
    return orjson.loads(orjson.dumps(call(box.venue, box.one, Fields(fields))))


def flushed(channel: str) -> Document:
    box = partial_fill()
    box.venue.flush()
    return box.told(channel)[-1]


WISH = {"instId": LINEAR, "tdMode": "cross", "side": "buy", "ordType": "limit", "sz": "4"}


def placed(**changes: object) -> Document:
    row = ask(Box(), trade_calls.place, **(WISH | {"px": "150", "clOrdId": "a1"} | changes))
    code, message = trade_calls.overall([row])
    return {"code": code, "msg": message, "data": [row]}


EXACT: dict[str, Callable[[], Any]] = {
    "order_new": new,
    "order_amended": amended,
    "order_amend_failed": amend_failed,
    "order_partial_fill": lambda: partial_fill().told("orders")[-1],
    "order_full_fill": full_fill,
    "order_canceled": canceled,
    "order_post_only": post_only,
    "order_ioc": ioc,
    "order_self_trade": self_trade,
    "order_quote_fill": lambda: quote_sized().told("orders")[-2],
    "order_quote_closed": lambda: quote_sized().told("orders")[-1],
    "order_liquidated": lambda: liquidated().told("orders")[-1],
    "fills": lambda: partial_fill().told("fills")[-1],
    "positions": lambda: flushed("positions"),
    "account": lambda: flushed("account"),
    "balance_and_position": lambda: partial_fill().told("balance_and_position")[-1],
    "place_reply": placed,
    "place_refused": lambda: placed(sz="90000000"),
    "fill_rows": lambda: {
        "code": "0", "msg": "", "data": ask(partial_fill(), query_calls.fills),
    },
}  # fmt: skip


@pytest.mark.parametrize("name", EXACT)
def test_a_message_has_the_keys_and_types_of_its_example(name: str) -> None:
    found, wanted = orjson.loads(orjson.dumps(EXACT[name]())), example(name)
    assert shape(found) == shape(wanted)


@pytest.mark.parametrize("name", [name for name in EXACT if name.startswith("order_")])
def test_a_push_has_its_keys_in_its_examples_order(name: str) -> None:
    assert ordered(EXACT[name]()) == ordered(example(name))


def test_every_example_is_compared_with_something() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.json")} == EXACT.keys() | ON_SOCKETS


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("order_new", ("live", "", "")),
        ("order_amended", ("live", "", "0")),
        ("order_amend_failed", ("live", "", "-1")),
        ("order_partial_fill", ("partially_filled", "", "")),
        ("order_full_fill", ("filled", "", "")),
        ("order_canceled", ("canceled", "1", "")),
        ("order_post_only", ("canceled", "31", "")),
        ("order_ioc", ("canceled", "14", "")),
        ("order_self_trade", ("canceled", "32", "")),
        ("order_quote_fill", ("partially_filled", "", "")),
        ("order_quote_closed", ("filled", "", "")),
        ("order_liquidated", ("filled", "", "")),
    ],
)
def test_state_cancel_source_and_amend_result_are_the_examples(
    name: str, words: tuple[str, ...]
) -> None:
    for document in (EXACT[name](), example(name)):
        row = document["data"][0]
        assert (row["state"], row["cancelSource"], row["amendResult"]) == words


def test_fees_are_negative_where_they_are_paid_and_positive_as_rebates() -> None:
    assert partial_fill().pushes()[-1]["fillFee"] == "-0.036"
    box = Box(an_account(has_rebate=True))
    box.linear.place(box.one, an_order("BUY", "3"))
    box.linear.place_anonymous(an_order("SELL", "1.2"))
    assert box.pushes()[-1]["fillFee"] == "0.009"


def test_a_liquidation_has_trade_id_0_on_the_stream_and_a_negative_one_in_rest() -> None:
    box = liquidated()
    assert box.pushes()[-1]["tradeId"] == "0"
    assert box.pushes()[-1]["category"] == "full_liquidation"
    newest = ask(box, query_calls.fills)[0]
    assert (newest["tradeId"], newest["subType"], newest["execType"]) == ("-1", "107", "")
    [moved] = box.told("balance_and_position")[-1]["data"]
    assert moved["eventType"] == "liquidation"


def test_a_deleveraging_is_known_by_its_category() -> None:
    box = liquidated("ADL")
    assert box.pushes()[-1]["category"] == "adl"
    assert ask(box, query_calls.fills)[0]["subType"] == "128"


def test_profit_and_fee_of_an_inverse_contract_are_in_coin() -> None:
    box = Box()
    wish = {"symbol": INVERSE, "price": INVERSE_PRICE}
    box.inverse.place_anonymous(an_order("SELL", "10", **wish))
    box.inverse.place(box.one, an_order("BUY", "10", **wish))
    doubled = {"symbol": INVERSE, "price": 2 * INVERSE_PRICE}
    box.inverse.place_anonymous(an_order("BUY", "10", **doubled))
    box.inverse.place(box.one, an_order("SELL", "10", **doubled))
    opened, closed = ask(box, query_calls.fills)[::-1]
    # 10 contracts of 100 USD: 1000 / 91000 coins at the entry, half of them at the exit
    assert Decimal(opened["fee"]) == Decimal("-0.000005494505")
    assert Decimal(closed["fillPnl"]) == Decimal("0.005494505495")
    assert {opened["feeCcy"], closed["feeCcy"]} == {"BTC"}


def test_an_amend_that_may_cancel_ends_the_order_when_it_fails() -> None:
    row = amend_failed(cancels_on_failure=True)["data"][0]
    assert (row["state"], row["amendResult"], row["code"]) == ("canceled", "1", "51511")


def test_an_amend_to_what_is_filled_ends_the_order_as_filled() -> None:
    box = partial_fill()
    order = box.linear.open_orders(box.one)[0]
    box.linear.amend(box.one, order, Change(quantity=Decimal(1)))
    row = box.pushes()[-1]
    assert (row["state"], row["accFillSz"], row["amendResult"]) == ("filled", "1.2", "0")
    assert not box.linear.open_orders(box.one)


def test_what_is_taken_at_one_price_is_one_item_of_the_lean_channel() -> None:
    box = Box()
    for _ in range(3):
        box.linear.place_anonymous(an_order("SELL", "1"))
    box.linear.place(box.one, an_order("BUY", "3"))
    [lean] = [document["data"][0] for document in box.told("fills")]
    assert (lean["count"], lean["fillSz"]) == ("3", "3")
    assert lean["tradeId"] == ask(box, query_calls.fills)[0]["tradeId"]


def test_a_reducing_order_is_cut_by_the_system_when_the_position_shrinks() -> None:
    box = Box()
    box.linear.place_anonymous(an_order("SELL", "4"))
    box.linear.place(box.one, an_order("BUY", "4"))
    box.linear.place(box.one, an_order("SELL", "4", price=PRICE + 5, reduce_only=True))
    box.linear.place_anonymous(an_order("BUY", "3"))
    box.linear.place(box.one, an_order("SELL", "3"))
    cut = box.pushes()[-1]
    assert (cut["amendSource"], cut["sz"], cut["reduceOnly"]) == ("4", "1", "true")
