"""The runner against a real server on this machine, and a log that is a plain list."""

import asyncio
import logging
import random
import socket
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from ingest.connection import Patience
from ingest.http import HttpClient
from ingest.instant import MILLISECOND_NS, SECOND_NS
from ingest.outbox import Address, Outbox
from ingest.requester import Requester
from ingest.runner import StreamRunner
from ingest.stream import Manner, Pauses, StreamKeeper
from orderloom.raw import ConnectionChange, Frame, Item, Oversize
from runtime.clock import boottime_ns, wall_ns
from tests.ingest.listed_log import ListedLog
from tests.ingest.raw_server import Heard, a_raw_server, handshake, response
from tests.ingest.requester_on_loopback import a_requester
from tests.ingest.toy_server import ToyServer, a_toy_server
from tests.ingest.toy_venue import PRODUCT, toy_venue
from tests.waits import until
from venues.document import inflated
from venues.rates import Cost, Throttling
from venues.request import Credentials

QUICK = Pauses(
    trouble_ns=20 * MILLISECOND_NS,
    trouble_ns_max=100 * MILLISECOND_NS,
    refused_ns=30 * SECOND_NS,
    overlap_ns=300 * MILLISECOND_NS,
)


class Running:
    """A runner that is ticked, and what it wrote."""

    def __init__(
        self, runner: StreamRunner, log: ListedLog, outbox: Outbox, requester: Requester
    ) -> None:
        self.runner = runner
        self.requester = requester
        self.log = log
        self.outbox = outbox

    @property
    def items(self) -> list[Item]:
        return self.log.items

    @property
    def bodies(self) -> list[bytes]:
        return [item.body for item in self.items if isinstance(item, Frame)]

    @property
    def changes(self) -> list[str]:
        return [item.change for item in self.items if isinstance(item, ConnectionChange)]

    def reasons(self, change: str) -> list[str]:
        changes = [item for item in self.items if isinstance(item, ConnectionChange)]
        return [item.reason for item in changes if item.change == change]

    async def until_change(self, change: str, times: int = 1) -> None:
        await until(lambda: self.changes.count(change) >= times)


