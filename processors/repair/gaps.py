"""What an input lacks that was folded once: why, and from when to when that of `raw` was appended.

Missing at the front are the records before the first that is left. Missing at the end are those
after the last that the former life folded and that is still there; ingest may have gone on behind
them since, so it is not the last record: it is the last one from before that life's last step.
"""

from collections.abc import Iterator, Mapping

from confluent_kafka import TopicPartition

from orderloom.topology import RAW
from processors.ledger.input_reader import InputReader
from processors.ledger.log import LedgerLog
from processors.ledger.state import LedgerPlace, Repair
from processors.ledger.trouble import LedgerLost
from processors.repair.coverage import RawGap
from processors.repair.former import last_step_ms

READ_SECONDS = 5.0
NOT_WHOLE = "raw is not whole: "
BEGINS, ENDS = "it begins at", "it ends at"
MADE_AGAIN = "it was deleted and created again"
AND = "; "


def reasons_of(
    kind: str,
    place: LedgerPlace,
    ids: Mapping[str, str],
    begins: Mapping[str, int],
    ends: Mapping[str, int],
) -> Iterator[str]:
    """Why records of this input that were folded are gone; nothing if all are there."""
    read = place.next.get(kind, 0)
    # Of a topic that was made again the offsets say nothing of what was read.
    if read > 0 and place.topic_ids.get(kind, ids[kind]) != ids[kind]:
        yield MADE_AGAIN
        return
    if begins[kind] > 0:
        yield f"{BEGINS} offset {begins[kind]}"
    if ends[kind] < read:
        yield f"{ENDS} {ends[kind]}, and was read up to {read}"


def with_begun(begun: Repair | None, reasons: list[str]) -> list[str]:
    """Together with what a repair knows that was begun: it has put the place back already."""
    known = "" if begun is None else begun.raw_gap.removeprefix(NOT_WHOLE)
    # Where it begins is looked at anew: retention has gone on since the repair began.
    kept = [why for why in known.split(AND) if why and not why.startswith(BEGINS)]
    return kept + [why for why in reasons if why not in kept]


def gaps_in_raw(ledger_log: LedgerLog, partition: int, repair: Repair, now_ns: int) -> list[RawGap]:
    """The spans of `raw` that are gone. Raises LedgerLost, KafkaException."""
    reasons = repair.raw_gap.removeprefix(NOT_WHOLE).split(AND) if repair.raw_gap else []
    gaps = []
    for why in reasons:
        reason = f"{NOT_WHOLE}{why}"
        if why.startswith(ENDS):
            since_ns = _last_left_ns(ledger_log, partition, repair.epoch)
            gaps.append(RawGap(reason, now_ns, since_ns, is_at_end=True))
        else:
            first = ledger_log.begins((RAW,), partition)[RAW.kind]
            until_ns = _append_ns(ledger_log, partition, first)
            gaps.append(RawGap(reason, now_ns if until_ns is None else until_ns))
    return gaps


def _last_left_ns(ledger_log: LedgerLog, partition: int, epoch: int) -> int:
    """When the last record from before the former life's last step was appended; 0: none is left.

    Both times are the broker's.
    """
    reader = ledger_log.reader(committed=False)
    try:
        # One millisecond later: Kafka finds the first record at or after a time, and what was
        # appended in the step's own millisecond counts as before it.
        after = TopicPartition(
            ledger_log.names[RAW.kind], partition, last_step_ms(ledger_log, partition, epoch) + 1
        )
        seconds = ledger_log.settings.request_seconds_max
        [found] = reader.offsets_for_times([after], timeout=seconds)
    finally:
        reader.close()
    begin = ledger_log.begins((RAW,), partition)[RAW.kind]
    end = ledger_log.ends((RAW,), partition)[RAW.kind]
    later = found.offset if found.offset >= 0 else end  # below 0: none is later
    return 0 if later <= begin else _append_ns(ledger_log, partition, later - 1) or 0


def _append_ns(ledger_log: LedgerLog, partition: int, offset: int) -> int | None:
    """When the record of `raw` at an offset was appended; None at its end."""
    if offset >= ledger_log.ends((RAW,), partition)[RAW.kind]:
        return None
    reader = InputReader(ledger_log, partition)
    try:
        reader.start({RAW.kind: offset})
        for found in reader.read(READ_SECONDS):
            if not isinstance(found, tuple):
                return found.appended_ns
    finally:
        reader.close()
    raise LedgerLost(f"the record of raw at {offset} does not come")
