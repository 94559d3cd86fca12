"""The closed vocabularies of the contract. Pure.

A venue's own word never passes this line: translation maps it here or reports it unknown.
"""

from enum import StrEnum
from typing import Final


class Product(StrEnum):
    """A kind of market, the same word at every venue.

    LINEAR contracts settle in what their price is in; INVERSE ones count quote units and settle in
    the base asset. Futures with and without an end are one product.
    """

    SPOT = "spot"
    LINEAR = "linear"
    INVERSE = "inverse"


class OrderType(StrEnum):
    """How an order meets the book, and what it waits for before it does.

    LIMIT_MAKER never takes. STOP and TAKE_PROFIT wait for a price and then are limit or market
    orders, as the order's price says; the longer names say which. OCO waits for either of two
    prices. LIQUIDATION was placed by the venue.
    """

    LIMIT = "LIMIT"
    MARKET = "MARKET"
    LIMIT_MAKER = "LIMIT_MAKER"
    STOP = "STOP"
    STOP_MARKET = "STOP_MARKET"
    STOP_LOSS = "STOP_LOSS"
    STOP_LOSS_LIMIT = "STOP_LOSS_LIMIT"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"
    TAKE_PROFIT_MARKET = "TAKE_PROFIT_MARKET"
    TRAILING_STOP_MARKET = "TRAILING_STOP_MARKET"
    OCO = "OCO"
    LIQUIDATION = "LIQUIDATION"


class TimeInForce(StrEnum):
    """How long an order may rest: until canceled, at once or never, all or nothing.

    GTX rests or is canceled, GTD ends at a time, GTE_GTC with its position; RPI is hidden from all
    but retail orders.
    """

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTX = "GTX"
    GTD = "GTD"
    GTE_GTC = "GTE_GTC"
    RPI = "RPI"


class Side(StrEnum):
    """The side of an order or execution."""

    BUY = "BUY"
    SELL = "SELL"


class PositionSide(StrEnum):
    """Which leg of a position: NET in one-way mode and on spot."""

    NET = "NET"
    LONG = "LONG"
    SHORT = "SHORT"


class Liquidity(StrEnum):
    """Whether an execution made or took liquidity."""

    MAKER = "MAKER"
    TAKER = "TAKER"


class TriggerType(StrEnum):
    """Which price triggers a conditional order: the last trade's, the mark price, the index."""

    LAST = "LAST"
    MARK = "MARK"
    INDEX = "INDEX"


class Status(StrEnum):
    """What one message claims of an order, and the derived status shown to consumers."""

    PENDING = "PENDING"
    WAITING_TRIGGER = "WAITING_TRIGGER"
    ACTIVE = "ACTIVE"
    # Shown, and no state: `Lifecycle` has neither this nor PENDING (docs/state-model.md 1.2).
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"


OPEN_STATUSES: Final = frozenset(
    (Status.PENDING, Status.WAITING_TRIGGER, Status.ACTIVE, Status.PARTIALLY_FILLED)
)
"""Of an order that the venue may still fill."""


class Lifecycle(StrEnum):
    """The lifecycle track: a function of the evidence (docs/state-model.md 3.1)."""

    NONE = "NONE"
    WAITING_TRIGGER = "WAITING_TRIGGER"
    ACTIVE = "ACTIVE"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"


class Completeness(StrEnum):
    """The fills track: does the set of executions explain what the venue claims?"""

    COMPLETE = "COMPLETE"
    GAP = "GAP"
    EXCESS = "EXCESS"


class Trust(StrEnum):
    """The trust track, without its overlays (disputed, stale)."""

    OBSERVED = "OBSERVED"
    CORROBORATED = "CORROBORATED"
    # Not given yet (docs/state-model.md 3.8).
    SETTLED = "SETTLED"
    CORRECTED = "CORRECTED"


