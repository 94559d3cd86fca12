"""One account's answers are one account's trouble, whatever they hold; the neighbour lives on.

A venue answers one account with all that breaks a reader; both are served by one edge. Each kind of
trouble is told, tried again with pauses, and over as soon as the venue is in its senses.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ingest import questions, requesters, websocket
from ingest.connection import Patience
from ingest.group_events import Gained
from ingest.instant import MILLISECOND_NS
from ingest.registry import Entry
from ingest.stream import Pauses
from orderloom.account import AccountConfig
from orderloom.question import About, Question
from orderloom.raw import Answer, ConnectionChange, Failure
from tests.ingest.edge_on_loopback import P, Running, a_dispatch_of, an_edge
from tests.ingest.raw_server import Heard, RawServer, a_raw_server, handshake, response
from tests.ingest.toy_server import ToyServer
from tests.ingest.toy_venue import PRODUCT
from tests.waits import until
from venues.request import Credentials

GOOD, BAD = "toy:good", "toy:bad"
FLOOD = [f"X-Flood-{number}: {'x' * 50}" for number in range(20_000)]
HTTP = {
    "a count of 400 digits": response(b"[]", "200 OK", f"X-Used: {'9' * 400}"),
    "a count of 5000 digits": response(b"[]", "200 OK", f"X-Used: {'9' * 5000}"),
    "a count in other digits": response(b"[]", "200 OK", "X-Used: \xb2\xb3"),
    "no number to wait": response(b"", "429 Slow", "Retry-After: soon"),
    "endless waiting": response(b"", "429 Slow", "Retry-After: 1e999"),
    "no waiting": response(b"", "429 Slow", "Retry-After: -1e9"),
    "a flood of headers": response(b"[]", "200 OK", *FLOOD),
    "a header of a megabyte": response(b"[]", "200 OK", f"X-Long: {'x' * 1_000_000}"),
    "a header without a name": response(b"[]", "200 OK", ": nothing", "\xff\xfe"),
    "no status": b"HTTP/1.1 abc\r\n\r\n",
    "a strange status": response(b"[]", "999 Strange"),
    "no HTTP": b"\x00\xff" * 5000 + b"\r\n\r\n",
    "a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n[]",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n[]x",
    "a chunk of no size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a chunk beyond all": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 999,
    "no gzip": response(b"garbage", "200 OK", "Content-Encoding: gzip"),
    "no deflate": response(b"\xff" * 99, "200 OK", "Content-Encoding: deflate"),
    "a strange charset": response(b"[]", "200 OK", "Content-Type: text/html; charset=\xff\x01"),
    "a strange cookie": response(b"[]", "200 OK", "Set-Cookie: =;=;\x01", "Set-Cookie: " + "a" * 9),
    "another place": response(b"", "302 Found", "Location: ws://127.0.0.1:99999/x"),
    "no place": response(b"", "307 Found", "Location: http://[::1/\xff"),
    "switching to nothing": b"HTTP/1.1 101 Switching\r\nUpgrade: else\r\n\r\n",
    "no end of continuing": b"HTTP/1.1 100 Continue\r\n\r\n" * 2000,
    "nothing": b"",
    "deep": response(b"[" * 100_000),
    "a word": response(b"maybe"),
    "no unicode": response(b'{"key":"\xff\xfe"}'),
    "half a character": response(b'{"key":"\\ud800"}'),
}
SOCKET = {
    "no accept": b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "a flood of headers": response(b"", "101 X", *FLOOD),
    "no HTTP": b"\x00\xff" * 5000 + b"\r\n\r\n",
    "a strange status": b"HTTP/1.1 9999 X\r\n\r\n",
    "another place": response(b"", "302 Found", "Location: ws://127.0.0.1:99999/x"),
    "no place": response(b"", "302 Found", "Location: http://[::1/\xff"),
    "throttled for ever": response(b"", "429 Slow", "Retry-After: 1e999"),
    "nothing": b"",
}
FRAMES = {
    "a reserved opcode": b"\x8b\x00",
    "reserved bits": b"\xf1\x00",
    "a masked frame": b"\x81\x81\x00\x00\x00\x00x",
    "a ping of a kilobyte": b"\x89\x7e\x04\x00" + b"x" * 1024,
    "an end without a beginning": b"\x80\x01x",
    "a length beyond all": b"\x81\x7f" + b"\xff" * 8,
    "no reason to close": b"\x88\x01\x03",
    "a strange reason to close": b"\x88\x04\x00\x01\xff\xfe",
    "words that are no unicode": b"\x81\x02\xff\xfe",
}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = Pauses(
        5 * MILLISECOND_NS, 50 * MILLISECOND_NS, 5 * MILLISECOND_NS, 50 * MILLISECOND_NS
    )
    patience = Patience(stage_ns_max=300 * MILLISECOND_NS)
    monkeypatch.setattr(requesters, "Pauses", lambda: pauses)
    monkeypatch.setattr(requesters, "Patience", lambda: patience)
    monkeypatch.setattr(questions, "AGAIN_SECONDS", 0)
    monkeypatch.setattr(questions, "PAGE_SECONDS_MAX", 0.5)
    monkeypatch.setattr(websocket, "CLOSE_SECONDS_MAX", 0.05)


class Mad:
    """A toy venue that is in its senses but for what it says to one account, in one place."""

    def __init__(self) -> None:
        self.place, self.says, self.frames = "", b"", b""

    async def answer(self, heard: Heard, writer: asyncio.StreamWriter) -> None:
        is_bad = "bad" in heard.path or "bad" in heard.headers.get("x-key", "")
        if is_bad and self.place and self.place in heard.kind:
            writer.write(self.says)
            await writer.drain()
            writer.close()
        elif heard.is_handshake:
            writer.write(handshake(heard) + b"\x81\x02ok" * 2 + (self.frames if is_bad else b""))
        elif heard.kind == "POST /key":
            writer.write(response(b'{"key":"%s"}' % heard.headers["x-key"].encode()))
        else:
            writer.write(response(b"[]"))


@asynccontextmanager
async def two_accounts(mad: Mad) -> AsyncIterator[tuple[Running, RawServer]]:
    async with a_raw_server(mad.answer) as raw:
        toy = ToyServer()
        toy.rest, toy.stream = f"http://127.0.0.1:{raw.port}", f"ws://127.0.0.1:{raw.port}"
        entries = [
            Entry(
                AccountConfig(
                    id=account, products=(PRODUCT,), key="file:k", partition=P,
                    ip_group=account.partition(":")[2],
                ),
                Credentials(account.partition(":")[2], "secret"),
            )
            for account in (GOOD, BAD)
        ]  # fmt: skip
        async with an_edge(toy, *entries) as running:
            await running.edge.handle(Gained(P, 1, 0, is_continued=False))
            ticker = asyncio.create_task(_tick(running))
            try:
                yield running, raw
                assert not ticker.done()
            finally:
                ticker.cancel()


async def _tick(running: Running) -> None:
    while True:
        running.edge.tick()
        await asyncio.sleep(0.01)


def states(running: Running, account: str, change: str) -> list[str]:
    """Why connections of `account` came into a state."""
    items = [item for record in running.log.records if record.account == account
             for item in record.items]  # fmt: skip
    return [
        one.reason for one in items if isinstance(one, ConnectionChange) and one.change == change
    ]


async def ask(running: Running, offset: int, account: str) -> Answer | Failure:
    question = Question(id="", account=account, about=About.BALANCES, product=PRODUCT)
    await running.edge.handle(a_dispatch_of(offset, question))
    found: list[Answer | Failure] = []

    def is_answered() -> bool:
        found[:] = [
            item
            for item in running.log.items
            if isinstance(item, Answer | Failure) and item.question["id"] == f"q{offset}"
        ]
        return bool(found)

    await until(is_answered)
    return found[-1]


@pytest.mark.parametrize("name", HTTP)
async def test_what_an_answer_breaks_is_its_own_account(name: str) -> None:
    mad = Mad()
    async with two_accounts(mad) as (running, _raw):
        mad.place, mad.says = "GET /balances", HTTP[name]
        await ask(running, 0, BAD)
        assert isinstance(await ask(running, 1, GOOD), Answer)
        await until(lambda: states(running, GOOD, "LIVE") == [""])
        mad.place = ""
        if "429" not in HTTP[name][:20].decode("latin-1"):
            assert isinstance(await ask(running, 2, BAD), Answer)
        assert not states(running, GOOD, "CLOSED")


@pytest.mark.parametrize("name", HTTP)
async def test_a_key_that_is_none_is_logged_and_asked_for_again_with_pauses(name: str) -> None:
    mad = Mad()
    mad.place, mad.says = "POST /key", HTTP[name]
    async with two_accounts(mad) as (running, raw):
        await until(lambda: bool(states(running, BAD, "CLOSED")))
        assert isinstance(await ask(running, 1, GOOD), Answer)
        await until(lambda: states(running, GOOD, "LIVE") == [""])
        mad.place = ""
        if "429" not in HTTP[name][:20].decode("latin-1"):
            await until(lambda: bool(states(running, BAD, "LIVE")))
        assert not states(running, GOOD, "CLOSED")
        assert len(raw.requests) < 200


@pytest.mark.parametrize("name", SOCKET)
async def test_a_handshake_that_is_none_is_logged_and_tried_again(name: str) -> None:
    mad = Mad()
    mad.place, mad.says = "GET handshake", SOCKET[name]
    async with two_accounts(mad) as (running, _raw):
        await until(lambda: bool(states(running, BAD, "CLOSED")))
        assert isinstance(await ask(running, 1, GOOD), Answer)
        mad.place = ""
        await until(lambda: bool(states(running, BAD, "LIVE")))
        assert len(states(running, GOOD, "LIVE")) == 1


@pytest.mark.parametrize("name", FRAMES)
async def test_frames_that_are_none_end_their_connection_alone(name: str) -> None:
    mad = Mad()
    mad.frames = FRAMES[name]
    async with two_accounts(mad) as (running, _raw):
        await until(lambda: bool(states(running, BAD, "CLOSED")) or "unicode" in name)
        assert isinstance(await ask(running, 1, GOOD), Answer)
        mad.frames = b""
        await until(lambda: bool(states(running, BAD, "LIVE")))
        assert not states(running, GOOD, "CLOSED")
