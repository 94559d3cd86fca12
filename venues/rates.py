"""Rate limits as a venue has them, what a request costs of them, and what asks us to wait. Pure."""

from dataclasses import dataclass
from enum import Enum, auto


class Scope(Enum):
    """By what a venue counts."""

    ADDRESS = auto()
    """All accounts behind one address together."""
    ACCOUNT = auto()
    MARKET = auto()
    """Each market of an account by itself."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A rate limit: `capacity` per `period_ns`, counted by `scope`.

    `burst`: so much goes at once, and what follows comes evenly, so that no `period_ns` holds more
    than `capacity`; None: all of it may go at once. The headers of an answer, names in lower case,
    that hold the venue's own count: `used_header`, `left_header`; and `reset_header`, until when
    nothing is left: in ms from now, or a time in s or ms, told apart by their length.
    """

    capacity: int
    period_ns: int
    scope: Scope = Scope.ADDRESS
    # Where there is a count it is believed (decision 0511); where there
    # is none, a bucket that went all at once and then refilled would
    # put nearly twice its capacity into one window (decision 0806).
    burst: int | None = None
    used_header: str | None = None
    left_header: str | None = None
    reset_header: str | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request uses up of a bucket; `market` where that is counted by market."""

    bucket: str
    weight: float = 1
    market: str = ""


@dataclass(frozen=True, slots=True)
class Throttling:
    """What an answer says about going on: not before `retry_after_ns` from now.

    `bucket` is the one of the request's that is closed so long, "" its first; `is_ban`: all are.
    """

    retry_after_ns: int
    is_ban: bool = False
    bucket: str = ""
