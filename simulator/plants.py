"""Faults that wait for one certain request: planted one by one, each met once. Pure."""

from collections.abc import Container, Sequence

from simulator.journal import Transport, Verb, Wish
from simulator.section import Section


class Plant(Section):
    """A fault, and for which request it waits: one that has all that is named here."""

    kind: str = ""
    ms: int = 0
    """For how long, where the kind is of something late."""
    unseen_ms: int = 0
    """For how long look-ups do not show what it made, beside the kind."""
    push_ms: int = 0
    """For how long what it brought about is not told, beside the kind."""
    verb: Verb | None = None
    transport: Transport | None = None
    account: str = ""
    product: str = ""
    symbol: str = ""
    client_order_id: str = ""

    def fits(self, wishes: Sequence[Wish], transport: Transport) -> bool:
        """Whether it waits for this request: one of its wishes is meant."""
        is_way = self.transport in (None, transport)
        return is_way and any(self._means(wish) for wish in wishes)

    def _means(self, wish: Wish) -> bool:
        return (
            self.verb in (None, wish.verb)
            and self.account in ("", wish.account)
            and self.product in ("", wish.product)
            and self.symbol in ("", wish.symbol)
            and self.client_order_id in ("", wish.client_order_id)
        )


class Plants:
    """Those that were not met yet, in the order in which they were planted."""

    def __init__(self) -> None:
        self.waiting: list[Plant] = []

    def take(
        self, wishes: Sequence[Wish], transport: Transport, fitting: Container[str]
    ) -> Plant | None:
        """The first that waits for this request, and may happen to it; it waits no more."""
        for plant in self.waiting:
            if plant.kind in fitting and plant.fits(wishes, transport):
                self.waiting.remove(plant)
                return plant
        return None
