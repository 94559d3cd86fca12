"""Compares the ledger's clock with the broker's, by append times of records just written."""

import time

from confluent_kafka import KafkaException, TopicPartition

from orderloom.topology import LEDGER
from processors.ledger.input_reader import arrived, is_end
from processors.ledger.log import NS_PER_MS, LedgerLog
from processors.ledger.step_clock import LedgerClock

CLOCK_CHECK_SECONDS = 60.0
CLOCK_DOUBT_SECONDS = 10.0
"""How soon it is compared again where the broker's clock is ahead: it may stay so, or not."""
LAST_OFFSETS = 2  # a record, and the marker of its transaction
READ_MESSAGES_MAX = 100
WAIT_SECONDS = 0.1


class ClockWatch:
    """Of one open ledger: at its opening, and after a step now and then."""

    def __init__(self, ledger_log: LedgerLog, partition: int, clock: LedgerClock) -> None:
        self._log = ledger_log
        self._partition = partition
        self._clock = clock
        self._check_at = 0.0

    def check(self, before_ns: int) -> None:
        """Compare by the newest record, written since `before_ns`. Raises KafkaException."""
        if append_ns := newest_append_ns(self._log, self._partition):
            self._clock.compare(append_ns, before_ns)
        seconds = CLOCK_DOUBT_SECONDS if self._clock.is_in_doubt else CLOCK_CHECK_SECONDS
        self._check_at = time.monotonic() + seconds

    def check_if_due(self, before_ns: int) -> None:
        """As `check`, after a step; a Kafka that does not answer is asked the next time."""
        if time.monotonic() >= self._check_at:
            try:
                self.check(before_ns)
            except KafkaException:
                return


def newest_append_ns(ledger_log: LedgerLog, partition: int) -> int | None:
    """The append time of the last record of the ledger's own topic; None where none comes.

    It is read. To ask Kafka for the newest time gives the greatest that ever stood there: once the
    broker's clock had been ahead, that would say for ever that ours is behind.
    """
    end = ledger_log.ends((LEDGER,), partition)[LEDGER.kind]
    place = TopicPartition(ledger_log.names[LEDGER.kind], partition, max(0, end - LAST_OFFSETS))
    give_up = time.monotonic() + ledger_log.settings.request_seconds_max
    # Uncommitted: a commit returns before its marker stands in the partition, and until then a
    # committed reader is not shown the record (decision 0211).
    reader, newest_ns = ledger_log.reader(committed=False), None
    try:
        reader.assign([place])
        while time.monotonic() < give_up:
            for message in arrived(reader, READ_MESSAGES_MAX, WAIT_SECONDS):
                if message.error() is None:
                    newest_ns = message.timestamp()[1] * NS_PER_MS
                elif is_end(message):
                    return newest_ns
    finally:
        reader.close()
    return newest_ns
