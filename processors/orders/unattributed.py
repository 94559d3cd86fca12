"""Evidence that names no venue order id, kept until some evidence shows whose it is.

Pure. It is known by a client order id or, without that, by its execution id. It is kept apart for
good and *joined in* at the order that it belongs to, its host; so when a client order id turns out
to be used twice, it moves, and every order of arrival ends the same. The host is a function of the
orders' own evidence: of those that carry the id, the latest open one, else the latest by venue time
(docs/state-model.md 4.1); for an execution, the order that has that execution, on the same side if
sides are known. Without a host it is shown as an order of its own only once it holds an execution:
a fill is never hidden, a bare report waits.
"""

from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Final

from orderloom.event import Cause, Origin
from processors.orders.effects import Effect
from processors.orders.order import Order
from processors.orders.tracks.lifecycle import CLOSED
from processors.orders.tracks.trust import derive
from venues.venue import Profiles

CLIENT: Final = "client"
EXECUTION: Final = "execution"

Handle = tuple[str, str, str, str]
"""Product, symbol, CLIENT or EXECUTION, id."""


def handle_of(
    product: str, symbol: str, client_order_id: str | None, exec_id: str | None
) -> Handle | None:
    """How evidence without a venue order id is known; None if it names nothing at all."""
    if client_order_id:
        return (product, symbol, CLIENT, client_order_id)
    return (product, symbol, EXECUTION, exec_id) if exec_id else None


class Unattributed:
    """The evidence under one handle; `candidates` are the orders that it may be about."""

    __slots__ = ("candidates", "handle", "host", "order")

    def __init__(self, handle: Handle, order: Order, candidates: list[Order]) -> None:
        self.handle = handle
        self.order = order
        self.candidates = candidates
        self.host: Order | None = None

    @property
    def is_shown(self) -> bool:
        """Whether it stands as an order of its own."""
        return self.host is None and bool(self.order.own.fills)

    def best(self) -> Order | None:
        """The order that the evidence is about, as far as we know now."""
        if len(self.candidates) <= 1:
            return self.candidates[0] if self.candidates else None
        return max(self.candidates, key=self._claim_of)

    def _claim_of(self, order: Order) -> tuple[bool, int, str]:
        if self.handle[2] == EXECUTION:
            # Both sides of a self-trade may bear one id (docs/venues/binance.md 5).
            side, mine = (one.own.fills[self.handle[3]].side for one in (order, self.order))
            return (side is None or mine is None or side is mine, 0, order.key)
        # By its own evidence: else what is given to it would decide whether it is given to it.
        is_open = derive(order.own, order.profile).lifecycle not in CLOSED
        return (is_open, order.own.first_ns or 0, order.key)

    def move(self, origin: Origin | None, effects: list[Effect]) -> list[Order]:
        """Go to the best host; the orders that this changed."""
        old, self.host = self.host, self.best()
        own = self.order.own
        changed = []
        if old is not None:
            # First taken back here, then published there: a consumer holds an execution once.
            old.host([guest for guest in old.guests if guest is not own], origin, effects)
            changed.append(old)
        if self.host is not None:
            self.host.host([*self.host.guests, own], origin, effects)
            changed.append(self.host)
        return changed

    def settle_in(self) -> None:
        """Go to the best host without a word: for records that are being loaded."""
        old, self.host = self.host, self.best()
        own = self.order.own
        if old is not None:
            old.guests = [guest for guest in old.guests if guest is not own]
            old.rebuild()
        if self.host is not None:
            self.host.guests = [*self.host.guests, own]
            self.host.rebuild()


