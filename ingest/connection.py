"""One private connection, from the wish to its end. Pure.

    PREPARING ──► CONNECTING ──► GREETING ──► LIVE ──► CLOSED        (each state may end in CLOSED)

1. Each state but LIVE and CLOSED has a deadline: every beginning ends.
2. Frames are numbered densely from 1, and each one is published, whatever it says.
3. LIVE means signed in and subscribed: from here on a frame arrives, or the connection is CLOSED.
4. Silence ends a connection; a protocol ping goes out first, so that a living peer breaks it, and
   one that does not answer is dead long before the venue's own heartbeat would show it.
5. While the edge itself does not listen (back-pressure), silence says nothing of the peer; the
   venue still wants its pings.
6. What garbage means is for the processors to say: to the connection it is data.
7. A refusal is told apart from trouble: who is refused must not knock at once again. An answer to
   PREPARING that holds no usable key is one, whatever its status.
8. Requests are built when they are sent, by the credentials that this connection began with.
9. What the venue said on the way (a token, a challenge) is given to all that is built later.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ingest.actions import (
    Action,
    Ask,
    Close,
    Connect,
    Handshake,
    HttpAnswer,
    HttpOutcome,
    Probe,
    Publish,
    Purpose,
    Send,
)
from ingest.instant import SECOND_NS, Instant
from ingest.refusals import shown_refusal
from orderloom import raw
from venues.request import Context
from venues.venue import DATA, UNREADABLE, Heard, Stream, Turn, Verdict

REASON_CHARACTERS_MAX = 300
PROBES_PER_SILENCE = 3
_ADDRESS = re.compile(r"[!-~]{1,8192}")
"""One line of printable characters, and no longer than servers take."""
NEVER_NS = 1 << 62


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a connection waits, in ns: for its key, its socket, each stage of the greeting.

    After `probe_after_ns` of silence it pings; after `probe_answer_ns_max` more the peer is dead.
    """

    prepare_ns_max: int = 30 * SECOND_NS
    connect_ns_max: int = 15 * SECOND_NS
    stage_ns_max: int = 10 * SECOND_NS
    keep_alive_retry_ns: int = 60 * SECOND_NS
    # Whatever the venue's own pace: USD-M pings every three minutes only (decision 0502).
    probe_after_ns: int = 20 * SECOND_NS
    probe_answer_ns_max: int = 20 * SECOND_NS


class State(StrEnum):
    """Where a connection stands."""

    PREPARING = "PREPARING"
    CONNECTING = "CONNECTING"
    GREETING = "GREETING"
    LIVE = "LIVE"
    CLOSED = "CLOSED"


class Ending(StrEnum):
    """What the end of a connection says about beginning another."""

    TROUBLE = "TROUBLE"
    REFUSED = "REFUSED"
    ASKED_TO_RECONNECT = "ASKED_TO_RECONNECT"
    RETIRED = "RETIRED"


ContextAt = Callable[[Instant], Context]
Actions = tuple[Action, ...]


