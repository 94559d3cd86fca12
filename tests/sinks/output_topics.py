"""Output topics on a real broker, written as the processors write them: in transactions."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from orderloom.topology import Topic
from runtime.kafka import connected_admin, transactional_producer
from runtime.settings import KafkaSettings
from runtime.topics import TopicSpec, create_topics
from sinks.sqlite_tables import TABLES
from tests.markers import wait_for_markers
from tests.sinks.records import VENUE, Content

TOPICS = tuple(table.topic for table in TABLES.values())
_numbers = count()


@dataclass
class OutputTopics:
    """Orders, fills and positions of one venue, under a namespace of their own."""

    bootstrap: str
    namespace: str
    partitions: int = 2
    admin: AdminClient = field(init=False)
    producer: Producer = field(init=False)

    def __post_init__(self) -> None:
        self.admin = connected_admin(self.bootstrap)
        self.create()
        name = f"{self.namespace}writer-{next(_numbers)}"
        self.producer = transactional_producer(self.bootstrap, name)
        self.producer.init_transactions(30)

    @property
    def kafka(self) -> KafkaSettings:
        return KafkaSettings(bootstrap=self.bootstrap)

    @property
    def named(self) -> dict[str, Topic]:
        return {topic.name(VENUE, self.namespace): topic for topic in TOPICS}

    def create(self) -> None:
        """Make those that do not exist."""
        specs = [
            TopicSpec(name, self.partitions, 1, topic.config) for name, topic in self.named.items()
        ]
        create_topics(self.admin, specs)

    def recreate(self) -> None:
        """Delete all and make them again."""
        wait_for_markers(self.bootstrap)
        for future in self.admin.delete_topics(list(self.named)).values():
            future.result(30)
        self.create()

    def write(
        self, contents: Iterable[Content], partition: int = 0, *, abort: bool = False
    ) -> None:
        """One transaction."""
        self.producer.begin_transaction()
        for topic, key, value, headers in contents:
            name = topic.name(VENUE, self.namespace)
            self.producer.produce(name, value, key, partition, headers={**dict(headers)})
        if abort:
            self.producer.flush(30)
            self.producer.abort_transaction(30)
        else:
            self.producer.commit_transaction(30)
