"""Reads `dispatches` in a thread of its own, so that a busy event loop costs no membership.

What ends one membership (the coordinator fenced it, or did not answer) is followed by another: the
sockets do not depend on it. After a line that was broken for longer than the session a static
member can even be fenced by itself: its commit of before meets its joining of after.
"""

import logging
import threading
import time
from collections.abc import Callable

from confluent_kafka import Consumer, KafkaException

from ingest.group_events import Assigned, Event, Failed, Lost
from ingest.membership import Identity, Membership, MemberTakenError
from runtime.supervise import Backoff

OUTSIDE_SECONDS_MAX = 15.0
"""A group takes a member in within the session and the broker's delay of a new group, 9 s."""

_log = logging.getLogger(__name__)


class Dispatches:
    """Reads a topic in a group. `emit` is called from this reader's thread with each event.

    `is_full` (asked from that thread) pauses the reading while it holds.
    """

    def __init__(
        self,
        make_consumer: Callable[[], Consumer],
        identity: Identity,
        emit: Callable[[Event], None],
        is_full: Callable[[], bool],
    ) -> None:
        self._make_consumer = make_consumer
        self._identity = identity
        self._emit = emit
        self._is_full = is_full
        self._lock = threading.Lock()
        self._to_commit: dict[int, int] = {}
        self._is_stopping = threading.Event()
        self._is_abandoned = False
        self._membership: Membership | None = None
        self._outside_since: float | None = time.monotonic()
        self._why_outside = "its coordinator has not answered"
        self._thread = threading.Thread(target=self._run, name="dispatches", daemon=True)

    def start(self) -> None:
        """Join the group."""
        self._thread.start()

    def commit(self, offsets: dict[int, int]) -> None:
        """Commit these offsets soon; any thread may call."""
        with self._lock:
            self._to_commit = offsets

    def trouble(self) -> str:
        """Why nothing is read, or "": without it a worker that owns nothing would look well."""
        since, membership = self._outside_since, self._membership
        if since is not None and (seconds := time.monotonic() - since) > OUTSIDE_SECONDS_MAX:
            return (
                f"this worker is in no group on {self._identity.topic} since {seconds:.0f} s "
                f"({self._why_outside}), so nobody says what it may serve: see that Kafka runs, "
                "and that this user may join (`orderloom topics --acl`)"
            )
        return "" if membership is None else membership.unread

    def stop(self, *, is_abandoned: bool = False) -> None:
        """Leave the group; blocks for a few seconds at most.

        Partitions are revoked and released first, unless nobody is left to release them.
        """
        self._is_abandoned |= is_abandoned
        self._is_stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        backoff = Backoff()
        try:
            while not self._is_stopping.is_set():
                self._be_member(backoff)
        except MemberTakenError as error:
            self._fail(error)
        finally:
            # Says nothing where we are to stop. A thread that just died
            # would leave a worker that looks well and asks nothing.
            self._fail(RuntimeError("the reader of dispatches ended by our own mistake"))

    def _be_member(self, backoff: Backoff) -> None:
        """One membership; what Kafka breaks is followed by a pause, and then by the next."""
        membership = Membership(self._make_consumer(), self._identity, self.tell)
        self._membership = membership
        is_waited_for = False
        try:
            membership.join()
            while not self._is_stopping.is_set():
                membership.turn(self._wanted(), self._is_full())
                backoff.succeed()
            # Only a membership that ends by our wish releases in order; one that broke is lost.
            is_waited_for = not self._is_abandoned
        except KafkaException as error:
            # Another may own them by now; the sockets stay until the next assignment shows it.
            self.tell(Lost(tuple(self._identity.generations)))
            self._why_outside = str(error.args[0].str())
            seconds = backoff.next_seconds()
            _log.warning("the group is joined anew in %.1f s: %s", seconds, error)
            self._is_stopping.wait(seconds)
        finally:
            membership.leave(self._wanted(), is_waited_for=is_waited_for)

    def tell(self, event: Event) -> None:
        """Pass an event of the group on, and note whether we are in it."""
        if isinstance(event, Assigned):  # as empty as it may be: the coordinator knows us
            self._outside_since = None
        elif isinstance(event, Lost) and self._outside_since is None:
            self._outside_since = time.monotonic()
            self._why_outside = "it was not heard of for a whole session"
        self._emit(event)

    def _wanted(self) -> dict[int, int]:
        with self._lock:
            return self._to_commit

    def _fail(self, error: Exception) -> None:
        if not self._is_stopping.is_set():
            self._is_stopping.set()
            self.tell(Failed(error))
