"""The book conserves what it matches, is never crossed, and keeps each order's terms."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.matching import Accepted, Book, Closed, Event, Order, Prevented, Traded, WouldTake

OWNERS = ("", "a", "b")
MODES = ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT")


def an_order(number: int = 1, side: str = "BUY", **changes: object) -> Order:
    plain: dict[str, object] = {
        "order_id": number,
        "owner": "",
        "symbol": "S",
        "side": side,
        "order_type": "LIMIT",
        "time_in_force": "GTC",
        "price": Decimal(100),
        "quantity": Decimal(5),
    }
    return Order(**(plain | changes))  # type: ignore[arg-type]  # fields by name


def submit(book: Book, order: Order, *, is_post_only: bool = False) -> list[Event]:
    return list(book.submit(order, is_post_only=is_post_only))


orders = st.lists(
    st.fixed_dictionaries(
        {
            "side": st.sampled_from(("BUY", "SELL")),
            "price": st.integers(95, 105).map(Decimal),
            "quantity": st.integers(1, 9).map(Decimal),
            "owner": st.sampled_from(OWNERS),
            "time_in_force": st.sampled_from(("GTC", "GTC", "IOC", "FOK")),
            "order_type": st.sampled_from(("LIMIT", "LIMIT", "LIMIT", "MARKET")),
            "self_trade_mode": st.sampled_from(MODES),
        }
    ),
    max_size=40,
)


@given(orders)
def test_quantities_are_conserved_and_the_book_is_never_crossed(
    rows: list[dict[str, Any]],
) -> None:
    book, taken = Book(), []
    for number, row in enumerate(rows):
        order = an_order(number, **row)
        taken.append(order)
        events = submit(book, order)
        traded = sum(event.quantity for event in events if isinstance(event, Traded))
        assert traded == order.filled
        best_bid, best_ask = book.bids.best(), book.asks.best()
        if best_bid and best_ask:
            assert best_bid.price < best_ask.price
    bought, sold = (
        sum(order.filled for order in taken if order.side == side) for side in ("BUY", "SELL")
    )
    assert bought == sold
    resting = {order.order_id for side in (book.bids, book.asks) for order in side}
    for order in taken:
        assert 0 <= order.filled + order.prevented <= order.quantity
        assert order.is_open == (order.order_id in resting)
        assert not order.is_open or order.remaining > 0


def test_at_one_price_the_order_that_came_first_trades_first() -> None:
    book, first, second = Book(), an_order(1), an_order(2)
    submit(book, first)
    submit(book, second)
    submit(book, an_order(3, "SELL", quantity=Decimal(6)))
    assert (first.filled, second.filled) == (Decimal(5), Decimal(1))


def test_a_trade_happens_at_the_makers_price() -> None:
    book = Book()
    submit(book, an_order(1, "SELL", price=Decimal(99)))
    [_, trade] = submit(book, an_order(2, price=Decimal(101)))
    assert isinstance(trade, Traded)
    assert trade.price == 99


def test_what_is_left_of_an_ioc_order_expires() -> None:
    book = Book()
    submit(book, an_order(1, "SELL", quantity=Decimal(2)))
    order = an_order(2, time_in_force="IOC")
    assert isinstance(submit(book, order)[-1], Closed)
    assert (order.status, order.filled, order.reason) == ("EXPIRED", Decimal(2), "IOC")


def test_a_fok_order_that_cannot_trade_in_full_trades_nothing() -> None:
    book = Book()
    submit(book, an_order(1, "SELL", quantity=Decimal(2)))
    order = an_order(2, time_in_force="FOK")
    kinds = [type(event) for event in submit(book, order)]
    assert kinds == [Accepted, Closed]
    assert order.filled == 0


@pytest.mark.parametrize(
    ("mode", "filled"),
    [("EXPIRE_MAKER", 5), ("EXPIRE_TAKER", 0), ("EXPIRE_BOTH", 0), ("DECREMENT", 0), ("NONE", 5)],
)
def test_a_fok_order_beside_ones_own_trades_in_full_or_not_at_all(mode: str, filled: int) -> None:
    book = Book()
    for number, owner in enumerate(("b", "a", "b"), 1):
        submit(book, an_order(number, "SELL", quantity=Decimal(3), owner=owner))
    order = an_order(4, quantity=Decimal(5), owner="a", time_in_force="FOK", self_trade_mode=mode)
    submit(book, order)
    assert (order.filled, order.prevented, order.is_open) == (Decimal(filled), Decimal(0), False)


def test_a_post_only_order_that_would_take_never_exists() -> None:
    book = Book()
    submit(book, an_order(1, "SELL"))
    with pytest.raises(WouldTake):
        submit(book, an_order(2), is_post_only=True)
    assert book.bids.best() is None


@pytest.mark.parametrize(
    ("mode", "maker", "taker"),
    [
        ("EXPIRE_TAKER", "NEW", "EXPIRED_IN_MATCH"),
        ("EXPIRE_MAKER", "EXPIRED_IN_MATCH", "NEW"),
        ("EXPIRE_BOTH", "EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH"),
        ("NONE", "FILLED", "FILLED"),
        ("DECREMENT", "EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH"),
    ],
)
def test_a_mode_of_self_trade_prevention_ends_whom_it_names(
    mode: str, maker: str, taker: str
) -> None:
    book, resting = Book(), an_order(1, "SELL", owner="a")
    submit(book, resting)
    coming = an_order(2, owner="a", self_trade_mode=mode)
    events = submit(book, coming)
    assert (resting.status, coming.status) == (maker, taker)
    ended = [event for event in events if isinstance(event, Prevented)]
    assert len(ended) == (maker, taker).count("EXPIRED_IN_MATCH")


def test_an_order_reduced_in_place_keeps_its_turn() -> None:
    book, first, second = Book(), an_order(1), an_order(2)
    submit(book, first)
    submit(book, second)
    book.reduce(first, Decimal(3))
    submit(book, an_order(3, "SELL", quantity=Decimal(3)))
    assert (first.status, second.filled) == ("FILLED", Decimal(0))


def test_an_order_with_a_new_price_loses_its_turn_and_may_trade_at_once() -> None:
    book, order = Book(), an_order(1)
    submit(book, order)
    submit(book, an_order(2, "SELL", price=Decimal(101)))
    list(book.replace(order, Decimal(101), Decimal(6)))
    outcome = (order.status, order.filled, order.remaining)
    assert outcome == ("PARTIALLY_FILLED", Decimal(5), Decimal(1))


def test_a_cancelled_order_leaves_the_book() -> None:
    book, order = Book(), an_order(1)
    submit(book, order)
    book.cancel(order)
    assert order.status == "CANCELED"
    assert book.bids.best() is None
