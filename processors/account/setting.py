"""What every account of a partition shares. Pure."""

from dataclasses import dataclass, field

from processors.account.cycles import Pace
from processors.account.venue_time import VenueTimes
from processors.instruments import Instruments
from venues.venue import Profile


@dataclass(frozen=True, slots=True)
class Setting:
    """The venue's promises, instruments and time, the pace, where it is published and in which
    epoch."""

    venue: str
    partition: int
    profile: Profile
    pace: Pace
    instruments: Instruments
    namespace: str = ""
    epoch: int = 0
    times: VenueTimes = field(default_factory=VenueTimes)
