"""A venue in its box: what the server that runs it and its control paths work with."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar, Generic, Protocol, TypeVar

from aiohttp import web

from simulator.accounts import Account
from simulator.clock import Clock, WallClock
from simulator.config import SimulatorConfig
from simulator.delivery import Feed
from simulator.faults import Faults
from simulator.journal import Journal, Wish
from simulator.message import Publish
from simulator.sockets import Sockets
from simulator.traders import Traders
from simulator.visibility import View
from simulator.wire.attempts import Attempts

Task = Callable[[], Awaitable[None]]


def every(seconds: float, act: Callable[[], object]) -> Task:
    """A task that does something again and again, until cancelled."""

    async def run() -> None:
        while True:
            await asyncio.sleep(seconds)
            act()

    return run


class Venue(Protocol):
    """The venue without any wire."""

    @property
    def accounts(self) -> dict[str, Account]:
        """The books by the account's name."""
        ...

    @property
    def by_key(self) -> dict[str, Account]:
        """The books by each key that opens them."""
        ...

    @property
    def traders(self) -> Traders:
        """Who trades there."""
        ...

    @property
    def view(self) -> View:
        """What look-ups may see."""
        ...

    @property
    def journal(self) -> Journal:
        """What reached it to change something."""
        ...

    @property
    def acks_early(self) -> frozenset[str]:
        """Products whose answers say less than that the book has the order."""
        ...

    def fill_named(self, wish: Wish) -> None:
        """Nobody in particular trades what is left of the open orders that a wish names."""
        ...


Venue_co = TypeVar("Venue_co", bound=Venue, covariant=True)
MakeVenue = Callable[[SimulatorConfig, Clock, Publish, Faults], Venue_co]


class Box(ABC, Generic[Venue_co]):
    """The venue, its listeners and its wire."""

    paths: ClassVar[Mapping[str, str]]
    """How its REST paths begin, and the product of each where weights are told by product."""
    weight_header: ClassVar[str] = ""
    """The header that tells the used weight."""
    sockets: Sockets
    """Open connections."""

    def __init__(self, config: SimulatorConfig, make_venue: MakeVenue[Venue_co]) -> None:
        self.clock = WallClock(config.clock_skew_ms)
        self.faults = Faults(config.faults, config.seed)
        self.feed = Feed(self.clock, self.faults, int(config.timing.in_flight_s * 1000))
        self.venue = make_venue(config, self.clock, self.feed.publish, self.faults)
        self.attempts = Attempts(
            self.venue.journal,
            self.faults,
            self.feed,
            self.venue.view,
            self.venue.fill_named,
            self.venue.acks_early.__contains__,
        )

    @abstractmethod
    def add_routes(self, app: web.Application) -> None:
        """Put every path of the venue into `app`."""

    @abstractmethod
    def tasks(self) -> list[Task]:
        """What must run beside the application."""

    def controls(self) -> Mapping[str, Callable[[], object]]:
        """Control actions that only this venue has: what stands after `/control/`, and its act."""
        return {}