class UnattributedEvidence:
    """What is unattributed at one account, and which orders carry which client order id."""

    def __init__(self, account: str, profiles: Profiles) -> None:
        self._account = account
        self._profiles = profiles
        self._unattributed: dict[Handle, Unattributed] = {}
        self._keys: dict[str, Handle] = {}
        self._carriers: dict[tuple[str, str], dict[str, Order | list[Order]]] = {}
        """By product and symbol, then by client order id: nearly always an order alone."""

    def __bool__(self) -> bool:
        return bool(self._unattributed)

    def know(self, order: Order, client_order_id: str) -> None:
        """The order carries this client order id."""
        known = self._carriers.setdefault((order.product, order.symbol), {})
        if known.setdefault(client_order_id, order) is order:
            return
        carriers = self._listed(order.product, order.symbol, client_order_id)
        if order not in carriers:
            carriers.append(order)

    def _listed(self, product: str, symbol: str, client_order_id: str) -> list[Order]:
        """The orders that carry the id, as the list that is kept from here on."""
        known = self._carriers.setdefault((product, symbol), {})
        held = known.get(client_order_id, [])
        carriers = known[client_order_id] = held if isinstance(held, list) else [held]
        return carriers

    def latest(self, product: str, symbol: str, client_order_id: str) -> Order | None:
        """The latest open order that carries the id, else the latest."""
        held = self._carriers.get((product, symbol), {}).get(client_order_id)
        return max(held, default=None, key=_time_of) if isinstance(held, list) else held

    def get(self, handle: Handle, cause: Cause, orders: Iterable[Order]) -> Unattributed:
        """What has this handle, made if there is none."""
        unattributed = self._unattributed.get(handle)
        if unattributed is not None:
            return unattributed
        order = Order(self._account, handle[0], handle[1], self._profiles[handle[0]])
        order.key = f"{self._account}/{handle[0]}/{handle[1]}/{handle[2]}:{handle[3]}"
        order.first_seen_cause = cause
        return self.load(handle, order, orders)

    def load(self, handle: Handle, order: Order, orders: Iterable[Order]) -> Unattributed:
        """Take `order` as what has this handle."""
        if handle[2] == CLIENT:
            candidates = self._listed(handle[0], handle[1], handle[3])
        else:
            # A walk over all orders: such evidence is rare (decision 0403).
            candidates = [one for one in orders if _has_execution(one, handle)]
        self._keys[order.key] = handle
        unattributed = self._unattributed[handle] = Unattributed(handle, order, candidates)
        return unattributed

    def related(self, order: Order) -> Iterator[Unattributed]:
        """What this order may be the host of."""
        for client_order_id in sorted(order.own.client_ids):
            unattributed = self._unattributed.get(
                (order.product, order.symbol, CLIENT, client_order_id)
            )
            if unattributed is not None:
                yield unattributed
        for handle, unattributed in sorted(self._unattributed.items(), key=itemgetter(0)):
            if handle[2] == EXECUTION and _has_execution(order, handle):
                if order not in unattributed.candidates:
                    unattributed.candidates.append(order)
                yield unattributed

    def follow(self, others: Iterable[Order], order: Order) -> None:
        """These were joined to `order`: what pointed to them points to that now."""
        for gone in others:
            for client_order_id in gone.own.client_ids:
                carriers = self._listed(order.product, order.symbol, client_order_id)
                self._exchange(carriers, gone, order)
            for unattributed in self._unattributed.values():
                if unattributed.handle[2] == EXECUTION:
                    self._exchange(unattributed.candidates, gone, order)
                if unattributed.host is gone:
                    unattributed.host = order
                    # In silence: `Orders._connect` joins and publishes after this.
                    order.guests = [*order.guests, unattributed.order.own]

    @staticmethod
    def _exchange(carriers: list[Order], gone: Order, order: Order) -> None:
        if gone in carriers:
            carriers.remove(gone)
            if order not in carriers:
                carriers.append(order)

    def keys(self) -> Iterable[str]:
        """The keys of the state records."""
        return self._keys

    def with_key(self, key: str) -> Unattributed | None:
        """What the state record with this key holds."""
        handle = self._keys.get(key)
        return None if handle is None else self._unattributed[handle]


def _has_execution(order: Order, handle: Handle) -> bool:
    """Whether this execution stands in the own evidence of an order that has a venue order id."""
    # One without a venue order id is unattributed itself, and no host.
    if (order.product, order.symbol) != handle[:2] or not order.own.ids():
        return False
    return handle[3] in order.own.fills


def _time_of(order: Order) -> tuple[bool, int, str]:
    return (order.is_open, order.own.first_ns or 0, order.key)
