"""Rate limits of one IP group: who may ask now, and who waits. Pure.

1. A bucket refills evenly: `capacity` per `period_ns`, times this worker's share of the group.
   Where the venue counts in windows, a part of it goes at once and only the rest refills: no window
   can hold more than its capacity.
2. The venue's own count, where its answers carry one, is believed over ours: as far as it can be
   one. A header of 400 digits says nothing, and none costs more than two
   periods of waiting.
3. Of such a venue no window is filled twice: what went within the last period, by our count and by
   the venue's, leaves only the rest of the limit. The keeping of streams may have the last
   twentieth of it.
4. A throttled request closes its bucket until the venue's time is over; a ban closes the group's.
5. The keeping of streams goes before urgent questions, and these before periodic ones; the last
   leave a reserve in the bucket for the others. Within a rank, first come, first served.
6. What waits behind a closed bucket holds up nobody at another bucket.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from venues.venue import Bucket, Throttling

RESERVE = 0.5
AT_ONCE = 0.25
"""The part of a window's capacity that may go at once; the rest refills within the window."""
WINDOW_USED = 0.95
"""Requests do not arrive as evenly as they leave: so much of a window is used at most."""
THROTTLED_NS_MIN = 1_000_000_000
THROTTLED_NS_MAX = 3 * 24 * 3600 * 1_000_000_000
"""The longest ban that a venue's manual knows (Binance: three days); no answer asks for more."""
COUNT_DIGITS_MAX = 12
LATENESS = 30
"""Requests may arrive this part of a window later than they left."""
NEVER_NS = 1 << 62


class Rank(IntEnum):
    """Who goes first, where there is not enough for all."""

    STREAM = 0
    URGENT = 1
    PERIODIC = 2


@dataclass(frozen=True, slots=True)
class Ticket:
    """A wish to make one request that costs `weight` of `bucket`."""

    number: int
    bucket: str
    weight: int
    rank: Rank


