"""The check of the bands: did [low, high] hold what the venue's fills sum up to?

Pure. For each record of `positions` that is not marked unbounded, the venue's sum over the
executions of the orders known at the record's cause must lie in the band. Executions that move to
another margin mode leave one position and enter another: the leg is looked at when both were
published. What the venue itself reported only after the order's end counts from then on. An order
that closes whatever is held counts for what the known orders held: what it closed beyond that was
bought or sold by orders that nobody knew yet, and comes with them (decision 0020).
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import accumulate, zip_longest
from typing import Any, Final, NamedTuple

from orderloom.event import Cause
from orderloom.identity import adopted_order_key
from orderloom.position import Position
from trial.verdict import Leg, Published, fill_key, leg_of, true_nets

Place = tuple[int, int]
NEVER: Final = (1 << 63, 0)
"""Behind every place of the log."""


def broken_bands(published: Published, truth: dict[str, Any]) -> Iterator[str]:
    """Records of `positions` whose band does not hold the venue's sum, each as a line."""
    legs = {key: _Executed(every) for key, every in _executions(published, truth).items()}
    records = published.position_records
    for record, following in zip_longest(records, records[1:]):
        key = leg_of(record)
        if record.unbounded or key not in legs or _is_half(record, following):
            continue
        theirs = legs[key].at(_place(record.cause))
        if not record.low <= theirs <= record.high:
            yield f"{key} at {record.cause}: {theirs} is outside [{record.low}, {record.high}]"


def _is_half(record: Position, following: Position | None) -> bool:
    """Whether the next record is of the same leg in another margin mode."""
    if following is None or following.margin_mode == record.margin_mode:
        return False
    return leg_of(following) == leg_of(record)


class _Execution(NamedTuple):
    """One execution: signed, from which place on it counts, and from which on it does in full."""

    place: Place
    net: Decimal
    seen: Place


class _Executed:
    """What the venue executed of one leg, in its order, by when it was known."""

    def __init__(self, every: list[_Execution]) -> None:
        self._every = every
        self._whole = _Sums(every)
        self._closing = [number for number, one in enumerate(every) if one.place < one.seen]
        self._before = (0, _Sums(()))

    def at(self, place: Place) -> Decimal:
        """The venue's sum over the orders known at a place of the log."""
        whole = self._whole.at(place)
        closing = [
            number
            for number in self._closing
            if self._every[number].place <= place < self._every[number].seen
        ]
        return whole - self._beyond(place, closing[0], closing[-1]) if closing else whole

    def _beyond(self, place: Place, first: int, last: int) -> Decimal:
        """What the closing executions, these two and those between, moved beyond what was held."""
        held, beyond = self._held_before(first, place), Decimal(0)
        for one in self._every[first : last + 1]:
            if one.place <= place:
                net = one.net if one.seen <= place else _closed(one.net, held)
                held += net
                beyond += one.net - net
        return beyond

    def _held_before(self, number: int, place: Place) -> Decimal:
        if self._before[0] != number:  # records mostly ask about the same one as the last did
            self._before = (number, _Sums(self._every[:number]))
        return self._before[1].at(place)


def _closed(net: Decimal, held: Decimal) -> Decimal:
    """As much of an execution as closes what is held."""
    return max(net, min(-held, Decimal(0))) if net < 0 else min(net, max(-held, Decimal(0)))


class _Sums:
    """Sums of executions by the place from which on they count."""

    def __init__(self, every: Iterable[_Execution]) -> None:
        entries = sorted(every, key=lambda one: one.place)
        self._places = [one.place for one in entries]
        self._sums = [Decimal(0), *accumulate(one.net for one in entries)]

    def at(self, place: Place) -> Decimal:
        return self._sums[bisect_right(self._places, place)]


def _executions(published: Published, truth: dict[str, Any]) -> dict[Leg, list[_Execution]]:
    """By leg, in the venue's order: the executions whose orders were ever known."""
    executions: dict[Leg, list[_Execution]] = defaultdict(list)
    for account, true in truth["accounts"].items():
        for row in true["fills"]:
            first_id = row.get("first_order_id", row["venue_order_id"])  # before its trigger
            key = adopted_order_key(account, row["product"], row["symbol"], first_id)
            order, fill = published.orders.get(key), published.first.get(fill_key(account, row))
            if order is None or order.first_cause is None or (row.get("late") and fill is None):
                continue
            seen = NEVER if fill is None else _place(fill.cause)
            known = seen if row.get("late") else _place(order.first_cause)
            for leg, net in true_nets([(account, row)]).items():
                full = seen if row.get("closes_position") else known
                executions[leg].append(_Execution(known, net, full))
    return executions


def _place(cause: Cause) -> Place:
    return (cause.offset, cause.place)
