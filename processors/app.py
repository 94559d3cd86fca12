"""The only Faust: one app per venue, set as measured, and what ledgers ask of its group.

Faust gives the worker its life: the group, delivery, supervision. The ledgers are the truth: Faust
acknowledges nothing, and the group's offsets are the ledgers' own.
"""

import asyncio
import concurrent.futures
import logging
import ssl
from collections.abc import Callable, Coroutine, Iterable, Mapping, Set
from typing import Any, cast

import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.assignor.partition_assignor import PartitionAssignor
from faust.auth import SASLCredentials, SSLCredentials
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from orderloom.topology import Topic
from processors.ledger.settings import LedgerSettings
from processors.ledger.step import InputRecord
from runtime.trouble import SetupError

FETCH_WAIT_MS = 20
REQUEST_SECONDS_MIN = 30.0
REQUEST_OVER_SESSION_SECONDS = 10.0
BUFFER_RECORDS = 4_096
MS_PER_SECOND = 1_000
NS_PER_MS = 1_000_000
ANSWER_SECONDS_MAX = 10.0
Offer = Callable[[InputRecord], None]
Assigned = Callable[[set[int]], None]
log = logging.getLogger(__name__)


class QuickThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread with a short fetch wait.

    Faust hard-codes 1.5 s. The consumer has one fetch in flight per broker, so a fetch for idle
    partitions, which waits that long, blocks the busy ones (measured: bursts at p99 1.4 s, 0.2 s
    with this).
    """

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001  Faust leaves no other way
        return consumer


class QuickConsumer(driver.Consumer):
    """Faust's consumer with our thread."""

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return QuickThread(self, loop=self.loop, beacon=self.beacon)


class InputAssignor(PartitionAssignor):
    """Faust's co-partitioning assignor, told how many partitions the inputs have.

    Faust asks the leader's metadata. After a broker's start that may lack the topics: then nobody
    gets anything, and everybody waits until it is asked for anew, for five minutes (decision 0216).
    """

    def _get_copartitioned_groups(  # type: ignore[override]  # Faust calls it on the instance
        self, topics: set[str], _cluster: object, subscriptions: Any
    ) -> dict[int, Iterable[set[str]]]:
        return {self.app.conf.topic_partitions: self._group_co_subscribed(topics, subscriptions)}


def make_app(settings: LedgerSettings, partitions: int, data_directory: str) -> faust.App:
    """The app, bound to the running loop; agents are added by `add_agent`.

    Without Tables Faust takes a round-robin assignor, which gives partition p of the inputs
    to different workers (measured with 5). One standby replica selects its co-partitioning
    assignor instead; with the standby counted a worker that joins gets nothing, so it is set to 0
    once the assignor is chosen.
    """
    app = faust.App(
        settings.group,
        broker=";".join(f"kafka://{server.strip()}" for server in settings.bootstrap.split(",")),
        broker_credentials=_credentials(settings.client),
        store="memory://",
        datadir=data_directory,
        value_serializer="raw",
        web_enabled=False,
        topic_partitions=partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        PartitionAssignor=InputAssignor,
        table_standby_replicas=1,
        # Else one slow ledger would hold up the rebalance of all (decision 0208).
        stream_wait_empty=False,
        stream_buffer_maxsize=BUFFER_RECORDS,
        broker_session_timeout=settings.session_seconds,
        broker_heartbeat_interval=settings.heartbeat_seconds,
        # Faust wants requests to be waited for longer than a session lasts.
        broker_request_timeout=max(
            REQUEST_SECONDS_MIN, settings.session_seconds + REQUEST_OVER_SESSION_SECONDS
        ),
        broker_rebalance_timeout=settings.rebalance_seconds,
        # Wherever Faust begins: what lies below a ledger's place is a repeat, and what Faust leaves
        # out above it the ledger reads (decision 0208).
        consumer_auto_offset_reset="earliest",
        loop=asyncio.get_running_loop(),
    )
    app.assignor.replicas = 0
    app.transport.Consumer = QuickConsumer  # type: ignore[misc]  # this app's transport only
    return app


def add_agent(app: faust.App, name: str, topic: Topic, partitions: int, offer: Offer) -> None:
    """An agent that hands each record of the topic `name` to `offer`, and acknowledges none.

    A seek after acknowledgements would jam Faust's commits for ever: the ledger commits.
    """
    channel = app.topic(
        name,
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        partitions=partitions,
        acks=False,
    )

    async def deliver(stream: Any) -> None:
        async for event in stream.noack().events():
            message = event.message
            # Faust makes a float of Kafka's milliseconds. Rounded back the time is that of the
            # ledger's own reader, and so are clock readings and checksums.
            appended_ns = round(message.timestamp * MS_PER_SECOND) * NS_PER_MS
            offer(
                InputRecord(
                    topic,
                    message.partition,
                    message.offset,
                    appended_ns,
                    message.key,
                    message.value,
                )
            )

    app.agent(channel, name=f"deliver-{topic.kind}")(deliver)


def are_in_step(assigned: Set[TP], inputs: Iterable[str]) -> bool:
    """Whether the same partitions of every input are assigned."""
    partitions = {tp.partition for tp in assigned}
    return assigned == {TP(name, partition) for name in inputs for partition in partitions}


