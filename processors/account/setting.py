"""What every account of a partition shares. Pure."""

from dataclasses import dataclass

from processors.account.rounds import Pace
from processors.instruments import Instruments
from venues.venue import Profile


@dataclass(frozen=True, slots=True)
class Setting:
    """The venue's promises and instruments, the pace, where it is published and in which epoch."""

    venue: str
    partition: int
    profile: Profile
    pace: Pace
    instruments: Instruments
    namespace: str = ""
    epoch: int = 0
