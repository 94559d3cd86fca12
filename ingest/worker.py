"""The ingest worker of one venue: wires the parts, lives until it is told to stop.

When Kafka or the loop fails it, a life ends and another begins, with a pause that grows; what was
not yet in the log is then gone with its connections, which the next life says (`OwnerChange`).
"""

import asyncio
import contextlib
import logging
import os
import socket
import threading
import time

import uvloop
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from ingest.dispatches import Dispatches
from ingest.edge import Edge, left_out
from ingest.framing import Bounds
from ingest.group_events import Event, Failed, Registered
from ingest.membership import Identity
from ingest.orders.claim_keeper import ClaimKeeper
from ingest.orders.claim_topic import SETTINGS, VERSION, ClaimTopic, ClaimTopicWatch
from ingest.orders.claims import PartitionClaims
from ingest.orders.commands import Commanded, CommandReader
from ingest.outbox import Outbox, OutboxBounds
from ingest.registry_watch import Registry
from ingest.requesters import Clock, Requesters, connection_names, owner_name
from orderloom import topology
from runtime.control import held_registry
from runtime.health import Health, HealthServer
from runtime.kafka import (
    connected_admin,
    group_reader,
    idempotent_producer,
    reader,
)
from runtime.kafka_causes import CAUSES
from runtime.settings import Settings
from runtime.supervise import supervise
from runtime.supervise_process import hurry_on_hangup, stop_on_signals
from runtime.topics import TopicSpec, require_topics, safe_config
from runtime.trouble import PassingTrouble, SetupError
from venues.venue import Venue

TICK_SECONDS = 0.1
COMMIT_SECONDS = 1.0
LOOK_SECONDS = 1.0
TOPICS_LOOK_SECONDS = 10.0
FLUSH_SECONDS_MAX = 10.0
_CRASHES: tuple[type[Exception], ...] = (KafkaException, PassingTrouble)

_log = logging.getLogger(__name__)


def run(
    settings: Settings,
    venue: Venue,
    member: str = "",
    stop: threading.Event | None = None,
    hurry: threading.Event | None = None,
) -> None:
    """Serve `venue` until `stop` is set (by default: until SIGTERM or SIGINT).

    The registry is read again once a second, and at once when `hurry` is set (by default: SIGHUP).

    `member` is this worker's lasting name in its group: one that restarts under the same name
    within the session takes its partitions up again, and nothing moves. By default it lasts for
    this process only.

    Raises:
        SetupError: for what only a person can mend: settings, registry, topics.
    """
    stop = stop or stop_on_signals()
    hurry = hurry or hurry_on_hangup()
    member = member or f"{socket.gethostname()}-{os.getpid()}"
    registry = Registry(settings, venue.name, needs_passphrase=venue.needs_passphrase)
    health = Health()
    with HealthServer(health, settings.http.host, settings.http.port) as server:
        _log.info("ingest %s as %s, health at %s", venue.name, member, server.address)
        worker = IngestWorker(settings, venue, registry, member, health)
        supervise(
            f"ingest {venue.name} {member}",
            lambda: uvloop.run(worker.live(stop, hurry)),
            crashes=_CRASHES,
            stop=stop,
        )


