"""Whether the topics of a ledger are still those that it read and wrote: each topic has an id.

A topic that was deleted and made again begins empty under the old name, and no call fails by it. An
input then lacks what was not folded; the ledger's own topic lacks the state, which an open ledger
still has in memory; an output lacks what is published once. docs/decisions/0209 has the reasons.
"""

import time
from collections.abc import Mapping

from orderloom.topology import INPUTS
from processors.ledger.log import LedgerLog
from processors.ledger.state import JOINED_KINDS
from processors.ledger.trouble import PartitionStopped

TOPIC_CHECK_SECONDS = 10.0
TOPIC_CHECK_IDLE_SECONDS = 2.0
"""As long without a commit: ask before the next, since nothing has failed on the way meanwhile."""
READ = frozenset(topic.kind for topic in INPUTS)


def changed_topics(known: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """The kinds of the topics that are not those that a place is of.

    A place of an older version names its inputs alone: of the others, and of an input that joined
    since, it says nothing.
    """
    return [
        kind
        for kind, topic_id in found.items()
        if known.get(kind, "" if kind in READ - JOINED_KINDS else topic_id) != topic_id
    ]


def check_same_topics(
    ledger_log: LedgerLog, known: Mapping[str, str], found: Mapping[str, str]
) -> None:
    """Raise PartitionStopped if a topic is another than the one that was read or written."""
    changed = changed_topics(known, found)
    if changed:
        kind = changed[0]
        raise PartitionStopped(
            f"topic {ledger_log.names[kind]} is not the one that was "
            f"{'read' if kind in READ else 'written'} (its id is {found[kind]}, was "
            f"{known.get(kind)}): it was deleted and created again; restore it, or run "
            "`orderloom repair`"
        )


class TopicWatch:
    """Compares the topics of an open ledger with those of its place, now and then."""

    def __init__(self, ledger_log: LedgerLog, known: Mapping[str, str]) -> None:
        self._log = ledger_log
        self._known = known
        self._checked_at = self._committed_at = time.monotonic()

    def committed(self) -> None:
        """A step was committed."""
        self._committed_at = time.monotonic()

    def check_if_due(self) -> None:
        """Call it before each step. Raises PartitionStopped, KafkaException."""
        now = time.monotonic()
        # Where steps follow one another a ledger topic made again is met without asking: the step
        # before is not shown there, so the next is not committed (decision 0209).
        quiet_since = max(self._checked_at, self._committed_at)
        if (
            now - self._checked_at > TOPIC_CHECK_SECONDS
            or now - quiet_since > TOPIC_CHECK_IDLE_SECONDS
        ):
            check_same_topics(self._log, self._known, self._log.topic_ids())
            self._checked_at = now
