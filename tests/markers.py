"""Waiting until Kafka has written the markers of every transaction, before a topic is deleted."""

import uuid

from runtime.kafka import connected_admin, transactional_producer
from runtime.topics import TopicSpec, create_topics

ANSWER_SECONDS_MAX = 60.0


def wait_for_markers(bootstrap: str) -> None:
    """Return when the markers of all that was committed or aborted until now are written.

    A topic deleted before that can hold all markers of its broker back for 30 s (decision 0209).
    The broker answers its coordinator's requests for markers one after another: a later
    transaction has its own, so that its id can be initialised again, only after all before it.
    """
    name = f"markers-{uuid.uuid4().hex}"
    create_topics(connected_admin(bootstrap), [TopicSpec(name, 1)])
    transaction = transactional_producer(bootstrap, name)
    transaction.init_transactions(ANSWER_SECONDS_MAX)
    transaction.begin_transaction()
    transaction.produce(name, b"")
    transaction.commit_transaction(ANSWER_SECONDS_MAX)
    transactional_producer(bootstrap, name).init_transactions(ANSWER_SECONDS_MAX)
