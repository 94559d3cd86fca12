"""The succession of connections of one private stream. Pure.

1. One connection serves. When it closes, another begins after a pause that grows with each failure
   and starts small again once a connection has lived for a while.
2. Where the end can be foreseen (the venue's limit of life, an announced shutdown) the successor is
   LIVE before the old one is closed, and both deliver for an overlap: no blind window. What comes
   twice is told apart later, by what it says.
3. A refused sign-in waits long and longer: knocking faster opens no door.
4. Another key is a planned end too: the successor signs in with it, and only then the old
   connection, which keeps the key that it began with, is closed. If the new key is refused, the old
   connection goes on for as long as the venue lets it.
5. Pauses are drawn at random below their bound, or all workers would knock at the same moment.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from ingest.actions import Close, HttpOutcome, Purpose
from ingest.connection import Actions, Connection, ContextAt, Ending, Patience, State
from ingest.instant import MILLISECOND_NS, MINUTE_NS, SECOND_NS, Instant
from venues.venue import Stream

DOUBLINGS_MAX = 20
# Drawn at random, as pauses are (rule 5): connections that began together are not renewed together.
LIFE_USED = (0.85, 0.95)


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long to wait between connections, in ns.

    `settled_ns`: a connection that was LIVE for so long was a success. `overlap_ns`: how long the
    old one goes on beside its successor.
    """

    trouble_ns: int = 250 * MILLISECOND_NS
    trouble_ns_max: int = 30 * SECOND_NS
    refused_ns: int = 60 * SECOND_NS
    refused_ns_max: int = 15 * MINUTE_NS
    settled_ns: int = 30 * SECOND_NS
    overlap_ns: int = 5 * SECOND_NS


@dataclass(frozen=True, slots=True)
class Manner:
    """How one stream is kept: its time-outs, its pauses, and its dice."""

    patience: Patience
    pauses: Pauses
    dice: random.Random


