"""What a venue is to Orderloom: a description plus pure translation.

Pure: an adapter fills in `Venue`; it opens no socket, starts no task, reads no clock, keeps no
state. The edge (`ingest`) and the brain (`processors`) are written once against this module.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final, NamedTuple

from msgspec import Struct

from orderloom.event import Event
from orderloom.question import Question
from orderloom.words import Source
from venues.order_entry import OrderEntry
from venues.rates import Bucket, Cost, Throttling
from venues.request import Context, Endpoints, HttpRequest

MINUTE_NS = 60_000_000_000
SECOND_NS = 1_000_000_000
MILLISECOND_NS = 1_000_000


class BadFrame(Exception):
    """A message whose kind we know and that cannot be read; `args[0]` is the reason."""


class UnknownFrame(Exception):
    """A message of a kind that we do not know; `args[0]` is the reason."""


# Listed, and not `Exception`: a failed assertion of ours must still end the worker (decision 0509).
UNREADABLE: Final = (
    BadFrame, UnknownFrame, ValueError, ArithmeticError, LookupError, TypeError, AttributeError,
    RecursionError,
)  # fmt: skip
"""What reading a venue's words may raise, whatever they are: trouble of the one account that they
were sent to. Any other exception is a mistake of our own."""


class Turn(Enum):
    """What a frame means for the connection itself."""

    DATA = auto()
    """Nothing: it is for the processors, or a heartbeat (the answer to our ping)."""
    ADVANCE = auto()
    """This stage of the greeting is answered: send the next one, or be LIVE."""
    REFUSED = auto()
    """The venue refuses to sign us in or to subscribe; `reason` says why."""
    RECONNECT = auto()
    """The venue sends nothing more here (expired key): close at once and connect anew."""
    ENDING = auto()
    """The venue will close this (planned shutdown) and sends until then: have a successor first."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `Stream.judge` says of one frame."""

    turn: Turn
    reason: str = ""


DATA = Verdict(Turn.DATA)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """How a connection proves that it lives.

    Protocol-level pings are answered by the client library. `silence_ns_max`: no byte (frame or
    protocol ping) for so long means a dead peer. Where the venue wants pings of ours, they go out
    after `ping_after_ns` without a frame from it (a venue that closes connections on which nothing
    is said), or every `ping_every_ns` whatever it sends (one that closes those that do not ping,
    however busy they are). `ping(context)` is the frame; None: the protocol's own ping.
    """

    silence_ns_max: int
    ping: Callable[[Context], bytes] | None = None
    ping_after_ns: int | None = None
    ping_every_ns: int | None = None


Heard = tuple[bytes, ...]
"""What the venue said so far on the way to one connection: the answer to preparing it, where one is
prepared, then each frame that ended a stage."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of signing in and subscribing.

    `say(context, heard)` gives the frames that we send, none where the venue speaks first;
    `judge(frame)` says of each frame that comes meanwhile whether it ends the stage.
    """

    say: Callable[[Context, Heard], tuple[bytes, ...]]
    judge: Callable[[bytes], Verdict]


def is_refusal(status: int) -> bool:
    """Whether an HTTP status refuses us, rather than reporting trouble that passes.

    408, 418, 425 and 429 pass; so does 403 from a firewall, but slowly: it counts as a refusal.
    """
    return 400 <= status < 500 and status not in (408, 418, 425, 429)


