"""Where the requests to one of Kraken's two systems are answered."""

from dataclasses import dataclass

from simulator.kraken.limits import KrakenLimits
from simulator.kraken.venue import KrakenVenue


@dataclass(frozen=True, slots=True)
class KrakenSystem:
    """The venue, and the budgets that its requests and sockets share."""

    venue: KrakenVenue
    limits: KrakenLimits
