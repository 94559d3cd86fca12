"""What executions mean for positions, however many come late."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from orderloom.event import Fee, OrderReport
from orderloom.fill import Fill
from orderloom.words import PositionSide, Side, Status
from processors.account.exposure import Exposure
from processors.account.positions import TAIL_MAX
from processors.orders.effects import FillRecorded, KeyRetired
from processors.orders.fill_document import fill_document
from processors.orders.order import Order
from processors.orders.orders import Orders
from tests.builders import a_report, an_execution, an_origin, some_orders, take
from tests.processors.account.restoring import reloaded

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


def fold(exposure: Exposure, orders: Orders, event: Any) -> None:
    """One event, as the account's state folds it."""
    for effect in take(orders, event):
        exposure.settle_home(effect.order)
        if isinstance(effect, FillRecorded):
            exposure.count(effect.order, effect.fill, effect.before)


def a_mode(order_id: str) -> OrderReport:
    """A report from which the order's margin mode becomes known."""
    return a_report(
        venue_order_id=order_id, client_order_id=None, margin_mode="cross", venue_ns=12_000
    )


def folded(numbers: list[int]) -> tuple[Exposure, Passes]:
    """Executions of as many orders, at venue times as numbered, in this order of arrival."""
    orders, exposure = some_orders(), Exposure()
    for number in numbers:
        event = an_execution(
            str(number), number + 1, venue_order_id=f"7{number:05}", venue_ns=number * 1_000,
            last_price=100 + number % 7,
        )  # fmt: skip
        fold(exposure, orders, event)
    return exposure, Passes(list(orders.all()))


def test_several_fees_of_one_execution_reach_its_record_its_order_and_its_position() -> None:
    orders, exposure = some_orders(), Exposure()
    fees = (Fee("GT", Decimal("0.2")), Fee("POINT", Decimal(1)), Fee("GT", Decimal("0.1")))
    event = an_execution(more_fees=fees)
    (recorded,) = [one for one in take(orders, event) if isinstance(one, FillRecorded)]
    document = fill_document(recorded.order, recorded, an_origin())
    assert document["more_fees"] == {"GT": "0.3", "POINT": "1"}
    identity = {"account": "a", "sequence": 1, "epoch": 0, "cause": an_origin().cause}
    assert Fill.model_validate(document | identity).more_fees["GT"] == Decimal("0.3")
    held = {"SOL": Decimal("0.0015"), "GT": Decimal("0.3"), "POINT": Decimal(1)}
    assert recorded.order.record.totals.fees == held
    exposure.settle_home(recorded.order)
    position = exposure.count(recorded.order, recorded.fill, None)
    assert position.fees == held
    assert "more_fees" not in fill_document(*_plain_fill(), an_origin())


def _plain_fill() -> tuple[Order, FillRecorded]:
    effects = take(some_orders(), an_execution())
    (recorded,) = [one for one in effects if isinstance(one, FillRecorded)]
    return recorded.order, recorded


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


# ---- openings: position = what was held then, and the executions that it does not contain


def opened(numbers: list[int], floor_ns: int, at_ns: int, more: int) -> tuple[Exposure, Passes]:
    """Executions, and then the opening: `more` was held beyond them at `at_ns`."""
    exposure, orders = folded(numbers)
    held = {}
    for position in exposure.positions.values():
        sums = position.sums_at(at_ns)
        assert sums is not None
        sums.net += more
        held[position.key] = (at_ns, sums)
    exposure.open("spot", floor_ns, held, orders)
    return exposure, orders


def test_an_opening_contains_what_has_left_the_tail_too() -> None:
    exposure, orders = opened(list(range(COUNT)), 3_000, COUNT * 1_000, more=1_000)
    (position,) = exposure.positions.values()
    net = 1_000 + COUNT * (COUNT + 1) // 2
    assert position.now.net == net
    exposure.stale.add(position.key)
    exposure.refresh(orders)
    assert position.now.net == net


def test_an_execution_that_moves_to_another_position_stays_in_the_opening_that_contains_it() -> (
    None
):
    orders, exposure = some_orders(), Exposure()
    young, old, later = (
        an_execution(f"e{name}", 1, venue_order_id=name, venue_ns=at_ns)
        for name, at_ns in (("1", 9_000), ("2", 2_000), ("3", 11_000))
    )
    for event in (young, old):
        fold(exposure, orders, event)
    (position,) = exposure.positions.values()
    sums = position.sums_at(10_000)
    assert sums is not None
    sums.net += 5
    exposure.open("spot", 3_000, {position.key: (10_000, sums)}, orders.all())
    fold(exposure, orders, later)
    for name in ("1", "2", "3"):
        fold(exposure, orders, a_mode(name))
    exposure.refresh(orders.all())
    nets = {position.margin_mode: position.now.net for position in exposure.positions.values()}
    assert nets == {None: 7, "cross": 1}


