"""What one message costs beside more and more that is stored: `python -m bench --only growth`.

In one process, without Kafka: a record is translated and folded, what it changed is published and
dumped as state records, and the next timer is looked for, as in a ledger's step of one message.
The figure is CPU time, the lower quartile of many steps: what others do on the machine is left out
as far as that goes. Asked: at most 1.2 times as much at the greatest size as at the least. A cycle
of reconciliation that finds nothing changed: at most 25 ms and two state records.
"""

import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from bench.plain_account import NOW_NS, SECOND_NS, PlainAccount, a_word_of_the_edge
from orderloom import topology
from processors.ledger.step import InputRecord, StepChanges
from processors.partition import PartitionFold
from venues import VENUES

RATIO_MAX: Final = 1.2
CYCLE_MS_MAX: Final = 25.0
CYCLE_RECORDS_MAX: Final = 2
STEPS: Final = 400
"""So many steps are measured at each size."""
CYCLES: Final = 3
FEW: Final = 100
"""So many orders are open beside those that ended."""
STRIDE: Final = 7
"""Orders take turns by so many: no two neighbours follow one another."""
AT_ONCE: Final = 100
CYCLE_NS: Final = 31 * SECOND_NS
KINDS: Final = frozenset({b"o", b"g", b"j"})
"""The kinds of state records that are of orders and of lists."""
Sizes = tuple[int, ...]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one message costs, in µs of CPU, and how many bytes of state it writes."""

    fold_us: float
    changes_us: float
    due_us: float
    state_bytes: int

    @property
    def total_us(self) -> float:
        """All of it."""
        return self.fold_us + self.changes_us + self.due_us


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that grows: the costs by size, and what is asked of the last beside the first."""

    name: str
    costs: dict[int, Cost]

    @property
    def ratio(self) -> float:
        """How many times as much the last costs as the first."""
        first, *_, last = self.costs.values()
        return last.total_us / first.total_us

    @property
    def is_met(self) -> bool:
        """Whether it costs at most what is asked."""
        return self.ratio <= RATIO_MAX

    def lines(self) -> Iterator[str]:
        """As it is printed."""
        for size, cost in self.costs.items():
            yield (
                f"{self.name:<34}{size:>8}{cost.fold_us:>9.1f}{cost.changes_us:>9.1f}"
                f"{cost.due_us:>9.1f}{cost.total_us:>9.1f}{cost.state_bytes:>9}"
            )
        word = "met" if self.is_met else "MISSED"
        yield f"{'':<34}{self.ratio:>8.2f} times as much (<= {RATIO_MAX:g}: {word})"

    def document(self) -> dict[str, Any]:
        """For the result file."""
        costs = {
            str(size): [round(one.fold_us, 1), round(one.changes_us, 1), round(one.due_us, 1)]
            for size, one in self.costs.items()
        }
        return {"name": self.name, "us": costs, "ratio": round(self.ratio, 3), "met": self.is_met}


@dataclass(frozen=True, slots=True)
class CycleCost:
    """What one cycle costs that finds nothing changed, beside so many ended orders."""

    open: int
    ended: int
    cpu_ms: float
    longest_ms: float
    """The longest single step of it: everybody else waits for so long."""
    state_records: int
    state_bytes: int
    outputs: int
    others: int
    """Of the state records, those that do not grow: questions, cycles, counters, comparisons."""

    @property
    def is_met(self) -> bool:
        """Whether it costs at most what is asked; the records are those of orders and lists."""
        is_small = self.state_records - self.others <= CYCLE_RECORDS_MAX
        return self.cpu_ms <= CYCLE_MS_MAX and is_small

    def line(self) -> str:
        """As it is printed."""
        word = "met" if self.is_met else "MISSED"
        return (
            f"a cycle, {self.open} open, {self.ended} ended: {self.cpu_ms:.1f} ms CPU, longest step"
            f" {self.longest_ms:.1f} ms, {self.state_records - self.others} state records of orders"
            f" and lists, {self.others} others, {self.state_bytes} bytes, {self.outputs} outputs"
            f" (<= {CYCLE_MS_MAX:g} ms, {CYCLE_RECORDS_MAX} records: {word})"
        )

    def document(self) -> dict[str, Any]:
        """For the result file."""
        return {name: getattr(self, name) for name in self.__slots__} | {"met": self.is_met}


HEADER: Final = (
    f"{'µs of CPU a message':<34}{'size':>8}{'fold':>9}{'changes':>9}{'due':>9}{'all':>9}{'B':>9}"
)


