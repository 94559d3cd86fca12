"""Kafka clients as we set them: producers, readers, admin; offsets and topic ids.

`security` everywhere holds librdkafka's own keys (`security.protocol`, `sasl.*`, `ssl.*`), passed
through. `settings` are more of librdkafka's keys, over ours. Errors that a client meets by itself
(a broker away, a refused sign-in) are logged once per cause and not in floods.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from confluent_kafka import (
    OFFSET_END,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from runtime.kafka_causes import CAUSES, ELSEWHERE, Causes, KafkaCause
from runtime.trouble import PassingTrouble, SettingsError

MESSAGE_BYTES_MAX: Final = 17 * 1024 * 1024  # the largest topic takes 16 MiB; the rest is framing
QUEUE_KIB_MAX: Final = 128 * 1024  # unsent messages of one producer
FETCHED_KIB_MAX: Final = 32 * 1024  # read ahead by one reader
TRANSACTION_MS_MAX: Final = 10_000
RETRY_BACKOFF_MS: Final = 2  # librdkafka's 100 costs 100 ms a transaction (measured)
RECONNECT_MS_MAX: Final = 1_000
FETCH_WAIT_MS: Final = 10
SESSION_MS: Final = 6_000
ASK_SECONDS_MAX: Final = 10.0
SAME_TROUBLE_SECONDS: Final = 60.0
STALE: Final = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError._NOENT,  # noqa: SLF001  "no leaders found": the client's own name, and public
    }
)
"""Refusals that newer metadata, or a moment's patience, may mend."""
STALE_SECONDS: Final = 0.1
WEATHER: Final = (
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001  public
    KafkaError._TRANSPORT,  # noqa: SLF001  public
    KafkaError._RESOLVE,  # noqa: SLF001  public
)
"""What a client says while a broker is away."""
SETTLING: Final = frozenset(
    {
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    }
)
"""What a cluster says while it makes or moves a group's coordinator."""
SILENT: Final = "nothing said why; does that listener speak the security.protocol that is set?"
PARTITIONER: Final = "murmur2_random"  # as Java and aiokafka; librdkafka's own differs

Settings = Mapping[str, Any]
Place = tuple[str, int]
"""A topic's name and a partition."""

_log = logging.getLogger(__name__)


class BrokerUnreachableError(PassingTrouble):
    """No Kafka answers at the address given."""


class KafkaAwayError(PassingTrouble):
    """Kafka does not answer, or not with what was asked for."""


@contextmanager
def readable_kafka_errors() -> Iterator[None]:
    """What Kafka refuses or does not answer becomes one line with the next step: KafkaAwayError."""
    try:
        yield
    except KafkaException as error:
        words = CAUSES.words_of(error)
        raise KafkaAwayError(f"Kafka: {words}", "if it lasts, see `orderloom doctor`") from error


class OncePerCause:
    """An error callback that logs a cause at once, and then at most once a minute, with a count.

    While it `is_quiet` it only notes the cause: whoever waits for the client reports it.
    """

    def __init__(
        self, client: str, clock: Callable[[], float] = time.monotonic, *, is_quiet: bool = False
    ) -> None:
        self.is_quiet = is_quiet
        self.causes = Causes(clock)
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._logged_at: dict[str, float] = {}
        self._held_back: dict[str, int] = {}

    def __call__(self, error: KafkaError) -> None:
        """Called by librdkafka, from whichever thread polls."""
        for causes in (self.causes, CAUSES):
            causes.note(error)
        if self.is_quiet:
            return
        cause = error.name()
        with self._lock:
            now = self._clock()
            if now - self._logged_at.get(cause, now - SAME_TROUBLE_SECONDS) < SAME_TROUBLE_SECONDS:
                self._held_back[cause] = self._held_back.get(cause, 0) + 1
                return
            self._logged_at[cause] = now
            more = self._held_back.pop(cause, 0)
        again = f" ({more} more like it)" if more else ""
        _log.warning("kafka %s: %s%s", self._client, error.str(), again, extra={"cause": cause})


