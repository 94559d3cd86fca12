"""A bare relay, the floor of latency: confluent's consumer to its producer, no transactions."""

import sys

from confluent_kafka import TopicPartition

from bench.task import Task
from orderloom.topology import ORDERS, RAW
from runtime.kafka import idempotent_producer, reader

MESSAGES_MAX = 500
WAIT_SECONDS = 1.0


def main(argument: str) -> None:
    """Relay each record of `raw` to `orders` until told to end."""
    task = Task.from_argument(argument)
    source, shown = task.topic(RAW), task.topic(ORDERS)
    producer = idempotent_producer(task.bootstrap)
    consumer = reader(task.bootstrap, committed=False)
    consumer.assign([TopicPartition(source, number, 0) for number in range(task.partitions)])
    while True:
        first = consumer.poll(WAIT_SECONDS)
        messages = [] if first is None else [first, *consumer.consume(MESSAGES_MAX, 0)]
        for message in messages:
            if message.error() is None:
                place = f"{message.partition()} {message.offset()}".encode()
                producer.produce(shown, message.value(), place, message.partition() or 0)
        producer.poll(0)


if __name__ == "__main__":
    main(sys.argv[1])
