"""What executions mean for positions, however many come late."""

from collections.abc import Iterator
from decimal import Decimal

from processors.account.exposure import Exposure
from processors.account.positions import TAIL_MAX
from processors.orders.effects import FillRecorded
from processors.orders.order import Order
from tests.builders import an_execution, some_orders, take

COUNT = 4 * TAIL_MAX


class Passes:
    """Orders that count how often they were gone through."""

    def __init__(self, orders: list[Order]) -> None:
        self.orders = orders
        self.looks = 0

    def __iter__(self) -> Iterator[Order]:
        for order in self.orders:
            self.looks += 1
            yield order


def folded(numbers: list[int]) -> tuple[Exposure, Passes]:
    """Executions of as many orders, at venue times as numbered, in this order of arrival."""
    orders, exposure = some_orders(), Exposure()
    for number in numbers:
        event = an_execution(
            str(number), number + 1, venue_order_id=f"7{number:05}", venue_ns=number * 1_000,
            last_price=100 + number % 7,
        )  # fmt: skip
        for effect in take(orders, event):
            if isinstance(effect, FillRecorded):
                exposure.settle_home(effect.order)
                exposure.count(effect.order, effect.fill, effect.before)
    return exposure, Passes(list(orders.all()))


def test_a_list_that_comes_newest_first_costs_one_pass_over_the_orders() -> None:
    exposure, orders = folded(list(reversed(range(COUNT))))
    exposure.refresh(orders)
    assert orders.looks == COUNT
    (position,) = exposure.positions.values()
    assert position.now.net == Decimal(COUNT * (COUNT + 1) // 2)


def test_what_comes_in_its_order_costs_none() -> None:
    exposure, orders = folded(list(range(COUNT)))
    exposure.refresh(orders)
    assert orders.looks == 0


def test_either_way_gives_the_same_position() -> None:
    shown = []
    for numbers in (range(COUNT), reversed(range(COUNT))):
        exposure, orders = folded(list(numbers))
        exposure.refresh(orders)
        (position,) = exposure.positions.values()
        shown.append(position.view(unbounded=False))
    assert shown[0] == shown[1]
