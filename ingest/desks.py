"""Makes each account's desk from the registry, the settings, and the venue's description."""

import itertools
import logging
import os
import random
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ingest.connection import ContextAt, Patience
from ingest.desk import Desk
from ingest.gate import Gate
from ingest.http import HttpClient
from ingest.instant import Instant
from ingest.limits import Limits
from ingest.partition import VENUE_KEY
from ingest.stream import Manner, Pauses, StreamKeeper
from ingest.venue_clock import VenueClock
from orderloom.account import AccountConfig
from runtime.accounts import read_key
from runtime.clock import SteadyClock, boottime_ns
from runtime.metrics import CLOCK_JUMPS
from runtime.settings import Settings
from runtime.trouble import SettingsError
from venues.venue import Credentials, Endpoints, Stream, Venue

DEFAULT_GROUP = "default"

_log = logging.getLogger(__name__)


class Clock:
    """Now, on both clocks."""

    def __init__(self) -> None:
        self._steady = SteadyClock(self._jumped)

    def __call__(self) -> Instant:
        return Instant(self._steady.now_ns(), boottime_ns())

    def wall_ns(self) -> int:
        """UTC."""
        return self._steady.now_ns()

    @staticmethod
    def _jumped(jump_ns: int) -> None:
        CLOCK_JUMPS.inc()
        _log.error(
            "the wall clock jumped by %+.3f s and is ignored until a restart: check the machine's "
            "time service",
            jump_ns / 1e9,
            extra={"cause": "clock"},
        )


class Desks:
    """The desks of the accounts that can be served; `public` asks what needs no key.

    An account whose key cannot be read is named in the log, and the others go on.
    """

    def __init__(
        self, settings: Settings, venue: Venue, accounts: Iterable[AccountConfig], http: HttpClient
    ) -> None:
        self._settings = settings
        self._venue = venue
        self._http = http
        self.clock = Clock()
        self.accounts = {account.id: account for account in accounts}
        products = {product for one in self.accounts.values() for product in one.products}
        self.clocks: dict[str, VenueClock] = {product: VenueClock() for product in sorted(products)}
        groups = {account.ip_group for account in self.accounts.values()} | {DEFAULT_GROUP}
        self._gates = {group: self._gate() for group in groups}
        self.desks = {
            account.id: desk
            for account in self.accounts.values()
            if (desk := self._desk_of(account)) is not None
        }
        self.public = self._desk(VENUE_KEY, Credentials("", ""), self._endpoints(), DEFAULT_GROUP)

    def share(self, share: float) -> None:
        """This worker's part of the rate limits: 0 to 1."""
        for gate in self._gates.values():
            gate.share(share)

    def keepers(self, account: str, names: Iterator[str]) -> tuple[StreamKeeper, ...]:
        """A keeper for each private stream of `account`; `names` are for its connections."""
        desk = self.desks[account]
        streams = self._venue.streams(self.accounts[account].products)
        dice = random.Random()  # noqa: S311  it spreads reconnects, and hides nothing
        manner = Manner(Patience(), Pauses(), dice)
        return tuple(
            StreamKeeper(stream, names.__next__, _context_of(desk, stream), manner)
            for stream in streams
        )

    def _gate(self) -> Gate:
        chosen = self._settings.venue(self._venue.name)
        buckets = {
            name: replace(bucket, capacity=chosen.limits.get(name, bucket.capacity))
            for name, bucket in self._venue.buckets.items()
        }
        limits = Limits(buckets, boottime_ns(), reserve=1 - chosen.questions_share)
        return Gate(limits, boottime_ns)

    def _desk_of(self, account: AccountConfig) -> Desk | None:
        try:
            held = read_key(account.key)
            endpoints = self._endpoints_of(account)
        except SettingsError as error:
            _log.error(
                "account %s is left out: %s", account.id, error, extra={"account": account.id}
            )
            return None
        credentials = Credentials(
            held.key, held.secret.get_secret_value(), held.passphrase.get_secret_value()
        )
        return self._desk(account.id, credentials, endpoints, account.ip_group)

    def _desk(
        self, account: str, credentials: Credentials, endpoints: Endpoints, group: str
    ) -> Desk:
        return Desk(
            account=account,
            venue=self._venue,
            credentials=credentials,
            endpoints=endpoints,
            clocks=self.clocks,
            ip_group=group,
            gate=self._gates[group],
            http=self._http,
            now=self.clock,
        )

    def _endpoints(self) -> Endpoints:
        """Where all of them are: a registry holds one environment."""
        for desk in self.desks.values():
            return desk.endpoints
        return Endpoints({}, {})

    def _endpoints_of(self, account: AccountConfig) -> Endpoints:
        given = self._settings.venue(self._venue.name)
        known = self._venue.environments.get(account.environment, Endpoints({}, {}))
        rest, stream = {**known.rest, **given.rest}, {**known.stream, **given.stream}
        _check_products(account, self._venue, rest, stream)
        return Endpoints(rest, stream, known.headers)


def _check_products(
    account: AccountConfig, venue: Venue, rest: Mapping[str, str], stream: Mapping[str, str]
) -> None:
    lines = [
        f"{product} has no address in environment {account.environment}: choose one of "
        f"{', '.join(sorted(venue.environments))}, or set venues.{venue.name}.rest and .stream"
        for product in account.products
        if product not in rest or product not in stream
    ]
    lines += [
        f"{product} is no product of {venue.name}: choose from {', '.join(venue.products)}"
        for product in account.products
        if product not in venue.products
    ]
    if lines:
        raise SettingsError(lines)


def _context_of(desk: Desk, stream: Stream) -> ContextAt:
    return lambda now: desk.context(stream.product, now)


def owner_name(member: str) -> str:
    """A name that no other life of any worker has: `member` and when this one began."""
    return f"{member}~{time.time_ns() // 1_000_000:x}-{os.getpid()}"


def connection_names(owner: str) -> Iterator[str]:
    """Ids of connections, each of them once."""
    return (f"{owner}-{number}" for number in itertools.count(1))