class _Level:
    """One bucket, filled to `tokens` at `at_ns`."""

    def __init__(self, bucket: Bucket, at_ns: int, reserve: float) -> None:
        self.bucket = bucket
        self.reserve = reserve
        self.share = 1.0
        self.tokens = self.capacity
        self.at_ns = at_ns
        self.closed_until_ns = 0
        # In the order of the ranks: `first` takes the first that is not empty.
        self.waiting: dict[Rank, deque[Ticket]] = {rank: deque() for rank in Rank}
        self.counted: deque[tuple[int, float]] = deque()
        """When how much went, of the last period; where the venue reports its count."""
        self.count = 0.0

    @property
    def capacity(self) -> float:
        """What may go at once."""
        part = AT_ONCE if self.bucket.is_window else 1.0
        return max(1.0, self.bucket.capacity * self.share * part)

    @property
    def refilled(self) -> float:
        """What comes back within a period."""
        whole = max(1.0, self.bucket.capacity * self.share)
        return max(0.5, whole * WINDOW_USED - self.capacity) if self.bucket.is_window else whole

    def refill(self, now_ns: int) -> None:
        gained = self.refilled * max(0, now_ns - self.at_ns) / self.bucket.period_ns
        self.tokens = min(self.capacity, self.tokens + gained)
        self.at_ns = max(self.at_ns, now_ns)
        while self.counted and self.counted[0][0] + self._window_ns <= now_ns:
            self.count -= self.counted.popleft()[1]

    def spend(self, weight: float) -> None:
        self.tokens -= weight
        self.note(weight)

    def note(self, weight: float) -> None:
        """So much of the window is used."""
        if self.bucket.used_header is not None:
            self.counted.append((self.at_ns, weight))
            self.count += weight

    def learn(self, used: float) -> None:
        """The venue counts so much in its window, of everybody: what it leaves is left for us."""
        # The venue counts us as well: only what leaves us less than our own count does is news.
        ours = self.bucket.capacity * self.share * WINDOW_USED - self.count
        self.note(max(0.0, ours - (self.bucket.capacity * WINDOW_USED - used)))

    @property
    def _window_ns(self) -> int:
        """A window, and what requests may be late by: two that follow must not meet in one."""
        return self.bucket.period_ns + self.bucket.period_ns // LATENESS

    def _excess(self, ticket: Ticket) -> float:
        """What must have left the window before `ticket` fits; all of it, for one beyond it."""
        # A stream that cannot be kept costs more than a question that waits.
        used_max = 1.0 if ticket.rank is Rank.STREAM else WINDOW_USED
        excess = self.count + ticket.weight - self.bucket.capacity * self.share * used_max
        return min(excess, self.count)

    def fits(self, ticket: Ticket) -> bool:
        """Whether there are the tokens, and room in the window."""
        return self.tokens >= self.needed(ticket) and self._excess(ticket) <= 0

    def _fits_ns(self, ticket: Ticket, now_ns: int) -> int:
        """When there is room in the window."""
        excess = self._excess(ticket)
        for at_ns, weight in self.counted:
            if excess <= 0:
                break
            excess -= weight
            now_ns = max(now_ns, at_ns + self._window_ns)
        return now_ns

    def needed(self, ticket: Ticket) -> float:
        """The tokens that must be there; what costs more than all of them waits for a full one."""
        reserve = self.capacity * self.reserve if ticket.rank is Rank.PERIODIC else 0.0
        return min(ticket.weight + reserve, self.capacity)

    def first(self) -> Ticket | None:
        return next((queue[0] for queue in self.waiting.values() if queue), None)

    def ready_ns(self, now_ns: int) -> int:
        """When the first in line may go; NEVER_NS if nobody waits."""
        ticket = self.first()
        if ticket is None:
            return NEVER_NS
        missing = max(0.0, self.needed(ticket) - self.tokens)
        # Rounded up: a timer that fires a moment early finds nothing to grant.
        refilled_ns = now_ns + int(-(-missing * self.bucket.period_ns // self.refilled))
        return max(refilled_ns, self.closed_until_ns, self._fits_ns(ticket, now_ns))


class Limits:
    """The buckets of one IP group. Times are ns on the steady clock.

    `reserve` is the part of each bucket that periodic questions leave to the others.
    """

    def __init__(
        self, buckets: Mapping[str, Bucket], now_ns: int, reserve: float = RESERVE
    ) -> None:
        self._levels = {name: _Level(bucket, now_ns, reserve) for name, bucket in buckets.items()}
        self._banned_until_ns = 0
        self._tickets = 0

    def share(self, share: float) -> None:
        """This worker may use so much of each limit: 0 to 1. A fuller share comes as full."""
        for level in self._levels.values():
            level.tokens *= share / level.share
            level.share = share

    def wish(self, bucket: str, weight: int, rank: Rank) -> Ticket:
        """Stand in line; `grant` says when it is your turn. Of no known bucket: at once."""
        self._tickets += 1
        ticket = Ticket(self._tickets, bucket, weight, rank)
        if bucket not in self._levels:
            # Refilled in a nanosecond: no limit.
            self._levels[bucket] = _Level(Bucket(1_000_000, 1), 0, 0.0)
        self._levels[bucket].waiting[rank].append(ticket)
        return ticket

    def withdraw(self, ticket: Ticket) -> None:
        """Leave the line; one that was granted already is spent."""
        queue = self._levels[ticket.bucket].waiting[ticket.rank]
        if ticket in queue:
            queue.remove(ticket)

    def grant(self, now_ns: int) -> tuple[Ticket, ...]:
        """Those whose turn it is; they are taken to be spent."""
        granted: list[Ticket] = []
        if now_ns < self._banned_until_ns:
            return ()
        for level in self._levels.values():
            level.refill(now_ns)
            while (ticket := level.first()) is not None:
                # Nobody overtakes within a bucket: what is dear
                # would wait behind what is cheap for ever.
                if now_ns < level.closed_until_ns or not level.fits(ticket):
                    break
                level.waiting[ticket.rank].popleft()
                level.spend(ticket.weight)
                granted.append(ticket)
        return tuple(granted)

    def next_ns(self, now_ns: int) -> int:
        """When `grant` is worth calling again; NEVER_NS if nobody waits."""
        soonest = min((level.ready_ns(now_ns) for level in self._levels.values()), default=NEVER_NS)
        return soonest if soonest == NEVER_NS else max(soonest, self._banned_until_ns)

    def answered(self, bucket: str, headers: Mapping[str, str]) -> None:
        """Learn the venue's own count from an answer's headers (names in lower case)."""
        level = self._levels.get(bucket)
        if level is None or level.bucket.used_header is None:
            return
        used = headers.get(level.bucket.used_header, "")
        # A header may hold anything, also a number of 400 digits (decision 0509).
        if used.isdecimal() and len(used) <= COUNT_DIGITS_MAX:
            capacity = level.bucket.capacity
            count = min(float(used), 2.0 * capacity)
            # Below zero where the venue counts more than its
            # limit, but by no more than a period's worth.
            level.tokens = min(level.tokens, capacity - count)
            level.learn(count)

    def throttled(self, bucket: str, backoff: Throttling, now_ns: int) -> None:
        """The venue said: not before. A ban is for the whole group."""
        wait_ns = min(max(backoff.retry_after_ns, THROTTLED_NS_MIN), THROTTLED_NS_MAX)
        until_ns = now_ns + wait_ns
        # It is the address that is banned: every request from it, whatever its bucket.
        if backoff.is_ban:
            self._banned_until_ns = max(self._banned_until_ns, until_ns)
        elif bucket in self._levels:
            level = self._levels[bucket]
            level.closed_until_ns = max(level.closed_until_ns, until_ns)
