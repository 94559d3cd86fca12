"""The attempts to cancel one order: what is known of the present one, and when the next is due.

Pure. A cancel is asked for again until the order is shown closed, or the venue refuses it again and
again: an answer that there is no such order proves nothing, and no time that passes does
(docs/state-model.md INV-2, INV-9). What came of a former attempt decides nothing.
"""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

from orderloom.words import IntentOutcome, ReplyClass

SECOND_NS: Final = 1_000_000_000
SEND_WITHIN_NS: Final = 5 * SECOND_NS
"""Ingest begins within so long of a command's append, or not at all."""
SILENCE_NS: Final = SEND_WITHIN_NS + 6 * SECOND_NS
"""Ingest has begun by then, or never will; and it waits for five seconds for an answer."""
AGAIN_NS: Final = SECOND_NS
AGAIN_NS_MAX: Final = 30 * SECOND_NS
DOUBLINGS_MAX: Final = 5
SHOWN_NS: Final = 5 * SECOND_NS
"""What the venue says it did shows in the order's own reports by then."""
REFUSALS_MAX: Final = 5
"""So many refusals in a row are believed: a key that is being replaced is refused for a moment."""


class Attempted(StrEnum):
    """What is known of the present attempt."""

    # Its turn has not come: nothing is decided.
    WAITING = "WAITING"
    # Decided: ingest may have begun it.
    PREPARED = "PREPARED"
    SENT = "SENT"
    NOT_SENT = "NOT_SENT"
    ACKED = "ACKED"
    REFUSED = "REFUSED"
    NOT_EXECUTED = "NOT_EXECUTED"
    NOT_FOUND = "NOT_FOUND"
    UNKNOWN = "UNKNOWN"


TOLD: Final = {
    Attempted.NOT_SENT: IntentOutcome.REQUEST_NOT_SENT,
    Attempted.NOT_EXECUTED: IntentOutcome.PENDING_RETRY,
    Attempted.ACKED: IntentOutcome.ACKED,
    Attempted.UNKNOWN: IntentOutcome.ACK_TIMEOUT,
}
"""What is told of an attempt whose end is not that of the intent, once of each kind."""
FLYING: Final = frozenset({Attempted.PREPARED, Attempted.SENT})
"""An answer, or its absence, is awaited."""
UNDONE: Final = frozenset({Attempted.WAITING, Attempted.NOT_SENT})
"""Surely nothing of it reached the venue."""
DOUBTED: Final = frozenset({Attempted.NOT_FOUND, Attempted.UNKNOWN})
"""After these the order itself is asked about, at once."""
REPLIES: Final = {
    ReplyClass.ACKED: Attempted.ACKED,
    ReplyClass.REFUSED: Attempted.REFUSED,
    ReplyClass.NOT_EXECUTED: Attempted.NOT_EXECUTED,
    ReplyClass.NOT_FOUND: Attempted.NOT_FOUND,
}
"""All else leaves it unknown."""


@dataclass(slots=True)
class CancelAttempts:
    """Those of one order, whose key in `orders` is `order`; `wanted_by` names the intents.

    `command_id` is that of attempt `number`, which named the order by `venue_order_id`, and was
    decided under the edge's `generation`. `since_ns` is when it began to wait for its turn.
    `may_be_sent`: one of the former attempts may have reached the venue. `refusals` are those in a
    row. `told` are the outcomes that were told of them.
    """

    order: str
    since_ns: int
    wanted_by: list[str] = field(default_factory=list)
    number: int = 0
    command_id: str = ""
    venue_order_id: str | None = None
    generation: int = 0
    state: Attempted = Attempted.WAITING
    due_ns: int | None = None
    may_be_sent: bool = False
    refusals: int = 0
    told: list[IntentOutcome] = field(default_factory=list)
    code: str = ""

    @property
    def is_undone(self) -> bool:
        """Whether surely nothing reached the venue so far."""
        return not self.may_be_sent and self.state in UNDONE

    def wait(self, now_ns: int) -> None:
        """The present attempt is over; the next waits for its turn."""
        self.may_be_sent = not self.is_undone
        self.state, self.since_ns, self.due_ns = Attempted.WAITING, now_ns, None

    def begin(
        self, command_id: str, venue_order_id: str | None, generation: int, now_ns: int
    ) -> None:
        """The next attempt is decided, under this id, by this id of the order."""
        self.number += 1
        self.command_id, self.state = command_id, Attempted.PREPARED
        self.venue_order_id, self.generation = venue_order_id, generation
        self.due_ns = now_ns + SILENCE_NS

    def begun(self) -> None:
        """Ingest is about to send the present attempt."""
        if self.state is Attempted.PREPARED:
            self.state = Attempted.SENT

    def unsent(self, generation: int, now_ns: int) -> None:
        """Whoever served the partition under this generation says that no byte left.

        Of what a former owner did with the command he knows nothing.
        """
        if self.state not in FLYING:
            return
        if generation != self.generation:
            self.may_be_sent = True
        self._end(Attempted.NOT_SENT, now_ns)

    def answered(self, reply: ReplyClass, code: str, now_ns: int) -> None:
        """The venue answered the present attempt, or nothing can be made of what came."""
        state = REPLIES.get(reply, Attempted.UNKNOWN)
        self.may_be_sent, self.code = True, code
        self.refusals = self.refusals + 1 if state is Attempted.REFUSED else 0
        self._end(state, now_ns)

    def silent(self) -> None:
        """Nothing came: whoever sent it did not live to say more."""
        self.may_be_sent = True
        if self.state is Attempted.SENT:
            self.state = Attempted.UNKNOWN

    def _end(self, state: Attempted, now_ns: int) -> None:
        self.state = state
        wait_ns = min(AGAIN_NS << min(self.number - 1, DOUBLINGS_MAX), AGAIN_NS_MAX)
        if state is Attempted.ACKED:
            wait_ns = max(wait_ns, SHOWN_NS)
        self.due_ns = now_ns + wait_ns

    def take_told(self) -> IntentOutcome | None:
        """What is to be told of the present attempt; None where it is no news."""
        outcome = TOLD.get(self.state)
        if outcome is None or outcome in self.told:
            return None
        self.told.append(outcome)
        return outcome

    def document(self) -> dict[str, Any]:
        """The state record."""
        return asdict(self)

    @classmethod
    def restored(cls, document: dict[str, Any]) -> Self:
        """Take back a state record."""
        fields = {name: document[name] for name in cls.__slots__}
        fields["state"] = Attempted(fields["state"])
        fields["told"] = [IntentOutcome(one) for one in fields["told"]]
        return cls(**fields)
