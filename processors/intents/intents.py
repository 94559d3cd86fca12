"""The intents of one account: recorded under their keys, seen to, and answered as they go.

Pure. An intent is answered when it is recorded, when more is known of it, and at its end. A cancel
is at its end when the order is shown closed by its own evidence, whatever closed it, or when the
venue refused it again and again. One order has one line of attempts, whoever wants it canceled.
"""

from collections.abc import Collection, Iterator
from typing import Any, ClassVar, Final

from orderloom.intent import Cancel, CancelAll, Intent
from orderloom.words import IntentOutcome
from processors.account.owner import Owner
from processors.account.publishing import Publisher
from processors.account.targets import Targets
from processors.account.venue_time import VenueTimes
from processors.intents.cancels import CancelBook
from processors.intents.held import HeldIntent
from processors.intents.register import IntentRegister
from processors.intents.scopes import Scopes
from processors.orders.order import Order
from processors.orders.orders import Orders

INTENT: Final = "m"
CANCEL: Final = "z"
"""The kinds of its state records: what was meant, and what is to end."""
NS_PER_MS: Final = 1_000_000


class Intents:
    """What one account's intents want. `targets` are the account's doubts about single orders."""

    KINDS: ClassVar[tuple[str, ...]] = (INTENT, CANCEL)

    def __init__(
        self,
        orders: Orders,
        publisher: Publisher,
        targets: Targets,
        owner: Owner,
        times: VenueTimes,
    ) -> None:
        self._orders = orders
        self._publisher = publisher
        self.register = register = IntentRegister(orders, publisher)
        self.scopes = Scopes(orders, times)
        self.cancels = CancelBook(orders, publisher, targets, owner, register, self._end)

    # ---- what is wanted

    def take(self, intent: Intent, offset: int, appended_ns: int, denial: str) -> None:
        """Fold one intent; `denial` is why nothing may be sent for this account, "" if it may."""
        known = self.register.get(intent.name)
        if known is not None:
            self._repeat(intent, known, offset)
            return
        now_ns, until_ns = self._publisher.now_ns, appended_ns + intent.within_ms * NS_PER_MS
        held = HeldIntent(intent.name, intent.fingerprint, offset, now_ns, until_ns)
        self.register.put(held)
        if denial:
            self._end(held, IntentOutcome.DENIED, reason=denial)
        elif isinstance(intent, Cancel):
            self._cancel(held, intent.order)
        elif isinstance(intent, CancelAll):
            held.product, held.symbol = intent.product, intent.symbol
            self.begin(held)
        else:
            self._end(held, IntentOutcome.DENIED, reason="no orders are placed yet")

    def _repeat(self, intent: Intent, known: HeldIntent, offset: int) -> None:
        if known.fingerprint != intent.fingerprint:
            reason = f"its key is that of another intent, at offset {known.offset}"
            outcome, is_final = IntentOutcome.CONFLICT, True
        else:
            reason = f"it stands at offset {known.offset}"
            outcome, is_final = IntentOutcome.EXISTING, known.is_final
        self.register.answer(known, outcome, offset, reason=reason, is_final=is_final)

    def _cancel(self, held: HeldIntent, order_key: str) -> None:
        held.order = order_key
        order = self._named(order_key)
        if order is None:
            self._end(held, IntentOutcome.DENIED, reason="no such order is known")
            return
        held.order = order.key
        if order.is_closed:
            self._end(held, IntentOutcome.CLOSED)
            return
        self.register.tell(held, IntentOutcome.RECORDED)
        self.cancels.want(held, order)
        self.cancels.serve()

    def begin(self, held: HeldIntent) -> None:
        """An intent about many: those that are open in its scope now, and turn out to be."""
        held.is_of_many = True
        refusal = self.scopes.begin(held)
        if refusal:
            self._end(held, IntentOutcome.DENIED, reason=refusal)
            return
        found = [one for one in self._orders.open_orders() if self.scopes.covers(held, one)]
        held.orders = len(found)
        self.register.tell(held, IntentOutcome.RECORDED)
        for order in found:
            self.cancels.want(held, order)
        self.cancels.serve()

    def lift(self, held: HeldIntent) -> None:
        """A kill stands no more: cancels that are under way for it go on, and no others begin."""
        self.scopes.end(held)
        words = "it was lifted"
        self.register.tell(held, held.outcome, reason=words, code=held.code, is_final=True)

    def stop(self, reason: str) -> None:
        """Nothing may be sent for this account any more: all that is under way ends."""
        self.cancels.stop(reason)
        for held in self.scopes.open:
            if held.is_standing:
                self.scopes.end(held)
                self.register.tell(held, IntentOutcome.DENIED, reason=reason)
            else:
                words = f"{reason}; what was sent may have been done"
                self._end(held, IntentOutcome.ACK_TIMEOUT, words)

    def _named(self, order_key: str) -> Order | None:
        """The order of a key, also of one that it is not shown under any more."""
        order = self._orders.spoken_of(order_key)
        if order is not None:
            return order
        # The key of an order that nobody placed through us names it by the venue's id.
        account, _, rest = order_key.partition("/")
        product, _, rest = rest.partition("/")
        symbol, _, venue_order_id = rest.rpartition("/")
        if account != self._orders.account or not (symbol and venue_order_id):
            return None
        found = self._orders.find(product, symbol, venue_order_id)
        return None if found is None else self._orders.spoken_of(found.key)

    # ---- what orders came to

    def look(self, order_keys: Collection[str]) -> None:
        """These orders changed: the closed need no cancel any more, others may be in a scope."""
        self.cancels.settle(order_keys)
        for held, order in self.scopes.turned_up(order_keys):
            if not self.cancels.is_waited_for(held, order.key):
                held.orders = (held.orders or 0) + 1
                self.register.note(held)
                self.cancels.want(held, order)
                if held.outcome is not IntentOutcome.RECORDED:
                    self.register.tell(held, IntentOutcome.RECORDED)
        self.cancels.serve()

    def verify(self, looked_ns: dict[str, int]) -> None:
        """All orders were looked at up to these times (ns), by product; nothing is missing.

        What is about many is done when nothing is waited for that was looked at since it began.
        """
        for held in self.scopes.verified(looked_ns):
            if self.cancels.is_waited_for(held):
                continue
            if not held.is_standing:
                for order in list(self.scopes.left(held)):
                    held.leave(order.key, "")
            outcome = IntentOutcome.CLOSED
            if held.lefts:
                outcome = IntentOutcome.ACK_REJECTED if held.code else IntentOutcome.ABANDONED
            if not held.is_standing:
                self._end(held, outcome, code=held.code)
            elif held.outcome is not outcome:
                self.register.tell(held, outcome, code=held.code)

    # ---- ends and state

    def _end(
        self, held: HeldIntent, outcome: IntentOutcome, reason: str = "", code: str = ""
    ) -> None:
        self.cancels.let_go(held)
        self.scopes.end(held)
        self.register.tell(held, outcome, reason=reason, code=code, is_final=True)

    def state(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """The state records that changed since the last call; None: it is no more."""
        for held in self.register.take_changed():
            yield f"{INTENT}/{held.name}", {"intent": held.document()}
        for name, document in self.cancels.state():
            yield f"{CANCEL}/{name}", document

    def restore(self, kind: str, document: dict[str, Any]) -> None:
        """Take back one state record; `finish_restore` of the cancels after all."""
        if kind == INTENT:
            self.scopes.restore(self.register.restore(document["intent"]))
        else:
            self.cancels.restore(document["cancel"])
