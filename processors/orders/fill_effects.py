"""What became of an order's executions, in an order that no restart changes. Pure.

An execution is known by the venue order id that it names; one that names none, by the oldest id of
its order, as the present one is another after an amendment. Where what it is known by changes, it
is taken back under the old and is new under the new: a consumer holds it once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderloom.words import FillKind
from processors.orders.effects import FillRecorded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderloom.event import Origin
    from processors.orders.effects import Effect
    from processors.orders.order import Order
    from processors.orders.tracks.fills import HeldFill


def name_of(order: Order, fill: HeldFill) -> str:
    """The venue order id by which the execution is known; empty where there is none."""
    return fill.venue_order_id or order.own.root()


def recorded(
    order: Order, before: HeldFill | None, fill: HeldFill, origin: Origin | None
) -> list[FillRecorded]:
    """One execution is new, or is now otherwise than `before`."""
    name = name_of(order, fill)
    if before is None or name_of(order, before) == name:
        if fill.is_busted:
            kind = FillKind.BUST
        else:
            kind = FillKind.REAL if before is None else FillKind.CORRECTION
        return [FillRecorded(order, kind, fill, before, origin, name)]
    gone = taken_back(order, {fill.exec_id: before}, origin)
    # A busted one was never published under the new name: there is nothing to take back.
    return gone if fill.is_busted else gone + recorded(order, None, fill, origin)


def changed_fills(
    order: Order, before: Mapping[str, HeldFill], origin: Origin | None
) -> list[FillRecorded]:
    """The order's executions that are otherwise than they were `before`."""
    fills = order.record.fills
    changed = sorted(exec_id for exec_id in fills if fills[exec_id] != before.get(exec_id))
    return [
        effect
        for exec_id in changed
        for effect in recorded(order, before.get(exec_id), fills[exec_id], origin)
    ]


def taken_back(
    order: Order, fills: Mapping[str, HeldFill], origin: Origin | None, root: str | None = None
) -> list[FillRecorded]:
    """These executions are the order's no more; `root`: its oldest id by then, if that changed."""
    return [
        FillRecorded(
            *(order, FillKind.BUST, fill, fill, origin),
            name_of(order, fill) if root is None else fill.venue_order_id or root,
        )
        for _, fill in sorted(fills.items())
    ]


def moved(
    fills: Mapping[str, HeldFill], known: Mapping[str, HeldFill], root: str, new_root: str
) -> tuple[dict[str, HeldFill], dict[str, HeldFill]]:
    """Which executions of a joined order go on as they are known, and which do not.

    One that is `known` already is the other's; one that names no order is known by the oldest id.
    """
    gone = {
        exec_id
        for exec_id, fill in fills.items()
        if exec_id in known or (fill.venue_order_id is None and root != new_root)
    }
    goes_on = {exec_id: fill for exec_id, fill in fills.items() if exec_id not in gone}
    return goes_on, {exec_id: fills[exec_id] for exec_id in gone}


def joined(
    former: list[tuple[Order, str]], origin: Origin | None, effects: list[Effect]
) -> dict[str, HeldFill]:
    """Join the records of all these orders, each with its oldest id so far, to that of the first.

    The executions that go on as they are known; the others are taken back.
    """
    order = former[0][0]
    # As they were published: the join below adds to the first order's own.
    fills = {one.key: dict(one.record.fills) for one, _ in former}
    for other, _ in former[1:]:
        order.own.join(other.own)
    held: dict[str, HeldFill] = {}
    for one, root in former:
        # Each order's own oldest id of before: under it consumers know what names no order.
        goes_on, gone = moved(fills[one.key], held, root, order.own.root())
        effects += taken_back(one, gone, origin, root)
        held |= goes_on
    return held