class IngestWorker:
    """Lives again and again, each time with fresh clients and under a new owner's name."""

    def __init__(
        self,
        settings: Settings,
        venue: Venue,
        registry: Registry,
        member: str,
        health: Health,
    ) -> None:
        self._settings = settings
        self._venue = venue
        self._registry = registry
        self._member = member
        self._health = health
        # For all lives: a topic that is made anew is another one to each of them.
        self._claim_topic = ClaimTopicWatch(self._connected, self._claims_spec())
        health.report("worker", "its work has not begun: Kafka has not answered yet")

    async def live(self, stop: threading.Event, hurry: threading.Event) -> None:
        """One life, until `stop` is set or something breaks. Raises KafkaException, SetupError."""
        try:
            await self._live(stop, hurry)
        except (SetupError, KafkaException) as error:
            words = str(error) if isinstance(error, SetupError) else CAUSES.words_of(error)
            self._health.report("worker", words)
            raise

    async def _live(self, stop: threading.Event, hurry: threading.Event) -> None:
        await asyncio.to_thread(self._check_kafka)
        owner = owner_name(self._member)
        requesters = Requesters(self._settings, self._venue, self._registry.served(), Clock())
        outbox = self._outbox(owner)
        try:
            names, total = connection_names(owner), self._settings.partitions
            claims = self._claims(owner, requesters, outbox)
            edge = Edge(requesters, outbox, names, total, claims)
            await self._live_with(edge, outbox, owner, stop, hurry)
        finally:
            outbox.close()
            await requesters.stop()

    async def _live_with(
        self,
        edge: Edge,
        outbox: Outbox,
        owner: str,
        stop: threading.Event,
        hurry: threading.Event,
    ) -> None:
        await edge.clocks.start()
        events: asyncio.Queue[Event] = asyncio.Queue()
        dispatches = self._dispatches(owner, events, edge)
        dispatches.start()
        commands = self._commands(events, edge)
        if self._venue.orders is not None:
            commands.start()
        self._health.report("worker")
        handler = asyncio.create_task(_handle(events, edge))
        works = [
            asyncio.ensure_future(outbox.failed),
            handler,
            asyncio.create_task(edge.clocks.run()),
            asyncio.create_task(self._watch(events, hurry)),
            asyncio.create_task(self._look_at_topics()),
            asyncio.create_task(self._tick(edge, dispatches, commands, stop)),
        ]
        try:
            done, _ = await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
            for work in done:
                work.result()
            await self._leave(edge, dispatches, outbox)
        finally:
            # The first is the outbox's own: its end belongs to `Outbox.close`.
            for work in works[1:]:
                work.cancel()
            await asyncio.gather(*works[1:], return_exceptions=True)
            await asyncio.to_thread(commands.stop)
            await self._abandon(edge, dispatches)
            for part in (*edge.troubles(), "group", "topics"):
                self._health.forget(part)

    async def _tick(
        self, edge: Edge, dispatches: Dispatches, commands: CommandReader, stop: threading.Event
    ) -> None:
        """Let time pass until we are told to stop."""
        liveness_seconds = self._settings.ingest.liveness_ms / 1000
        said_at = committed_at = time.monotonic()
        while not stop.is_set():
            await asyncio.sleep(TICK_SECONDS)
            edge.tick()
            commands.follow(edge.partitions)
            now = time.monotonic()
            if now - said_at >= liveness_seconds:
                # In step with the clock; after a stall the missed ones are not said in a row.
                said_at = max(said_at + liveness_seconds, now - liveness_seconds)
                edge.say_alive()
            if now - committed_at >= COMMIT_SECONDS:
                committed_at = now
                dispatches.commit(edge.asking.committable())
                self._report(edge, dispatches)

    def _report(self, edge: Edge, dispatches: Dispatches) -> None:
        """Say how we are: here in the loop, as nobody else may look into the edge."""
        for part, trouble in edge.troubles().items():
            self._health.report(part, trouble)
        self._health.report("group", dispatches.trouble())
        unserved = {
            account: entry.trouble
            for account, entry in self._registry.entries.items()
            if entry.trouble and entry.config.enabled and not entry.is_served
        }
        self._health.report("keys", left_out(unserved))

    async def _look_at_topics(self) -> None:
        """Say where one is gone: the client that reads or writes it says nothing to us."""
        while True:
            self._health.report("topics", await asyncio.to_thread(self._topics_trouble))
            await asyncio.sleep(TOPICS_LOOK_SECONDS)

    def _topics_trouble(self) -> str:
        try:
            require_topics(self._admin, self._specs)
        except SetupError as error:
            return str(error)
        except KafkaException as error:
            return f"the topics cannot be looked at ({CAUSES.words_of(error)})"
        return ""

    async def _watch(self, events: "asyncio.Queue[Event]", hurry: threading.Event) -> None:
        """Look into the registry again and again; what changed is an event like any other."""
        looked_at = time.monotonic()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            is_hurried = hurry.is_set()
            if not is_hurried and time.monotonic() - looked_at < LOOK_SECONDS:
                continue
            hurry.clear()
            looked_at = time.monotonic()
            # A file's disk may take its second to answer: not in the loop that reads the sockets.
            for change in await asyncio.to_thread(self._registry.look, at_once=is_hurried):
                level = logging.ERROR if change.is_trouble else logging.INFO
                _log.log(level, change.line, extra={"account": change.account})
                # Into the line of the group's events: it never meets
                # a partition that comes or goes (decision 0507).
                events.put_nowait(Registered(change))

    async def _leave(self, edge: Edge, dispatches: Dispatches, outbox: Outbox) -> None:
        """In order: progress committed, the group left, streams closed and said so."""
        dispatches.commit(edge.asking.committable())
        # In a thread: leaving the group revokes our
        # partitions, and the loop must close their streams.
        await asyncio.to_thread(dispatches.stop)
        await edge.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS_MAX):
                await outbox.settled()
                return
        _log.error("Kafka did not take the last records within %.0f s", FLUSH_SECONDS_MAX)

    async def _abandon(self, edge: Edge, dispatches: Dispatches) -> None:
        """After trouble: let go of what is still held; nobody is asked to release it."""
        await edge.stop()
        await asyncio.to_thread(dispatches.stop, is_abandoned=True)

    def _check_kafka(self) -> None:
        topics = [topology.RAW, topology.DISPATCHES, topology.CONTROL]
        if self._venue.orders is not None:
            topics += [topology.COMMANDS, topology.CLAIMS]
        self._specs = [TopicSpec(self._topic(topic), self._settings.partitions) for topic in topics]
        self._admin = self._connected()
        require_topics(self._admin, self._specs)
        # Before anything is served: a restart must not
        # forget where an account lies (decision 0605).
        held = held_registry(self._settings, self._topic(topology.CONTROL), self._venue.name)
        for line in held.passed:
            _log.error("%s; who may write there: `orderloom topics --acl`", line)
        homes = {account: entry.home for account, entry in held.accounts.items()}
        self._registry.settle(homes)

    def _connected(self) -> AdminClient:
        kafka = self._settings.kafka
        return connected_admin(kafka.bootstrap, kafka.client_security())

    def _claims_spec(self) -> TopicSpec:
        """What the topic of claims must be, so that no acknowledged record is lost."""
        name, replication = self._topic(topology.CLAIMS), self._settings.kafka.replication
        config = topology.CLAIMS.config | safe_config(replication)
        return TopicSpec(name, self._settings.partitions, replication, config)

    def _claims(self, owner: str, requesters: Requesters, outbox: Outbox) -> ClaimKeeper:
        kafka, name = self._settings.kafka, self._topic(topology.CLAIMS)
        security = kafka.client_security()

        def make_producer() -> Producer:
            return idempotent_producer(kafka.bootstrap, security=security, settings=SETTINGS)

        def make_reader() -> Consumer:
            return reader(kafka.bootstrap, committed=False, security=security)

        def make(partition: int) -> PartitionClaims:
            topic = ClaimTopic(name, partition, make_producer, make_reader)
            return PartitionClaims(topic, owner, VERSION, requesters.clock.wall_ns)

        return ClaimKeeper(make, self._claim_topic.look, outbox.fail)

    def _topic(self, topic: topology.Topic) -> str:
        return topic.name(self._venue.name, self._settings.namespace)

    def _outbox(self, owner: str) -> Outbox:
        kafka, given = self._settings.kafka, self._settings.ingest
        producer = idempotent_producer(
            kafka.bootstrap,
            security=kafka.client_security(),
            settings={"message.timeout.ms": 0},  # it never gives a record up
        )
        bounds = OutboxBounds(
            held_bytes_max=given.queue_bytes_max,
            held_items_max=given.queue_messages_max,
            body_bytes_max=given.frame_bytes_max,
            record=Bounds(given.record_messages_max, given.record_bytes_max),
        )
        return Outbox(producer, self._topic(topology.RAW), owner, bounds)

    def _commands(self, events: "asyncio.Queue[Event]", edge: Edge) -> CommandReader:
        kafka, loop = self._settings.kafka, asyncio.get_running_loop()

        def make_reader() -> Consumer:
            return reader(kafka.bootstrap, committed=True, security=kafka.client_security())

        def emit(commanded: Commanded) -> None:
            loop.call_soon_threadsafe(edge.command, commanded)

        def fail(error: Exception) -> None:
            loop.call_soon_threadsafe(events.put_nowait, Failed(error))

        return CommandReader(make_reader, self._topic(topology.COMMANDS), emit, fail)

    def _dispatches(self, owner: str, events: "asyncio.Queue[Event]", edge: Edge) -> Dispatches:
        kafka = self._settings.kafka
        loop = asyncio.get_running_loop()
        group = f"{self._settings.namespace}ingest.{self._venue.name}"
        security = kafka.client_security()
        identity = Identity(self._topic(topology.DISPATCHES), self._member, owner)

        def join() -> Consumer:
            return group_reader(kafka.bootstrap, group, self._member, security=security)

        def emit(event: Event) -> None:
            loop.call_soon_threadsafe(events.put_nowait, event)

        return Dispatches(join, identity, emit, edge.asking.is_full)


async def _handle(events: "asyncio.Queue[Event]", edge: Edge) -> None:
    while True:
        await edge.handle(await events.get())
