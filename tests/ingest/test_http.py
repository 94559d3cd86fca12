"""HTTP at its worst: half an answer, an endless one, none, TLS that is none; and never twice."""

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ingest import http
from ingest.actions import HttpAnswer, HttpFailure
from ingest.http import HttpClient, KeptBack, is_safe
from runtime.clock import wall_ns
from tests.ingest.raw_server import Answer, Heard, a_raw_server, response
from tests.ingest.test_runner import a_runner
from tests.ingest.toy_server import ToyServer
from tests.waits import until
from venues.request import HttpRequest

DAY = dt.timedelta(days=1)
NOW = dt.datetime.now(dt.UTC)


@asynccontextmanager
async def a_client(seconds_max: float = 5) -> AsyncIterator[HttpClient]:
    client = HttpClient(wall_ns, seconds_max=seconds_max)
    try:
        yield client
    finally:
        await client.close()


async def failure_of(client: HttpClient, url: str) -> str:
    outcome = await client.perform(HttpRequest("GET", url, {"x-key": "hidden"}))
    assert isinstance(outcome, HttpFailure)
    return outcome.reason


async def test_what_a_list_remembers_is_never_sent() -> None:
    async def answer(_heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(response(b"[]"))

    async with a_raw_server(answer) as server, a_client() as client:
        url = f"http://127.0.0.1:{server.port}/list"
        request = HttpRequest("POST", url, {"x": "1"}, b"page", carry=("remembered",))
        assert isinstance(await client.perform(request), HttpAnswer)
        assert server.requests[0].body == b"page"
        assert "remembered" not in str(server.requests)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_a_request_whose_connection_breaks_is_not_sent_a_second_time(method: str) -> None:
    """aiohttp repeats all but POST by itself where an old connection turns out to be dead."""

    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        if heard.path == "/first":
            writer.write(response())
        else:
            writer.close()  # it was read, and perhaps done

    async with a_raw_server(answer) as raw, a_client() as client:
        address = f"http://127.0.0.1:{raw.port}"
        first = await client.perform(HttpRequest("GET", f"{address}/first"))
        assert isinstance(first, HttpAnswer)
        second = await client.perform(HttpRequest(method, f"{address}/second"))
        assert isinstance(second, HttpFailure)
        assert [one.kind for one in raw.requests] == ["GET /first", f"{method} /second"]
        assert raw.connections == 1, "the second went over the connection of the first"
        third = await client.perform(HttpRequest("GET", f"{address}/first"))
        assert isinstance(third, HttpAnswer)


def drip(beginning: bytes) -> Answer:
    async def answer(_heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(beginning)
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    return answer


@pytest.mark.parametrize(
    "beginning",
    [
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
    ],
)
async def test_an_answer_that_drips_ends_in_time(beginning: bytes) -> None:
    async with a_raw_server(drip(beginning)) as raw, a_client(seconds_max=0.5) as client:
        began = asyncio.get_running_loop().time()
        reason = await failure_of(client, f"http://127.0.0.1:{raw.port}/")
        assert reason == "no answer in time"
        assert asyncio.get_running_loop().time() - began < 3


async def test_a_body_without_an_end_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_BYTES_MAX", 1_000_000)

    async def answer(_heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
            await writer.drain()

    async with a_raw_server(answer) as raw, a_client() as client:
        reason = await failure_of(client, f"http://127.0.0.1:{raw.port}/")
        assert reason == "an answer of more than 1000000 bytes was not read"


class Authority:
    """A certificate authority of one test; `file` is what a client trusts that trusts it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        basic = x509.BasicConstraints(ca=True, path_length=None)
        usage = x509.KeyUsage(*[False] * 5, *[True] * 2, *[False] * 2)
        own = self._signed(self._name, self._key.public_key(), NOW + DAY, [basic, usage])
        self.file = directory / "authority.pem"
        self.file.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def context(
        self, host: str = "localhost", until_when: dt.datetime = NOW + DAY
    ) -> ssl.SSLContext:
        """What a server needs that says it is `host`."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        signed = self._signed(subject, key.public_key(), until_when, [names])
        file = self._directory / f"{host}-{until_when.timestamp()}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + signed.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        until_when: dt.datetime,
        extensions: list[x509.ExtensionType],
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number())
            .not_valid_before(NOW - 9 * DAY)
            .not_valid_after(until_when)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self._key, hashes.SHA256())


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


TROUBLES = {
    "no authority of ours": "its certificate cannot be trusted (",
    "expired": "its certificate cannot be trusted (certificate has expired)",
    "another host": "its certificate cannot be trusted (Hostname mismatch",
    "no TLS": "there is no TLS at its port",
}


def context_of(trouble: str, authority: Authority, elsewhere: Path) -> ssl.SSLContext:
    if trouble == "expired":
        return authority.context(until_when=NOW - DAY)
    if trouble == "another host":
        return authority.context("elsewhere.example")
    elsewhere.mkdir()
    return Authority(elsewhere).context()


async def plain(_heard: Heard, writer: asyncio.StreamWriter) -> None:
    writer.write(response())


@asynccontextmanager
async def a_wrong_server(
    trouble: str, authority: Authority, directory: Path
) -> AsyncIterator[tuple[int, list[Heard]]]:
    """A server with this trouble: its port, and what was said to it in clear."""
    if trouble != "no TLS":
        context = context_of(trouble, authority, directory / "else")
        async with a_raw_server(plain, context) as raw:
            yield raw.port, raw.requests
        return

    async def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], []


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_venue_whose_tls_is_wrong_hears_nothing_and_is_served_once_it_is_right(
    trouble: str, authority: Authority, tmp_path: Path
) -> None:
    async with a_client() as client:
        async with a_wrong_server(trouble, authority, tmp_path) as (port, heard):
            reason = await failure_of(client, f"https://localhost:{port}/")
            assert not heard
        assert reason.startswith(TROUBLES[trouble])
        async with a_raw_server(plain, authority.context(), port) as raw:
            outcome = await client.perform(HttpRequest("GET", f"https://localhost:{port}/"))
            assert isinstance(outcome, HttpAnswer)
            assert len(raw.requests) == 1


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_stream_whose_tls_is_wrong_logs_the_cause_and_the_setting(
    trouble: str, authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_wrong_server(trouble, authority, tmp_path) as (port, heard):
        toy = ToyServer()
        toy.stream = f"wss://localhost:{port}"
        async with a_runner(toy, has_key=False) as running:
            await until(lambda: running.changes.count("CLOSED") >= 2)
            assert running.reasons("CLOSED")[0].startswith("cannot connect")
        assert not heard
    assert "venues.toy.stream in the settings" in caplog.text


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.example.com/x", True),
        ("wss://ws.example.com", True),
        ("http://127.0.0.1:80", True),
        ("ws://localhost:80", True),
        ("http://[::1]:80", True),
        ("http://api.example.com", False),
        ("ws://10.0.0.1", False),
        ("ftp://127.0.0.1", False),
    ],
)
def test_what_is_safe_for_a_key(url: str, expected: bool) -> None:
    assert is_safe(url) is expected


