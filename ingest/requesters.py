"""Makes each account's requester from the registry, the settings, and the venue's description.

Accounts come and go, and keys change, while their worker runs.
"""

import itertools
import logging
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from ingest.connection import ContextAt, Patience
from ingest.gate import Gate
from ingest.http import HttpClient
from ingest.instant import Instant
from ingest.limits import Limits
from ingest.partition import VENUE_KEY
from ingest.registry import Entry
from ingest.requester import Requester
from ingest.stream import Manner, Pauses, StreamKeeper
from ingest.venue_clock import VenueClock
from orderloom.account import AccountConfig
from runtime.clock import SteadyClock, boottime_ns, wall_ns
from runtime.metrics import CLOCK_JUMPS
from runtime.settings import Settings
from runtime.trouble import SettingsError
from venues.addresses import endpoints_of, misplaced
from venues.rates import Bucket
from venues.request import Credentials, Endpoints
from venues.venue import Venue

DEFAULT_GROUP = "default"

_log = logging.getLogger(__name__)


class Clock:
    """Now, on both clocks; `wall` is the machine's, ns UTC."""

    def __init__(self, wall: Callable[[], int] = wall_ns) -> None:
        self._steady = SteadyClock(self._jumped, wall)

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


class Requesters:
    """The requesters of the accounts that are served; `public` asks what needs no key.

    `clock` stamps the frames of the streams and the answers over HTTP alike: a look-up that began
    before a frame arrived must not seem to be later than it. Made and used in one event loop.

    An account that no address is known for is named in the log and in `left_out`, with the reason,
    and the others go on.
    """

    def __init__(
        self, settings: Settings, venue: Venue, entries: Iterable[Entry], clock: Clock
    ) -> None:
        self._settings = settings
        self._venue = venue
        self._http = HttpClient(clock.wall_ns)
        self._gates: dict[str, Gate] = {}
        self._share = 1.0
        self.clock = clock
        self.accounts: dict[str, AccountConfig] = {}
        self.clocks: dict[str, VenueClock] = {}
        self.by_account: dict[str, Requester] = {}
        self.left_out: dict[str, str] = {}
        nowhere = Endpoints({}, {})
        self.public = self._requester(VENUE_KEY, Credentials("", ""), nowhere, DEFAULT_GROUP)
        for entry in entries:
            self.open(entry)

    def open(self, entry: Entry) -> bool:
        """Serve one more account; False if its products have no address, which is logged."""
        account = entry.config
        assert entry.credentials is not None, "only who has a key is served"
        try:
            endpoints = self._endpoints_of(account)
        except SettingsError as error:
            _log.error(
                "account %s is left out: %s", account.id, error, extra={"account": account.id}
            )
            self.left_out[account.id] = "; ".join(error.lines)
            return False
        self.left_out.pop(account.id, None)
        for product in account.products:
            self.clocks.setdefault(product, VenueClock())
        requester = self._requester(account.id, entry.credentials, endpoints, account.ip_group)
        self.accounts[account.id], self.by_account[account.id] = account, requester
        self.public.endpoints = endpoints  # all are there: a registry holds one environment
        return True

    async def stop(self) -> None:
        """Close the connections of all requesters' requests."""
        await self._http.close()

    def close(self, account: str) -> None:
        """Nothing more is asked for `account`."""
        self.left_out.pop(account, None)
        self.accounts.pop(account, None)
        if (requester := self.by_account.pop(account, None)) is not None:
            # Its requests in line hold it still: they look at this when their turn comes.
            requester.is_closed = True

    def renew(self, entry: Entry) -> None:
        """The account has another key: what is asked from now on is signed with it."""
        assert entry.credentials is not None, "only who has a key is served"
        if (requester := self.by_account.get(entry.config.id)) is not None:
            requester.credentials = entry.credentials

    def allow(self, entry: Entry) -> None:
        """What may be sent for the account is what its entry says now."""
        if entry.config.id in self.accounts:
            self.accounts[entry.config.id] = entry.config

    def share(self, share: float) -> None:
        """This worker's part of the rate limits: 0 to 1."""
        self._share = share
        for gate in self._gates.values():
            gate.share(share)

    def keepers(self, account: str, names: Iterator[str]) -> tuple[StreamKeeper, ...]:
        """A keeper for each private stream of `account`; `names` are for its connections."""
        streams = self._venue.streams(self.accounts[account].products)
        dice = random.Random()  # noqa: S311  it spreads reconnects, and hides nothing
        manner = Manner(Patience(), Pauses(), dice)
        return tuple(
            StreamKeeper(stream, names.__next__, self.context_at(account, stream.product), manner)
            for stream in streams
        )

    def context_at(self, account: str, product: str) -> ContextAt:
        """For connections of `product`: each keeps the key that the account has now."""
        requester = self.by_account[account]
        # Bound now: `requester.credentials` follows the
        # registry, a connection keeps its key (decision 0507).
        credentials = requester.credentials
        return lambda now: replace(requester.context(product, now), credentials=credentials)

    def _gate(self, group: str) -> Gate:
        if group not in self._gates:
            # A venue counts by address: all accounts behind one stand in one line.
            self._gates[group] = self._new_gate()
            self._gates[group].share(self._share)
        return self._gates[group]

    def _new_gate(self) -> Gate:
        chosen = self._settings.venue(self._venue.name)
        buckets = {
            name: resized(bucket, chosen.limits.get(name, bucket.capacity))
            for name, bucket in self._venue.buckets.items()
        }
        limits = Limits(buckets, boottime_ns(), reserve=1 - chosen.questions_share)
        return Gate(limits, boottime_ns)

    def _requester(
        self, account: str, credentials: Credentials, endpoints: Endpoints, group: str
    ) -> Requester:
        return Requester(
            account=account,
            venue=self._venue,
            credentials=credentials,
            endpoints=endpoints,
            clocks=self.clocks,
            ip_group=group,
            gate=self._gate(group),
            http=self._http,
            now=self.clock,
        )

    def _endpoints_of(self, account: AccountConfig) -> Endpoints:
        given = self._settings.venue(self._venue.name)
        found = endpoints_of(self._venue, account.environment, given.rest, given.stream)
        if lines := list(misplaced(account, self._venue, found)):
            raise SettingsError(lines)
        return found


def resized(bucket: Bucket, capacity: int) -> Bucket:
    """The bucket with another capacity; what of it goes at once is the same part."""
    burst = bucket.burst and max(1, bucket.burst * capacity // bucket.capacity)
    return replace(bucket, capacity=capacity, burst=burst)


def owner_name(member: str) -> str:
    """A name that no other life of any worker has: `member` and when this one began."""
    # Not the member's name alone: whoever finds its own name in
    # a commit owned the partition ever since (decision 0503).
    return f"{member}~{time.time_ns() // 1_000_000:x}-{os.getpid()}"


def connection_names(owner: str) -> Iterator[str]:
    """Ids of connections, each of them once."""
    return (f"{owner}-{number}" for number in itertools.count(1))
