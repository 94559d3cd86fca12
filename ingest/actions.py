"""What a connection's machine asks the runner to do, and what the runner reports to it. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from ingest.instant import Instant
from orderloom.raw import Item
from venues.request import HttpRequest


class Purpose(Enum):
    """Why a connection asks for something over HTTP."""

    PREPARE = auto()
    """What the address needs: a listen key."""
    KEEP_ALIVE = auto()
    """So that the venue goes on sending."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """How a socket is opened; address and headers may hold a secret."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a socket.

    `build` makes the handshake for the moment when it is sent, as it may be signed; `url` is its
    address as of now, for the log: of it no more is shown than the host.
    """

    connection: str
    url: str = field(repr=False)
    build: Callable[[Instant], Handshake] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ask:
    """Perform a request, and hand its answer to the machine.

    `build` makes it for the moment when it is sent, which may be long after it was wished for: a
    signature or a nonce that waited for the rate limit is worth nothing any more.
    """

    connection: str
    purpose: Purpose
    build: Callable[[Instant], HttpRequest] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Send:
    """Write one text frame, after those sent before it."""

    connection: str
    frame: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Probe:
    """Send a ping of the WebSocket protocol: a living peer answers with bytes."""

    connection: str


@dataclass(frozen=True, slots=True)
class Publish:
    """Write `item` to `raw`, after all that this connection published before."""

    connection: str
    item: Item


@dataclass(frozen=True, slots=True)
class Close:
    """Drop the socket, if there is one; nothing more is read from it."""

    connection: str
    reason: str


Action = Connect | Ask | Send | Probe | Publish | Close


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back: any status. Times are ns UTC on our clock."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    sent_ns: int
    received_ns: int


@dataclass(frozen=True, slots=True)
class HttpFailure:
    """Nothing usable came back: time-out, broken transport, or a body beyond all bounds.

    `is_our_fault`: the request was never sent, and never will be as things are set. `is_unsent`:
    surely no byte of it left.
    """

    reason: str
    sent_ns: int
    at_ns: int
    # Then it is a refusal: trying again at once mends nothing.
    is_our_fault: bool = False
    is_unsent: bool = False


HttpOutcome = HttpAnswer | HttpFailure
