"""State records of large orders: in pieces, loaded in any order, small steps write little."""

from random import Random

import orjson
import pytest

from processors.orders.fill_records import INLINE_MAX, parsed_key
from processors.orders.order import Order
from processors.orders.orders import Orders
from tests.builders import ORDER_KEY, a_bust, a_report, an_execution, some_orders, take, the_order
from tests.histories import content_of


def a_large_order(fills: int) -> Orders:
    orders = some_orders()
    take(orders, a_report(quantity="9999"))
    take(orders, *(an_execution(str(number), "0.1") for number in range(fills)))
    return orders


def loaded_again(orders: Orders, seed: int) -> Orders:
    keys = orders.state_keys()
    again = some_orders()
    for key in Random(seed).sample(keys, len(keys)):
        document = orders.dump_order(key)
        if document is not None:
            again.load_order(orjson.loads(orjson.dumps(document)))
    again.finish_load()
    return again


def test_a_large_order_comes_back_from_its_records_in_any_order_of_loading() -> None:
    orders = a_large_order(INLINE_MAX + 100)
    for seed in range(5):
        again = loaded_again(orders, seed)
        assert content_of(again) == content_of(orders)
        assert the_order(again).own.dump() == the_order(orders).own.dump()


def test_an_order_in_many_records_is_derived_once_when_they_are_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    orders = a_large_order(200)
    take(orders, a_report(venue_order_id=None))  # joined with it each time that it is derived
    derived: list[str] = []
    rebuild = Order.rebuild

    def counted(order: Order) -> None:
        derived.append(order.key)
        rebuild(order)

    monkeypatch.setattr(Order, "rebuild", counted)
    for seed in range(5):
        derived.clear()
        assert content_of(loaded_again(orders, seed)) == content_of(orders)
        assert len(derived) < 10


def test_one_more_execution_writes_as_much_however_many_there_are() -> None:
    sizes = []
    for fills in (INLINE_MAX + 1, 2_000):
        orders = a_large_order(fills)
        orders.take_dirty()
        take(orders, an_execution("new"))
        dirty = orders.take_dirty()
        assert len(dirty) == 2
        sizes.append(sum(len(orjson.dumps(orders.dump_order(key))) for key in dirty))
    assert abs(sizes[0] - sizes[1]) < 10


def test_an_order_that_becomes_large_writes_all_its_executions_once() -> None:
    orders = a_large_order(INLINE_MAX)
    assert orders.take_dirty() == [ORDER_KEY]
    take(orders, an_execution("one-more"))
    assert len(orders.take_dirty()) == INLINE_MAX + 2
    assert len(the_order(loaded_again(orders, 0)).fills()) == INLINE_MAX + 1


def test_joining_large_orders_leaves_no_record_of_the_retired_key() -> None:
    orders = a_large_order(INLINE_MAX)
    orders.take_dirty()
    later = a_report(venue_order_id="later", replaces="7700123")
    take(orders, an_execution("x", venue_order_id="later"), later)
    gone = [key for key in orders.take_dirty() if orders.dump_order(key) is None]
    assert {parsed_key(key)[0].rpartition("/")[2] for key in gone} >= {"later"}
    assert content_of(loaded_again(orders, 1)) == content_of(orders)


def test_a_key_with_the_mark_is_an_executions() -> None:
    assert parsed_key(f"{ORDER_KEY}\n07") == (ORDER_KEY, "07")
    assert parsed_key(ORDER_KEY) == (ORDER_KEY, None)


def test_what_an_order_is_follows_from_the_set_of_its_executions() -> None:
    fills = [an_execution(str(number), "0.1") for number in range(9)]
    busts = [a_bust("3"), a_bust("5")]
    one, other = some_orders(), some_orders()
    take(one, a_report(quantity="9999"), *fills, *busts)
    take(other, *reversed(busts), *reversed(fills), a_report(quantity="9999"), *fills)
    assert the_order(one).content() == the_order(other).content()
    take(one, a_bust("7"))
    assert the_order(one).content() != the_order(other).content()