def connected_admin(bootstrap: str, security: Settings | None = None) -> AdminClient:
    """An admin client of a cluster that has answered.

    Raises BrokerUnreachableError, and SettingsError where librdkafka refuses `security`.
    """
    noted = OncePerCause("admin", is_quiet=True)
    try:
        admin = AdminClient(_common(bootstrap, "admin", security) | {"error_cb": noted})
    except KafkaException as error:
        line = f"kafka.security cannot be used ({error.args[0].str()}): correct it"
        raise SettingsError([line]) from error
    try:
        admin.list_topics(timeout=ASK_SECONDS_MAX)
    except KafkaException as error:
        admin.poll(0)  # what the client has to report waits for this
        cause = noted.causes.recent() or KafkaCause(f"{error.args[0].str()}: {SILENT}", ELSEWHERE)
        raise BrokerUnreachableError(
            f"no Kafka answers at {bootstrap} ({cause.words})", cause.remedy
        ) from error
    noted.is_quiet = False
    return admin


def idempotent_producer(
    bootstrap: str, *, security: Settings | None = None, settings: Settings | None = None
) -> Producer:
    """A producer that keeps order and writes nothing twice; it does not wait to fill a batch.

    A full queue (128 MiB) raises BufferError: poll, and slow down what feeds it.
    """
    return Producer(
        {
            **_common(bootstrap, "producer", security),
            **_writing(),
            "enable.idempotence": True,
            **(settings or {}),
        }
    )


def transactional_producer(
    bootstrap: str,
    transactional_id: str,
    *,
    security: Settings | None = None,
    settings: Settings | None = None,
) -> Producer:
    """A producer for transactions; `init_transactions` fences the former holder of the id.

    A transaction that its writer left open is ended by the broker after 10 s.
    """
    return Producer(
        {
            **_common(bootstrap, transactional_id, security),
            **_writing(),
            "transactional.id": transactional_id,
            "transaction.timeout.ms": TRANSACTION_MS_MAX,
            **(settings or {}),
        }
    )


def reader(
    bootstrap: str,
    *,
    committed: bool,
    security: Settings | None = None,
    settings: Settings | None = None,
) -> Consumer:
    """A consumer to be assigned partitions at offsets; it belongs to no group and commits nothing.

    `committed` hides what stands in open or aborted transactions. Each partition's end is reported
    as a message whose error is `_PARTITION_EOF`. An offset that no longer exists is an error.
    """
    return Consumer(
        {
            **_common(bootstrap, "reader", security),
            **_reading(committed),
            "group.id": "orderloom-reader",  # the client insists on a name; nobody joins it
            **(settings or {}),
        }
    )


def group_reader(
    bootstrap: str,
    group: str,
    member: str,
    *,
    security: Settings | None = None,
    settings: Settings | None = None,
) -> Consumer:
    """A consumer in a group, by cooperative-sticky assignment and static membership.

    `member` is its lasting name in the group: a restart within the session (6 s) moves nothing.
    It reads committed records, commits only when told to, and resets no offset by itself.
    """
    return Consumer(
        {
            **_common(bootstrap, member, security),
            **_reading(committed=True),
            "group.id": group,
            # Static: back within the session, a worker has its
            # partitions still, and no socket moves (decision 0604).
            "group.instance.id": member,
            "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": SESSION_MS,
            "heartbeat.interval.ms": SESSION_MS // 6,
            **(settings or {}),
        }
    )


def begin_offsets(admin: AdminClient, places: Iterable[Place]) -> dict[Place, int]:
    """The first offset that each partition still holds. Raises KafkaException."""
    return _offsets(admin, places, OffsetSpec.earliest(), IsolationLevel.READ_UNCOMMITTED)


def is_weather(error: KafkaError) -> bool:
    """Whether a broker is away, which the client mends by itself when it can."""
    return error.code() in WEATHER


def end_offsets(
    admin: AdminClient, places: Iterable[Place], *, committed: bool = False
) -> dict[Place, int]:
    """The offset after the last record of each partition. Raises KafkaException.

    `committed` stops before the first open transaction: not the end for one who loads state, as a
    dead writer's transaction hides what was committed after it.
    """
    level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
    return _offsets(admin, places, OffsetSpec.latest(), level)


def ends_for(asking: Consumer, places: Iterable[Place], seconds_max: float) -> dict[Place, int]:
    """The end of each partition as this reader sees it: a third of what `end_offsets` costs.

    Asked once; what is refused is left out. Raises KafkaException.
    """
    wanted = [TopicPartition(*place, OFFSET_END) for place in places]
    found = asking.offsets_for_times(wanted, seconds_max)  # as a time, this offset means the end
    return {(at.topic, at.partition): at.offset for at in found if not at.error and at.offset >= 0}