def test_executions_from_before_the_opening_count_in_no_position_that_is_made_later() -> None:
    exposure = Exposure()
    exposure.open("spot", 3_000, {}, ())
    orders = some_orders()
    for name, at_ns in (("1", 2_999), ("2", 3_000), ("3", 3_001)):
        fold(exposure, orders, an_execution(f"e{name}", 1, venue_order_id=name, venue_ns=at_ns))
    exposure.refresh(orders.all())
    (position,) = exposure.positions.values()
    assert position.now.net == 1


# ---- orders that close whatever is held by then


def banded(*events: Any) -> tuple[Decimal, Decimal, bool]:
    """The band of the only position after these events, saved and restored on the way."""
    orders, exposure = some_orders(), Exposure()
    for event in events:
        for effect in take(orders, event):
            exposure.settle_home(effect.order)
            if isinstance(effect, FillRecorded):
                exposure.count(effect.order, effect.fill, effect.before)
            elif isinstance(effect, KeyRetired):
                exposure.retire(effect.key)
            exposure.weigh(effect.order)
    (position,) = exposure.positions.values()
    restored = reloaded(position)
    assert restored.view(unbounded=False) == position.view(unbounded=False)
    view = position.view(unbounded=False)
    return Decimal(view["low"]), Decimal(view["high"]), view["unbounded"]


def a_close(side: Side, status: Status = Status.WAITING_TRIGGER) -> OrderReport:
    """An order that closes what is held when it triggers: it has no quantity."""
    return a_report(status, venue_order_id="9", quantity=None, side=side, close_position=True)


HELD = an_execution("1", 3)
OTHERS = (
    a_report(venue_order_id="7", quantity="5", side=Side.SELL),
    a_report(venue_order_id="8", quantity="2", side=Side.BUY),
)


def test_an_order_that_closes_what_is_held_takes_the_band_to_nothing_and_no_further() -> None:
    filled = a_report(Status.CANCELED)
    assert banded(HELD, filled, a_close(Side.SELL)) == (Decimal(0), Decimal(3), False)
    assert banded(HELD, filled, a_close(Side.BUY)) == (Decimal(3), Decimal(3), False)
    assert banded(HELD, filled, a_close(Side.SELL), *OTHERS) == (Decimal(-5), Decimal(5), False)


def test_its_end_gives_the_band_back() -> None:
    ended = a_close(Side.SELL, Status.CANCELED)
    assert banded(HELD, a_report(Status.CANCELED), a_close(Side.SELL), ended) == (
        Decimal(3),
        Decimal(3),
        False,
    )


def test_the_order_that_it_becomes_has_a_quantity_like_any_other() -> None:
    became = a_report(
        Status.ACTIVE, venue_order_id="10", alias_ids=("9",), quantity="3", side=Side.SELL,
        close_position=True,
    )  # fmt: skip
    assert banded(HELD, a_report(Status.CANCELED), a_close(Side.SELL), became) == (
        Decimal(0),
        Decimal(3),
        False,
    )


def test_while_one_part_of_what_it_becomes_is_known_another_may_close_the_rest() -> None:
    part = a_report(
        Status.FILLED, venue_order_id="10", alias_ids=("9",), quantity="1", filled_quantity="1",
        side=Side.SELL, close_position=True, is_part=True, client_order_id=None,
    )  # fmt: skip
    sold = an_execution("2", 1, venue_order_id="10", side=Side.SELL, client_order_id=None)
    known = (HELD, a_report(Status.CANCELED), a_close(Side.SELL), part, sold)
    assert banded(*known) == (Decimal(0), Decimal(2), False)
    assert banded(*known, replace(part, is_part=False)) == (Decimal(2), Decimal(2), False)


def test_without_its_side_or_with_another_reason_to_have_no_quantity_there_is_no_bound() -> None:
    unknown = a_report(Status.ACTIVE, venue_order_id="9", quantity=None, side=Side.SELL)
    assert banded(HELD, a_report(Status.CANCELED), unknown)[2]
    sideless = a_report(venue_order_id="9", quantity=None, side=None, close_position=True)
    assert banded(HELD, a_report(Status.CANCELED), sideless)[2]


@pytest.mark.parametrize(("leg", "adds"), [("LONG", Side.BUY), ("SHORT", Side.SELL)])
def test_an_order_that_would_close_a_leg_by_adding_to_it_leaves_no_bound(
    leg: str, adds: Side
) -> None:
    closes = Side.SELL if adds is Side.BUY else Side.BUY
    for side, is_unbounded in ((adds, True), (closes, False)):
        close = replace(a_close(side), position_side=PositionSide(leg))
        assert banded(close)[2] is is_unbounded
