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
from simulator.config import AccountConfig, SimulatorConfig, TrafficConfig
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

    name: ClassVar[str]
    """The venue's."""
    symbols: ClassVar[dict[Product, tuple[str, ...]]]
    """What is traded, by product."""
    questions: ClassVar[dict[Product, tuple[str, ...]]]
    """What may be asked, by product."""

    def __init__(self, seed: int) -> None:
        self.random = Random(f"{seed}:history")
        self.products = tuple(self.symbols)
        self.lines: list[dict[str, Any]] = []
        self.waiting: list[dict[str, Any]] = []
        """Rows of the books that no market holds: conditional orders that wait."""
        self.frames = 0
        self.clock = LogicalClock()
        self.venue = self.make_venue(self._config(seed))
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

    def question(self, product: Product) -> None:
        """Ask something, and tell the answer whole or in part."""
        name = self.random.choice(self.questions[product])
        fields = self.fields(product, name)
        if fields is None:
            return
        asked_ms = self.clock.now_ms()
        answer = self.ask(product, name, fields)
        self.clock.advance(self.random.randint(1, ANSWER_MS_MAX))
        self.tell_answer(product, name, answer, asked_ms)

    def tell_rows(
        self, product: Product, channel: str, answer: object, rows: object, kind: str, asked_ms: int
    ) -> None:
        """Tell an answer whole, or one of its rows bare."""
        if isinstance(rows, list) and rows and kind and self.random.random() < BARE_CHANCE:
            row = self.random.choice(rows)
            self.tell(product, "rest", channel, row, kind=kind, asked_ms=asked_ms)
        else:
            self.tell(product, "rest", channel, answer, asked_ms=asked_ms)

    def market(self, product: Product) -> Any:
        """The venue's market of a product."""
        return getattr(self.venue, product)

    def _config(self, seed: int) -> SimulatorConfig:
        """One account, whose modes the seed says."""
        account = AccountConfig(
            name=f"{self.name}:main",
            api_key="history-key",
            secret="history-secret",  # noqa: S106 (opens nothing)
            passphrase="history-phrase",  # noqa: S106 (opens nothing)
            symbols=self.symbols,
            is_hedged=seed % 3 == 0,
            pays_bnb=seed % 2 == 0,
            pays_quote=seed % 2 == 0,
            has_rebate=seed % 5 == 0,
        )
        traffic = TrafficConfig(liquidation=0.04, open_orders_max=8)
        return SimulatorConfig(venue=self.name, seed=seed, accounts=(account,), traffic=traffic)

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
    def make_venue(self, config: SimulatorConfig) -> Venue:
        """The venue, which tells `hear` everything."""

    @abstractmethod
    def hear(self, message: Message) -> None:
        """Write down a private frame."""

    @abstractmethod
    def instruments(self, product: Product) -> None:
        """Ask for the terms of what is traded."""

    @abstractmethod
    def fields(self, product: Product, name: str) -> dict[str, object] | None:
        """What to ask by; None where there is no order to ask about."""

    @abstractmethod
    def ask(self, product: Product, name: str, fields: dict[str, object]) -> Any:
        """The answer to a question."""

    @abstractmethod
    def tell_answer(self, product: Product, name: str, answer: Any, asked_ms: int) -> None:
        """Write down an answer."""

    @abstractmethod
    def request(self, product: Product) -> bool:
        """Place, amend or cancel and tell the reply last; False where nothing was asked."""

    @abstractmethod
    def rare(self, product: Product) -> None:
        """Tell something that trading alone does not bring about."""