class StreamKeeper:
    """Keeps one private stream connected; `connections` are those not yet CLOSED.

    `is_refused`: the venue refused the last sign-in, and none succeeded since.
    """

    def __init__(
        self, stream: Stream, name: Callable[[], str], context: ContextAt, manner: Manner
    ) -> None:
        self.stream = stream
        self._name = name
        self._context = context
        self._manner = manner
        self._serving: Connection | None = None
        self._rising: Connection | None = None
        self._retiring: list[Connection] = []
        self._retire_at_ns = 0
        self._retire_reason = ""
        self._is_outdated = False
        self._is_stopped = False
        self._is_deaf = False
        self._failures = 0
        self._next_ns = 0
        self._life_end_ns: int | None = None
        self.is_refused = False

    @property
    def connections(self) -> tuple[Connection, ...]:
        """Every connection that is not CLOSED, oldest first."""
        held = (*self._retiring, self._serving, self._rising)
        return tuple(one for one in held if one is not None)

    @property
    def is_live(self) -> bool:
        """Whether some connection delivers."""
        return any(one.state is State.LIVE for one in self.connections)

    def tick(self, now: Instant) -> Actions:
        """Time passed; the first tick begins the first connection."""
        actions = [act for one in self.connections for act in one.tick(now)]
        self._settle(now)
        # What the old one brought may still wait in its socket while we do not read.
        if not self._is_deaf and self._retiring and now.steady_ns >= self._retire_at_ns:
            actions += [
                act for one in self._retiring for act in one.retire(self._retire_reason, now)
            ]
            self._retiring.clear()
        if self._wants_another(now):
            self._rising = Connection(
                self._name(), self.stream, self._context, self._manner.patience, now
            )
            # It may end on the spot, where no address can be made: hence the second look below.
            actions += self._rising.begin(now)
            self._settle(now)
        return tuple(actions)

    def answered(
        self, connection: str, purpose: Purpose, outcome: HttpOutcome, now: Instant
    ) -> Actions:
        """See `Connection.answered`; of a connection that is gone, it says nothing."""
        one = self._find(connection)
        return () if one is None else self._after(one.answered(purpose, outcome, now), now)

    def opened(self, connection: str, now: Instant) -> Actions:
        """See `Connection.opened`."""
        one = self._find(connection)
        if one is None:
            return (Close(connection, "opened too late"),)
        return self._after(one.opened(now), now)

    def received(
        self, connection: str, body: bytes, now: Instant, unpacked: bytes | None = None
    ) -> Actions:
        """See `Connection.received`."""
        one = self._find(connection)
        return () if one is None else self._after(one.received(body, now, unpacked), now)

    def closed(
        self, connection: str, reason: str, now: Instant, *, is_refusal: bool = False
    ) -> Actions:
        """See `Connection.closed`."""
        one = self._find(connection)
        if one is None:
            return ()
        return self._after(one.closed(reason, now, is_refusal=is_refusal), now)

    def heard(self, connection: str, now: Instant, *, is_read: bool = True) -> None:
        """See `Connection.heard`."""
        if (one := self._find(connection)) is not None:
            one.heard(now, is_read=is_read)

    def deafened(self, is_deaf: bool, now: Instant) -> None:
        """The edge stops reading all connections, or reads them again."""
        self._is_deaf = is_deaf
        # The overlap begins anew when we read again: until then nothing of the old one was read.
        self._retire_at_ns = now.steady_ns + self._manner.pauses.overlap_ns
        for one in self.connections:
            one.deafened(is_deaf, now)

    def renew(self, context: ContextAt, now: Instant) -> Actions:
        """The account has another key: a connection begins at once, and signs in with it."""
        self._context = context
        self._is_outdated = self._serving is not None
        # It signs in with the former key: another begins in its place.
        rising, self._rising = self._rising, None
        # Whatever was refused, the new key has its first try at once (decision 0507).
        self._failures, self._next_ns, self.is_refused = 0, 0, False
        return () if rising is None else rising.retire("the key changed", now)

    def stop(self, reason: str, now: Instant) -> Actions:
        """Close all and begin no more."""
        self._is_stopped = True
        actions = tuple(act for one in self.connections for act in one.retire(reason, now))
        self._settle(now)
        return actions

    def _find(self, connection: str) -> Connection | None:
        return next((one for one in self.connections if one.identity == connection), None)

    def _after(self, actions: Actions, now: Instant) -> Actions:
        self._settle(now)
        return actions

    def _wants_another(self, now: Instant) -> bool:
        # No answer to a greeting would be read: each beginning would end in a time-out.
        if self._is_stopped or self._is_deaf or self._rising is not None:
            return False
        if now.steady_ns < self._next_ns:
            return False
        # An announced end: the successor comes first, as
        # the venue delivers until then (decision 0501).
        if self._serving is None or self._serving.is_ending:
            return True
        if self._is_outdated and not self._retiring:  # keys in a row: one succession at a time
            return True
        return self._life_end_ns is not None and now.steady_ns >= self._life_end_ns

    def _settle(self, now: Instant) -> None:
        """Bring succession in line with the states of the connections."""
        self._retiring = [one for one in self._retiring if one.state is not State.CLOSED]
        if self._serving is not None and self._serving.state is State.CLOSED:
            self._count_end(self._serving, now)
            self._serving = None
        if self._rising is not None and self._rising.state is State.CLOSED:
            self._count_end(self._rising, now)
            self._rising = None
        if self._rising is not None and self._rising.state is State.LIVE:
            self._succeed(self._rising, now)

    def _succeed(self, successor: Connection, now: Instant) -> None:
        if self._serving is not None:
            # Not closed yet: what was pushed just before the successor
            # subscribed may still be under way on the old one (decision 0501).
            self._retiring.append(self._serving)
            self._retire_at_ns = now.steady_ns + self._manner.pauses.overlap_ns
            self._retire_reason = "replaced: another key" if self._is_outdated else "replaced"
        self._serving, self._rising = successor, None
        self._is_outdated = self.is_refused = False
        self._life_end_ns = None
        if self.stream.life_ns is not None:
            used = self._manner.dice.uniform(*LIFE_USED)
            self._life_end_ns = now.steady_ns + int(self.stream.life_ns * used)

    def _count_end(self, ended: Connection, now: Instant) -> None:
        pauses = self._manner.pauses
        since_ns = ended.live_since_ns
        # LIVE alone is no success: who is let in and
        # thrown out at once must wait longer and longer.
        if since_ns is not None and now.steady_ns - since_ns >= pauses.settled_ns:
            self._failures = 0
        bound_ns = _grown(pauses.trouble_ns, self._failures, pauses.trouble_ns_max)
        if ended.ending is Ending.REFUSED:
            self.is_refused = True
            bound_ns = _grown(pauses.refused_ns, self._failures, pauses.refused_ns_max)
        self._failures += 1
        pause_ns = int(bound_ns * self._manner.dice.uniform(0.5, 1.0))
        self._next_ns = now.steady_ns + pause_ns


def _grown(base_ns: int, failures: int, bound_ns: int) -> int:
    return min(bound_ns, base_ns << min(failures, DOUBLINGS_MAX))
