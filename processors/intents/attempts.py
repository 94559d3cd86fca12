"""The attempts to cancel one order: what is known of the present one, and when the next is due.

Pure. A cancel is asked for again until the order is shown closed, or the venue refuses it for good:
an answer that there is no such order proves nothing, and no time that passes does
(docs/state-model.md INV-2, INV-9). What came of a former attempt decides nothing.
"""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

from orderloom.words import IntentOutcome, ReplyClass

SECOND_NS: Final = 1_000_000_000
SEND_WITHIN_NS: Final = 5 * SECOND_NS
"""An attempt that ingest has not begun by then is not made."""
SILENCE_NS: Final = SEND_WITHIN_NS + 6 * SECOND_NS
"""Ingest has begun by then, or never will; and it waits for five seconds for an answer."""
AGAIN_NS: Final = SECOND_NS
AGAIN_NS_MAX: Final = 30 * SECOND_NS
DOUBLINGS_MAX: Final = 5
SHOWN_NS: Final = 5 * SECOND_NS
"""What the venue says it did shows in the order's own reports by then."""


class Attempted(StrEnum):
    """What is known of the present attempt."""

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
"""What is told of an attempt whose end is not that of the intent."""
DOUBTED: Final = frozenset({Attempted.NOT_FOUND, Attempted.UNKNOWN})
"""After these the order itself is asked about, at once."""


@dataclass(slots=True)
class CancelAttempts:
    """Those of one order, whose key in `orders` is `order`; `wanted_by` names the intents.

    `command_id` is that of attempt `number`, which named the order by `venue_order_id` or
    `client_order_id`. `was_begun`: ingest said of one of them that it is about to be sent. `told`
    is the last outcome that was told of them.
    """

    order: str
    wanted_by: list[str] = field(default_factory=list)
    number: int = 0
    command_id: str = ""
    venue_order_id: str | None = None
    client_order_id: str | None = None
    state: Attempted = Attempted.PREPARED
    due_ns: int = 0
    was_begun: bool = False
    told: IntentOutcome = IntentOutcome.RECORDED
    code: str = ""

    def begin(self, command_id: str, ids: tuple[str | None, str | None], now_ns: int) -> None:
        """The next attempt is decided, under this id, by these ids of the order."""
        self.number += 1
        self.command_id, self.state = command_id, Attempted.PREPARED
        self.venue_order_id, self.client_order_id = ids
        self.due_ns = now_ns + SILENCE_NS

    def begun(self) -> None:
        """Ingest is about to send the present attempt."""
        self.was_begun = True
        if self.state is Attempted.PREPARED:
            self.state = Attempted.SENT

    def unsent(self, now_ns: int) -> None:
        """No byte of the present attempt left."""
        self._end(Attempted.NOT_SENT, now_ns)

    def answered(self, reply: ReplyClass, code: str, now_ns: int) -> None:
        """The venue answered the present attempt, or nothing can be made of what came."""
        self.was_begun, self.code = True, code
        self._end(Attempted(reply.value), now_ns)

    def _end(self, state: Attempted, now_ns: int) -> None:
        self.state = state
        wait_ns = min(AGAIN_NS << min(self.number - 1, DOUBLINGS_MAX), AGAIN_NS_MAX)
        if state is Attempted.ACKED:
            wait_ns = max(wait_ns, SHOWN_NS)
        self.due_ns = now_ns + wait_ns

    def take_told(self) -> IntentOutcome | None:
        """What is to be told of the present attempt; None where it is no news."""
        outcome = TOLD.get(self.state)
        if outcome is None or outcome is self.told:
            return None
        self.told = outcome
        return outcome

    def document(self) -> dict[str, Any]:
        """The state record."""
        return asdict(self)

    @classmethod
    def restored(cls, document: dict[str, Any]) -> Self:
        """Take back a state record."""
        fields = {name: document[name] for name in cls.__slots__}
        fields["state"] = Attempted(fields["state"])
        fields["told"] = IntentOutcome(fields["told"])
        return cls(**fields)
