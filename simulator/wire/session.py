"""One socket's requests: read, answered or refused, and what it listens to.

A venue's session has a table of verbs, finds a request's verb in its own grammar, and says how an
answer and a refusal look.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from typing import ClassVar

import orjson

from simulator.delivery import Connection, Feed, Subscription
from simulator.message import Document
from simulator.refusal import Refused

Verb = Callable[[Document], Awaitable[None] | None]


class Session(ABC):
    """One connection's requests and subscriptions."""

    bare_words: ClassVar[Mapping[str, str]] = {}
    """Texts that are no JSON, and the answers to them."""

    def __init__(self, feed: Feed, connection: Connection) -> None:
        self.feed = feed
        self.connection = connection
        self.listening: dict[Hashable, list[Subscription]] = {}
        """What is listened to, by what it was asked for as."""

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
