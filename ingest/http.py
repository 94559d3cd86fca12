"""HTTP as the edge speaks it: one request, as it was built, and what came back or why nothing did.

A secret travels in each request: so certificates are verified, plain HTTP goes to this machine
only, redirects are not followed, and no address stands in a reason.
"""

import asyncio
import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

import aiohttp
import yarl

from ingest.actions import HttpAnswer, HttpFailure, HttpOutcome
from venues.venue import HttpRequest

REQUEST_SECONDS_MAX = 10.0
CONNECT_SECONDS_MAX = 5.0
BODY_BYTES_MAX = 64 * 1024 * 1024
CONNECTIONS_MAX = 64


class HttpClient:
    """Performs requests; made, used and closed in one event loop. `wall_ns` stamps them, UTC."""

    def __init__(
        self, wall_ns: Callable[[], int], seconds_max: float = REQUEST_SECONDS_MAX
    ) -> None:
        self._wall_ns = wall_ns
        timeout = aiohttp.ClientTimeout(seconds_max, sock_connect=CONNECT_SECONDS_MAX)
        connector = aiohttp.TCPConnector(limit=CONNECTIONS_MAX)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=connector)

    async def perform(self, request: HttpRequest) -> HttpOutcome:
        """Send `request`; never raises for what the network or the venue does, or a key holds."""
        sent_ns = self._wall_ns()
        if not is_safe(request.url):
            reason = "a plain http address beyond this machine would show the key: use https"
            return HttpFailure(reason, sent_ns, sent_ns, is_our_fault=True)
        try:
            return await self._exchange(request, sent_ns)
        except TimeoutError:
            reason = "no answer in time"
        except aiohttp.ClientError as error:
            reason = f"broken transport ({type(error).__name__})"
        except OSError as error:
            reason = f"broken transport ({error.strerror or type(error).__name__})"
        except ValueError:  # its words may hold the key
            reason = "the request cannot be written: does the key hold a line's end, or the like?"
            return HttpFailure(reason, sent_ns, sent_ns, is_our_fault=True)
        return HttpFailure(reason, sent_ns, self._wall_ns())

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
            body = await _read(response)
            headers = {name.lower(): value for name, value in response.headers.items()}
        if body is None:
            reason = f"an answer of more than {BODY_BYTES_MAX} bytes was not read"
            return HttpFailure(reason, sent_ns, self._wall_ns())
        return HttpAnswer(response.status, headers, body, sent_ns, self._wall_ns())


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
    parts = urlsplit(url)
    if parts.scheme in ("https", "wss"):
        return True
    if parts.scheme not in ("http", "ws"):
        return False
    host = parts.hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
