"""The only sockets: performs what a stream's machine asks for, and reports to it what happened.

One runner keeps one private stream of one account, whatever the venue. It reads a message only when
the outbox has room, so a slow Kafka fills the sockets and not the memory.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
    WebSocketException,
)

from ingest.actions import (
    Action,
    Ask,
    Close,
    Connect,
    Handshake,
    HttpAnswer,
    HttpFailure,
    HttpOutcome,
    Probe,
    Publish,
    Purpose,
    Send,
)
from ingest.connection import Actions, ContextAt
from ingest.http import can_be_headers, is_named, is_safe, redirected
from ingest.instant import MINUTE_NS, Instant
from ingest.limits import Rank
from ingest.outbox import Address, Outbox
from ingest.requester import Requester, mistake
from ingest.stream import StreamKeeper
from ingest.websocket import Socket, opened, reason_of, write
from orderloom import raw
from runtime.metrics import FRAME_BYTES, FRAMES, RECONNECTS
from venues.request import HttpRequest
from venues.venue import UNREADABLE, is_refusal

SENDS_WAITING_MAX = 100
UNREACHED_AGAIN_NS = 10 * MINUTE_NS
"""A venue that cannot be reached is logged so rarely, after the first time."""
KINDS_OF_END = frozenset(
    {"broken", "cannot connect", "closed by the venue", "dead peer", "key lost", "no handshake"}
    | {
        "no address",
        "preparing failed",
        "unreadable",
        "replaced",
        "time-out",
        "disabled",
        "removed",
        "changed",
    }
)

_log = logging.getLogger(__name__)


class _Link:
    """One connection's socket, the task that reads it, and what is to be written to it."""

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None
        self.socket: Socket | None = None
        self.to_send: asyncio.Queue[bytes | None] = asyncio.Queue(SENDS_WAITING_MAX)


