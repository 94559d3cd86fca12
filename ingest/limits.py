"""Rate limits of one IP group: who may ask now, and who waits. Pure.

1. A bucket refills evenly: `capacity` per `period_ns`. What the venue counts by address is kept
   once for the group, times this worker's share of it; what it counts by account or by market of
   an account once for each, and whole, as only one worker serves an account. Where there is a
   `burst`, that alone goes at once, and no window ever holds more than the capacity.
2. The venue's own count, where its answers carry one, is believed over ours: as far as it can be
   one. A header of 400 digits says nothing, and none costs more than two
   periods of waiting.
3. Of such a venue no window is filled twice: what went within the last period, by our count and by
   the venue's, leaves only the rest of the limit. The keeping of streams, and cancels, may have
   the last twentieth of it.
4. A throttled request closes its bucket until the venue's time is over; a ban closes the group's.
5. The keeping of streams goes before cancels, these before placements, these before urgent
   questions, and these before periodic ones; the last leave a reserve in the bucket for the
   others. Within a rank, first come, first served.
6. A request goes when all its buckets have what it costs, and pays all at that moment. Until then
   it holds up those behind it at one bucket alone, the one it waits for longest: what waits behind
   a closed bucket holds up nobody at another.
"""

import heapq
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from ingest.instant import Instant
from ingest.level import WINDOW_USED, Level
from venues.rates import Bucket, Cost, Scope, Throttling

RESERVE = 0.5
THROTTLED_NS_MIN = 1_000_000_000
THROTTLED_NS_MAX = 3 * 24 * 3600 * 1_000_000_000
"""The longest ban that a venue's manual knows (Binance: three days); no answer asks for more."""
LEVELS_MAX = 10_000
"""Beyond so many, those that are full again are forgotten: there may be one for each market."""
NEVER_NS = 1 << 62

Key = tuple[str, str]
"""A bucket's name, and whose it is: of an account, of a market of one, or, "", of the address."""


class Rank(IntEnum):
    """Who goes first, where there is not enough for all."""

    STREAM = 0
    CANCEL = 1
    PLACE = 2
    URGENT = 3
    PERIODIC = 4


@dataclass(frozen=True, slots=True)
class Ticket:
    """A wish to make one request; `charges` is what it costs of which limit."""

    number: int
    charges: tuple[tuple[Key, float], ...]
    rank: Rank


class _Line:
    """Those of one rank who wait for the very same limits, first come, first served."""

    __slots__ = ("keys", "rank", "tickets")

    def __init__(self, rank: Rank, keys: tuple[Key, ...]) -> None:
        self.rank = rank
        self.keys = keys
        self.tickets: deque[Ticket] = deque()


