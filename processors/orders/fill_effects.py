"""What became of an order's executions, in an order that no restart changes. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderloom.words import FillKind
from processors.orders.effects import FillRecorded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderloom.event import Origin
    from processors.orders.order import Order
    from processors.orders.tracks.fills import HeldFill


def recorded(
    order: Order, before: HeldFill | None, fill: HeldFill, origin: Origin | None
) -> FillRecorded:
    """One execution is new, or is now otherwise than `before`."""
    if fill.is_busted:
        kind = FillKind.BUST
    else:
        kind = FillKind.REAL if before is None else FillKind.CORRECTION
    return FillRecorded(order, kind, fill, before, origin)


def changed_fills(
    order: Order, before: Mapping[str, HeldFill], origin: Origin | None
) -> list[FillRecorded]:
    """The order's executions that are otherwise than they were `before`."""
    fills = order.record.fills
    changed = sorted(exec_id for exec_id in fills if fills[exec_id] != before.get(exec_id))
    return [recorded(order, before.get(exec_id), fills[exec_id], origin) for exec_id in changed]


def taken_back(
    order: Order, fills: Mapping[str, HeldFill], origin: Origin | None
) -> list[FillRecorded]:
    """These executions are the order's no more."""
    return [
        FillRecorded(order, FillKind.BUST, fill, fill, origin) for _, fill in sorted(fills.items())
    ]
