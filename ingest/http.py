"""HTTP as the edge speaks it: one request, as it was built, and what came back or why nothing did.

A secret travels in each request: so certificates are verified, plain HTTP goes to this machine
only, and no address stands in a reason. A request reaches the address that it was built for and no
other, and that once: no redirect is followed, no proxy or password taken from the environment, no
cookie kept (they would go from one account to the next), and what was sent on a connection that
then broke is not sent again, as aiohttp does by itself for all but POST.
"""

import asyncio
import ipaddress
import re
import ssl
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from urllib.parse import urlsplit

import aiohttp
import yarl
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from ingest.actions import HttpAnswer, HttpFailure, HttpOutcome
from venues.request import Endpoints, HttpRequest
from venues.venue import UNREADABLE

REQUEST_SECONDS_MAX = 10.0
CONNECT_SECONDS_MAX = 5.0
BODY_BYTES_MAX = 64 * 1024 * 1024
CONNECTIONS_MAX = 64
_PRINTABLE = re.compile(r"[!-~]+")
# A line's end would begin another header; half a character cannot be encoded.
_NO_HEADER = re.compile(r"[\r\n\0\ud800-\udfff]")
_NO_TRANSPORT = (aiohttp.ClientError, OSError, EOFError, *UNREADABLE)
"""What comes of a broken line, and of an answer that is no HTTP in any of a thousand ways."""


class KeptBack(Exception):
    """Raised by a look: the request is not to be written; `args[0]` says why."""


Look = Callable[[], None]
"""The last that is asked before a request's first byte; it raises KeptBack to keep it back."""


class _Looked:
    """One request's look; `is_passed`: from then on a byte of it may have left."""

    def __init__(self, look: Look) -> None:
        self.is_passed = False
        self._look = look

    def __call__(self) -> None:
        """Raises KeptBack, also where it is asked a second time: nothing is written twice."""
        if self.is_passed:
            raise KeptBack("it was written once")
        self._look()
        self.is_passed = True


_LOOKED: ContextVar[_Looked | None] = ContextVar("looked", default=None)


class _LookingConnector(aiohttp.TCPConnector):
    """Hands out a connection only if the request's look lets it be written.

    What has a connection is written in the same turn of the loop. An exception out of aiohttp's
    trace of a connection (`on_connection_create_end`) would do as well, but leave the connection
    open and uncounted; here it goes back to where it is kept.
    """

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  aiohttp's own name
    ) -> Connection:
        """As aiohttp's own. Raises KeptBack."""
        connection = await super().connect(req, traces, timeout)
        if (looked := _LOOKED.get()) is not None:
            try:
                looked()
            except BaseException:
                connection.release()
                raise
        return connection


class HttpClient:
    """Performs requests; made, used and closed in one event loop. `wall_ns` stamps them, UTC."""

    def __init__(
        self, wall_ns: Callable[[], int], seconds_max: float = REQUEST_SECONDS_MAX
    ) -> None:
        self._wall_ns = wall_ns
        timeout = aiohttp.ClientTimeout(seconds_max, sock_connect=CONNECT_SECONDS_MAX)
        connector = _LookingConnector(limit=CONNECTIONS_MAX, ssl=ssl.create_default_context())
        self._session = aiohttp.ClientSession(
            timeout=timeout,
            connector=connector,
            # One session serves all accounts: a cookie of one would go with the next one's request.
            cookie_jar=aiohttp.DummyCookieJar(),
            middlewares=(_once,),
            trust_env=False,
        )

    async def perform(self, request: HttpRequest, look: Look | None = None) -> HttpOutcome:
        """Send `request`; never raises for what the network or the venue does, or a key holds.

        `look` is asked where the connection exists and before the first byte; what it keeps back,
        and what ended before it was asked, surely did not leave.
        """
        sent_ns = self._wall_ns()
        if not is_safe(request.url):
            reason = "a plain http address beyond this machine would show the key: use https"
            return HttpFailure(reason, sent_ns, sent_ns, is_our_fault=True, is_unsent=True)
        if not _can_be_written(request):
            reason = "the request cannot be written: does the key hold a line's end, or the like?"
            return HttpFailure(reason, sent_ns, sent_ns, is_our_fault=True, is_unsent=True)
        looked = None if look is None else _Looked(look)
        token = _LOOKED.set(looked)
        try:
            return await self._exchange(request, sent_ns)
        except TimeoutError:
            reason, is_unsent = "no answer in time", False
        except KeptBack as kept:
            reason, is_unsent = str(kept), False
        except aiohttp.ClientConnectorError as error:  # there was never a connection
            reason, is_unsent = _reason_of(error), True
        except _NO_TRANSPORT as error:
            reason, is_unsent = _reason_of(error), False
        finally:
            _LOOKED.reset(token)
        if looked is not None:
            is_unsent = not looked.is_passed
        return HttpFailure(reason, sent_ns, self._wall_ns(), is_unsent=is_unsent)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def _exchange(self, request: HttpRequest, sent_ns: int) -> HttpOutcome:
        async with self._session.request(
            request.method,
            yarl.URL(request.url, encoded=True),  # it may be signed: not one byte is changed
            headers=dict(request.headers),
            data=request.body or None,
            allow_redirects=False,
        ) as response:
            # Trouble and no answer: followed, it would carry the key elsewhere (decision 0508).
            if 300 <= response.status < 400:
                return HttpFailure(redirected(response.status), sent_ns, self._wall_ns())
            body = await _read(response)
            headers = {name.lower(): value for name, value in response.headers.items()}
        if body is None:
            reason = f"an answer of more than {BODY_BYTES_MAX} bytes was not read"
            return HttpFailure(reason, sent_ns, self._wall_ns())
        return HttpAnswer(response.status, headers, body, sent_ns, self._wall_ns())


