"""Transactions that a killed Kafka left hanging: ended, and what is true of them written again.

A hanging transaction's records stand in a partition without a marker: committed readers wait there
for good, and the next marker of the same id shows or hides them whatever they were. So an opening
ends them by an abort, which is right for what was never committed, and writes again what was.
docs/decisions/0207 has the rules and their reasons.
"""

import logging
import time
from collections.abc import Mapping

from confluent_kafka import KafkaException

from orderloom.topology import LEDGER, Topic
from processors.ledger.log import LedgerLog
from processors.ledger.mark import NUMBER_MAX, Evidence, Tail, lost, vanished
from processors.ledger.tails import WRITTEN, hanging, read_tails, still_hanging
from processors.ledger.trouble import LedgerLost, PartitionStopped
from processors.ledger.writer import LedgerWriter
from runtime.metrics import HANGING

log = logging.getLogger(__name__)
TOPIC_OF: Mapping[str, Topic] = {topic.kind: topic for topic in WRITTEN}


def settle(
    ledger_log: LedgerLog, partition: int, writer: LedgerWriter, *, rebuilds: bool = False
) -> None:
    """Leave nothing hanging and nothing true hidden; the fenced `writer` begins a life.

    Raises LedgerLost, KafkaException; and PartitionStopped where true state is gone, unless the
    caller `rebuilds` it.
    """
    found = still_hanging(ledger_log, partition)  # before: what was on its way has come by then
    tails = read_tails(ledger_log, partition)
    _begin_life(partition, writer, tails)
    if found:
        log.error("partition %d: transactions hang in %s; ending them", partition, found)
        HANGING.labels(ledger_log.settings.venue, str(partition)).inc()
        # All of them: where the new owner has written nothing yet, Kafka may still take a late
        # record of the former one, and a follower's end may lag behind its leader's.
        writer.cover([TOPIC_OF[kind] for kind in tails])
        if found := still_hanging(ledger_log, partition):
            raise LedgerLost(_foreign_line(ledger_log, partition, found))
        # The aborts have hidden all that hung, be it true: only now is it known what to write
        # again.
        tails = read_tails(ledger_log, partition)
        # Another life: the covering transactions are no evidence of anything (decision 0207).
        writer.begin_life(Evidence(tails.values()).highest)
    # Before anything is written: that would stand above what is gone, and the next opening would
    # take the loss for settled long ago.
    if not rebuilds:
        _check_state(partition, tails)
    _write_hidden_again(partition, tails, writer)


def check_tails(ledger_log: LedgerLog, partition: int) -> None:
    """Raise PartitionStopped where an opening would stop over what transactions left there.

    Nothing is written. Raises LedgerLost, KafkaException.
    """
    tails = read_tails(ledger_log, partition)
    _check_room(partition, tails)
    _check_state(partition, tails)


def _begin_life(partition: int, writer: LedgerWriter, tails: Mapping[str, Tail]) -> None:
    highest = Evidence(tails.values()).highest
    # Where no room is left, from the first number: what is written to prove who is the owner must
    # not stand up there too.
    writer.begin_life(highest if highest <= NUMBER_MAX else 0)
    _check_room(partition, tails)


def _check_room(partition: int, tails: Mapping[str, Tail]) -> None:
    """Numbers above the last one would be no marks, and the next opening would number below."""
    highest = Evidence(tails.values()).highest
    if highest <= NUMBER_MAX:
        return
    bear = [kind for kind, tail in tails.items() if Evidence([tail]).highest == highest]
    raise PartitionStopped(
        f"partition {partition}: in {', '.join(sorted(bear))} stands a transaction of number "
        f"{highest}, which no ledger comes to: something else wrote it (who may: `orderloom topics "
        "--acl`); delete that topic, run `orderloom topics`, then `orderloom repair`"
    )


def _check_state(partition: int, tails: Mapping[str, Tail]) -> None:
    ledger = tails.get(LEDGER.kind)
    if ledger is not None and (gone := lost(ledger, tails.values(), Evidence(tails.values()))):
        raise PartitionStopped(
            f"partition {partition}: transactions {sorted(gone)} were committed, and their state "
            "is gone from its ledger: run `orderloom repair`"
        )


def _foreign_line(ledger_log: LedgerLog, partition: int, found: Mapping[str, int]) -> str:
    places = ", ".join(
        f"--topic {ledger_log.names[kind]} --partition {partition} --start-offset {offset}"
        for kind, offset in sorted(found.items())
    )
    return (
        "transactions hang that are not of this partition's ids (forgotten by Kafka after "
        f"transactional.id.expiration.ms?): end them by `kafka-transactions.sh abort` with {places}"
    )


def _write_hidden_again(partition: int, tails: Mapping[str, Tail], writer: LedgerWriter) -> None:
    evidence = Evidence(tails.values())
    hidden = [
        (TOPIC_OF[kind], run) for kind, tail in tails.items() for run in vanished(tail, evidence)
    ]
    for topic, run in hidden:
        log.error(
            "partition %d: %d of %d records of %s that were committed are hidden; writing them "
            "again",
            partition,
            len(run.records),
            run.mark.count,
            topic.kind,
        )
    if hidden:
        writer.write_again(hidden)


class HangWatch:
    """Notices in a live ledger that a transaction of its own hangs somewhere."""

    def __init__(self, ledger_log: LedgerLog, partition: int) -> None:
        self._log = ledger_log
        self._partition = partition
        self._settings = ledger_log.settings
        self._standing: dict[str, tuple[int, float]] = {}
        self._check_at = 0.0

    def check_if_due(self) -> None:
        """Raise LedgerLost where committed readers stand longer than a transaction may last.

        Call it between steps. A Kafka that does not answer is asked the next time.
        """
        now = time.monotonic()
        if now < self._check_at:
            return
        self._check_at = now + self._settings.hang_check_seconds
        try:
            found = hanging(self._log, self._partition)
        except KafkaException:
            return
        before = self._standing
        self._standing = {
            # At another offset it is another transaction: readers came past the former one.
            kind: before[kind] if kind in before and before[kind][0] == offset else (offset, now)
            for kind, offset in found.items()
        }
        limit = self._settings.transaction_timeout_ms / 1000
        stuck = sorted(kind for kind, (_, since) in self._standing.items() if now - since > limit)
        if stuck:
            raise LedgerLost(f"a transaction hangs in {', '.join(stuck)}")
