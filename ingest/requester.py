"""Performs one account's requests: whose key, which addresses, and within which limits."""

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from ingest.actions import HttpAnswer, HttpFailure, HttpOutcome
from ingest.gate import Gate
from ingest.http import HttpClient, Look, is_named
from ingest.instant import Instant
from ingest.limits import Rank
from ingest.turnstile import Turnstile
from ingest.venue_clock import VenueClock
from runtime.metrics import THROTTLED
from venues.rates import Throttling
from venues.request import Context, Credentials, Endpoints, HttpRequest
from venues.venue import UNREADABLE, Answered, Venue

MICROSECOND_NS: Final = 1_000
Build = Callable[[Context], HttpRequest]
Begin = Callable[[], Awaitable[None]]


async def _nothing() -> None:
    """Nothing is to be done before it is sent."""


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sending:
    """How a request goes out where it is no mere question.

    `http` performs it, if not the client that all share. `begin` is awaited once it is built and
    its turn came; it is handed over in the turn in which that returns, and kept back where it
    raises. `look` is the last that is asked before its first byte (`HttpClient.perform`).
    """

    http: HttpClient | None = None
    begin: Begin = _nothing
    look: Look | None = None


@dataclass(frozen=True, slots=True)
class HttpResult:
    """What became of a request; `backoff` where the venue asked us to slow down."""

    request: HttpRequest
    outcome: HttpOutcome
    backoff: Throttling | None = None


@dataclass(slots=True, eq=False)
class Requester:
    """What one account's streams and questions need. `clocks` are the venue's, by product.

    `credentials` change when the account's key does: whatever is built afterwards is signed by the
    new one. `refused` are the products whose questions the venue refuses, as was logged once;
    `refused_symbols` those it refuses by product and symbol (by kind, where a question has none).
    Until it is `timed`, where that is there, requests wait for the venue's time. Once it
    `is_closed`, nothing is asked any more. `nonce` is that of the request that was built last: the
    clock's microseconds, so that a worker which takes the account over goes on above it.
    `turnstile` lets one request at a time through where the venue wants that.
    """

    account: str
    venue: Venue
    credentials: Credentials
    endpoints: Endpoints
    clocks: Mapping[str, VenueClock]
    ip_group: str
    gate: Gate
    http: HttpClient
    now: Callable[[], Instant]
    timed: asyncio.Event | None = None
    refused: set[str] = field(default_factory=set)
    refused_symbols: set[tuple[str, str]] = field(default_factory=set)
    is_closed: bool = False
    nonce: int = 0
    turnstile: Turnstile = field(default_factory=Turnstile)

    @property
    def is_waiting(self) -> bool:
        """Whether the venue's time is not known yet, and nothing is to be signed before."""
        return self.timed is not None and not self.timed.is_set()

    def context(self, product: str, now: Instant) -> Context:
        """What building a request of `product` needs, at the venue's time."""
        # Our own clock: the venue's is measured now and then, and may fall back.
        self.nonce = max(self.nonce + 1, now.wall_ns // MICROSECOND_NS)
        return Context(self.credentials, self.endpoints, self.venue_ns(product, now), self.nonce)

    def venue_ns(self, product: str, now: Instant) -> int:
        """The venue's time, as far as it is known."""
        clock = self.clocks.get(product)
        return now.wall_ns + (0 if clock is None else clock.offset_ns)

    async def ask(
        self,
        product: str,
        build: Build,
        rank: Rank,
        sending: Sending | None = None,
    ) -> HttpResult:
        """Wait for our turn, then build the request (its signature ages) and perform it.

        Raises UNREADABLE where `build` cannot make the request, and ValueError once it is
        closed. An answer whose limits cannot be read is no answer.
        """
        if self.timed is not None:
            await self.timed.wait()
        # Only for its costs: what is sent is
        # built anew below, as a signature ages in line.
        wish = build(self.context(product, self.now()))
        if product not in self.venue.serial:
            return await self._perform(product, build, wish, rank, sending or Sending())
        # Before the limits are paid: what was paid while another was under way would go with what
        # came free meanwhile, more than a window holds.
        async with self.turnstile.passed(rank):
            return await self._perform(product, build, wish, rank, sending or Sending())

    async def _perform(
        self,
        product: str,
        build: Build,
        wish: HttpRequest,
        rank: Rank,
        sending: Sending,
    ) -> HttpResult:
        await self.gate.admit(wish.costs, self.account, rank)
        # It may have been removed from the registry while it waited.
        if self.is_closed:
            raise ValueError(f"account {self.account} is served no more")
        request = build(self.context(product, self.now()))
        # Public ones too: of demo on the host of production they say which is meant.
        request = replace(request, headers={**self.endpoints.headers, **request.headers})
        # Whoever built it: a host that an answer named would be handed the key (decision 0508).
        if not is_named(request.url, self.endpoints):
            reason = "the request would go to an address that the settings do not name"
            at_ns = self.now().wall_ns
            failure = HttpFailure(reason, at_ns, at_ns, is_our_fault=True, is_unsent=True)
            return HttpResult(request, failure)
        await sending.begin()
        outcome = await (sending.http or self.http).perform(request, sending.look)
        if not isinstance(outcome, HttpAnswer):
            return HttpResult(request, outcome)
        try:
            return HttpResult(request, outcome, self.learn(request, outcome))
        except UNREADABLE as error:
            reason = f"what it says of its limits cannot be read: {mistake(error)}"
            return HttpResult(request, HttpFailure(reason, outcome.sent_ns, outcome.received_ns))

    def learn(self, request: HttpRequest, answer: HttpAnswer) -> Throttling | None:
        """Take in what an answer says of the rate limits. Raises UNREADABLE."""
        self.gate.answered(request.costs, self.account, answer.headers, self.now())
        answered = Answered(request, answer.status, answer.headers, answer.body)
        try:
            backoff = self.venue.backoff(answered)
        except UNREADABLE:
            # The words cannot be read, the status can: a pause all the same (decision 0509).
            if answer.status in (418, 429):
                self._slow_down(answered, Throttling(0))
            raise
        if backoff is not None:
            self._slow_down(answered, backoff)
        return backoff

    def _slow_down(self, answered: Answered, backoff: Throttling) -> None:
        self.gate.throttled(answered.request.costs, self.account, backoff)
        THROTTLED.labels(self.venue.name, self.ip_group).inc()
        _log.warning(
            "%s answers %d to %s: %s %.1f s",
            self.venue.name,
            answered.status,
            answered.request.channel,
            f"we are banned; IP group {self.ip_group} waits"
            if backoff.is_ban
            else "the next of its kind waits",
            backoff.retry_after_ns / 1e9,
            extra={"account": self.account, "venue": self.venue.name},
        )


def mistake(error: BaseException) -> str:
    """What was raised and where, so that it can be found; its words may hold a key."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {last.name}, line {last.lineno}"


def words_of(error: BaseException) -> str:
    """What a venue's description says is wrong with a question; of all else, what was raised."""
    # A ValueError of Python's own kinds quotes what it could not read, such as a key.
    return str(error) if type(error) is ValueError else mistake(error)
