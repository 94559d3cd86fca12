"""A simulated venue and a partition's state in one process, on one clock: no socket, no Kafka.

What the venue pushes becomes records of `raw` at once; what is asked is answered by the venue's own
calls, page by page, through the venue's description. So all that streams lose and questions
find can be played in milliseconds, step by step, with restarts anywhere between the steps.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Literal, cast
from urllib.parse import parse_qsl, urlsplit

import orjson

from orderloom import topology
from orderloom.account import AccountConfig
from orderloom.question import Question
from orderloom.raw import Answer, ClockSample, ConnectionChange, Failure, Frame, Item, Liveness
from processors.account.pace import Pace
from processors.partition import PartitionFold
from simulator.binance.params import Params
from simulator.binance.refusals import Refusal
from simulator.binance.spot_calls import SPOT_CALLS
from simulator.binance.usdm_calls import USDM_CALLS
from simulator.binance.venue import BinanceVenue
from simulator.clock import LogicalClock
from simulator.config import AccountConfig as SimulatedAccount
from simulator.config import SimulatorConfig, TrafficConfig
from simulator.instrument import Product
from simulator.message import Message
from simulator.truth import truth
from tests.processors.partition_lab import Run, a_raw_record, a_record
from venues import VENUES
from venues.request import Context, Credentials, Endpoints, HttpRequest
from venues.venue import Page

ACCOUNT = "binance:main"
CALLS = SPOT_CALLS | USDM_CALLS
SECOND_NS = 1_000_000_000
TICK_MS = 100
SAMPLE_MS = 10_000
Drop = Callable[[Message], bool]


class VenueLab:
    """One account. `drop` says which pushed messages are lost without anybody's noticing.

    `symbols` are those that the registry names; the venue's traders trade `traded`.
    `before_each` is called before each record of `raw` is folded (to restart the partition, say).
    `delay_ms` is how long a pushed message is on its way: answers report it before.
    `skew_ns` is how far our clock is ahead of the venue's, which is measured every 10 s.
    `is_hedged`: its contracts have LONG and SHORT positions apart.
    """

    venue_name: ClassVar = "binance"
    products: ClassVar[tuple[str, ...]] = ("spot", "linear")
    feeds: ClassVar[dict[str, str]] = {"c-spot": "spot", "c-linear": "linear"}
    """The first product of each connection."""
    orders: ClassVar[Literal["none", "cancel"]] = "none"

    def __init__(
        self,
        seed: int = 1,
        *,
        traded: Iterable[str] = ("BTCUSDT", "SOLUSDT"),
        symbols: Iterable[str] | None = None,
        lookback_s: int = 86_400,
        is_hedged: bool = False,
        before_each: Callable[["VenueLab"], None] = lambda _lab: None,
        fold: type[PartitionFold] = PartitionFold,
    ) -> None:
        traded = tuple(traded)
        self.symbols = traded if symbols is None else tuple(symbols)
        self.clock = LogicalClock()
        self.name = f"{self.venue_name}:main"
        self.description = VENUES[self.venue_name]
        simulated = SimulatedAccount(
            name=self.name,
            api_key="lab-key",
            secret="lab-secret",
            is_hedged=is_hedged,
            symbols={
                cast(Product, product): self.symbols_of(product, traded)
                for product in self.products
            },
        )
        traffic = TrafficConfig(open_orders_max=8)
        self.venue = self.make_venue(
            SimulatorConfig(
                venue=self.venue_name, seed=seed, accounts=(simulated,), traffic=traffic
            )
        )
        (self.account,) = self.venue.accounts.values()
        self.pace = Pace(period_ns=10 * SECOND_NS, lookback_ns=lookback_s * SECOND_NS)
        self.make_state: Callable[[], PartitionFold] = lambda: fold(self.description, 0, self.pace)
        self.run = Run(self.make_state(), has_clock=False)
        self.drop: Drop = lambda _message: False
        self.refuse: Callable[[Question], bool] = lambda _question: False
        self.before_each = before_each
        self.is_connected = False
        self.delay_ms = 0
        self.skew_ns = 0
        self.sampled_ms = 0
        self.step_ns = 0
        self.generation = 1
        self.on_its_way: deque[tuple[int, Message]] = deque()
        self.numbers: Counter[str] = Counter()
        self.records = 0
        self.asked: list[str] = []
        """The path of each request, in order."""

    # ---- the venue ----

    def make_venue(self, config: SimulatorConfig) -> Any:
        """The venue, which hands everything to `hear`."""
        return BinanceVenue(config, self.clock, self.hear)

    def symbols_of(self, _product: str, symbols: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the symbols that are traded at a product."""
        return symbols

    def pushed(self, message: Message) -> tuple[str, Any]:
        """On which connection a message comes, and its frame."""
        event = {"subscriptionId": 0, "event": message.document}
        is_spot = message.product == "spot"
        return f"c-{message.product}", event if is_spot else message.document

    def connections(self, change: str) -> list[ConnectionChange]:
        """The change of every connection."""
        return [ConnectionChange(name, p, change, self.now_ns) for name, p in self.feeds.items()]

    def hear(self, message: Message) -> None:
        if self.is_connected and not self.drop(message):
            if self.delay_ms:
                self.on_its_way.append((self.clock.now_ms() + self.delay_ms, message))
            else:
                self._push(message)

    def _push(self, message: Message) -> None:
        if self.is_connected:
            name, document = self.pushed(message)
            self.numbers[name] += 1
            body, product = orjson.dumps(document), self.feeds[name]
            self.fold(Frame(name, self.numbers[name], product, self.now_ns, body))

    @property
    def now_ns(self) -> int:
        return self.clock.now_ms() * 1_000_000 + self.skew_ns

    def sample(self) -> None:
        """The edge measures the venue's clock."""
        self.sampled_ms, at_ns = self.clock.now_ms(), self.now_ns
        venue_ns = at_ns - self.skew_ns
        samples = [ClockSample(product, venue_ns, at_ns, at_ns) for product in self.products]
        self.fold(*samples, account="venue")

    def trade(self, steps: int) -> None:
        """Let the traders decide so many times; time passes between."""
        for _ in range(steps):
            self.venue.traders.step()
            self.wait(TICK_MS)

    # ---- the product ----

    def restart(self) -> None:
        """Throw the memory away, and restore it from the state records."""
        self.run.partition = self.make_state()
        for key, value in self.run.state.items():
            self.run.partition.restore(key, value)

    def connect(self) -> None:
        """The account is registered, and its streams begin."""
        entry = AccountConfig(
            id=self.name,
            products=self.products,
            key="env:KEY",
            partition=0,
            orders=self.orders,
            symbols={p: self.symbols_of(p, self.symbols) for p in self.products},
        )
        document = {"type": "account", "config": entry.model_dump(mode="json")}
        record = a_record(orjson.dumps(document), topic=topology.CONTROL, key=self.name)
        self.run.step(record, self.now_ns)
        self.sample()
        self.reconnect()

    def disconnect(self) -> None:
        """All sockets end; what is pushed from now on is lost."""
        self.is_connected = False
        self.fold(*self.connections("CLOSED"))

    def reconnect(self) -> None:
        """The sockets are back, under the same names, as if nothing had been numbered."""
        self.is_connected = True
        self.numbers.clear()
        self.fold(*self.connections("LIVE"))

    def take_over(self, skew_ns: int) -> None:
        """Another host owns the partition, with a clock that is so far ahead; no socket yet."""
        self.generation += 1
        self.skew_ns, self.is_connected = skew_ns, False
        self.on_its_way.clear()

    def fold(self, *items: Item, account: str | None = None) -> None:
        """One record of `raw`, a step; then every question that came of it is answered."""
        self.before_each(self)
        self.records += 1
        record = a_raw_record(
            *items,
            offset=self.records,
            account=account or self.name,
            generation=self.generation,
        )
        self.step_ns = max(self.step_ns, self.now_ns)  # a step's time never runs backwards
        self.answer(self.run.step(record, self.step_ns))

    def wait(self, milliseconds: int) -> None:
        """Time passes; what was pushed arrives when it is due; the edge says that it lives."""
        end_ms = self.clock.now_ms() + milliseconds
        while self.on_its_way and self.on_its_way[0][0] <= end_ms:
            due_ms, message = self.on_its_way.popleft()
            self.clock.advance(max(due_ms - self.clock.now_ms(), 0))
            self._push(message)
        self.clock.advance(end_ms - self.clock.now_ms())
        if self.clock.now_ms() - self.sampled_ms >= SAMPLE_MS:
            self.sample()
        live = [
            {"account": self.name, "connection": c, "product": p, "heard_ns": self.now_ns}
            for c, p in self.feeds.items()
            if self.is_connected
        ]
        self.fold(Liveness(self.now_ns, live), account="venue")

    def wait_until(self, condition: Callable[[], bool], seconds: int = 120) -> None:
        """Let time pass until the condition holds; fails after so many seconds of lab time."""
        for _ in range(seconds * 2):
            if condition():
                return
            self.wait(500)
        raise AssertionError(f"not within {seconds} s")

    def is_synced(self) -> bool:
        return self.run.partition.accounts[self.name].is_synced

    def answer(self, outputs: Iterable[Any]) -> None:
        for output in list(outputs):
            if output.topic is topology.DISPATCHES:
                document = orjson.loads(output.value)["question"]
                self._answer(Question.model_validate(document), document, output.key.decode())

    def _answer(self, question: Question, document: dict[str, Any], account: str) -> None:
        asked_ns = self.now_ns
        hosts = dict.fromkeys(self.products, "http://x")
        context = Context(Credentials("key", "secret"), Endpoints(hosts, hosts), asked_ns)
        if self.refuse(question):
            self.fold(Failure(document, "timeout", asked_ns, asked_ns), account=account)
            return
        request: HttpRequest | None = self.description.ask(question, context)
        number = 1
        while request is not None:
            status, body = self.called(request.url)
            page = Page(number, request, status, body)
            is_whole = self.description.is_complete_answer(page)
            following = self.description.next_page(question, page, context) if is_whole else None
            is_last = following is None
            item = Answer(
                document, request.channel, number, is_last, status, asked_ns, asked_ns, asked_ns,
                body,
            )  # fmt: skip
            self.fold(item, account=account)
            request, number = following, number + 1

    def called(self, url: str) -> tuple[int, bytes]:
        """What the venue answers to a question: status and body."""
        return self.performed("GET", url)

    def performed(self, method: str, url: str) -> tuple[int, bytes]:
        """What the venue answers: status and body."""
        parts = urlsplit(url)
        market = self.venue.spot if parts.path.startswith("/api/") else self.venue.linear
        call = CALLS[method, parts.path]
        self.asked.append(parts.path)
        try:
            found = call.answer(market, self.account, Params(dict(parse_qsl(parts.query))))
        except Refusal as refusal:
            return 400, orjson.dumps(refusal.document)
        return 200, orjson.dumps(found)

    # ---- what came of it ----

    def truth(self) -> dict[str, Any]:
        return truth([self.account], 0)

    def differences(self) -> list[Any]:
        return list(self.run.messages(topology.DIFFERENCES))

    def wrong(self) -> dict[str, Any]:
        """Everything in which what was published differs from the venue's books."""
        verdict = self.run.verdict(self.truth())
        assert verdict["orders"], "nothing was traded"
        names = (
            "fills_lost", "fills_invented", "fills_wrong", "fills_doubled", "wrong_states",
            "wrong_positions",
        )  # fmt: skip
        return {name: verdict["details"][name] for name in names if verdict["details"][name]}