def by_status(status: int, _body: bytes) -> Verdict:
    """What an answer to preparing means where its status says it."""
    if status == 200:
        return Verdict(Turn.ADVANCE)
    return Verdict(Turn.REFUSED if is_refusal(status) else Turn.RECONNECT)


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is asked over HTTP before a connection: a listen key, a token.

    `judge(status, body)` takes the answer (ADVANCE), refuses us (REFUSED), or reports trouble that
    passes (RECONNECT), whatever its status: several venues answer errors with 200.
    """

    request: Callable[[Context], HttpRequest]
    judge: Callable[[int, bytes], Verdict] = by_status


def _is_good(status: int, _body: bytes) -> bool:
    return status == 200


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """What is asked over HTTP every `every_ns`, so that the venue goes on sending.

    If it fails with an answer for which `is_lost` holds, the connection is made anew. One for which
    `is_kept` does not hold is a failure too: it is asked again soon.
    """

    request: Callable[[Context, Heard], HttpRequest]
    every_ns: int
    # Only an answer that says so: a key that could not
    # be kept alive just now still has time to live.
    is_lost: Callable[[int, bytes], bool]
    is_kept: Callable[[int, bytes], bool] = _is_good


def no_headers(_context: Context) -> Mapping[str, str]:
    """None beside those of the environment."""
    return {}


@dataclass(frozen=True, slots=True)
class Stream:
    """One private connection of an account, on which the facts of `products` come.

    The socket opens at `address(context, heard)`, with `headers(context)` beside those of the
    environment (Gate rounds sizes without one); it is LIVE once all `stages` are over.
    `judge(frame)` reads no more than the connection needs. `life_ns`: connect anew before the venue
    does. `connect_costs`: what opening the socket costs. `feed`: where one product's facts come on
    several connections, which of them this is; each is needed.
    """

    products: tuple[str, ...]
    address: Callable[[Context, Heard], str]
    judge: Callable[[bytes], Verdict]
    heartbeat: Heartbeat
    headers: Callable[[Context], Mapping[str, str]] = no_headers
    stages: tuple[Stage, ...] = ()
    prepare: Preparation | None = None
    keep_alive: KeepAlive | None = None
    life_ns: int | None = None
    connect_costs: tuple[Cost, ...] = ()
    # A product is seen while each of its feeds is live: else a living
    # second socket would hide that the first is dead (decision 0801).
    feed: str = ""

    @property
    def product(self) -> str:
        """The one that its frames are logged under, and its requests made for."""
        return self.products[0]


@dataclass(frozen=True, slots=True)
class Page:
    """A page that was answered: its number from 1, its request, the HTTP status and body."""

    number: int
    request: HttpRequest
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back for a request, whatever it is; header names in lower case."""

    request: HttpRequest
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Profile:
    """What the venue promises for one product; each with its source in the venue's own module.

    `visibility_lag_ns`: how long after a fact a question may still not show it.
    `trades_by_symbol` / `open_orders_by_symbol` / `history_by_symbol`: the list is asked for by it.
    `history_by_end`: lists of ended orders go by their end, or else by when they were made.
    `has_positions`: it has figures of positions, by symbol and side.
    `balances_of`: the product whose balances the answer to a question about this one lists, all but
    those that are zero; None where that is not promised.
    `balances_add_up`: balances move by nothing but executions, fees and transfers that are
    reported, and trades are listed by symbol, so that balances show what a list missed.
    `conditional_ages_ns`: between which ages a conditional order that stood at the venue, and is in
    no list of open ones and not found by its id, surely ended without an execution; None: at none.
    `normal_pairs`: pairs of terminal words that may both come without a contradiction.
    `unknown_symbol_codes`: those with which the venue refuses a symbol that it does not know.
    `carries_count`: a new link of an amend chain carries the cumulative quantity on.
    `ids_are_of_product`: a venue order id is of one order of the product, so a report may name an
    order without its symbol; it may also be of those that this product's `ids_shared_with` names.
    """

    # Both are our numbers: no venue promises any (docs/venues/binance.md 7, docs/venues/okx.md 13).
    visibility_lag_ns: int = 2 * SECOND_NS
    grace_ns: int = 700 * MILLISECOND_NS
    trades_by_symbol: bool = False
    open_orders_by_symbol: bool = False
    history_by_symbol: bool = False
    history_by_end: bool = False
    has_positions: bool = False
    # Without it what is lacking stays as it was: "not listed" may mean anything there.
    balances_of: str | None = None
    balances_add_up: bool = False
    conditional_ages_ns: tuple[int, int] | None = None
    normal_pairs: frozenset[frozenset[str]] = frozenset()
    unknown_symbol_codes: frozenset[str] = frozenset()
    # Wrong either way is wrong by whole fills: summed links count them twice, a count
    # taken for carried on loses those of the earlier links (docs/state-model.md 4.9).
    carries_count: bool = False
    ids_are_of_product: bool = False
    ids_shared_with: tuple[str, ...] = ()


