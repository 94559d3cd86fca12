"""The cancels of one account's orders: each in a line of attempts, until nobody wants it any more.

Pure. What an intent is and how it is told, others know (`intents`); here an order that somebody
wants canceled gets commands, one after another, and what became of each is taken in.
"""

from collections.abc import Callable, Collection, Iterator
from hashlib import sha256
from typing import Any, Final

from orderloom import topology
from orderloom.claim import Command, Verb
from orderloom.command import CancelCommand
from orderloom.raw import Attempt, AttemptOutcome
from orderloom.words import IntentOutcome
from processors.account.owner import Owner
from processors.account.publishing import Publisher
from processors.account.targets import DOUBT, Targets
from processors.account.venue_place import place_of
from processors.intents.attempts import (
    AGAIN_NS,
    AGAIN_NS_MAX,
    DOUBTED,
    FLYING,
    REFUSALS_MAX,
    Attempted,
    CancelAttempts,
)
from processors.intents.held import HeldIntent
from processors.intents.line import CancelLine
from processors.intents.register import IntentRegister
from processors.ledger.step import Output
from processors.orders.order import Order
from processors.orders.orders import Orders
from processors.timers import Timers
from venues.order_entry import Judgement

FOR_EVER_NS: Final = 2**62
End = Callable[[HeldIntent, IntentOutcome, str, str], None]
"""The intent is at its end: with this outcome, reason and code."""


