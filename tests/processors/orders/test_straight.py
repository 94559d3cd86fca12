"""The straight way of a usual execution and the general way are one (decision 0410).

Seeded accounts trade as they usually do, with every now and then something else: repeated, older,
lacking or contradicting messages, executions by themselves, answers, evidence that orders are one.
Each is folded with the straight way and without it, with restarts at other places.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any, TypeGuard

import pytest

from orderloom.event import Event, Execution, Fee, OrderReport
from orderloom.quantities import Unit
from orderloom.words import FillKind, Liquidity, PositionSide, Reason, Side, Source, Status
from processors.orders import straight
from processors.orders.order import Order
from processors.orders.tracks.fills import HeldFill
from tests.builders import a_report, an_execution
from tests.processors.account.test_account_histories import any_evidence, say
from tests.processors.partition_lab import Run, a_partition

SEEDS, STEPS = 60, 80
Message = tuple[Sequence[Event], Source, bool]
"""What is said at once, by what, and whether the process is started anew afterwards."""


class Trading:
    """One order that trades, as its venue reports it."""

    def __init__(self, random: Random, number: int) -> None:
        self.random, self.number = random, number
        self.product = random.choice(["spot", "linear"])
        self.leg = PositionSide.NET if self.product == "linear" else None
        self.side, self.quantity = random.choice(list(Side)), Decimal(random.randrange(2, 60))
        self.unit = Unit.CONTRACTS if random.random() < 0.2 else Unit.BASE
        self.filled, self.at, self.matches = Decimal(0), number + 1, 0
        self.is_averaged = random.random() < 0.5

    def named(self) -> dict[str, Any]:
        return {
            "product": self.product,
            "venue_order_id": str(200 + self.number),
            "client_order_id": f"t{self.number}",
            "side": self.side,
            "position_side": self.leg,
            "quantity_unit": self.unit,
            "venue_ns": self.at,
        }

    def report(self, status: Status, **fields: Any) -> OrderReport:
        average = {"average_price": Decimal(150)} if self.is_averaged and self.filled else {}
        said = {"quantity": self.quantity, "filled_quantity": self.filled}
        stamped = {"filled_quote": self.filled * 150, "ordinal": (self.at, self.matches)}
        return a_report(status, **self.named(), **said, **stamped, **average, **fields)

    def trade(self) -> list[Event]:
        """The next match, as one message tells it."""
        amount = min(Decimal(self.random.randrange(1, 4)), self.quantity - self.filled)
        if amount <= 0:
            return [self.report(Status.FILLED)]
        self.filled += amount
        self.at += self.random.randrange(3)
        self.matches += 1
        status = Status.FILLED if self.filled == self.quantity else Status.PARTIALLY_FILLED
        execution = an_execution(
            f"{self.number}-{self.matches}", amount, **self.named(),
            fee=self.random.choice([None, "0.1", "-0.1"]), liquidity=Liquidity.MAKER,
        )  # fmt: skip
        return [self.report(status), execution]


def _without(events: list[Event], random: Random) -> list[Event]:
    return [random.choice(events)]


def _again(events: list[Event], _random: Random) -> list[Event]:
    return events * 2


def _otherwise(events: list[Event], random: Random) -> list[Event]:
    """One field of the report or of the execution is unusual."""
    of_report: list[dict[str, Any]] = [
        {"reason": Reason.USER_CANCEL}, {"is_amendment": True}, {"quantity": Decimal(20)},
        {"price": Decimal(151)}, {"ordinal": None}, {"filled_quantity": Decimal(9)},
        {"filled_quantity": None}, {"client_alias_ids": ("other",)}, {"change_id": "1"},
        {"prevented_quantity": Decimal(1)}, {"venue_ns": None}, {"status": None},
        {"status": Status.CANCELED}, {"quote_quantity": Decimal(300)}, {"ordinal": (1, 0)},
        {"alias_ids": ("201",)}, {"replaces": "202"}, {"margin_mode": "cross"},
    ]  # fmt: skip
    of_execution: list[dict[str, Any]] = [
        {"kind": FillKind.BUST}, {"kind": FillKind.CORRECTION}, {"exec_id": None},
        {"side": Side.BUY}, {"side": None}, {"last_price": None}, {"last_quantity": None},
        {"reason": Reason.LIQUIDATION}, {"venue_ns": None}, {"last_quantity": Decimal(5)},
        {"position_side": PositionSide.LONG}, {"margin_mode": "isolated"}, {"venue_ns": 1},
        {"client_order_id": "another"}, {"exec_id": "1-1"}, {"client_order_id": None},
        {"more_fees": (Fee("GT", Decimal("0.02")),)}, {"quantity_unit": Unit.CONTRACTS},
    ]  # fmt: skip
    place = random.randrange(len(events))
    changed = list(events)
    event = events[place]
    choices = of_report if isinstance(event, OrderReport) else of_execution
    changed[place] = replace(event, **random.choice(choices))
    return changed


def _about(event: Execution, random: Random) -> list[Event]:
    """What else is said of an execution that was told: it leaves the order's sums as they were."""
    said: list[dict[str, Any]] = [
        {"fee": Decimal("0.2")}, {"kind": FillKind.CORRECTION, "fee": Decimal("0.3")},
        {"more_fees": (Fee("GT", Decimal("0.02")),)}, {"liquidity": Liquidity.TAKER},
        {"kind": FillKind.BUST}, {"last_price": Decimal(151)}, {"side": Side.SELL},
        {"kind": FillKind.CORRECTION, "last_quantity": Decimal(1)}, {"quantity_unit": Unit.QUOTE},
        {"reason": Reason.LIQUIDATION},
    ]  # fmt: skip
    return [replace(event, **random.choice(said))]


