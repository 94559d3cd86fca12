"""The ledger's one persistent reader: it fetches what Faust did not deliver."""

from collections.abc import Iterator, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from orderloom.topology import INPUTS
from processors.ledger.log import LedgerLog
from processors.ledger.step import InputRecord
from processors.ledger.trouble import PartitionStopped
from runtime.kafka import is_weather

READ_MESSAGES_MAX = 2_000
NS_PER_MS = 1_000_000
# Names with an underscore are librdkafka's own errors, and public.
GONE = (KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET)  # noqa: SLF001  as said


class InputReader:
    """Reads one partition of the inputs from where it is asked to; idle otherwise."""

    def __init__(self, ledger_log: LedgerLog, partition: int) -> None:
        self._partition = partition
        self._names = ledger_log.names
        self._topics = {self._names[topic.kind]: topic for topic in INPUTS}
        self._reading: set[str] = set()
        self._consumer: Consumer = ledger_log.reader(committed=False)

    def start(self, tails: Mapping[str, int]) -> None:
        """Read on at `tails` (kind to offset); no change for inputs that are being read."""
        # Inputs that are not wanted now stay assigned: a new assignment would throw away what the
        # client has fetched of the others.
        if not set(tails) <= self._reading:
            self._assign(tails)

    def start_only(self, tails: Mapping[str, int]) -> None:
        """Read these and no others."""
        if set(tails) != self._reading:
            self._assign(tails)

    def _assign(self, tails: Mapping[str, int]) -> None:
        self._consumer.assign(
            [
                TopicPartition(self._names[kind], self._partition, tail)
                for kind, tail in tails.items()
            ]
        )
        self._reading = set(tails)

    def rest(self) -> None:
        """Read nothing until `start`."""
        if self._reading:
            self._consumer.unassign()
            self._reading.clear()

    def read(self, seconds_max: float) -> Iterator[InputRecord | tuple[str, int]]:
        """What has arrived: records, and (kind, offset) where an input was read to its end.

        Raises PartitionStopped where the log no longer has the offset.
        """
        for message in arrived(self._consumer, READ_MESSAGES_MAX, seconds_max):
            if message.error() is None:
                yield self._record(message)
            elif end := self._end(message):
                yield end

    def close(self) -> None:
        """Free the client."""
        self._consumer.close()

    def _record(self, message: Message) -> InputRecord:
        return InputRecord(
            self._topics[message.topic()],  # type: ignore[index]  # a record has a topic
            self._partition,
            message.offset(),  # type: ignore[arg-type]  # and an offset
            message.timestamp()[1] * NS_PER_MS,
            message.key(),
            message.value(),
        )

    def _end(self, message: Message) -> tuple[str, int] | None:
        name, offset, error = message.topic() or "", message.offset() or 0, message.error()
        if is_end(message):
            return self._topics[name].kind, offset
        # Said once, and then nothing more comes: the client does not go on elsewhere
        # (decision 0103).
        if error is not None and error.code() in GONE:
            raise PartitionStopped(trimmed_line(name, self._partition))
        if error is not None and not is_passing(error):
            raise KafkaException(error)
        return None  # the client goes on by itself


def arrived(consumer: Consumer, messages_max: int, seconds_max: float) -> list[Message]:
    """What has arrived, at once; or the first that arrives within `seconds_max`.

    `consume` with a timeout would wait to fill up.
    """
    messages = consumer.consume(messages_max, 0)
    # Not by its truth, which is the length of its value: one without a value is a record too.
    if not messages and (message := consumer.poll(seconds_max)) is not None:
        messages = [message, *consumer.consume(messages_max, 0)]
    return messages


def is_end(message: Message) -> bool:
    """Whether this is no record but says that its partition was read to the end."""
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF  # noqa: SLF001  public


def is_passing(error: KafkaError) -> bool:
    """Whether this may pass by itself: the client goes on."""
    return bool(error.retriable()) or is_weather(error)


def trimmed_line(name: str, partition: int) -> str:
    """Why a partition stops when its input no longer has what was not folded."""
    return (
        f"{name} partition {partition} no longer holds records that were not folded yet: "
        "run `orderloom repair`, which records what is missing"
    )
