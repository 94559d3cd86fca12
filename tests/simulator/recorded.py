"""A venue without a wire that writes down every private message: for tests."""

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from simulator.accounts import Account
from simulator.box import Venue
from simulator.clock import LogicalClock
from simulator.config import SimulatorConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.message import Message, Publish

Made = TypeVar("Made", bound=Venue)


class Recorded(Generic[Made]):
    """The venue's accounts, and what they were told."""

    def __init__(
        self,
        make: "Callable[[SimulatorConfig, LogicalClock, Publish], Made]",
        config: SimulatorConfig,
    ) -> None:
        self.messages: list[Message] = []
        self.clock = LogicalClock()
        self.venue = make(config, self.clock, self.messages.append)
        self.accounts: list[Account] = list(self.venue.accounts.values())

    @property
    def one(self) -> Account:
        """The account that tests look at."""
        return self.accounts[0]

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The documents of a kind that the first account was sent, in order."""
        return [
            message.document
            for message in self.messages
            if message.kind == kind and message.account == self.one.name
        ]
