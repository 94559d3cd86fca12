"""The log as a worker's ledgers see it: topics, ends, and the clients that read and write them."""

import threading
from collections.abc import Callable, Iterable

from confluent_kafka import (
    Consumer,
    ConsumerGroupState,
    KafkaError,
    KafkaException,
    Message,
    Producer,
)

from orderloom.topology import COMMITS, INPUTS, LEDGER, OUTPUTS, RAW, Topic
from processors.ledger.fold_gate import FoldGate
from processors.ledger.settings import LedgerSettings
from processors.ledger.trouble import PartitionStopped
from runtime.kafka import (
    Place,
    begin_offsets,
    connected_admin,
    end_offsets,
    ends_for,
    reader,
    topic_ids,
    transactional_producer,
)
from runtime.trouble import SetupError

NS_PER_MS = 1_000_000
ANSWER_SECONDS_MAX = 3.0
# librdkafka waits half of this before it connects to a coordinator for the first time: with its
# 100 ms an opening takes 76 ms, with this 35 (measured). It doubles up to a second.
RECONNECT_MS_MIN = 1
ABORT_SECONDS_MAX = 1.0
Delivered = Callable[[KafkaError | None, Message], None]
# In any other state a worker may be given a partition at any moment.
SETTLED = (ConsumerGroupState.STABLE, ConsumerGroupState.EMPTY, ConsumerGroupState.DEAD)
RESULTS = (*OUTPUTS, COMMITS)


