"""Texts that many orders hold are kept once."""

import orjson

from processors.orders.order import Order
from processors.orders.stored_order import dumped, loaded
from tests.builders import a_report, everywhere, some_orders, take
from venues.venue import Profile


def two_orders() -> list[Order]:
    orders = some_orders()
    for number in ("71", "72"):
        texts = orjson.loads(b'["SOLUSDT", "isolated"]')  # new objects each time
        symbol, mode = map("".join, map(list, texts))
        take(orders, a_report(symbol=symbol, venue_order_id=number, margin_mode=mode))
    return list(orders.all())


def texts_of(order: Order) -> list[int]:
    return [id(order.symbol), id(order.term("margin_mode"))]


def test_orders_from_messages_share_them() -> None:
    one, other = two_orders()
    assert texts_of(one) == texts_of(other)


def test_orders_from_state_records_share_them() -> None:
    one, other = (
        loaded(orjson.loads(orjson.dumps(dumped(order))), everywhere(Profile()))
        for order in two_orders()
    )
    assert texts_of(one) == texts_of(other)
    assert one.record.replaced is other.record.replaced