Profiles = Mapping[str, Profile]
"""By product: one venue's systems may promise different things."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """One received message, with what is known of how it came.

    `document` is the parsed message (see `venues.document.parse`): exact numbers, still in the
    venue's words. A message says itself what it is (decision 0301): no more comes with it.
    """

    document: Any
    # An answer may show an order otherwise than a push does: OKX's rows
    # have the last fill, its pushes their own (docs/venues/okx.md, trap 1).
    source: Source
    product: str | None = None


class Count(NamedTuple):
    """The venue's own number of a message among those called `name` on one connection.

    Each is one above the last, so a hole is a loss; `begins`: a subscription counts from here.
    """

    name: str
    number: int
    begins: bool = False


class Translation(Struct, frozen=True):
    """What a message says, in our words; `ignored` is the rule by which it says nothing to us.

    `unknown` names fields and words that translation met and did not know: counted, never fatal.
    `counts` are the venue's own numbers in a frame of the stream.
    """

    events: tuple[Event, ...] = ()
    ignored: str | None = None
    unknown: tuple[str, ...] = ()
    counts: tuple[Count, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """One exchange.

    `ask(question, context)` builds the first request of a question, `next_page(question, page,
    context)` the following one or None after the last; `is_complete_answer(page)` tells an answer
    that may be read as "this is all there is" from an error. `backoff(answered)` reads throttling.
    `translate` raises `BadFrame` or `UnknownFrame`. `server_time` reads the venue's clock, in ns,
    out of the answer to a SERVER_TIME question; `clock_steps_ns`: by product, in what steps that
    clock is told, where it is not told finely. `usual(body, product)` is the straight way for the
    most frequent frames of the stream: the evidence that `translate` would give, or None for any
    frame that it does not take. `bare_words` are the frames that are no JSON but whole words (the
    answer to our ping, say); translation gets such a word as a text. `unpack` gives what a
    compressed frame of the stream holds, and any other frame as it came; it is bounded, and raises
    BadFrame (`venues.document.inflated`). `list_field`: where the rows stand in an answer that is a
    list; None: the answer is the list. `needs_passphrase`: its keys are a key, a secret and a
    passphrase. `serial`: the products in which one request of an account is under way at a time.
    `key_groups`: the products that have keys of their own, where one key does not open all; an
    account has one. `names_vary`: the products in which answers may name an instrument otherwise
    than the stream does; `InstrumentReport.aliases` says how (decision 0018). `orders`: how orders
    are entered, if they are.
    """

    name: str
    products: tuple[str, ...]
    environments: Mapping[str, Endpoints]
    buckets: Mapping[str, Bucket]
    profiles: Profiles
    streams: Callable[[tuple[str, ...]], tuple[Stream, ...]]
    ask: Callable[[Question, Context], HttpRequest]
    next_page: Callable[[Question, Page, Context], HttpRequest | None]
    is_complete_answer: Callable[[Page], bool]
    # With its request: one code may mean another thing at another of the venue's hosts.
    backoff: Callable[[Answered], Throttling | None]
    server_time: Callable[[bytes], int]
    translate: Callable[[Inbound], Translation]
    clock_steps_ns: Mapping[str, int] = field(default_factory=dict)
    # A second way into the same evidence, and no second set of rules (decision 0310).
    usual: Callable[[bytes, str | None], tuple[Event, ...] | None] | None = None
    # Else each `pong` of OKX would be a dead letter (decision 0801).
    bare_words: frozenset[bytes] = frozenset()
    # The log keeps a frame as it came, so whoever reads one unpacks it (decision 0809).
    unpack: Callable[[bytes], bytes] | None = None
    list_field: str | None = None
    needs_passphrase: bool = False
    # Requests under way together may overtake one another, and the nonce of the later is refused.
    serial: frozenset[str] = frozenset()
    key_groups: tuple[frozenset[str], ...] = ()
    names_vary: frozenset[str] = frozenset()
    orders: OrderEntry | None = None