def on_rebalance(
    app: faust.App,
    on_revoked: Assigned,
    on_assigned: Assigned,
    names: Mapping[str, str],
    owner: str,
) -> None:
    """Pass on which partitions of the input `owner` were revoked, and which are ours.

    `names` are the inputs' by kind.
    """
    raw = names[owner]

    async def were_revoked(_app: Any, revoked: set[TP], **_rest: Any) -> None:
        on_revoked({tp.partition for tp in revoked if tp.topic == raw})

    async def are_assigned(_app: Any, assigned: set[TP], **_rest: Any) -> None:
        mine = {tp.partition for tp in assigned if tp.topic == raw}
        if not are_in_step(assigned, names.values()):
            log.error("inputs are not assigned in step, ledgers read by themselves: %s", assigned)
        on_assigned(mine)

    # Faust's types ask for a keyword that only it passes.
    app.on_partitions_revoked.connect(were_revoked)  # type: ignore[arg-type]  # as said
    app.on_partitions_assigned.connect(are_assigned)  # type: ignore[arg-type]  # as said


class Group:
    """The worker's membership, for the ledgers' threads. `names` are the inputs' by kind."""

    def __init__(self, app: faust.App, names: Mapping[str, str], owner: str) -> None:
        self._app = app
        self._names = names
        self._owner = names[owner]

    def confirm(self, partition: int) -> bool:
        """Whether the coordinator takes a commit of our generation for the partition.

        The group's offset is committed anew as it is: what counts is that the commit is taken.
        """
        return self._in_consumer(self._confirm(TopicPartition(self._owner, partition)))

    def commit(self, offsets: Mapping[tuple[str, int], int]) -> bool:
        """Commit next offsets, by (kind, partition), where assigned; False if they were refused."""
        places = {
            TopicPartition(self._names[kind], partition): OffsetAndMetadata(offset, "")
            for (kind, partition), offset in offsets.items()
        }
        return self._in_consumer(self._commit(places))

    def skip_to(self, partition: int, offsets: Mapping[str, int]) -> bool:
        """Let Faust deliver from `offsets` on; False while it is not ready.

        A seek within a rebalance is overwritten when streams resume.
        """
        return _result(self._skip(partition, offsets), self._app.loop)

    def _in_consumer(self, asked: Coroutine[Any, Any, bool]) -> bool:
        """The consumer lives in a thread of Faust's, on a loop of its own."""
        return _result(asked, self._thread.thread_loop)

    @property
    def _thread(self) -> Any:
        return cast(Any, self._app.consumer)._thread  # noqa: SLF001  there is no public way

    @property
    def _consumer(self) -> AIOKafkaConsumer | None:
        """Its own, as Faust's commit crashes the worker on most errors."""
        consumer: AIOKafkaConsumer | None = self._thread._consumer  # noqa: SLF001  no public way
        return consumer

    async def _confirm(self, place: TopicPartition) -> bool:
        consumer = self._consumer
        if consumer is None or place not in consumer.assignment():
            return False
        try:
            offset = await consumer.committed(place) or 0
        except KafkaError:
            return False
        return await self._commit({place: OffsetAndMetadata(offset, "")})

    async def _commit(self, places: dict[TopicPartition, OffsetAndMetadata]) -> bool:
        consumer = self._consumer
        if consumer is None:
            return False
        assignment = consumer.assignment()
        ours = {place: offset for place, offset in places.items() if place in assignment}
        try:
            if ours:
                await consumer.commit(ours)
        except KafkaError as error:
            log.info("offsets were not taken: %s", error)
            return False
        return bool(ours)

    async def _skip(self, partition: int, offsets: Mapping[str, int]) -> bool:
        consumer = cast(Any, self._app.consumer)
        if self._app.rebalancing or not consumer.flow_active:
            return False
        assignment = consumer.assignment()
        for kind, offset in offsets.items():
            place = TP(self._names[kind], partition)
            # Never back: that would only bring repeats.
            if place in assignment and _is_short_of(consumer, place, offset):
                await consumer.seek(place, offset)
        return True


def _is_short_of(consumer: Any, place: TP, offset: int) -> bool:
    read = consumer._read_offset.get(place)  # noqa: SLF001  the last offset it delivered
    return read is None or read + 1 < offset


def _result(asked: Coroutine[Any, Any, bool], loop: asyncio.AbstractEventLoop) -> bool:
    """Run `asked` on another thread's loop, and wait; False where no answer comes in time."""
    try:
        future = asyncio.run_coroutine_threadsafe(asked, loop)
    except RuntimeError:  # Faust has crashed, and its thread's loop is closed
        asked.close()
        return False
    try:
        return future.result(ANSWER_SECONDS_MAX)
    except (concurrent.futures.TimeoutError, concurrent.futures.CancelledError):
        future.cancel()
        return False


def _credentials(client: Any) -> SASLCredentials | SSLCredentials | None:
    """librdkafka's security settings in Faust's words. Raises SetupError where it has none."""
    protocol = str(client.get("security.protocol", "PLAINTEXT")).upper()
    if protocol == "PLAINTEXT":
        return None
    context = _ssl_context(client) if protocol.endswith("SSL") else None
    if protocol == "SSL":
        return SSLCredentials(context)
    mechanism = str(client.get("sasl.mechanism", client.get("sasl.mechanisms", "PLAIN")))
    if mechanism not in {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}:
        raise SetupError(
            f"Faust cannot sign in by {mechanism}", "use PLAIN or SCRAM in kafka.security"
        )
    return SASLCredentials(
        mechanism=mechanism,
        username=client.get("sasl.username"),
        password=client.get("sasl.password"),
        ssl_context=context,
    )


def _ssl_context(client: Any) -> Any:
    context = ssl.create_default_context(cafile=client.get("ssl.ca.location"))
    if certificate := client.get("ssl.certificate.location"):
        context.load_cert_chain(
            certificate, client.get("ssl.key.location"), client.get("ssl.key.password")
        )
    return context
