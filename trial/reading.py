"""Reads the run's output topics as a consumer does: committed records only, in order.

A thread follows the topics while the demo runs, so progress can be shown; at the end it has read
everything up to the ends that were noted then.
"""

import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from orderloom import codec, topology
from orderloom.account import AccountState
from orderloom.fill import Fill
from orderloom.order import OrderState
from orderloom.position import Position
from orderloom.trouble import DeadLetter
from runtime.kafka import connected_admin, end_offsets, is_weather, reader
from trial.verdict import Published

if TYPE_CHECKING:
    from orderloom.topology import Topic

FOLLOWED: Final = (
    topology.ORDERS, topology.FILLS, topology.POSITIONS, topology.ACCOUNTS, topology.DEAD_LETTERS,
)  # fmt: skip
BATCH: Final = 500
POLL_SECONDS: Final = 0.2


class Reading:
    """Follows one run's topics, those in `followed`, into a `Published`."""

    followed: "ClassVar[tuple[Topic, ...]]" = FOLLOWED

    def __init__(
        self, bootstrap: str, namespace: str, venues: Iterable[str], partitions: int
    ) -> None:
        self.published = Published()
        self.accounts: dict[str, AccountState] = {}
        self._topics: dict[str, Topic] = {
            topic.name(venue, namespace): topic for venue in venues for topic in self.followed
        }
        self._places = [
            TopicPartition(name, partition, 0)
            for name in self._topics
            for partition in range(partitions)
        ]
        self._consumer: Consumer = reader(bootstrap, committed=True)
        self._admin = connected_admin(bootstrap)
        self._reached: dict[tuple[str, int], int] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="reading", daemon=True)
        self.failure: Exception | None = None

    def start(self) -> None:
        """Begin to follow, from the beginning of each partition."""
        self._consumer.assign(self._places)
        self._thread.start()

    def stop(self) -> None:
        """Stop following; what was read stays."""
        self._stopping.set()
        self._thread.join()
        self._consumer.close()

    def has_reached(self, ends: dict[tuple[str, int], int]) -> bool:
        """Whether everything below these ends was read."""
        return all(self._reached.get(place, 0) >= end for place, end in ends.items())

    def ends(self) -> dict[tuple[str, int], int]:
        """Where the followed partitions end now."""
        places = ((place.topic, place.partition) for place in self._places)
        return end_offsets(self._admin, places)

    def _follow(self) -> None:
        try:
            while not self._stopping.is_set():
                for message in self._messages():
                    self._take(message)
        except (KafkaException, codec.UnreadableMessage, RuntimeError) as error:
            self.failure = error

    def _messages(self) -> Iterator[Message]:
        for message in self._consumer.consume(BATCH, POLL_SECONDS):
            place = (str(message.topic()), int(message.partition() or 0))
            error = message.error()
            if error is None:
                yield message
                self._reached[place] = int(message.offset() or 0) + 1
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                self._reached[place] = int(message.offset() or 0)
            elif not error.retriable() and not is_weather(error):
                raise KafkaException(error)

    def _take(self, message: Message) -> None:
        topic = self._topics[str(message.topic())]
        key, value = message.key() or b"", message.value()
        if value is None:
            self.published.orders.pop(bytes(key).decode(), None)
            return
        self._take_read(codec.read(topic, value))

    def _take_read(self, record: Any) -> None:
        match record:
            case OrderState():
                self.published.orders[record.key] = record
            case Fill():
                self.published.take_fill(record)
            case Position():
                self.published.take_position(record)
            case AccountState():
                self.accounts[record.account] = record
            case DeadLetter():
                self.published.dead_letters[record.reason] += 1
