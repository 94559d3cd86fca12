"""One socket's requests: read, answered or refused, and what it listens to.

A venue's session has a table of verbs, finds a request's verb in its own grammar, and says how an
answer and a refusal look.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from typing import ClassVar, TypeVar

import orjson

from simulator.delivery import Connection, Feed, Subscription
from simulator.message import Document
from simulator.refusal import Refused
from simulator.wire.attempts import Act, Attempt, Lost
from simulator.wire.calls import HTTP_OK

Answer = TypeVar("Answer")
Verb = Callable[[Document], Awaitable[None] | None]


class Session(ABC):
    """One connection's requests and subscriptions."""

    bare_words: ClassVar[Mapping[str, str]] = {}
    """Texts that are no JSON, and the answers to them."""
    tells_status: ClassVar[bool] = False
    """Whether an answer bears the status that it would have by HTTP."""

    def __init__(self, feed: Feed, connection: Connection) -> None:
        self.feed = feed
        self.connection = connection
        self.listening: dict[Hashable, list[Subscription]] = {}
        """What is listened to, by what it was asked for as."""
        self._slow: set[asyncio.Task[None]] = set()

    async def read(self, text: str) -> None:
        """Answer one message."""
        if text in self.bare_words:
            self.connection.put(self.bare_words[text])
            return
        request = _parsed(text)
        try:
            verb = self.verb(request, text)
            done = verb(request or {})
            if done is not None:
                await done
        except Refused as refusal:
            self.refuse(request, refusal)

    async def attempt(
        self,
        attempt: Attempt,
        admit: Callable[[], Act[Answer]],
        answer: Callable[[Answer], None],
        refuse: Callable[[Refused], None],
    ) -> None:
        """Carry out a request that changes something; later ones may pass a slow one."""
        try:
            await attempt.arrive()
        except Lost:
            return
        rest = self._go_on(attempt, admit, answer, refuse)
        if not attempt.is_slow:
            await rest
            return
        task = asyncio.create_task(rest)
        self._slow.add(task)
        task.add_done_callback(self._slow.discard)

    async def _go_on(
        self,
        attempt: Attempt,
        admit: Callable[[], Act[Answer]],
        answer: Callable[[Answer], None],
        refuse: Callable[[Refused], None],
    ) -> None:
        try:
            done = await attempt.carry_out(admit)
        except Lost:
            return
        except Refused as refusal:
            attempt.answered(refusal.status if self.tells_status else 0, str(refusal.code))
            refuse(refusal)
            return
        attempt.answered(HTTP_OK if self.tells_status else 0)
        answer(done)

    def put(self, document: Document) -> None:
        """Send a document of the session's own."""
        self.connection.put(orjson.dumps(document).decode())

    def listen(self, key: Hashable, subscriptions: Iterable[Subscription]) -> None:
        """From now on send what these want."""
        self.listening[key] = made = list(subscriptions)
        for subscription in made:
            self.feed.subscribe(subscription)

    def unlisten(self, key: Hashable) -> None:
        """Send it no more; KeyError where it was not listened to."""
        for subscription in self.listening.pop(key):
            self.feed.unsubscribe(subscription)

    @abstractmethod
    def verb(self, request: Document | None, text: str) -> Verb:
        """What is asked for, None standing for what is no JSON object; refused where nothing is."""

    @abstractmethod
    def refuse(self, request: Document | None, refusal: Refused) -> None:
        """Answer that it is refused."""


def inside(before: str, after: str = "") -> Callable[[str], str]:
    """A way to wrap the text of an event between two others."""
    return lambda text: before + text + after


def _parsed(text: str) -> Document | None:
    try:
        request = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return request if isinstance(request, dict) else None
