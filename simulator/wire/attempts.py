"""One request that changes something, from its arrival to its answer.

REST and sockets carry such a request out by the same steps: it arrives and is written into the
journal; the gateway lets it in or refuses it; the book looks at it; it is answered.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from simulator.journal import Journal, Row, Transport, Wish
from simulator.refusal import Refused

Answer = TypeVar("Answer")
Act = Callable[[], Answer]
"""What is left to do once a request is let in: the book's part, and the answer that follows."""


@dataclass(slots=True)
class Attempt:
    """One such request."""

    journal: Journal
    wishes: Sequence[Wish]
    transport: Transport
    connection: int = 0
    rows: list[Row] = field(default_factory=list)

    def arrive(self) -> None:
        """It was read."""
        self.rows = self.journal.arrived(self.wishes, self.transport, self.connection)

    def carry_out(self, admit: Callable[[], Act[Answer]]) -> Answer:
        """`admit` is the gateway's part; the answer, or the venue's refusal."""
        try:
            act = admit()
            with self.journal.present(self.rows):
                return act()
        except Refused as refusal:
            self.journal.refuse(self.rows, refusal)
            raise

    def barred(self, status: int) -> None:
        """What stands before the venue refuses it with this HTTP status."""
        self.journal.refuse(self.rows, Refused(status, "barred"))
        self.answered(status, str(status))

    def answered(self, status: int, code: str = "") -> None:
        """The answer goes out now."""
        self.journal.answer(self.rows, "sent", status, code)


@dataclass(frozen=True, slots=True)
class Attempts:
    """All such requests of a venue."""

    journal: Journal

    def begin(self, wishes: Sequence[Wish], transport: Transport, connection: int = 0) -> Attempt:
        """A request is there to be read."""
        return Attempt(self.journal, wishes, transport, connection)
