"""From the venue to those who listen: subscriptions, queues, and the faults between.

Frames of one connection arrive in the order in which they were made, unless a fault says
otherwise. Everything here runs on one event loop and nothing blocks but `Connection.write`.
"""

import asyncio
import socket
import struct
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count

import orjson
from aiohttp import web

from simulator.accounts import Fill
from simulator.clock import Clock
from simulator.faults import Faults
from simulator.instrument import Product
from simulator.message import Message

QUEUE_MAX = 50_000
"""A listener that is further behind is cut off, as the venue would."""
RECENT_MAX = 10_000
"""Fills remembered per connection, to say which were in flight when it ended."""
HELD_MS_MAX = 250
"""A reordered frame goes out after so long even where no later frame comes."""
DRAIN_S_MAX = 1.0
"""How long a planned end waits for a client that does not read."""
NOW = struct.pack("ii", 1, 0)
"""SO_LINGER of zero seconds: closing sends a reset and throws away what is unsent."""


def reset(transport: asyncio.Transport) -> None:
    """End a TCP connection at once, and throw away what is unsent and unread."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NOW)
    transport.abort()


@dataclass(slots=True, eq=False)
class Held:
    """A frame that waits: for `frames` later ones to pass, and at most for its timer."""

    text: str
    message: Message | None
    frames: int
    timer: asyncio.TimerHandle | None = None

    def stop_timer(self) -> None:
        """The frame goes out, or never will."""
        if self.timer is not None:
            self.timer.cancel()


@dataclass(frozen=True, slots=True)
class Ended:
    """A connection that is no more."""

    number: int
    product: str
    """What the connection serves: a product, or a path of the venue that serves all."""
    opened_ms: int
    closed_ms: int
    reason: str
    accounts: tuple[str, ...] = ()
    """Those whose events went there."""


class Connection:
    """One private WebSocket: its queue, what is held back on it, and what it delivered."""

    def __init__(self, kind: str, websocket: web.WebSocketResponse, feed: "Feed") -> None:
        self.number = next(feed.numbers)
        self.kind = kind
        self.is_half_open = False
        self.wrote_s = asyncio.get_running_loop().time()
        self.opened_ms = feed.clock.now_ms()
        self.end_reason = "closed by the client"
        self.transport: asyncio.Transport | None = None
        self._websocket = websocket
        self._feed = feed
        self._queue: deque[tuple[str, Message | None]] = deque()
        self._held: dict[Held, None] = {}
        self._is_ended = False
        self._silent_until_s = 0.0
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._recent: deque[tuple[int, Fill]] = deque(maxlen=RECENT_MAX)

    def put(self, text: str, message: Message | None = None) -> None:
        """Send `text` after what waits already, without any fault."""
        self._queue.append((text, message))
        self._wake.set()
        self._idle.clear()
        if len(self._queue) > QUEUE_MAX:
            self.cut("too slow to read")

    def offer(self, text: str, message: Message) -> None:
        """Send a private frame as the next fault has it."""
        if self._is_ended or self.is_half_open:
            self._lose(message)
            return
        fault = self._feed.faults.for_frame()
        if fault == "disconnect":
            self._lose(message)
            self.cut("fault: disconnect")
        elif fault == "half_open":
            self._lose(message)
            self.go_half_open()
        elif fault in ("drop", "silence") or self._is_silent():
            self._drop(message, fault)
        elif fault in ("delay", "reorder"):
            self._hold(text, message, fault)
        else:
            self.put(text, message)
            if fault == "duplicate" and self._feed.faults.is_copy_late():
                self._hold(self._feed.copied(text), message, "reorder")
            elif fault == "duplicate":
                self.put(text, message)
            elif fault == "planned_disconnect":
                self._feed.plan_end(self)
        self._pass_held()

    def go_half_open(self) -> None:
        """Stay connected, and neither say nor answer anything until the cut."""
        if self.is_half_open or self._is_ended:
            return
        self.is_half_open = True
        loop = asyncio.get_running_loop()
        loop.call_later(self._feed.faults.config.half_open_s, self.cut, "half-open for too long")

    def release(self) -> None:
        """Send all that is held back."""
        for held in list(self._held):
            self._free(held)

    async def drained(self) -> None:
        """Wait until nothing waits on this connection."""
        await self._idle.wait()

    async def write(self) -> None:
        """Send what is queued until cancelled or the socket fails."""
        while True:
            await self._wake.wait()
            while self._queue:
                text, message = self._queue.popleft()
                if self.is_half_open:
                    self._lose(message)
                    continue
                if message is not None and message.fill is not None:
                    self._delivered(message.fill, is_full=message.is_full)
                await self._websocket.send_str(text)
                self.wrote_s = asyncio.get_running_loop().time()
            self._wake.clear()
            self._idle.set()

    def cut(self, reason: str, *, is_hard: bool = True) -> None:
        """End the TCP connection at once, without a goodbye, hard by a reset."""
        if self.transport is None or self.transport.is_closing():
            return
        self.end_reason = reason
        if is_hard:
            reset(self.transport)
        else:
            self.transport.close()
        self._feed.remove(self)

    async def close(self, reason: str, code: int = 1000) -> None:
        """End the connection with a close frame, after what waits already."""
        self.end_reason = reason
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S_MAX):
                await self.drained()
        await self._websocket.close(code=code, message=reason.encode())

    def ended(self) -> Ended:
        """Account for what was lost with the connection."""
        now_ms = self._feed.clock.now_ms()
        self._is_ended = True
        for held in self._held:
            held.stop_timer()
            self._lose(held.message)
        for _, message in self._queue:
            self._lose(message)
        self._held.clear()
        self._queue.clear()
        for sent_ms, fill in self._recent:
            fill.is_in_flight |= now_ms - sent_ms <= self._feed.in_flight_ms
        self._idle.set()
        return Ended(self.number, self.kind, self.opened_ms, now_ms, self.end_reason)

    def _hold(self, text: str, message: Message, fault: str) -> None:
        is_delay = fault == "delay"
        seconds = self._feed.faults.delay_s() if is_delay else HELD_MS_MAX / 1000
        frames = -1 if is_delay else self._feed.faults.span() + 1
        held = Held(text, message, frames)
        held.timer = asyncio.get_running_loop().call_later(seconds, self._free, held)
        self._held[held] = None
        self._idle.clear()

    def _pass_held(self) -> None:
        for held in list(self._held):
            held.frames -= 1
            if held.frames == 0:
                self._free(held)

    def _free(self, held: Held) -> None:
        if held in self._held:
            del self._held[held]
            held.stop_timer()
            self.put(held.text, held.message)

    def _delivered(self, fill: Fill, *, is_full: bool) -> None:
        if not is_full:
            fill.lite_deliveries += 1
            return
        now_ms = self._feed.clock.now_ms()
        fill.deliveries.append((self.number, now_ms))
        self._recent.append((now_ms, fill))

    def _is_silent(self) -> bool:
        return asyncio.get_running_loop().time() < self._silent_until_s

    def _drop(self, message: Message, fault: str) -> None:
        if fault == "silence":
            seconds = self._feed.faults.silence_s()
            self._silent_until_s = asyncio.get_running_loop().time() + seconds
        if message.fill and message.is_full:
            message.fill.is_dropped = True

    @staticmethod
    def _lose(message: Message | None) -> None:
        if message is not None and message.fill is not None and message.is_full:
            message.fill.is_blind = True


@dataclass(frozen=True, slots=True, eq=False)
class Subscription:
    """One account's events on one connection: how they are wrapped, and which are wanted."""

    connection: Connection
    account: str
    product: Product
    wrap: Callable[[str], str]
    kinds: frozenset[str] | None = None
    """None stands for all kinds."""
    wants: Callable[[Message], bool] | None = None
    """What is wanted of those kinds; None stands for everything."""

    def hears(self, message: Message) -> bool:
        """Whether the message goes there."""
        is_kind = self.kinds is None or message.kind in self.kinds
        return is_kind and (self.wants is None or self.wants(message))


