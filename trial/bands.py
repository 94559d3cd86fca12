"""The check of the bands: did [low, high] hold what the venue's fills sum up to?

Pure. For each record of `positions` that is not marked unbounded, the venue's sum over the
executions of the orders known at the record's cause must lie in the band. Executions that move to
another margin mode leave one position and enter another: the leg is looked at when both were
published. What the venue itself reported only after the order's end counts from then on; so does
what an order executed that closes whatever is held: it may close what later orders opened.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import accumulate, zip_longest
from typing import Any

from orderloom.event import Cause
from orderloom.identity import adopted_order_key
from orderloom.position import Position
from trial.verdict import Leg, Published, fill_key, leg_of, true_nets

Place = tuple[int, int]


def broken_bands(published: Published, truth: dict[str, Any]) -> Iterator[str]:
    """Records of `positions` whose band does not hold the venue's sum, each as a line."""
    sums = {key: _Sums(entries) for key, entries in _entries(published, truth).items()}
    records = published.position_records
    for record, following in zip_longest(records, records[1:]):
        key = leg_of(record)
        if record.unbounded or key not in sums or _is_half(record, following):
            continue
        theirs = sums[key].at(_place(record.cause))
        if not record.low <= theirs <= record.high:
            yield f"{key} at {record.cause}: {theirs} is outside [{record.low}, {record.high}]"


def _is_half(record: Position, following: Position | None) -> bool:
    """Whether the next record is of the same leg in another margin mode."""
    if following is None or following.margin_mode == record.margin_mode:
        return False
    return leg_of(following) == leg_of(record)


class _Sums:
    """The venue's sum over the orders known at a place of the log, for one position."""

    def __init__(self, entries: list[tuple[Place, Decimal]]) -> None:
        entries.sort(key=lambda entry: entry[0])
        self._places = [place for place, _ in entries]
        self._sums = [Decimal(0), *accumulate(net for _, net in entries)]

    def at(self, place: Place) -> Decimal:
        return self._sums[bisect_right(self._places, place)]


def _entries(published: Published, truth: dict[str, Any]) -> dict[Leg, list[tuple[Place, Decimal]]]:
    """Per position: where each order was first known, and what the venue executed of it."""
    by_order: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for account, true in truth["accounts"].items():
        for row in true["fills"]:
            first_id = row.get("first_order_id", row["venue_order_id"])  # before its trigger
            key = adopted_order_key(account, row["product"], row["symbol"], first_id)
            by_order[key].append((account, row))
    entries: dict[Leg, list[tuple[Place, Decimal]]] = defaultdict(list)
    for order_key, rows in by_order.items():
        order = published.orders.get(order_key)
        if order is None or order.first_cause is None:
            continue
        known = [one for one in rows if not _counts_later(one[1])]
        for position, net in true_nets(known).items():
            entries[position].append((_place(order.first_cause), net))
        for account, row in rows:
            fill = published.first.get(fill_key(account, row))
            if _counts_later(row) and fill is not None:
                for position, net in true_nets([(account, row)]).items():
                    entries[position].append((_place(fill.cause), net))
    return entries


def _counts_later(row: dict[str, Any]) -> bool:
    return bool(row.get("late") or row.get("closes"))


def _place(cause: Cause) -> Place:
    return (cause.offset, cause.place)