class Bytes:
    """A server that counts each byte that reaches it, and answers each request."""

    def __init__(self) -> None:
        self.received = 0
        self.connections = 0
        self.is_reached = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while found := await reader.read(65_536):
                self.received += len(found)
                self.is_reached.set()
                writer.write(response(b"[]"))
        finally:
            writer.close()


@asynccontextmanager
async def counted() -> AsyncIterator[tuple[Bytes, int]]:
    counter = Bytes()
    server = await asyncio.start_server(counter.serve, "127.0.0.1", 0)
    try:
        yield counter, server.sockets[0].getsockname()[1]
    finally:
        server.close()


def refuse() -> None:
    raise KeptBack("not now")


async def test_what_is_kept_back_at_its_last_look_sends_no_byte() -> None:
    """On a new connection and on one that is used again, which both stay of use."""
    async with counted() as (counter, port), a_client() as client:
        request = HttpRequest("PUT", f"http://127.0.0.1:{port}/order", {"x": "1"})
        kept = await client.perform(request, refuse)
        assert isinstance(kept, HttpFailure)
        assert (kept.is_unsent, kept.reason) == (True, "not now")
        looks: list[int] = []
        sent = await client.perform(request, lambda: looks.append(counter.received))
        assert isinstance(sent, HttpAnswer)
        assert looks == [0], "something of the request left before its look, or without one"
        once = counter.received
        assert once > 0
        assert isinstance(await client.perform(request, refuse), HttpFailure)
        assert isinstance(await client.perform(request), HttpAnswer)
        assert counter.received == 2 * once, "what was kept back left a byte"
        assert counter.connections == 1


async def test_a_request_is_looked_at_only_once_its_connection_is_there() -> None:
    looks: list[bool] = []

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)  # TLS begins, and goes no further
        looks.append(False)
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    async with a_client() as client:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/order"
        outcome = await client.perform(HttpRequest("PUT", url, {}), lambda: looks.append(True))
        assert isinstance(outcome, HttpFailure)
        assert outcome.is_unsent
        assert looks == [False]
    server.close()


async def test_who_waits_for_a_connection_in_vain_has_surely_sent_nothing() -> None:
    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    async with a_client(seconds_max=0.3) as client:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/order"
        request = HttpRequest("PUT", url, {})
        outcome = await client.perform(request, lambda: None)
        assert isinstance(outcome, HttpFailure)
        assert outcome.is_unsent
        plain = HttpRequest("PUT", url.replace("https", "http"), {})
        outcome = await client.perform(plain, lambda: None)
        assert isinstance(outcome, HttpFailure)
        assert not outcome.is_unsent, "it was written, and nobody answered"
    server.close()
