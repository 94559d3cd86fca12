"""Seeded histories: arrival, repetition and cuts decide nothing; what is published adds up."""

from decimal import Decimal
from random import Random

from orderloom.words import FillKind, Side
from processors.orders.effects import FillRecorded, KeyRetired
from processors.orders.order import Order
from processors.orders.orders import Orders
from processors.orders.tracks.fills import HeldFill
from tests.builders import an_execution, an_origin, some_orders
from tests.histories import (
    Piece,
    a_history,
    content_of,
    cut,
    evidence_of,
    folded,
    repeated,
    shuffled,
)

SEEDS = 150


def arrivals(seed: int) -> list[list[Piece]]:
    random, history = Random(seed), a_history(seed)
    return [history, *(shuffled(repeated(history, random), random) for _ in range(3))]


def test_every_arrival_gives_the_same_content_and_the_same_evidence() -> None:
    for seed in range(SEEDS):
        first, *others = [folded(pieces) for pieces in arrivals(seed)]
        for other in others:
            assert content_of(other) == content_of(first), seed
            assert evidence_of(other) == evidence_of(first), seed


def test_a_cut_into_two_runs_changes_nothing_but_what_arrival_decides() -> None:
    for seed in range(SEEDS):
        random, history = Random(seed), shuffled(a_history(seed), Random(seed))
        whole = folded(history)
        parts = cut(history, random.randrange(len(history) + 1), random)
        assert content_of(parts) == content_of(whole), seed
        assert evidence_of(parts) == evidence_of(whole), seed
        versions = {order.key: order.version for order in whole.all()}
        assert {order.key: order.version for order in parts.all()} == versions, seed


def test_a_second_delivery_of_everything_publishes_nothing() -> None:
    for seed in range(SEEDS):
        history = a_history(seed)
        orders = folded(history)
        for event, origin in history:
            effects = orders.apply(event, origin)
            assert not [one for one in effects if isinstance(one, FillRecorded | KeyRetired)], seed


def effects_of(orders: Orders, pieces: list[Piece]) -> list[tuple[object, ...]]:
    """What these pieces did, in the order in which it is published."""
    return [
        (type(one).__name__, one.order.key, one.order.version, getattr(one, "fill", None))
        for piece in pieces
        for one in orders.apply(*piece)
    ]


def test_after_a_restart_the_same_is_published_in_the_same_order() -> None:
    for seed in range(SEEDS):
        random = Random(seed)
        history = shuffled(a_history(seed), random)
        place = random.randrange(len(history) + 1)
        straight = effects_of(folded(history[:place]), history[place:])
        again = effects_of(cut(history[:place], place, random), history[place:])
        assert again == straight, seed


class Consumer:
    """Reads what is published as a consumer would: fills add up to positions, keys come and go."""

    def __init__(self) -> None:
        self.net = Decimal(0)
        self.fills: dict[tuple[str, str], HeldFill] = {}
        self.versions: dict[str, int] = {}

    def read(self, orders: Orders, piece: Piece) -> None:
        for effect in orders.apply(*piece):
            if isinstance(effect, FillRecorded):
                self.record(effect)
            elif isinstance(effect, KeyRetired):
                assert effect.version > self.versions.pop(effect.key, 0)
        for order in orders.all():
            assert order.version >= self.versions.get(order.key, 0)
            self.versions[order.key] = order.version

    def record(self, effect: FillRecorded) -> None:
        if effect.kind is FillKind.REAL:
            assert effect.before is None
        if effect.before is not None and not effect.before.is_busted:
            self.net -= signed(effect.before, effect.order)
        if effect.kind is not FillKind.BUST:
            self.net += signed(effect.fill, effect.order)


def signed(fill: HeldFill, order: Order) -> Decimal:
    quantity = fill.last_quantity or Decimal(0)
    return quantity if (fill.side or order.side) is Side.BUY else -quantity


def test_the_fills_that_are_published_add_up_to_the_fills_that_are_kept() -> None:
    for seed in range(SEEDS):
        for pieces in arrivals(seed):
            orders, consumer = some_orders(), Consumer()
            for piece in pieces:
                consumer.read(orders, piece)
            assert consumer.net == sum(order.net() for order in orders.all()), seed
            assert set(consumer.versions) == {order.key for order in orders.all()}, seed


def test_the_executed_quantity_never_falls_but_by_a_bust_or_a_correction() -> None:
    for seed in range(SEEDS):
        orders = some_orders()
        for event, origin in a_history(seed):
            if event.venue_order_id is None:
                continue  # it may move from one order to another
            before = {order.key: order.executed for order in orders.all()}
            orders.apply(event, origin)
            if getattr(event, "kind", FillKind.REAL) is FillKind.REAL:
                for order in orders.all():
                    assert order.executed >= before.get(order.key, 0), seed


def test_an_order_with_ten_thousand_fills_is_kept_whole() -> None:
    orders = some_orders()
    for number in range(10_000):
        orders.apply(an_execution(str(number), "0.1"), an_origin())
    (order,) = orders.all()
    assert order.net() == Decimal(1_000)