class LedgerLog:
    """Shared by all ledgers of a worker; its methods may be called from any thread.

    All raise KafkaException where the cluster does not answer.
    """

    def __init__(self, settings: LedgerSettings) -> None:
        self.settings = settings
        self.names = {topic.kind: settings.topic_name(topic) for topic in (LEDGER, *INPUTS)}
        self.names |= {topic.kind: settings.topic_name(topic) for topic in RESULTS}
        self._admin = connected_admin(settings.bootstrap, settings.client)
        # Asks the leaders for stable ends in each step: the admin client takes three times the CPU.
        self._asker = self.reader(committed=True)
        self._lock = threading.Lock()
        self._retired: list[Producer] = []
        self.gate = FoldGate()

    def answers(self) -> bool:
        """Whether the cluster answers now."""
        try:
            self._admin.list_topics(self.names[LEDGER.kind], timeout=ANSWER_SECONDS_MAX)
        except KafkaException:
            return False
        return True

    def partitions(self) -> int:
        """How many partitions every topic has. Raises SetupError if one is missing or differs."""
        found = self._admin.list_topics(timeout=self.settings.request_seconds_max).topics
        counts = {
            name: len(found[name].partitions) if name in found else 0
            for name in self.names.values()
        }
        # A ledger writes all outputs into the partition whose inputs it reads.
        most = max(counts.values())
        wrong = sorted(name for name, count in counts.items() if count != most or count == 0)
        if wrong:
            raise SetupError(
                f"topics are missing, or have not {most} partitions as the others: "
                f"{', '.join(wrong)}",
                "`orderloom topics` creates them and says what is wrong",
            )
        return most

    def topic_ids(self) -> dict[str, str]:
        """The id of each topic, read or written, by kind. Raises PartitionStopped if one lacks."""
        try:
            ids = topic_ids(self._admin, self.names.values())
        except KafkaException as error:
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise PartitionStopped(
                    f"a topic is missing ({error.args[0].str()}): create it with "
                    "`orderloom topics`, or restore it and run `orderloom repair`"
                ) from error
            raise
        return {kind: ids[name] for kind, name in self.names.items()}

    def owners(self) -> tuple[dict[int, str], bool]:
        """Who of the workers' group has which partition of `raw`, and whether the group is settled.

        A worker is named by its client and host.
        """
        group, seconds = self.settings.group, self.settings.request_seconds_max
        asked = self._admin.describe_consumer_groups([group], request_timeout=seconds)
        try:
            found = asked[group].result()
        except KafkaException as error:
            if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:  # nobody was ever in it
                return {}, True
            raise
        owners = {
            place.partition: f"{member.client_id} on {member.host}"
            for member in found.members
            for place in member.assignment.topic_partitions
            if place.topic == self.names[RAW.kind]
        }
        return owners, found.state in SETTLED

    def ends(self, topics: tuple[Topic, ...], partition: int) -> dict[str, int]:
        """The true end of each topic's partition, open transactions included; by kind."""
        return self._by_kind(self.ends_of(self._places(topics, partition)), topics)

    def stable_ends(self, topics: tuple[Topic, ...], partition: int) -> dict[str, int]:
        """Where committed readers come to an end for now: before the first open transaction."""
        places = self._places(topics, partition)
        return self._by_kind(self.ends_of(places, committed=True), topics)

    def ends_of(self, places: Iterable[Place], *, committed: bool = False) -> dict[Place, int]:
        """The true ends, or where committed readers come to an end."""
        return end_offsets(self._admin, places, committed=committed)

    def shown_ends(self, places: Iterable[Place]) -> dict[Place, int]:
        """Where committed readers come to an end, if the leader says so at once; and cheaper."""
        try:
            return ends_for(self._asker, places, ANSWER_SECONDS_MAX)
        except KafkaException:
            return {}

    def begins(self, topics: tuple[Topic, ...], partition: int) -> dict[str, int]:
        """The first offset that each topic's partition still holds; by kind."""
        return self._by_kind(begin_offsets(self._admin, self._places(topics, partition)), topics)

    def _places(self, topics: tuple[Topic, ...], partition: int) -> list[Place]:
        return [(self.names[topic.kind], partition) for topic in topics]

    def _by_kind(self, found: dict[Place, int], topics: tuple[Topic, ...]) -> dict[str, int]:
        by_name = {name: offset for (name, _), offset in found.items()}
        return {topic.kind: by_name[self.names[topic.kind]] for topic in topics}

    def producer(self, partition: int, turn: int, on_delivery: Delivered) -> Producer:
        """A transactional producer of one partition: that of its even transactions, or of the odd.

        `on_delivery` is called with what became of each record; it costs 0.3 µs.
        """
        settings = self.settings
        return transactional_producer(
            settings.bootstrap,
            settings.transactional_id(partition, turn),
            security=settings.client,
            settings={
                "transaction.timeout.ms": settings.transaction_timeout_ms,
                "message.max.bytes": settings.message_bytes_max,
                "reconnect.backoff.ms": RECONNECT_MS_MIN,
                "on_delivery": on_delivery,
            },
        )

    def retire(self, producer: Producer) -> None:
        """Keep a producer whose transaction failed until `free_retired` finds that over.

        A client that is destroyed while it registers partitions with its transaction takes the
        whole process with it (an assertion in librdkafka 2.16's AddPartitionsToTxn, met in tests).
        """
        with self._lock:
            self._retired.append(producer)

    def free_retired(self, seconds_max: float = ABORT_SECONDS_MAX) -> None:
        """Let go of the retired producers whose transactions have come to an end.

        Each is waited for so long; where there is none it costs nothing. Not while an exception is
        handled: it would be kept for good (see LedgerWriter).
        """
        if not self._retired:
            return
        with self._lock:
            waiting, self._retired = self._retired, []
        # Without the lock: each may take a second, and other partitions' threads retire theirs.
        still = [one for one in waiting if not _has_ended(one, seconds_max)]
        with self._lock:
            self._retired += still

    def reader(self, *, committed: bool) -> Consumer:
        """A reader; of committed records for state, of all for the inputs.

        The inputs are never written in transactions, and Faust reads them uncommitted too.
        """
        return reader(self.settings.bootstrap, committed=committed, security=self.settings.client)


def _has_ended(producer: Producer, seconds_max: float) -> bool:
    """Whether its transaction is over: aborted, none, or another owner's business."""
    try:
        producer.abort_transaction(seconds_max)
    except KafkaException as error:
        reason: KafkaError = error.args[0]
        return reason.fatal() or reason.code() == KafkaError._STATE  # noqa: SLF001  public
    except SystemError:  # how a fenced client says that it is (LedgerWriter)
        return True
    return True
