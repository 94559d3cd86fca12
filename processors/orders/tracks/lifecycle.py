"""The lifecycle track: a function of the set of evidence about one order.

Pure. Rules, in order of precedence (docs/state-model.md 3.1): the venue said FILLED, or what was
executed reaches the quantity; CANCELED; EXPIRED; REJECTED (CANCELED where something was executed);
an unexplained end, or proof of absence, that nothing later voids; alive; not yet triggered;
nothing. `facts` is the set of these facts as bits, so the track's value is one look-up, whatever
the order of arrival.

`LIFECYCLE` is the same machine read one step at a time: for each state and kind of evidence, every
state that may follow. docs/state-model.md 3.2 is drawn from it (`diagram`), and a test walks all
small sets of evidence to show that the function makes exactly these steps and no other.
"""

from enum import StrEnum
from typing import Final

from orderloom.words import Lifecycle, Reason, Status

FULL: Final = 1
CANCEL_CLAIMED: Final = 2
EXPIRY_CLAIMED: Final = 4
REJECT_CLAIMED: Final = 8
EXECUTED: Final = 16
ABSENT: Final = 32
"""Proven absent, and nothing is valid at a later time than that look-up's start; or said to have
ended, not how (decision 0307), and nothing is said to live at a later time."""
LIVE: Final = 64
UNTRIGGERED: Final = 128

NONE = Lifecycle.NONE
WAITING_TRIGGER = Lifecycle.WAITING_TRIGGER
ACTIVE = Lifecycle.ACTIVE
FILLED = Lifecycle.FILLED
CANCELED = Lifecycle.CANCELED
EXPIRED = Lifecycle.EXPIRED
REJECTED = Lifecycle.REJECTED

PRECEDENCE: Final = (
    # Full by quantity is FILLED beside any claimed end, and disputed,
    # whichever came first (decision 0401).
    (FULL, FILLED),
    (CANCEL_CLAIMED, CANCELED),
    # USD-M may report a conditional order that the engine refused as EXPIRED and as REJECTED
    # (docs/venues/binance.md 4.2).
    (EXPIRY_CLAIMED, EXPIRED),
    (REJECT_CLAIMED | EXECUTED, CANCELED),  # reason: lifecycle reject
    (REJECT_CLAIMED, REJECTED),
    (ABSENT, CANCELED),  # reason: venue dropped; our inference, so the weakest
    # Words are kept for good: once it was live, what said that it waits counts no more.
    (LIVE, ACTIVE),
    (UNTRIGGERED, WAITING_TRIGGER),
    (0, NONE),
)
"""The first row whose facts all hold gives the state."""

CLOSED: Final = frozenset({FILLED, CANCELED, EXPIRED, REJECTED})
BY_FACTS: Final = tuple(
    next(state for needed, state in PRECEDENCE if facts & needed == needed) for facts in range(256)
)


class Kind(StrEnum):
    """The kinds of evidence that may move the lifecycle."""

    UNTRIGGERED = "not-triggered report"
    LIVE = "live report"
    AMENDED = "amendment"
    EXECUTION = "execution or cumulative"
    BUST = "bust or lowering correction"
    FILLED = "FILLED claim"
    CANCELED = "CANCELED claim"
    EXPIRED = "EXPIRED claim"
    REJECTED = "REJECTED claim"
    ENDED = "unexplained end"
    ABSENT = "proof of absence"