async def _once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """A lost connection is the end of a request; aiohttp would send it again on another."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:  # nothing was sent
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError(type(error).__name__) from error


def redirected(status: int) -> str:
    """What is said of an answer that points elsewhere."""
    return (
        f"it answers {status}, a redirect, which is never followed, as it would carry the key "
        "away: see the addresses of the venue in the settings"
    )


def _can_be_written(request: HttpRequest) -> bool:
    """Whether aiohttp writes `request` as it is; what it says otherwise may hold the key."""
    try:
        yarl.URL(request.url, encoded=True)
    except ValueError:  # a port of six digits, say
        return False
    return _PRINTABLE.fullmatch(request.url) is not None and can_be_headers(request.headers)


def can_be_headers(headers: Mapping[str, str]) -> bool:
    """Whether each is one header and no more."""
    return not any(_NO_HEADER.search(text) for pair in headers.items() for text in pair)


def _reason_of(error: BaseException) -> str:
    """What broke, without a word of the peer's: it may send our own key back."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate cannot be trusted ({_certificate_trouble(error)})"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return "there is no TLS at its port"
    if isinstance(error, OSError) and not isinstance(error, aiohttp.ClientError):
        return f"broken transport ({error.strerror or type(error).__name__})"
    return f"broken transport ({type(error).__name__})"


def _certificate_trouble(error: aiohttp.ClientConnectorCertificateError) -> str:
    cause = error.certificate_error
    return cause.verify_message if isinstance(cause, ssl.SSLCertVerificationError) else str(cause)


async def _read(response: aiohttp.ClientResponse) -> bytes | None:
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > BODY_BYTES_MAX:
            return None
        await asyncio.sleep(0)  # a large answer shares the loop with the sockets
    return b"".join(chunks)


def is_safe(url: str) -> bool:
    """Whether a secret may travel to `url`: encrypted, or on this machine."""
    try:
        parts = urlsplit(url)
        if parts.scheme in ("https", "wss"):
            return True
        if parts.scheme not in ("http", "ws"):
            return False
        host = parts.hostname or ""
        # By the address as written: a name may lead anywhere.
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_named(url: str, endpoints: Endpoints) -> bool:
    """Whether `url` is at an address of `endpoints`: no answer may name another for us."""
    try:
        bases = [*endpoints.rest.values(), *endpoints.stream.values(), *endpoints.servers]
        return _origin_of(url) in map(_origin_of, bases)
    except ValueError:
        return False


def _origin_of(url: str) -> tuple[str, str]:
    """Scheme, and host with port (and whatever stands before an @)."""
    parts = urlsplit(url)
    # With user and password, if any: `https://host@elsewhere` is another place.
    return parts.scheme, parts.netloc