def group_offsets(
    bootstrap: str, group: str, places: Iterable[Place], *, security: Settings | None = None
) -> dict[Place, int]:
    """What a group has committed, without joining it. Raises KafkaException.

    The admin client's `list_consumer_group_offsets` is no way to ask: while a new cluster makes its
    first coordinator, the answer is a segmentation fault in our process (librdkafka 2.16, seen).
    """
    asking = reader(bootstrap, committed=True, security=security, settings={"group.id": group})
    wanted = [TopicPartition(*place) for place in places]
    give_up = time.monotonic() + ASK_SECONDS_MAX
    try:
        while True:
            try:
                found = asking.committed(wanted, timeout=ASK_SECONDS_MAX)
                return {(at.topic, at.partition): at.offset for at in found if at.offset >= 0}
            except KafkaException as error:
                if error.args[0].code() not in SETTLING or time.monotonic() > give_up:
                    raise
                time.sleep(STALE_SECONDS)
    finally:
        asking.close()


def topic_ids(admin: AdminClient, names: Iterable[str]) -> dict[str, str]:
    """The id of each topic: another id under the same name is another topic.

    Raises KafkaException, also for a topic that does not exist.
    """
    futures = admin.describe_topics(TopicCollection(list(names)), request_timeout=ASK_SECONDS_MAX)
    return {name: str(future.result().topic_id) for name, future in futures.items()}


def cluster_id(admin: AdminClient) -> str:
    """The id of the cluster that the client speaks to."""
    return str(admin.describe_cluster(request_timeout=ASK_SECONDS_MAX).result().cluster_id)


def _common(bootstrap: str, client: str, security: Settings | None) -> dict[str, Any]:
    return {
        "bootstrap.servers": bootstrap,
        "client.id": client,
        "error_cb": OncePerCause(client),
        "log_level": 2,  # librdkafka's own lines come in floods; error_cb says the same once
        "reconnect.backoff.max.ms": RECONNECT_MS_MAX,
        "socket.nagle.disable": True,
        **(security or {}),
    }


def _writing() -> dict[str, Any]:
    return {
        "linger.ms": 0,
        "partitioner": PARTITIONER,
        "retry.backoff.ms": RETRY_BACKOFF_MS,
        "message.max.bytes": MESSAGE_BYTES_MAX,
        "queue.buffering.max.kbytes": QUEUE_KIB_MAX,
    }


def _reading(committed: bool) -> dict[str, Any]:
    return {
        "isolation.level": "read_committed" if committed else "read_uncommitted",
        # How far is read changes with what was made of it, and not by a timer of the client's.
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        # A reset would double or lose without a word (decision 0103).
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "fetch.wait.max.ms": FETCH_WAIT_MS,
        "fetch.queue.backoff.ms": FETCH_WAIT_MS,  # 1 s by default, each time the queue was full
        "queued.max.messages.kbytes": FETCHED_KIB_MAX,
    }


def _offsets(
    admin: AdminClient, places: Iterable[Place], spec: OffsetSpec, level: IsolationLevel
) -> dict[Place, int]:
    """Ask for offsets; with metadata fetched anew while the cluster says that ours is stale.

    A topic just made has no leader for a moment; and after a broker's restart the client asks with
    the leader's old epoch and is refused, for minutes (measured), unless it asks for metadata.
    """
    wanted = {TopicPartition(topic, partition): spec for topic, partition in places}
    give_up = time.monotonic() + ASK_SECONDS_MAX
    while True:
        try:
            return _offsets_once(admin, wanted, level)
        except KafkaException as error:
            if error.args[0].code() not in STALE or time.monotonic() > give_up:
                raise
            admin.list_topics(timeout=ASK_SECONDS_MAX)
            time.sleep(STALE_SECONDS)


def _offsets_once(
    admin: AdminClient, wanted: dict[TopicPartition, OffsetSpec], level: IsolationLevel
) -> dict[Place, int]:
    if not wanted:
        return {}
    futures = admin.list_offsets(wanted, isolation_level=level, request_timeout=ASK_SECONDS_MAX)
    found = {(at.topic, at.partition): future.result().offset for at, future in futures.items()}
    if min(found.values()) < 0:  # seen as a broker went down: "no offset", without an error
        raise KafkaException(KafkaError(KafkaError.OFFSET_NOT_AVAILABLE))
    return found
