"""A requester of the toy venue, and waiting for conditions."""

from ingest.gate import Gate
from ingest.http import HttpClient
from ingest.limits import Limits
from ingest.requester import Requester
from ingest.requesters import Clock
from ingest.venue_clock import VenueClock
from runtime.clock import boottime_ns
from tests.ingest.toy_venue import PRODUCT
from venues.request import Credentials
from venues.venue import Venue

SECONDS_MAX = 10


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
