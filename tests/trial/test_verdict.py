"""The verdict finds each kind of fault: a judge that cannot say no is none."""

from dataclasses import replace
from typing import Any

import pytest

from orderloom.fill import Fill
from orderloom.order import OrderState
from orderloom.position import Position
from trial.bands import broken_bands
from trial.verdict import Published, is_clean, judge

ACCOUNT = "binance:main"
KEY = f"{ACCOUNT}/spot/BTCUSDT/7"
CAUSE = {"topic": "raw.binance", "partition": 0, "offset": 5, "place": 0}
PLACE = {"product": "spot", "symbol": "BTCUSDT"}
SHOWN = {"account": ACCOUNT, **PLACE, "sequence": 1, "epoch": 0, "cause": CAUSE}


def a_fill(**fields: Any) -> Fill:
    plain = {
        **SHOWN, "kind": "REAL", "order_key": KEY, "execution_key": "spot/BTCUSDT/9/7",
        "exec_id": "9", "venue_order_id": "7", "side": "BUY", "price": "100", "quantity": "2",
        "fee": "0.1", "fee_currency": "USDT", "source": "stream",
    }  # fmt: skip
    return Fill.model_validate(plain | fields)


def an_order(**fields: Any) -> OrderState:
    plain = {
        **SHOWN, "key": KEY, "venue_order_id": "7", "status": "FILLED", "lifecycle": "FILLED",
        "completeness": "COMPLETE", "trust": "OBSERVED", "filled_quantity": "2", "version": 1,
        "first_cause": CAUSE,
    }  # fmt: skip
    return OrderState.model_validate(plain | fields)


def a_position(**fields: Any) -> Position:
    plain = {
        **SHOWN, "position_side": "NET", "net": "2", "low": "2", "high": "2", "unbounded": False,
        "version": 1,
    }  # fmt: skip
    return Position.model_validate(plain | fields)


def published(**changes: Any) -> Published:
    found = Published(orders={KEY: an_order()})
    found.take_fill(a_fill())
    found.take_position(a_position())
    return replace(found, **changes)


def truth(**changes: Any) -> dict[str, Any]:
    fill = {
        **PLACE, "exec_id": "9", "venue_order_id": "7", "side": "BUY", "price": "100.00",
        "quantity": "2.0", "fee": "0.10", "fee_currency": "USDT", "position_side": None,
        "dropped": False, "blind": False, "in_flight": False,
    }  # fmt: skip
    order = {**PLACE, "venue_order_id": "7", "status": "FILLED", "filled": "2.00"}
    books = {"orders": [order], "fills": [fill], "positions": []} | changes
    return {"messages": 3, "accounts": {ACCOUNT: books}}


def test_equal_books_are_clean() -> None:
    assert is_clean(judge(published(), truth()))


def test_nothing_at_all_is_not_clean() -> None:
    assert not is_clean(judge(Published(), truth(orders=[], fills=[])))


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({"fills": {}}, "fills_lost"),
        ({"doubled": [("a", "b", "c", "d", None)]}, "fills_doubled"),
        ({"orders": {}}, "wrong_states"),
        ({"orders": {KEY: an_order(status="ACTIVE")}}, "wrong_states"),
        ({"orders": {KEY: an_order(filled_quantity="1")}}, "wrong_states"),
        ({"orders": {KEY: an_order(), "ghost": an_order(key="ghost")}}, "wrong_states"),
        ({"positions": {}}, "wrong_positions"),
        ({"open_blind": 1}, "open_blind_intervals"),
    ],
)
def test_each_fault_is_counted_and_not_clean(changes: dict[str, Any], count: str) -> None:
    verdict = judge(published(**changes), truth())
    assert verdict[count] == 1
    assert not is_clean(verdict)


@pytest.mark.parametrize("wrong", [{"price": "101"}, {"fee": "0.2"}, {"fee_currency": "BNB"}])
def test_a_fill_of_other_content_is_wrong(wrong: dict[str, Any]) -> None:
    found = Published(orders={KEY: an_order()})
    found.take_fill(a_fill(**wrong))
    found.take_position(a_position())
    assert judge(found, truth())["fills_wrong"] == 1


