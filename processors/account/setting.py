"""What every account of a partition shares. Pure."""

from dataclasses import dataclass, field

from processors.account.owner import Owner
from processors.account.pace import Pace
from processors.account.venue_time import VenueTimes
from processors.instruments import Instruments
from processors.intents.claim_book import ClaimBook
from venues.venue import Profiles


@dataclass(frozen=True, slots=True)
class Setting:
    """The venue's promises, instruments and time, who owns the edge, the pace, and where and in
    which epoch it is published. `takes_orders`: its adapter says how orders are entered."""

    venue: str
    partition: int
    profiles: Profiles
    pace: Pace
    instruments: Instruments
    namespace: str = ""
    epoch: int = 0
    times: VenueTimes = field(default_factory=VenueTimes)
    owner: Owner = field(default_factory=Owner)
    takes_orders: bool = False
    claims: ClaimBook = field(default_factory=ClaimBook)
    spoken: set[str] = field(default_factory=set)
    """The accounts that something was said to since anybody looked."""
