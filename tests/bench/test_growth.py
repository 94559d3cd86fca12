"""The bench of what grows: what it feeds is what a venue says, and its verdicts follow from it."""

import pytest

from bench.growth import (
    Cost,
    CycleCost,
    Row,
    accounts_of_a_partition,
    cycles_of,
    ended_orders,
    fills_of_one_order,
    open_orders,
    positions_of_an_account,
    with_open_orders,
)
from bench.plain_account import NOW_NS


def a_cost(us: float) -> Cost:
    return Cost(us, 0.0, 0.0, 0)


def test_a_row_is_met_where_the_last_size_costs_little_more_than_the_first() -> None:
    assert Row("one", {1: a_cost(100), 2: a_cost(500), 3: a_cost(120)}).is_met
    assert not Row("one", {1: a_cost(100), 3: a_cost(121)}).is_met


def test_a_cycle_is_met_by_its_time_and_by_what_it_writes_of_orders() -> None:
    def a_cycle(cpu_ms: float, of_orders: int) -> CycleCost:
        return CycleCost(5_000, 0, cpu_ms, cpu_ms, of_orders + 20, 9_000, 6, others=20)

    assert a_cycle(25.0, 2).is_met
    assert not a_cycle(25.1, 2).is_met
    assert not a_cycle(25.0, 3).is_met


def test_each_thing_that_grows_is_measured_at_each_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.growth.STEPS", 20)
    sizes = (1, 20)
    rows = [
        fills_of_one_order(sizes),
        accounts_of_a_partition(sizes),
        *positions_of_an_account(sizes),
        open_orders(sizes),
        *ended_orders((0, 20)),
    ]
    for row in rows:
        assert list(row.costs) in ([1, 20], [0, 20])
        assert all(cost.total_us > 0 for cost in row.costs.values()), row.name


def test_a_cycle_answers_every_question_and_leaves_all_orders_open() -> None:
    meter, account = with_open_orders(30)
    _, found = cycles_of(meter, account, 30, NOW_NS)
    state = meter.partition.accounts[account.name]
    assert (found.open, found.ended) == (30, 0)
    assert state.is_synced
    assert not state.look_ups.reconciliation.targets.by_name
