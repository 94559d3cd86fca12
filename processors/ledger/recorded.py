"""The steps that `commits` tells of, from the last one back, and whether a place is that of one.

The place stands in `ledger`, and what a step's record says stands in `commits`, by the same
transaction. So each is evidence of the other: a place that somebody else wrote, or a ledger or
`commits` that lost its end, is found before anything is folded.
"""

from collections.abc import Iterator, Mapping

from confluent_kafka import Message

from orderloom.topology import COMMITS
from processors.ledger.commit_record import CommitRecord, commit_of
from processors.ledger.committed import windows_back
from processors.ledger.log import LedgerLog
from processors.ledger.state import LedgerPlace
from processors.ledger.trouble import PartitionStopped


def steps_back(ledger_log: LedgerLog, partition: int) -> Iterator[tuple[CommitRecord, Message]]:
    """Our commit records, each with its message, from the last one back; others are passed over.

    Raises LedgerLost, KafkaException.
    """
    for messages in windows_back(ledger_log, COMMITS, partition):
        for message in reversed(messages):
            record = commit_of(message.value(), dict(message.headers() or ()))
            if record is not None:
                yield record, message


def last_commit(ledger_log: LedgerLog, partition: int) -> CommitRecord | None:
    """The last commit record; None where there is none."""
    return next((record for record, _ in steps_back(ledger_log, partition)), None)


def last_topic_ids(ledger_log: LedgerLog, partition: int) -> Mapping[str, str]:
    """The ids of the topics as the last opening knew them; none where no step that is left says.

    The first step of each opening says them.
    """
    said = (record.topic_ids for record, _ in steps_back(ledger_log, partition))
    return next((ids for ids in said if ids is not None), {})


def place_after(step: CommitRecord | None) -> LedgerPlace:
    """What a step's record says of the place that it came to; without one, the beginning."""
    if step is None:
        return LedgerPlace(0, 0, {}, {})
    ends = {kind: end for kind, (_, end) in step.inputs.items()}
    return LedgerPlace(step.step, step.clock_ns, ends, step.topic_ids or {})


def check_recorded(partition: int, place: LedgerPlace, last: CommitRecord | None) -> None:
    """Raise PartitionStopped where the last step came to another place than the ledger has.

    Pass the last commit record; None where `commits` holds none any more, which says nothing.
    """
    if last is not None and (said := _difference(place, last)):
        raise PartitionStopped(
            f"the place of partition {partition} is not the one that its last step left ({said}): "
            "its ledger or its commits lost their end, or something else wrote there (who may: "
            "`orderloom topics --acl`): run `orderloom repair`"
        )


def is_recorded(place: LedgerPlace, last: CommitRecord | None) -> bool:
    """Whether nothing that `commits` holds speaks against this place."""
    return last is None or not _difference(place, last)


def _difference(place: LedgerPlace, step: CommitRecord) -> str:
    after = place_after(step)
    pairs = [("step", place.step, after.step), ("clock_ns", place.clock_ns, after.clock_ns)]
    pairs += [(kind, at, after.next.get(kind, 0)) for kind, at in place.next.items()]
    for name, found, left in pairs:
        if found != left:
            return f"it says {name} {found}, the step {left}"
    # A place of an older version has no exact digest, and says nothing by that.
    is_same = place.chain == step.chain and place.exact in {"", step.exact_digest}
    return "" if is_same else "it says another digest"