class Meter:
    """One partition, fed step by step; what each step cost."""

    def __init__(self) -> None:
        self.partition = PartitionFold(VENUES["binance"], 0)
        self.partition.fold(a_word_of_the_edge(NOW_NS), NOW_NS)
        self.partition.changes()

    def feed(self, record: InputRecord, now_ns: int = NOW_NS) -> StepChanges:
        """One step that is not measured."""
        self.partition.fold(record, now_ns)
        return self.partition.changes()

    def cost(self, records: list[InputRecord]) -> Cost:
        """What a step of one of these records costs."""
        found = []
        size = 0
        settle()
        for record in records:
            began = time.process_time_ns()
            self.partition.fold(record, NOW_NS)
            folded = time.process_time_ns()
            changes = self.partition.changes()
            changed = time.process_time_ns()
            self.partition.due_ns()
            ended = time.process_time_ns()
            found.append((folded - began, changed - folded, ended - changed))
            size += size_of(changes)
        gc.unfreeze()
        fold, changes_ns, due = (
            sorted(column)[len(found) // 4] for column in zip(*found, strict=True)
        )
        return Cost(fold / 1e3, changes_ns / 1e3, due / 1e3, size // len(records))


def settle() -> None:
    """As a ledger's process does: the collector leaves alone what is there for long."""
    gc.collect()
    gc.freeze()


def size_of(changes: StepChanges) -> int:
    """The bytes of the state records that a step writes."""
    return sum(len(value or b"") for value in changes.state.values())


def fills_of_one_order(sizes: Sizes) -> Row:
    """Executions of one order, one a step."""
    meter, account = Meter(), PlainAccount()
    meter.feed(account.greeting())
    meter.feed(account.pushed([account.placed(0)]))
    costs: dict[int, Cost] = {}
    done = 0
    for size in sizes:
        for first in range(done, size, AT_ONCE):
            number = min(AT_ONCE, size - first)
            meter.feed(account.pushed([account.executed(0) for _ in range(number)]))
        costs[size] = meter.cost([account.pushed([account.executed(0)]) for _ in range(STEPS)])
        done = size + STEPS
    return Row("fills of one order", costs)


def accounts_of_a_partition(sizes: Sizes) -> Row:
    """Accounts with three open orders each; the messages go to them in turn."""
    costs: dict[int, Cost] = {}
    for size in sizes:
        meter = Meter()
        accounts = [PlainAccount(f"binance:g{number}") for number in range(size)]
        for account in accounts:
            meter.feed(account.greeting())
            meter.feed(account.pushed(account.placed(order) for order in range(3)))
        turns = [accounts[number % size] for number in range(max(STEPS, size))]
        costs[size] = meter.cost([account.pushed([account.executed(0)]) for account in turns])
    return Row("accounts of a partition", costs)


def positions_of_an_account(sizes: Sizes) -> list[Row]:
    """Positions of one account, an order and an execution each; the messages go to them in turn.

    With a balance the account's own record is published, which says what bounds the positions.
    """
    costs: dict[int, Cost] = {}
    balances: dict[int, Cost] = {}
    for size in sizes:
        meter, account = Meter(), PlainAccount()
        meter.feed(account.greeting())
        symbols = [f"S{number}USDT" for number in range(size)]
        for order, symbol in enumerate(symbols):
            reports = [account.placed(order, symbol), account.executed(order, symbol)]
            meter.feed(account.pushed(reports))
        turns = [number % size for number in range(max(STEPS, size))]
        reports = [account.executed(order, symbols[order]) for order in turns]
        costs[size] = meter.cost([account.pushed([report]) for report in reports])
        reports = [account.holds("USDT") for _ in range(STEPS)]
        balances[size] = meter.cost([account.pushed([report]) for report in reports])
    return [Row("positions of an account", costs), Row("positions: a balance", balances)]


def open_orders(sizes: Sizes) -> Row:
    """Open orders of one account; the messages go to them in turn."""
    costs: dict[int, Cost] = {}
    for size in sizes:
        meter, account = with_open_orders(size)
        costs[size] = executions(meter, account, size)
    return Row("open orders", costs)


def ended_orders(sizes: Sizes) -> list[Row]:
    """Ended orders beside a few open ones: a message, a whole cycle, who is open."""
    meter, account = with_open_orders(FEW)
    messages: dict[int, Cost] = {}
    cycles: dict[int, Cost] = {}
    asked: dict[int, Cost] = {}
    ended = 0
    now_ns = NOW_NS
    for size in sizes:
        for first in range(FEW + ended, FEW + size, AT_ONCE):
            orders = range(first, min(first + AT_ONCE, FEW + size))
            meter.feed(account.pushed(map(account.placed, orders)))
            meter.feed(account.pushed(map(account.canceled, orders)))
        ended = size
        now_ns, found = cycles_of(meter, account, FEW, now_ns)
        cycles[size] = Cost(found.cpu_ms * 1e3, 0, 0, found.state_bytes)
        messages[size] = executions(meter, account, FEW)
        asked[size] = who_is_open(meter, account)
    return [
        Row("ended orders: a message", messages),
        Row(f"ended orders: a cycle of {FEW} open", cycles),
        Row("ended orders: asked who is open", asked),
    ]


def with_open_orders(number: int) -> tuple[Meter, PlainAccount]:
    """One account with so many open orders."""
    meter, account = Meter(), PlainAccount()
    meter.feed(account.greeting())
    for first in range(0, number, AT_ONCE):
        orders = range(first, min(first + AT_ONCE, number))
        meter.feed(account.pushed(map(account.placed, orders)))
    return meter, account


def executions(meter: Meter, account: PlainAccount, orders: int) -> Cost:
    """What an execution costs, of these orders in turn."""
    turns = [number * STRIDE % orders for number in range(STEPS)]
    return meter.cost([account.pushed([account.executed(order)]) for order in turns])


def who_is_open(meter: Meter, account: PlainAccount) -> Cost:
    """What it costs to ask for all open orders."""
    orders, found = meter.partition.accounts[account.name].orders, []
    for _ in range(CYCLES):
        began = time.process_time_ns()
        for _ in orders.open_orders():
            pass
        found.append(time.process_time_ns() - began)
    return Cost(min(found) / 1e3, 0, 0, 0)


def cycles_of(
    meter: Meter, account: PlainAccount, number: int, now_ns: int
) -> tuple[int, CycleCost]:
    """Cycles whose lists show the same again and again: the cheapest, after two that open it."""
    body, found = account.open_list(range(number)), []
    settle()
    for _ in range(CYCLES + 2):
        now_ns += CYCLE_NS
        meter.feed(a_word_of_the_edge(now_ns), now_ns)
        found.append(one_cycle(meter, account, body, now_ns))
    gc.unfreeze()
    return now_ns, min(found[2:], key=lambda one: one.cpu_ms)


def one_cycle(meter: Meter, account: PlainAccount, body: bytes, now_ns: int) -> CycleCost:
    """Ask, and answer each question with one page, a step each."""
    partition = meter.partition
    orders = partition.accounts[account.name].orders
    began = time.process_time_ns()
    partition.tick(now_ns)
    changes = [partition.changes()]
    steps = [time.process_time_ns() - began]
    for question in _questions(changes[0]):
        record = account.answer(question, body, now_ns)
        began = time.process_time_ns()
        partition.fold(record, now_ns)
        changes.append(partition.changes())
        steps.append(time.process_time_ns() - began)
    keys = [key[:1] for step in changes for key in step.state]
    outputs = sum(len(step.outputs) for step in changes)
    return CycleCost(
        sum(1 for one in orders.all() if one.is_open),
        sum(1 for one in orders.all() if one.is_closed),
        sum(steps) / 1e6,
        max(steps) / 1e6,
        len(keys),
        sum(map(size_of, changes)),
        outputs,
        others=sum(1 for kind in keys if kind not in KINDS),
    )


def _questions(changes: StepChanges) -> list[dict[str, Any]]:
    dispatches = [one.value for one in changes.outputs if one.topic is topology.DISPATCHES]
    return [orjson.loads(value or b"")["question"] for value in dispatches]


def measure(say: Say, *, is_quick: bool) -> tuple[list[Row], list[CycleCost]]:
    """All rows, and the cycles; `is_quick` goes up to a tenth of each size."""
    part = 10 if is_quick else 1
    rows: list[Row] = []
    measurements: tuple[Callable[[], list[Row]], ...] = (
        lambda: [fills_of_one_order((100, 1_000, 20_000 // part))],
        lambda: [accounts_of_a_partition((10, 100, 1_000 // part))],
        lambda: positions_of_an_account((10, 100, 1_000 // part)),
        lambda: [open_orders((100, 1_000, 10_000 // part))],
        lambda: ended_orders((0, 10_000 // part, 100_000 // part)),
    )
    for grows in measurements:
        for row in grows():
            rows.append(row)
            say("\n".join(row.lines()))
    cycles = []
    for number in (1_000 // part, 5_000 // part):
        meter, account = with_open_orders(number)
        _, found = cycles_of(meter, account, number, NOW_NS)
        cycles.append(found)
        say(found.line())
    return rows, cycles
