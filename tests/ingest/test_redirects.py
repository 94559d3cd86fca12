"""No key reaches an address that the settings do not name, whatever a server says of another.

Each kind of connection of every venue is answered with a redirect; a socket listens where it leads.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import pytest

from ingest import questions, requesters, websocket
from ingest.connection import Patience
from ingest.edge import Edge
from ingest.group_events import Gained
from ingest.instant import MILLISECOND_NS
from ingest.outbox import Outbox
from ingest.questions import Log, ask
from ingest.registry import Entry
from ingest.requesters import Clock, Requesters, connection_names
from ingest.stream import Pauses
from orderloom.account import AccountConfig
from orderloom.question import About, Question
from orderloom.raw import Answer, ConnectionChange, Failure, Item
from runtime.settings import Settings
from tests.ingest.edge_on_loopback import no_claims
from tests.ingest.listed_log import ListedLog
from tests.ingest.raw_server import (
    Heard,
    RawServer,
    a_raw_server,
    handshake,
    redirect,
    response,
    silence,
)
from tests.ingest.toy_venue import toy_venue
from tests.third_venue.dusk import DUSK
from tests.venues.frames import Samples, samples, samples_in
from tests.waits import until
from venues import VENUES
from venues.request import Credentials, HttpRequest
from venues.venue import Stream, Venue

STATUSES = (301, 302, 303, 307, 308)
PLACES = (
    "http://127.0.0.1:{there}/elsewhere?a=b",
    "ws://127.0.0.1:{there}/elsewhere",
    "https://127.0.0.1:{there}/elsewhere",
    "wss://127.0.0.1:{there}/elsewhere",
    "//127.0.0.1:{there}/elsewhere",
    "http://key:secret@127.0.0.1:{there}/",
    "/elsewhere",
    "elsewhere",
    "ws://127.0.0.1:99999/elsewhere",
    "http://[::1/elsewhere",
)
THIRD_VENUE = Path(__file__).parent.parent / "third_venue"
EVERY_VENUE = {**VENUES, DUSK.name: DUSK, "toy": toy_venue(stages=0, ping_every_ns=1)}
SAMPLES = {
    **{name: samples(name) for name in VENUES},
    DUSK.name: samples_in(THIRD_VENUE),
    "toy": Samples("", b'{"key":"prepared-key"}', (b"[]",), ((),)),
}
SECRETS = Credentials("the-key-itself", "the-secret", "the-passphrase")
ACCOUNT = "any:one"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = Pauses(MILLISECOND_NS, MILLISECOND_NS, MILLISECOND_NS)
    patient = Patience(keep_alive_retry_ns=MILLISECOND_NS)
    monkeypatch.setattr(requesters, "Pauses", lambda: quick)
    monkeypatch.setattr(requesters, "Patience", lambda: patient)
    monkeypatch.setattr(websocket, "CLOSE_SECONDS_MAX", 0.05)  # the raw server closes no socket
    monkeypatch.setattr(questions, "AGAIN_SECONDS", 0)
    monkeypatch.setattr(questions, "TRIES_MAX", len(STATUSES))


class Running:
    """An edge with one account of a venue, and what it wrote."""

    def __init__(self, edge: Edge, its_requesters: Requesters, log: ListedLog) -> None:
        self.edge = edge
        self.requester = its_requesters.by_account[ACCOUNT]
        self.log = log

    def reasons(self) -> list[str]:
        changes = [item for item in self.log.items if isinstance(item, ConnectionChange)]
        return [item.reason for item in changes if item.change == "CLOSED"]

    async def ask(self, about: About, product: str) -> list[Item]:
        items: list[Item] = []

        async def room() -> None:
            """There always is."""

        question = Question(
            id="q1", account=ACCOUNT, about=about, product=product, symbol="BTCUSDT",
            venue_order_id="1",
        )  # fmt: skip
        await ask(question, self.requester, Log(items.append, room))
        return items


@asynccontextmanager
async def an_edge_of(venue: Venue, rest: str, stream: str) -> AsyncIterator[Running]:
    given = {
        "rest": dict.fromkeys(venue.products, rest),
        "stream": dict.fromkeys(venue.products, stream),
        "limits": dict.fromkeys(venue.buckets, 1_000_000),
    }
    settings = Settings.model_validate({"venues": {venue.name: given}})
    config = AccountConfig(id=ACCOUNT, products=venue.products, key="file:k", partition=0)
    quick = replace(
        venue,
        streams=lambda products: tuple(map(_hurried, venue.streams(products))),
        key_groups=(),  # one account of all its products, as if one key opened them
    )
    log, its_requesters = (
        ListedLog(),
        Requesters(settings, quick, [Entry(config, SECRETS)], Clock()),
    )
    outbox = Outbox(log, "raw", "w1")  # type: ignore[arg-type] # a log that is a list
    edge = Edge(its_requesters, outbox, connection_names("w1"), 1, no_claims())
    ticker = asyncio.create_task(_tick(edge))
    try:
        yield Running(edge, its_requesters, log)
        assert not outbox.failed.done()
        assert not ticker.done()
    finally:
        ticker.cancel()
        await edge.stop()
        outbox.close()
        await its_requesters.stop()


def _hurried(stream: Stream) -> Stream:
    kept = stream.keep_alive
    return replace(stream, keep_alive=kept and replace(kept, every_ns=MILLISECOND_NS))


async def _tick(edge: Edge) -> None:
    while True:
        edge.tick()
        await asyncio.sleep(0.01)


def sense_of(given: Samples, heard: Heard) -> bytes:
    """What the venue would answer."""
    is_prepared = "ey" in heard.path or "ticket" in heard.path  # a listen key, a toy's key
    return given.prepared if is_prepared else given.empty[0]


class Elsewhere:
    """Answers with redirects to `place` what `misleads` names, and with sense all else."""

    def __init__(self, venue: str, place: str, misleads: str) -> None:
        self._samples = SAMPLES[venue]
        self._place = place
        self._misleads = misleads
        self._statuses: dict[str, Iterator[int]] = {}
        self.misled: dict[str, set[int]] = {}

    async def answer(self, heard: Heard, writer: asyncio.StreamWriter) -> None:
        if self._misleads in heard.kind:
            status = next(self._statuses.setdefault(heard.kind, cycle(STATUSES)))
            self.misled.setdefault(heard.kind, set()).add(status)
            writer.write(redirect(status, self._place))
        elif heard.is_handshake:
            writer.write(handshake(heard))
        else:
            writer.write(response(sense_of(self._samples, heard)))

    def is_done(self, kind: str) -> bool:
        """Whether all statuses were given to requests of this kind."""
        return any(kind in one and len(set(given)) == 5 for one, given in self.misled.items())


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", EVERY_VENUE)
async def test_no_redirect_is_followed_on_any_kind_of_connection(
    name: str, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    venue = EVERY_VENUE[name]
    streams = venue.streams(venue.products)
    async with a_raw_server(silence) as there:
        place = place.format(there=there.port)
        for method in ("", "GET handshake", "PUT"):
            if method == "PUT" and all(one.keep_alive is None for one in streams):
                continue
            elsewhere = Elsewhere(name, place, method)
            async with a_raw_server(elsewhere.answer) as here:
                await _misled(venue, here, elsewhere, method)
            assert not [one for one in here.requests if "elsewhere" in one.path.partition("?")[0]]
        assert (there.connections, bytes(there.received)) == (0, b"")
    assert f"venues.{venue.name}.stream in the settings" in caplog.text
    for secret in ("the-key-itself", "the-secret", "the-passphrase", "prepared-key"):
        assert secret not in caplog.text


async def _misled(venue: Venue, here: RawServer, elsewhere: Elsewhere, method: str) -> None:
    rest, stream = f"http://127.0.0.1:{here.port}", f"ws://127.0.0.1:{here.port}"
    async with an_edge_of(venue, rest, stream) as running:
        await running.edge.handle(Gained(0, 1, 0, is_continued=False))
        if method:
            await until(lambda: elsewhere.is_done(method))
            if method != "PUT":
                assert "a redirect, which is never followed" in str(running.reasons())
            return
        await running.edge.clocks.start()
        assert not running.edge.clocks.is_sampled
        for about in About:
            for product in venue.products:
                items = await running.ask(about, product)
                assert [type(item) for item in items] == [Failure]
        asked = [kind for kind in elsewhere.misled if "handshake" not in kind]
        assert len(asked) > len(venue.products), "nothing was asked"


@pytest.mark.parametrize("name", EVERY_VENUE)
async def test_neither_proxies_nor_passwords_come_from_the_environment(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    venue, nowhere = EVERY_VENUE[name], Elsewhere(name, "", "nothing is misled")
    async with a_raw_server(silence) as proxy, a_raw_server(nowhere.answer) as here:
        for scheme in ("http", "https", "all", "ws", "wss", "socks"):
            for variable in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
                monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
        rest, stream = f"http://127.0.0.1:{here.port}", f"ws://127.0.0.1:{here.port}"
        async with an_edge_of(venue, rest, stream) as running:
            await running.edge.handle(Gained(0, 1, 0, is_continued=False))
            await until(lambda: "GET handshake" in here.kinds)
            items = await running.ask(About.BALANCES, venue.products[0])
            assert isinstance(items[0], Answer)
        assert proxy.connections == 0
        assert not [one for one in here.requests if "authorization" in one.headers]


@pytest.mark.parametrize("name", EVERY_VENUE)
async def test_nothing_that_one_answer_brings_goes_along_with_the_next_request(name: str) -> None:
    venue = EVERY_VENUE[name]
    async with a_raw_server(silence) as there:
        more = ("Set-Cookie: whose=one; Domain=localhost; Path=/",
                f'Alt-Svc: h2="127.0.0.1:{there.port}"; ma=99',
                f"Refresh: 0; url=http://127.0.0.1:{there.port}/",
                f"Content-Location: http://127.0.0.1:{there.port}/",
                f"Link: <http://127.0.0.1:{there.port}/>; rel=next")  # fmt: skip

        async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
            if heard.is_handshake:
                writer.write(handshake(heard)[:-2] + "\r\n".join([*more, "", ""]).encode())
            else:
                writer.write(response(sense_of(SAMPLES[name], heard), "200 OK", *more))

        async with a_raw_server(answer) as here:
            rest, stream = f"http://localhost:{here.port}", f"ws://localhost:{here.port}"
            async with an_edge_of(venue, rest, stream) as running:
                await running.edge.handle(Gained(0, 1, 0, is_continued=False))
                await until(lambda: "GET handshake" in here.kinds)
                for product in venue.products * 2:
                    await running.ask(About.BALANCES, product)
            assert len(here.requests) >= 3
            assert not [one for one in here.requests if "cookie" in one.headers]
        assert there.connections == 0


async def test_an_answer_that_names_another_address_for_the_socket_is_refused() -> None:
    """Some venues answer with a host to connect to: it must be one that the settings name."""
    async with a_raw_server(silence) as there:
        elsewhere = f"ws://127.0.0.1:{there.port}/private"
        misled = replace(
            toy_venue().streams(())[0], address=lambda _context, heard: heard[0].decode()
        )
        venue = replace(toy_venue(), streams=lambda _products: (misled,))

        async def answer(_heard: Heard, writer: asyncio.StreamWriter) -> None:
            writer.write(response(elsewhere.encode()))

        async with a_raw_server(answer) as here:
            rest, stream = f"http://127.0.0.1:{here.port}", f"ws://127.0.0.1:{here.port}"
            async with an_edge_of(venue, rest, stream) as running:
                await running.edge.handle(Gained(0, 1, 0, is_continued=False))
                await until(lambda: bool(running.reasons()))
                assert "an address that the settings do not name" in running.reasons()[0]
                follow = replace(venue, ask=lambda _question, _context: _request_to(elsewhere))
                running.requester.venue = follow
                [failure] = await running.ask(About.BALANCES, "TOY")
                assert isinstance(failure, Failure)
                assert "an address that the settings do not name" in failure.reason
        assert there.connections == 0


def _request_to(address: str) -> HttpRequest:
    return HttpRequest("GET", address.replace("ws:", "http:"))
