"""What a venue's box offers to the server that runs it and to its control paths."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from aiohttp import web

from simulator.accounts import Account
from simulator.clock import WallClock
from simulator.delivery import Feed
from simulator.faults import Faults
from simulator.sockets import Sockets
from simulator.traders import Traders

Task = Callable[[], Awaitable[None]]


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


class Box(Protocol):
    """The venue, its listeners and its wire."""

    @property
    def venue(self) -> Venue:
        """The venue itself."""
        ...

    @property
    def clock(self) -> WallClock:
        """The venue's clock."""
        ...

    @property
    def feed(self) -> Feed:
        """Who listens to what."""
        ...

    @property
    def faults(self) -> Faults:
        """The schedule of trouble."""
        ...

    @property
    def sockets(self) -> Sockets:
        """Open connections."""
        ...

    def add_routes(self, app: web.Application) -> None:
        """Put every path of the venue into `app`."""
        ...

    def tasks(self) -> list[Task]:
        """What must run beside the application."""
        ...

    def controls(self) -> Mapping[str, Callable[[], object]]:
        """Control actions that only this venue has: what stands after `/control/`, and its act."""
        ...
