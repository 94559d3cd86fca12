"""A requester of the toy venue, and waiting for conditions."""

import asyncio
from collections.abc import Callable

from ingest.gate import Gate
from ingest.http import HttpClient
from ingest.limits import Limits
from ingest.requester import Requester
from ingest.requesters import Clock
from ingest.venue_clock import VenueClock
from runtime.clock import boottime_ns
from tests.ingest.toy_venue import PRODUCT
from venues.venue import Credentials, Venue

SECONDS_MAX = 10


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for a condition; the test fails if it does not come about."""
    async with asyncio.timeout(SECONDS_MAX):
        while not is_so():  # noqa: ASYNC110  any condition of any server, not an event of ours
            await asyncio.sleep(0.01)


def a_requester(venue: Venue, http: HttpClient) -> Requester:
    return Requester(
        account="toy:main",
        venue=venue,
        credentials=Credentials("me", "secret"),
        endpoints=venue.environments["production"],
        clocks={PRODUCT: VenueClock()},
        ip_group="default",
        gate=Gate(Limits(venue.buckets, boottime_ns()), boottime_ns),
        http=http,
        now=Clock(),
    )
