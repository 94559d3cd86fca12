"""Positions are the sum of what was traded, and profit is what closing brought."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from simulator.accounts import Position


def test_closing_a_part_of_a_long_realizes_its_part_of_the_profit() -> None:
    position = Position()
    position.apply(Decimal(4), Decimal(100))
    assert position.apply(Decimal(-1), Decimal(110)) == 10
    assert (position.amount, position.entry) == (Decimal(3), Decimal(100))


def test_an_execution_that_turns_a_position_opens_the_rest_at_its_own_price() -> None:
    position = Position()
    position.apply(Decimal(-2), Decimal(100))
    assert position.apply(Decimal(5), Decimal(90)) == 20
    assert (position.amount, position.entry) == (Decimal(3), Decimal(90))


@given(st.lists(st.tuples(st.integers(-9, 9).filter(bool), st.integers(1, 99)), max_size=30))
def test_a_position_is_the_sum_of_its_executions(rows: list[tuple[int, int]]) -> None:
    position = Position()
    profits = [position.apply(Decimal(change), Decimal(price)) for change, price in rows]
    assert position.amount == sum(change for change, _ in rows)
    assert position.realized == sum(profits)
    assert (position.entry == 0) == (position.amount == 0)
