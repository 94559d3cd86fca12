"""Committed records of one partition, up to its true end.

A committed reader's own end is the last *stable* offset: an open transaction of a dead writer holds
it back and would hide what was committed (measured: counters 4,307 too low). So the end is asked
for uncommitted, and the committed reader reads until it has passed it.
"""

import time
from collections.abc import Iterator

from confluent_kafka import KafkaException, Message, TopicPartition

from orderloom.topology import Topic
from processors.ledger.input_reader import arrived, is_end, is_passing
from processors.ledger.log import LedgerLog
from processors.ledger.trouble import LedgerLost

READ_MESSAGES_MAX = 10_000
WAIT_SECONDS = 0.1
TAIL_RECORDS = 64
BACK_FACTOR = 16
WINDOW_RECORDS_MAX = 8_192
"""So many are held at a time, however far back they are looked for."""


def committed_records(
    ledger_log: LedgerLog,
    topic: Topic,
    partition: int,
    begin: int | None = None,
    before: int | None = None,
) -> Iterator[Message]:
    """The records from `begin` (None: the first) to `before`, or the end that there is now.

    Raises LedgerLost if nothing comes for too long, KafkaException.
    """
    first = ledger_log.begins((topic,), partition)[topic.kind]
    end = ledger_log.ends((topic,), partition)[topic.kind] if before is None else before
    # Below the first offset that is left a reader gets an error and no reset (decision 0103).
    position = first if begin is None else max(first, begin)
    if position >= end:
        return
    settings = ledger_log.settings
    # An open transaction of a dead writer holds a committed reader back until Kafka aborts it.
    patience = settings.transaction_timeout_ms / 1000 + settings.request_seconds_max
    reader = ledger_log.reader(committed=True)
    try:
        reader.assign([TopicPartition(ledger_log.names[topic.kind], partition, position)])
        give_up = time.monotonic() + patience
        while position < end:
            for message in arrived(reader, READ_MESSAGES_MAX, WAIT_SECONDS):
                error = message.error()
                if error is None:
                    position = (message.offset() or 0) + 1
                    if position <= end:  # one behind it tells that it was passed: it was a marker
                        yield message
                elif is_end(message):
                    # The end is reached by this alone: the last offsets are markers, and those are
                    # no messages.
                    position = message.offset() or 0
                elif not is_passing(error):
                    raise KafkaException(error)
                give_up = time.monotonic() + patience
            if time.monotonic() > give_up:
                raise LedgerLost(f"{topic.kind} stays unreadable at {position}, its end is {end}")
    finally:
        reader.close()


def windows_back(ledger_log: LedgerLog, topic: Topic, partition: int) -> Iterator[list[Message]]:
    """The committed records, the last ones first: a few, then more of those before them.

    Within a list, which may be empty, they are in the order of the log.
    """
    begin = ledger_log.begins((topic,), partition)[topic.kind]
    end = ledger_log.ends((topic,), partition)[topic.kind]
    back = TAIL_RECORDS
    while begin < end:
        first = max(begin, end - back)
        yield list(committed_records(ledger_log, topic, partition, first, end))
        end, back = first, min(back * BACK_FACTOR, WINDOW_RECORDS_MAX)
