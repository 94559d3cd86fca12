"""Whether committed readers are shown all that the former transaction of a ledger wrote.

Kafka acknowledges a commit before its markers stand in the partitions, and one that is killed then
may never write some. So a transaction is committed only when all of the one before it is shown: of
what is true only the last can hang, nothing true stands above it, and an opening that ends it by an
abort can write it again in its place. docs/decisions/0211 has the proof.
"""

import contextlib
import time
from collections.abc import Mapping

from confluent_kafka import KafkaException

from processors.ledger.log import LedgerLog
from processors.ledger.trouble import LedgerLost
from runtime.kafka import Place

LOOK_AGAIN_SECONDS = 0.001
UNREPORTED = -1
Ends = dict[Place, int]


class FormerTransaction:
    """Where it ends in each topic that it wrote, and whether readers have come to there."""

    def __init__(self, ledger_log: LedgerLog, partition: int) -> None:
        self._log = ledger_log
        self._partition = partition
        self.forget()

    def forget(self) -> None:
        """There is none whose records may be hidden."""
        self._ends: Ends = {}

    def is_committed(self, ends: Mapping[str, int]) -> None:
        """Its commit has returned, and these are its ends in what it wrote, by the topic's name.

        An end that Kafka did not report is UNREPORTED.
        """
        self._ends = {(name, self._partition): end for name, end in ends.items()}

    def find_ends(self) -> None:
        """Call it before anything is written behind it. Raises KafkaException."""
        # What stands there now is its own: its records, and perhaps its marker.
        if UNREPORTED in self._ends.values():
            self._ends = self._log.ends_of(self._ends)

    def wait_until_shown(self, seconds_max: float) -> None:
        """Return when all of it is shown. Raises LedgerLost where it hangs, or Kafka is away.

        Call it late: the first look then nearly always finds it shown.
        """
        give_up = time.monotonic() + seconds_max
        while hidden := self._hidden():
            # It hangs, and the next opening settles it (decision 0211).
            if time.monotonic() > give_up:
                raise LedgerLost(f"a transaction hangs in {', '.join(sorted(hidden))}")
            time.sleep(LOOK_AGAIN_SECONDS)

    def _hidden(self) -> list[str]:
        """The topics in which readers have not come past it."""
        shown = self._log.shown_ends(self._ends) if self._ends else {}
        if shown.keys() != self._ends.keys():
            # A leader that is another now, or none: this way newer metadata are asked for.
            with contextlib.suppress(KafkaException):
                shown = self._log.ends_of(self._ends, committed=True)
        return [place[0] for place, end in self._ends.items() if shown.get(place, -1) < end]