@pytest.mark.parametrize(
    ("fill", "is_unpriced", "wrong"),
    [
        ({"fee": None, "fee_currency": None, "source": "query"}, True, 0),
        ({"fee": None, "fee_currency": None, "source": "query"}, False, 1),
        ({"fee": None, "fee_currency": None, "source": "stream"}, True, 1),
        ({"fee": "0.2", "source": "query"}, True, 1),
    ],
)
def test_only_a_fee_that_no_answer_says_may_be_unknown(
    fill: dict[str, Any], is_unpriced: bool, wrong: int
) -> None:
    found = Published(orders={KEY: an_order()})
    found.take_fill(a_fill(**fill))
    found.take_position(a_position())
    true = truth()
    true["accounts"][ACCOUNT]["fills"][0]["unpriced"] = is_unpriced
    assert judge(found, true)["fills_wrong"] == wrong


def test_the_same_execution_published_twice_as_real_is_doubled() -> None:
    found = published()
    found.take_fill(a_fill())
    assert judge(found, truth())["fills_doubled"] == 1


def test_a_correction_is_no_double() -> None:
    found = published()
    found.take_fill(a_fill(kind="CORRECTION"))
    assert is_clean(judge(found, truth()))


def test_a_band_that_does_not_hold_the_venues_sum_is_broken() -> None:
    found = published()
    found.take_position(a_position(net="1", low="1", high="1.5"))
    assert len(list(broken_bands(found, truth()))) == 1


def test_a_band_counts_only_orders_known_at_its_cause() -> None:
    found = Published(orders={KEY: an_order()})
    earlier = CAUSE | {"offset": 4}
    found.take_position(a_position(net="0", low="0", high="0", cause=earlier))
    assert not list(broken_bands(found, truth()))


@pytest.mark.parametrize(("offset", "broken"), [(8, 0), (9, 1)])
def test_what_the_venue_reported_after_the_orders_end_counts_from_then_on(
    offset: int, broken: int
) -> None:
    found = Published(orders={KEY: an_order()})
    found.take_fill(a_fill(cause=CAUSE | {"offset": 9}))
    found.take_position(a_position(net="0", low="0", high="0", cause=CAUSE | {"offset": offset}))
    books = truth()
    books["accounts"][ACCOUNT]["fills"][0]["late"] = True
    assert len(list(broken_bands(found, books))) == broken


def test_an_unbounded_band_promises_nothing() -> None:
    found = published()
    found.take_position(a_position(net="9", low="9", high="9", unbounded=True))
    assert not list(broken_bands(found, truth()))


def test_what_moved_to_another_margin_mode_is_compared_as_one_leg() -> None:
    found = Published(orders={KEY: an_order()})
    found.take_fill(a_fill())
    found.take_position(a_position())
    found.take_position(a_position(margin_mode="cross"))  # told once before it left the other
    found.take_position(a_position(net="0", low="0", high="0"))
    assert not list(broken_bands(found, truth()))
    assert is_clean(judge(found, truth()))


@pytest.mark.parametrize("net", ["1", "2"])
def test_what_two_margin_modes_hold_together_may_not_exceed_the_books(net: str) -> None:
    found = published()
    found.take_position(a_position(margin_mode="cross", net=net, low=net, high=net))
    assert len(list(broken_bands(found, truth()))) == 1
    assert judge(found, truth())["wrong_positions"] == 1


def test_what_was_healed_is_counted_by_its_cause() -> None:
    found = Published(orders={KEY: an_order()})
    found.take_fill(a_fill(source="query"))
    books = truth()
    books["accounts"][ACCOUNT]["fills"][0]["dropped"] = True
    assert judge(found, books)["healed_by_cause"] == {"dropped": 1}
    books["accounts"][ACCOUNT]["fills"][0] |= {"dropped": False, "nameless": True}
    assert judge(found, books)["healed_by_cause"] == {"nameless": 1}
