"""The work that every peer does alike: translate, fold into orders, show what changed.

Pure. An event is one frame of `raw`. It is parsed, translated, folded by `processors.orders`, and
for each order (or the account's balances) that it speaks of there is one state record and one
output. State stays in memory as objects in every peer: none of them reads it back per event.
"""

from collections.abc import Iterator
from typing import Final

from orderloom import raw
from orderloom.codec import pack
from orderloom.event import BalanceReport, Cause, Event, Execution, OrderReport, Origin, Reply
from orderloom.quantities import text_of
from orderloom.words import Source
from processors.orders.orders import Orders
from venues import VENUES
from venues.document import parse
from venues.venue import BadFrame, Inbound, UnknownFrame

BALANCES: Final = "balances/"


class Work:
    """Orders and balances of all accounts that one worker has."""

    def __init__(self, venue: str) -> None:
        self._venue = VENUES[venue]
        self._orders: dict[str, Orders] = {}
        self._balances: dict[str, dict[str, list[str | None]]] = {}
        self._accounts: dict[str, str] = {}

    def fold(self, value: bytes, topic: str, partition: int, offset: int) -> Iterator[list[str]]:
        """Fold one record of `raw`; for each frame the keys of what it speaks of."""
        record = raw.decode(value)
        for place, item in enumerate(record.items):
            if isinstance(item, raw.Frame):
                cause = Cause(topic, partition, offset, place)
                yield self._fold_frame(record.account, item, cause)

    def state(self, key: str) -> bytes:
        """The state record of one key."""
        if key.startswith(BALANCES):
            return pack(self._balances[key.removeprefix(BALANCES)])
        return pack(self._orders[self._accounts[key]].dump_order(key) or {})

    def output(self, key: str) -> bytes:
        """What is published of one key."""
        if key.startswith(BALANCES):
            return pack(self._balances[key.removeprefix(BALANCES)])
        order = self._orders[self._accounts[key]].get(key)
        assert order is not None, key
        return pack(order.view())

    def _fold_frame(self, account: str, frame: raw.Frame, cause: Cause) -> list[str]:
        try:
            inbound = Inbound(parse(frame.body), Source.STREAM, frame.product)
            events = self._venue.translate(inbound).events
        except (BadFrame, UnknownFrame):
            return []
        origin = Origin(account, Source.STREAM, cause, frame.received_ns)
        keys = {key for event in events if (key := self._take(account, event, origin))}
        return sorted(keys)

    def _take(self, account: str, event: Event, origin: Origin) -> str | None:
        if isinstance(event, BalanceReport):
            amounts = (event.free, event.locked, event.total)
            held = self._balances.setdefault(account, {})
            held[event.asset] = [None if one is None else text_of(one) for one in amounts]
            return BALANCES + account
        if not isinstance(event, OrderReport | Execution | Reply):
            return None
        orders = self._orders.get(account)
        if orders is None:
            orders = self._orders[account] = Orders(account, self._venue.profiles)
        orders.apply(event, origin)
        return self._key_of(orders, event)

    def _key_of(self, orders: Orders, event: OrderReport | Execution | Reply) -> str | None:
        order = orders.find(
            event.product, event.symbol or "", event.venue_order_id, event.client_order_id
        )
        if order is None or orders.get(order.key) is None:
            return None
        self._accounts[order.key] = orders.account
        return order.key