class StreamRunner:
    """Runs one stream; `address` says under which generation its items are written."""

    def __init__(
        self, keeper: StreamKeeper, requester: Requester, outbox: Outbox, address: Address
    ) -> None:
        self.keeper = keeper
        self.is_deaf = False
        self._requester = requester
        self._outbox = outbox
        self._address = address
        self._links: dict[str, _Link] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._unreached_from_ns: int | None = None
        labels = (requester.venue.name, keeper.stream.product)
        self._frames, self._bytes = FRAMES.labels(*labels), FRAME_BYTES.labels(*labels)

    @property
    def account(self) -> str:
        """Whose stream it is."""
        return self._requester.account

    def tick(self) -> None:
        """Time passed; to be called a few times a second."""
        now = self._requester.now()
        if self.is_deaf and self._outbox.has_room(self._address.account, self._address.partition):
            self._hear(True)  # whoever waited for room may have been closed meanwhile
        for connection, link in self._links.items():
            if link.socket is not None and link.socket.has_heard:
                link.socket.has_heard = False
                self.keeper.heard(connection, now, is_read=link.socket.is_read)
        self._perform(self.keeper.tick(now))

    def renew(self, context: ContextAt) -> None:
        """The account's key changed: see `StreamKeeper.renew`."""
        self._perform(self.keeper.renew(context, self._requester.now()))

    async def stop(self, reason: str) -> None:
        """Close all connections; their ends stand in the outbox when this returns."""
        self._perform(self.keeper.stop(reason, self._requester.now()))
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _perform(self, actions: Actions) -> None:
        for action in actions:
            self._act(action)

    def _act(self, action: Action) -> None:
        match action:
            case Publish(_, item):
                self._publish(item)
            case Send(connection, frame):
                self._enqueue(connection, frame)
            case Probe(connection):
                self._enqueue(connection, None)
            case Connect():
                link = self._links[action.connection] = _Link()
                link.task = self._start(self._run(link, action))
            case Ask(connection, purpose, build):
                work = self._ask(connection, purpose, build)
                self._asking[connection] = self._start(work)
            case Close(connection, _):
                self._drop(connection)

    def _drop(self, connection: str) -> None:
        """Nothing more is done for this connection, nor asked."""
        link = self._links.pop(connection, None)
        tasks = (self._asking.pop(connection, None), None if link is None else link.task)
        for task in tasks:
            if task is not None:
                task.cancel()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Our own mistakes are loud: they end the worker, which begins anew."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._outbox.fail(error)

    def _publish(self, item: raw.Item) -> None:
        self._outbox.put(self._address, item)
        if isinstance(item, raw.Frame):
            self._frames.inc()
            self._bytes.inc(len(item.body))
        elif isinstance(item, raw.ConnectionChange):
            self._log_change(item)

    def _log_change(self, change: raw.ConnectionChange) -> None:
        venue, product = self._requester.venue.name, change.product
        if change.change == "CLOSED":
            RECONNECTS.labels(venue, kind_of_end(change.reason)).inc()
        if change.change == "REFUSED":
            _log.error(
                "%s refuses the %s stream of %s: %s. Check the key behind the account in "
                "accounts.toml, its permissions, its allowed addresses, and that it belongs to "
                "the environment; it is tried again in a minute, then less often, and at once "
                "when the key changes",
                *(venue, product, self.account, change.reason),
                extra={"account": self.account, "venue": venue},
            )
        else:
            _log.info(
                "%s stream of %s is %s",
                *(product, self.account, f"{change.change} {change.reason}".rstrip()),
                extra={"account": self.account, "venue": venue},
            )

    def _unreached(self, setting: str, url: str, reason: str) -> None:
        """Log an address that does not answer; behind the host it may hold a key."""
        now_ns, since_ns = self._requester.now().steady_ns, self._unreached_from_ns
        if since_ns is not None and now_ns - since_ns < UNREACHED_AGAIN_NS:
            return
        self._unreached_from_ns = now_ns
        parts, venue, product = (
            urlsplit(url),
            self._requester.venue.name,
            self.keeper.stream.product,
        )
        _log.warning(
            "the %s stream of %s cannot begin: no answer as expected from %s (%s). Look at the "
            "network, and at venues.%s.%s in the settings, which may replace the address; it is "
            "tried again and again, and logged once in %d minutes",
            *(product, self.account, f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"),
            *(reason, venue, setting, UNREACHED_AGAIN_NS // MINUTE_NS),
            extra={"account": self.account, "venue": venue},
        )

    def _enqueue(self, connection: str, frame: bytes | None) -> None:
        link = self._links.get(connection)
        if link is None:
            return
        if link.to_send.full():
            self._closed(connection, "the peer takes nothing more")
        else:
            link.to_send.put_nowait(frame)

    async def _ask(
        self, connection: str, purpose: Purpose, build: Callable[[Instant], HttpRequest]
    ) -> None:
        requester, product = self._requester, self.keeper.stream.product
        outcome: HttpOutcome
        try:
            reply = await requester.ask(product, lambda _: build(requester.now()), Rank.STREAM)
            outcome = reply.outcome
            if isinstance(outcome, HttpFailure) and not outcome.is_our_fault:
                self._unreached("rest", reply.request.url, outcome.reason)
        except UNREADABLE as error:
            reason, at_ns = f"no request can be made: {mistake(error)}", requester.now().wall_ns
            outcome = HttpFailure(reason, at_ns, at_ns, is_our_fault=True)
        self._perform(self.keeper.answered(connection, purpose, outcome, requester.now()))

    async def _run(self, link: _Link, asked: Connect) -> None:
        """One socket, from opening to its end; what a peer does to our reader ends it alone."""
        try:
            await self._run_unguarded(link, asked)
        except (*UNREADABLE, OSError, EOFError, WebSocketException) as error:
            self._failed(asked, f"unreadable: {mistake(error)}")

    async def _run_unguarded(self, link: _Link, asked: Connect) -> None:
        stream = self.keeper.stream
        # Opening costs weight too (docs/venues/binance.md 2.6),
        # at OKX connections are counted (docs/venues/okx.md 2.3).
        await self._requester.gate.admit(stream.connect_costs, self.account, Rank.STREAM)
        # Anew, as a signature in it aged in line (decision 0512).
        handshake = asked.build(self._requester.now())
        if reason := self._unfit(handshake):
            self._closed(asked.connection, reason, is_refusal=True)
            return
        try:
            link.socket = await opened(handshake)
        except InvalidStatus as error:
            status = error.response.status_code
            reason = f"the venue answers {status} to the handshake"
            if 300 <= status < 400:
                reason = f"no handshake: {redirected(status)}"
            asked_for = HttpRequest(
                "GET", handshake.url, channel="a handshake", costs=stream.connect_costs
            )
            answer = _answer_of(error, self._requester.now().wall_ns)
            self._requester.learn(asked_for, answer)
            self._failed(asked, reason, is_refusal=is_refusal(status))
        except (InvalidHandshake, InvalidURI) as error:  # their words may hold the address
            self._failed(asked, f"no handshake: {type(error).__name__}")
        except (OSError, TimeoutError) as error:
            self._failed(asked, f"cannot connect: {error or 'no answer in time'}")
        else:
            await self._converse(asked.connection, link, link.socket)

    def _unfit(self, handshake: Handshake) -> str:
        """Why it may not be sent, or ""."""
        if not is_safe(handshake.url):
            return "a plain ws address beyond this machine would show the key: use wss"
        if not is_named(handshake.url, self._requester.endpoints):
            return "the socket would go to an address that the settings do not name"
        # The library writes whatever it is given.
        if not can_be_headers(handshake.headers):
            return "its headers cannot be written: does the key hold a line's end, or the like?"
        return ""

    def _failed(self, asked: Connect, reason: str, *, is_refusal: bool = False) -> None:
        if not is_refusal:
            self._unreached("stream", asked.url, reason)
        self._closed(asked.connection, reason, is_refusal=is_refusal)

    async def _converse(self, connection: str, link: _Link, socket: Socket) -> None:
        self._unreached_from_ns = None
        writer = asyncio.get_running_loop().create_task(write(socket, link.to_send))
        try:
            self._perform(self.keeper.opened(connection, self._requester.now()))
            while True:
                await self._room()
                body = await socket.recv(decode=False)
                now, unpacked = self._requester.now(), self._unpacked(body)
                self._perform(self.keeper.received(connection, body, now, unpacked))
        except ConnectionClosed as error:
            self._closed(connection, reason_of(error))
        finally:
            writer.cancel()
            await socket.close()
            await asyncio.gather(writer, return_exceptions=True)

    def _unpacked(self, body: bytes) -> bytes | None:
        """What a compressed frame holds; None for a venue that sends none."""
        unpack = self._requester.venue.unpack
        if unpack is None:
            return None
        try:
            return unpack(body)
        except UNREADABLE:  # garbage: for the processors to say
            return b""

    async def _room(self) -> None:
        """Return when one more message may be read."""
        place = (self._address.account, self._address.partition)
        if self._outbox.has_room(*place):
            return
        if not self.is_deaf:
            self._hear(False)
        await self._outbox.room(*place)
        if self.is_deaf:
            self._hear(True)

    def _hear(self, does_hear: bool) -> None:
        self.is_deaf = not does_hear
        self.keeper.deafened(self.is_deaf, self._requester.now())

    def _closed(self, connection: str, reason: str, *, is_refusal: bool = False) -> None:
        now = self._requester.now()
        self._perform(self.keeper.closed(connection, reason, now, is_refusal=is_refusal))


def kind_of_end(reason: str) -> str:
    """The first words of a reason, if they are ours: labels must be few."""
    kind = reason.partition(":")[0]
    return kind if kind in KINDS_OF_END else "other"


def _answer_of(error: InvalidStatus, at_ns: int) -> HttpAnswer:
    response = error.response
    headers = {name.lower(): value for name, value in response.headers.raw_items()}
    body = bytes(response.body or b"")
    return HttpAnswer(response.status_code, headers, body, at_ns, at_ns)