class Limits:
    """The buckets of one IP group. Times are ns on the steady clock.

    `reserve` is the part of each bucket that periodic questions leave to the others.
    """

    def __init__(
        self, buckets: Mapping[str, Bucket], now_ns: int, reserve: float = RESERVE
    ) -> None:
        self._buckets = buckets
        self._levels: dict[Key, Level] = {}
        self._lines: dict[tuple[Rank, tuple[Key, ...]], _Line] = {}
        self._began_ns = now_ns
        self._reserve = reserve
        self._share = 1.0
        self._banned_until_ns = 0
        self._tickets = 0
        # What `grant` found last, while it is true: who asks for a turn asks for the next one too.
        self._next: tuple[int, int] | None = None

    def share(self, share: float) -> None:
        """This worker may use so much of each limit of the address: 0 to 1."""
        self._share, self._next = share, None
        for level in self._levels.values():
            if level.bucket.scope is Scope.ADDRESS:
                level.give_share(share)

    def wish(self, costs: tuple[Cost, ...], account: str, rank: Rank) -> Ticket:
        """Stand in line; `grant` says when it is your turn. Of no known bucket: at once."""
        self._tickets += 1
        charges = tuple((self._key(cost, account), cost.weight) for cost in self._known(costs))
        ticket = Ticket(self._tickets, charges, rank)
        where = rank, tuple(key for key, _ in charges)
        if where not in self._lines:
            self._lines[where] = _Line(*where)
        self._lines[where].tickets.append(ticket)
        self._next = None
        return ticket

    def withdraw(self, ticket: Ticket) -> None:
        """Leave the line; one that was granted already is spent."""
        line = self._lines.get((ticket.rank, tuple(key for key, _ in ticket.charges)))
        if line is not None and ticket in line.tickets:
            line.tickets.remove(ticket)
            self._end(line)
            self._next = None

    def grant(self, now_ns: int) -> tuple[Ticket, ...]:
        """Those whose turn it is; they are taken to be spent."""
        if now_ns < self._banned_until_ns:
            return ()
        granted: list[Ticket] = []
        soonest_ns = NEVER_NS
        for line, due_ns in self._in_order(now_ns):
            if due_ns > now_ns:
                soonest_ns = min(soonest_ns, due_ns)
                continue
            ticket = line.tickets.popleft()
            self._end(line)
            for key, weight in ticket.charges:
                self._levels[key].spend(weight)
            granted.append(ticket)
        self._forget(now_ns)
        # What was granted took from others, who were looked at before it.
        self._next = None if granted else (now_ns, soonest_ns)
        return tuple(granted)

    def next_ns(self, now_ns: int) -> int:
        """When `grant` is worth calling again; NEVER_NS if nobody waits."""
        if self._next is not None and self._next[0] == now_ns:
            soonest = self._next[1]
        else:
            soonest = min((due_ns for _, due_ns in self._in_order(now_ns)), default=NEVER_NS)
        return soonest if soonest == NEVER_NS else max(soonest, self._banned_until_ns)

    def answered(
        self, costs: tuple[Cost, ...], account: str, headers: Mapping[str, str], now: Instant
    ) -> None:
        """Learn the venue's own counts from an answer's headers (names in lower case)."""
        self._next = None
        for cost in self._known(costs):
            self._level(self._key(cost, account)).hear(headers, now)

    def throttled(
        self, costs: tuple[Cost, ...], account: str, backoff: Throttling, now_ns: int
    ) -> None:
        """The venue said: not before. A ban is for the whole group."""
        self._next = None
        wait_ns = min(max(backoff.retry_after_ns, THROTTLED_NS_MIN), THROTTLED_NS_MAX)
        # It is the address that is banned: every request from it, whatever its bucket.
        if backoff.is_ban:
            self._banned_until_ns = max(self._banned_until_ns, now_ns + wait_ns)
            return
        named = tuple(cost for cost in costs if cost.bucket == backoff.bucket)
        meant = named or ((Cost(backoff.bucket),) if backoff.bucket else costs[:1])
        for cost in self._known(meant):
            self._level(self._key(cost, account)).close(now_ns + wait_ns)

    def _in_order(self, now_ns: int) -> Iterator[tuple[_Line, int]]:
        """The lines that nobody before them holds up, and when the first in each may go.

        Whoever is granted meanwhile makes room for the next one of its line.
        """
        heads = [(one.rank, one.tickets[0].number, one) for one in self._lines.values()]
        heapq.heapify(heads)
        held: set[Key] = set()
        while heads:
            _, number, line = heapq.heappop(heads)
            # Nobody overtakes within a bucket: what is dear
            # would wait behind what is cheap for ever.
            if not held.isdisjoint(line.keys):
                continue
            due_ns, bottleneck = self._due(line.tickets[0], now_ns)
            if due_ns > now_ns:
                held.add(bottleneck)
            yield line, due_ns
            if line.tickets and line.tickets[0].number != number:
                heapq.heappush(heads, (line.rank, line.tickets[0].number, line))

    def _due(self, ticket: Ticket, now_ns: int) -> tuple[int, Key]:
        """When all its buckets have what it costs, and the one that is the last to have it."""
        reserve = self._reserve if ticket.rank is Rank.PERIODIC else 0.0
        # A stream that cannot be kept, or an order that should be gone, costs more than a question
        # that waits.
        used_max = 1.0 if ticket.rank <= Rank.CANCEL else WINDOW_USED
        due = (now_ns, ("", ""))
        for key, weight in ticket.charges:
            level = self._level(key)
            level.refill(now_ns)
            due = max(due, (level.ready_ns(weight, reserve, used_max), key))
        return due

    def _known(self, costs: tuple[Cost, ...]) -> Iterator[Cost]:
        return (cost for cost in costs if cost.bucket in self._buckets)

    def _key(self, cost: Cost, account: str) -> Key:
        scope = self._buckets[cost.bucket].scope
        if scope is Scope.ADDRESS:
            return cost.bucket, ""
        return cost.bucket, account if scope is Scope.ACCOUNT else f"{account} {cost.market}"

    def _level(self, key: Key) -> Level:
        if key not in self._levels:
            bucket = self._buckets[key[0]]
            share = self._share if bucket.scope is Scope.ADDRESS else 1.0
            self._levels[key] = Level(bucket, self._began_ns, share)
        return self._levels[key]

    def _end(self, line: _Line) -> None:
        """Forget a line in which nobody waits."""
        if not line.tickets:
            del self._lines[line.rank, line.keys]

    def _forget(self, now_ns: int) -> None:
        if len(self._levels) > LEVELS_MAX:
            idle = [key for key, level in self._levels.items() if level.is_idle(now_ns)]
            for key in idle:
                del self._levels[key]
