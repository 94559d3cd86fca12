"""The intents of one account, under their keys for ever, and what was answered to each. Pure."""

from collections.abc import Iterator
from typing import Any

from orderloom import topology
from orderloom.words import IntentOutcome
from processors.account.publishing import Publisher
from processors.intents.held import HeldIntent
from processors.orders.orders import Orders


class IntentRegister:
    """Those that were taken, by name; each change of one is told in `answers`."""

    def __init__(self, orders: Orders, publisher: Publisher) -> None:
        self._orders = orders
        self._publisher = publisher
        self._held: dict[str, HeldIntent] = {}
        self._changed: set[str] = set()

    def get(self, name: str) -> HeldIntent | None:
        """The intent of this name."""
        return self._held.get(name)

    def named(self, names: list[str]) -> list[HeldIntent]:
        """The intents of these names, which are all here."""
        return [self._held[name] for name in names]

    def put(self, held: HeldIntent) -> None:
        """Remember one."""
        self._held[held.name] = held
        self.note(held)

    def note(self, held: HeldIntent) -> None:
        """It changed."""
        self._changed.add(held.name)

    def tell(
        self,
        held: HeldIntent,
        outcome: IntentOutcome,
        *,
        reason: str = "",
        code: str = "",
        is_final: bool = False,
    ) -> None:
        """This is what is known of it now."""
        held.outcome, held.code, held.is_final = outcome, code, is_final
        self.note(held)
        self.answer(held, outcome, held.offset, reason=reason, is_final=is_final)

    def answer(
        self,
        held: HeldIntent,
        outcome: IntentOutcome,
        offset: int,
        *,
        reason: str = "",
        is_final: bool,
    ) -> None:
        """Answer the intent at this offset, which is `held` or was written under its key."""
        strategy, _, key = held.name.partition("/")
        order = None if held.order is None else self._orders.get(held.order)
        document: dict[str, Any] = {
            "strategy": strategy,
            "key": key,
            "intent": offset,
            "outcome": outcome,
            "is_final": is_final,
            "stands": held.outcome if outcome is IntentOutcome.EXISTING else None,
            "reason": reason,
            "order": held.order,
            "status": None if order is None else order.view()["status"],
            "code": held.code or None,
            "orders": held.orders,
            "left": held.left,
            "lefts": held.lefts,
        }
        self._publisher.event(topology.ANSWERS, document, self._publisher.cause)

    def take_changed(self) -> Iterator[HeldIntent]:
        """Those that changed since the last call, in order."""
        for name in sorted(self._changed):
            yield self._held[name]
        self._changed.clear()

    def restore(self, document: dict[str, Any]) -> HeldIntent:
        """Take back one."""
        held = HeldIntent.restored(document)
        self._held[held.name] = held
        return held