class CancelBook:
    """Those that are under way. `targets` are the account's doubts about single orders."""

    def __init__(
        self,
        orders: Orders,
        publisher: Publisher,
        targets: Targets,
        owner: Owner,
        register: IntentRegister,
        end: End,
    ) -> None:
        self._orders = orders
        self._publisher = publisher
        self._targets = targets
        self._owner = owner
        self._register = register
        self._end = end
        self._canceling: dict[str, CancelAttempts] = {}
        self._waiting: dict[str, set[str]] = {}
        """The orders that each intent waits for."""
        self._by_command: dict[str, str] = {}
        self._line = CancelLine()
        self._timers = Timers()
        self._changed: set[str] = set()

    def is_waited_for(self, held: HeldIntent, order_key: str | None = None) -> bool:
        """Whether the intent waits for this order; for any."""
        waiting = self._waiting.get(held.name, set())
        return bool(waiting) if order_key is None else order_key in waiting

    def let_go(self, held: HeldIntent) -> None:
        """The intent is at its end."""
        self._waiting.pop(held.name, None)

    def want(self, held: HeldIntent, order: Order) -> None:
        """The intent wants this order canceled, which is open."""
        self._waiting.setdefault(held.name, set()).add(order.key)
        cancel = self._canceling.get(order.key)
        if cancel is None:
            cancel = CancelAttempts(order.key, self._publisher.now_ns)
            self._canceling[order.key] = cancel
        cancel.wanted_by.append(held.name)
        self._note(cancel)

    def stop(self, reason: str) -> None:
        """Nothing may be sent for this account any more: all that is under way ends."""
        for key in sorted(self._canceling):
            cancel = self._canceling[key]
            for held in self._register.named(cancel.wanted_by):
                self._leave(held, cancel, reason)
            self._drop(cancel)

    # ---- attempts

    def serve(self) -> None:
        """Decide the next attempts of those whose turn it is."""
        while (key := self._line.next()) is not None:
            order = self._orders.spoken_of(key)
            self._line.leave(key)
            if order is not None:
                self._attempt(order, self._canceling[key])

    def _attempt(self, order: Order, cancel: CancelAttempts) -> None:
        """Decide the next attempt to cancel this order."""
        publisher, account = self._publisher, self._orders.account
        place = place_of(order, DOUBT)
        # By the venue's own id alone: a client's may be another order's by the time it arrives.
        if place.venue_order_id is None:
            self._targets.raise_doubt(order.key, DOUBT, publisher.now_ns)
            cancel.due_ns = publisher.now_ns + AGAIN_NS_MAX
            self._note(cancel)
            return
        self._by_command.pop(cancel.command_id, None)
        wanting = self._register.named(cancel.wanted_by)
        # Of the intent's key, the order and the attempt alone: whoever folds this again decides
        # the same command.
        digest = sha256(f"{wanting[0].name}\0{order.key}".encode()).hexdigest()[:24]
        command_id = f"{account}/c-{digest}-{cancel.number + 1}"
        until_ns = max(held.until_ns for held in wanting)
        cancel.begin(command_id, place.venue_order_id, self._owner.generation, publisher.now_ns)
        command = CancelCommand(
            command=Command(
                id=command_id,
                verb=Verb.CANCEL,
                account=account,
                strategy=wanting[0].name.partition("/")[0],
                product=place.product,
                symbol=place.symbol,
                seen=0,  # no kill stops a cancel
                # What may have begun goes on, however late it is.
                send_by_ns=FOR_EVER_NS if cancel.may_be_sent else until_ns,
            ),
            intent=wanting[0].offset,
            attempt=cancel.number,
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

    def ended(self, item: AttemptOutcome, said: Judgement, generation: int) -> None:
        """What became of a command; `said` is what the venue's answer means, if it gave one.

        Whoever says so owns the partition's edge under this generation.
        """
        cancel = self._of_command(item.command_id)
        if cancel is None:
            return
        now_ns, order = self._publisher.now_ns, self._orders.spoken_of(cancel.order)
        if item.is_unsent:
            cancel.unsent(generation, now_ns)
        else:
            cancel.answered(said.reply, said.code, now_ns)
        if cancel.state in DOUBTED:
            self._targets.raise_doubt(cancel.order, DOUBT, now_ns)
        # It goes by another id now: what the former one's cancel came to says nothing of it.
        is_moved = order is not None and order.venue_order_id != cancel.venue_order_id
        if is_moved and cancel.due_ns is not None:
            cancel.due_ns, cancel.refusals = min(cancel.due_ns, now_ns + AGAIN_NS), 0
        self._note(cancel)
        if cancel.refusals >= REFUSALS_MAX:
            self._refused(cancel)
        else:
            self._tell_of(cancel)
        self.serve()

    def id_of(self, command_id: str) -> str | None:
        """The venue order id that the present attempt of this command names."""
        cancel = self._of_command(command_id)
        return None if cancel is None else cancel.venue_order_id

    def _of_command(self, command_id: str) -> CancelAttempts | None:
        return self._canceling.get(self._by_command.get(command_id, ""))

    def _tell_of(self, cancel: CancelAttempts) -> None:
        """Tell what is news of the present attempt, to whoever named this order."""
        outcome = cancel.take_told()
        if outcome is None:
            return
        for held in self._register.named(cancel.wanted_by):
            if not held.is_of_many:
                self._register.tell(held, outcome, code=cancel.code)

    def _refused(self, cancel: CancelAttempts) -> None:
        """The venue refuses for good: the order stays as it is. Kills go on asking."""
        for held in self._register.named(cancel.wanted_by):
            if held.is_standing:
                if cancel.order not in held.left:
                    held.leave(cancel.order, cancel.code)
                    self._register.tell(held, IntentOutcome.ACK_REJECTED, code=cancel.code)
                continue
            self._want_no_more(held, cancel)
            if held.is_of_many:
                held.leave(cancel.order, cancel.code)
                self._register.note(held)
            else:
                self._end(held, IntentOutcome.ACK_REJECTED, "", cancel.code)
        if not cancel.wanted_by:
            self._drop(cancel)

    def _abandon(self, cancel: CancelAttempts) -> None:
        """Those whose time was over before anything could reach the venue want it no more."""
        if not cancel.is_undone:
            return
        for held in self._register.named(cancel.wanted_by):
            if self._publisher.now_ns > held.until_ns:
                self._want_no_more(held, cancel)
                self._leave(held, cancel, "its time was over before anything was sent")
        if not cancel.wanted_by:
            self._drop(cancel)

    def _leave(self, held: HeldIntent, cancel: CancelAttempts, reason: str) -> None:
        """Nothing more is sent for this intent about this order."""
        if held.is_of_many:
            held.leave(cancel.order, "")
            self._register.note(held)
            return
        is_undone = cancel.is_undone
        outcome = IntentOutcome.ABANDONED if is_undone else IntentOutcome.ACK_TIMEOUT
        words = reason if is_undone else f"{reason}; what was sent may have been done"
        self._end(held, outcome, words, "")

    def _want_no_more(self, held: HeldIntent, cancel: CancelAttempts) -> None:
        cancel.wanted_by.remove(held.name)
        self._waiting.get(held.name, set()).discard(cancel.order)
        self._note(cancel)

    # ---- what orders came to

    def settle(self, order_keys: Collection[str]) -> None:
        """These orders changed: the closed need no cancel any more."""
        for key in sorted(self._canceling.keys() & set(order_keys)):
            order = self._orders.get(key)
            if order is None or not order.is_closed:
                continue
            cancel = self._canceling[key]
            wanting = self._register.named(cancel.wanted_by)
            self._drop(cancel)
            for held in wanting:
                if held.is_of_many:
                    held.gone(key)
                    self._register.note(held)
                else:
                    self._end(held, IntentOutcome.CLOSED, "", "")

    def retire(self, key: str, order: Order) -> None:
        """What was known by this key is that order now."""
        if key == order.key or (cancel := self._canceling.pop(key, None)) is None:
            return
        self._changed |= {key, order.key}
        self._timers.set(key, None)
        self._line.leave(key)
        for held in self._register.named(cancel.wanted_by):
            self._waiting[held.name].discard(key)
            self._waiting[held.name].add(order.key)
            held.order = held.order and order.key
            self._register.note(held)
        other = self._canceling.get(order.key)
        if other is not None:  # both were to be canceled: the attempts of one go on
            self._by_command.pop(cancel.command_id, None)
            other.may_be_sent |= not cancel.is_undone
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
        """Let the next attempt wait for its turn, of each that is due."""
        for key in self._timers.take_due(now_ns):
            cancel = self._canceling[key]
            if cancel.state in FLYING:
                cancel.silent()
                self._tell_of(cancel)
            self._abandon(cancel)
            if not cancel.wanted_by:
                continue
            if cancel.may_be_sent or cancel.state is not Attempted.NOT_SENT:
                self._targets.raise_doubt(key, DOUBT, now_ns)
            cancel.wait(now_ns)
            self._note(cancel)
        self.serve()

    # ---- state

    def _note(self, cancel: CancelAttempts) -> None:
        self._changed.add(cancel.order)
        self._timers.set(cancel.order, cancel.due_ns)
        if cancel.state in FLYING:
            self._line.fly(cancel.order)
        elif cancel.state is Attempted.WAITING and cancel.due_ns is None:
            is_of_many = all(one.is_of_many for one in self._register.named(cancel.wanted_by))
            self._line.join(cancel.order, cancel.since_ns, is_of_many=is_of_many)
        else:
            self._line.leave(cancel.order)

    def _drop(self, cancel: CancelAttempts) -> None:
        """Nobody wants it canceled any more."""
        del self._canceling[cancel.order]
        self._by_command.pop(cancel.command_id, None)
        self._timers.set(cancel.order, None)
        self._line.leave(cancel.order)
        self._changed.add(cancel.order)
        for name in cancel.wanted_by:
            self._waiting.get(name, set()).discard(cancel.order)

    def state(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """What changed since the last call, by the order's name; None: it is no more."""
        below = len(self._orders.account) + 1
        for key in sorted(self._changed):
            cancel = self._canceling.get(key)
            yield key[below:], None if cancel is None else {"cancel": cancel.document()}
        self._changed.clear()

    def restore(self, document: dict[str, Any]) -> None:
        """Take back one; `finish_restore` after all."""
        cancel = CancelAttempts.restored(document)
        self._canceling[cancel.order] = cancel
        if cancel.command_id:
            self._by_command[cancel.command_id] = cancel.order
        for name in cancel.wanted_by:
            self._waiting.setdefault(name, set()).add(cancel.order)

    def finish_restore(self) -> None:
        """All records are back, the intents too: the line and the timers follow from them."""
        for cancel in self._canceling.values():
            self._note(cancel)
        self._changed.clear()
