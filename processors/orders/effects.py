"""What folding one piece of evidence did to an order: for the account to publish and act upon.

Pure. Effects are values; the order that they name is the live record, so what is published at the
end of a step is the order as it is then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from orderloom.event import Origin
    from orderloom.words import FillKind
    from processors.orders.order import Order
    from processors.orders.tracks.fills import HeldFill


class OrderChanged(Struct, frozen=True):
    """What consumers see of the order changed; its version rose."""

    order: Order


class FillRecorded(Struct, frozen=True):
    """An execution is new (REAL), is better known (CORRECTION) or was taken back (BUST).

    `before` is the fill as it was last recorded, None for a new one. `name` is the venue order id
    under which the execution is known.
    """

    order: Order
    kind: FillKind
    fill: HeldFill
    before: HeldFill | None
    origin: Origin | None
    name: str


class DisputeRaised(Struct, frozen=True):
    """A contradiction that did not stand before; `code` is one of `tracks.trust`."""

    order: Order
    code: str


class GapOpened(Struct, frozen=True):
    """The venue claims more than the executions explain: ask for trades, start the grace time."""

    order: Order


class GapClosed(Struct, frozen=True):
    """The executions explain again what the venue claims."""

    order: Order


class UnknownStatus(Struct, frozen=True):
    """A pushed or asked report whose status we could not read: ask about the order."""

    order: Order


class KeyRetired(Struct, frozen=True):
    """Evidence showed that what we kept under `key` is part of `order`: drop the key.

    `version` is the next one of what was shown under the key: that of its tombstone.
    """

    key: str
    order: Order
    version: int


Effect = (
    OrderChanged | FillRecorded | DisputeRaised | GapOpened | GapClosed | UnknownStatus | KeyRetired
)
