"""What became of an order's executions, in an order that no restart changes. Pure.

An execution is known by the venue order id that it names; one that names none, by the oldest id of
its order, as the present one is another after an amendment. Where what it is known by changes, it
is taken back under the old and is new under the new: a consumer holds it once.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from orderloom.words import FillKind, PositionSide, Side
from processors.orders.effects import FillRecorded

if TYPE_CHECKING:
    from collections.abc import Mapping, Set

    from orderloom.event import Origin
    from processors.orders.effects import Effect
    from processors.orders.order import Order
    from processors.orders.tracks.fills import HeldFill


SHARED: Final = ("client_order_id", "side", "position_side", "contract_size")
"""The terms of an order that its executions are shown with (`fill_document.py`)."""
Shared = tuple[str | None, Side | None, PositionSide | None, Decimal | None]
"""Their values."""


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
    order: Order,
    before: Mapping[str, HeldFill],
    origin: Origin | None,
    anew: Set[str] = frozenset(),
) -> list[FillRecorded]:
    """The order's executions that are otherwise than they were `before`.

    And those `anew`, of which what is shown changed with the order: its key, or what names it.
    """
    fills = order.record.fills
    changed = {exec_id for exec_id, fill in fills.items() if fill != before.get(exec_id)}
    # A busted one was taken back: nothing of it stands to be corrected.
    changed |= {exec_id for exec_id in anew & fills.keys() if not fills[exec_id].is_busted}
    return [
        effect
        for exec_id in sorted(changed)
        for effect in recorded(order, before.get(exec_id), fills[exec_id], origin)
    ]


def terms_shown(order: Order) -> Shared | None:
    """The terms that its executions are shown with; None where it has none."""
    if not order.record.fills:
        return None
    # The owner's, which no amendment and no trigger changes (docs/state-model.md 4.11).
    name, leg = order.record.first_name(), order.term("position_side")
    return name, order.side, leg, order.contract_size


def renamed(
    order: Order, before: Shared | None, origin: Origin | None, effects: list[Effect]
) -> list[FillRecorded]:
    """The executions that are shown with other terms than `before`, but those in `effects`.

    Those are published as the order is at the end of the step.
    """
    if before is None or (now := terms_shown(order)) is None or now == before:
        return []
    other = {name for name, was, is_now in zip(SHARED, before, now, strict=True) if was != is_now}
    of_order = (one for one in effects if isinstance(one, FillRecorded) and one.order is order)
    # What was taken back was so under another name: under this one it may still stand as before.
    published = {one.fill.exec_id for one in of_order if one.kind is not FillKind.BUST}
    return [
        effect
        for fill in order.fills()
        if fill.exec_id not in published and not fill.is_busted and _shows(fill, other)
        for effect in recorded(order, fill, fill, origin)
    ]


def _shows(fill: HeldFill, names: Set[str]) -> bool:
    """Whether one of these terms of its order is shown with the execution: it has none itself."""
    own = {"side": fill.side, "position_side": fill.position_side}
    return any(own.get(name) is None for name in names)


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
) -> tuple[dict[str, HeldFill], dict[str, str]]:
    """Join the records of all these orders, each with its oldest id so far, to that of the first.

    The executions that go on as they are known, and the order's key that each was shown under; the
    others are taken back.
    """
    order = former[0][0]
    # As they were published: the join below adds to the first order's own.
    fills = {one.key: dict(one.record.fills) for one, _ in former}
    for other, _ in former[1:]:
        order.own.join(other.own)
    held: dict[str, HeldFill] = {}
    keys: dict[str, str] = {}
    for one, root in former:
        # Each order's own oldest id of before: under it consumers know what names no order.
        goes_on, gone = moved(fills[one.key], held, root, order.own.root())
        effects += taken_back(one, gone, origin, root)
        held |= goes_on
        keys |= dict.fromkeys(goes_on, one.key)
    return held, keys
