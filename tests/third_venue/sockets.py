"""Dusk's private sockets, as the venue keeps them: tickets, riddles, facts, and who beats in time.

It imports nothing of `streams.py`: the wire is written down twice, as any exchange's is.
"""

import hashlib
import hmac
import random
import time
import zlib
from collections import Counter
from contextlib import suppress
from typing import Any

import orjson
from aiohttp import WSMessage, WSMsgType, web

TICKET_SECONDS_MAX = 5.0
BEAT_SECONDS_MAX = 8.0
BEATEN_FACTS = frozenset({"deal", "state"})
"""Who listens to these must say ``beat`` and the time, however much we say; others ping."""
NO = ["no", 8, "the key or its signature is wrong"]
Row = list[Any]


class Link:
    """One socket: whose it is, what it listens to, and when it last proved that it lives."""

    def __init__(self, socket: web.WebSocketResponse, chance: random.Random) -> None:
        self.socket = socket
        self.riddle = f"riddle{chance.random()}"
        self.word = f"word{chance.random()}"
        self.key = ""
        self.facts: frozenset[str] = frozenset()
        self.beat_at = time.monotonic()

    @property
    def is_lifeless(self) -> bool:
        return time.monotonic() - self.beat_at > BEAT_SECONDS_MAX

    @property
    def must_say_beat(self) -> bool:
        return bool(self.facts & BEATEN_FACTS)

    def abort(self) -> None:
        """Break it without a closing handshake."""
        transport = self.socket._req.transport if self.socket._req else None
        assert transport is not None
        transport.abort()


class Sockets:
    """All that are open; `seen` counts what happened."""

    def __init__(self, secrets: dict[str, str], chance: random.Random, seen: Counter[str]) -> None:
        self.seen = seen
        self.address = ""
        self._secrets = secrets
        self._chance = chance
        self._tickets: set[str] = set()
        self._links: list[Link] = []

    def is_signed(self, key: str, what: str, signature: str) -> bool:
        secret = self._secrets.get(key, "").encode()
        right = hmac.new(secret, what.encode(), hashlib.sha512).hexdigest()
        return bool(secret) and hmac.compare_digest(right, signature)

    def ticket(self, asked_at: float) -> Row:
        """One for each connection, and asked for just now; every third is asked for in vain."""
        if abs(time.time() - asked_at) > TICKET_SECONDS_MAX:
            return ["no", 6, "asked for long ago"]
        self.seen["tickets"] += 1
        if self.seen["tickets"] % 3 == 2:
            return ["no", 9, "not now"]
        self._tickets.add(ticket := f"ticket{self.seen['tickets']}")
        server = self._chance.choice(["", f"ws://{self.address}"])
        return ["ticket", ticket, server]

    async def tell(self, key: str, row: Row) -> None:
        """Push one fact to who listens to it."""
        for link in [one for one in self._links if one.key == key and row[0] in one.facts]:
            if link.is_lifeless:
                self.seen["lifeless"] += 1
                link.abort()
            else:
                await self._say(link, row)

    def cut(self) -> None:
        """Break every connection without a closing handshake."""
        for link in self._links:
            self.seen["cut"] += 1
            link.abort()

    async def feed(self, request: web.Request) -> web.StreamResponse:
        """One connection: a riddle, its signature, a word for each subscription, then the facts."""
        ticket = request.query.get("ticket", "")
        if request.headers.get("Dusk-Wire") != "2" or ticket not in self._tickets:
            return web.Response(body=orjson.dumps(NO), status=403)
        self._tickets.remove(ticket)
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        link = Link(socket, self._chance)
        self._links.append(link)
        await self._say(link, ["riddle", link.riddle])
        try:
            async for message in socket:
                await self._hear(link, message)
        finally:
            self._links.remove(link)
        return socket

    async def _hear(self, link: Link, message: WSMessage) -> None:
        if message.type is WSMsgType.PING:
            await link.socket.pong(message.data)
            self.seen["pings"] += 1
            if not link.must_say_beat:
                link.beat_at = time.monotonic()
        elif message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            await self._say(link, self._answered(link, orjson.loads(message.data)))

    def _answered(self, link: Link, said: Row) -> Row:
        match said:
            case ["sign", str(key), str(signature)] if self.is_signed(key, link.riddle, signature):
                link.key = key
                return ["signed", link.word]
            case ["feed", str(word), *facts] if link.key and word == link.word:
                link.facts, link.beat_at = frozenset(facts), time.monotonic()
                self.seen["fed"] += 1
                return ["fed"]
            case ["beat", str(at)] if abs(time.time() - float(at)) < BEAT_SECONDS_MAX:
                link.beat_at = time.monotonic()
                self.seen["beats"] += 1
                return ["beat"]
        return NO

    async def _say(self, link: Link, row: Row) -> None:
        """As it is, or compressed (RFC 1951): the venue does as it pleases."""
        body = orjson.dumps(row)
        if self._chance.random() < 0.5:
            self.seen["packed"] += 1
            packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
            body = packer.compress(body) + packer.flush()
        with suppress(ConnectionError):
            await link.socket.send_bytes(body)
