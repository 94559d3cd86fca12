"""What kills do to one account: everything that is open in their scope is canceled. Pure.

A kill stands until an operator lifts it. Meanwhile whatever turns out to be open in its scope is
canceled too: what was claimed before it may arrive after it, and others may place orders. It is
told of in `answers` as an intent of the strategy `@kill`, whose key is the kill's offset.
"""

from typing import Final

from orderloom.words import IntentOutcome
from processors.intents.cancels import FOR_EVER_NS
from processors.intents.claim_book import ClaimBook, HeldKill
from processors.intents.held import HeldIntent
from processors.intents.intents import Intents

STRATEGY: Final = "@kill"
"""No strategy of anybody's: its first letter is none of those that a name may have."""


class Kills:
    """The kills of one account's partition, as they concern the account."""

    def __init__(self, account: str, intents: Intents, book: ClaimBook) -> None:
        self._account = account
        self._intents = intents
        self._book = book

    def in_force(self) -> list[HeldKill]:
        """Those that stop something of this account, the oldest first."""
        kills = self._book.kills
        return [one for one in kills if one.concerns(self._account) and not one.is_lifted]

    def until(self) -> int:
        """The place in `claims` below which each kill of this account stands, lifted or not."""
        places = (one.offset + 1 for one in self._book.kills if one.concerns(self._account))
        return max(places, default=0)

    def begin(self, kill: HeldKill, now_ns: int, denial: str) -> None:
        """A kill was read; `denial` is why nothing may be sent for this account, "" if it may."""
        held = HeldIntent(_name_of(kill), "", kill.offset, now_ns, FOR_EVER_NS, is_standing=True)
        held.product, held.symbol = kill.scope.product, kill.scope.symbol
        self._intents.register.put(held)
        if denial:
            self._intents.register.tell(held, IntentOutcome.DENIED, reason=denial)
        # Whose an order is nobody knows yet: a kill of one strategy stops what that one decides.
        elif kill.scope.strategy is None:
            self._intents.begin(held)

    def go_on(self) -> None:
        """Something may be sent for this account: what kills could not cancel, they cancel now."""
        for kill in self.in_force():
            held = self._intents.register.get(_name_of(kill))
            if held is not None and held.outcome is IntentOutcome.DENIED:
                self._intents.begin(held)

    def end(self, kill: HeldKill) -> None:
        """An operator lifted the kill; cancels that are under way go on."""
        held = self._intents.register.get(_name_of(kill))
        if held is not None and not held.is_final:
            held.is_standing = False
            self._intents.lift(held)


def _name_of(kill: HeldKill) -> str:
    return f"{STRATEGY}/{kill.offset}"
