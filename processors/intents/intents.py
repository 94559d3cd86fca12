"""The intents of one account: recorded under their keys, seen to, and answered as they go.

Pure. An intent is answered when it is recorded, when more is known of it, and at its end. A cancel
is at its end when the order is shown closed by its own evidence, whatever closed it, or when the
venue refused it for good. One order has one line of attempts, whoever wants it canceled.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any, ClassVar, Final

from orderloom import topology
from orderloom.claim import Command, Verb
from orderloom.command import CancelCommand
from orderloom.intent import Cancel, CancelAll, Intent
from orderloom.raw import Attempt, AttemptOutcome
from orderloom.words import IntentOutcome
from processors.account.publishing import Publisher
from processors.account.targets import DOUBT, Targets
from processors.account.venue_place import place_of
from processors.intents.attempts import (
    AGAIN_NS,
    AGAIN_NS_MAX,
    DOUBTED,
    SEND_WITHIN_NS,
    Attempted,
    CancelAttempts,
)
from processors.intents.held import HeldIntent
from processors.intents.register import IntentRegister
from processors.ledger.step import Output
from processors.orders.order import Order
from processors.orders.orders import Orders
from processors.timers import Timers
from venues.order_entry import Judgement

INTENT: Final = "m"
CANCEL: Final = "z"
"""The kinds of its state records: what was meant, and what is to end."""
NS_PER_MS: Final = 1_000_000


class Intents:
    """What one account's intents want. `targets` are the account's doubts about single orders."""

    KINDS: ClassVar[tuple[str, ...]] = (INTENT, CANCEL)

    def __init__(self, orders: Orders, publisher: Publisher, targets: Targets) -> None:
        self._orders = orders
        self._publisher = publisher
        self._targets = targets
        self.register = IntentRegister(orders, publisher)
        self._canceling: dict[str, CancelAttempts] = {}
        self._waiting: dict[str, set[str]] = {}
        """The orders that each intent waits for."""
        self._by_command: dict[str, str] = {}
        self._timers = Timers()
        self._changed: set[str] = set()

    # ---- what is wanted

    def take(self, intent: Intent, offset: int, appended_ns: int, denial: str) -> None:
        """Fold one intent; `denial` is why nothing may be sent for this account, "" if it may."""
        known = self.register.get(intent.name)
        if known is not None:
            self._repeat(intent, known, offset)
            return
        until_ns = appended_ns + intent.within_ms * NS_PER_MS
        held = HeldIntent(intent.name, intent.fingerprint, offset, until_ns)
        self.register.put(held)
        if denial:
            self._end(held, IntentOutcome.DENIED, reason=denial)
        elif isinstance(intent, Cancel):
            self._cancel(held, intent.order)
        elif isinstance(intent, CancelAll):
            self._cancel_all(held, intent)
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
        if not _ids_of(order):
            reason = "no id is known by which the venue knows this order"
            self._end(held, IntentOutcome.DENIED, reason=reason)
            return
        self.register.tell(held, IntentOutcome.RECORDED)
        self.want(held, order)

    def _cancel_all(self, held: HeldIntent, intent: CancelAll) -> None:
        found = [one for one in self._orders.open_orders() if _is_in(one, intent) and _ids_of(one)]
        held.orders = len(found)
        self.register.tell(held, IntentOutcome.RECORDED)
        for order in found:
            self.want(held, order)
        self.end_if_done(held)

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

    def want(self, held: HeldIntent, order: Order) -> None:
        """The intent wants this order canceled, which is open."""
        self._waiting.setdefault(held.name, set()).add(order.key)
        cancel = self._canceling.get(order.key)
        if cancel is not None:
            cancel.wanted_by.append(held.name)
            self._changed.add(order.key)
            return
        self._canceling[order.key] = CancelAttempts(order.key, [held.name])
        self._attempt(order)

    # ---- attempts

    def _attempt(self, order: Order) -> None:
        """Decide the next attempt to cancel this order."""
        publisher, cancel = self._publisher, self._canceling[order.key]
        if _ids_of(order) is None:  # nobody could name it to the venue yet
            cancel.due_ns = publisher.now_ns + AGAIN_NS_MAX
            self._note(cancel)
            return
        self._by_command.pop(cancel.command_id, None)
        (first, *_) = self.register.named(cancel.wanted_by[:1])
        place, account = place_of(order, DOUBT), self._orders.account
        # Of the intent's key, the order and the attempt alone: whoever folds this again decides
        # the same command.
        digest = sha256(f"{first.name}\0{order.key}".encode()).hexdigest()[:24]
        command_id = f"{account}/c-{digest}-{cancel.number + 1}"
        cancel.begin(command_id, (place.venue_order_id, place.client_order_id), publisher.now_ns)
        command = CancelCommand(
            command=Command(
                id=command_id,
                verb=Verb.CANCEL,
                account=account,
                strategy=first.name.partition("/")[0],
                product=place.product,
                symbol=place.symbol,
                seen=0,  # no kill stops a cancel
                send_by_ns=publisher.now_ns + SEND_WITHIN_NS,
            ),
            intent=first.offset,
            order=order.key,
            venue_order_id=place.venue_order_id,
            client_order_id=place.client_order_id,
            is_conditional=place.is_conditional,
        )
        publisher.events.append(Output(topology.COMMANDS, account.encode(), command.encoded()))
        self._by_command[command_id] = order.key
        self._note(cancel)

    def begun(self, item: Attempt) -> None:
        """Ingest is about to send a command."""
        cancel = self._of_command(item.command_id)
        if cancel is not None:
            cancel.begun()
            self._note(cancel)

    def ended(self, item: AttemptOutcome, said: Judgement) -> None:
        """What became of a command; `said` is what the venue's answer means, if it gave one."""
        cancel = self._of_command(item.command_id)
        if cancel is None:
            return
        now_ns = self._publisher.now_ns
        if item.is_unsent:
            cancel.unsent(now_ns)
        else:
            cancel.answered(said.reply, said.code, now_ns)
        if cancel.state in DOUBTED:
            self._targets.raise_doubt(cancel.order, DOUBT, now_ns)
        if cancel.state is Attempted.REFUSED:
            self._refused(cancel)
            return
        self._tell_of(cancel)
        order = self._orders.spoken_of(cancel.order)
        # It goes by another id now: what the former one's cancel came to says nothing of it.
        if order is not None and _ids_of(order) != (cancel.venue_order_id, cancel.client_order_id):
            cancel.due_ns = min(cancel.due_ns, now_ns + AGAIN_NS)
        self._note(cancel)

    def _of_command(self, command_id: str) -> CancelAttempts | None:
        return self._canceling.get(self._by_command.get(command_id, ""))

    def _tell_of(self, cancel: CancelAttempts) -> None:
        """Tell what is news of the present attempt, to whoever named this order."""
        outcome = cancel.take_told()
        if outcome is None:
            return
        for held in self.register.named(cancel.wanted_by):
            if not held.is_of_many:
                self.register.tell(held, outcome, code=cancel.code)

    def _refused(self, cancel: CancelAttempts) -> None:
        """The venue refuses for good: the order stays as it is."""
        wanting = self.register.named(cancel.wanted_by)
        self._drop(cancel)
        for held in wanting:
            if held.is_of_many:
                held.left.append(cancel.order)
                held.code = cancel.code
                self.end_if_done(held)
            else:
                self._end(held, IntentOutcome.ACK_REJECTED, code=cancel.code)

    def _abandon(self, cancel: CancelAttempts) -> None:
        """Those whose time was over before anything was begun want it no more."""
        now_ns = self._publisher.now_ns
        if cancel.was_begun:
            return
        for held in self.register.named(cancel.wanted_by):
            if now_ns <= held.until_ns:
                continue
            cancel.wanted_by.remove(held.name)
            self._waiting[held.name].discard(cancel.order)
            if held.is_of_many:
                held.left.append(cancel.order)
                self.end_if_done(held)
            else:
                reason = "nothing was begun within its time"
                self._end(held, IntentOutcome.ABANDONED, reason=reason)
        if not cancel.wanted_by:
            self._drop(cancel)

    # ---- what orders came to

    def look(self, order_keys: Iterable[str]) -> None:
        """These orders changed: those that are closed need no cancel any more."""
        if not self._canceling:  # nearly always
            return
        for key in sorted(self._canceling.keys() & set(order_keys)):
            order = self._orders.get(key)
            if order is None or not order.is_closed:
                continue
            cancel = self._canceling[key]
            wanting = self.register.named(cancel.wanted_by)
            self._drop(cancel)
            for held in wanting:
                if held.is_of_many:
                    self.end_if_done(held)
                else:
                    self._end(held, IntentOutcome.CLOSED)

    def is_canceling(self, order_key: str) -> bool:
        """Whether a cancel of the order is under way."""
        return order_key in self._canceling

    def retire(self, key: str, order: Order) -> None:
        """What was known by this key is that order now."""
        cancel = self._canceling.pop(key, None)
        if cancel is None or key == order.key:
            return
        self._changed |= {key, order.key}
        self._timers.set(key, None)
        for held in self.register.named(cancel.wanted_by):
            self._waiting[held.name].discard(key)
            self._waiting[held.name].add(order.key)
            held.order = held.order and order.key
            self.register.note(held)
        other = self._canceling.get(order.key)
        if other is not None:  # both were to be canceled: the attempts of one go on
            self._by_command.pop(cancel.command_id, None)
            other.was_begun |= cancel.was_begun
            other.wanted_by += [one for one in cancel.wanted_by if one not in other.wanted_by]
            return
        cancel.order = order.key
        self._canceling[order.key] = cancel
        if cancel.command_id:
            self._by_command[cancel.command_id] = order.key
        self._note(cancel)

    # ---- time

    def due_ns(self) -> int | None:
        """When the earliest attempt is due."""
        return self._timers.earliest_ns()

    def tick(self, now_ns: int) -> None:
        """Let every attempt begin that is due."""
        for key in self._timers.take_due(now_ns):
            cancel, order = self._canceling[key], self._orders.spoken_of(key)
            if cancel.state is Attempted.SENT:  # whoever sent it did not live to say more
                cancel.state = Attempted.UNKNOWN
                self._tell_of(cancel)
            self._abandon(cancel)
            if not cancel.wanted_by:
                continue
            if cancel.was_begun:
                self._targets.raise_doubt(key, DOUBT, now_ns)
            assert order is not None, "what is canceled is an order, and orders are never forgotten"
            self._attempt(order)

    def end_if_done(self, held: HeldIntent) -> None:
        """One of many is done when none of its orders is to be waited for."""
        if self._waiting.get(held.name):
            self.register.note(held)
            return
        outcome = IntentOutcome.ACK_REJECTED if held.left else IntentOutcome.CLOSED
        if held.is_standing:
            self.register.tell(held, outcome, code=held.code)
        else:
            self._end(held, outcome, code=held.code)

    def _end(
        self, held: HeldIntent, outcome: IntentOutcome, *, reason: str = "", code: str = ""
    ) -> None:
        self._waiting.pop(held.name, None)
        self.register.tell(held, outcome, reason=reason, code=code, is_final=True)

    # ---- state

    def _note(self, cancel: CancelAttempts) -> None:
        self._changed.add(cancel.order)
        self._timers.set(cancel.order, cancel.due_ns)

    def _drop(self, cancel: CancelAttempts) -> None:
        """Nobody wants it canceled any more."""
        del self._canceling[cancel.order]
        self._by_command.pop(cancel.command_id, None)
        self._timers.set(cancel.order, None)
        self._changed.add(cancel.order)
        for name in cancel.wanted_by:
            self._waiting[name].discard(cancel.order)

    def state(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """The state records that changed since the last call; None: it is no more."""
        below = len(self._orders.account) + 1
        for held in self.register.take_changed():
            yield f"{INTENT}/{held.name}", {"intent": held.document()}
        for key in sorted(self._changed):
            cancel = self._canceling.get(key)
            document = None if cancel is None else {"cancel": cancel.document()}
            yield f"{CANCEL}/{key[below:]}", document
        self._changed.clear()

    def restore(self, kind: str, document: dict[str, Any]) -> None:
        """Take back one state record."""
        if kind == INTENT:
            self.register.restore(document["intent"])
            return
        cancel = CancelAttempts.restored(document["cancel"])
        self._canceling[cancel.order] = cancel
        self._by_command[cancel.command_id] = cancel.order
        self._timers.set(cancel.order, cancel.due_ns)
        for name in cancel.wanted_by:
            self._waiting.setdefault(name, set()).add(cancel.order)


def _ids_of(order: Order) -> tuple[str | None, str | None] | None:
    """The ids by which a cancel would name the order; None where it has none."""
    place = place_of(order, DOUBT)
    ids = place.venue_order_id, place.client_order_id
    return None if ids == (None, None) else ids


def _is_in(order: Order, intent: CancelAll) -> bool:
    is_of_product = intent.product in (None, order.product)
    return is_of_product and intent.symbol in (None, order.symbol)