class Connection:
    """The machine of one connection.

    `state`, `ending` (once CLOSED), `last_number`, `heard_ns` (UTC) and `is_ending` (the venue has
    announced the end: a successor is wanted) are for others to read.
    """

    def __init__(
        self, identity: str, stream: Stream, context: ContextAt, patience: Patience, now: Instant
    ) -> None:
        self.identity = identity
        self.state = State.PREPARING
        self.ending: Ending | None = None
        self.is_ending = False
        self.last_number = 0
        self.heard_ns = now.wall_ns
        self.live_since_ns: int | None = None
        self._stream = stream
        self._context = context
        self._patience = patience
        self._stage = 0
        self._said: Heard = ()
        self._deadline_ns = NEVER_NS
        self._keep_alive_ns = NEVER_NS
        self._is_deaf = False
        self._heard_steady_ns = self._probed_ns = self._pinged_ns = now.steady_ns
        self._message_steady_ns = now.steady_ns

    def begin(self, now: Instant) -> Actions:
        """Ask for what the address needs, or connect."""
        beginning = self._changed("CONNECTING", now)
        if self._stream.prepare is None:
            return (beginning, *self._connect(now))
        self._deadline_ns = now.steady_ns + self._patience.prepare_ns_max
        request = self._stream.prepare.request
        # Built when it is sent: a signature that waited
        # for the rate limit is too old (decision 0512).
        ask = Ask(self.identity, Purpose.PREPARE, lambda at: request(self._context(at)))
        return (beginning, ask)

    def answered(self, purpose: Purpose, outcome: HttpOutcome, now: Instant) -> Actions:
        """What came back for an `Ask`; too late for its state, it says nothing."""
        if purpose is Purpose.PREPARE and self.state is State.PREPARING:
            return self._prepared_by(outcome, now)
        if purpose is Purpose.KEEP_ALIVE and self.state is State.LIVE:
            return self._kept_alive_by(outcome, now)
        return ()

    def opened(self, now: Instant) -> Actions:
        """The socket is open: greet, or be LIVE where no greeting is asked."""
        if self.state is not State.CONNECTING:
            return (Close(self.identity, "opened too late"),)
        self._hear(now)
        self.state = State.GREETING
        return (self._changed("OPEN", now), *self._greet(now))

    def received(self, body: bytes, now: Instant, unpacked: bytes | None = None) -> Actions:
        """One message, which is published as it came, and then judged as it reads `unpacked`."""
        # The record of the end names the last number: after it none may follow.
        if self.state not in (State.GREETING, State.LIVE):
            return ()
        self._hear(now)
        self.last_number += 1
        frame = raw.Frame(
            self.identity, self.last_number, self._stream.product, now.wall_ns, body
        )  # fmt: skip
        # Numbered and published whatever it says: a number that lacked would be read as a loss.
        said = body if unpacked is None else unpacked
        return (Publish(self.identity, frame), *self._turned(self._judged(said), said, now))

    def heard(self, now: Instant, *, is_read: bool = True) -> None:
        """Any byte came, if only a ping; `is_read`: and no message waits unread behind it."""
        self._heard_steady_ns = now.steady_ns
        # What waits unread dies with this process: it must not be claimed as heard (decision 0505).
        if is_read:
            self.heard_ns = now.wall_ns

    def deafened(self, is_deaf: bool, now: Instant) -> None:
        """The edge stops reading (or reads again): silence counts only while we listen."""
        self._is_deaf = is_deaf
        # Silence counts from here: what came meanwhile still waits in the socket.
        if not is_deaf:
            self._heard_steady_ns = now.steady_ns

    def closed(self, reason: str, now: Instant, *, is_refusal: bool = False) -> Actions:
        """The socket broke, was closed by the peer, or never opened."""
        if self.state is State.CLOSED:
            return ()
        if is_refusal:
            return self._refused(reason, now)
        return self._end(Ending.TROUBLE, reason, now)

    def retire(self, reason: str, now: Instant) -> Actions:
        """End it by our own wish."""
        return () if self.state is State.CLOSED else self._end(Ending.RETIRED, reason, now)

    def tick(self, now: Instant) -> Actions:
        """Time passed: deadlines, silence, pings, keep-alive."""
        if self.state is State.CLOSED:
            return ()
        if now.steady_ns >= self._deadline_ns:
            return self._end(Ending.TROUBLE, f"time-out: no end of {self._awaited()}", now)
        # While we do not read, the peer cannot break its
        # silence; its own pings are due all the same.
        if self.state in (State.GREETING, State.LIVE) and not self._is_deaf:
            silent_ns = now.steady_ns - self._heard_steady_ns
            if silent_ns >= self._silence_ns_max():
                reason = f"dead peer: silent for {silent_ns // SECOND_NS} s"
                return self._end(Ending.TROUBLE, reason, now)
            return (*self._ping(now), *self._probe(now), *self._keep_alive(now))
        return (*self._ping(now), *self._keep_alive(now))

    def _awaited(self) -> str:
        if self.state is State.GREETING:
            return f"greeting stage {self._stage}"
        return self.state.lower()

    def _hear(self, now: Instant) -> None:
        self.heard_ns = now.wall_ns
        self._heard_steady_ns = self._message_steady_ns = now.steady_ns

    def _connect(self, now: Instant) -> Actions:
        self.state = State.CONNECTING
        self._deadline_ns = now.steady_ns + self._patience.connect_ns_max
        what = "preparing failed: no key in the answer" if self._said else "no address"
        try:
            url = self._handshake(now).url
        # A refusal, though the status was 200: several venues answer
        # errors so, and asking at once again mends none (decision 0512).
        except UNREADABLE as error:  # whose words may hold what came in the key's place
            return self._refused(f"{what} ({type(error).__name__})", now)
        if not _ADDRESS.fullmatch(url):
            return self._refused(f"{what} (it is no address of one line)", now)
        return (Connect(self.identity, url, self._handshake),)

    def _handshake(self, at: Instant) -> Handshake:
        context = self._context(at)
        headers = {**context.endpoints.stream_headers, **self._stream.headers(context)}
        return Handshake(self._stream.address(context, self._said), headers)

    def _prepared_by(self, outcome: HttpOutcome, now: Instant) -> Actions:
        if not isinstance(outcome, HttpAnswer):
            reason = f"preparing failed: {outcome.reason}"
            return self.closed(reason, now, is_refusal=outcome.is_our_fault)
        verdict = self._judged_answer(outcome)
        if verdict.turn is Turn.ADVANCE:
            self._said = (outcome.body,)
            return self._connect(now)
        why = verdict.reason or f"answered {shown_refusal(outcome.status, outcome.body)}"
        is_refusal = verdict.turn is Turn.REFUSED
        return self.closed(f"preparing failed: {why}", now, is_refusal=is_refusal)

    def _judged_answer(self, answer: HttpAnswer) -> Verdict:
        assert self._stream.prepare is not None, "only what is prepared is answered"
        try:
            return self._stream.prepare.judge(answer.status, answer.body)
        except UNREADABLE as error:  # rule 7
            return Verdict(Turn.REFUSED, f"no key in the answer ({type(error).__name__})")

    def _greet(self, now: Instant) -> Actions:
        if self._stage == len(self._stream.stages):
            return self._become_live(now)
        self._deadline_ns = now.steady_ns + self._patience.stage_ns_max
        try:
            frames = self._stream.stages[self._stage].say(self._context(now), self._said)
        # It may repeat or sign what the venue said, which may be anything (decision 0808).
        except UNREADABLE as error:  # whose words may hold a token
            return self._refused(f"no greeting can be made ({type(error).__name__})", now)
        return tuple(Send(self.identity, frame) for frame in frames)

    def _become_live(self, now: Instant) -> Actions:
        self.state = State.LIVE
        self.live_since_ns = now.steady_ns
        self._deadline_ns = NEVER_NS
        if self._stream.keep_alive is not None:
            self._keep_alive_ns = now.steady_ns + self._stream.keep_alive.every_ns
        return (self._changed("LIVE", now),)

    def _judged(self, said: bytes) -> Verdict:
        is_greeting = self.state is State.GREETING
        judge = self._stream.stages[self._stage].judge if is_greeting else self._stream.judge
        try:
            return judge(said)
        except UNREADABLE:
            return DATA  # rule 6

    def _turned(self, verdict: Verdict, said: bytes, now: Instant) -> Actions:
        # An ack that comes once more while LIVE begins no stage.
        if verdict.turn is Turn.ADVANCE and self.state is State.GREETING:
            self._stage, self._said = self._stage + 1, (*self._said, said)
            return self._greet(now)
        if verdict.turn is Turn.REFUSED:
            return self._refused(verdict.reason or "sign-in refused", now)
        # Closed at once: the blind interval begins here, and
        # not when the silence is noticed (decision 0501).
        if verdict.turn is Turn.RECONNECT:
            reason = verdict.reason or "the venue ends this stream"
            return self._end(Ending.ASKED_TO_RECONNECT, reason, now)
        if verdict.turn is Turn.ENDING:
            self.is_ending = True
        return ()

    def _kept_alive_by(self, outcome: HttpOutcome, now: Instant) -> Actions:
        kept = self._stream.keep_alive
        if isinstance(outcome, HttpAnswer) and kept is not None:
            if _holds(kept.is_lost, outcome):
                reason = f"key lost: {shown_refusal(outcome.status, outcome.body)}"
                return self._end(Ending.ASKED_TO_RECONNECT, reason, now)
            if _holds(kept.is_kept, outcome):
                return ()
        # The key still has time to live: once more, and soon. If it dies, the venue will say so.
        self._keep_alive_ns = now.steady_ns + self._patience.keep_alive_retry_ns
        return ()

    def _keep_alive(self, now: Instant) -> Actions:
        if self._stream.keep_alive is None or now.steady_ns < self._keep_alive_ns:
            return ()
        self._keep_alive_ns = now.steady_ns + self._stream.keep_alive.every_ns
        request, said = self._stream.keep_alive.request, self._said
        return (
            Ask(self.identity, Purpose.KEEP_ALIVE, lambda at: request(self._context(at), said)),
        )

    def _ping(self, now: Instant) -> Actions:
        """A ping that the venue wants, of its own or of the protocol."""
        heartbeat = self._stream.heartbeat
        if self.state not in (State.GREETING, State.LIVE):
            return ()
        # By messages and not by bytes: the protocol's pings
        # do not count for a venue that wants its own.
        quiet_ns = now.steady_ns - max(self._message_steady_ns, self._pinged_ns)
        is_quiet = heartbeat.ping_after_ns is not None and quiet_ns >= heartbeat.ping_after_ns
        since_ns = now.steady_ns - self._pinged_ns
        is_due = heartbeat.ping_every_ns is not None and since_ns >= heartbeat.ping_every_ns
        if not is_quiet and not is_due:
            return ()
        self._pinged_ns = now.steady_ns
        if heartbeat.ping is None:
            return (Probe(self.identity),)
        return (Send(self.identity, heartbeat.ping(self._context(now))),)

    def _probe(self, now: Instant) -> Actions:
        """RFC 6455, section 5.5.2: a ping must be answered, so silence after it means death."""
        if now.steady_ns - max(self._heard_steady_ns, self._probed_ns) < self._probe_after_ns():
            return ()
        self._probed_ns = now.steady_ns
        return (Probe(self.identity),)

    def _probe_after_ns(self) -> int:
        silence_ns_max = self._stream.heartbeat.silence_ns_max
        # Where the venue allows less silence than we do, some probes still fit into it.
        return min(self._patience.probe_after_ns, silence_ns_max // PROBES_PER_SILENCE)

    def _silence_ns_max(self) -> int:
        answered_ns = self._probe_after_ns() + self._patience.probe_answer_ns_max
        return min(self._stream.heartbeat.silence_ns_max, answered_ns)

    def _refused(self, reason: str, now: Instant) -> Actions:
        # A record of its own before the end: by it the
        # log names the key, and not only a closed socket.
        refused = self._changed("REFUSED", now, reason)
        return (refused, *self._end(Ending.REFUSED, reason, now))

    def _end(self, ending: Ending, reason: str, now: Instant) -> Actions:
        self.state, self.ending = State.CLOSED, ending
        self._deadline_ns = self._keep_alive_ns = NEVER_NS
        return (self._changed("CLOSED", now, reason), Close(self.identity, reason))

    def _changed(self, change: str, now: Instant, reason: str = "") -> Publish:
        item = raw.ConnectionChange(
            self.identity,
            self._stream.product,
            change,
            now.wall_ns,
            _text(reason),
            self.last_number,
            # Its loss blinds every product that it carries (decision 0801).
            list(self._stream.products[1:]),
            self._stream.feed,
        )
        return Publish(self.identity, item)


def _text(reason: str) -> str:
    """`reason` as a record can hold it: a venue's words may be long, or no Unicode."""
    return reason[:REASON_CHARACTERS_MAX].encode("utf-8", "replace").decode()


def _holds(judge: Callable[[int, bytes], bool], answer: HttpAnswer) -> bool:
    try:
        return judge(answer.status, answer.body)
    except UNREADABLE:  # which says nothing of the key
        return False
