"""What kills do to one account: everything that is open in their scope is canceled. Pure.

A kill stands until an operator lifts it. Meanwhile whatever turns out to be open in its scope is
canceled too: what was claimed before it may arrive after it, and others may place orders. It is
told of in `answers` as an intent of the strategy `@kill`, whose key is the kill's offset.
"""

from collections.abc import Iterable
from typing import Final

from orderloom.claim import KillScope
from orderloom.words import IntentOutcome
from processors.intents.claim_book import ClaimBook, HeldKill
from processors.intents.held import HeldIntent
from processors.intents.intents import Intents
from processors.orders.order import Order
from processors.orders.orders import Orders

STRATEGY: Final = "@kill"
"""No strategy of anybody's: its first letter is none of those that a name may have."""
FOR_EVER_NS: Final = 2**62


class Kills:
    """The kills of one account's partition, as they concern the account."""

    def __init__(self, account: str, orders: Orders, intents: Intents, book: ClaimBook) -> None:
        self._account = account
        self._orders = orders
        self._intents = intents
        self._book = book

    def in_force(self) -> list[HeldKill]:
        """Those that stop something of this account, the oldest first."""
        return [kill for kill in self._book.kills if self._concerns(kill) and not kill.is_lifted]

    def until(self) -> int:
        """The place in `claims` below which each kill of this account stands, lifted or not."""
        return max(
            (kill.offset + 1 for kill in self._book.kills if self._concerns(kill)), default=0
        )

    def _concerns(self, kill: HeldKill) -> bool:
        return kill.concerns(self._account)

    def begin(self, kill: HeldKill, denial: str) -> None:
        """A kill was read; `denial` is why nothing may be sent for this account, "" if it may."""
        held = HeldIntent(_name_of(kill), "", kill.offset, FOR_EVER_NS, orders=0, is_standing=True)
        self._intents.register.put(held)
        if denial:
            self._intents.register.tell(held, IntentOutcome.DENIED, reason=denial)
            return
        found = [one for one in self._orders.open_orders() if covers(kill.scope, one)]
        held.orders = len(found)
        self._intents.register.tell(held, IntentOutcome.RECORDED, reason=kill.reason)
        for order in found:
            self._intents.want(held, order)
        self._intents.end_if_done(held)

    def look(self, order_keys: Iterable[str]) -> None:
        """These orders changed: what is open in a killed scope is canceled."""
        kills = self.in_force()
        if not kills:  # nearly always
            return
        for key in sorted(order_keys):
            order = self._orders.get(key)
            if order is None or order.is_closed or self._intents.is_canceling(key):
                continue
            kill = next((one for one in kills if covers(one.scope, order)), None)
            held = None if kill is None else self._intents.register.get(_name_of(kill))
            # One that may not be canceled was told of, and is told of once.
            if held is None or held.outcome is IntentOutcome.DENIED or key in held.left:
                continue
            held.orders = (held.orders or 0) + 1
            self._intents.want(held, order)
            self._intents.register.tell(held, IntentOutcome.RECORDED)

    def end(self, kill: HeldKill) -> None:
        """An operator lifted the kill; cancels that are under way go on."""
        held = self._intents.register.get(_name_of(kill))
        if held is not None and not held.is_final:
            held.is_standing = False
            outcome = held.outcome
            self._intents.register.tell(held, outcome, reason="it was lifted", is_final=True)


def covers(scope: KillScope, order: Order) -> bool:
    """Whether what the scope says of product and symbol holds of an order of its account."""
    # Who placed it is known of none: a kill of one strategy stops what that one decides.
    is_of_strategy = scope.strategy is None
    return (
        is_of_strategy
        and scope.product in (None, order.product)
        and scope.symbol in (None, order.symbol)
    )


def _name_of(kill: HeldKill) -> str:
    return f"{STRATEGY}/{kill.offset}"