@asynccontextmanager
async def a_runner(
    toy: ToyServer,
    log: ListedLog | None = None,
    key: str = "me",
    *,
    throttled: bool = False,
    **stream: object,
) -> AsyncIterator[Running]:
    venue = toy_venue(toy.rest, toy.stream, **stream)
    log = log or ListedLog()
    outbox = Outbox(log, "raw.toy", "w1")  # type: ignore[arg-type] # a log that is a list
    http = HttpClient(wall_ns, seconds_max=2)
    requester = a_requester(venue, http)
    requester.credentials = Credentials(key, "secret")
    [the_stream] = venue.streams((PRODUCT,))
    names = iter(f"w1-{number}" for number in range(1, 1000))
    manner = Manner(Patience(stage_ns_max=SECOND_NS // 2), QUICK, random.Random(1))
    keeper = StreamKeeper(
        the_stream, names.__next__, lambda now: requester.context(PRODUCT, now), manner
    )
    runner = StreamRunner(keeper, requester, outbox, Address("toy:main", 0, 1))
    if throttled:
        requester.gate.throttled((Cost("weight"),), "toy:main", Throttling(SECOND_NS))
    ticker = asyncio.create_task(_tick(runner))
    try:
        yield Running(runner, log, outbox, requester)
        assert not outbox.failed.done()
    finally:
        ticker.cancel()
        await runner.stop("the test ends")
        outbox.close()
        await http.close()


async def _tick(runner: StreamRunner) -> None:
    while True:
        runner.tick()
        await asyncio.sleep(0.02)


async def test_it_signs_in_subscribes_and_every_byte_arrives_unchanged() -> None:
    strange = [b"\xff\xfe\x00garbage", b"", b'{"a":1}', "snow\u2603".encode()]
    async with a_toy_server() as toy, a_runner(toy) as running:
        await running.until_change("LIVE")
        for body in strange:
            await toy.push(body)
        await toy.push(b"\x00\x01binary", text=False)
        await until(lambda: len(running.bodies) == 7)
        assert running.bodies == [b"ok", b"ok", *strange, b"\x00\x01binary"]
        frames = [item for item in running.items if isinstance(item, Frame)]
        assert [frame.number for frame in frames] == list(range(1, 8))
        assert running.changes == ["CONNECTING", "OPEN", "LIVE"]
        assert toy.heard[:2] == [b"login me", b"subscribe"]
        assert toy.urls[0] == "/key"


async def test_the_log_keeps_compressed_frames_as_they_came_and_the_machine_reads_what_they_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    packed = zlib.compress(b"no bad key", wbits=-zlib.MAX_WBITS)
    async with a_toy_server() as toy, a_runner(toy) as running:
        unpacking = replace(running.requester.venue, unpack=_unpack)
        monkeypatch.setattr(running.requester, "venue", unpacking)
        await running.until_change("LIVE")
        for body in (b"\xff\xff no such data", packed):
            await toy.push(body, text=False)
        await running.until_change("REFUSED")
        assert running.reasons("REFUSED") == ["bad key"]
        assert running.bodies == [b"ok", b"ok", b"\xff\xff no such data", packed]


def _unpack(body: bytes) -> bytes:
    return body if body == b"ok" else inflated(body)


async def test_after_a_broken_socket_it_comes_back_and_both_ends_are_written() -> None:
    async with a_toy_server() as toy, a_runner(toy) as running:
        await running.until_change("LIVE")
        for times in range(2, 5):
            await toy.drop_sockets()
            await running.until_change("LIVE", times)
        assert running.changes.count("CLOSED") == 3
        assert running.reasons("CLOSED")[0] == "broken: no closing handshake"
        ids = {item.connection for item in running.items if isinstance(item, ConnectionChange)}
        assert len(ids) == 4


async def test_a_refused_sign_in_is_named_once_and_not_hammered() -> None:
    async with a_toy_server() as toy:
        toy.refusal = "Invalid API-key"
        async with a_runner(toy) as running:
            await running.until_change("CLOSED")
            assert running.reasons("REFUSED") == ["Invalid API-key"]
            await asyncio.sleep(0.3)  # many times the pause after mere trouble
            assert toy.seen["socket"] == 1


async def test_a_refused_key_and_a_refused_handshake_are_refusals_too() -> None:
    async with a_toy_server() as toy:
        toy.key_status = 401
        async with a_runner(toy) as running:
            await running.until_change("REFUSED")
        toy.stream = toy.rest.replace("http", "ws")  # a server that knows no WebSocket
        async with a_runner(toy, has_key=False) as running:
            await running.until_change("CLOSED")
            assert "handshake" in running.reasons("CLOSED")[0]


async def test_a_greeting_that_is_not_answered_ends_and_begins_anew() -> None:
    async with a_toy_server() as toy:
        toy.greets = False
        async with a_runner(toy) as running:
            await running.until_change("CLOSED", 2)
            assert running.reasons("CLOSED")[0] == "time-out: no end of greeting stage 0"


async def test_half_open_silence_is_found_out_and_answered_probes_keep_a_quiet_peer() -> None:
    async with a_toy_server() as toy, a_runner(toy, silence_ns_max=SECOND_NS // 2) as running:
        await running.until_change("LIVE")
        quiet_since = boottime_ns()
        await until(lambda: boottime_ns() - quiet_since > SECOND_NS)
        assert "CLOSED" not in running.changes  # quiet, but it answers pings
        for one in toy.sockets:
            one.transport.pause_reading()  # the peer is gone, and nobody says so
        await running.until_change("CLOSED")
        assert running.reasons("CLOSED")[0].startswith("dead peer: silent")


async def test_an_announced_end_is_bridged_by_a_successor() -> None:
    async with a_toy_server() as toy, a_runner(toy) as running:
        await running.until_change("LIVE")
        await toy.push(b"bye")
        await running.until_change("CLOSED")
        assert running.changes == [*["CONNECTING", "OPEN", "LIVE"] * 2, "CLOSED"]
        assert running.reasons("CLOSED") == ["replaced"]


async def test_a_frame_of_ten_megabytes_arrives_and_one_beyond_a_record_is_named_by_its_hash() -> (
    None
):
    async with a_toy_server() as toy, a_runner(toy) as running:
        await running.until_change("LIVE")
        await toy.push(b"x" * 10_000_000)
        await toy.push(b"y" * 20_000_000)
        await toy.push(b"after")
        await until(lambda: bool(running.bodies) and running.bodies[-1] == b"after")
        assert [len(body) for body in running.bodies] == [2, 2, 10_000_000, 5]
        [oversize] = [item for item in running.items if isinstance(item, Oversize)]
        assert (oversize.number, oversize.length) == (4, 20_000_000)
        await toy.push(b"z" * 40_000_000)
        await running.until_change("CLOSED")
        assert running.reasons("CLOSED")[0].startswith("closed by us: 1009")


async def test_while_the_log_takes_nothing_sockets_are_not_read_and_then_nothing_is_lost() -> None:
    log = ListedLog()
    async with (
        a_toy_server() as toy,
        a_runner(toy, log, silence_ns_max=SECOND_NS // 2) as running,
    ):
        await running.until_change("LIVE")
        log.is_away = True
        body = b"x" * 50_000
        total = 400  # 20 MB: more than a lane holds
        pushing = asyncio.create_task(_push_many(toy, body, total))
        await until(lambda: running.runner.is_deaf)
        held = running.outbox.bytes_held
        deaf_since = boottime_ns()
        await until(lambda: boottime_ns() - deaf_since > SECOND_NS)
        assert running.outbox.bytes_held == held < 9_000_000
        assert not pushing.done()
        log.is_away = False
        log.deliver()
        await pushing
        await until(lambda: len(running.bodies) == total + 2)
        assert "CLOSED" not in running.changes
        assert not running.runner.is_deaf


async def _push_many(toy: ToyServer, body: bytes, times: int) -> None:
    for _ in range(times):
        await toy.push(body)


async def test_stopping_writes_the_end_of_each_connection() -> None:
    async with a_toy_server() as toy, a_runner(toy) as running:
        await running.until_change("LIVE")
        await running.runner.stop("this worker stops")
        await running.outbox.settled()
        assert running.reasons("CLOSED") == ["this worker stops"]
        await until(lambda: not toy.sockets)


@pytest.mark.parametrize(
    ("scheme", "has_key", "reason", "setting"),
    [
        ("ws", False, "cannot connect: [Errno 111] ", "venues.toy.stream"),
        ("http", False, "no handshake: InvalidURI", "venues.toy.stream"),
        ("http", True, "broken transport (ClientConnectorError)", "venues.toy.rest"),
    ],
)
async def test_an_address_that_does_not_answer_is_logged_once_with_the_setting(
    scheme: str, has_key: bool, reason: str, setting: str, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        toy = ToyServer()
        address = f"{scheme}://127.0.0.1:{taken.getsockname()[1]}"
        toy.rest = toy.stream = f"{address}/path?key=hidden"
        with caplog.at_level("INFO"):
            async with a_runner(toy, has_key=has_key) as running:
                await running.until_change("CLOSED", 3)
    [warning] = [record for record in caplog.records if record.levelname == "WARNING"]
    begin = f"the TOY stream of toy:main cannot begin: no answer as expected from {address} ("
    assert warning.getMessage().startswith(begin + reason)
    assert f"and at {setting} in the settings" in warning.getMessage()
    assert "hidden" not in caplog.text
    lines = [record.getMessage() for record in caplog.records]
    assert "TOY stream of toy:main is CONNECTING" in lines


async def test_a_venue_that_cannot_be_reached_is_tried_again_with_pauses() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        toy = ToyServer()
        toy.stream = f"ws://127.0.0.1:{taken.getsockname()[1]}"
        async with a_runner(toy, has_key=False) as running:
            await running.until_change("CLOSED", 3)
            assert running.reasons("CLOSED")[0].startswith("cannot connect")


async def test_connecting_draws_on_its_own_rate_limit_where_the_venue_has_one() -> None:
    async with a_toy_server() as toy, a_runner(toy, connect_bucket="connect") as running:
        await running.until_change("LIVE")
        await toy.drop_sockets()
        await running.until_change("LIVE", 2)
        await toy.drop_sockets()
        await running.until_change("CONNECTING", 3)
        await asyncio.sleep(0.3)  # many times what a connection takes
        assert toy.seen["socket"] == 2


async def test_a_key_never_travels_in_the_open() -> None:
    toy = ToyServer()
    toy.stream = "ws://203.0.113.7:1"
    async with a_runner(toy, has_key=False) as running:
        await running.until_change("REFUSED")
        assert "wss" in running.reasons("REFUSED")[0]


async def test_a_request_is_built_when_its_turn_at_the_rate_limit_has_come() -> None:
    built: list[tuple[str, int]] = []

    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        at_ns = heard.headers.get("x-at") or heard.path.rpartition("&at=")[2]
        built.append((heard.kind, int(at_ns) - wall_ns()))
        writer.write(handshake(heard) if heard.is_handshake else response(b'{"key":"k1"}'))

    async with a_raw_server(answer) as raw:
        toy = ToyServer()
        toy.rest, toy.stream = f"http://127.0.0.1:{raw.port}", f"ws://127.0.0.1:{raw.port}"
        keeping: dict[str, Any] = {"stages": 0, "keep_alive_ns": SECOND_NS // 10}
        async with a_runner(toy, throttled=True, connect_bucket="connect", **keeping) as running:
            running.requester.gate.throttled(
                (Cost("connect"),), "toy:main", Throttling(2 * SECOND_NS)
            )
            await running.until_change("LIVE")
            running.requester.gate.throttled((Cost("weight"),), "toy:main", Throttling(SECOND_NS))
            await until(lambda: built[-1][0] == "PUT /key")
    late_ns = [-ns for _, ns in built]
    assert {"POST /key", "GET handshake", "PUT /key"} <= {kind for kind, _ in built}
    assert max(late_ns) < SECOND_NS // 2, "it was built before it waited for a second"


async def test_headers_go_with_each_request_and_handshake_and_into_no_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    seen: dict[str, dict[str, str]] = {}

    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        seen[heard.kind] = heard.headers
        writer.write(handshake(heard) if heard.is_handshake else response(b'{"key":"k1"}'))

    async with a_raw_server(answer) as raw:
        toy = ToyServer()
        toy.rest, toy.stream = f"http://127.0.0.1:{raw.port}", f"ws://127.0.0.1:{raw.port}"
        async with a_runner(toy, key="the-key-itself", stages=1) as running:
            known = running.requester.endpoints
            running.requester.endpoints = replace(
                known,
                headers={"x-demo": "1", "x-key": "the request's own wins"},
                stream_headers={"x-site": "2", "user-agent": "ours"},
            )
            await running.until_change("OPEN")
            await until(lambda: "GET handshake" in seen)
    assert [seen["POST /key"].get(name) for name in ("x-demo", "x-site")] == ["1", None]
    opened = seen["GET handshake"]
    assert [opened.get(name) for name in ("x-demo", "x-site", "user-agent")] == [None, "2", "ours"]
    assert seen["POST /key"]["x-key"] == opened["x-socket-key"] == "the-key-itself"
    assert "the-key-itself" not in caplog.text + str(running.items)


@pytest.mark.parametrize("has_key", [True, False])
@pytest.mark.parametrize("key", ["hidden\nx-more: 1", "hidden\r", "hidden\0"])
async def test_a_key_that_no_header_can_hold_is_refused_by_us_and_not_shown(
    key: str, has_key: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_toy_server() as toy, a_runner(toy, key=key, has_key=has_key) as running:
        await running.until_change("REFUSED")
        [reason] = running.reasons("REFUSED")
        assert "cannot be written" in reason
        assert "hidden" not in reason + caplog.text
        assert not toy.seen
