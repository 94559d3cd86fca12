"""Placements on a loopback: the toy venue, an edge whose `raw` is a list, and a real claim log."""

import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

from confluent_kafka import Producer

from ingest.group_events import Gained
from ingest.orders.claim_keeper import ClaimKeeper
from ingest.orders.claims import PartitionClaims
from ingest.orders.commands import Commanded
from ingest.requesters import Clock
from orderloom.claim import Claim, ClaimRecord, Command, NotSent, Verb
from orderloom.claim_log import ClaimLog
from orderloom.command import CancelCommand, DecidedCommand, PlaceCommand
from orderloom.raw import Attempt, AttemptOutcome, ClockSample
from orderloom.words import OrderType, Side, TimeInForce
from tests.ingest.edge_on_loopback import ACCOUNT, Running, an_edge, an_entry
from tests.ingest.orders.claim_stage import SECONDS_MAX, Stage
from tests.ingest.toy_server import ToyServer
from tests.ingest.toy_venue import PRODUCT
from tests.waits import until

P = 0
SECOND_NS = 1_000_000_000
TRADER = an_entry(partition=P, orders="trade")
GENERATION = 5


class HeldProducer:
    """The client's producer; while it `is_held` nobody is told what was acknowledged."""

    def __init__(self, producer: Producer) -> None:
        self.is_held = threading.Event()
        self._producer = producer

    def poll(self, seconds: float) -> int:
        """As confluent_kafka.Producer.poll."""
        if self.is_held.is_set():
            time.sleep(0.002)
            return 0
        return int(self._producer.poll(min(seconds, 0.01)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)


class Trader:
    """An edge that places for one account, and what is known of it."""

    def __init__(self, running: Running, keeper: ClaimKeeper, stage: Stage, toy: ToyServer) -> None:
        self.running = running
        self.keeper = keeper
        self.stage = stage
        self.toy = toy
        self.producers: list[HeldProducer] = []

    @property
    def claims(self) -> PartitionClaims:
        held = self.keeper.of(P)
        assert held is not None
        return held.claims

    @property
    def arrived(self) -> list[str]:
        """The client order ids of the placements that the venue was sent, each as often."""
        paths = [url for url in self.toy.urls if url.startswith("/order?name=")]
        return [path.partition("name=")[2].partition("&")[0] for path in paths]

    def hold(self, *, is_held: bool) -> None:
        """Whether what Kafka acknowledged is kept from the claims."""
        for producer in self.producers:
            producer.is_held.set() if is_held else producer.is_held.clear()

    def place(self, number: int, partition: int = P, **fields: Any) -> PlaceCommand:
        """Have an order placed, as decided by all that stands in the log by now."""
        command = a_placement(number, self.stage.end(), **fields)
        self.send(command, partition)
        return command

    def send(self, command: DecidedCommand, partition: int = P) -> None:
        key = command.account.encode()
        commanded = Commanded(partition, 1, key, command.encoded(), time.time_ns())
        self.running.edge.command(commanded)

    def outcomes(self, command: DecidedCommand) -> list[AttemptOutcome]:
        items = self.running.log.items
        found = [one for one in items if isinstance(one, AttemptOutcome)]
        return [one for one in found if one.command_id == command.id]

    def attempts(self, command: DecidedCommand) -> list[Attempt]:
        items = [one for one in self.running.log.items if isinstance(one, Attempt)]
        return [one for one in items if one.command_id == command.id]

    async def outcome(self, command: DecidedCommand) -> AttemptOutcome:
        await until(lambda: bool(self.outcomes(command)), SECONDS_MAX)
        (outcome,) = self.outcomes(command)
        return outcome

    def records(self, kind: type[ClaimRecord]) -> list[Any]:
        return [one for one in self.stage.records() if isinstance(one, kind)]

    async def claimed(self, command: DecidedCommand) -> Claim:
        """The claim of a command, once it stands in the log."""

        def found() -> list[Claim]:
            return [one for one in self.records(Claim) if one.command.id == command.id]

        await until(lambda: bool(found()), SECONDS_MAX)
        (claim,) = found()
        return claim

    async def is_said_unsent(self, command: DecidedCommand) -> None:
        """Return once the log proves that a command was not sent and never will be."""
        await until(lambda: self._log().is_unsent(command.command), SECONDS_MAX)
        assert any(one.command_id == command.id for one in self.records(NotSent))

    async def reads(self, offset: int) -> None:
        """Return once the claims have read a record."""
        claimer = self.claims._claimer
        assert claimer is not None
        await until(lambda: claimer._log.known > offset, SECONDS_MAX)

    def _log(self) -> ClaimLog:
        log = ClaimLog()
        for offset, record in enumerate(self.stage.records()):
            log.apply(offset, record)
        return log


def a_placement(number: int, seen: int, **fields: Any) -> PlaceCommand:
    account = fields.get("account", ACCOUNT)
    return PlaceCommand(
        command=_command(Verb.PLACE, f"{account}/p-{number}", seen, **fields),
        intent=number,
        client_order_id=f"o{number}",
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        quantity=Decimal(1),
        price=Decimal(100),
        time_in_force=TimeInForce.GTC,
    )


def a_cancel_of(placed: PlaceCommand, number: int, **fields: Any) -> CancelCommand:
    return CancelCommand(
        command=_command(Verb.CANCEL, f"{ACCOUNT}/c-{number}", placed.command.seen, **fields),
        intent=number,
        order=f"{ACCOUNT}/{PRODUCT}/S/{placed.client_order_id}",
        client_order_id=placed.client_order_id,
        venue_order_id="7",  # the toy venue cancels by its own ids alone
    )


def _command(
    verb: Verb, name: str, seen: int, account: str = ACCOUNT, within_ns: int = 60 * SECOND_NS
) -> Command:
    return Command(
        id=name,
        verb=verb,
        account=account,
        strategy="maker",
        product=PRODUCT,
        symbol="S",
        seen=seen,
        send_by_ns=time.time_ns() + within_ns,
    )


def a_sample() -> ClockSample:
    """The venue's clock is ours."""
    now_ns = time.time_ns()
    return ClockSample(PRODUCT, now_ns, now_ns, now_ns)


def no_doubt() -> str:
    """The topic is as safe as it must be."""
    return ""


@asynccontextmanager
async def a_trader(
    stage: Stage,
    toy: ToyServer,
    name: str = "w1",
    wall_ns: Callable[[], int] = time.time_ns,
    look: Callable[[], str] = no_doubt,
    *,
    is_waited_for: bool = True,
) -> AsyncIterator[Trader]:
    """One whose claims are read, or will be."""
    failed: list[BaseException] = []
    clock, producers = Clock(wall_ns), list[HeldProducer]()

    def make(partition: int) -> PartitionClaims:
        topic = stage.topic_of(partition)

        def make_producer() -> Any:
            producers.append(HeldProducer(topic.make_producer()))
            return producers[-1]

        held = replace(topic, make_producer=make_producer)
        return PartitionClaims(held, name, "1", clock.wall_ns)

    keeper = ClaimKeeper(make, look, failed.append)
    async with an_edge(toy, TRADER, claims=keeper, clock=clock) as running:
        trader = Trader(running, keeper, stage, toy)
        trader.producers = producers
        running.requesters.clocks[PRODUCT].add(a_sample())
        await running.edge.handle(Gained(P, GENERATION, 0, is_continued=False))
        if is_waited_for:
            await until(lambda: keeper.of(P) is not None, SECONDS_MAX)
        try:
            yield trader
        finally:
            trader.hold(is_held=False)
    assert not failed