@dataclass(slots=True)
class Waiting:
    """What an account will be told later, and how many hold it back."""

    holders: int = 0
    messages: list[Message] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Feed:
    """All listeners of all accounts."""

    clock: Clock
    faults: Faults
    in_flight_ms: int
    """What was written so shortly before a connection's end may not have been read."""
    connections: dict[int, Connection] = field(default_factory=dict)
    ended: list[Ended] = field(default_factory=list)
    messages: int = 0
    plan_end: Callable[[Connection], None] = lambda connection: None
    """Ends a connection as the venue does when it plans to."""
    copied: Callable[[str], str] = lambda text: text
    """What a late copy of a frame says, where the venue does not repeat it to the letter."""
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    _waiting: dict[str, Waiting] = field(default_factory=dict)
    """By account, what waits to be handed out."""
    _listeners: dict[tuple[str, Product], list[Subscription]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def publish(self, message: Message) -> None:
        """Hand a private message to everyone who listens to its account."""
        self.messages += 1
        waiting = self._waiting.get(message.account)
        if waiting is None:
            self._hand_out(message)
        else:
            waiting.messages.append(message)

    def hold(self, account: str) -> None:
        """What the account is told waits from now on, until it is freed as often."""
        self._waiting.setdefault(account, Waiting()).holders += 1

    def free(self, account: str) -> None:
        """One of those who hold it does so no more; nothing where nobody does."""
        waiting = self._waiting.get(account)
        if waiting is None:
            return
        waiting.holders -= 1
        if waiting.holders <= 0:
            del self._waiting[account]
            for message in waiting.messages:
                self._hand_out(message)

    def _hand_out(self, message: Message) -> None:
        subscriptions = [
            subscription
            for subscription in self._listeners.get((message.account, message.product), ())
            if subscription.hears(message)
        ]
        if not subscriptions:
            if message.fill is not None and message.is_full:
                message.fill.is_blind = True
            return
        text = orjson.dumps(message.document).decode()
        for subscription in subscriptions:
            subscription.connection.offer(subscription.wrap(text), message)

    def add(self, connection: Connection) -> None:
        """A new connection."""
        self.connections[connection.number] = connection

    def subscribe(self, subscription: Subscription) -> None:
        """From now on the account's events go there too."""
        self._listeners[subscription.account, subscription.product].append(subscription)

    def unsubscribe(self, subscription: Subscription) -> None:
        """No more events there."""
        listeners = self._listeners[subscription.account, subscription.product]
        if subscription in listeners:
            listeners.remove(subscription)

    def remove(self, connection: Connection) -> None:
        """The connection is gone, with its subscriptions; harmless when said twice."""
        if self.connections.pop(connection.number, None) is None:
            return
        accounts = set()
        for (account, _), listeners in self._listeners.items():
            left = [row for row in listeners if row.connection is not connection]
            if len(left) < len(listeners):
                accounts.add(account)
            listeners[:] = left
        self.ended.append(replace(connection.ended(), accounts=tuple(sorted(accounts))))

    def listening(self) -> list[tuple[str, Product, str]]:
        """Each subscription: account, product and kind of event; "" where to all kinds."""
        return [
            (account, product, kind)
            for (account, product), listeners in self._listeners.items()
            for subscription in listeners
            for kind in sorted(subscription.kinds or ("",))
        ]

    async def drain(self) -> None:
        """Send what is held back, and wait until every connection has sent everything."""
        for account, waiting in list(self._waiting.items()):
            for _ in range(waiting.holders):
                self.free(account)
        for connection in list(self.connections.values()):
            connection.release()
            await connection.drained()
