"""Seeded evidence about orders that may be one: positions add up, and a restart changes nothing."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any

from orderloom.event import Cause, Event, Origin
from orderloom.words import FillKind, PositionSide, Side, Source, Status
from processors.account.account import AccountFold
from processors.orders.order import Order
from tests.builders import PLACE, a_report, an_execution
from tests.processors.partition_lab import ACCOUNT, NOW, Run, a_partition

SEEDS, STEPS = 25, 30
SIDES = [Side.BUY, Side.SELL]
STATUSES = [Status.ACTIVE, Status.WAITING_TRIGGER, Status.CANCELED, Status.FILLED, None]


def say(run: Run, number: int, events: Sequence[Event], source: Source = Source.STREAM) -> None:
    """One message, a step."""
    run.partition.due_ns()  # after a restart all is put together
    account = run.partition.account(ACCOUNT)
    cause, asked_ns = Cause("raw.binance", 0, number), NOW if source is Source.QUERY else None
    account.begin(cause, NOW + number)
    account.take_events(events, Origin(ACCOUNT, source, cause, NOW + number, asked_ns))
    run.step(None, NOW + number)


def any_evidence(random: Random) -> Event:
    """Of four orders that may be one, two client ids, and executions of several legs."""
    ids, at = ["7", "8", "9", "10"], random.randrange(1, 80)
    named: dict[str, Any] = {
        "product": "linear",
        "venue_order_id": random.choice([*ids, *ids, None]),
        "client_order_id": random.choice(["c1", "c2", None, None]),
        "side": random.choice([*SIDES, None]),
        "position_side": random.choice([None, None, PositionSide.LONG, PositionSide.SHORT]),
        "margin_mode": random.choice([None, None, "cross"]),
        "venue_ns": at,
    }
    if random.random() < 0.6:
        kinds = [*[FillKind.REAL] * 8, FillKind.CORRECTION, FillKind.BUST]
        exec_id, fee = str(random.randrange(100, 130)), random.choice([None, "0.1"])
        return an_execution(
            exec_id, random.choice([1, 2, None]), kind=random.choice(kinds), fee=fee, **named
        )
    chain: dict[str, Any] = {}
    if named["venue_order_id"] is not None and random.random() < 0.4:
        of_parts = {"alias_ids": (random.choice(ids),), "is_part": random.random() < 0.5}
        chain = random.choice([{"replaces": random.choice(ids)}, of_parts])
    quantity = random.choice([None, random.randrange(5, 60)])
    return a_report(
        random.choice(STATUSES), quantity=quantity, filled_quantity=random.randrange(40),
        ordinal=(at, 0), **named, **chain,
    )  # fmt: skip


def place_of(order: Order) -> str:
    side = order.term("position_side") or PositionSide.NET
    return f"{order.product}/{order.symbol}/{side}/{order.term('margin_mode') or ''}"


def net_of(order: Order) -> Decimal:
    net = Decimal(0)
    for fill in order.fills():
        side = fill.side or order.side
        if not fill.is_busted and side is not None and fill.last_quantity is not None:
            net += fill.last_quantity if side is Side.BUY else -fill.last_quantity
    return net


def check_positions(account: AccountFold, hint: object) -> None:
    """Each position is what its orders say, and its band what they may still do."""
    nets: dict[str, Decimal] = {}
    bands: dict[str, list[Decimal]] = {}
    for order in account.orders.all():
        key, leaves = place_of(order), order.leaves()
        nets[key] = nets.get(key, Decimal(0)) + net_of(order)
        band = bands.setdefault(key, [Decimal(0)] * 3)
        possible = None if leaves is None else leaves + order.missing_quantity
        if possible is None or (order.side is None and possible):
            band[2] += 1
        elif possible:
            band[order.side is Side.SELL] += possible
    account.exposure.refresh(account.orders.all())
    for key, held in account.exposure.positions.items():
        assert held.now.net == nets.pop(key, 0), (hint, key)
        shown = [held.open_buys, held.open_sells, Decimal(held.unknown_leaves)]
        assert shown == bands.get(key, [Decimal(0)] * 3), (hint, key)
    assert not nets, hint


def test_positions_are_what_their_orders_say_and_a_restart_changes_nothing() -> None:
    for seed in range(SEEDS):
        random, straight, again = Random(seed), Run(a_partition()), Run(a_partition())
        for number in range(STEPS):
            events = [any_evidence(random) for _ in range(random.randrange(1, 5))]
            source = random.choice([Source.STREAM, Source.STREAM, Source.QUERY])
            for run in (straight, again):
                say(run, number, events, source)
            if random.random() < 0.2:
                again.restart()
                again.partition.due_ns()
            check_positions(again.partition.accounts[ACCOUNT], (seed, number))
            check_positions(straight.partition.accounts[ACCOUNT], (seed, number))
            assert again.digests == straight.digests, (seed, number)
        shown = [
            [(one.topic.kind, one.key, one.value) for one in run.outputs]
            for run in (straight, again)
        ]
        assert shown[0] == shown[1], seed


def test_what_was_shown_by_itself_means_nothing_once_it_is_anothers_also_to_the_digest() -> None:
    nameless = an_execution("5", venue_order_id=None)
    ends = []
    for is_restarted in (False, True):
        run = Run(a_partition())
        say(run, 1, [nameless])
        say(run, 2, [an_execution("5", venue_order_id="9")])
        if is_restarted:
            run.restart()
        say(run, 3, [a_report(venue_order_id="10")])
        ends.append(run.digests)
    assert ends[0] == ends[1]


def test_a_side_that_becomes_known_late_counts_in_the_position() -> None:
    run = Run(a_partition())
    say(run, 1, [an_execution("5", 2, side=None)])
    say(run, 2, [a_report(side=Side.SELL, venue_ns=5, ordinal=(5, 0))])
    key = f"{PLACE['product']}/{PLACE['symbol']}/NET/"
    assert run.partition.accounts[ACCOUNT].exposure.positions[key].now.net == -2