def is_execution(event: Event) -> TypeGuard[Execution]:
    return isinstance(event, Execution)


def nameless(_seed: int) -> Iterator[Message]:
    """The order's reports name it by an alias, and its execution by that name."""
    order = Trading(Random(1), 0)
    active = order.report(Status.ACTIVE)
    first = replace(active, client_order_id=None, client_alias_ids=("t0",))
    report, execution = order.trade()
    assert isinstance(report, OrderReport)
    yield [first], Source.STREAM, False
    yield [replace(report, client_order_id=None), execution], Source.STREAM, False


UNUSUAL: list[Callable[[list[Event], Random], list[Event]]] = [_without, _again, _otherwise]


def messages(seed: int) -> Iterator[Message]:
    """An account's day."""
    random = Random(seed)
    orders = [Trading(random, number) for number in range(4)]
    said: list[list[Event]] = [[one.report(Status.ACTIVE)] for one in orders]
    yield from ((events, Source.STREAM, False) for events in said)
    for _ in range(STEPS):
        order, source = random.choice(orders), Source.STREAM
        chance = random.random()
        if chance < 0.06:
            events: list[Event] = [any_evidence(random)]
        elif chance < 0.14:
            events = random.choice(said)
        elif chance < 0.2:
            status = random.choice([Status.PARTIALLY_FILLED, Status.ACTIVE, Status.WAITING_TRIGGER])
            events, source = [order.report(status)], random.choice([Source.QUERY, Source.STREAM])
        elif chance < 0.3 and (told := [one for one in random.choice(said) if is_execution(one)]):
            events = _about(told[0], random)
        else:
            events = order.trade()
            said.append(events)
            if random.random() < 0.15:
                events = random.choice(UNUSUAL)(events, random)
        yield events, source, random.random() < 0.05


def told(seed: int, said: Callable[[int], Iterator[Message]] = messages) -> list[Any]:
    """What each message of a day made: outputs, state records and digests."""
    run, found = Run(a_partition()), []
    for number, (events, source, is_restarted) in enumerate(said(seed)):
        say(run, number, events, source)
        shown = [(one.topic.kind, one.key, one.value, one.headers) for one in run.outputs]
        found.append((shown, dict(run.state), run.digests))
        run.outputs.clear()
        if is_restarted:
            run.restart()
    return found


def test_the_straight_way_and_the_general_way_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = 0
    take = straight.take_execution

    def counted(order: Order, report: OrderReport, event: Execution) -> HeldFill | None:
        nonlocal taken
        fill = take(order, report, event)
        taken += fill is not None
        return fill

    for seed in range(SEEDS):
        with monkeypatch.context() as patched:
            patched.setattr(straight, "take_execution", counted)
            straightly = told(seed)
        with monkeypatch.context() as patched:
            patched.setattr(straight, "take_execution", lambda *_: None)
            generally = told(seed)
        for number, (mine, theirs) in enumerate(zip(straightly, generally, strict=True)):
            assert mine == theirs, (seed, number)
    assert taken > SEEDS * 5, "the straight way was hardly taken"


def test_a_name_that_executions_alone_say_is_a_term_either_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    straightly = told(0, nameless)
    monkeypatch.setattr(straight, "take_execution", lambda *_: None)
    assert straightly == told(0, nameless)