LIFECYCLE: Final[dict[tuple[Lifecycle, Kind], frozenset[Lifecycle]]] = {
    (NONE, Kind.UNTRIGGERED): frozenset({WAITING_TRIGGER}),
    (NONE, Kind.LIVE): frozenset({ACTIVE}),
    (NONE, Kind.AMENDED): frozenset({ACTIVE}),
    (NONE, Kind.EXECUTION): frozenset({ACTIVE, FILLED}),  # a fill proves acceptance
    (NONE, Kind.BUST): frozenset({ACTIVE}),  # so does a fill that was busted
    (NONE, Kind.FILLED): frozenset({FILLED}),  # the fills track shows a GAP until executions come
    (NONE, Kind.CANCELED): frozenset({CANCELED}),
    (NONE, Kind.EXPIRED): frozenset({EXPIRED}),
    (NONE, Kind.REJECTED): frozenset({REJECTED}),
    (NONE, Kind.ENDED): frozenset({CANCELED}),
    (NONE, Kind.ABSENT): frozenset({CANCELED}),
    (WAITING_TRIGGER, Kind.UNTRIGGERED): frozenset({WAITING_TRIGGER}),
    (WAITING_TRIGGER, Kind.LIVE): frozenset({ACTIVE}),
    (WAITING_TRIGGER, Kind.AMENDED): frozenset({ACTIVE}),
    (WAITING_TRIGGER, Kind.EXECUTION): frozenset({ACTIVE, FILLED}),
    (WAITING_TRIGGER, Kind.BUST): frozenset({ACTIVE}),
    (WAITING_TRIGGER, Kind.FILLED): frozenset({FILLED}),
    (WAITING_TRIGGER, Kind.CANCELED): frozenset({CANCELED}),
    (WAITING_TRIGGER, Kind.EXPIRED): frozenset({EXPIRED}),
    (WAITING_TRIGGER, Kind.REJECTED): frozenset({REJECTED}),
    (WAITING_TRIGGER, Kind.ENDED): frozenset({CANCELED}),
    # It stays where it was seen to exist since that look-up began (docs/state-model.md 3.3).
    (WAITING_TRIGGER, Kind.ABSENT): frozenset({WAITING_TRIGGER, CANCELED}),
    (ACTIVE, Kind.UNTRIGGERED): frozenset({ACTIVE}),
    (ACTIVE, Kind.LIVE): frozenset({ACTIVE}),
    (ACTIVE, Kind.AMENDED): frozenset({ACTIVE, FILLED}),  # lowered to what is executed
    (ACTIVE, Kind.EXECUTION): frozenset({ACTIVE, FILLED}),
    (ACTIVE, Kind.BUST): frozenset({ACTIVE}),
    (ACTIVE, Kind.FILLED): frozenset({FILLED}),
    (ACTIVE, Kind.CANCELED): frozenset({CANCELED}),
    (ACTIVE, Kind.EXPIRED): frozenset({EXPIRED}),
    (ACTIVE, Kind.REJECTED): frozenset({REJECTED, CANCELED}),
    # It stays where life was reported a millisecond or more later (decision 0307).
    (ACTIVE, Kind.ENDED): frozenset({ACTIVE, CANCELED}),
    (ACTIVE, Kind.ABSENT): frozenset({ACTIVE, CANCELED}),
    (FILLED, Kind.UNTRIGGERED): frozenset({FILLED}),
    (FILLED, Kind.LIVE): frozenset({FILLED}),
    # FILLED by quantity alone is revised by an amend that had raised the quantity, or by a bust
    (FILLED, Kind.AMENDED): frozenset({FILLED, ACTIVE, CANCELED, EXPIRED}),
    (FILLED, Kind.BUST): frozenset({FILLED, ACTIVE, CANCELED, EXPIRED, REJECTED}),
    (FILLED, Kind.EXECUTION): frozenset({FILLED}),
    (FILLED, Kind.FILLED): frozenset({FILLED}),
    (FILLED, Kind.CANCELED): frozenset({FILLED}),
    (FILLED, Kind.EXPIRED): frozenset({FILLED}),
    (FILLED, Kind.REJECTED): frozenset({FILLED}),
    (FILLED, Kind.ENDED): frozenset({FILLED}),
    (FILLED, Kind.ABSENT): frozenset({FILLED}),
    # A venue's CANCELED never goes back; our own inference of absence is voided by later evidence
    (CANCELED, Kind.UNTRIGGERED): frozenset({CANCELED, WAITING_TRIGGER, ACTIVE}),
    (CANCELED, Kind.LIVE): frozenset({CANCELED, ACTIVE}),
    (CANCELED, Kind.AMENDED): frozenset({CANCELED, ACTIVE, FILLED}),
    (CANCELED, Kind.EXECUTION): frozenset({CANCELED, ACTIVE, FILLED}),
    (CANCELED, Kind.BUST): frozenset({CANCELED, REJECTED, ACTIVE}),
    (CANCELED, Kind.FILLED): frozenset({FILLED}),
    (CANCELED, Kind.CANCELED): frozenset({CANCELED}),
    # Our own conclusion of absence gives way to any claim of the venue.
    (CANCELED, Kind.EXPIRED): frozenset({CANCELED, EXPIRED}),
    (CANCELED, Kind.REJECTED): frozenset({CANCELED, REJECTED}),
    (CANCELED, Kind.ENDED): frozenset({CANCELED}),
    (CANCELED, Kind.ABSENT): frozenset({CANCELED}),
    (EXPIRED, Kind.UNTRIGGERED): frozenset({EXPIRED}),
    (EXPIRED, Kind.LIVE): frozenset({EXPIRED}),
    (EXPIRED, Kind.AMENDED): frozenset({EXPIRED, FILLED}),
    (EXPIRED, Kind.EXECUTION): frozenset({EXPIRED, FILLED}),
    (EXPIRED, Kind.BUST): frozenset({EXPIRED}),
    (EXPIRED, Kind.FILLED): frozenset({FILLED}),
    (EXPIRED, Kind.CANCELED): frozenset({CANCELED}),
    (EXPIRED, Kind.EXPIRED): frozenset({EXPIRED}),
    (EXPIRED, Kind.REJECTED): frozenset({EXPIRED}),
    (EXPIRED, Kind.ENDED): frozenset({EXPIRED}),
    (EXPIRED, Kind.ABSENT): frozenset({EXPIRED}),
    (REJECTED, Kind.UNTRIGGERED): frozenset({REJECTED}),
    (REJECTED, Kind.LIVE): frozenset({REJECTED}),
    (REJECTED, Kind.AMENDED): frozenset({REJECTED}),
    (REJECTED, Kind.EXECUTION): frozenset({CANCELED, FILLED, REJECTED}),  # busted before it came
    (REJECTED, Kind.BUST): frozenset({REJECTED}),
    (REJECTED, Kind.FILLED): frozenset({FILLED}),
    (REJECTED, Kind.CANCELED): frozenset({CANCELED}),
    (REJECTED, Kind.EXPIRED): frozenset({EXPIRED}),
    (REJECTED, Kind.REJECTED): frozenset({REJECTED}),
    (REJECTED, Kind.ENDED): frozenset({REJECTED}),
    (REJECTED, Kind.ABSENT): frozenset({REJECTED}),
}

FORCED: Final = frozenset({Reason.LIQUIDATION, Reason.ADL, Reason.SETTLEMENT})
"""Reasons that refine every other one."""

SHOWN: Final = {state: Status(state.value) for state in CLOSED} | {
    NONE: Status.PENDING,
    WAITING_TRIGGER: Status.WAITING_TRIGGER,
    ACTIVE: Status.ACTIVE,
}


def inferred_reason(facts: int) -> Reason | None:
    """The closure reason that the facts themselves give; None where the venue's word decides."""
    if facts & (FULL | CANCEL_CLAIMED | EXPIRY_CLAIMED):
        return None
    if facts & REJECT_CLAIMED:
        return Reason.LIFECYCLE_REJECT if facts & EXECUTED else None
    return Reason.VENUE_DROPPED if facts & ABSENT else None


def shown_status(state: Lifecycle, *, is_executed: bool) -> Status:
    """The derived status: PARTIALLY_FILLED is no state, only how an ACTIVE order is shown."""
    if state is ACTIVE and is_executed:
        return Status.PARTIALLY_FILLED
    return SHOWN[state]