class Reason(StrEnum):
    """Why an order closed, or why a request was refused."""

    USER_CANCEL = "USER_CANCEL"
    CANCEL_ALL = "CANCEL_ALL"
    KILL_SWITCH = "KILL_SWITCH"
    DEAD_MAN = "DEAD_MAN"
    TIME_IN_FORCE = "TIME_IN_FORCE"
    POST_ONLY = "POST_ONLY"
    SELF_TRADE_PREVENTION = "SELF_TRADE_PREVENTION"
    EXPIRY = "EXPIRY"
    VENUE_CANCEL = "VENUE_CANCEL"
    MARKET_CLOSED = "MARKET_CLOSED"
    LIFECYCLE_REJECT = "LIFECYCLE_REJECT"
    LIQUIDATION = "LIQUIDATION"
    ADL = "ADL"
    SETTLEMENT = "SETTLEMENT"
    # Our own conclusion: a look-up proved it absent (docs/state-model.md 3.1).
    VENUE_DROPPED = "VENUE_DROPPED"
    REPLACED = "REPLACED"
    LINKED_ORDER = "LINKED_ORDER"
    REDUCE_ONLY = "REDUCE_ONLY"
    INSUFFICIENT_BALANCE = "INSUFFICIENT_BALANCE"
    DUPLICATE_ID = "DUPLICATE_ID"
    BAD_REQUEST = "BAD_REQUEST"
    NOT_FOUND = "NOT_FOUND"
    AUTH = "AUTH"
    THROTTLED = "THROTTLED"
    # Neither done nor refused, for all we know (docs/state-model.md INV-1).
    UNKNOWN_STATE = "UNKNOWN_STATE"
    REFUSED = "REFUSED"


class Source(StrEnum):
    """By which way a piece of evidence came: pushed, asked for, or the reply to a request."""

    STREAM = "stream"
    QUERY = "query"
    REPLY = "reply"


class ReplyClass(StrEnum):
    """What an answer to a request that changes something means for that request.

    Told by the venue's own words alone, from a list of what is known; all else is UNKNOWN.
    """

    # The venue took it; what comes of it, the order's own reports say.
    ACKED = "ACKED"
    # It was surely not done, and asked again it would be refused again.
    REFUSED = "REFUSED"
    # It was surely not done, for a cause that passes: a limit, a venue that is busy.
    NOT_EXECUTED = "NOT_EXECUTED"
    # Of a cancel or an amendment: no such order is open. It may be closed, or not visible yet.
    NOT_FOUND = "NOT_FOUND"
    # Of a placement: an order has this id already. An earlier attempt at the same order may have
    # made it, so this is no failure (docs/state-model.md 2.1).
    DUPLICATE_ID = "DUPLICATE_ID"
    # Done or not: a time-out, an error of the venue's, words that we do not know.
    UNKNOWN = "UNKNOWN"


class IntentOutcome(StrEnum):
    """What is known of an intent."""

    # It stands in the log, and is being seen to.
    RECORDED = "RECORDED"
    # Nothing is done: the account, the order or the time does not allow it.
    DENIED = "DENIED"
    # Its key was used for something else, which goes on.
    CONFLICT = "CONFLICT"
    # The same again: nothing more is done, and this is where the first one stands.
    EXISTING = "EXISTING"
    # Its time was over before anything was sent, for all we know; nothing will be.
    ABANDONED = "ABANDONED"
    # An attempt surely did not reach the venue; another follows.
    REQUEST_NOT_SENT = "REQUEST_NOT_SENT"
    # The venue surely did not do it, for a cause that passes; another attempt follows.
    PENDING_RETRY = "PENDING_RETRY"
    # The venue took the request: this is no end of the order.
    ACKED = "ACKED"
    # The venue refused it for good; the order is what it was.
    ACK_REJECTED = "ACK_REJECTED"
    # Nobody knows whether the venue did it; the order is asked about, another attempt follows.
    ACK_TIMEOUT = "ACK_TIMEOUT"
    # Of a cancel: the order is shown closed, whatever closed it.
    CLOSED = "CLOSED"


class FillKind(StrEnum):
    """What a record of `fills` says: an execution, its correction, or that it was busted."""

    REAL = "REAL"
    CORRECTION = "CORRECTION"
    BUST = "BUST"
