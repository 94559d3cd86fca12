"""One request that changes something, from its arrival to its answer, and what may befall it.

REST and sockets carry such a request out by the same steps: it is read, and written into the
journal; the gateway lets it in or refuses it; the book looks at it; it is answered. A fault acts
between two of these steps.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from simulator.delivery import Feed
from simulator.faults import OF_EARLY_ACKS, Faults, Met
from simulator.journal import Answered, Journal, Row, Touched, Wish
from simulator.refusal import Refused
from simulator.trouble import ORDER_FAULTS, SOCKET_FAULTS
from simulator.visibility import View
from simulator.wire.lines import Line

Answer = TypeVar("Answer")
Act = Callable[[], Answer]
"""What is left to do once a request is let in: the book's part, and the answer that follows."""
UNREAD = frozenset({"lost_unread", "lost_half_read"})
ANSWERED_LATE = frozenset({"ack_late", "fill_before_ack"})


class Lost(Exception):
    """The connection is gone: nobody is answered."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """What all such requests of a venue work with."""

    journal: Journal
    faults: Faults
    feed: Feed
    view: View
    fill_named: Callable[[Wish], None]
    """Has somebody trade what is left of the orders that a wish names."""
    acks_early: Callable[[str], bool]
    """Whether an answer of this product says less than that the book has the order."""

    def begin(self, wishes: Sequence[Wish], line: Line) -> "Attempt":
        """A request is there to be read."""
        may_meet = ORDER_FAULTS if line.name == "rest" else SOCKET_FAULTS
        if all(wish.verb == "place" and self.acks_early(wish.product) for wish in wishes):
            may_meet |= OF_EARLY_ACKS
        met = self.faults.for_attempt(wishes, line.name, may_meet) if wishes else Met()
        return Attempt(self, wishes, line, met)


@dataclass(slots=True)
class Attempt:
    """One of them; `met` is the fault that it meets."""

    wire: Attempts
    wishes: Sequence[Wish]
    line: Line
    met: Met
    rows: list[Row] = field(default_factory=list)

    @property
    def is_slow(self) -> bool:
        """Whether others pass it on its way or its answer's."""
        return self.met.kind == "held_up" or self.met.kind in ANSWERED_LATE

    async def arrive(self) -> None:
        """It is read; `Lost` where the connection ends before that."""
        if not self.wishes:
            return
        if self.met.kind == "unread":
            await self._pass()  # who reads the line waits here, so that bytes pile up on it
        journal = self.wire.journal
        self.rows = journal.arrived(self.wishes, self.line.name, self.line.number, self.met.name)
        if self.met.kind in UNREAD:
            journal.lose(self.rows)
            self._lose_line()

    async def carry_out(self, admit: Callable[[], Act[Answer]]) -> Answer:
        """`admit` is the gateway's part; the answer, the venue's refusal, or `Lost`."""
        try:
            act = admit()
            if self.met.kind == "held_up":
                await self._pass()
            with self._present():
                answer = act()
        except Refused as refusal:
            self.wire.journal.refuse(self.rows, refusal)
            await self._before_answer()
            raise
        await self._before_answer()
        return answer

    def answered(self, status: int, code: str = "") -> None:
        """The answer goes out now, if anybody is there to hear it."""
        how: Answered = "withheld" if self.line.is_over else "sent"
        self.wire.journal.answer(self.rows, how, status, code)

    def barred(self, status: int) -> None:
        """What stands before the venue refuses it with this HTTP status."""
        self.wire.journal.refuse(self.rows, Refused(status, "barred"))
        self.answered(status, str(status))

    @contextmanager
    def _present(self) -> Iterator[None]:
        """The book's part, which is over within one turn of the loop, and what the fault adds."""
        with ExitStack() as stack:
            stack.enter_context(self.wire.view.of_the_book(is_so=bool(self.wishes)))
            if self.met.kind == "overtaken":
                for wish in self.wishes:
                    self.wire.fill_named(wish)
            if self.met.kind:
                stack.enter_context(self.wire.faults.settled(self.met.kind))
            if self.met.told_after_ms:
                stack.callback(self._hold_pushes())
            touched = stack.enter_context(self.wire.journal.present(self.rows))
            try:
                yield
            finally:  # an answer of an open outcome may hide that it was carried out
                self._follow(touched)

    def _hold_pushes(self) -> Callable[[], object]:
        """What the accounts are told waits from now on; what sets the end of that."""
        feed, loop = self.wire.feed, asyncio.get_running_loop()
        names = {wish.account for wish in self.wishes}
        for name in names:
            feed.hold(name)
        return lambda: [
            loop.call_later(self.met.told_after_ms / 1000, feed.free, name) for name in names
        ]

    def _follow(self, touched: Sequence[Touched]) -> None:
        """What befalls the orders that were made."""
        for one in touched:
            if self.met.kind == "fill_before_ack":
                one.fill()
            elif self.met.kind == "book_late":
                self.wire.view.hide(one.key, self.met.ms, from_book=True)
            if self.met.unseen_ms:
                self.wire.view.hide(one.key, self.met.unseen_ms)

    async def _before_answer(self) -> None:
        if self.met.kind in ANSWERED_LATE:
            await self._pass()
        if self.met.kind == "ack_lost":
            self._lose_line()

    def _lose_line(self) -> None:
        self.wire.journal.answer(self.rows, "withheld")
        kind = self.met.kind
        self.line.end(f"fault: {kind}", is_hard=kind != "lost_unread")
        raise Lost

    async def _pass(self) -> None:
        await asyncio.sleep(self.met.ms / 1000)
