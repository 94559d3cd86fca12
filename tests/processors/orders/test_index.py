"""Who is open is noted as orders change, and is what a walk over all of them would find."""

from random import Random

from processors.orders.orders import Orders
from tests.builders import some_orders
from tests.histories import Piece, a_history, cut, folded, repeated, shuffled

SEEDS = 60


def found_by_a_walk(orders: Orders) -> list[str]:
    return sorted(order.key for order in orders.all() if order.is_open)


def found(orders: Orders) -> list[str]:
    return [order.key for order in orders.open_orders()]


def arrivals(seed: int) -> list[Piece]:
    random = Random(seed)
    return shuffled(repeated(a_history(seed), random), random)


def test_after_each_piece_of_evidence_the_open_ones_are_those_of_a_walk() -> None:
    saw_any = False
    for seed in range(SEEDS):
        orders = some_orders()
        for number, piece in enumerate(arrivals(seed)):
            folded([piece], orders)
            assert found(orders) == found_by_a_walk(orders), (seed, number)
            saw_any |= bool(found(orders))
            if number % 3 == 0:  # a step ends: what changed is saved
                orders.take_dirty()
    assert saw_any


def test_after_a_restart_too() -> None:
    for seed in range(SEEDS):
        pieces, random = arrivals(seed), Random(seed)
        orders = cut(pieces, random.randrange(len(pieces) + 1), random)
        assert found(orders) == found_by_a_walk(orders), seed
