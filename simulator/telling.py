"""What tellers of histories share: a venue without a wire, its clock, and the lines written.

Each line has the form of the `fold` command's input: what an account of the venue saw and asked,
in order. What is asked, and in which words, is the venue's own.
"""

from abc import ABC, abstractmethod
from random import Random
from typing import Any, ClassVar

import orjson

from simulator.box import Venue
from simulator.clock import LogicalClock
from simulator.instrument import Product
from simulator.matching import Order
from simulator.message import Message

STEP_MS_MAX = 400
ANSWER_MS_MAX = 60
QUESTION_CHANCE = 0.3
REQUEST_CHANCE = 0.15
RARE_CHANCE = 0.04
BARE_CHANCE = 0.3
TEXT_CHANCE = 0.1
ORDERS_MIN = 5


class Teller(ABC):
    """Lets traders trade and writes down what the account would see."""

    products: ClassVar[tuple[Product, ...]]

    def __init__(self, seed: int) -> None:
        self.random = Random(f"{seed}:history")
        self.lines: list[dict[str, Any]] = []
        self.waiting: list[dict[str, Any]] = []
        """Rows of the books that no market holds: conditional orders that wait."""
        self.frames = 0
        self.clock = LogicalClock()
        self.venue = self.make_venue(seed)
        [self.account] = self.venue.accounts.values()
        for product in self.products:
            self.instruments(product)

    def is_rich(self) -> bool:
        """Whether there are enough orders, and some at each product."""
        counts = [len(self.orders(product)) for product in self.products]
        return sum(counts) >= ORDERS_MIN and all(counts)

    def turn(self) -> None:
        """One decision of the traders, and perhaps a request, a question or a rare event."""
        self.clock.advance(self.random.randint(1, STEP_MS_MAX))
        if self.random.random() < REQUEST_CHANCE:
            self._request(self.random.choice(self.products))
        else:
            self.venue.traders.step()
        self.after_step()
        if self.random.random() < QUESTION_CHANCE:
            self.question(self.random.choice(self.products))
        if self.random.random() < RARE_CHANCE:
            self.rare(self.random.choice(self.products))

    def tell(
        self,
        product: Product,
        source: str,
        channel: str,
        raw: object,
        *,
        kind: str | None = None,
        asked_ms: int | None = None,
    ) -> None:
        """Write a line; `raw` as it is now, for the books go on changing."""
        text = orjson.dumps(raw).decode()
        line: dict[str, Any] = {
            "ref": None,
            "product": product,
            "source": source,
            "channel": channel,
            "kind": kind,
            "raw": text if self.random.random() < TEXT_CHANCE else orjson.loads(text),
            "account": self.account.name,
            "received_ns": self.clock.now_ms() * 1_000_000,
        }
        if asked_ms is not None:
            line["asked_ns"] = asked_ms * 1_000_000
        self.lines.append(line)

    def _request(self, product: Product) -> None:
        """A wish of the account's owner; its reply races the events that it brings about."""
        place = len(self.lines)
        if self.request(product) and self.random.random() < 0.5:
            self.lines.insert(place, self.lines.pop())

    def some_order(self, product: Product) -> Order | None:
        """Any order of the product, None where there is none."""
        orders = self.orders(product)
        return self.random.choice(orders) if orders else None

    def orders(self, product: Product) -> list[Order]:
        """All orders of the product."""
        return [
            order
            for (name, _), orders in self.account.orders.items()
            if name == product
            for order in orders.values()
        ]

    def after_step(self) -> None:  # noqa: B027 (most venues tell everything at once)
        """What the venue tells a little later."""

    @abstractmethod
    def make_venue(self, seed: int) -> Venue:
        """The venue with one account, which tells `hear` everything."""

    @abstractmethod
    def hear(self, message: Message) -> None:
        """Write down a private frame."""

    @abstractmethod
    def instruments(self, product: Product) -> None:
        """Ask for the terms of what is traded."""

    @abstractmethod
    def question(self, product: Product) -> None:
        """Ask something, and tell the answer whole or in part."""

    @abstractmethod
    def request(self, product: Product) -> bool:
        """Place, amend or cancel and tell the reply last; False where nothing was asked."""

    @abstractmethod
    def rare(self, product: Product) -> None:
        """Tell something that trading alone does not bring about."""
