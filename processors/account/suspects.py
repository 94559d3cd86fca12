"""Orders that are open with us, and how far back a list of ended ones must reach for them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from processors.account.venue_time import VenueTime
from venues.venue import Profile


@dataclass(frozen=True, slots=True)
class Suspect:
    """An order that is open with us, as the search for ghosts needs it.

    `listed_ns` is the beginning of the last cycle in whose answers it stood alive, `made_ns` the
    earliest time that we know of it, the venue's where it gave one.
    """

    key: str
    product: str
    first_seen_ns: int
    last_seen_ns: int
    listed_ns: int = 0
    made_ns: int = 0

    @property
    def alive_ns(self) -> int:
        """When it was spoken of last; our time."""
        return max(self.first_seen_ns, self.last_seen_ns, self.listed_ns)


def listed_since(ghosts: Sequence[Suspect], profile: Profile, time: VenueTime) -> int:
    """Since when, in ns of venue time, a list of ended orders holds them all.

    Where it goes by their end, they ended after they were spoken of last, or were shown alive for a
    lag too long.
    """
    if not profile.history_by_end:
        return min(one.made_ns for one in ghosts) - profile.visibility_lag_ns
    alive_ns = min(one.alive_ns for one in ghosts) - profile.visibility_lag_ns
    return alive_ns + time.lowest_ns(alive_ns)
