"""Evidence that names no venue order id goes to the order that it is about. Pure.

What it is about may change with what becomes known: then the executions that were published under
its own key, or under a former order's, are taken back there and published at the new one.
"""

from collections.abc import Callable

from orderloom.event import Origin
from processors.orders.effects import Effect, KeyRetired
from processors.orders.fill_effects import taken_back
from processors.orders.index import OrderIndex
from processors.orders.lists import OpenLists
from processors.orders.record import Record
from processors.orders.tracks.fills import HeldFill
from processors.orders.tracks.registers import STORED
from processors.orders.unattributed import Handle, Unattributed, UnattributedEvidence
from processors.orders.view import NEVER_SHOWN


class Placing:
    """That of one account; `dirty` takes the names of the state records that it changes."""

    __slots__ = ("_dirty", "_index", "_lists", "_unattributed")

    def __init__(
        self,
        unattributed: UnattributedEvidence,
        index: OrderIndex,
        lists: OpenLists,
        dirty: set[str],
    ) -> None:
        self._unattributed = unattributed
        self._index = index
        self._lists = lists
        self._dirty = dirty

    def take(
        self,
        handle: Handle | None,
        origin: Origin,
        effects: list[Effect],
        take: Callable[[Record], object],
    ) -> None:
        """Fold evidence without a venue order id; what names nothing at all changes nothing."""
        if handle is None:
            return
        unattributed = self._unattributed.get(handle, origin.cause, self._index.all())
        order, known = unattributed.order, self._shown_fills(unattributed)
        shown = (former := unattributed.host or order).before(is_joining=True)
        take(order.own)
        self._dirty.add(order.key)
        self._place(unattributed, known, origin, effects)
        if (host := unattributed.host) is not None:
            self._dirty.add(host.key)
            host.refresh(STORED, origin, effects, shown if host is former else NEVER_SHOWN)
        elif unattributed.is_shown:
            self._index.put(order)
            changed = order.publish_fills(known, origin, effects)
            order.refresh(changed, origin, effects, shown)

    def place(
        self, unattributed: Unattributed, origin: Origin | None, effects: list[Effect]
    ) -> None:
        """Give the evidence to the order that it is about, if that changed."""
        self._place(unattributed, self._shown_fills(unattributed), origin, effects)

    def _shown_fills(self, unattributed: Unattributed) -> dict[str, HeldFill]:
        order = unattributed.order
        return dict(order.own.fills) if order.key in self._index else {}

    def _place(
        self,
        unattributed: Unattributed,
        known: dict[str, HeldFill],
        origin: Origin | None,
        effects: list[Effect],
    ) -> None:
        """As `place`; `known` are its fills that were published under its own key."""
        host = unattributed.best()
        if host is None or host is unattributed.host:
            return
        self._lists.take_off(host)  # the former one is on none, for it has guests
        if self._index.drop(unattributed.order.key) is not None:
            real = {name: fill for name, fill in known.items() if not fill.is_busted}
            effects += taken_back(unattributed.order, real, origin)
            effects.append(KeyRetired(unattributed.order.key, host, unattributed.order.version + 1))
            # It means nothing any more by itself.
            self._dirty.add(unattributed.order.key)
        for changed in unattributed.move(origin, effects):
            self._dirty.add(changed.key)
